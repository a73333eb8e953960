//! Decodes the blocks of a container: their streams by any compressor, then the shuffle filter, straight
//! into the destination.

use std::cell::RefCell;

use snap::raw::Decoder;

use crate::CodecError;
use crate::blosc_container::{HEADER_LEN, Header, MOST_STREAMS, NAME};
use crate::libdeflate_ffi::{Wrapper, inflate};
use crate::shuffle::Shuffle;
use crate::unshuffle::{Planes, unshuffle_bits, unshuffle_bytes};
use crate::{blosc_ffi, lz4_ffi, zstd};

/// Longest block for which a thread keeps scratch memory between calls: the largest that c-blosc chooses
/// by itself for elements of 16 bytes, 256 KiB for each byte. Without keeping it, each call pays for
/// fresh pages.
const LONGEST_KEPT: usize = 4 * 1024 * 1024;

/// Where scratch memory begins: bits of elements of 2 bytes were unshuffled at 10.0 GB/s out of whole cache
/// lines, at 7.8 GB/s where each load took its bytes from two.
const CACHE_LINE: usize = 64;

thread_local! {
    /// Elements of one piece, then shuffled bytes of one block.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// How the streams of a container are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StreamFormat {
    BloscLz,
    Lz4,
    Snappy,
    Zlib,
    Zstd,
}

impl StreamFormat {
    fn of(header: Header) -> Result<Self, CodecError> {
        // Each format has one version so far.
        match (header.compressor(), header.format_version) {
            (0, 1) => Ok(Self::BloscLz),
            (1, 1) => Ok(Self::Lz4),
            (2, 1) => Ok(Self::Snappy),
            (3, 1) => Ok(Self::Zlib),
            (4, 1) => Ok(Self::Zstd),
            _ => Err(CodecError::corrupt(NAME, "its blocks are in an unknown format")),
        }
    }

    /// Decodes to exactly the length of `decoded`.
    fn decode(self, stream: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        let length = match self {
            Self::BloscLz => blosc_ffi::decompress_blosclz(stream, decoded),
            Self::Lz4 => lz4_ffi::decompress(stream, decoded),
            // Decodes to what the stream states, wherever that fits.
            Self::Snappy => Decoder::new().decompress(stream, decoded).ok(),
            Self::Zlib => inflate(Wrapper::Zlib, stream, decoded).ok().map(|end| end.decoded_len),
            Self::Zstd => zstd::decompress(stream, decoded).ok(),
        };
        if length == Some(decoded.len()) {
            Ok(())
        } else {
            Err(CodecError::corrupt(NAME, format!("a stream of {self:?} is not valid")))
        }
    }
}

/// Most bytes of a piece. Of 16, 32, 64 and 128 KiB this was the fastest, or as fast, for bytes and for bits
/// (benches/findings.md, blosc chunks into the result).
const PIECE: usize = 64 << 10;

/// Decodes a container with this header, not a stored one, into `decoded`, which has the stated length.
pub(crate) fn decompress(
    header: Header,
    encoded: &[u8],
    decoded: &mut [u8],
) -> Result<(), CodecError> {
    let format = StreamFormat::of(header)?;
    let blocks = decoded.chunks_mut(header.block_len as usize).enumerate();
    if header.shuffle() == Shuffle::None {
        for (index, block) in blocks {
            Streams::of_block(header, encoded, index, block.len())?.decode(format, block)?;
        }
        return Ok(());
    }
    with_scratch(header, |scratch, _| {
        for (index, block) in blocks {
            let streams = Streams::of_block(header, encoded, index, block.len())?;
            let mut parts = NO_PARTS;
            let scratch = &mut scratch[..block.len()];
            streams.decode_shuffled(format, header, scratch, &mut parts)?.elements(0, block);
        }
        Ok(())
    })
}

/// Decodes a container with this header, not a stored one, and shows its contents piece by piece, in their
/// order.
pub(crate) fn decompress_pieces(
    header: Header,
    encoded: &[u8],
    take: &mut dyn FnMut(&[u8]),
) -> Result<(), CodecError> {
    let format = StreamFormat::of(header)?;
    let block_len = header.block_len as usize;
    let decoded_len = header.decoded_len as usize;
    // Whole groups of elements whose bits are shuffled together.
    let group = 8 * header.typesize as usize;
    let piece_len = PIECE / group * group;
    with_scratch(header, |scratch, piece| {
        for (index, start) in (0..decoded_len).step_by(block_len).enumerate() {
            let len = block_len.min(decoded_len - start);
            let streams = Streams::of_block(header, encoded, index, len)?;
            if header.shuffle() == Shuffle::None {
                streams.decode(format, &mut scratch[..len])?;
                take(&scratch[..len]);
                continue;
            }
            let mut parts = NO_PARTS;
            let block = streams.decode_shuffled(format, header, &mut scratch[..len], &mut parts)?;
            for from in (0..len).step_by(piece_len) {
                let piece = &mut piece[..piece_len.min(len - from)];
                block.elements(from, piece);
                take(piece);
            }
        }
        Ok(())
    })
}

/// Calls `decode` with scratch memory for a block and for a piece.
fn with_scratch(
    header: Header,
    decode: impl FnOnce(&mut [u8], &mut [u8]) -> Result<(), CodecError>,
) -> Result<(), CodecError> {
    let block_len = header.block_len as usize;
    SCRATCH.with_borrow_mut(|scratch| {
        // Hardly above the length of what is decoded: the header was checked.
        let needed = PIECE + block_len + CACHE_LINE;
        if scratch.len() < needed {
            // The old content is of no use to the new memory.
            *scratch = Vec::new();
            scratch.resize(needed, 0);
        }
        let start = scratch.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE);
        let (piece, block) = scratch[start..].split_at_mut(PIECE);
        let result = decode(&mut block[..block_len], piece);
        if block_len > LONGEST_KEPT {
            *scratch = Vec::new();
        }
        result
    })
}

/// The streams of one block.
struct Streams<'a> {
    encoded: &'a [u8],
    /// Where the length of the next stream stands.
    at: usize,
    count: usize,
}

/// The streams of a block once they are decoded: the first of them.
type Parts<'a> = [&'a [u8]; MOST_STREAMS as usize];

const NO_PARTS: Parts<'static> = [&[]; MOST_STREAMS as usize];

impl<'a> Streams<'a> {
    /// The streams of block `index`, which decodes to `len` bytes.
    fn of_block(
        header: Header,
        encoded: &'a [u8],
        index: usize,
        len: usize,
    ) -> Result<Self, CodecError> {
        let at = number(encoded, HEADER_LEN + index * 4)? as usize;
        Ok(Self { encoded, at, count: header.streams(len as u32) as usize })
    }

    /// The next stream.
    fn next(&mut self) -> Result<&'a [u8], CodecError> {
        let length = number(self.encoded, self.at)? as usize;
        let from = self.at + 4;
        let stream = self.encoded.get(from..from + length).ok_or_else(outside)?;
        self.at = from + length;
        Ok(stream)
    }

    /// Decodes the streams one behind the other.
    fn decode(mut self, format: StreamFormat, block: &mut [u8]) -> Result<(), CodecError> {
        for part in block.chunks_exact_mut(block.len() / self.count) {
            let stream = self.next()?;
            if stream.len() == part.len() {
                part.copy_from_slice(stream);
            } else {
                format.decode(stream, part)?;
            }
        }
        Ok(())
    }

    /// Decodes the streams of a shuffled block of the length of `scratch`. What is stored is taken from
    /// where it stands.
    fn decode_shuffled<'p>(
        mut self,
        format: StreamFormat,
        header: Header,
        scratch: &'p mut [u8],
        parts: &'p mut Parts<'p>,
    ) -> Result<ShuffledBlock<'p>, CodecError>
    where
        'a: 'p,
    {
        let len = scratch.len();
        let part_len = len / self.count;
        let parts = &mut parts[..self.count];
        for (part, scratch) in parts.iter_mut().zip(scratch.chunks_exact_mut(part_len)) {
            let stream = self.next()?;
            *part = if stream.len() == part_len {
                stream
            } else {
                format.decode(stream, scratch)?;
                scratch
            };
        }
        let (typesize, shuffle) = (header.typesize as usize, header.shuffle());
        let whole = shuffle.whole_elements(typesize, len);
        Ok(ShuffledBlock { typesize, shuffle, whole, part_len, parts })
    }
}

/// A block before its filter is undone.
struct ShuffledBlock<'a> {
    typesize: usize,
    shuffle: Shuffle,
    /// Bytes at its start that are shuffled.
    whole: usize,
    part_len: usize,
    /// The bytes, one part behind the other. Where there are several, each is a plane.
    parts: &'a [&'a [u8]],
}

impl ShuffledBlock<'_> {
    /// Writes what the block has from byte `from` on, the start of an element and, where bits are shuffled,
    /// of a group of eight.
    fn elements(&self, from: usize, target: &mut [u8]) {
        let shuffled = self.whole.saturating_sub(from).min(target.len());
        let (elements, rest) = target.split_at_mut(shuffled);
        let count = self.whole / self.typesize;
        let planes = match self.parts {
            [part] => Planes::joined(part, count),
            parts => Planes::apart(parts, count),
        };
        let first = from / self.typesize;
        match self.shuffle {
            Shuffle::Bit => unshuffle_bits(self.typesize, planes.skip_bits(first), elements),
            Shuffle::Byte | Shuffle::None => {
                unshuffle_bytes(self.typesize, planes.skip_bytes(first), elements);
            }
        }
        self.stored(from + shuffled, rest);
    }

    /// Writes the bytes from `from` on, which are not shuffled: less than an element, or all where bits are
    /// shuffled in groups of eight elements and these do not fill the block.
    fn stored(&self, mut from: usize, mut target: &mut [u8]) {
        while !target.is_empty() {
            let part = &self.parts[from / self.part_len][from % self.part_len..];
            let (now, rest) = target.split_at_mut(part.len().min(target.len()));
            now.copy_from_slice(&part[..now.len()]);
            from += now.len();
            target = rest;
        }
    }
}

/// The number at `start`.
fn number(encoded: &[u8], start: usize) -> Result<u32, CodecError> {
    let number = encoded.get(start..).and_then(<[u8]>::first_chunk::<4>);
    number.map(|number| u32::from_le_bytes(*number)).ok_or_else(outside)
}

fn outside() -> CodecError {
    CodecError::corrupt(NAME, "a stream lies outside of the container")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::blosc_container::{
        BIT_SHUFFLED, BYTE_SHUFFLED, COMPRESSOR_SHIFT, ONE_STREAM, VERSION,
    };
    use crate::{Blosc, BloscCompressor, BytesCodec};

    /// What c-blosc makes of a container with this header; `None` where it finds fault with it.
    fn by_c_blosc(header: Header, encoded: &[u8]) -> Option<Vec<u8>> {
        let mut decoded = vec![0xdd; header.decoded_len as usize];
        let length = blosc_ffi::decompress(encoded, &mut decoded)?;
        (length == decoded.len()).then_some(decoded)
    }

    fn by_us(header: Header, encoded: &[u8]) -> Option<Vec<u8>> {
        let mut decoded = vec![0xee; header.decoded_len as usize];
        decompress(header, encoded, &mut decoded).ok().map(|()| decoded)
    }

    fn by_us_in_pieces(header: Header, encoded: &[u8]) -> Option<Vec<u8>> {
        let mut decoded = Vec::new();
        let mut take = |piece: &[u8]| decoded.extend_from_slice(piece);
        decompress_pieces(header, encoded, &mut take).ok().map(|()| decoded)
    }

    /// The one stream of these bytes, taken out of a container.
    fn stream(compressor: BloscCompressor, bytes: &[u8]) -> Vec<u8> {
        let blosc = Blosc::new(compressor, 9, Shuffle::None, 1, bytes.len() as u32);
        let mut encoded = Vec::new();
        blosc.encode(bytes, &mut encoded).unwrap();
        if Header::parse(&encoded).unwrap().is_stored() {
            return bytes.to_vec();
        }
        let from = number(&encoded, HEADER_LEN).unwrap() as usize;
        let length = number(&encoded, from).unwrap() as usize;
        encoded[from + 4..][..length].to_vec()
    }

    /// A container with any flags and block length, also those that no version of c-blosc writes.
    fn container(
        compressor: BloscCompressor,
        flags: u8,
        typesize: u8,
        block_len: usize,
        contents: &[u8],
    ) -> Vec<u8> {
        let format = match compressor {
            BloscCompressor::BloscLz => 0,
            BloscCompressor::Lz4 | BloscCompressor::Lz4Hc => 1,
            BloscCompressor::Snappy => 2,
            BloscCompressor::Zlib => 3,
            BloscCompressor::Zstd => 4,
        };
        let header = Header {
            format_version: 1,
            flags: flags | format << COMPRESSOR_SHIFT,
            typesize: typesize.into(),
            decoded_len: contents.len() as u32,
            block_len: block_len as u32,
        };
        let mut encoded = vec![VERSION, header.format_version, header.flags, typesize];
        for length in [header.decoded_len, header.block_len, 0] {
            encoded.extend_from_slice(&length.to_le_bytes());
        }
        encoded.resize(HEADER_LEN + 4 * header.block_count() as usize, 0);
        for (index, block) in contents.chunks(block_len).enumerate() {
            let at = (encoded.len() as u32).to_le_bytes();
            encoded[HEADER_LEN + 4 * index..][..4].copy_from_slice(&at);
            let mut shuffled = vec![0; block.len()];
            header.shuffle().shuffle(typesize.into(), block, &mut shuffled);
            let count = header.streams(block.len() as u32) as usize;
            for part in shuffled.chunks_exact(block.len() / count) {
                let stream = stream(compressor, part);
                encoded.extend_from_slice(&(stream.len() as u32).to_le_bytes());
                encoded.extend_from_slice(&stream);
            }
        }
        let len = (encoded.len() as u32).to_le_bytes();
        encoded[12..HEADER_LEN].copy_from_slice(&len);
        encoded
    }

    /// Planes of little information beside planes of much.
    fn contents(len: usize, typesize: usize, seed: u32) -> Vec<u8> {
        let noise = |i: usize| (i as u32 ^ seed).wrapping_mul(2_654_435_761) >> 13;
        (0..len).map(|i| if i % typesize == 0 { noise(i) as u8 } else { (i / 97) as u8 }).collect()
    }

    fn containers() -> impl Strategy<Value = (BloscCompressor, Vec<u8>, Vec<u8>)> {
        let typesizes = prop_oneof![Just(1u8), Just(2), Just(4), Just(8), Just(16), 1..=255u8];
        (
            proptest::sample::select(BloscCompressor::ALL.to_vec()),
            proptest::bits::u8::masked(BYTE_SHUFFLED | BIT_SHUFFLED | ONE_STREAM),
            typesizes,
            1..9000usize,
            1..9000usize,
            any::<u32>(),
        )
            .prop_map(|(compressor, flags, typesize, len, block_len, seed)| {
                let elements = usize::from(typesize);
                let contents = contents(len, elements, seed);
                // Streams of their own need whole elements.
                let block_len = (block_len / elements * elements).max(elements);
                let block_len = if block_len > len { len } else { block_len };
                let whole = block_len.is_multiple_of(elements);
                let flags = if whole { flags } else { flags | ONE_STREAM };
                let encoded = container(compressor, flags, typesize, block_len, &contents);
                (compressor, contents, encoded)
            })
    }

    #[test]
    fn the_pieces_of_long_blocks_are_their_elements() {
        for typesize in [1, 2, 3, 4, 8, 12, 16, 255] {
            for flags in [0, BYTE_SHUFFLED, BIT_SHUFFLED, BYTE_SHUFFLED | ONE_STREAM] {
                let elements = usize::from(typesize);
                let block_len = (2 * PIECE + 5000) / elements * elements;
                // Bits are shuffled in whole groups of eight elements only: once all, once none.
                for block_len in [block_len, block_len / (8 * elements) * 8 * elements] {
                    let contents = contents(block_len + PIECE + 77, elements, 5);
                    let lz4 = BloscCompressor::Lz4;
                    let encoded = container(lz4, flags, typesize, block_len, &contents);
                    let header = Header::parse(&encoded).unwrap();
                    let decoded = by_us_in_pieces(header, &encoded);
                    assert!(decoded == Some(contents), "{typesize} {flags} {block_len}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_container_decodes_as_by_c_blosc((compressor, contents, encoded) in containers()) {
            let header = Header::parse(&encoded).unwrap();
            prop_assert_eq!(by_us(header, &encoded), Some(contents.clone()));
            prop_assert_eq!(by_us_in_pieces(header, &encoded), Some(contents.clone()));
            if compressor != BloscCompressor::Snappy {
                prop_assert_eq!(by_c_blosc(header, &encoded), Some(contents));
            }
        }

        #[test]
        fn a_damaged_container_ends_as_by_c_blosc(
            (_, _, mut encoded) in containers(),
            damage in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..4),
            in_lengths in any::<bool>(),
        ) {
            for (at, value) in damage {
                let range = if in_lengths { encoded.len().min(32) } else { encoded.len() };
                encoded[usize::from(at) % range] = value;
            }
            if let Ok(header) = Header::parse(&encoded)
                && !header.is_stored()
                && header.decoded_len < 100_000
                // c-blosc is built without it; damage may make snappy of any other.
                && StreamFormat::of(header).ok() != Some(StreamFormat::Snappy)
            {
                let expected = by_c_blosc(header, &encoded);
                prop_assert_eq!(by_us(header, &encoded), expected.clone());
                prop_assert_eq!(by_us_in_pieces(header, &encoded), expected);
            }
        }
    }
}
