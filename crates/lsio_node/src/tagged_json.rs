//! JSON for the facade, in which numbers that `JSON.parse` would round or cannot read are tagged:
//! `{"$lsio": "bigint", "value": "9007199254740993"}`, `{"$lsio": "number", "value": "NaN"}`. Bytes are
//! `{"$lsio": "bytes", "value": "00ff", "length": 4}`, without the zeros at their end. An object that has a member `$lsio` itself is wrapped: `{"$lsio": "object", "value": {...}}`.

use serde_json::{Map, Number, Value, json};

const TAG: &str = "$lsio";

/// Integers beyond this are rounded by a JavaScript number: 2^53 - 1.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The value with tags.
pub(crate) fn tagged(value: &Value) -> Value {
    match value {
        Value::Number(number) => tagged_number(number),
        Value::Array(items) => items.iter().map(tagged).collect(),
        Value::Object(members) => tagged_object(members),
        other => other.clone(),
    }
}

/// The members with tags.
pub(crate) fn tagged_object(members: &Map<String, Value>) -> Value {
    let inner = members.iter().map(|(name, value)| (name.clone(), tagged(value))).collect();
    let inner = Value::Object(inner);
    if members.contains_key(TAG) { json!({ TAG: "object", "value": inner }) } else { inner }
}

/// An integer of any length, by its digits.
pub(crate) fn bigint(digits: impl ToString) -> Value {
    json!({ TAG: "bigint", "value": digits.to_string() })
}

/// A float, exact, whatever it is.
pub(crate) fn float(value: f64) -> Value {
    if value.is_finite() {
        // The shortest digits that give the same value back.
        let number = format!("{value:e}").parse().map(Value::Number);
        return number.unwrap_or(Value::Null);
    }
    let name = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    json!({ TAG: "number", "value": name })
}

/// Bytes: a fill value may have millions, nearly always zeros.
pub(crate) fn bytes(value: &[u8]) -> Value {
    let significant = value.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let digit = |half: u8| char::from_digit(half.into(), 16);
    let digits: String = value[..significant]
        .iter()
        .flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)])
        .flatten()
        .collect();
    json!({ TAG: "bytes", "value": digits, "length": value.len() })
}

/// A count, such as the length of a dimension.
pub(crate) fn count(value: u64) -> Value {
    if value > MAX_SAFE_INTEGER { bigint(value) } else { value.into() }
}

fn tagged_number(number: &Number) -> Value {
    let text = number.as_str();
    match text {
        "NaN" | "Infinity" | "-Infinity" => json!({ TAG: "number", "value": text }),
        _ if text.contains(['.', 'e', 'E']) => Value::Number(number.clone()),
        _ => match text.trim_start_matches('-').parse::<u64>() {
            Ok(magnitude) if magnitude <= MAX_SAFE_INTEGER => Value::Number(number.clone()),
            _ => bigint(text),
        },
    }
}
