//! What an array-to-bytes codec for elements of varying length is, and the framing that most of them have.

use std::fmt;

use lsio_array::{DataType, VariableChunk};

use crate::CodecError;

/// Bytes of a length or of the number of elements.
const PREFIX: usize = 4;

/// A codec that makes bytes of elements that vary in length.
pub trait VariableCodec: Send + Sync + fmt::Debug {
    /// Name of the codec in Zarr v3, without a vendor's prefix.
    fn name(&self) -> &'static str;

    /// Whether it is for such elements.
    fn is_for(&self, data_type: &DataType) -> bool;

    /// Fewest bytes that so many elements are encoded to.
    fn least_encoded_len(&self, element_count: u64) -> u64;

    /// Checks that an encoded chunk is long enough for so many elements: what is sized by their number may be
    /// allocated then.
    ///
    /// # Errors
    /// [`CodecError::Truncated`] where it is not.
    fn check_len(&self, element_count: u64, encoded: &[u8]) -> Result<(), CodecError> {
        let (expected, actual) = (self.least_encoded_len(element_count), encoded.len() as u64);
        if actual < expected {
            return Err(CodecError::Truncated { codec: self.name(), expected, actual });
        }
        Ok(())
    }

    /// Most bytes of memory that decoding needs for a byte of the encoded form, that one among them.
    fn memory_per_byte(&self) -> u64 {
        1
    }

    /// Makes offsets and elements of the encoded form that `chunk.bytes` holds. With
    /// [`VariableCodec::memory_per_byte`] of 1 there are no more bytes of elements than of the encoded form.
    ///
    /// # Errors
    /// The bytes are not exactly an encoded chunk of so many elements.
    fn decode_in_place(
        &self,
        element_count: u64,
        chunk: &mut VariableChunk,
    ) -> Result<(), CodecError>;

    /// Appends the encoded form of `elements`, all of a chunk, to `encoded`.
    ///
    /// # Errors
    /// The chunk is more than the format can hold, or this is a codec that only decodes: one of which arrays
    /// exist that nobody should write any more.
    fn encode(&self, _elements: &[&[u8]], _encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        Err(CodecError::configuration(self.name(), "its elements are read, but not written"))
    }
}

/// Elements behind their number, each behind its length; all of these have 32 bits, little-endian.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LengthPrefixed {
    /// The codec, for messages.
    pub(crate) codec: &'static str,
}

impl LengthPrefixed {
    /// Bytes of this many empty elements in encoded form.
    pub(crate) fn least_encoded_len(element_count: u64) -> u64 {
        element_count.saturating_add(1).saturating_mul(PREFIX as u64)
    }

    /// As [`VariableCodec::decode_in_place`], without a second buffer for the elements; `check` says what
    /// is wrong with an element.
    pub(crate) fn decode_in_place(
        self,
        element_count: u64,
        chunk: &mut VariableChunk,
        check: impl Fn(&[u8]) -> Result<(), &'static str>,
    ) -> Result<(), CodecError> {
        chunk.offsets.clear();
        let bytes = chunk.bytes.as_mut_slice();
        let stated = u64::from(self.prefix(bytes, 0)?);
        if stated != element_count {
            let reason = format!("it states {stated} elements, the chunk has {element_count}");
            return Err(CodecError::corrupt(self.codec, reason));
        }
        let least = Self::least_encoded_len(element_count);
        if (bytes.len() as u64) < least {
            return Err(self.truncated(least, bytes.len()));
        }
        // The element count is now known to be below the length of the bytes that are at hand.
        chunk.offsets.reserve_exact(element_count as usize + 1);
        chunk.offsets.push(0);
        let mut from = PREFIX;
        let mut to = 0;
        for number in 0..element_count {
            let start = from + PREFIX;
            let end = start + self.prefix(bytes, from)? as usize;
            let element = bytes.get(start..end);
            let element = element.ok_or_else(|| self.truncated(end as u64, bytes.len()))?;
            if let Err(wrong) = check(element) {
                let reason = format!("element {number} is {wrong}");
                return Err(CodecError::corrupt(self.codec, reason));
            }
            bytes.copy_within(start..end, to);
            to += end - start;
            from = end;
            chunk.offsets.push(to as u64);
        }
        if from != bytes.len() {
            let reason = format!("{} bytes follow the last element", bytes.len() - from);
            return Err(CodecError::corrupt(self.codec, reason));
        }
        chunk.bytes.truncate(to);
        Ok(())
    }

    /// As [`VariableCodec::encode`].
    pub(crate) fn encode(
        self,
        elements: &[&[u8]],
        encoded: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        encoded.extend_from_slice(&self.stored_len(elements.len())?.to_le_bytes());
        for element in elements {
            encoded.extend_from_slice(&self.stored_len(element.len())?.to_le_bytes());
            encoded.extend_from_slice(element);
        }
        Ok(())
    }

    /// The number at `start`.
    fn prefix(self, bytes: &[u8], start: usize) -> Result<u32, CodecError> {
        let number = bytes.get(start..).and_then(<[u8]>::first_chunk::<PREFIX>);
        number
            .map(|number| u32::from_le_bytes(*number))
            .ok_or_else(|| self.truncated((start + PREFIX) as u64, bytes.len()))
    }

    /// A length as it is stored.
    fn stored_len(self, len: usize) -> Result<u32, CodecError> {
        u32::try_from(len).map_err(|_| CodecError::TooLarge {
            codec: self.codec,
            needed: len as u64,
            limit: u64::from(u32::MAX),
        })
    }

    fn truncated(self, expected: u64, actual: usize) -> CodecError {
        CodecError::Truncated { codec: self.codec, expected, actual: actual as u64 }
    }
}
