//! Metadata text to JSON values, as leniently as Python's writers need and no more.
//!
//! Python's `json` module writes the bare words `NaN`, `Infinity` and `-Infinity`, which JSON does not
//! have. They become numbers whose text is that word, so `number.as_str().parse::<f64>()` is right for
//! every number. Numbers keep their text, so 64-bit integers and long fractions stay exact. Of members
//! with the same name the last one counts. `serde_json` refuses nesting deeper than 128 levels.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use crate::error::{Refusal, excerpt};

/// Python's words, and the numerals that stand in for them while `serde_json` parses. Nobody writes
/// these numerals: a float cannot hold their exponent.
const WORDS: [(&str, &str); 3] = [
    ("-Infinity", "-1e+987654321987"),
    ("Infinity", "1e+987654321987"),
    ("NaN", "0e+987654321987"),
];

/// Parses a document that must be a JSON object.
pub(crate) fn parse_object(document: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match parse(document)? {
        Value::Object(members) => Ok(members),
        other => {
            Err(Refusal::invalid(format!("expected a JSON object, found {}", excerpt(&other))))
        }
    }
}

/// Parses a document.
pub(crate) fn parse(document: &[u8]) -> Result<Value, Refusal> {
    let text = std::str::from_utf8(document)
        .map_err(|error| Refusal::caused("expected JSON in UTF-8", error))?;
    let json = words_to_numerals(text);
    let mut value =
        serde_json::from_str(&json).map_err(|error| Refusal::caused("expected JSON", error))?;
    if matches!(json, Cow::Owned(_)) {
        numerals_to_words(&mut value);
    }
    Ok(value)
}

/// The text with each of the words outside of strings replaced by its numeral.
fn words_to_numerals(text: &str) -> Cow<'_, str> {
    if !WORDS.iter().any(|(word, _)| text.contains(word)) {
        return Cow::Borrowed(text);
    }
    let mut json = String::with_capacity(text.len() + 64);
    let mut rest = text;
    // Each turn copies up to the next string or word. Both start with an ASCII byte, so every cut is
    // at a character boundary.
    while let Some(at) = rest.find(['"', '-', 'I', 'N']) {
        let (before, from) = rest.split_at(at);
        json.push_str(before);
        let taken = if from.starts_with('"') {
            let len = string_len(from);
            json.push_str(&from[..len]);
            len
        } else if let Some((word, numeral)) = WORDS.iter().find(|(word, _)| from.starts_with(word))
        {
            // Spaces, so that a digit beside the word is an error and no longer numeral.
            json.push(' ');
            json.push_str(numeral);
            json.push(' ');
            word.len()
        } else {
            json.push_str(&from[..1]);
            1
        };
        rest = &from[taken..];
    }
    json.push_str(rest);
    Cow::Owned(json)
}

/// Bytes of the JSON string that `text` starts with, quotes included; all of it if it never ends.
fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Undoes [`words_to_numerals`]. Recursion is as deep as the parser's.
fn numerals_to_words(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some((word, _)) = WORDS.iter().find(|(_, numeral)| number.as_str() == *numeral) {
                // Hidden in the documentation of serde_json, but the only number that holds a word.
                *number = Number::from_string_unchecked((*word).to_owned());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(numerals_to_words),
        Value::Object(members) => members.values_mut().for_each(numerals_to_words),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The member `name`, which must be there.
pub(crate) fn required<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Value, Refusal> {
    members.get(name).ok_or_else(|| Refusal::invalid(format!("the member '{name}' is missing")))
}

/// A list of non-negative integers, such as a shape; `name` is for messages.
pub(crate) fn lengths(value: &Value, name: &str) -> Result<Vec<u64>, Refusal> {
    let refused = || {
        Refusal::invalid(format!(
            "'{name}' must be a list of integers from 0 to 2^64 - 1, found {}",
            excerpt(value)
        ))
    };
    let items = value.as_array().ok_or_else(refused)?;
    items.iter().map(|item| item.as_u64().ok_or_else(refused)).collect()
}

/// A JSON object; `name` is for messages.
pub(crate) fn object<'a>(value: &'a Value, name: &str) -> Result<&'a Map<String, Value>, Refusal> {
    value.as_object().ok_or_else(|| {
        Refusal::invalid(format!("'{name}' must be a JSON object, found {}", excerpt(value)))
    })
}

/// The member `zarr_format`, which must be `expected`.
pub(crate) fn check_zarr_format(
    members: &Map<String, Value>,
    expected: u64,
) -> Result<(), Refusal> {
    let found = required(members, "zarr_format")?;
    if found.as_u64() == Some(expected) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("'zarr_format' must be {expected}, found {}", excerpt(found))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bare_words_become_numbers_outside_of_strings_only() {
        let cases = [
            (r#"{"a": NaN}"#, r#"{"a":NaN}"#),
            (r"[NaN,-Infinity, Infinity ]", "[NaN,-Infinity,Infinity]"),
            (r#"["NaN, Infinity", NaN]"#, r#"["NaN, Infinity",NaN]"#),
            (r#"["a\"NaN", "\\", NaN]"#, r#"["a\"NaN","\\",NaN]"#),
            (r#"["Ünïcödé NaN", -1.5, [{"N": NaN}]]"#, r#"["Ünïcödé NaN",-1.5,[{"N":NaN}]]"#),
            ("null", "null"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text.as_bytes()).unwrap().to_string(), expected, "{text}");
        }
        let number = parse(b"-Infinity").unwrap();
        let float: f64 = number.as_number().unwrap().as_str().parse().unwrap();
        assert_eq!(float.to_bits(), f64::NEG_INFINITY.to_bits());
        assert_eq!(number.as_f64(), None);
    }

    #[test]
    fn numbers_keep_their_text() {
        let text =
            "[18446744073709551615, -9223372036854775808, 0.1000000000000000055511151231257827]";
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text.replace(' ', ""));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "{",
            "[NaNx]",
            "[1NaN]",
            "[NaN1]",
            "[--Infinity]",
            "[nan]",
            "{NaN: 1}",
            "\"NaN",
            "{\"a\": -}",
            deep.as_str(),
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text:.20}");
        }
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn the_last_of_equal_names_counts() {
        assert_eq!(parse(br#"{"a": 1, "a": 2}"#).unwrap(), json!({"a": 2}));
    }

    #[test]
    fn lengths_are_exact_and_not_negative() {
        assert_eq!(
            lengths(&parse(b"[18446744073709551615, 0]").unwrap(), "shape").unwrap(),
            [u64::MAX, 0]
        );
        for text in ["[-1]", "[1.5]", "[18446744073709551616]", "3", "[\"3\"]", "[null]"] {
            assert!(lengths(&parse(text.as_bytes()).unwrap(), "shape").is_err(), "{text}");
        }
    }

    #[test]
    fn a_forged_number_object_is_not_a_panic() {
        for text in [
            r#"{"$serde_json::private::Number": "1"}"#,
            r#"{"$serde_json::private::Number": "x"}"#,
            r#"{"$serde_json::private::RawValue": "1"}"#,
        ] {
            let document = parse_object(text.as_bytes());
            assert!(document.is_err() || text.contains("RawValue"), "{text}: {document:?}");
        }
    }
}
