//! Documents with other values in them: of other types, beyond every bound, missing, twice, too deep.

use lsio_mutation::{Random, damage, hostile_number};
use serde_json::{Map, Value, json};

/// Words that metadata gives a meaning, and some that look like it.
const WORDS: [&str; 24] = [
    "",
    "\0",
    "é",
    "🦀",
    "../x",
    "/",
    "a/../../b",
    "NaN",
    "-Infinity",
    "0x7fc00001",
    "0x",
    "0xé1",
    "bytes",
    "sharding_indexed",
    "transpose",
    "zstd",
    "|O",
    "<f8",
    "|V7",
    ">U3",
    "<M8[25s]",
    "r8",
    "struct",
    "default",
];

/// Changes a document in one to three places.
pub(crate) fn forge(random: &mut Random, document: &[u8]) -> Vec<u8> {
    // Some have bare words for numbers, as Python writes them: their text is changed instead.
    let Ok(mut tree) = serde_json::from_slice::<Value>(document) else {
        let mut text = document.to_vec();
        damage(random, &mut text);
        return text;
    };
    for _ in 0..*random.pick(&[1, 1, 2, 3]) {
        change(random, &mut tree);
    }
    let mut text = tree.to_string();
    if random.once_in(16) {
        // A name twice: the last one counts, or none.
        let name = tree.as_object().and_then(|members| {
            let names: Vec<&String> = members.keys().collect();
            (!names.is_empty()).then(|| (*random.pick(&names)).clone())
        });
        if let Some(name) = name {
            let member = format!("{}:{},", Value::from(name), hostile_value(random));
            text.insert_str(1, &member);
        }
    }
    if random.once_in(32) {
        // Letters as escapes.
        text = text.replace('a', "\\u0061");
    }
    text.into_bytes()
}

/// Changes one place at any depth.
fn change(random: &mut Random, tree: &mut Value) {
    let goes_on = !random.once_in(4);
    match tree {
        Value::Array(items) if goes_on && !items.is_empty() => {
            let at = random.below(items.len());
            change(random, &mut items[at]);
        }
        Value::Object(members) if goes_on && !members.is_empty() => {
            let at = random.below(members.len());
            if let Some(value) = members.values_mut().nth(at) {
                change(random, value);
            }
        }
        Value::Array(items) => change_items(random, items),
        Value::Object(members) => change_members(random, members),
        Value::Number(number) if random.once_in(2) => {
            let near = number.as_u64().unwrap_or(8);
            *tree = hostile_integer(random, near);
        }
        Value::String(text) if random.once_in(2) => {
            let mut letters: Vec<char> = text.chars().collect();
            let at = random.below(letters.len() + 1);
            let letter = *random.pick(&['\0', 'é', '0', '9', '<', '>', '|', '.', '/', '🦀', ' ']);
            if random.once_in(2) || at == letters.len() {
                letters.insert(at, letter);
            } else {
                letters[at] = letter;
            }
            *text = letters.into_iter().collect();
        }
        _ => *tree = hostile_value(random),
    }
}

fn change_items(random: &mut Random, items: &mut Vec<Value>) {
    let at = random.below(items.len());
    match random.below(5) {
        0 if !items.is_empty() => drop(items.remove(at)),
        1 if !items.is_empty() => items.insert(at, items[at].clone()),
        2 => items.reverse(),
        // More dimensions than any array has. Of long items not as many: they may be as many as that already.
        3 => {
            let first = items.first().filter(|first| !first.is_array() && !first.is_object());
            let first = first.filter(|first| first.as_str().is_none_or(|text| text.len() < 100));
            *items = vec![first.cloned().unwrap_or(json!(1)); *random.pick(&[33, 70, 1000])];
        }
        _ => items.push(hostile_value(random)),
    }
}

fn change_members(random: &mut Random, members: &mut Map<String, Value>) {
    let names: Vec<String> = members.keys().cloned().collect();
    let name = if names.is_empty() { String::new() } else { random.pick(&names).clone() };
    match random.below(5) {
        0 => drop(members.shift_remove(&name)),
        1 => drop(members.insert((*random.pick(&WORDS)).to_owned(), hostile_value(random))),
        // The value of another member.
        2 if !names.is_empty() => {
            let other = members[random.pick(&names)].clone();
            members.insert(name, other);
        }
        3 => {
            let value = members.shift_remove(&name).unwrap_or(Value::Null);
            members.insert(format!("{name}é"), value);
        }
        _ => drop(members.insert(name, hostile_value(random))),
    }
}

fn hostile_integer(random: &mut Random, near: u64) -> Value {
    let number = hostile_number(random, near);
    if random.once_in(4) { json!(number.cast_signed()) } else { json!(number) }
}

fn hostile_value(random: &mut Random) -> Value {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    match random.below(12) {
        0 => Value::Null,
        1 => json!(random.once_in(2)),
        2 => hostile_integer(random, 8),
        3 => parsed(random.pick::<&str>(&[
            "1e999",
            "-0",
            "1.5",
            "1e-400",
            "18446744073709551616",
            "-9223372036854775809",
            "1E2",
            "123456789012345678901234567890123456789012345678901234567890.5",
        ])),
        4 | 5 => json!(random.pick(&WORDS)),
        6 => json!("x".repeat(5000)),
        7 => json!([]),
        8 => json!({}),
        9 => {
            json!({"name": random.pick(&WORDS), "configuration": {"level": -1, "chunk_shape": [0]}})
        }
        10 => json!([["a", "<i4"], ["a", "<i4"], ["", "|V0", [0]]]),
        // Some of them too deep for the parser.
        _ => {
            let depth = *random.pick(&[2, 10, 100, 126]);
            (0..depth).fold(json!(1), |inner, _| json!([inner]))
        }
    }
}
