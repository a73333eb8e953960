//! The configuration of shards: several chunks in one object, behind an index of them.
//!
//! Specification: Zarr v3, "Sharding codec" 1.0 (`sharding_indexed`).

use lsio_array::DataType;
use lsio_codecs::{ChunkContext, Codec, CodecChain, Serializer};
use serde_json::{Map, Value};

use crate::chunk_encoding::{codecs_of, refusal};
use crate::error::{Refusal, excerpt};
use crate::extension::{Extension, refuse_unknown_members};
use crate::json;

/// Name of the codec.
pub(crate) const SHARDING: &str = "sharding_indexed";

/// Most chunks in one shard. Their index has 16 bytes each and is kept in memory while it is in use.
const MAX_CHUNKS_PER_SHARD: u64 = 1 << 24;

/// Where in the shard the index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexLocation {
    /// Before the chunks.
    Start,
    /// After the chunks.
    End,
}

/// The configuration of one sharding codec.
#[derive(Debug, Clone)]
pub(crate) struct ShardingConfiguration {
    /// Shape of the chunks in the shard, by the axes that the codec sees.
    pub(crate) chunk_shape: Vec<u64>,
    /// Codecs of these chunks.
    pub(crate) codecs: Vec<Value>,
    /// Chunks in the shard along each of these axes.
    pub(crate) grid: Vec<u64>,
    /// Where in the shard the index is.
    pub(crate) index_location: IndexLocation,
    /// Codecs of the index.
    pub(crate) index_chain: CodecChain,
}

impl ShardingConfiguration {
    /// Reads the configuration for shards of `shard_shape`.
    pub(crate) fn parse(
        configuration: &Map<String, Value>,
        shard_shape: &[u64],
    ) -> Result<Self, Refusal> {
        refuse_unknown_members(
            configuration,
            &["chunk_shape", "codecs", "index_codecs", "index_location"],
        )?;
        let chunk_shape =
            json::lengths(json::required(configuration, "chunk_shape")?, "chunk_shape")?;
        let divides = chunk_shape.len() == shard_shape.len()
            && chunk_shape.iter().zip(shard_shape).all(|(&c, &s)| c != 0 && s % c == 0);
        if !divides {
            return Err(Refusal::invalid(format!(
                "the chunk shape {chunk_shape:?} in '{SHARDING}' does not divide the shard shape \
                 {shard_shape:?}"
            )));
        }
        let grid: Vec<u64> = shard_shape.iter().zip(&chunk_shape).map(|(s, c)| s / c).collect();
        let count = grid.iter().try_fold(1u64, |count, &along| count.checked_mul(along));
        if count.is_none_or(|count| count > MAX_CHUNKS_PER_SHARD) {
            return Err(Refusal::invalid(format!(
                "a shard can have {MAX_CHUNKS_PER_SHARD} chunks, shards of {shard_shape:?} with \
                 chunks of {chunk_shape:?} have more"
            )));
        }
        let index_location = match configuration.get("index_location") {
            None => IndexLocation::End,
            Some(Value::String(end)) if end == "end" => IndexLocation::End,
            Some(Value::String(start)) if start == "start" => IndexLocation::Start,
            Some(other) => {
                return Err(Refusal::invalid(format!(
                    "'index_location' must be \"start\" or \"end\", found {}",
                    excerpt(other)
                )));
            }
        };
        Ok(Self {
            chunk_shape,
            codecs: codec_list(configuration, "codecs")?.clone(),
            index_chain: index_chain(codec_list(configuration, "index_codecs")?, &grid)?,
            grid,
            index_location,
        })
    }
}

fn codec_list<'a>(
    configuration: &'a Map<String, Value>,
    member: &str,
) -> Result<&'a Vec<Value>, Refusal> {
    let value = json::required(configuration, member)?;
    value.as_array().ok_or_else(|| {
        Refusal::invalid(format!("'{member}' must be a list, found {}", excerpt(value)))
    })
}

/// The codecs of an index over `grid`: an array of uint64 with a last dimension of offset and length.
///
/// The specification forbids codecs whose encoded length depends on the contents: nobody could tell where the
/// index begins.
fn index_chain(codecs: &[Value], grid: &[u64]) -> Result<CodecChain, Refusal> {
    let context = ChunkContext { data_type: DataType::UInt64, shape: [grid, &[2]].concat() };
    let extensions: Vec<Extension> = codecs
        .iter()
        .map(|codec| Extension::parse(codec, "index_codecs"))
        .collect::<Result<_, _>>()?;
    let chain = codecs_of(&extensions, context.clone(), None)?;
    let varying = chain.iter().find(|codec| match codec {
        Codec::Transpose(_) | Codec::ArrayToArray(_) => false,
        Codec::ArrayToBytes(serializer) => !matches!(serializer, Serializer::Bytes(_)),
        Codec::BytesToBytes(codec) => !codec.has_known_len(),
        Codec::Suspending(_) => true,
    });
    if let Some(codec) = varying {
        return Err(Refusal::unsupported(format!(
            "the index codec '{}', whose encoded length is not known beforehand",
            codec.name()
        )));
    }
    CodecChain::new(chain, &context).map_err(refusal)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    fn valid() -> Value {
        json!({
            "chunk_shape": [2, 3],
            "codecs": ["bytes"],
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "big"}}, "crc32c"],
        })
    }

    fn parse(configuration: &Value) -> Result<ShardingConfiguration, Refusal> {
        ShardingConfiguration::parse(configuration.as_object().unwrap(), &[4, 6])
    }

    #[test]
    fn the_index_is_at_the_end_unless_said_otherwise() {
        let configuration = parse(&valid()).unwrap();
        assert_eq!(configuration.grid, [2, 2]);
        assert_eq!(configuration.index_location, IndexLocation::End);
        assert_eq!(configuration.index_chain.encoded_bound(), 4 * 16 + 4);
        let mut at_start = valid();
        at_start["index_location"] = json!("start");
        assert_eq!(parse(&at_start).unwrap().index_location, IndexLocation::Start);
    }

    #[test]
    fn the_length_of_the_index_follows_from_its_codecs() {
        let endian = json!({"name": "bytes", "configuration": {"endian": "little"}});
        let transpose = json!({"name": "transpose", "configuration": {"order": [2, 0, 1]}});
        for (codecs, len) in [
            (json!([endian]), 64),
            (json!([endian, "crc32c", "crc32c"]), 72),
            (json!([transpose, endian, "numcodecs.fletcher32"]), 68),
            (json!([endian, {"name": "shuffle", "configuration": {"elementsize": 8}}]), 64),
            (json!([endian, "crc32c", "base64"]), 92),
        ] {
            let mut configuration = valid();
            configuration["index_codecs"] = codecs.clone();
            assert_eq!(parse(&configuration).unwrap().index_chain.encoded_bound(), len, "{codecs}");
        }
    }

    #[test]
    fn impossible_configurations_are_invalid() {
        for (member, value) in [
            ("chunk_shape", json!([2])),
            ("chunk_shape", json!([2, 0])),
            ("chunk_shape", json!([3, 3])),
            ("chunk_shape", json!([8, 6])),
            ("codecs", json!("bytes")),
            ("codecs", json!(null)),
            ("index_codecs", json!([])),
            ("index_codecs", json!(["crc32c"])),
            ("index_codecs", json!(["crc32c", "bytes"])),
            ("index_codecs", json!([{"name": "transpose"}, "bytes"])),
            (
                "index_codecs",
                json!([{"name": "transpose", "configuration": {"order": [1, 0]}}, "bytes"]),
            ),
            ("index_codecs", json!({})),
            ("index_location", json!("middle")),
            ("index_location", json!(null)),
        ] {
            let mut configuration = valid();
            configuration[member] = value;
            let refusal = parse(&configuration).unwrap_err();
            assert!(matches!(refusal, Refusal::Invalid { .. }), "{configuration}: {refusal:?}");
        }
        for member in ["chunk_shape", "codecs", "index_codecs"] {
            let mut configuration = valid();
            configuration.as_object_mut().unwrap().remove(member);
            let message = parse(&configuration).unwrap_err().at("x").to_string();
            assert!(message.contains(member), "{message}");
        }
        let shape = [1 << 32, 1 << 32];
        let mut configuration = valid();
        configuration["chunk_shape"] = json!([1, 1]);
        let configuration = configuration.as_object().unwrap();
        let refusal = ShardingConfiguration::parse(configuration, &shape).unwrap_err();
        assert!(matches!(refusal, Refusal::Invalid { .. }));
    }

    #[test]
    fn what_the_index_cannot_be_read_with_is_unsupported_by_name() {
        let endian = json!({"name": "bytes", "configuration": {"endian": "little"}});
        for (member, value, name) in [
            (
                "index_codecs",
                json!([endian, {"name": "gzip", "configuration": {"level": 1}}]),
                "gzip",
            ),
            (
                "index_codecs",
                json!([endian, "crc32c", {"name": "zstd", "configuration": {"level": 1}}]),
                "zstd",
            ),
            ("index_codecs", json!(["pcodec"]), "pcodec"),
            ("index_codecs", json!([endian, "made-up"]), "made-up"),
            ("surprise", json!(1), "surprise"),
        ] {
            let mut configuration = valid();
            configuration[member] = value;
            match parse(&configuration).unwrap_err() {
                Refusal::Unsupported(what) => assert!(what.contains(name), "{what}"),
                Refusal::Invalid { reason, .. } => panic!("{reason}"),
            }
        }
    }
}
