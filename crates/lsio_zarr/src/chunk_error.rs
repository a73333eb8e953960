//! Codec errors as chunk errors.

use std::sync::Arc;

use lsio_array::ChunkErrorKind;
use lsio_codecs::CodecError;

/// What a failed codec says about the chunk. The codec's name is in [`CodecError::codec`].
pub(crate) fn kind_of(error: CodecError) -> ChunkErrorKind {
    match error {
        CodecError::Checksum { stored, computed, .. } => {
            ChunkErrorKind::Checksum { stored, computed }
        }
        CodecError::Length { expected, actual, .. } => ChunkErrorKind::Length { expected, actual },
        CodecError::Truncated { expected, actual, .. } => {
            ChunkErrorKind::Truncated { expected, actual }
        }
        CodecError::TooLarge { needed, limit, .. } => ChunkErrorKind::TooLarge { needed, limit },
        CodecError::Function { .. } => ChunkErrorKind::CodecFunction(Arc::new(error)),
        other => ChunkErrorKind::Codec(Arc::new(other)),
    }
}
