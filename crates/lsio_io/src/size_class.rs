//! Size classes: the lengths that buffers come in, and what each is charged.

/// Bytes of a page of the smallest kind: the smallest class, and the alignment of every buffer.
pub(crate) const PAGE: u64 = 4096;

/// Bytes of a huge page on x86-64 and on arm64 with 4 KiB pages.
pub(crate) const HUGE_PAGE: u64 = 2 << 20;

/// Classes per doubling: a buffer is at most an eighth longer than what was asked for, wherever the
/// page size allows steps that small.
const STEPS_PER_DOUBLING: u64 = 8;

/// Bytes that a buffer of `len` bytes is charged: its size class.
///
/// Classes are multiples of 4 KiB, eight per doubling where that leaves room for them, and above
/// 16 MiB multiples of 2 MiB. Zero bytes are charged nothing.
#[must_use]
pub fn class_size(len: u64) -> u64 {
    if len == 0 {
        return 0;
    }
    if len <= PAGE {
        return PAGE;
    }
    let below = 1_u64 << (len - 1).ilog2();
    let step = (below / STEPS_PER_DOUBLING).max(PAGE);
    len.checked_next_multiple_of(step).unwrap_or(u64::MAX)
}

/// Bytes of the region that buffers of `class` are cut from: the shortest multiple of a huge page
/// that they fill without a rest.
pub(crate) fn region_size(class: u64) -> u64 {
    // From here on every class is a multiple of a huge page.
    let last_shared = STEPS_PER_DOUBLING * HUGE_PAGE;
    if class >= last_shared || class.is_multiple_of(HUGE_PAGE) {
        return class;
    }
    let pages = class / PAGE;
    (pages >> pages.trailing_zeros()) * HUGE_PAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_its_own_class_and_never_much_longer_than_the_buffer() {
        let mut len = 1;
        while len < 1 << 40 {
            for near in [len - 1, len, len + 1] {
                let class = class_size(near);
                assert!(class >= near, "{near} -> {class}");
                assert_eq!(class_size(class), class, "{near}");
                assert_eq!(class % PAGE, 0);
                assert!(class - near < PAGE.max(near / 8 + 1), "{near} -> {class}");
            }
            len += len / 7 + 1;
        }
    }

    #[test]
    fn classes_fill_their_regions_without_a_rest() {
        let mut class = class_size(1);
        while class < 64 << 20 {
            let region = region_size(class);
            assert_eq!(region % class, 0, "{class}");
            assert_eq!(region % HUGE_PAGE, 0, "{class}");
            assert!(class > 15 * HUGE_PAGE || region <= 15 * HUGE_PAGE, "{class}");
            class = class_size(class + 1);
        }
    }

    #[test]
    fn the_padding_of_a_direct_read_costs_little() {
        for mib in 1..64 {
            let len = mib << 20;
            let padded = class_size(len + crate::Read::DIRECT_PADDING as u64);
            assert!(padded <= len + len / 8, "{mib} MiB -> {padded}");
        }
    }

    #[test]
    fn absurd_lengths_do_not_overflow() {
        assert_eq!(class_size(0), 0);
        assert_eq!(class_size(u64::MAX), u64::MAX);
        assert_eq!(class_size(1 << 63), 1 << 63);
    }
}
