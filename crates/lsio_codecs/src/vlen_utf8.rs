//! `vlen-utf8`: strings, each behind its length.

use lsio_array::{DataType, VariableChunk};

use crate::variable_codec::LengthPrefixed;
use crate::{CodecError, VariableCodec};

/// `vlen-utf8`: strings, each behind its length.
///
/// The number of elements as 32 bits, then for each element its length in bytes as 32 bits and its
/// UTF-8 text; all numbers are little-endian.
///
/// - Specification: numcodecs `vlen-utf8`, adopted by the Zarr v3 extension of the same name.
/// - Names: v3 `vlen-utf8`, v2 `vlen-utf8` (a filter); no configuration.
///
/// ```
/// use lsio_array::{DataType, Decoded, Destination, VariableChunk};
/// use lsio_codecs::{ChunkContext, Codec, CodecChain, Serializer, VlenUtf8};
/// use std::sync::Arc;
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let context = ChunkContext { data_type: DataType::String, shape: vec![2] };
/// let strings = Codec::ArrayToBytes(Serializer::Variable(Arc::new(VlenUtf8)));
/// let chain = CodecChain::new(vec![strings], &context)?;
///
/// let mut encoded = Vec::new();
/// chain.encode_variable(&["é", "b"], &mut encoded)?;
/// assert_eq!(encoded, [2, 0, 0, 0, 2, 0, 0, 0, 0xc3, 0xa9, 1, 0, 0, 0, b'b']);
///
/// let mut decoded = VariableChunk { offsets: vec![], bytes: vec![], limit: 100 };
/// let end = chain.decode(&encoded, Destination::Variable(&mut decoded), &mut [])?;
/// assert_eq!(end, Decoded::Complete);
/// assert_eq!(decoded.offsets, [0, 2, 3]);
/// assert_eq!(decoded.bytes, "éb".as_bytes());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VlenUtf8;

impl VlenUtf8 {
    /// Name of the codec.
    pub(crate) const NAME: &'static str = "vlen-utf8";

    const FRAMING: LengthPrefixed = LengthPrefixed { codec: Self::NAME };
}

impl VariableCodec for VlenUtf8 {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn is_for(&self, data_type: &DataType) -> bool {
        *data_type == DataType::String
    }

    fn least_encoded_len(&self, element_count: u64) -> u64 {
        LengthPrefixed::least_encoded_len(element_count)
    }

    fn decode_in_place(
        &self,
        element_count: u64,
        chunk: &mut VariableChunk,
    ) -> Result<(), CodecError> {
        Self::FRAMING.decode_in_place(element_count, chunk, |element| {
            std::str::from_utf8(element).map(|_| ()).map_err(|_| "not UTF-8")
        })
    }

    fn encode(&self, elements: &[&[u8]], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        Self::FRAMING.encode(elements, encoded)
    }
}
