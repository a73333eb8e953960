//! The crops of the tasks `crops-many` and `crops-concurrent`: the same places in every language.

use crate::ranges::Draws;

const COUNT: usize = 2000;

/// Elements along each side of a crop.
pub(crate) const SIDE: usize = 64;

/// Where crops begin, as `[z, y, x]`: SIDE x SIDE elements at one z each.
pub(crate) fn places(shape: [usize; 3]) -> Vec<[usize; 3]> {
    let mut draws = Draws::new();
    let limits = [shape[0], shape[1] - SIDE + 1, shape[2] - SIDE + 1];
    (0..COUNT).map(|_| limits.map(|limit| draws.below(limit))).collect()
}

/// Sum of the raw bits of the first element of each row of crops that lie one after the other.
pub(crate) fn checksum(size: usize, crops: &[u8]) -> u64 {
    let first =
        |row: &[u8]| row[..size].iter().rev().fold(0, |bits, &byte| bits << 8 | u64::from(byte));
    crops.chunks(SIDE * size).map(first).sum()
}
