//! `reshape`: the same elements in another shape.

use serde_json::Value;

use crate::configuration::Members;
use crate::{ArrayCodec, ChunkContext, CodecError};

/// `reshape`: the same elements in another shape.
///
/// The order of the elements stays, so there is nothing to undo; codecs behind it see the other shape.
///
/// - Specification: Zarr v3 extension "reshape codec".
/// - Names: v3 `reshape`, configuration `{"shape": [..]}` of sizes, lists of dimensions that are joined, and
///   at most one -1.
///
/// ```
/// use lsio_array::DataType;
/// use lsio_codecs::{ChunkContext, codec_v3};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ChunkContext { data_type: DataType::UInt8, shape: vec![100, 50, 64, 3] };
/// let configuration = serde_json::from_str(r#"{"shape": [[0, 1], [2], 3]}"#)?;
/// let reshape = codec_v3("reshape", &configuration, &context)?;
/// assert_eq!(reshape.encoded_context(&context)?.shape, [5000, 64, 3]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reshape {
    decoded: Vec<u64>,
    encoded: Vec<u64>,
}

/// One entry of the shape.
enum Extent {
    Size(u64),
    Joined(Vec<usize>),
    Rest,
}

impl Reshape {
    pub(crate) const NAME: &'static str = "reshape";

    /// From the configuration in metadata.
    pub(crate) fn from_members(
        mut members: Members<'_>,
        context: &ChunkContext,
    ) -> Result<Self, CodecError> {
        let value = members.get("shape").unwrap_or(&Value::Null);
        let unexpected = || members.unexpected("shape", value, "a list of sizes, lists, or -1");
        let extents = value.as_array().ok_or_else(unexpected)?;
        let extents: Option<Vec<Extent>> = extents.iter().map(Extent::read).collect();
        let extents = extents.ok_or_else(unexpected)?;
        members.finish()?;
        let encoded = resolve(&extents, &context.shape)?;
        Ok(Self { decoded: context.shape.clone(), encoded })
    }
}

impl Extent {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Array(axes) => {
                let axis = |axis: &Value| usize::try_from(axis.as_u64()?).ok();
                axes.iter().map(axis).collect::<Option<_>>().map(Self::Joined)
            }
            value if value.as_i64() == Some(-1) => Some(Self::Rest),
            value => value.as_u64().filter(|&size| size > 0).map(Self::Size),
        }
    }
}

/// The product, if it can be had.
fn product<'a>(extents: impl IntoIterator<Item = &'a u64>) -> Option<u64> {
    extents.into_iter().try_fold(1u64, |product, &extent| product.checked_mul(extent))
}

/// The shape that `extents` make of `shape`.
fn resolve(extents: &[Extent], shape: &[u64]) -> Result<Vec<u64>, CodecError> {
    let wrong = |reason: &str| CodecError::configuration(Reshape::NAME, reason);
    let axes = || {
        extents.iter().flat_map(|extent| match extent {
            Extent::Joined(axes) => axes.as_slice(),
            Extent::Size(_) | Extent::Rest => &[],
        })
    };
    if !axes().is_sorted_by(|one, next| one < next) || axes().any(|&axis| axis >= shape.len()) {
        return Err(wrong("'shape' must name dimensions of the chunk in ascending order"));
    }
    let too_large = || wrong("the product of 'shape' is too large");
    let count = product(shape).ok_or_else(too_large)?;
    let mut resolved = Vec::new();
    let mut rest = None;
    for (index, extent) in extents.iter().enumerate() {
        resolved.push(match extent {
            Extent::Size(size) => *size,
            Extent::Joined(axes) => {
                product(axes.iter().map(|&axis| &shape[axis])).ok_or_else(too_large)?
            }
            Extent::Rest if rest.replace(index).is_some() => {
                return Err(wrong("'shape' may have one -1 only"));
            }
            Extent::Rest => 1,
        });
    }
    if let Some(rest) = rest {
        let known = product(&resolved).ok_or_else(too_large)?;
        resolved[rest] = count.checked_div(known).unwrap_or(0);
    }
    if product(&resolved) != Some(count) {
        return Err(wrong(&format!("{resolved:?} does not have as many elements as {shape:?}")));
    }
    for (index, extent) in extents.iter().enumerate() {
        let Extent::Joined(axes) = extent else { continue };
        let (Some(&first), Some(&last)) = (axes.first(), axes.last()) else { continue };
        if product(&resolved[..index]) != product(&shape[..first])
            || product(&resolved[index + 1..]) != product(&shape[last + 1..])
        {
            return Err(wrong("the dimensions that 'shape' joins do not stand where they stood"));
        }
    }
    Ok(resolved)
}

impl ArrayCodec for Reshape {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encoded_context(&self, decoded: &ChunkContext) -> Result<ChunkContext, CodecError> {
        if decoded.shape != self.decoded {
            let reason = format!("it is for the shape {:?}, not {:?}", self.decoded, decoded.shape);
            return Err(CodecError::configuration(Self::NAME, reason));
        }
        Ok(ChunkContext { shape: self.encoded.clone(), ..decoded.clone() })
    }

    fn encoded_fill(&self, fill_value: &[u8]) -> Option<Vec<u8>> {
        Some(fill_value.to_vec())
    }

    fn decodes_to_itself(&self) -> bool {
        true
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<(), CodecError> {
        decoded.copy_from_slice(encoded);
        Ok(())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        encoded.extend_from_slice(decoded);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::configuration::Dialect;
    use lsio_array::DataType;

    fn reshaped(shape: &[u64], text: &str) -> Result<Vec<u64>, CodecError> {
        let map = serde_json::from_str(&format!(r#"{{"shape":{text}}}"#)).unwrap();
        let context = ChunkContext { data_type: DataType::Int8, shape: shape.to_vec() };
        let members = Members::new(Reshape::NAME, Dialect::V3, &map);
        Reshape::from_members(members, &context).map(|reshape| reshape.encoded)
    }

    #[test]
    fn shapes_are_resolved_as_specified() {
        assert_eq!(reshaped(&[2, 3, 4], "[6, 4]").unwrap(), [6, 4]);
        assert_eq!(reshaped(&[2, 3, 4], "[-1]").unwrap(), [24]);
        assert_eq!(reshaped(&[2, 3, 4], "[[0, 1], -1, 2]").unwrap(), [6, 2, 2]);
        assert_eq!(reshaped(&[2, 3, 4], "[[0], [], [1, 2]]").unwrap(), [2, 1, 12]);
        assert_eq!(reshaped(&[], "[1, 1]").unwrap(), [1, 1]);
        assert_eq!(reshaped(&[], "[]").unwrap(), [0; 0]);
    }

    #[test]
    fn what_would_move_elements_or_change_their_number_is_refused() {
        for text in [
            "[5, 4]",
            "[-1, -1]",
            "[-1, 5]",
            "[0, -1]",
            "[[1], [0], [2]]",
            "[[1, 0], [2]]",
            "[[0, 2], 3]",
            "[[1], 8]",
            "[[3], 24]",
            "[-2]",
            "3",
            "[\"a\"]",
            "[4294967296, 4294967296, 4294967296]",
        ] {
            assert!(reshaped(&[2, 3, 4], text).is_err(), "{text}");
        }
    }
}
