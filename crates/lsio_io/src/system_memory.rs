//! How much memory this machine, or the control group that the process runs in, has.

use std::fs;
use std::path::{Path, PathBuf};

/// Part of the memory that the budget takes unless it is told otherwise.
const DEFAULT_SHARE: u64 = 4;

/// The budget where nothing can be learned about the memory of the system.
const UNKNOWN_SYSTEM_LIMIT: u64 = 1 << 30;

/// Where control groups are mounted (cgroups(7)).
const CGROUP_ROOT: &str = "/sys/fs/cgroup";

/// Bytes that could be used now without pushing others out: the kernel's estimate, and no more than
/// the control group of this process still allows. `None` where neither can be read.
#[must_use]
pub fn available_memory() -> Option<u64> {
    available(&read_file)
}

/// A quarter of what there is.
pub(crate) fn default_limit() -> u64 {
    default_limit_of(total_memory())
}

fn default_limit_of(total: Option<u64>) -> u64 {
    total.map_or(UNKNOWN_SYSTEM_LIMIT, |bytes| bytes / DEFAULT_SHARE)
}

/// Bytes of memory that this process could have at most. `None` where they cannot be read.
pub(crate) fn total_memory() -> Option<u64> {
    total(&read_file)
}

fn read_file(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// Reads one small text file; `None` if there is none.
type ReadFile<'a> = dyn Fn(&Path) -> Option<String> + 'a;

fn total(read: &ReadFile<'_>) -> Option<u64> {
    let machine = meminfo(read, "MemTotal:");
    let groups = control_groups(read).into_iter().map(|group| group.limit);
    machine.into_iter().chain(groups).min()
}

fn available(read: &ReadFile<'_>) -> Option<u64> {
    let machine = meminfo(read, "MemAvailable:");
    let groups = control_groups(read).into_iter().map(ControlGroup::available);
    machine.into_iter().chain(groups).min()
}

/// A field of /proc/meminfo (`proc_meminfo(5)`), which is in KiB, in bytes.
fn meminfo(read: &ReadFile<'_>, field: &str) -> Option<u64> {
    let text = read(Path::new("/proc/meminfo"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

/// What one control group allows and uses, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ControlGroup {
    limit: u64,
    used: u64,
    /// Cached file pages that were not used lately: the first thing the kernel takes back.
    reclaimable: u64,
}

impl ControlGroup {
    fn available(self) -> u64 {
        self.limit.saturating_sub(self.used.saturating_sub(self.reclaimable))
    }
}

/// The names of the files of one version of control groups.
struct Files {
    limit: &'static str,
    used: &'static str,
    reclaimable: &'static str,
}

const VERSION_2: Files =
    Files { limit: "memory.max", used: "memory.current", reclaimable: "inactive_file " };
const VERSION_1: Files = Files {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    reclaimable: "total_inactive_file ",
};

/// The control groups with a memory limit that this process is in: its own and all above it.
fn control_groups(read: &ReadFile<'_>) -> Vec<ControlGroup> {
    let membership = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let mut groups = Vec::new();
    for line in membership.lines() {
        // hierarchy-ID:controller-list:cgroup-path (cgroups(7))
        let mut fields = line.splitn(3, ':');
        let (Some(hierarchy), Some(controllers), Some(path)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if hierarchy == "0" && controllers.is_empty() {
            groups.extend(ancestors(read, Path::new(CGROUP_ROOT), path, &VERSION_2));
        } else if controllers.split(',').any(|controller| controller == "memory") {
            let root = Path::new(CGROUP_ROOT).join("memory");
            groups.extend(ancestors(read, &root, path, &VERSION_1));
        }
    }
    groups
}

/// The group at `path` and all above it. In a container the path may be the one that the host sees:
/// groups that cannot be read are skipped, and the root of the mount is then the container's own.
fn ancestors(read: &ReadFile<'_>, root: &Path, path: &str, files: &Files) -> Vec<ControlGroup> {
    let mut folder: PathBuf = root.join(path.trim_start_matches('/'));
    let mut groups = Vec::new();
    loop {
        groups.extend(control_group(read, &folder, files));
        if folder == root || !folder.pop() {
            return groups;
        }
    }
}

fn control_group(read: &ReadFile<'_>, folder: &Path, files: &Files) -> Option<ControlGroup> {
    // "max" (version 2) is no number, and means no limit.
    let limit: u64 = read(&folder.join(files.limit))?.trim().parse().ok()?;
    let used = read(&folder.join(files.used))?.trim().parse().ok()?;
    let reclaimable = read(&folder.join("memory.stat"))
        .and_then(|text| {
            let value = text.lines().find_map(|line| line.strip_prefix(files.reclaimable))?;
            value.trim().parse().ok()
        })
        .unwrap_or(0);
    Some(ControlGroup { limit, used, reclaimable })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str =
        "MemTotal:       8000000 kB\nMemFree:  1 kB\nMemAvailable:   6000000 kB\n";
    const KIB: u64 = 1024;

    fn files<'a>(files: &'a [(&'a str, &'a str)]) -> impl Fn(&Path) -> Option<String> + 'a {
        |path| {
            let (_, text) = files.iter().find(|(name, _)| Path::new(name) == path)?;
            Some((*text).to_owned())
        }
    }

    #[test]
    fn without_control_groups_the_machine_decides() {
        let read = files(&[("/proc/meminfo", MEMINFO)]);
        assert_eq!(total(&read), Some(8_000_000 * KIB));
        assert_eq!(available(&read), Some(6_000_000 * KIB));
    }

    #[test]
    fn the_tightest_group_above_the_process_decides() {
        let read = files(&[
            ("/proc/meminfo", MEMINFO),
            ("/proc/self/cgroup", "0::/a/b\n"),
            ("/sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("/sys/fs/cgroup/a/b/memory.current", "5\n"),
            ("/sys/fs/cgroup/a/memory.max", "1000\n"),
            ("/sys/fs/cgroup/a/memory.current", "900\n"),
            ("/sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 300\nactive_file 1\n"),
        ]);
        assert_eq!(total(&read), Some(1000));
        assert_eq!(available(&read), Some(400));
    }

    #[test]
    fn version_1_groups_are_read_and_their_no_limit_is_none() {
        let read = files(&[
            ("/proc/meminfo", MEMINFO),
            ("/proc/self/cgroup", "12:cpu,cpuacct:/x\n5:memory:/docker/abc\n0::/\n"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "2000\n"),
            ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "2500\n"),
        ]);
        assert_eq!(total(&read), Some(2000));
        assert_eq!(available(&read), Some(0));
        let unlimited = files(&[
            ("/proc/meminfo", MEMINFO),
            ("/proc/self/cgroup", "5:memory:/\n"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "2500\n"),
        ]);
        assert_eq!(total(&unlimited), Some(8_000_000 * KIB));
    }

    #[test]
    fn nonsense_is_taken_for_nothing() {
        let read = files(&[
            ("/proc/meminfo", "MemTotal: many kB\nMemAvailable: 99999999999999999999 kB\n"),
            ("/proc/self/cgroup", "::\n0\n0::/a:b\nxx"),
            ("/sys/fs/cgroup/memory.max", "-1"),
        ]);
        assert_eq!(total(&read), None);
        assert_eq!(available(&read), None);
        assert_eq!(default_limit_of(None), UNKNOWN_SYSTEM_LIMIT);
        assert_eq!(default_limit_of(Some(400)), 100);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_has_memory() {
        assert!(available_memory().is_some_and(|bytes| bytes > 0));
        assert!(default_limit() > 0 && Some(default_limit()) < total_memory());
    }
}
