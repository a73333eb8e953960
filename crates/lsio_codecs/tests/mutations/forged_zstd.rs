//! Zstandard frames with other blocks in them, and the checksum of what these decode to.

use lsio_codecs::Zstd;
use lsio_mutation::{Random, alter, damage, hostile_number};

use crate::bytes_target::{LEN, encoded};

/// Bits of the frame header descriptor (RFC 8878, section 3.1.1.1.1).
const SINGLE_SEGMENT: u8 = 1 << 5;
const CHECKSUM: u8 = 1 << 2;

/// What stands in a frame between its header and its checksum.
fn blocks(frame: &[u8]) -> &[u8] {
    let descriptor = frame[4];
    let size = match (descriptor >> 6, descriptor & SINGLE_SEGMENT != 0) {
        (0, false) => 0,
        (0, true) => 1,
        (flag, _) => 1 << flag,
    };
    let window = usize::from(descriptor & SINGLE_SEGMENT == 0);
    let end = frame.len() - if descriptor & CHECKSUM == 0 { 0 } else { 4 };
    &frame[5 + window + size..end]
}

/// A frame around the blocks that states a window, a content size or both.
fn frame(random: &mut Random, blocks: &[u8], content_size: Option<u64>) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd];
    match content_size {
        Some(size) if random.once_in(2) => {
            frame.push(0xc0 | SINGLE_SEGMENT);
            frame.extend(size.to_le_bytes());
        }
        Some(size) => {
            // 4 bytes of size behind a window of 1 KiB to 2^41 bytes.
            frame.extend([0x80, if random.once_in(4) { random.byte() } else { 0 }]);
            frame.extend((size as u32).to_le_bytes());
        }
        None => frame.extend([0, random.byte() & 0x3f]),
    }
    frame.extend(blocks);
    frame
}

/// Changes the blocks of a frame, or puts another header before them.
pub(crate) fn forge(random: &mut Random, sample: &[u8]) -> Vec<u8> {
    let mut blocks = blocks(sample).to_vec();
    match random.below(8) {
        0 => {}
        1 => damage(random, &mut blocks),
        // Another type or length of the first block, whose header has 3 bytes.
        2 if blocks.len() >= 3 => {
            let header = (hostile_number(random, LEN as u64) as u32) << 3 | random.below(8) as u32;
            blocks[..3].copy_from_slice(&header.to_le_bytes()[..3]);
        }
        _ => {
            let start = 3.min(blocks.len());
            alter(random, &mut blocks[start..]);
        }
    }
    let size = match random.below(8) {
        0 => None,
        1 => Some(hostile_number(random, LEN as u64)),
        _ => Some(LEN as u64),
    };
    let mut bytes = frame(random, &blocks, size);
    if random.once_in(2) {
        // The library's own checksum of what its own decoder makes of the frame.
        let mut decoded = vec![0; 4 * LEN];
        let len = zstd_safe::decompress(&mut decoded[..], &bytes).unwrap_or(0);
        let summed = encoded(&Zstd::new(1, true), &decoded[..len]);
        bytes[4] |= CHECKSUM;
        bytes.extend(&summed[summed.len() - 4..]);
    }
    if random.once_in(10) {
        // Behind a frame that is to be skipped.
        let stated = if random.once_in(2) { hostile_number(random, 5) } else { 5 };
        let mut skipped = vec![0x50 | random.byte() & 15, 0x2a, 0x4d, 0x18];
        skipped.extend((stated as u32).to_le_bytes());
        skipped.extend(b"extra");
        bytes.splice(..0, skipped);
    }
    bytes
}
