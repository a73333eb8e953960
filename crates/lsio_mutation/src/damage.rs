//! Damage that knows nothing of the format: cuts, flipped bits, forged numbers, pieces moved or repeated.

use crate::Random;

/// Numbers at which arithmetic on lengths goes wrong.
const EXTREMES: [u64; 16] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 32,
    1 << 62,
    u64::MAX >> 1,
    1 << 63,
    u64::MAX,
];

/// Longest piece that is moved, repeated or left out at once.
const LONGEST_PIECE: usize = 64;

/// A length that is about right, or extreme: near `len`, or near one of the numbers at which arithmetic on
/// lengths goes wrong.
pub fn hostile_number(random: &mut Random, len: u64) -> u64 {
    let number = match random.below(4) {
        0 => len,
        1 => random.number() % len.saturating_mul(2).max(1),
        _ => *random.pick(&EXTREMES),
    };
    match random.below(4) {
        0 => number.wrapping_add(1),
        1 => number.wrapping_sub(1),
        _ => number,
    }
}

/// Damages bytes once, or a few times, anywhere.
pub fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    let times = *random.pick(&[1, 1, 1, 2, 3, 8]);
    for _ in 0..times {
        match random.below(8) {
            0 => bytes.truncate(random.below(bytes.len())),
            1 => drop(bytes.drain(random.range(bytes.len(), LONGEST_PIECE))),
            2 => {
                let piece = bytes[random.range(bytes.len(), LONGEST_PIECE)].to_vec();
                let at = random.below(bytes.len());
                bytes.splice(at..at, piece);
            }
            3 => {
                let len = 1 + random.below(8);
                bytes.extend(random.bytes(len));
            }
            _ => alter_once(random, bytes),
        }
        if bytes.is_empty() {
            return;
        }
    }
}

/// Damages bytes without changing how many there are.
pub fn alter(random: &mut Random, bytes: &mut [u8]) {
    let times = *random.pick(&[1, 1, 1, 2, 4]);
    for _ in 0..times {
        alter_once(random, bytes);
    }
}

fn alter_once(random: &mut Random, bytes: &mut [u8]) {
    if bytes.is_empty() {
        return;
    }
    let at = random.below(bytes.len());
    match random.below(6) {
        0 | 1 => bytes[at] ^= 1 << random.below(8),
        2 => bytes[at] = random.byte(),
        3 => bytes[at] = *random.pick(&[0, 1, 0x7f, 0x80, 0xfe, 0xff]),
        4 => {
            let number = hostile_number(random, bytes.len() as u64);
            let width = *random.pick(&[2, 4, 8]);
            let written = if random.once_in(4) {
                number.rotate_right(8 * width as u32).to_be_bytes()
            } else {
                number.to_le_bytes()
            };
            let width = width.min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&written[..width]);
        }
        _ => {
            let piece = random.range(bytes.len(), LONGEST_PIECE);
            let to = random.below(bytes.len() - piece.len() + 1);
            bytes.copy_within(piece, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_takes_any_bytes_and_mostly_changes_them() {
        let mut random = Random::new(1);
        damage(&mut random, &mut Vec::new());
        alter(&mut random, &mut []);
        for len in 1..40 {
            let whole: Vec<u8> = (0..len).collect();
            let changed = (0..500).filter(|_| {
                let mut damaged = whole.clone();
                damage(&mut random, &mut damaged);
                let mut altered = whole.clone();
                alter(&mut random, &mut altered);
                assert_eq!(altered.len(), whole.len());
                damaged != whole
            });
            assert!(changed.count() > 300, "{len}");
        }
    }

    #[test]
    fn big_endian_numbers_keep_their_value() {
        assert_eq!(0x1234u64.rotate_right(16).to_be_bytes()[..2], [0x12, 0x34]);
    }
}
