//! The shuffle filters of c-blosc 1: the bytes, or the bits, of equal significance of all elements of
//! a block side by side.

/// Which filter stands before the compressor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shuffle {
    /// None.
    None,
    /// Bytes of equal significance side by side.
    Byte,
    /// Bits of equal significance side by side.
    Bit,
}

impl Shuffle {
    /// Writes the filtered form of `block` to `shuffled`, which is as long.
    pub(crate) fn shuffle(self, typesize: usize, block: &[u8], shuffled: &mut [u8]) {
        let whole = self.whole_elements(typesize, block.len());
        shuffled[whole..].copy_from_slice(&block[whole..]);
        let (block, shuffled) = (&block[..whole], &mut shuffled[..whole]);
        let count = whole / typesize;
        match self {
            Self::None => shuffled.copy_from_slice(block),
            Self::Byte => {
                for (index, element) in block.chunks_exact(typesize).enumerate() {
                    for (byte, &value) in element.iter().enumerate() {
                        shuffled[byte * count + index] = value;
                    }
                }
            }
            Self::Bit => {
                let row = count / 8;
                for (group, elements) in block.chunks_exact(8 * typesize).enumerate() {
                    for byte in 0..typesize {
                        let bytes = [0, 1, 2, 3, 4, 5, 6, 7].map(|i| elements[i * typesize + byte]);
                        for (bit, value) in transpose_bits(bytes).into_iter().enumerate() {
                            shuffled[(byte * 8 + bit) * row + group] = value;
                        }
                    }
                }
            }
        }
    }

    /// Bytes at the start of a block of `len` bytes that the filter works on. Bits are shuffled only
    /// where the number of elements is a multiple of 8, and then all of them.
    pub(crate) fn whole_elements(self, typesize: usize, len: usize) -> usize {
        let count = len / typesize;
        match self {
            Self::Bit if !count.is_multiple_of(8) => 0,
            _ => count * typesize,
        }
    }
}

/// Bit `j` of byte `i` becomes bit `i` of byte `j`: swaps ever larger squares across the diagonal.
pub(crate) fn transpose_bits(rows: [u8; 8]) -> [u8; 8] {
    let mut bits = u64::from_le_bytes(rows);
    for (distance, mask) in
        [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
    {
        let differing = (bits ^ (bits >> distance)) & mask;
        bits ^= differing ^ (differing << distance);
    }
    bits.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_transposed() {
        assert_eq!(transpose_bits([1, 0, 0, 0, 0, 0, 0, 0x80]), [1, 0, 0, 0, 0, 0, 0, 0x80]);
        assert_eq!(transpose_bits([0xff, 0, 0, 0, 0, 0, 0, 0]), [1; 8]);
        assert_eq!(transpose_bits([0b10, 0, 0, 0, 0, 0, 0, 0]), [0, 1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn bytes_of_equal_significance_stand_side_by_side() {
        let mut shuffled = [0; 7];
        Shuffle::Byte.shuffle(2, &[1, 2, 3, 4, 5, 6, 7], &mut shuffled);
        assert_eq!(shuffled, [1, 3, 5, 2, 4, 6, 7]);
    }
}
