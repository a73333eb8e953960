//! `cast_value`: the same numbers in another data type.

use lsio_array::DataType;
use serde_json::Value;

use crate::configuration::Members;
use crate::delta::no_value_of;
use crate::json_number::number_from_json;
use crate::number::{Number, cast};
use crate::real_number::{OutOfRange, Real, RealType, Rounding};
use crate::{ArrayCodec, ChunkContext, CodecError, Configuration};

/// `cast_value`: the same numbers in another data type.
///
/// A number is what the scalar map says; else itself; else it is rounded, and what is then beyond the range
/// is clamped or wraps, where the configuration says so. All else is an error. Entries of the map are compared
/// as numbers: any NaN is `"NaN"`, and the zeros are one. The fill value must come back as the same number.
///
/// - Specification: Zarr extensions, codec `cast_value`.
/// - Names: v3 `cast_value`: `{"data_type", "rounding"?, "out_of_range"?, "scalar_map"?}`.
///
/// ```
/// use lsio_array::DataType;
/// use lsio_codecs::{ChunkContext, Codec, codec_v3};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::Float64, shape: vec![2] };
/// let configuration =
///     serde_json::from_str(r#"{"data_type": "uint8", "scalar_map": {"decode": [[0, "NaN"]]}}"#)?;
/// let codec = codec_v3("cast_value", &configuration, &context)?;
/// let Codec::ArrayToArray(codec) = codec else { return Err("it makes elements".into()) };
/// let mut decoded = [0; 16];
/// codec.decode(&[0, 7], &mut decoded)?;
/// assert_eq!(decoded, [f64::NAN, 7.0].map(f64::to_ne_bytes).concat()[..]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CastValue {
    decoded: RealType,
    decoded_type: DataType,
    encoded: RealType,
    encoded_type: DataType,
    rounding: Rounding,
    out_of_range: OutOfRange,
    decode_map: ScalarMap,
    encode_map: ScalarMap,
}

/// What some numbers become.
type ScalarMap = Vec<(Real, Real)>;

impl CastValue {
    pub(crate) const NAME: &'static str = "cast_value";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let decoded_type = context.data_type.clone();
        let decoded = RealType::of(&decoded_type).ok_or_else(|| members.no_numbers(context))?;
        let (encoded_type, encoded) = data_type(&mut members)?;
        let rounding = match members.string("rounding")? {
            None | Some("nearest-even") => Rounding::NearestEven,
            Some("towards-zero") => Rounding::TowardsZero,
            Some("towards-positive") => Rounding::TowardsPositive,
            Some("towards-negative") => Rounding::TowardsNegative,
            Some("nearest-away") => Rounding::NearestAway,
            Some(other) => {
                return Err(members.unexpected("rounding", &other.into(), "a way of rounding"));
            }
        };
        let out_of_range = match members.string("out_of_range")? {
            None => OutOfRange::Refuse,
            Some("clamp") => OutOfRange::Clamp,
            Some("wrap") if matches!(encoded, RealType::Integer { .. }) => OutOfRange::Wrap,
            Some("wrap") => {
                let reason = format!("{encoded_type} is no integer, so it cannot wrap");
                return Err(CodecError::configuration(Self::NAME, reason));
            }
            Some(other) => {
                let expected = "\"clamp\" or \"wrap\"";
                return Err(members.unexpected("out_of_range", &other.into(), expected));
            }
        };
        let map = members.get("scalar_map");
        let types = [(&decoded_type, &decoded), (&encoded_type, &encoded)];
        let encode_map = scalar_map(&members, map, "encode", types)?;
        let decode_map = scalar_map(&members, map, "decode", [types[1], types[0]])?;
        members.finish()?;
        Ok(Self {
            decoded,
            decoded_type,
            encoded,
            encoded_type,
            rounding,
            out_of_range,
            decode_map,
            encode_map,
        })
    }

    /// Makes numbers of one data type of those of another.
    fn cast(&self, is_decode: bool, from: &[u8], to: &mut [u8]) -> Result<(), CodecError> {
        let (source, target) = (&self.encoded, &self.decoded);
        let (source, target, map) = if is_decode {
            (source, target, &self.decode_map)
        } else {
            (target, source, &self.encode_map)
        };
        let mapped = |value: Real| map.iter().find(|(from, _)| from.is(value)).map(|(_, to)| *to);
        let pairs = from.chunks_exact(source.size());
        if let Some((source_number, target_number)) = exact(source, target) {
            cast(source_number, from, target_number, to);
            if !map.is_empty() {
                for (from, to) in pairs.zip(to.chunks_exact_mut(target.size())) {
                    mapped(source.read(from)).inspect(|value| target.write(*value, to));
                }
            }
            return Ok(());
        }
        for (from, to) in pairs.zip(to.chunks_exact_mut(target.size())) {
            let value = source.read(from);
            let fitted =
                mapped(value).or_else(|| target.fit(value, self.rounding, self.out_of_range));
            let data_type = if is_decode { &self.decoded_type } else { &self.encoded_type };
            target.write(fitted.ok_or_else(|| no_value_of(Self::NAME, data_type))?, to);
        }
        Ok(())
    }
}

/// The kinds of numbers, if hardware knows both and each number of the first is one of the second.
fn exact(from: &RealType, to: &RealType) -> Option<(Number, Number)> {
    from.number().zip(to.number()).filter(|_| to.has_all_of(from))
}

/// The member `data_type`.
fn data_type(members: &mut Members<'_>) -> Result<(DataType, RealType), CodecError> {
    let value = members.get("data_type").unwrap_or(&Value::Null);
    let is_bare =
        |configuration: &Value| configuration.as_object().is_none_or(Configuration::is_empty);
    let name = match value {
        Value::Object(members) if members.get("configuration").is_none_or(is_bare) => {
            members.get("name").and_then(Value::as_str)
        }
        other => other.as_str(),
    };
    let found = name.and_then(DataType::from_name);
    let found = found.and_then(|found| RealType::of(&found).map(|real_type| (found, real_type)));
    found.ok_or_else(|| members.unexpected("data_type", value, "a data type of real numbers"))
}

/// One direction of the member `scalar_map`: from numbers of the first data type to those of the second.
fn scalar_map(
    members: &Members<'_>,
    map: Option<&Value>,
    direction: &str,
    [(from_type, from), (to_type, to)]: [(&DataType, &RealType); 2],
) -> Result<ScalarMap, CodecError> {
    let Some(map) = map else { return Ok(Vec::new()) };
    let refused = || {
        let expected = format!(
            "an object with pairs of numbers of {from_type} and {to_type} as '{direction}'"
        );
        members.unexpected("scalar_map", map, &expected)
    };
    let directions = map.as_object().ok_or_else(refused)?;
    if directions.keys().any(|key| !matches!(key.as_str(), "encode" | "decode")) {
        return Err(refused());
    }
    let Some(pairs) = directions.get(direction) else { return Ok(Vec::new()) };
    let pair = |pair: &Value| match pair.as_array()?.as_slice() {
        [key, value] => {
            let key = number_from_json(from_type, key)?;
            let value = number_from_json(to_type, value)?;
            Some((from.read(&key), to.read(&value)))
        }
        _ => None,
    };
    pairs.as_array().and_then(|pairs| pairs.iter().map(pair).collect()).ok_or_else(refused)
}

impl ArrayCodec for CastValue {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        if decoded.data_type != self.decoded_type {
            let (expected, found) = (&self.decoded_type, &decoded.data_type);
            let reason = format!("it is for elements of type {expected}, the chunk has {found}");
            return Err(CodecError::configuration(Self::NAME, reason));
        }
        Ok(ChunkContext { data_type: self.encoded_type.clone(), shape: decoded.shape.clone() })
    }

    fn encoded_fill(&self, fill_value: &[u8]) -> Option<Vec<u8>> {
        let mut encoded = Vec::new();
        self.encode(fill_value, &mut encoded).ok().map(|()| encoded)
    }

    fn check_fill(&self, fill_value: &[u8]) -> Result<(), CodecError> {
        let (mut encoded, mut decoded) = (Vec::new(), vec![0; fill_value.len()]);
        let cast = self
            .encode(fill_value, &mut encoded)
            .and_then(|()| self.decode(&encoded, &mut decoded));
        if cast.is_ok() && self.decoded.read(&decoded).is(self.decoded.read(fill_value)) {
            return Ok(());
        }
        let (from, to) = (&self.decoded_type, &self.encoded_type);
        let reason = format!("the fill value of type {from} does not come back from {to}");
        Err(CodecError::configuration(Self::NAME, reason))
    }

    fn decodes_to_itself(&self) -> bool {
        self.decoded_type == self.encoded_type && self.decode_map.is_empty()
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        self.cast(true, encoded, decoded)
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = encoded.len();
        encoded.resize(start + decoded.len() / self.decoded.size() * self.encoded.size(), 0);
        self.cast(false, decoded, &mut encoded[start..])
    }
}
