//! bzip2 streams with another block in them, and the checksums of what this decodes to.

use bzip2::Decompress;
use lsio_mutation::{Random, alter};

use crate::bytes_target::LEN;

/// Where the checksum of the first block stands, and where its contents begin.
const BLOCK_CHECKSUM: usize = 10;
const BLOCK: usize = 14;

/// The 48 bits before the checksum of a stream: the square root of pi.
const END: u64 = 0x1772_4538_5090;

/// CRC-32 with the polynomial 0x04c11db7, the most significant bit first.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte) << 24, |sum, _| {
            if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 }
        })
    })
}

/// Changes the first block, then states the checksum of what it decodes to.
pub(crate) fn forge(random: &mut Random, mut stream: Vec<u8>) -> Vec<u8> {
    let block = BLOCK..stream.len().saturating_sub(BLOCK_CHECKSUM).max(BLOCK);
    match random.below(8) {
        // Any level: larger blocks take more memory.
        0 => stream[3] = b'1' + random.below(9) as u8,
        // Where the sorted block begins: 24 bits behind one.
        1 => {
            let origin = random.bytes(3);
            stream[BLOCK..BLOCK + 3].copy_from_slice(&origin);
        }
        _ => alter(random, &mut stream[block]),
    }
    let mut decoded = vec![0; 4 * LEN];
    let mut decompress = Decompress::new(false);
    // What is wrong with the checksum is put right below, all else is for the decoder under test.
    let _ = decompress.decompress(&stream, &mut decoded);
    let sum = checksum(&decoded[..decompress.total_out() as usize]);
    stream[BLOCK_CHECKSUM..BLOCK].copy_from_slice(&sum.to_be_bytes());
    put_last(&mut stream, sum);
    stream
}

/// Puts the checksum of the whole stream into its last bits, which no byte begins with.
fn put_last(stream: &mut [u8], sum: u32) {
    let Some(start) = stream.len().checked_sub(11) else { return };
    let end = &mut stream[start..];
    let bits = end.iter().fold(0u128, |bits, &byte| bits << 8 | u128::from(byte));
    for padding in 0..8 {
        if (bits >> (padding + 32)) as u64 & ((1 << 48) - 1) == END {
            let mask = u128::from(u32::MAX) << padding;
            let bits = bits & !mask | u128::from(sum) << padding;
            end.copy_from_slice(&bits.to_be_bytes()[5..]);
        }
    }
}

#[test]
fn checksums_are_those_of_bzip2() {
    let mut random = Random::new(3);
    let contents = crate::bytes_target::contents(&mut random, LEN);
    let stream = crate::bytes_target::encoded(&lsio_codecs::Bz2::new(1), &contents);
    let mut summed = stream.clone();
    let sum = checksum(&contents);
    summed[BLOCK_CHECKSUM..BLOCK].copy_from_slice(&sum.to_be_bytes());
    put_last(&mut summed, sum);
    assert_eq!(summed, stream);
    put_last(&mut summed, !sum);
    assert_ne!(summed, stream);
}
