//! What an array-to-array codec is, apart from `transpose`, and the steps that those of a chain make.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::{ChunkContext, CodecError};

/// A codec that makes other elements of elements, of another data type or shape perhaps.
///
/// Elements are given in C order and native byte order on both sides.
pub trait ArrayCodec: Send + Sync + fmt::Debug {
    /// Name of the codec in Zarr v3, without a vendor's prefix.
    fn name(&self) -> &'static str;

    /// What a chunk is after encoding.
    ///
    /// # Errors
    /// [`CodecError::Configuration`] where the codec cannot work on such a chunk.
    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError>;

    /// Whether encoded elements are the decoded ones as they are, so that there is nothing to undo.
    fn decodes_to_itself(&self) -> bool {
        false
    }

    /// What an element of fill is after encoding; `None` where writers do not agree on it: some encode it as
    /// any other element, some keep its number.
    fn encoded_fill(&self, _fill_value: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// Whether an array of such elements may have this fill value.
    ///
    /// # Errors
    /// [`CodecError::Configuration`] where the specification does not allow it.
    fn check_fill(&self, _fill_value: &[u8]) -> Result<(), CodecError> {
        Ok(())
    }

    /// Writes all of `decoded`. The lengths are those of the chunk before and after encoding.
    ///
    /// # Errors
    /// An element has no decoded form.
    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError>;

    /// Appends the encoded form of `decoded`, all of a chunk, to `encoded`.
    ///
    /// # Errors
    /// An element has no encoded form.
    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError>;
}

/// The array-to-array codecs of a chain, in the order of encoding.
#[derive(Debug, Clone, Default)]
pub(crate) struct ArraySteps(Vec<Step>);

#[derive(Debug, Clone)]
struct Step {
    codec: Arc<dyn ArrayCodec>,
    /// Bytes of a chunk after encoding.
    encoded_len: u64,
}

impl ArraySteps {
    /// Adds the next codec and gives what a chunk is after it.
    pub(crate) fn push(
        &mut self,
        codec: Arc<dyn ArrayCodec>,
        context: &ChunkContext,
    ) -> Result<ChunkContext, CodecError> {
        let encoded = codec.encoded_context(context)?;
        let size = encoded.data_type.size().unwrap_or(0) as u64;
        // Cannot overflow: the element count was checked against the element size.
        let encoded_len = encoded.element_count()? * size;
        self.0.push(Step { codec, encoded_len });
        Ok(encoded)
    }

    /// Whether there is no codec at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether stored elements are the decoded ones.
    pub(crate) fn decode_to_themselves(&self) -> bool {
        self.0.iter().all(|step| step.codec.decodes_to_itself())
    }

    /// Bytes of scratch memory for what stands between the codecs, the stored elements among them.
    pub(crate) fn scratch_len(&self) -> u64 {
        self.to_undo().fold(0, |sum, step| sum.saturating_add(step.encoded_len))
    }

    /// Bytes of the stored elements.
    pub(crate) fn stored_len(&self) -> u64 {
        self.to_undo().last().map_or(0, |step| step.encoded_len)
    }

    /// Makes `elements` of the stored elements. `scratch` is for what stands between the codecs.
    pub(crate) fn decode(
        &self,
        stored: &[u8],
        mut scratch: &mut [u8],
        elements: &mut [u8],
    ) -> Result<(), CodecError> {
        let steps: Vec<&Step> = self.to_undo().collect();
        let mut current = stored;
        for (index, step) in steps.iter().enumerate().rev() {
            let Some(before) = index.checked_sub(1) else {
                return step.codec.decode(current, elements);
            };
            let (codec, needed) = (step.codec.name(), steps[before].encoded_len);
            let limit = scratch.len() as u64;
            let (decoded, rest) = scratch
                .split_at_mut_checked(needed as usize)
                .ok_or(CodecError::TooLarge { codec, needed, limit })?;
            step.codec.decode(current, decoded)?;
            (current, scratch) = (decoded, rest);
        }
        Ok(())
    }

    /// Makes the stored elements of `elements`.
    pub(crate) fn encode<'a>(
        &self,
        mut elements: Cow<'a, [u8]>,
    ) -> Result<Cow<'a, [u8]>, CodecError> {
        for step in &self.0 {
            let mut encoded = Vec::new();
            step.codec.encode(&elements, &mut encoded)?;
            elements = Cow::Owned(encoded);
        }
        Ok(elements)
    }

    fn to_undo(&self) -> impl Iterator<Item = &Step> {
        self.0.iter().filter(|step| !step.codec.decodes_to_itself())
    }
}
