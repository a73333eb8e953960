//! What a chunk of a Pcodec file makes the library allocate before it reads on: looked at first, since a few bytes
//! may ask for hundreds of MiB.
//!
//! Specification: Pcodec, `format.md`: standalone chunk, chunk metadata. Bits count from the least significant one
//! of each byte.

/// Bits of the mode, of the kind of delta encoding, of a window's logarithm less one, of a dictionary's length.
const MODE: usize = 4;
const DELTA: usize = 4;
const WINDOW: usize = 5;
const DICTIONARY: usize = 25;

/// The first version whose chunks say how they are delta-encoded.
const WITH_DELTA_KINDS: u8 = 3;

/// The kind of delta encoding that looks back.
const LOOKBACK: u32 = 2;

/// The longest window that Pcodec writes, whatever the number of numbers (`ENCODING_LOOKBACK_MAX_WINDOW_N_LOG`).
const LONGEST_WINDOW: u32 = 1 << 15;

/// How many numbers a chunk states; `None` at the end of the file, or where the head of the chunk is cut.
pub(crate) fn numbers(chunk: &[u8]) -> Option<u32> {
    let (&[number_type, n @ ..], _) = chunk.split_first_chunk::<4>()?;
    (number_type != 0).then(|| u32::from_le_bytes([n[0], n[1], n[2], 0]) + 1)
}

/// What a chunk asks for in vain: a dictionary or a window that is longer than its numbers can use, which the caller
/// has found to be as many as are wanted. `chunk` begins with its head; one that ends early is for the library to
/// refuse.
pub(crate) fn excess(chunk: &[u8], number_bits: usize, major_version: u8) -> Option<&'static str> {
    let numbers = numbers(chunk)?;
    let meta = &chunk[4..];
    let delta = match bits(meta, 0, MODE) {
        0 => MODE,
        // The base of multiples.
        1 | 2 => MODE + number_bits,
        // Bits that are quantized away.
        3 => MODE + 8,
        4 => {
            let entries = bits(meta, MODE, DICTIONARY);
            if entries > numbers {
                return Some("its dictionary is longer than the chunk");
            }
            (MODE + DICTIONARY).next_multiple_of(8) + entries as usize * number_bits
        }
        // An unknown mode.
        _ => return None,
    };
    if major_version < WITH_DELTA_KINDS || bits(meta, delta, DELTA) != LOOKBACK {
        return None;
    }
    let window = 1u32.checked_shl(bits(meta, delta + DELTA, WINDOW) + 1);
    let useful = numbers.next_power_of_two().max(LONGEST_WINDOW);
    let is_useful = window.is_some_and(|window| window <= useful);
    (!is_useful).then_some("its window is longer than the chunk")
}

/// So many bits, at most 25, from this one on; zeros behind the end.
fn bits(bytes: &[u8], from: usize, count: usize) -> u32 {
    let word = (0..4).fold(0, |word, at| {
        let byte = bytes.get(from / 8 + at).copied().unwrap_or(0);
        word | u32::from(byte) << (8 * at)
    });
    word >> (from % 8) & ((1 << count) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chunk of 100 numbers with these bits of metadata.
    fn chunk(meta: u64) -> Vec<u8> {
        [&[1, 99, 0, 0][..], &meta.to_le_bytes(), &[0; 8]].concat()
    }

    #[test]
    fn dictionaries_have_at_most_as_many_entries_as_the_chunk() {
        for (entries, fits) in [(0, true), (100, true), (101, false), ((1 << 25) - 1, false)] {
            let found = excess(&chunk(4 | entries << MODE), 32, 4);
            assert_eq!(found.is_none(), fits, "{entries}");
        }
    }

    #[test]
    fn windows_have_at_most_the_length_that_is_written() {
        for (window, fits) in [(0, true), (14, true), (15, false), (31, false)] {
            // Behind no mode, a base of 16 bits, a number of bits.
            for (mode, at) in [(0, 4), (1, 20), (2, 20), (3, 12)] {
                let meta = chunk(mode | 2 << at | window << (at + DELTA));
                assert_eq!(excess(&meta, 16, 4).is_none(), fits, "{mode} {window}");
                assert_eq!(excess(&meta, 16, 2), None);
            }
        }
        let longer = [&[1, 255, 255, 255][..], &(2u64 << 4 | 23 << 8).to_le_bytes()].concat();
        assert_eq!(excess(&longer, 16, 4), None);
    }

    #[test]
    fn what_ends_early_or_is_the_end_asks_for_nothing() {
        for len in 0..4 {
            assert_eq!(numbers(&[1; 4][..len]), None);
            assert_eq!(excess(&[1; 4][..len], 32, 4), None);
        }
        assert_eq!(numbers(&[1, 0xff, 0xff, 0xff]), Some(1 << 24));
        assert_eq!(numbers(&[0, 0, 0, 0, 0]), None);
        assert_eq!(excess(&[0, 0, 0, 0, 0xf4, 0xff, 0xff, 0xff], 32, 4), None);
    }
}
