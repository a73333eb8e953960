//! `vlen-utf8`: strings, each behind its length.

use lsio_array::VariableChunk;

use crate::CodecError;

/// Bytes of a length or of the number of elements.
const PREFIX: usize = 4;

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
///
/// # fn main() -> Result<(), lsio_codecs::CodecError> {
/// let context = ChunkContext { data_type: DataType::String, shape: vec![2] };
/// let strings = Codec::ArrayToBytes(Serializer::VlenUtf8(VlenUtf8));
/// let chain = CodecChain::new(vec![strings], &context)?;
///
/// let mut encoded = Vec::new();
/// chain.encode_strings(&["é", "b"], &mut encoded)?;
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

    /// Bytes that the offsets of this many elements take.
    pub(crate) fn offsets_len(element_count: u64) -> u64 {
        element_count.saturating_add(1).saturating_mul(8)
    }

    /// Bytes of this many empty strings in encoded form.
    pub(crate) fn least_encoded_len(element_count: u64) -> u64 {
        element_count.saturating_add(1).saturating_mul(PREFIX as u64)
    }

    /// Makes offsets and elements of the encoded form that `chunk.bytes` holds, without a second
    /// buffer for the elements.
    pub(crate) fn decode_in_place(
        element_count: u64,
        chunk: &mut VariableChunk,
    ) -> Result<(), CodecError> {
        chunk.offsets.clear();
        let bytes = chunk.bytes.as_mut_slice();
        let stated = u64::from(prefix(bytes, 0)?);
        if stated != element_count {
            let reason = format!("it states {stated} elements, the chunk has {element_count}");
            return Err(CodecError::corrupt(Self::NAME, reason));
        }
        let least = Self::least_encoded_len(element_count);
        if (bytes.len() as u64) < least {
            return Err(truncated(least, bytes.len()));
        }
        // The element count is now known to be below the length of the bytes that are at hand.
        chunk.offsets.reserve_exact(element_count as usize + 1);
        chunk.offsets.push(0);
        let mut from = PREFIX;
        let mut to = 0;
        for element in 0..element_count {
            let start = from + PREFIX;
            let end = start + prefix(bytes, from)? as usize;
            let text = bytes.get(start..end).ok_or_else(|| truncated(end as u64, bytes.len()))?;
            if std::str::from_utf8(text).is_err() {
                let reason = format!("element {element} is not UTF-8");
                return Err(CodecError::corrupt(Self::NAME, reason));
            }
            bytes.copy_within(start..end, to);
            to += end - start;
            from = end;
            chunk.offsets.push(to as u64);
        }
        if from != bytes.len() {
            let reason = format!("{} bytes follow the last element", bytes.len() - from);
            return Err(CodecError::corrupt(Self::NAME, reason));
        }
        chunk.bytes.truncate(to);
        Ok(())
    }

    /// Appends the encoded form of `elements` to `encoded`.
    pub(crate) fn encode(elements: &[&str], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        encoded.extend_from_slice(&stored_len(elements.len())?.to_le_bytes());
        for element in elements {
            encoded.extend_from_slice(&stored_len(element.len())?.to_le_bytes());
            encoded.extend_from_slice(element.as_bytes());
        }
        Ok(())
    }
}

/// The number at `start`.
fn prefix(bytes: &[u8], start: usize) -> Result<u32, CodecError> {
    let number = bytes.get(start..).and_then(<[u8]>::first_chunk::<PREFIX>);
    number
        .map(|number| u32::from_le_bytes(*number))
        .ok_or_else(|| truncated((start + PREFIX) as u64, bytes.len()))
}

/// A length as it is stored.
fn stored_len(len: usize) -> Result<u32, CodecError> {
    u32::try_from(len).map_err(|_| CodecError::TooLarge {
        codec: VlenUtf8::NAME,
        needed: len as u64,
        limit: u64::from(u32::MAX),
    })
}

fn truncated(expected: u64, actual: usize) -> CodecError {
    CodecError::Truncated { codec: VlenUtf8::NAME, expected, actual: actual as u64 }
}
