//! `blosc`: containers of c-blosc 1, with any of its compressors and shuffle filters.

use std::ffi::CStr;

use crate::blosc_container::{HEADER_LEN, Header, NAME};
use crate::blosc_ffi::{self, Settings};
use crate::configuration::{Dialect, Members};
use crate::shuffle::Shuffle;
use crate::{BytesCodec, ChunkContext, CodecError, PieceCodec, blosc_blocks, blosc_snappy};

/// Most bytes of a container's contents: `BLOSC_MAX_BUFFERSIZE`.
const MAX_DECODED_LEN: u64 = i32::MAX as u64 - HEADER_LEN as u64;

/// Largest element that c-blosc shuffles; it takes larger ones as single bytes.
const MAX_TYPESIZE: usize = 255;

/// The compressor inside a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BloscCompressor {
    /// `blosclz`.
    BloscLz,
    /// `lz4`.
    Lz4,
    /// `lz4hc`, decoded as `lz4`.
    Lz4Hc,
    /// `snappy`.
    Snappy,
    /// `zlib`.
    Zlib,
    /// `zstd`.
    Zstd,
}

impl BloscCompressor {
    /// Every compressor.
    pub const ALL: [Self; 6] =
        [Self::BloscLz, Self::Lz4, Self::Lz4Hc, Self::Snappy, Self::Zlib, Self::Zstd];

    fn c_name(self) -> &'static CStr {
        match self {
            Self::BloscLz => c"blosclz",
            Self::Lz4 => c"lz4",
            Self::Lz4Hc => c"lz4hc",
            Self::Snappy => c"snappy",
            Self::Zlib => c"zlib",
            Self::Zstd => c"zstd",
        }
    }
}

/// `blosc`: containers of c-blosc 1, with any of its compressors and shuffle filters.
///
/// A container carries no checksum: damage inside its blocks is found only where it makes no sense to
/// the compressor. Its decoded length is compared with the expected one before anything is decoded.
/// Containers are read by this crate, stream by stream, and written by c-blosc, except for those with
/// snappy inside.
///
/// - Specification: Zarr v3 codecs, "blosc codec", version 1.0; c-blosc 1.21, `README_HEADER.rst`.
/// - Names: v3 `blosc`, configuration `{"cname": "blosclz" | "lz4" | "lz4hc" | "snappy" | "zlib" |
///   "zstd", "clevel": 0..=9, "shuffle": "noshuffle" | "shuffle" | "bitshuffle", "typesize": 1..,
///   "blocksize": 0..}`; v2 and `numcodecs.blosc`: the same with `"shuffle"` 0, 1, 2, or -1 for bits
///   where elements have one byte and bytes elsewhere.
///
/// ```
/// use lsio_codecs::{Blosc, BloscCompressor, BytesCodec, Shuffle};
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let blosc = Blosc::new(BloscCompressor::Lz4, 5, Shuffle::Byte, 4, 0);
/// let elements: Vec<u8> = (0..1000u32).flat_map(u32::to_le_bytes).collect();
/// let mut encoded = Vec::new();
/// blosc.encode(&elements, &mut encoded)?;
/// assert!(encoded.len() < 1000);
/// let mut decoded = vec![0; 4000];
/// blosc.decode_exact(&encoded, &mut decoded)?;
/// assert_eq!(decoded, elements);
/// assert!(blosc.decode_exact(&encoded, &mut decoded[1..]).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blosc {
    compressor: BloscCompressor,
    level: u8,
    shuffle: Shuffle,
    typesize: usize,
    block_len: u32,
}

impl Blosc {
    /// Encodes with this compressor at this level, brought into the range 0 (stored) to 9, shuffling
    /// elements of `typesize` bytes in blocks of `block_len` bytes, 0 for a length that suits the
    /// compressor. Decoding follows the container instead.
    #[must_use]
    pub fn new(
        compressor: BloscCompressor,
        level: u8,
        shuffle: Shuffle,
        typesize: usize,
        block_len: u32,
    ) -> Self {
        let typesize = if (1..=MAX_TYPESIZE).contains(&typesize) { typesize } else { 1 };
        let block_len = block_len.min(i32::MAX as u32);
        Self { compressor, level: level.min(9), shuffle, typesize, block_len }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let compressor = match members.string("cname")? {
            None => BloscCompressor::Lz4,
            Some(name) => BloscCompressor::ALL
                .into_iter()
                .find(|compressor| compressor.c_name().to_bytes() == name.as_bytes())
                .ok_or_else(|| {
                    CodecError::configuration(NAME, format!("'cname' \"{name}\" is not known"))
                })?,
        };
        let level = members.integer("clevel", 0..=9)?.unwrap_or(5);
        let block_len = members.integer("blocksize", 0..=i32::MAX.into())?.unwrap_or(0);
        let element_len = context.data_type.size().unwrap_or(1);
        let typesize = members.integer("typesize", 0..=i32::MAX.into())?.unwrap_or(element_len);
        let shuffle = shuffle(&mut members, typesize)?;
        if typesize == 0 && shuffle != Shuffle::None {
            let reason = "'typesize' must not be 0 where elements are shuffled";
            return Err(CodecError::configuration(NAME, reason));
        }
        members.finish()?;
        Ok(Self::new(compressor, level, shuffle, typesize, block_len))
    }
}

/// The member `shuffle`: a name in Zarr v3, a number in numcodecs.
fn shuffle(members: &mut Members<'_>, typesize: usize) -> Result<Shuffle, CodecError> {
    if members.dialect() != Dialect::V3 {
        return Ok(match members.integer::<i8>("shuffle", -1..=2)? {
            Some(0) => Shuffle::None,
            Some(2) => Shuffle::Bit,
            Some(-1) if typesize == 1 => Shuffle::Bit,
            _ => Shuffle::Byte,
        });
    }
    match members.string("shuffle")? {
        Some("noshuffle") => Ok(Shuffle::None),
        None | Some("shuffle") => Ok(Shuffle::Byte),
        Some("bitshuffle") => Ok(Shuffle::Bit),
        Some(name) => {
            Err(CodecError::configuration(NAME, format!("'shuffle' \"{name}\" is not known")))
        }
    }
}

/// The header of a container that decodes to `expected` bytes.
fn header_of(encoded: &[u8], expected: u64) -> Result<Header, CodecError> {
    let header = Header::parse(encoded)?;
    let actual = header.decoded_len.into();
    if actual == expected {
        Ok(header)
    } else {
        Err(CodecError::Length { codec: NAME, expected, actual })
    }
}

impl PieceCodec for Blosc {
    fn decode_pieces(
        &self,
        encoded: &[u8],
        expected: u64,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), CodecError> {
        let header = header_of(encoded, expected)?;
        if header.is_stored() || expected == 0 {
            take(&encoded[HEADER_LEN..]);
            return Ok(());
        }
        blosc_blocks::decompress_pieces(header, encoded, take)
    }
}

impl BytesCodec for Blosc {
    fn name(&self) -> &'static str {
        NAME
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        // What does not become shorter is stored behind a header.
        decoded_len.saturating_add(HEADER_LEN as u64)
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        let header = Header::parse(encoded)?;
        let length = header.decoded_len as usize;
        let limit = decoded.len() as u64;
        let needed = u64::from(header.decoded_len);
        let decoded =
            decoded.get_mut(..length).ok_or(CodecError::TooLarge { codec: NAME, needed, limit })?;
        if header.is_stored() || length == 0 {
            decoded.copy_from_slice(&encoded[HEADER_LEN..]);
        } else {
            blosc_blocks::decompress(header, encoded, decoded)?;
        }
        Ok(length)
    }

    fn decode_exact(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        header_of(encoded, decoded.len() as u64)?;
        self.decode(encoded, decoded).map(|_| ())
    }

    fn in_pieces(&self) -> Option<&dyn PieceCodec> {
        Some(self)
    }

    fn stated_len(&self, encoded: &[u8]) -> Option<u64> {
        Header::parse(encoded).ok().map(|header| header.decoded_len.into())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let (needed, limit) = (decoded.len() as u64, MAX_DECODED_LEN);
        if needed > limit {
            return Err(CodecError::TooLarge { codec: NAME, needed, limit });
        }
        if self.compressor == BloscCompressor::Snappy {
            let (store, block_len) = (self.level == 0, self.block_len as usize);
            return blosc_snappy::compress(
                store,
                self.shuffle,
                self.typesize,
                block_len,
                decoded,
                encoded,
            );
        }
        let start = encoded.len();
        encoded.resize(start + decoded.len() + blosc_ffi::MAX_OVERHEAD, 0);
        let settings = Settings {
            level: self.level,
            shuffle: match self.shuffle {
                Shuffle::None => 0,
                Shuffle::Byte => 1,
                Shuffle::Bit => 2,
            },
            typesize: self.typesize as u32,
            compressor: self.compressor.c_name(),
            blocksize: self.block_len,
        };
        let length = blosc_ffi::compress(settings, decoded, &mut encoded[start..])
            .ok_or_else(|| CodecError::corrupt(NAME, "c-blosc cannot encode them"))?;
        encoded.truncate(start + length);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use lsio_array::DataType;

    fn read(dialect: Dialect, text: &str) -> Result<Blosc, CodecError> {
        let map = serde_json::from_str(text).unwrap();
        let context = ChunkContext { data_type: DataType::Float32, shape: vec![] };
        Blosc::from_members(Members::new(NAME, dialect, &map), &context)
    }

    #[test]
    fn both_dialects_are_read() {
        let v3 = r#"{"cname":"zstd","clevel":1,"shuffle":"bitshuffle","typesize":8,"blocksize":0}"#;
        let expected = Blosc::new(BloscCompressor::Zstd, 1, Shuffle::Bit, 8, 0);
        assert_eq!(read(Dialect::V3, v3).unwrap(), expected);
        let v2 = r#"{"cname":"zstd","clevel":1,"shuffle":2,"blocksize":0,"typesize":null}"#;
        let expected = Blosc::new(BloscCompressor::Zstd, 1, Shuffle::Bit, 4, 0);
        assert_eq!(read(Dialect::Numcodecs, v2).unwrap(), expected);
        let automatic = read(Dialect::Numcodecs, r#"{"shuffle":-1}"#).unwrap();
        assert_eq!(automatic, Blosc::new(BloscCompressor::Lz4, 5, Shuffle::Byte, 4, 0));
    }

    #[test]
    fn members_out_of_range_are_refused() {
        for text in [
            r#"{"cname":"lzo"}"#,
            r#"{"clevel":10}"#,
            r#"{"shuffle":"bytes"}"#,
            r#"{"shuffle":1}"#,
            r#"{"typesize":0}"#,
            r#"{"blocksize":-1}"#,
            r#"{"threads":1}"#,
        ] {
            let error = read(Dialect::V3, text).unwrap_err();
            assert!(matches!(error, CodecError::Configuration { codec: "blosc", .. }), "{text}");
        }
        assert!(read(Dialect::Numcodecs, r#"{"shuffle":3}"#).is_err());
        assert!(read(Dialect::V3, r#"{"typesize":0,"shuffle":"noshuffle"}"#).is_ok());
    }

    /// c-blosc undoes its bit and byte shuffle; a container of stored streams shows it alone.
    #[test]
    fn our_shuffle_is_that_of_c_blosc() {
        let block: Vec<u8> = (0..2048u32).map(|i| (i * 7 % 253) as u8).collect();
        for (shuffle, flag) in [(Shuffle::Byte, 1), (Shuffle::Bit, 4)] {
            for (typesize, len) in
                [(1, 2048), (2, 2048), (4, 2048), (8, 2048), (3, 100), (16, 2048)]
            {
                let block = &block[..len];
                let mut shuffled = vec![0; len];
                shuffle.shuffle(typesize, block, &mut shuffled);
                // One stream of lz4, as long as the block and so stored.
                let mut container = vec![2, 1, flag | 0x10 | 1 << 5, typesize as u8];
                for number in [len, len, 24 + len, 20, len] {
                    container.extend_from_slice(&(number as u32).to_le_bytes());
                }
                container.extend_from_slice(&shuffled);
                let mut decoded = vec![0; len];
                let blosc = Blosc::new(BloscCompressor::Lz4, 5, shuffle, typesize, 0);
                blosc.decode_exact(&container, &mut decoded).unwrap();
                assert_eq!(decoded, block, "{shuffle:?} {typesize} {len}");
            }
        }
    }
}
