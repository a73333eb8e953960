//! What a codec is: some kinds, each open for new ones.

use std::fmt;
use std::sync::Arc;

use lsio_array::DataType;

use crate::{
    ArrayBytesCodec, ArrayCodec, Bytes, CodecError, SuspendingCodec, Transpose, VariableCodec,
};

/// What a codec may need to know of the chunk that it works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkContext {
    /// Type of the elements.
    pub data_type: DataType,
    /// Elements per dimension, before any transpose.
    pub shape: Vec<u64>,
}

impl ChunkContext {
    /// Number of elements.
    ///
    /// # Errors
    /// [`CodecError::TooLarge`] where their number, or their length in bytes, exceeds what memory can
    /// hold.
    pub fn element_count(&self) -> Result<u64, CodecError> {
        let size = self.data_type.size().unwrap_or(1) as u64;
        let too_large =
            CodecError::TooLarge { codec: "bytes", needed: u64::MAX, limit: isize::MAX as u64 };
        if self.shape.contains(&0) {
            return Ok(0);
        }
        let mut count = 1u64;
        for &extent in &self.shape {
            count = count.checked_mul(extent).ok_or_else(|| too_large.clone())?;
        }
        match count.checked_mul(size) {
            Some(bytes) if isize::try_from(bytes).is_ok() => Ok(count),
            _ => Err(too_large),
        }
    }
}

/// One step of a [`crate::CodecChain`].
#[derive(Debug, Clone)]
pub enum Codec {
    /// Changes the order of the axes.
    Transpose(Transpose),
    /// Makes other elements of elements.
    ArrayToArray(Arc<dyn ArrayCodec>),
    /// Makes bytes of elements.
    ArrayToBytes(Serializer),
    /// Makes other bytes of bytes.
    BytesToBytes(Arc<dyn BytesCodec>),
    /// Makes other bytes of bytes, and answers later.
    Suspending(Arc<dyn SuspendingCodec>),
}

impl Codec {
    /// Name of the codec in Zarr v3.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Transpose(_) => Transpose::NAME,
            Self::ArrayToArray(codec) => codec.name(),
            Self::ArrayToBytes(Serializer::Bytes(_)) => Bytes::NAME,
            Self::ArrayToBytes(Serializer::Variable(codec)) => codec.name(),
            Self::ArrayToBytes(Serializer::Coded(codec)) => codec.name(),
            Self::BytesToBytes(codec) => codec.name(),
            Self::Suspending(codec) => codec.name(),
        }
    }

    /// What a chunk is for the codec after this one.
    ///
    /// # Errors
    /// [`CodecError::Configuration`] where the codec cannot work on such a chunk.
    pub fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        match self {
            Self::Transpose(transpose) => transpose.encoded_context(decoded),
            Self::ArrayToArray(codec) => codec.encoded_context(decoded),
            Self::ArrayToBytes(_) | Self::BytesToBytes(_) | Self::Suspending(_) => {
                Ok(decoded.clone())
            }
        }
    }

    /// Whether an array whose elements the codec is given may have this fill value.
    ///
    /// # Errors
    /// [`CodecError::Configuration`] where the codec's specification does not allow it.
    pub fn check_fill(&self, fill_value: &[u8]) -> Result<(), CodecError> {
        match self {
            Self::ArrayToArray(codec) => codec.check_fill(fill_value),
            Self::Transpose(_)
            | Self::ArrayToBytes(_)
            | Self::BytesToBytes(_)
            | Self::Suspending(_) => Ok(()),
        }
    }

    /// What an element of fill is for the codec after this one; `None` where writers do not agree on it.
    #[must_use]
    pub fn encoded_fill(&self, fill_value: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Transpose(_) => Some(fill_value.to_vec()),
            Self::ArrayToArray(codec) => codec.encoded_fill(fill_value),
            Self::ArrayToBytes(_) | Self::BytesToBytes(_) | Self::Suspending(_) => None,
        }
    }
}

/// The codec of a chain that makes bytes of elements.
#[derive(Debug, Clone)]
pub enum Serializer {
    /// Elements of fixed size, one after the other.
    Bytes(Bytes),
    /// Elements of varying length.
    Variable(Arc<dyn VariableCodec>),
    /// Elements of fixed size in a way of the codec's own.
    Coded(Arc<dyn ArrayBytesCodec>),
}

/// A codec that makes other bytes of bytes: a compressor or a checksum.
pub trait BytesCodec: Send + Sync + fmt::Debug {
    /// Name of the codec in Zarr v3.
    fn name(&self) -> &'static str;

    /// Most bytes that `decoded_len` bytes are encoded to by any reasonable writer.
    fn encoded_bound(&self, decoded_len: u64) -> u64;

    /// Whether [`BytesCodec::encoded_bound`] is the length that all writers encode to, whatever the bytes are.
    fn has_known_len(&self) -> bool {
        false
    }

    /// Decodes into the start of `decoded` and returns how many bytes of it were written. The rest of
    /// `decoded` has arbitrary content afterwards.
    ///
    /// # Errors
    /// [`CodecError::TooLarge`] where `decoded` is too short; any other for bytes that are not what
    /// the codec writes, or that other bytes follow.
    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError>;

    /// Decodes to exactly the length of `decoded`.
    ///
    /// # Errors
    /// [`CodecError::Length`] for any other length, else as [`BytesCodec::decode`].
    fn decode_exact(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        let expected = decoded.len() as u64;
        exactly(self.name(), expected, self.decode(encoded, decoded))
    }

    /// The same codec, if it can show decoded bytes piece by piece.
    fn in_pieces(&self) -> Option<&dyn PieceCodec> {
        None
    }

    /// The decoded length that the encoded bytes themselves state, where they do. Not to be believed
    /// before they are decoded.
    fn stated_len(&self, _encoded: &[u8]) -> Option<u64> {
        None
    }

    /// The part of `encoded` that is the decoded bytes as they are, for codecs that only add
    /// something to them; `None` for all others.
    ///
    /// # Errors
    /// What is added is not right, such as a checksum.
    fn payload<'a>(&self, _encoded: &'a [u8]) -> Result<Option<&'a [u8]>, CodecError> {
        Ok(None)
    }

    /// Whether [`BytesCodec::payload`] answers for this codec.
    fn is_payload(&self) -> bool {
        false
    }

    /// Appends the encoded form of `decoded` to `encoded`.
    ///
    /// # Errors
    /// [`CodecError::TooLarge`] for more bytes than the format can hold.
    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError>;
}

/// A codec that can show decoded bytes piece by piece, each while it is in the processor's cache: so the
/// bytes of a chunk that is larger than that go from there to where they belong.
pub trait PieceCodec {
    /// Decodes to exactly `expected` bytes and calls `take` with one piece after the other.
    ///
    /// # Errors
    /// As [`BytesCodec::decode_exact`]; some pieces may have been taken then.
    fn decode_pieces(
        &self,
        encoded: &[u8],
        expected: u64,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), CodecError>;
}

/// What [`BytesCodec::decode`] answered, as [`BytesCodec::decode_exact`] must.
pub(crate) fn exactly(
    codec: &'static str,
    expected: u64,
    decoded: Result<usize, CodecError>,
) -> Result<(), CodecError> {
    match decoded {
        Ok(length) if length as u64 == expected => Ok(()),
        Ok(length) => Err(CodecError::Length { codec, expected, actual: length as u64 }),
        Err(CodecError::TooLarge { needed, limit, .. }) if limit == expected => {
            Err(CodecError::Length { codec, expected, actual: needed })
        }
        Err(error) => Err(error),
    }
}
