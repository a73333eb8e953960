//! Which elements are missing data, by the conventions of climate and forecast files.

use half::f16;
use lsio_array::DataType;
use lsio_zarr::{ArrayMetadata, decode_base64};
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
    if data_type.is_float() {
        let number = match value {
            // Numbers keep their text; the words of Python's writers are numbers too.
            Value::Number(number) => number.to_string().parse().ok()?,
            Value::String(text) => match text.parse::<f64>() {
                Ok(number) => number,
                Err(_) => f64::from_le_bytes(decode_base64(text)?.try_into().ok()?),
            },
            _ => return None,
        };
        return Some(match data_type {
            DataType::Small(float) => match (float.size(), float.from_f64(number)?) {
                (1, bits) => vec![u8::try_from(bits).ok()?],
                (_, bits) => bits.to_ne_bytes().to_vec(),
            },
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
        DataType::Int2 | DataType::Int4 | DataType::Int8 => {
            text.parse::<i8>().ok()?.to_ne_bytes().to_vec()
        }
        DataType::Int16 => text.parse::<i16>().ok()?.to_ne_bytes().to_vec(),
        DataType::Int32 => text.parse::<i32>().ok()?.to_ne_bytes().to_vec(),
        DataType::Int64 => text.parse::<i64>().ok()?.to_ne_bytes().to_vec(),
        DataType::UInt2 | DataType::UInt4 | DataType::UInt8 => {
            text.parse::<u8>().ok()?.to_ne_bytes().to_vec()
        }
        DataType::UInt16 => text.parse::<u16>().ok()?.to_ne_bytes().to_vec(),
        DataType::UInt32 => text.parse::<u32>().ok()?.to_ne_bytes().to_vec(),
        DataType::UInt64 => text.parse::<u64>().ok()?.to_ne_bytes().to_vec(),
        _ => return None,
    })
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
        let float = |text: &str| element(&json!(text), &DataType::Float64);
        assert_eq!(float("AAAAAICHw8A="), Some((-9999f64).to_ne_bytes().to_vec()));
        assert_eq!(float("AAAA"), None);
        assert_eq!(float("AAAAAICHw8*="), None);
    }
}
