//! The one error that users of this crate see, and the one place where all others become it.

use std::error::Error;
use std::sync::Arc;

use lsio_array::{ChunkError, ChunkErrorKind, SelectionError};
use lsio_codecs::CodecError;
use lsio_compute::RunError;
use lsio_io::StorageError;
use lsio_object_store_bridge::StoreError;
use lsio_uring::EngineError;
use lsio_zarr::ZarrError;
use lsio_zip::ZipError;

/// What a caller can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// There is nothing at the location, or no metadata.
    NotFound,
    /// Metadata that is not valid.
    Metadata,
    /// Something valid that this library does not do.
    Unsupported,
    /// A selection that does not fit the array.
    Selection,
    /// Bytes that are not what their codec writes.
    Codec,
    /// A checksum that does not match.
    Checksum,
    /// A chunk or object that ends too early.
    Truncated,
    /// The operating system or the store failed.
    Io,
    /// Access was refused.
    Access,
    /// More memory than is allowed.
    Budget,
    /// It was closed or cancelled.
    Closed,
    /// An object changed while it was read, or settings contradict those in use.
    Conflict,
    /// A defect of this library.
    Internal,
}

impl ErrorCode {
    /// The name that JavaScript users see.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFound => "ERR_LSIO_NOT_FOUND",
            Self::Metadata => "ERR_LSIO_METADATA",
            Self::Unsupported => "ERR_LSIO_UNSUPPORTED",
            Self::Selection => "ERR_LSIO_SELECTION",
            Self::Codec => "ERR_LSIO_CODEC",
            Self::Checksum => "ERR_LSIO_CHECKSUM",
            Self::Truncated => "ERR_LSIO_TRUNCATED",
            Self::Io => "ERR_LSIO_IO",
            Self::Access => "ERR_LSIO_ACCESS",
            Self::Budget => "ERR_LSIO_BUDGET",
            Self::Closed => "ERR_LSIO_CLOSED",
            Self::Conflict => "ERR_LSIO_CONFLICT",
            Self::Internal => "ERR_LSIO_INTERNAL",
        }
    }
}

/// A failed call: what was being done, on what, why.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct LsioError {
    /// What a caller can tell apart.
    pub code: ErrorCode,
    /// What was being done, on what.
    pub message: String,
    /// The location, document or object concerned.
    pub path: Option<String>,
    /// Grid coordinates of the chunk concerned.
    pub chunk: Option<Vec<u64>>,
    /// Codec in which it failed.
    pub codec: Option<&'static str>,
    /// What was underneath.
    #[source]
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

impl LsioError {
    /// An error without anything underneath.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message, path: None, chunk: None, codec: None, source: None }
    }

    pub(crate) fn at(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// Whether the same call may succeed when it is made again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code == ErrorCode::Conflict
    }

    /// What a codec of the user that failed has given to find its own error by.
    #[must_use]
    pub fn function_number(&self) -> Option<u64> {
        let chunk: &ChunkError = self.source.as_deref()?.downcast_ref()?;
        let ChunkErrorKind::CodecFunction(cause) = &chunk.kind else { return None };
        match cause.downcast_ref() {
            Some(CodecError::Function { number, .. }) => *number,
            _ => None,
        }
    }

    /// Messages of what was underneath, outermost first.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = self.source();
        while let Some(error) = next {
            let text = error.to_string();
            // Transparent wrappers say the same again.
            if causes.last() != Some(&text) && text != self.message {
                causes.push(text);
            }
            next = error.source();
        }
        causes
    }
}

fn storage_code(error: &StorageError) -> ErrorCode {
    match error {
        StorageError::NotFound { .. } | StorageError::NoStore { .. } => ErrorCode::NotFound,
        StorageError::Access { .. } => ErrorCode::Access,
        StorageError::Io { .. } => ErrorCode::Io,
        StorageError::Truncated { .. } => ErrorCode::Truncated,
        StorageError::Conflict { .. } => ErrorCode::Conflict,
        StorageError::TooLong { .. } => ErrorCode::Budget,
        StorageError::InvalidKey { .. } => ErrorCode::Metadata,
        StorageError::Unsupported { .. } => ErrorCode::Unsupported,
        StorageError::Cancelled { .. } | StorageError::Closed { .. } => ErrorCode::Closed,
    }
}

impl From<ZarrError> for LsioError {
    fn from(error: ZarrError) -> Self {
        let (code, path) = match &error {
            ZarrError::NotFound { path, .. } => (ErrorCode::NotFound, path),
            ZarrError::Metadata { path, .. } => (ErrorCode::Metadata, path),
            ZarrError::Unsupported { path, .. } => (ErrorCode::Unsupported, path),
            ZarrError::Storage { path, source } | ZarrError::Unlisted { path, source } => {
                (storage_code(source), path)
            }
            ZarrError::Write { path, .. } => (ErrorCode::Internal, path),
        };
        let path = path.clone();
        let message = error.to_string();
        let source = Some(Arc::new(error) as Arc<dyn Error + Send + Sync>);
        Self { source, ..Self::new(code, message).at(path) }
    }
}

impl From<StorageError> for LsioError {
    fn from(error: StorageError) -> Self {
        let message = error.to_string();
        Self { source: Some(Arc::new(error.clone())), ..Self::new(storage_code(&error), message) }
    }
}

impl From<StoreError> for LsioError {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Address { .. } => ErrorCode::NotFound,
            StoreError::Unencrypted { .. } => ErrorCode::Access,
            StoreError::Option { .. } | StoreError::SetUp { .. } => ErrorCode::Unsupported,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ZipError> for LsioError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Storage(error) => error.into(),
            ZipError::Invalid { .. } => {
                let message = error.to_string();
                Self { source: Some(Arc::new(error)), ..Self::new(ErrorCode::Metadata, message) }
            }
        }
    }
}

impl From<ChunkError> for LsioError {
    fn from(error: ChunkError) -> Self {
        let code = match &error.kind {
            // A chunk that an index names, or that was there a moment ago, is gone.
            ChunkErrorKind::Storage(StorageError::NotFound { .. }) => ErrorCode::Conflict,
            ChunkErrorKind::Storage(error) => storage_code(error),
            ChunkErrorKind::Missing => ErrorCode::NotFound,
            ChunkErrorKind::Codec(_)
            | ChunkErrorKind::CodecFunction(_)
            | ChunkErrorKind::Length { .. } => ErrorCode::Codec,
            ChunkErrorKind::Checksum { .. } => ErrorCode::Checksum,
            ChunkErrorKind::Truncated { .. } => ErrorCode::Truncated,
            ChunkErrorKind::TooLarge { .. } => ErrorCode::Budget,
            ChunkErrorKind::Function(_) | ChunkErrorKind::Panic(_) => ErrorCode::Internal,
        };
        let message = format!("{error}: {}", error.kind);
        let (path, chunk, codec) = (error.array.to_string(), error.chunk.clone(), error.codec);
        let source = Some(Arc::new(error) as Arc<dyn Error + Send + Sync>);
        Self { chunk: Some(chunk), codec, source, ..Self::new(code, message).at(path) }
    }
}

impl From<RunError> for LsioError {
    fn from(error: RunError) -> Self {
        let code = match &error {
            RunError::Chunk(error) => return error.clone().into(),
            RunError::Cancelled => ErrorCode::Closed,
            RunError::Budget { .. } => {
                let hint = "raise the memory budget, or read an array with smaller chunks";
                return Self::new(ErrorCode::Budget, format!("{error}; {hint}"));
            }
            RunError::OutOfMemory { .. } => ErrorCode::Budget,
        };
        Self::new(code, error.to_string())
    }
}

impl From<SelectionError> for LsioError {
    fn from(error: SelectionError) -> Self {
        Self::new(ErrorCode::Selection, error.to_string())
    }
}

impl From<EngineError> for LsioError {
    fn from(error: EngineError) -> Self {
        Self::new(ErrorCode::Unsupported, error.to_string())
    }
}
