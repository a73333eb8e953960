//! Bytes-to-bytes codecs as they decode chunks: to a destination of a known length, and in pieces.

use std::sync::Arc;

use lsio_array::{DataType, Destination};
use lsio_codecs::{BytesCodec, CodecChain, Endian};
use lsio_mutation::{Guarded, Outcome, Random, Target, alter, damage, hostile_number};

use crate::every::{chain, compressible};
use crate::{forged_blosc, forged_bz2, forged_deflate, forged_xz, forged_zstd};

/// Bytes of the decoded chunks: a block of blosc with one stream for each byte of an element, and room for a
/// few matches of each compressor.
pub(crate) const LEN: usize = 600;

/// Beside the input: the destination, its guards, and what a decoder holds while it works. bzip2 has 3.6 MB
/// for blocks of 900 kB, whatever their contents (its manual, "Memory management").
const WORKING_MEMORY: u64 = 4 << 20;

/// How the encoded form is forged.
#[derive(Debug, Clone, Copy)]
enum Container {
    Blosc,
    Bz2,
    Gzip,
    Lz4,
    LzmaAlone,
    LzmaRaw,
    Xz,
    Zlib,
    Zstd,
    /// What encodes any bytes, and decodes whatever has its length or its checksum.
    Plain,
}

/// A bytes-to-bytes codec.
pub(crate) struct BytesTarget {
    row: String,
    codec: Arc<dyn BytesCodec>,
    chain: CodecChain,
    container: Container,
}

impl BytesTarget {
    /// The codec that the list of all codecs gives this name.
    pub(crate) fn new(name: &str, codec: Arc<dyn BytesCodec>) -> Self {
        let words: Vec<&str> = name.split(' ').collect();
        let container = match words[..] {
            ["blosc", ..] => Container::Blosc,
            ["bz2", ..] => Container::Bz2,
            ["gzip", ..] => Container::Gzip,
            ["lz4", ..] => Container::Lz4,
            ["lzma", "alone", ..] => Container::LzmaAlone,
            ["lzma", "raw", ..] => Container::LzmaRaw,
            ["lzma", ..] => Container::Xz,
            ["zlib", ..] => Container::Zlib,
            ["zstd", ..] => Container::Zstd,
            _ => Container::Plain,
        };
        let row_words = if matches!(words[0], "blosc" | "lzma") { 2 } else { 1 };
        let row = words[..row_words].join(" ");
        let codecs = [Arc::clone(&codec)];
        let chain = chain(DataType::UInt8, &[LEN as u64], &[0], Endian::NATIVE, &codecs);
        Self { row, codec, chain, container }
    }
}

/// Contents that compress, and some that do not.
pub(crate) fn contents(random: &mut Random, len: usize) -> Vec<u8> {
    match random.below(6) {
        0 => random.bytes(len),
        1 => vec![random.byte(); len],
        2 => {
            let few = random.bytes(4);
            (0..len).map(|_| *random.pick(&few)).collect()
        }
        _ => {
            let mut bytes = compressible(len, random.number() % 100);
            alter(random, &mut bytes);
            bytes
        }
    }
}

/// The encoded form by this codec.
pub(crate) fn encoded(codec: &dyn BytesCodec, decoded: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    codec.encode(decoded, &mut encoded).unwrap();
    encoded
}

impl Target for BytesTarget {
    fn row(&self) -> String {
        self.row.clone()
    }

    fn sample(&self, random: &mut Random) -> Vec<u8> {
        encoded(self.codec.as_ref(), &contents(random, LEN))
    }

    fn forge(&self, random: &mut Random) -> Vec<u8> {
        // Contents of another length, or two encodings one after the other.
        if random.once_in(16) {
            let mut other = contents(random, LEN);
            damage(random, &mut other);
            let split = random.below(other.len() + 1);
            let (first, second) = other.split_at(split);
            let mut bytes = encoded(self.codec.as_ref(), first);
            if random.once_in(2) {
                bytes.extend(encoded(self.codec.as_ref(), second));
            }
            return bytes;
        }
        let sample = self.sample(random);
        match self.container {
            Container::Blosc => forged_blosc::forge(random, sample),
            Container::Bz2 => forged_bz2::forge(random, sample),
            Container::Gzip => forged_deflate::forge_gzip(random, &sample),
            Container::Lz4 => forge_lz4(random, sample),
            Container::LzmaAlone => forge_lzma_alone(random, sample),
            Container::LzmaRaw => {
                let mut bytes = sample;
                forged_xz::alter_chunks(random, &mut bytes);
                bytes
            }
            Container::Xz => forged_xz::forge(random),
            Container::Zlib => forged_deflate::forge_zlib(random, &sample),
            Container::Zstd => forged_zstd::forge(random, &sample),
            Container::Plain => {
                let mut other = contents(random, LEN);
                alter(random, &mut other);
                encoded(self.codec.as_ref(), &other)
            }
        }
    }

    fn decode(&self, input: &[u8]) -> Outcome {
        let mut decoded = Guarded::new(LEN, input.len() as u8);
        let mut scratch = vec![0xee; self.chain.scratch_len() as usize];
        let destination = Destination::Fixed(decoded.destination());
        let result = self.chain.decode(input, destination, &mut scratch);
        let is_written = decoded.is_written();
        if self.chain.comes_in_pieces() {
            let mut pieces = Vec::new();
            let mut take = |piece: &[u8]| pieces.extend_from_slice(piece);
            let in_pieces = self.chain.decode(input, Destination::Pieces(&mut take), &mut []);
            assert_eq!(in_pieces, result, "in pieces");
            assert!(pieces.len() <= LEN, "{} bytes in pieces", pieces.len());
            assert!(in_pieces.is_err() || pieces == decoded.destination(), "other pieces");
        }
        match result {
            Ok(_) => Outcome::Decoded,
            Err(_) if is_written => Outcome::InBody,
            Err(_) => Outcome::Refused,
        }
    }

    fn most_memory(&self, _: u64) -> u64 {
        WORKING_MEMORY
    }
}

/// Other matches and literals, behind the length that was or any other.
fn forge_lz4(random: &mut Random, mut sample: Vec<u8>) -> Vec<u8> {
    let mut block = sample.split_off(4);
    if random.once_in(3) {
        damage(random, &mut block);
    } else {
        alter(random, &mut block);
    }
    let stated = if random.once_in(4) { hostile_number(random, LEN as u64) } else { LEN as u64 };
    [&(stated as u32).to_le_bytes()[..], &block].concat()
}

/// Other properties, dictionary size and length in the header, or other bytes behind it.
fn forge_lzma_alone(random: &mut Random, mut sample: Vec<u8>) -> Vec<u8> {
    let (header, stream) = sample.split_at_mut(13);
    match random.below(6) {
        0 => header[0] = random.byte() % 225,
        1 => {
            let size = hostile_number(random, LEN as u64) as u32;
            header[1..5].copy_from_slice(&size.to_le_bytes());
        }
        2 => {
            let len = hostile_number(random, LEN as u64);
            header[5..].copy_from_slice(&len.to_le_bytes());
        }
        _ => {}
    }
    // The first byte of the stream is 0 in every valid one.
    alter(random, &mut stream[1..]);
    sample
}
