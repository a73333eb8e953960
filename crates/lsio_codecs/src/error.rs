//! What can go wrong when a chunk is decoded, encoded, or when its codecs are configured.

use std::borrow::Cow;

/// A codec that cannot be had, is configured wrongly, or met bytes that are not what it writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// No codec of this name is implemented.
    #[error("there is no codec '{name}'")]
    Unsupported {
        /// As in the metadata.
        name: String,
    },
    /// A codec of the user cannot have this name.
    #[error("the codec '{name}' cannot be registered: its name is taken")]
    NameTaken {
        /// The name that was to be registered.
        name: String,
    },
    /// A codec of the user failed.
    #[error("the function of the {codec} codec failed: {reason}")]
    Function {
        /// Name of the codec.
        codec: &'static str,
        /// What it says.
        reason: String,
        /// For whoever runs the function: what to find its own error by.
        number: Option<u64>,
    },
    /// The metadata configures the codec in a way that it does not allow.
    #[error("the configuration of the {codec} codec is not valid: {reason}")]
    Configuration {
        /// Name of the codec.
        codec: &'static str,
        /// What is wrong, naming the member.
        reason: String,
    },
    /// The bytes are not what the codec writes.
    #[error("the {codec} codec cannot decode the bytes: {reason}")]
    Corrupt {
        /// Name of the codec.
        codec: &'static str,
        /// What is wrong with them.
        reason: Cow<'static, str>,
    },
    /// The stored checksum is not that of the bytes.
    #[error(
        "the {codec} checksum does not match: stored {stored:#010x}, computed {computed:#010x}"
    )]
    Checksum {
        /// Name of the codec.
        codec: &'static str,
        /// As stored.
        stored: u32,
        /// Of the bytes at hand.
        computed: u32,
    },
    /// The bytes are sound but decode to another length than the chunk has.
    #[error("the {codec} codec decodes to {actual} bytes, {expected} expected")]
    Length {
        /// Name of the codec.
        codec: &'static str,
        /// Bytes of the chunk by its shape and data type.
        expected: u64,
        /// Bytes in fact. A decoder that stops at the end of the chunk reports one more than
        /// `expected`.
        actual: u64,
    },
    /// The encoded bytes end before the codec has found all that it needs.
    #[error("the bytes for the {codec} codec end early: {actual} of at least {expected}")]
    Truncated {
        /// Name of the codec.
        codec: &'static str,
        /// Bytes that should be there; one more than `actual` where the format does not tell.
        expected: u64,
        /// Bytes that are there.
        actual: u64,
    },
    /// The bytes do not fit into the memory that is allowed for them.
    #[error("the {codec} codec needs {needed} bytes, {limit} are allowed")]
    TooLarge {
        /// Name of the codec.
        codec: &'static str,
        /// Bytes needed; where the format does not tell, a guess above `limit`.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
    },
}

impl CodecError {
    /// Name of the codec that failed; `None` for one that is not implemented.
    #[must_use]
    pub fn codec(&self) -> Option<&'static str> {
        match self {
            Self::Unsupported { .. } | Self::NameTaken { .. } => None,
            Self::Configuration { codec, .. }
            | Self::Function { codec, .. }
            | Self::Corrupt { codec, .. }
            | Self::Checksum { codec, .. }
            | Self::Length { codec, .. }
            | Self::Truncated { codec, .. }
            | Self::TooLarge { codec, .. } => Some(codec),
        }
    }

    /// [`CodecError::Corrupt`].
    pub(crate) fn corrupt(codec: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Corrupt { codec, reason: reason.into() }
    }

    /// [`CodecError::Configuration`].
    pub(crate) fn configuration(codec: &'static str, reason: impl Into<String>) -> Self {
        Self::Configuration { codec, reason: reason.into() }
    }
}
