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

/// Most bytes of scratch memory that a thread keeps between calls: the largest block that c-blosc chooses
/// by itself for elements of 16 bytes, 256 KiB for each byte. Without keeping it, each call pays for
/// fresh pages.
const KEPT_SCRATCH: usize = 4 * 1024 * 1024;

/// Where scratch memory begins: bits of elements of 2 bytes were unshuffled at 10.0 GB/s out of whole cache
/// lines, at 7.8 GB/s where each load took its bytes from two.
const CACHE_LINE: usize = 64;

thread_local! {
    /// Shuffled bytes of one block.
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

/// Decodes a container with this header, not a stored one, into `decoded`, which has the stated length.
pub(crate) fn decompress(
    header: Header,
    encoded: &[u8],
    decoded: &mut [u8],
) -> Result<(), CodecError> {
    let format = StreamFormat::of(header)?;
    let block_len = header.block_len as usize;
    let blocks = decoded.chunks_mut(block_len).enumerate();
    let streams_of = |index: usize, block: &[u8]| -> Result<Streams<'_>, CodecError> {
        let at = number(encoded, HEADER_LEN + index * 4)? as usize;
        Ok(Streams { encoded, at, count: header.streams(block.len() as u32) as usize })
    };
    if header.shuffle() == Shuffle::None {
        for (index, block) in blocks {
            streams_of(index, block)?.decode(format, block)?;
        }
        return Ok(());
    }
    SCRATCH.with_borrow_mut(|scratch| {
        // Hardly above the length of `decoded`: the header was checked.
        let needed = block_len + CACHE_LINE;
        if scratch.len() < needed {
            // The old content is of no use to the new memory.
            *scratch = Vec::new();
            scratch.resize(needed, 0);
        }
        let start = scratch.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE);
        let shuffled = &mut scratch[start..][..block_len];
        let result = blocks.into_iter().try_for_each(|(index, block)| {
            streams_of(index, block)?.decode_shuffled(format, header, shuffled, block)
        });
        if scratch.len() > KEPT_SCRATCH {
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

impl<'a> Streams<'a> {
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

    /// Decodes the streams and undoes the filter. What is stored is taken from where it stands.
    fn decode_shuffled(
        mut self,
        format: StreamFormat,
        header: Header,
        scratch: &mut [u8],
        block: &mut [u8],
    ) -> Result<(), CodecError> {
        let mut parts = [&[][..]; MOST_STREAMS as usize];
        let parts = &mut parts[..self.count];
        let part_len = block.len() / self.count;
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
        let whole = shuffle.whole_elements(typesize, block.len());
        let (elements, rest) = block.split_at_mut(whole);
        let planes = match parts {
            [part] => {
                rest.copy_from_slice(&part[whole..]);
                Planes::Joined(&part[..whole])
            }
            parts if whole > 0 => Planes::Apart(parts),
            // Bits that were not shuffled, since their elements are not a multiple of 8.
            parts => {
                for (target, part) in rest.chunks_exact_mut(part_len).zip(parts) {
                    target.copy_from_slice(part);
                }
                return Ok(());
            }
        };
        match shuffle {
            Shuffle::Bit => unshuffle_bits(typesize, planes, elements),
            Shuffle::Byte | Shuffle::None => unshuffle_bytes(typesize, planes, elements),
        }
        Ok(())
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_container_decodes_as_by_c_blosc((compressor, contents, encoded) in containers()) {
            let header = Header::parse(&encoded).unwrap();
            prop_assert_eq!(by_us(header, &encoded), Some(contents.clone()));
            if compressor != BloscCompressor::Snappy {
                prop_assert_eq!(by_c_blosc(header, &encoded), Some(contents));
            }
        }

        #[test]
        fn a_damaged_container_ends_as_by_c_blosc(
            (compressor, _, mut encoded) in containers(),
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
                && compressor != BloscCompressor::Snappy
            {
                prop_assert_eq!(by_us(header, &encoded), by_c_blosc(header, &encoded));
            }
        }
    }
}
