//! What an array-to-bytes codec is, apart from `bytes` and those for elements that vary in length.

use std::fmt;

use crate::{ChunkContext, CodecError};

/// A codec that makes bytes of elements of fixed size in a way of its own.
///
/// Elements are given in C order and native byte order.
pub trait ArrayBytesCodec: Send + Sync + fmt::Debug {
    /// Name of the codec in Zarr v3, without a vendor's prefix.
    fn name(&self) -> &'static str;

    /// Most bytes that such a chunk is encoded to by any reasonable writer.
    ///
    /// # Errors
    /// [`CodecError::Configuration`] where the codec cannot work on such a chunk.
    fn encoded_bound(&self, chunk: &ChunkContext) -> Result<u64, CodecError>;

    /// Bytes of scratch memory that [`ArrayBytesCodec::decode`] needs.
    fn scratch_len(&self) -> u64 {
        0
    }

    /// Writes all of `decoded`, whose length is that of the chunk. `scratch` has
    /// [`ArrayBytesCodec::scratch_len`] bytes of arbitrary content.
    ///
    /// # Errors
    /// The bytes are not exactly an encoded chunk.
    fn decode(
        &self,
        encoded: &[u8],
        decoded: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), CodecError>;

    /// Appends the encoded form of `decoded`, all of a chunk, to `encoded`.
    ///
    /// # Errors
    /// The chunk is more than the format can hold.
    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError>;
}
