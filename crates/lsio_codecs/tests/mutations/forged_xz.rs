//! xz streams that are made piece by piece, with a checksum for each piece (The .xz file format 1.2).

use std::sync::{Arc, LazyLock};

use lsio_codecs::BytesCodec;
use lsio_mutation::{Random, alter, damage, hostile_number};

use crate::bytes_target::{LEN, contents, encoded};
use crate::every::numcodecs;

/// LZMA2 chunks without anything around them.
static CHUNKS: LazyLock<Arc<dyn BytesCodec>> =
    LazyLock::new(|| numcodecs("lzma", r#"{"format":3,"filters":[{"id":33,"preset":0}]}"#));

/// Where the chunk's compressed bytes begin: behind the control byte, two lengths and the properties.
const STREAM: usize = 6;

/// Changes LZMA2 chunks: their heads, or the stream in them.
pub(crate) fn alter_chunks(random: &mut Random, chunks: &mut Vec<u8>) {
    match random.below(8) {
        0 => damage(random, chunks),
        1 => {
            let head = STREAM.min(chunks.len());
            alter(random, &mut chunks[..head]);
        }
        _ => {
            let start = (STREAM + 1).min(chunks.len());
            alter(random, &mut chunks[start..]);
        }
    }
}

/// A number in groups of 7 bits, the least significant first.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

fn add_checksum(bytes: &mut Vec<u8>) {
    let checksum = libdeflater::crc32(bytes);
    bytes.extend(checksum.to_le_bytes());
}

/// A filter: its identifier and its properties, mostly those that the chunks have.
fn filters(random: &mut Random) -> Vec<(u64, Vec<u8>)> {
    // A dictionary of 4 KiB to 4 GiB; 41 and above are no size.
    let dictionary = if random.once_in(4) { random.byte() & 0x3f } else { 12 };
    let mut filters = Vec::new();
    if random.once_in(6) {
        filters.push((3, vec![random.byte()]));
    }
    if random.once_in(8) {
        filters.push((4 + random.below(8) as u64, vec![]));
    }
    filters.push((0x21, vec![dictionary]));
    if random.once_in(30) {
        let (id, len) = (hostile_number(random, 0x21), random.below(20));
        filters.push((id, random.bytes(len)));
    }
    filters
}

/// The header of a block; lengths are stated where they are given.
fn block_header(random: &mut Random, lengths: [Option<u64>; 2]) -> Vec<u8> {
    let filters = filters(random);
    let mut flags = filters.len() as u8 - 1;
    for (bit, length) in [0x40, 0x80].into_iter().zip(lengths) {
        flags |= if length.is_some() { bit } else { 0 };
    }
    let mut header = vec![0, flags];
    for length in lengths.into_iter().flatten() {
        put(&mut header, length & (u64::MAX >> 1));
    }
    for (id, properties) in filters {
        put(&mut header, id & (u64::MAX >> 1));
        put(&mut header, properties.len() as u64);
        header.extend(properties);
    }
    if random.once_in(20) {
        alter(random, &mut header[1..]);
    }
    pad(&mut header);
    header[0] = (header.len() / 4) as u8;
    add_checksum(&mut header);
    header
}

/// A length that is mostly `length`.
fn mostly(random: &mut Random, length: u64) -> u64 {
    if random.once_in(10) { hostile_number(random, length) } else { length }
}

/// A stream around chunks that were changed.
pub(crate) fn forge(random: &mut Random) -> Vec<u8> {
    let contents = contents(random, LEN);
    let mut chunks = encoded(CHUNKS.as_ref(), &contents);
    if !random.once_in(4) {
        alter_chunks(random, &mut chunks);
    }
    let mut decoded = vec![0; 4 * LEN];
    let decoded_len = CHUNKS.decode(&chunks, &mut decoded);
    // Without a checksum, or with CRC-32 of what the chunks decode to.
    let check = match decoded_len {
        Ok(len) if random.once_in(2) => libdeflater::crc32(&decoded[..len]).to_le_bytes().to_vec(),
        _ => vec![],
    };
    let decoded_len = decoded_len.unwrap_or(LEN) as u64;
    let lengths = [chunks.len() as u64, decoded_len]
        .map(|length| random.once_in(4).then(|| mostly(random, length)));

    let mut flags = vec![0, u8::from(!check.is_empty())];
    add_checksum(&mut flags);
    let mut stream = b"\xfd7zXZ\0".to_vec();
    stream.extend(&flags);
    let header = block_header(random, lengths);
    stream.extend(&header);
    stream.extend(&chunks);
    pad(&mut stream);
    stream.extend(&check);

    let mut index = vec![0];
    put(&mut index, mostly(random, 1));
    put(&mut index, mostly(random, (header.len() + chunks.len() + check.len()) as u64));
    put(&mut index, mostly(random, decoded_len));
    pad(&mut index);
    add_checksum(&mut index);
    let mut footer = (mostly(random, index.len() as u64 / 4 - 1) as u32).to_le_bytes().to_vec();
    footer.extend(&flags[..2]);
    stream.extend(index);
    stream.extend(libdeflater::crc32(&footer).to_le_bytes());
    stream.extend(footer);
    stream.extend(b"YZ");
    stream
}

#[test]
fn a_stream_of_our_own_decodes() {
    let mut random = Random::new(5);
    let xz = lsio_codecs::Lzma::xz(1);
    let decodes = (0..1000).filter(|_| {
        let stream = forge(&mut random);
        xz.decode(&stream, &mut vec![0; 4 * LEN]).is_ok()
    });
    assert!(decodes.count() > 50);
}
