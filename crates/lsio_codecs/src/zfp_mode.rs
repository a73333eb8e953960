//! The modes of zfp as metadata spells them: by name in Zarr v3, by number in numcodecs.

use std::ops::RangeInclusive;

use serde_json::Value;
use zfp_rs::{ZfpConfig, ZfpDimensionality, ZfpScalarType, ZfpStreamAlignment};

use crate::configuration::Members;
use crate::{CodecError, Zfp};

/// The configuration of Zarr v3.
pub(crate) fn config(
    members: &mut Members<'_>,
    scalar_type: ZfpScalarType,
    dimensionality: ZfpDimensionality,
) -> Result<ZfpConfig, CodecError> {
    match members.string("mode")? {
        Some("reversible") => Ok(ZfpConfig::reversible()),
        Some("fixed_rate") => fixed_rate(members, scalar_type, dimensionality),
        Some("fixed_precision") => fixed_precision(members),
        Some("fixed_accuracy") => fixed_accuracy(members),
        Some("expert") => {
            let bits = 0..=u32::MAX.into();
            let min_bits = required(members, "minbits", bits.clone())?;
            let max_bits = required(members, "maxbits", bits.clone())?;
            let max_precision = required(members, "maxprec", bits)?;
            let exponents = i32::MIN.into()..=i32::MAX.into();
            let min_exponent = required(members, "minexp", exponents)?;
            ZfpConfig::expert(min_bits, max_bits, max_precision, min_exponent)
                .map_err(|error| CodecError::configuration(Zfp::NAME, error.to_string()))
        }
        Some(other) => Err(members.unexpected("mode", &other.into(), "a mode of zfp")),
        None => Err(members.unexpected("mode", &Value::Null, "a mode of zfp")),
    }
}

/// The configuration of numcodecs, whose modes are numbers: those of zfp's `zfp_mode`.
pub(crate) fn numcodecs_config(
    members: &mut Members<'_>,
    scalar_type: ZfpScalarType,
    dimensionality: ZfpDimensionality,
) -> Result<ZfpConfig, CodecError> {
    match members.integer("mode", 2..=5)?.unwrap_or(4) {
        2 => fixed_rate(members, scalar_type, dimensionality),
        3 => fixed_precision(members),
        4 => fixed_accuracy(members),
        _ => Ok(ZfpConfig::reversible()),
    }
}

fn fixed_rate(
    members: &mut Members<'_>,
    scalar_type: ZfpScalarType,
    dimensionality: ZfpDimensionality,
) -> Result<ZfpConfig, CodecError> {
    let value = members.get("rate").unwrap_or(&Value::Null);
    let rate = value.as_f64().and_then(|rate| {
        let unaligned = ZfpStreamAlignment::Unaligned;
        ZfpConfig::fixed_rate(rate, scalar_type, dimensionality, unaligned).ok()
    });
    rate.ok_or_else(|| members.unexpected("rate", value, "a number of bits per element"))
}

fn fixed_precision(members: &mut Members<'_>) -> Result<ZfpConfig, CodecError> {
    required(members, "precision", 0..=64).map(ZfpConfig::fixed_precision)
}

fn fixed_accuracy(members: &mut Members<'_>) -> Result<ZfpConfig, CodecError> {
    let value = members.get("tolerance").unwrap_or(&Value::Null);
    let tolerance = value.as_f64().map(ZfpConfig::fixed_accuracy);
    tolerance.ok_or_else(|| members.unexpected("tolerance", value, "a number"))
}

/// An integer that must be there.
fn required<T: TryFrom<i64>>(
    members: &mut Members<'_>,
    name: &'static str,
    range: RangeInclusive<i64>,
) -> Result<T, CodecError> {
    let number = members.integer(name, range)?;
    number.ok_or_else(|| members.unexpected(name, &Value::Null, "an integer"))
}
