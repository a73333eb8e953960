//! Undoes the shuffle filters: makes elements of planes.

#[cfg(target_arch = "x86_64")]
use crate::interleave::{interleave_bit_planes, interleave_planes};
use crate::shuffle::transpose_bits;
#[cfg(target_arch = "x86_64")]
use crate::unsafe_interleave_x86::{Avx2, Sse2};

/// The shuffled bytes of the elements of a block: for each byte of an element a plane, which holds that
/// byte of all elements, or the eight rows of its bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planes<'a> {
    lie: Lie<'a>,
    /// Bytes of a plane: elements of the block.
    len: usize,
    /// Bytes of each plane, or of each row of bits, that are passed over.
    start: usize,
}

/// How planes lie.
#[derive(Debug, Clone, Copy)]
enum Lie<'a> {
    /// One behind the other.
    Joined(&'a [u8]),
    /// Each by itself.
    Apart(&'a [&'a [u8]]),
}

impl<'a> Planes<'a> {
    /// Planes of `len` bytes, one behind the other.
    pub(crate) fn joined(planes: &'a [u8], len: usize) -> Self {
        Self { lie: Lie::Joined(planes), len, start: 0 }
    }

    /// Planes of `len` bytes, each by itself.
    pub(crate) fn apart(planes: &'a [&'a [u8]], len: usize) -> Self {
        Self { lie: Lie::Apart(planes), len, start: 0 }
    }

    /// The same planes without the first `count` elements.
    pub(crate) fn skip_bytes(self, count: usize) -> Self {
        Self { start: count, ..self }
    }

    /// The same rows of bits without the first `count` elements, a multiple of 8.
    pub(crate) fn skip_bits(self, count: usize) -> Self {
        Self { start: count / 8, ..self }
    }

    /// Bytes from the start of a row of bits to that of the next.
    fn row_len(self) -> usize {
        self.len / 8
    }

    /// The plane of this byte of elements, or its rows, from the first element that is not passed over.
    fn get(self, byte: usize) -> &'a [u8] {
        match self.lie {
            Lie::Joined(planes) => &planes[byte * self.len..][..self.len][self.start..],
            Lie::Apart(planes) => &planes[byte][..self.len][self.start..],
        }
    }

    fn all<const T: usize>(self) -> [&'a [u8]; T] {
        std::array::from_fn(|byte| self.get(byte))
    }
}

/// Writes the elements of `typesize` bytes, all of `block`, whose bytes stand in `planes`.
pub(crate) fn unshuffle_bytes(typesize: usize, planes: Planes<'_>, block: &mut [u8]) {
    match typesize {
        _ if block.is_empty() => {}
        2 => bytes_of::<2>(planes, block),
        4 => bytes_of::<4>(planes, block),
        8 => bytes_of::<8>(planes, block),
        16 => bytes_of::<16>(planes, block),
        _ => {
            for byte in 0..typesize {
                scatter(planes.get(byte), &mut block[byte..], typesize);
            }
        }
    }
}

/// Writes the elements of `typesize` bytes, all of `block`, whose bits stand in `planes`. Their number
/// is a multiple of 8.
pub(crate) fn unshuffle_bits(typesize: usize, planes: Planes<'_>, block: &mut [u8]) {
    match typesize {
        _ if block.is_empty() => {}
        1 => bits_of::<1>(planes, block),
        2 => bits_of::<2>(planes, block),
        4 => bits_of::<4>(planes, block),
        8 => bits_of::<8>(planes, block),
        16 => bits_of::<16>(planes, block),
        _ => each_row_of_bits(typesize, planes, block),
    }
}

/// As [`unshuffle_bytes`], with the best instructions that this CPU has and the planes are long enough
/// for.
fn bytes_of<const T: usize>(planes: Planes<'_>, block: &mut [u8]) {
    let planes = planes.all::<T>();
    #[cfg(target_arch = "x86_64")]
    if Avx2::detect().is_some_and(|avx2| avx2.interleave_planes(planes, block))
        || interleave_planes(Sse2, planes, block)
    {
        return;
    }
    for (index, element) in block.as_chunks_mut::<T>().0.iter_mut().enumerate() {
        *element = planes.map(|plane| plane[index]);
    }
}

/// As [`unshuffle_bits`], with the best instructions that this CPU has and the planes are long enough
/// for.
fn bits_of<const T: usize>(planes: Planes<'_>, block: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    {
        let (row_len, planes) = (planes.row_len(), planes.all::<T>());
        if Avx2::detect().is_some_and(|avx2| avx2.interleave_bit_planes(planes, row_len, block))
            || interleave_bit_planes(Sse2, planes, row_len, block)
        {
            return;
        }
    }
    each_row_of_bits(T, planes, block);
}

/// As [`unshuffle_bits`], eight elements at a time.
fn each_row_of_bits(typesize: usize, planes: Planes<'_>, block: &mut [u8]) {
    let row_len = planes.row_len();
    for byte in 0..typesize {
        let rows = planes.get(byte);
        for (group, elements) in block.chunks_exact_mut(8 * typesize).enumerate() {
            let bits = [0, 1, 2, 3, 4, 5, 6, 7].map(|bit| rows[bit * row_len + group]);
            scatter(&transpose_bits(bits), &mut elements[byte..], typesize);
        }
    }
}

/// Writes a byte of `plane` to every `typesize`-th byte of `block`.
fn scatter(plane: &[u8], block: &mut [u8], typesize: usize) {
    for (&value, byte) in plane.iter().zip(block.iter_mut().step_by(typesize)) {
        *byte = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shuffle::Shuffle;

    /// Lengths around those where another way is taken: no register, one, more, a part of one.
    fn lengths() -> impl Iterator<Item = usize> {
        (0..600).chain([1023, 1024, 1032, 4096, 4104, 5000, 9999, 16_384, 16_400])
    }

    fn bytes(len: usize) -> Vec<u8> {
        (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
    }

    #[test]
    fn unshuffling_undoes_shuffling_at_every_length() {
        for shuffle in [Shuffle::Byte, Shuffle::Bit] {
            for typesize in [1, 2, 3, 4, 5, 8, 12, 16, 17, 200, 255] {
                for len in lengths() {
                    let block = &bytes(len)[..shuffle.whole_elements(typesize, len)];
                    let mut shuffled = vec![0xee; block.len()];
                    shuffle.shuffle(typesize, block, &mut shuffled);
                    let apart: Vec<&[u8]> = match block.len() / typesize {
                        0 => vec![],
                        count => shuffled.chunks_exact(count).collect(),
                    };
                    let count = block.len() / typesize;
                    for planes in [Planes::joined(&shuffled, count), Planes::apart(&apart, count)] {
                        let mut again = vec![0xee; block.len()];
                        // All at once, then what is left of it from an element on.
                        for start in [0, count / 24 * 8] {
                            let rest = &mut again[start * typesize..];
                            rest.fill(0xee);
                            match shuffle {
                                Shuffle::Bit => {
                                    unshuffle_bits(typesize, planes.skip_bits(start), rest);
                                }
                                _ => unshuffle_bytes(typesize, planes.skip_bytes(start), rest),
                            }
                            assert_eq!(again, block, "{shuffle:?} {typesize} {len} {start}");
                        }
                    }
                }
            }
        }
    }

    /// On a CPU with AVX2 nothing else would run the kernels of SSE2 over long planes.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn every_instruction_set_makes_the_same_elements() {
        fn check<const T: usize>() {
            for count in (8..700).step_by(8) {
                let shuffled = bytes(count * T);
                let planes = Planes::joined(&shuffled, count);
                let mut expected = vec![0; count * T];
                each_row_of_bits(T, planes, &mut expected);
                let mut elements = vec![0; count * T];
                if interleave_bit_planes(Sse2, planes.all::<T>(), count / 8, &mut elements) {
                    assert_eq!(elements, expected, "{T} {count}");
                } else {
                    assert!(count / 8 < 16);
                }
                for byte in 0..T {
                    scatter(planes.get(byte), &mut expected[byte..], T);
                }
                if interleave_planes(Sse2, planes.all::<T>(), &mut elements) {
                    assert_eq!(elements, expected, "{T} {count}");
                } else {
                    assert!(count < 16);
                }
            }
        }
        check::<1>();
        check::<2>();
        check::<4>();
        check::<8>();
        check::<16>();
    }
}
