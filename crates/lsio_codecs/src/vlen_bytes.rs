//! `vlen-bytes`: bytes of any number, each element behind its length.

use lsio_array::{DataType, VariableChunk};

use crate::variable_codec::LengthPrefixed;
use crate::{CodecError, VariableCodec};

/// `vlen-bytes`: bytes of any number, each element behind its length.
///
/// The number of elements as 32 bits, then for each element its length in bytes as 32 bits and its bytes;
/// all numbers are little-endian.
///
/// - Specification: Zarr v3 extension "vlen-bytes codec"; numcodecs `vlen-bytes`.
/// - Names: v3 `vlen-bytes`, v2 `vlen-bytes` (a filter); no configuration.
///
/// ```
/// use lsio_array::{DataType, Destination, VariableChunk};
/// use lsio_codecs::{ChunkContext, Codec, CodecChain, Serializer, VlenBytes};
/// use std::sync::Arc;
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let context = ChunkContext { data_type: DataType::VariableLengthBytes, shape: vec![2] };
/// let bytes = Codec::ArrayToBytes(Serializer::Variable(Arc::new(VlenBytes)));
/// let chain = CodecChain::new(vec![bytes], &context)?;
/// let encoded = [2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0xff, 0, 1];
/// let mut decoded = VariableChunk { offsets: vec![], bytes: vec![], limit: 100 };
/// chain.decode(&encoded, Destination::Variable(&mut decoded), &mut [])?;
/// assert_eq!(decoded.offsets, [0, 0, 3]);
/// assert_eq!(decoded.bytes, [0xff, 0, 1]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VlenBytes;

impl VlenBytes {
    /// Name of the codec.
    pub(crate) const NAME: &'static str = "vlen-bytes";

    const FRAMING: LengthPrefixed = LengthPrefixed { codec: Self::NAME };
}

impl VariableCodec for VlenBytes {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn is_for(&self, data_type: &DataType) -> bool {
        *data_type == DataType::VariableLengthBytes
    }

    fn least_encoded_len(&self, element_count: u64) -> u64 {
        LengthPrefixed::least_encoded_len(element_count)
    }

    fn decode_in_place(
        &self,
        element_count: u64,
        chunk: &mut VariableChunk,
    ) -> Result<(), CodecError> {
        Self::FRAMING.decode_in_place(element_count, chunk, |_| Ok(()))
    }

    fn encode(&self, elements: &[&[u8]], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        Self::FRAMING.encode(elements, encoded)
    }
}
