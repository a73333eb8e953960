//! gzip members and zlib streams with other DEFLATE blocks in them, and the checksum of what these decode to.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use lsio_mutation::{Random, alter, damage, hostile_number};

use crate::bytes_target::{LEN, contents};

/// What the blocks decode to, up to where they are wrong or to this many bytes.
fn inflated(blocks: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(4 * LEN);
    // What is wrong with the blocks is for the decoder under test to find.
    let _ = Decompress::new(false).decompress_vec(blocks, &mut decoded, FlushDecompress::Finish);
    decoded
}

/// DEFLATE blocks: those of a sample, of another level, or of our own, mostly with other bits in them.
fn blocks(random: &mut Random, sample: &[u8]) -> Vec<u8> {
    let mut blocks = match random.below(6) {
        0 => {
            let mut compress = Compress::new(Compression::new(random.below(10) as u32), false);
            let mut blocks = Vec::with_capacity(4 * LEN);
            let contents = contents(random, LEN);
            compress.compress_vec(&contents, &mut blocks, FlushCompress::Finish).unwrap();
            blocks
        }
        // A stored block whose length is forged together with its complement.
        1 => {
            let len = hostile_number(random, LEN as u64) as u16;
            let mut blocks = vec![1];
            blocks.extend(len.to_le_bytes());
            blocks.extend((!len).to_le_bytes());
            blocks.extend(contents(random, LEN));
            return blocks;
        }
        // Codes of any lengths: static ones (2 bits: 01) or stated ones (10).
        2 => {
            let mut blocks = random.bytes(LEN);
            blocks[0] = blocks[0] & !7 | *random.pick(&[0b011, 0b101]);
            blocks
        }
        _ => sample.to_vec(),
    };
    match random.below(8) {
        0 => {}
        1 => damage(random, &mut blocks),
        _ => alter(random, &mut blocks),
    }
    blocks
}

/// A gzip member, sometimes with the fields that a header may have.
pub(crate) fn forge_gzip(random: &mut Random, sample: &[u8]) -> Vec<u8> {
    let blocks = blocks(random, &sample[10..sample.len() - 8]);
    let decoded = inflated(&blocks);
    let mut member = sample[..10].to_vec();
    if random.once_in(4) {
        member[3] = random.byte() & 0x1f;
        if member[3] & 4 != 0 {
            let stated = if random.once_in(3) { random.number() as u16 } else { 5 };
            member.extend(stated.to_le_bytes());
            member.extend(random.bytes(5));
        }
        for flag in [8, 16] {
            if member[3] & flag != 0 {
                member.extend(b"name\0");
            }
        }
        if member[3] & 2 != 0 {
            let checksum = libdeflater::crc32(&member) as u16;
            member.extend(checksum.to_le_bytes());
        }
    }
    member.extend(&blocks);
    member.extend(libdeflater::crc32(&decoded).to_le_bytes());
    let len = decoded.len() as u64;
    let stated = if random.once_in(8) { hostile_number(random, len) } else { len };
    member.extend((stated as u32).to_le_bytes());
    member
}

/// A zlib stream.
pub(crate) fn forge_zlib(random: &mut Random, sample: &[u8]) -> Vec<u8> {
    let blocks = blocks(random, &sample[2..sample.len() - 4]);
    let decoded = inflated(&blocks);
    let mut header = [sample[0], sample[1]];
    if random.once_in(8) {
        // Another window or a dictionary, with check bits that fit.
        header[0] = random.byte() & 0xf0 | 8;
        header[1] = random.byte() & 0xe0;
        let rest = (u16::from(header[0]) * 256 + u16::from(header[1])) % 31;
        header[1] += (31 - rest as u8) % 31;
    }
    let checksum = libdeflater::adler32(&decoded).to_be_bytes();
    [&header[..], &blocks, &checksum].concat()
}
