//! SSE2 and AVX2 for putting elements together again. AVX2 is chosen as the program runs: what is built for
//! npm runs on any x86-64 CPU, and each of them has SSE2.

#![expect(unsafe_code, reason = "instructions that not every CPU has")]
#![expect(
    clippy::inline_always,
    reason = "only inside a function compiled for an instruction set do its instructions become inline"
)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_and_si128, _mm_loadu_si128, _mm_set1_epi8, _mm_slli_epi64,
    _mm_srli_epi64, _mm_storeu_si128, _mm_unpackhi_epi8, _mm_unpacklo_epi8, _mm_xor_si128,
    _mm256_and_si256, _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_loadu_si256,
    _mm256_set1_epi8, _mm256_slli_epi64, _mm256_srli_epi64, _mm256_unpackhi_epi8,
    _mm256_unpacklo_epi8, _mm256_xor_si256,
};

use crate::interleave::{LANE, Simd, interleave_bit_planes, interleave_planes};

/// Proof that this CPU has AVX2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The proof, where it can be had. The standard library asks the CPU once.
    pub(crate) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// [`interleave_planes`].
    pub(crate) fn interleave_planes<const T: usize>(
        self,
        planes: [&[u8]; T],
        block: &mut [u8],
    ) -> bool {
        #[target_feature(enable = "avx2")]
        fn with_avx2<const T: usize>(simd: Avx2, planes: [&[u8]; T], block: &mut [u8]) -> bool {
            interleave_planes(simd, planes, block)
        }
        // SAFETY: `self` proves that the CPU has AVX2.
        unsafe { with_avx2(self, planes, block) }
    }

    /// [`interleave_bit_planes`].
    pub(crate) fn interleave_bit_planes<const T: usize>(
        self,
        planes: [&[u8]; T],
        row_len: usize,
        block: &mut [u8],
    ) -> bool {
        #[target_feature(enable = "avx2")]
        fn with_avx2<const T: usize>(
            simd: Avx2,
            planes: [&[u8]; T],
            row_len: usize,
            block: &mut [u8],
        ) -> bool {
            interleave_bit_planes(simd, planes, row_len, block)
        }
        // SAFETY: `self` proves that the CPU has AVX2.
        unsafe { with_avx2(self, planes, row_len, block) }
    }
}

impl Simd for Avx2 {
    type Register = __m256i;

    const LEN: usize = 2 * LANE;

    #[inline(always)]
    fn load(self, bytes: &[u8]) -> __m256i {
        let bytes = &bytes[..Self::LEN];
        // SAFETY: reads the 32 bytes of the slice, at any alignment; `self` proves AVX2.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, register: __m256i, bytes: &mut [u8], apart: usize) {
        let (low, rest) = bytes.split_at_mut(apart);
        let (low, high) = (&mut low[..LANE], &mut rest[..LANE]);
        // SAFETY: writes 16 bytes to each of two slices of 16 bytes, at any alignment; `self` proves
        // AVX2.
        unsafe {
            _mm_storeu_si128(low.as_mut_ptr().cast(), _mm256_castsi256_si128(register));
            _mm_storeu_si128(high.as_mut_ptr().cast(), _mm256_extracti128_si256::<1>(register));
        }
    }

    #[inline(always)]
    fn interleave_low(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_unpacklo_epi8(a, b) }
    }

    #[inline(always)]
    fn interleave_high(self, a: __m256i, b: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_unpackhi_epi8(a, b) }
    }

    #[inline(always)]
    fn exchange_bits<const SHIFT: i32>(
        self,
        a: __m256i,
        b: __m256i,
        mask: u8,
    ) -> (__m256i, __m256i) {
        // Shifts of 64 bits carry bits into the next byte; the mask removes them.
        // SAFETY: `self` proves AVX2.
        unsafe {
            let mask = _mm256_set1_epi8(mask.cast_signed());
            let moved = _mm256_srli_epi64::<SHIFT>(a);
            let differing = _mm256_and_si256(_mm256_xor_si256(moved, b), mask);
            let back = _mm256_slli_epi64::<SHIFT>(differing);
            (_mm256_xor_si256(a, back), _mm256_xor_si256(b, differing))
        }
    }
}

/// Every x86-64 CPU has SSE2.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sse2;

impl Simd for Sse2 {
    type Register = __m128i;

    const LEN: usize = LANE;

    #[inline(always)]
    fn load(self, bytes: &[u8]) -> __m128i {
        let bytes = &bytes[..LANE];
        // SAFETY: reads the 16 bytes of the slice, at any alignment.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn store(self, register: __m128i, bytes: &mut [u8], _apart: usize) {
        let bytes = &mut bytes[..LANE];
        // SAFETY: writes the 16 bytes of the slice, at any alignment.
        unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), register) }
    }

    #[inline(always)]
    fn interleave_low(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: every x86-64 CPU has SSE2.
        unsafe { _mm_unpacklo_epi8(a, b) }
    }

    #[inline(always)]
    fn interleave_high(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: every x86-64 CPU has SSE2.
        unsafe { _mm_unpackhi_epi8(a, b) }
    }

    #[inline(always)]
    fn exchange_bits<const SHIFT: i32>(
        self,
        a: __m128i,
        b: __m128i,
        mask: u8,
    ) -> (__m128i, __m128i) {
        // Shifts of 64 bits carry bits into the next byte; the mask removes them.
        // SAFETY: every x86-64 CPU has SSE2.
        unsafe {
            let mask = _mm_set1_epi8(mask.cast_signed());
            let moved = _mm_srli_epi64::<SHIFT>(a);
            let differing = _mm_and_si128(_mm_xor_si128(moved, b), mask);
            let back = _mm_slli_epi64::<SHIFT>(differing);
            (_mm_xor_si128(a, back), _mm_xor_si128(b, differing))
        }
    }
}
