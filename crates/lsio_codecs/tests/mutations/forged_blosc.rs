//! Containers of blosc whose header fits what follows it, which does not fit itself.

use lsio_codecs::{Blosc, BloscCompressor, Shuffle};
use lsio_mutation::{Random, alter, hostile_number};

use crate::bytes_target::{LEN, contents, encoded};

/// Bytes of the header, and of each offset behind it.
const HEADER: usize = 16;

fn number(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..at + 4).map_or(0, |number| {
        u32::from_le_bytes([number[0], number[1], number[2], number[3]]) as usize
    })
}

fn put(bytes: &mut [u8], at: usize, number: u64) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&(number as u32).to_le_bytes());
    }
}

/// Changes one level of the container, then states the length that it has.
pub(crate) fn forge(random: &mut Random, mut bytes: Vec<u8>) -> Vec<u8> {
    if random.once_in(4) {
        // Another compressor, shuffle and block length than the metadata has.
        let shuffle = *random.pick(&[Shuffle::None, Shuffle::Byte, Shuffle::Bit]);
        let typesize = *random.pick(&[1, 2, 3, 4, 8, 16, 17, 255]);
        let compressor = *random.pick(&BloscCompressor::ALL);
        let block_len = *random.pick(&[0, 128, 300, 512]);
        let other = Blosc::new(compressor, random.below(10) as u8, shuffle, typesize, block_len);
        bytes = encoded(&other, &contents(random, LEN));
    }
    let len = bytes.len();
    let blocks = number(&bytes, 4).div_ceil(number(&bytes, 8).max(1));
    let streams = HEADER + 4 * blocks;
    match random.below(12) {
        0 => bytes[2] ^= 1 << *random.pick(&[0, 1, 2, 4, 5, 6, 7]),
        1 => bytes[3] = *random.pick(&[0, 1, 2, 3, 4, 8, 15, 16, 17, 255]),
        2 => {
            let block_len = hostile_number(random, LEN as u64);
            put(&mut bytes, 8, block_len);
        }
        3 => {
            let decoded_len = hostile_number(random, LEN as u64);
            put(&mut bytes, 4, decoded_len);
        }
        // A block elsewhere: in another one, in the header, behind the end.
        4 => {
            let at = HEADER + 4 * random.below(blocks.max(1));
            let offset = hostile_number(random, len as u64);
            put(&mut bytes, at, offset);
        }
        // A stream of another length.
        5 | 6 => {
            let block = number(&bytes, HEADER + 4 * random.below(blocks.max(1)));
            let stream_len = hostile_number(random, number(&bytes, block) as u64);
            put(&mut bytes, block, stream_len);
        }
        _ => {}
    }
    if len > streams + 4 && !random.once_in(6) {
        alter(random, &mut bytes[streams + 4..]);
    }
    let encoded_len = bytes.len() as u64;
    put(&mut bytes, 12, encoded_len);
    bytes
}
