//! Shards that are encoded as a whole, such as compressed ones: read and decoded once, then looked into.
//!
//! The specification allows bytes-to-bytes codecs after `sharding_indexed`. Such a shard cannot be read
//! in part. Its decoded bytes are beside the memory budget; they live as long as the executor keeps the
//! answer.

use std::borrow::Cow;
use std::sync::Arc;

use lsio_codecs::{BytesCodec, CodecError};
use lsio_io::SharedBytes;

use crate::sharding::ShardIndex;

/// What encoded shards may have beyond the worst case of their codecs, in bytes: headers of writers.
const SLACK: u64 = 64 << 10;

/// The codecs after a sharding codec.
#[derive(Debug, Clone)]
pub(crate) struct ShardCodecs {
    /// In the order of encoding; not empty.
    codecs: Vec<Arc<dyn BytesCodec>>,
    decoded_limit: u64,
    encoded_limit: u64,
}

/// A shard that was decoded as a whole.
#[derive(Debug)]
pub(crate) struct DecodedShard {
    /// The bytes of the shard, index included.
    pub(crate) bytes: SharedBytes,
    /// What its index says.
    pub(crate) index: ShardIndex,
}

impl ShardCodecs {
    /// Codecs for shards of at most `decoded_bound` bytes; `None` if there are none.
    pub(crate) fn new(codecs: Vec<Arc<dyn BytesCodec>>, decoded_bound: u64) -> Option<Self> {
        if codecs.is_empty() {
            return None;
        }
        let encoded_bound =
            codecs.iter().fold(decoded_bound, |bound, codec| codec.encoded_bound(bound));
        Some(Self {
            codecs,
            decoded_limit: decoded_bound.saturating_add(SLACK),
            encoded_limit: encoded_bound.saturating_add(SLACK),
        })
    }

    /// Most bytes that an encoded shard may have.
    pub(crate) fn encoded_limit(&self) -> u64 {
        self.encoded_limit
    }

    /// The bytes of the shard that `encoded` is.
    ///
    /// # Errors
    /// [`CodecError`] for bytes that are not what the codecs write, or that decode to more than a shard
    /// can have.
    pub(crate) fn decode(&self, encoded: &[u8]) -> Result<Vec<u8>, CodecError> {
        let mut current = Cow::Borrowed(encoded);
        for codec in self.codecs.iter().rev() {
            let decoded = match codec.payload(&current)? {
                Some(payload) => payload.to_vec(),
                None => self.decode_growing(codec.as_ref(), &current)?,
            };
            current = Cow::Owned(decoded);
        }
        Ok(current.into_owned())
    }

    /// Decodes to a length that only decoding tells, in a buffer that doubles up to the limit.
    fn decode_growing(
        &self,
        codec: &dyn BytesCodec,
        encoded: &[u8],
    ) -> Result<Vec<u8>, CodecError> {
        let limit = self.encoded_limit.max(self.decoded_limit);
        let guess = (encoded.len() as u64).saturating_mul(4).max(SLACK);
        let mut decoded = vec![0; codec.stated_len(encoded).unwrap_or(guess).min(limit) as usize];
        loop {
            match codec.decode(encoded, &mut decoded) {
                Ok(len) => {
                    decoded.truncate(len);
                    return Ok(decoded);
                }
                Err(CodecError::TooLarge { .. }) if (decoded.len() as u64) < limit => {
                    let doubled = (decoded.len() as u64).saturating_mul(2).clamp(SLACK, limit);
                    decoded = vec![0; doubled as usize];
                }
                Err(error) => return Err(error),
            }
        }
    }
}
