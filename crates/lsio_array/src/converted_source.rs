//! An array as one of another data type: each chunk is converted where it is decoded.

use std::sync::Arc;

use lsio_io::Storage;

use crate::scratch_decode::decode_to_scratch;
use crate::{
    ArrayInfo, ChunkError, ChunkErrorKind, ChunkGrid, ChunkSource, Conversion, DataType, Decoded,
    Destination, Encoded, KnownReads, Location, Params, Parsed, ReadSpec, Resume,
};

/// Another source with its elements converted. Chunks are decoded to scratch memory and converted into
/// their destination.
#[derive(Debug)]
pub struct ConvertedSource {
    inner: Arc<dyn ChunkSource>,
    conversion: Conversion,
    info: ArrayInfo,
}

impl ConvertedSource {
    /// `None` where the conversion is for another type, or chunks become too large for 64 bits or their
    /// fill value has no such form.
    #[must_use]
    pub fn new(inner: Arc<dyn ChunkSource>, conversion: Conversion) -> Option<Self> {
        let stored = inner.info();
        if stored.data_type != *conversion.from() {
            return None;
        }
        let count = stored.decoded_len / stored.data_type.size()?.max(1) as u64;
        let offsets = count.checked_add(1)?.checked_mul(8)?;
        let (decoded_len, decoded_limit) = match conversion.to().size() {
            Some(size) => {
                let len = count.checked_mul(size as u64)?;
                (len, len)
            }
            // Text: a byte for each code point at first, at most as many as stored.
            None => (
                offsets.checked_add(stored.decoded_len / 4)?,
                offsets.checked_add(stored.decoded_len)?,
            ),
        };
        let info = ArrayInfo {
            data_type: conversion.to().clone(),
            fill_value: conversion.element(&stored.fill_value)?.into(),
            scratch_len: stored.scratch_len.checked_add(stored.decoded_len)?,
            decoded_len,
            decoded_limit,
            stored_as_is: None,
            comes_in_pieces: false,
            ..stored.clone()
        };
        Some(Self { inner, conversion, info })
    }
}

impl ChunkSource for ConvertedSource {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn grid(&self) -> Option<ChunkGrid> {
        self.inner.grid()
    }

    fn stores(&self) -> &[Arc<dyn Storage>] {
        self.inner.stores()
    }

    fn locate(&self, chunk: &[u64], known: &dyn KnownReads) -> Result<Location, ChunkError> {
        self.inner.locate(chunk, known)
    }

    fn parse(
        &self,
        spec: &ReadSpec,
        bytes: Option<&[u8]>,
        object_len: u64,
    ) -> Result<Parsed, ChunkError> {
        self.inner.parse(spec, bytes, object_len)
    }

    fn decode(
        &self,
        chunk: &[u64],
        params: &Params,
        encoded: Encoded<'_>,
        destination: Destination<'_>,
        scratch: &mut [u8],
        resume: &Arc<dyn Resume>,
    ) -> Result<Decoded, ChunkError> {
        let take = |stored: &[u8]| match destination {
            Destination::Fixed(target) => {
                let (needed, limit) = (self.info.decoded_len, target.len() as u64);
                if limit != needed || self.info.data_type == DataType::String {
                    return Err(ChunkErrorKind::TooLarge { needed, limit });
                }
                self.conversion.convert(stored, target);
                Ok(Decoded::Complete)
            }
            Destination::Pieces(_) => {
                Err(ChunkErrorKind::Panic("conversions do not come in pieces".to_owned()))
            }
            Destination::Variable(target) => {
                let text = self.conversion.convert_text(stored, target);
                match text.map_err(|cause| ChunkErrorKind::Codec(Arc::new(cause)))? {
                    None => Ok(Decoded::Complete),
                    Some(needed) => Ok(Decoded::Outgrown { needed }),
                }
            }
        };
        decode_to_scratch(&*self.inner, chunk, params, encoded, scratch, resume, take)
    }
}
