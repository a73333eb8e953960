//! Whether this process may use `io_uring`: found out by using it.

use std::io;

use crate::unsafe_kernel_queue;

/// The outcome of making a ring and running a no-op on it.
///
/// The kernel's version says nothing: containers often forbid the system call, and the limit on locked
/// memory may be too low for a ring on old kernels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    refusal: Option<String>,
}

impl Probe {
    /// Makes a ring, runs one request on it that does nothing, and takes it down again.
    #[must_use]
    pub fn run() -> Self {
        let outcome = unsafe_kernel_queue::try_ring();
        Self { refusal: outcome.err().map(|error| explain(&error)) }
    }

    /// Whether the ring works.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.refusal.is_none()
    }

    /// Why it does not, for people.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }
}

/// What the kernel's refusal means, for the ones with a usual cause.
fn explain(error: &io::Error) -> String {
    let cause = match error.raw_os_error() {
        Some(libc::ENOSYS) => "the kernel has no io_uring, or a seccomp profile hides it",
        Some(libc::EPERM | libc::EACCES) => {
            "io_uring is forbidden, by a container's seccomp profile or by kernel.io_uring_disabled"
        }
        Some(libc::ENOMEM) => "the limit on locked memory (RLIMIT_MEMLOCK) is too low for a ring",
        Some(libc::EMFILE | libc::ENFILE) => "there are too many open files",
        Some(libc::EINVAL) => "the kernel is too old for the ring that is needed",
        _ => "the ring could not be used",
    };
    format!("{cause}: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_usual_cause_and_the_kernels_words() {
        let text = explain(&io::Error::from_raw_os_error(libc::EPERM));
        assert!(text.contains("seccomp") && text.contains("os error 1"), "{text}");
    }

    #[test]
    fn a_probe_can_be_repeated_and_says_the_same() {
        assert_eq!(Probe::run(), Probe::run());
    }
}
