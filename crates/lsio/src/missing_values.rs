//! Which elements are missing data, by the conventions of climate and forecast files.

use half::f16;
use lsio_array::DataType;
use lsio_zarr::ArrayMetadata;
use serde_json::Value;

/// The values that mark missing data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct MissingValues {
    nan: bool,
    /// Elements in memory representation.
    elements: Vec<Vec<u8>>,
}

impl MissingValues {
    /// Nothing is missing, not even NaN.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// NaN is missing.
    #[cfg(test)]
    pub(crate) fn nan() -> Self {
        Self { nan: true, elements: Vec::new() }
    }

    /// NaN, the attribute `_FillValue` and, in Zarr v2, the fill value.
    pub(crate) fn of(metadata: &ArrayMetadata) -> Self {
        let mut elements = Vec::new();
        if let Some(value) = metadata.attributes.get("_FillValue") {
            elements.extend(element(value, &metadata.data_type));
        }
        if metadata.zarr_format == 2 && !metadata.stored_fill_value.is_null() {
            elements.push(metadata.fill_value.to_vec());
        }
        elements.dedup();
        Self { nan: true, elements }
    }

    /// Whether a floating-point element is missing.
    #[inline]
    pub(crate) fn has(&self, number: f64, element: &[u8]) -> bool {
        (self.nan && number.is_nan()) || self.has_bytes(element)
    }

    /// Whether an element with these bytes is missing.
    #[inline]
    pub(crate) fn has_bytes(&self, element: &[u8]) -> bool {
        self.elements.iter().any(|missing| missing == element)
    }
}

/// An attribute's value as an element: a number, a word for a special float, or (as xarray writes it in
/// Zarr v3) base64 of a little-endian float64.
fn element(value: &Value, data_type: &DataType) -> Option<Vec<u8>> {
    if matches!(data_type, DataType::Float16 | DataType::Float32 | DataType::Float64) {
        let number = match value {
            // Numbers keep their text; the words of Python's writers are numbers too.
            Value::Number(number) => number.to_string().parse().ok()?,
            Value::String(text) => match text.parse::<f64>() {
                Ok(number) => number,
                Err(_) => f64::from_le_bytes(base64_of_8(text)?),
            },
            _ => return None,
        };
        return Some(match data_type {
            DataType::Float16 => f16::from_f64(number).to_ne_bytes().to_vec(),
            DataType::Float32 => (number as f32).to_ne_bytes().to_vec(),
            _ => number.to_ne_bytes().to_vec(),
        });
    }
    let Value::Number(number) = value else { return None };
    let text = number.to_string();
    // Writers that go through float64 store 0 as 0.0.
    let text = text.strip_suffix(".0").unwrap_or(&text);
    Some(match data_type {
        DataType::Int8 => text.parse::<i8>().ok()?.to_ne_bytes().to_vec(),
        DataType::Int16 => text.parse::<i16>().ok()?.to_ne_bytes().to_vec(),
        DataType::Int32 => text.parse::<i32>().ok()?.to_ne_bytes().to_vec(),
        DataType::Int64 => text.parse::<i64>().ok()?.to_ne_bytes().to_vec(),
        DataType::UInt8 => text.parse::<u8>().ok()?.to_ne_bytes().to_vec(),
        DataType::UInt16 => text.parse::<u16>().ok()?.to_ne_bytes().to_vec(),
        DataType::UInt32 => text.parse::<u32>().ok()?.to_ne_bytes().to_vec(),
        DataType::UInt64 => text.parse::<u64>().ok()?.to_ne_bytes().to_vec(),
        _ => return None,
    })
}

/// Decodes base64 of exactly 8 bytes: 11 characters and a padding sign.
fn base64_of_8(text: &str) -> Option<[u8; 8]> {
    let digits = text.strip_suffix('=')?.as_bytes();
    if digits.len() != 11 {
        return None;
    }
    let mut bits = 0u128;
    for &digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u128::from(value);
    }
    // 66 bits, of which the last two are padding.
    Some(u64::try_from(bits >> 2).ok()?.to_be_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attribute_values_become_elements_of_the_arrays_type() {
        let float = |value| element(&value, &DataType::Float32);
        assert_eq!(float(json!(-9999)), Some((-9999f32).to_ne_bytes().to_vec()));
        assert_eq!(float(json!("Infinity")), Some(f32::INFINITY.to_ne_bytes().to_vec()));
        assert_eq!(float(json!([1])), None);
        assert_eq!(element(&json!(-32768), &DataType::Int16), Some(vec![0x00, 0x80]));
        assert_eq!(element(&json!(40000), &DataType::Int16), None);
        let large: Value = serde_json::from_str("18446744073709551615").unwrap();
        assert_eq!(element(&large, &DataType::UInt64), Some(vec![0xFF; 8]));
    }

    #[test]
    fn base64_floats_are_read() {
        // base64 of struct.pack('<d', -9999.0) in Python.
        assert_eq!(base64_of_8("AAAAAICHw8A=").map(f64::from_le_bytes), Some(-9999.0));
        assert_eq!(base64_of_8("AAAA"), None);
        assert_eq!(base64_of_8("AAAAAICHw8*="), None);
    }
}
