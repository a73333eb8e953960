//! How much memory the whole process has mapped at most: libraries in C take theirs past Rust's allocator.

/// A process that maps more than this runs under a sanitizer, whose shadow takes terabytes. It bounds
/// allocations itself (`max_allocation_size_mb`).
const SHADOW: u64 = 1 << 40;

/// Bytes mapped now and at most so far; `None` where the system does not tell, or under a sanitizer.
pub(crate) fn mapped() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    };
    let (now, most) = (field("VmSize:")?, field("VmPeak:")?);
    (most < SHADOW).then_some((now, most))
}
