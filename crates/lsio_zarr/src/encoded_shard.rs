//! Shards that are encoded as a whole, such as compressed ones: read and decoded once, then looked into.
//!
//! The specification allows bytes-to-bytes codecs after `sharding_indexed`. Such a shard cannot be read
//! in part. Its decoded bytes are beside the memory budget while it is being read; they live as long as the
//! executor keeps the answer, which counts them.

use std::sync::Arc;

use lsio_codecs::{BytesCodec, CodecError, Growth, decode_growing};
use lsio_io::SharedBytes;

use crate::shard_level::ShardIndex;

/// What encoded shards may have beyond the worst case of their codecs, in bytes: headers of writers.
const SLACK: u64 = 64 << 10;

/// The codecs after a sharding codec.
#[derive(Debug, Clone)]
pub(crate) struct ShardCodecs {
    /// In the order of encoding; not empty.
    codecs: Vec<Arc<dyn BytesCodec>>,
    /// Most bytes that there are before any of the codecs encodes, or after it.
    limit: u64,
    encoded_limit: u64,
    growth_limit: u64,
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
    /// Codecs for shards of at most `decoded_bound` bytes; `None` if there are none. Where that bound is a
    /// guess, shards of up to `growth_limit` bytes are read too.
    pub(crate) fn new(
        codecs: Vec<Arc<dyn BytesCodec>>,
        decoded_bound: u64,
        growth_limit: u64,
    ) -> Option<Self> {
        if codecs.is_empty() {
            return None;
        }
        let (mut longest, mut encoded_bound) = (decoded_bound, decoded_bound);
        for codec in &codecs {
            encoded_bound = codec.encoded_bound(encoded_bound);
            longest = longest.max(encoded_bound);
        }
        Some(Self {
            codecs,
            limit: longest.saturating_add(SLACK),
            encoded_limit: encoded_bound.saturating_add(SLACK),
            growth_limit,
        })
    }

    /// Most bytes that an encoded shard is expected to have.
    pub(crate) fn encoded_limit(&self) -> u64 {
        self.encoded_limit
    }

    /// Most bytes that a shard is expected to have, encoded or decoded: there must be memory for so many before
    /// one is read.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Most bytes that a shard may have, encoded or decoded.
    pub(crate) fn growth_limit(&self) -> u64 {
        self.limit.max(self.growth_limit)
    }

    /// The bytes of the shard that `encoded` is, at most `limit`: [`ShardCodecs::limit`] or what that was
    /// raised to.
    ///
    /// # Errors
    /// [`CodecError`] for bytes that are not what the codecs write, or that decode to more than `limit`.
    pub(crate) fn decode(&self, encoded: &[u8], limit: u64) -> Result<Vec<u8>, CodecError> {
        // What one codec leaves to the next is there beside what that makes of it.
        let between = if self.codecs.len() > 1 { limit } else { 0 };
        let mut decoded = Vec::new();
        let room = limit.saturating_add(between);
        let needed = match decode_growing(&self.codecs, encoded, room, &mut decoded)? {
            Growth::Complete if decoded.len() as u64 <= limit => return Ok(decoded),
            Growth::Complete => decoded.len() as u64,
            Growth::Needs(needed) => needed,
        };
        let codec = self.codecs.last().map_or("sharding_indexed", |codec| codec.name());
        Err(CodecError::TooLarge { codec, needed, limit })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use lsio_array::DataType;
    use lsio_codecs::{ChunkContext, Codec, codec_v3};
    use serde_json::json;

    fn codecs(names: &[&str], decoded_bound: u64) -> ShardCodecs {
        let context = ChunkContext { data_type: DataType::UInt8, shape: vec![1] };
        let codec = |name: &&str| {
            let configuration = match *name {
                "gzip" => json!({"level": 1}),
                "zstd" => json!({"level": 1, "checksum": false}),
                _ => json!({}),
            };
            match codec_v3(name, configuration.as_object().unwrap(), &context).unwrap() {
                Codec::BytesToBytes(codec) => codec,
                other => panic!("{other:?}"),
            }
        };
        ShardCodecs::new(names.iter().map(codec).collect(), decoded_bound, 0).unwrap()
    }

    fn encoded(codecs: &ShardCodecs, shard: &[u8]) -> Vec<u8> {
        let mut current = shard.to_vec();
        for codec in &codecs.codecs {
            let mut next = Vec::new();
            codec.encode(&current, &mut next).unwrap();
            current = next;
        }
        current
    }

    fn incompressible(len: u32) -> Vec<u8> {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn shards_come_back_whatever_their_length() {
        let smooth = |i: u32| (i / 7) as u8;
        for names in [
            &["gzip"][..],
            &["crc32c"],
            &["zstd", "crc32c"],
            &["crc32c", "gzip", "zstd"],
            &["gzip", "zstd", "gzip", "zstd", "gzip"],
        ] {
            for len in [0, 1, 1000, 1 << 20] {
                for shard in [(0..len).map(smooth).collect(), incompressible(len)] {
                    let shard: Vec<u8> = shard;
                    let codecs = codecs(names, 1 << 20);
                    let decoded = codecs.decode(&encoded(&codecs, &shard), codecs.limit()).unwrap();
                    assert!(decoded == shard, "{names:?} {len}");
                }
            }
        }
    }

    #[test]
    fn a_shard_that_grows_beyond_its_bound_is_an_error() {
        for name in ["gzip", "zstd"] {
            let codecs = codecs(&[name], 1000);
            let bomb = encoded(&codecs, &vec![0; 8 << 20]);
            assert!((bomb.len() as u64) < codecs.encoded_limit());
            assert!(
                matches!(codecs.decode(&bomb, codecs.limit()), Err(CodecError::TooLarge { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn a_flipped_bit_under_a_checksum_is_an_error() {
        let codecs = codecs(&["crc32c"], 1000);
        let mut bytes = encoded(&codecs, &[5; 100]);
        bytes[50] ^= 1;
        assert!(matches!(codecs.decode(&bytes, codecs.limit()), Err(CodecError::Checksum { .. })));
        assert!(codecs.decode(&[1, 2, 3], codecs.limit()).is_err());
    }
}
