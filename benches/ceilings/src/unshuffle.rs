//! Undoing blosc's byte and bit shuffle with AVX2.

use std::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_loadu_si256, _mm256_permute2x128_si256, _mm256_set1_epi8,
    _mm256_slli_epi16, _mm256_srli_epi16, _mm256_storeu_si256, _mm256_stream_si256,
    _mm256_unpackhi_epi8, _mm256_unpackhi_epi16, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64,
    _mm256_unpacklo_epi8, _mm256_unpacklo_epi16, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
    _mm256_xor_si256,
};

use crate::placement::Stores;

/// Elements of a step: a vector of each plane.
const STEP: usize = 32;

/// Puts elements `first..first + count` of a byte-shuffled block together at `target`.
///
/// # Safety
/// `target` has room for `count` elements of `size` bytes.
#[inline(always)]
pub(crate) unsafe fn bytes(
    block: &[u8],
    size: usize,
    first: usize,
    count: usize,
    target: *mut u8,
    stores: Stores,
) {
    let elements = block.len() / size;
    assert!(first + count <= elements);
    let mut done = 0;
    // SAFETY: each access is to elements below `first + count` of a plane, or below `count` of the target.
    unsafe {
        let one_by_one = |from: usize, to: usize| {
            for element in from..to {
                for byte in 0..size {
                    let value = *block.get_unchecked(byte * elements + first + element);
                    target.add(element * size + byte).write(value);
                }
            }
        };
        if size == 4 || size == 2 {
            if stores == Stores::Streaming {
                let head = target.align_offset(64);
                if head.is_multiple_of(size) {
                    let to = (head / size).min(count);
                    if size == 4 {
                        narrow4(block, elements, first, 0, to, target)
                    } else {
                        one_by_one(0, to)
                    }
                    done = to;
                }
            }
            let whole = done + (count - done) / STEP * STEP;
            let aligned = target.add(done * size).align_offset(32) == 0;
            let streaming = stores == Stores::Streaming && aligned;
            while done < whole {
                let from = block.as_ptr().add(first + done);
                let into = target.add(done * size).cast::<__m256i>();
                if size == 4 {
                    four_planes(from, elements, into, streaming);
                } else {
                    two_planes(from, elements, into, streaming);
                }
                done += STEP;
            }
            if size == 4 {
                narrow4(block, elements, first, done, count, target);
                done = count;
            }
        }
        one_by_one(done, count);
    }
}

/// Elements `from..to` of four planes, four at a time.
///
/// # Safety
/// As for [`bytes`].
#[inline(always)]
unsafe fn narrow4(
    block: &[u8],
    elements: usize,
    first: usize,
    from: usize,
    to: usize,
    target: *mut u8,
) {
    use std::arch::x86_64::{
        _mm_cvtsi32_si128, _mm_storeu_si128, _mm_unpacklo_epi8, _mm_unpacklo_epi16,
    };
    let mut element = from;
    // SAFETY: see the caller's promise; four bytes of each plane, sixteen of the target.
    unsafe {
        while element + 4 <= to {
            let four = |byte: usize| {
                let at = block.as_ptr().add(byte * elements + first + element);
                _mm_cvtsi32_si128(at.cast::<i32>().read_unaligned())
            };
            let low = _mm_unpacklo_epi8(four(0), four(1));
            let high = _mm_unpacklo_epi8(four(2), four(3));
            _mm_storeu_si128(target.add(element * 4).cast(), _mm_unpacklo_epi16(low, high));
            element += 4;
        }
        while element < to {
            for byte in 0..4 {
                let value = *block.get_unchecked(byte * elements + first + element);
                target.add(element * 4 + byte).write(value);
            }
            element += 1;
        }
    }
}

/// # Safety
/// `into` has room, and is aligned when `streaming`.
#[inline(always)]
unsafe fn put(into: *mut __m256i, value: __m256i, streaming: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        if streaming { _mm256_stream_si256(into, value) } else { _mm256_storeu_si256(into, value) }
    }
}

/// # Safety
/// 32 bytes are readable at each of four distances `plane` from `from`; `into` has room for 128 bytes.
#[inline(always)]
unsafe fn four_planes(from: *const u8, plane: usize, into: *mut __m256i, streaming: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        let load = |number: usize| _mm256_loadu_si256(from.add(number * plane).cast());
        let (p0, p1, p2, p3) = (load(0), load(1), load(2), load(3));
        let (a0, a1) = (_mm256_unpacklo_epi8(p0, p1), _mm256_unpackhi_epi8(p0, p1));
        let (b0, b1) = (_mm256_unpacklo_epi8(p2, p3), _mm256_unpackhi_epi8(p2, p3));
        let (c0, c1) = (_mm256_unpacklo_epi16(a0, b0), _mm256_unpackhi_epi16(a0, b0));
        let (c2, c3) = (_mm256_unpacklo_epi16(a1, b1), _mm256_unpackhi_epi16(a1, b1));
        put(into, _mm256_permute2x128_si256::<0x20>(c0, c1), streaming);
        put(into.add(1), _mm256_permute2x128_si256::<0x20>(c2, c3), streaming);
        put(into.add(2), _mm256_permute2x128_si256::<0x31>(c0, c1), streaming);
        put(into.add(3), _mm256_permute2x128_si256::<0x31>(c2, c3), streaming);
    }
}

/// # Safety
/// As for [`four_planes`], two planes and 64 bytes.
#[inline(always)]
unsafe fn two_planes(from: *const u8, plane: usize, into: *mut __m256i, streaming: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        let p0 = _mm256_loadu_si256(from.cast());
        let p1 = _mm256_loadu_si256(from.add(plane).cast());
        let (a0, a1) = (_mm256_unpacklo_epi8(p0, p1), _mm256_unpackhi_epi8(p0, p1));
        put(into, _mm256_permute2x128_si256::<0x20>(a0, a1), streaming);
        put(into.add(1), _mm256_permute2x128_si256::<0x31>(a0, a1), streaming);
    }
}

/// Undoes the bit shuffle of a block of 16-bit elements, whose number is a multiple of eight.
pub(crate) fn bits16(block: &[u8], target: &mut [u8]) {
    assert!(block.len() == target.len() && block.len().is_multiple_of(16));
    let plane = block.len() / 16;
    let whole = plane / STEP * STEP;
    for at in (0..whole).step_by(STEP) {
        // SAFETY: `at + 32` bytes are in each of the sixteen planes; 512 bytes fit at sixteen times `at`.
        unsafe {
            sixteen_planes(block.as_ptr().add(at), plane, target.as_mut_ptr().add(at * 16).cast());
        }
    }
    for at in whole..plane {
        for element in 0..8 {
            let bit =
                |number: usize| u16::from(block[number * plane + at] >> element & 1) << number;
            let value: u16 = (0..16).map(bit).sum();
            let offset = (at * 8 + element) * 2;
            target[offset..offset + 2].copy_from_slice(&value.to_le_bytes());
        }
    }
}

/// Transposes an 8 x 8 matrix of bits in each byte position: bit e of vector p becomes bit p of vector e.
#[inline(always)]
unsafe fn transpose_bits(planes: &mut [__m256i; 8]) {
    macro_rules! level {
        ($distance:literal, $mask:literal) => {
            for first in 0..8 {
                if first & $distance == 0 {
                    // SAFETY: AVX2 is there, as the program was compiled for it.
                    unsafe {
                        let (low, high) = (planes[first], planes[first + $distance]);
                        let mask = _mm256_set1_epi8($mask);
                        let moved = _mm256_xor_si256(_mm256_srli_epi16::<$distance>(low), high);
                        let swap = _mm256_and_si256(moved, mask);
                        planes[first + $distance] = _mm256_xor_si256(high, swap);
                        planes[first] = _mm256_xor_si256(low, _mm256_slli_epi16::<$distance>(swap));
                    }
                }
            }
        };
    }
    level!(1, 0x55);
    level!(2, 0x33);
    level!(4, 0x0F);
}

/// # Safety
/// 32 bytes are readable at each of sixteen distances `plane` from `from`; `into` has room for 512 bytes.
#[inline(always)]
unsafe fn sixteen_planes(from: *const u8, plane: usize, into: *mut __m256i) {
    // SAFETY: the caller's promise.
    unsafe {
        let load = |number: usize| _mm256_loadu_si256(from.add(number * plane).cast());
        let mut low: [__m256i; 8] = std::array::from_fn(load);
        let mut high: [__m256i; 8] = std::array::from_fn(|number| load(number + 8));
        transpose_bits(&mut low);
        transpose_bits(&mut high);
        // low[e] holds the low bytes of element e of each group of eight. Put the bytes of elements
        // together, then the eight elements of a group (16 bytes), for 32 groups.
        for half in 0..2 {
            let pair = |e: usize| {
                if half == 0 {
                    _mm256_unpacklo_epi8(low[e], high[e])
                } else {
                    _mm256_unpackhi_epi8(low[e], high[e])
                }
            };
            let e: [__m256i; 8] = std::array::from_fn(pair);
            for quarter in 0..2 {
                let two = |n: usize| {
                    if quarter == 0 {
                        _mm256_unpacklo_epi16(e[2 * n], e[2 * n + 1])
                    } else {
                        _mm256_unpackhi_epi16(e[2 * n], e[2 * n + 1])
                    }
                };
                let (ab, cd, ef, gh) = (two(0), two(1), two(2), two(3));
                let groups = [
                    (_mm256_unpacklo_epi32(ab, cd), _mm256_unpacklo_epi32(ef, gh)),
                    (_mm256_unpackhi_epi32(ab, cd), _mm256_unpackhi_epi32(ef, gh)),
                ];
                // Group numbers of a lane: 8 * half + 4 * quarter + 2 * pair + (0, 1); lane 1 is 16 on.
                for (pair, (first, second)) in groups.into_iter().enumerate() {
                    let even = _mm256_unpacklo_epi64(first, second);
                    let odd = _mm256_unpackhi_epi64(first, second);
                    let group = 8 * half + 4 * quarter + 2 * pair;
                    let both = _mm256_permute2x128_si256::<0x20>(even, odd);
                    let next = _mm256_permute2x128_si256::<0x31>(even, odd);
                    _mm256_storeu_si256(into.add(group / 2), both);
                    _mm256_storeu_si256(into.add(8 + group / 2), next);
                }
            }
        }
    }
}
