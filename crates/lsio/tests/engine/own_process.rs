//! Tests that need a process of their own, and what a process knows about itself.

use std::process::Command;

const VARIABLE: &str = "LSIO_TEST_OWN_PROCESS";

/// Runs `body`, which is the test with this name (its modules included), in a process that does
/// nothing else.
pub(crate) fn in_own_process(test: &str, body: impl FnOnce()) {
    if std::env::var(VARIABLE).is_ok_and(|name| name == test) {
        return body();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(VARIABLE, test)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
    print!("{text}");
}

/// Resident memory of this process, in bytes.
pub(crate) fn resident_memory() -> u64 {
    status("VmRSS")
}

/// Most resident memory since [`forget_peak`], in bytes.
pub(crate) fn peak_memory() -> u64 {
    status("VmHWM")
}

/// Makes the present resident memory the highest so far.
pub(crate) fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kib: u64 = line.trim_matches(':').trim().trim_end_matches(" kB").parse().unwrap();
    kib << 10
}

/// Descriptors that this process has open.
pub(crate) fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
