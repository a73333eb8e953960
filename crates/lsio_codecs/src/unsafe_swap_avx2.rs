//! Reverses the bytes of numbers with AVX2, whose one shuffle of bytes the baseline x86-64 CPU lacks.

#![expect(unsafe_code, reason = "instructions that not every CPU has")]

use crate::bytes::swap_each;

/// Reverses the bytes of each group of `unit` bytes; answers `false`, and changes nothing, where the CPU
/// has no AVX2.
pub(crate) fn swap_bytes(unit: usize, bytes: &mut [u8]) -> bool {
    #[target_feature(enable = "avx2")]
    fn with_avx2(unit: usize, bytes: &mut [u8]) {
        swap_each(unit, bytes);
    }
    // The standard library asks the CPU once.
    let detected = is_x86_feature_detected!("avx2");
    if detected {
        // SAFETY: the CPU has AVX2.
        unsafe { with_avx2(unit, bytes) }
    }
    detected
}
