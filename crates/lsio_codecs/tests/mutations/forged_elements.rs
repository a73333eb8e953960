//! Elements of varying length: behind forged lengths, and in documents of any shape.

use std::fmt::Write;

use lsio_array::DataType;
use lsio_mutation::{Random, hostile_number};

/// How elements of varying length are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Texts behind their lengths.
    Text,
    /// Bytes behind their lengths.
    Bytes,
    /// Numbers of 16 bits behind their length in bytes.
    Numbers,
    /// A byte for each, which stands for a text.
    Categories,
    /// One document of JSON, which may state the shape.
    Json { has_shape: bool },
    /// One document of `MessagePack`, which may state the shape.
    MessagePack { has_shape: bool },
}

/// Longer than any element of fixed size may be.
const LONG: usize = 100_000;

const TEXTS: [&str; 6] = ["", "a", "längere Wörter", "日本語", "🦀", "\0\n\""];

/// One time in `times` a number that is not `number`, if numbers are forged.
fn mostly(random: &mut Random, is_forged: bool, number: u64, times: usize) -> u64 {
    if is_forged && random.once_in(times) { hostile_number(random, number) } else { number }
}

/// The elements of a chunk in encoded form. Where they are forged, about every second chunk has something wrong.
pub(crate) fn encoded_elements(
    random: &mut Random,
    shape: [u64; 2],
    framing: Framing,
    data_type: &DataType,
    is_forged: bool,
) -> Vec<u8> {
    match framing {
        Framing::Categories => random.bytes(shape.iter().product::<u64>() as usize),
        Framing::Json { has_shape } => {
            let mut text = json_document(random, shape, data_type, is_forged);
            let [rows, columns] = shape.map(|extent| mostly(random, is_forged, extent, 20));
            if has_shape || (is_forged && random.once_in(20)) {
                let _ = write!(text, ",[{rows},{columns}]");
            }
            text.push(']');
            text.into_bytes()
        }
        Framing::MessagePack { has_shape } => {
            message_pack_document(random, shape, has_shape, data_type, is_forged)
        }
        _ => length_prefixed(random, shape, framing, is_forged),
    }
}

/// Elements behind their number, each behind its length.
fn length_prefixed(
    random: &mut Random,
    shape: [u64; 2],
    framing: Framing,
    is_forged: bool,
) -> Vec<u8> {
    let count = shape.iter().product();
    let mut encoded = (mostly(random, is_forged, count, 20) as u32).to_le_bytes().to_vec();
    // About one wrong length or one wrong byte in two chunks.
    let times = 4 * count as usize;
    for _ in 0..mostly(random, is_forged, count, 20).min(2 * count) {
        let mut element = random.pick(&TEXTS).as_bytes().to_vec();
        if framing != Framing::Text {
            // Pairs of bytes are numbers.
            element = random.bytes(2 * element.len());
        } else if is_forged && random.once_in(times) {
            element.truncate(random.below(element.len()));
            element.push(random.byte());
        }
        let len = mostly(random, is_forged, element.len() as u64, times);
        encoded.extend((len as u32).to_le_bytes());
        encoded.extend(element);
    }
    encoded
}

/// The JSON document of a chunk, up to what follows the type string behind the lists of its elements.
fn json_document(
    random: &mut Random,
    shape: [u64; 2],
    data_type: &DataType,
    is_forged: bool,
) -> String {
    let mut text = String::from("[");
    for _ in 0..mostly(random, is_forged, shape[0], 20).min(2 * shape[0]) {
        let width = mostly(random, is_forged, shape[1], 60).min(2 * shape[1]);
        let elements: Vec<String> =
            (0..width).map(|_| element(random, data_type, is_forged)).collect();
        let _ = write!(text, "[{}],", elements.join(", "));
    }
    text.push_str("\"|O\"");
    text
}

/// The JSON value of an element; one in some hundred is another, if they are forged.
fn element(random: &mut Random, data_type: &DataType, is_forged: bool) -> String {
    if *data_type == DataType::Json {
        return value(random, is_forged, 0);
    }
    if is_forged && random.once_in(120) {
        return match random.below(6) {
            0 => format!("\"{}\"", "\\u0000".repeat(LONG)),
            1 => "1".repeat(LONG),
            2 => format!("[{}0]", "0,".repeat(LONG)),
            _ => value(random, is_forged, 0),
        };
    }
    match data_type {
        DataType::Bool => random.once_in(2).to_string(),
        DataType::Int16 => (random.number() as i16).to_string(),
        DataType::UInt64 => random.number().to_string(),
        DataType::Float32 => {
            (*random.pick(&["0", "-1.5e+30", "0.1", "NaN", "-Infinity"])).to_owned()
        }
        _ => (*random.pick(&["\"\"", "\"äbc\"", "\"\\ud83d\\ude00\\n\\u0000\"", "\"日本\""]))
            .to_owned(),
    }
}

/// Any JSON value; one in some hundred is none, if they are forged.
fn value(random: &mut Random, is_forged: bool, depth: usize) -> String {
    const WRONG: [&str; 12] = [
        "01",
        "1.",
        "-",
        "nul",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\\u12\"",
        "{\"a\"}",
        "[1,]",
        "\"\t\"",
        "'a'",
        "+1",
    ];
    const RIGHT: [&str; 12] = [
        "0",
        "-1.5e+300",
        "1E400",
        "18446744073709551616",
        "null",
        "true",
        "NaN",
        "-Infinity",
        "\"\\ud83d\\ude00\\n\"",
        "\"\"",
        "{}",
        "[]",
    ];
    if is_forged && random.once_in(300) {
        if random.once_in(3) {
            // Deeper than any stack.
            return if random.once_in(2) { "[" } else { "{\"a\":" }.repeat(3000);
        }
        return (*random.pick(&WRONG)).to_owned();
    }
    match random.below(8) {
        0 if depth < 4 => {
            let items: Vec<String> =
                (0..random.below(3)).map(|_| value(random, is_forged, depth + 1)).collect();
            format!("[{}]", items.join(","))
        }
        1 if depth < 4 => {
            format!("{{\"é\": {}, \"\": 1}}", value(random, is_forged, depth + 1))
        }
        2 => format!("{:?}", random.number()),
        _ => (*random.pick(&RIGHT)).to_owned(),
    }
}

/// The `MessagePack` document of a chunk, as the JSON document.
fn message_pack_document(
    random: &mut Random,
    shape: [u64; 2],
    has_shape: bool,
    data_type: &DataType,
    is_forged: bool,
) -> Vec<u8> {
    // Lists of up to 15 values state their length in their first byte.
    let list = |random: &mut Random, len: u64| 0x90 | mostly(random, is_forged, len, 60) as u8 & 15;
    let mut document = vec![list(random, shape[0] + 1 + u64::from(has_shape))];
    for _ in 0..shape[0] {
        document.push(list(random, shape[1]));
        for _ in 0..shape[1] {
            message_pack_element(random, data_type, is_forged, &mut document);
        }
    }
    document.extend(b"\xa2|O");
    if has_shape || (is_forged && random.once_in(20)) {
        document.push(0x92);
        document.extend(shape.map(|extent| mostly(random, is_forged, extent, 20) as u8));
    }
    document
}

/// The value of an element, as [`element`].
fn message_pack_element(
    random: &mut Random,
    data_type: &DataType,
    is_forged: bool,
    to: &mut Vec<u8>,
) {
    if *data_type == DataType::Json {
        return message_pack_value(random, is_forged, 0, to);
    }
    if is_forged && random.once_in(120) {
        return match random.below(6) {
            0 => {
                to.extend(*random.pick(&[b"\xdb", b"\xc6"]));
                to.extend((LONG as u32).to_be_bytes());
                to.extend(vec![0; LONG]);
            }
            1 => {
                to.push(*random.pick(&[0xdd, 0xdf]));
                to.extend((LONG as u32).to_be_bytes());
                to.extend(vec![0xa0; 2 * LONG]);
            }
            _ => message_pack_value(random, is_forged, 0, to),
        };
    }
    match data_type {
        DataType::Bool => to.push(*random.pick(&[0xc2, 0xc3])),
        DataType::Int16 => {
            to.push(0xd1);
            to.extend(random.bytes(2));
        }
        DataType::Float64 => {
            to.push(0xcb);
            to.extend(random.bytes(8));
        }
        DataType::RawBytes { length } => {
            let len = random.below(length + 1);
            to.extend([0xc4, len as u8]);
            to.extend(random.bytes(len));
        }
        _ => {
            let text = *random.pick(&["", "äbc", "🦀\0\"", "日本"]);
            to.extend([0xd9, text.len() as u8]);
            to.extend(text.as_bytes());
        }
    }
}

fn message_pack_value(random: &mut Random, is_forged: bool, depth: usize, to: &mut Vec<u8>) {
    const LENGTHS_OF_32_BITS: [u8; 3] = [0xdb, 0xdd, 0xdf];
    const WRONG: [&[u8]; 5] = [b"\xc1", b"\xc4\x01a", b"\xd4\0a", b"\x81\x01\x01", b"\xa1\xff"];
    if is_forged && random.once_in(300) {
        match random.below(3) {
            // Deeper than any stack.
            0 => to.extend([0x91].repeat(3000)),
            1 => {
                to.push(*random.pick(&LENGTHS_OF_32_BITS));
                to.extend((hostile_number(random, 1) as u32).to_be_bytes());
            }
            _ => to.extend(*random.pick(&WRONG)),
        }
        return;
    }
    match random.below(8) {
        0 if depth < 4 => {
            let len = random.below(3);
            to.push(0x90 | len as u8);
            (0..len).for_each(|_| message_pack_value(random, is_forged, depth + 1, to));
        }
        1 if depth < 4 => {
            to.extend(b"\x81\xa1a");
            message_pack_value(random, is_forged, depth + 1, to);
        }
        // Integers and floats of every width.
        2 => {
            let (head, width) = *random.pick(&[
                (0xca, 4),
                (0xcb, 8),
                (0xcc, 1),
                (0xcd, 2),
                (0xce, 4),
                (0xcf, 8),
                (0xd0, 1),
                (0xd1, 2),
                (0xd2, 4),
                (0xd3, 8),
            ]);
            to.push(head);
            to.extend(random.bytes(width));
        }
        3 => {
            let text = *random.pick(&TEXTS);
            to.extend([0xd9, text.len() as u8]);
            to.extend(text.as_bytes());
        }
        _ => to.push(*random.pick(&[0, 0x7f, 0xe0, 0xff, 0xc0, 0xc2, 0xc3, 0xa0, 0x80, 0x90])),
    }
}
