//! Codecs on elements and codecs that make bytes of elements, as they decode chunks.

use lsio_array::{DataType, Decoded, Destination, VariableChunk};
use lsio_codecs::CodecChain;
use lsio_mutation::{Guarded, Outcome, Random, Target, alter, damage};
use serde_json::{Value, json};

use crate::bytes_target::contents;
use crate::every::{chain_v3, variable};
use crate::forged_elements::{Framing, encoded_elements};

/// Elements of the chunks, along each dimension.
const SHAPE: [u64; 2] = [6, 10];

/// Most bytes of a decoded chunk of elements of varying length.
const LIMIT: u64 = 64 << 10;

/// Beside the input: a destination of fixed size, its guards and scratch memory; Pcodec holds two windows of
/// 2^15 numbers of 64 bits, tables of bins and a page of numbers.
const WORKING_MEMORY: u64 = 2 << 20;

/// Most bytes that documents of elements of fixed size may take beside a destination, whatever their length: the
/// text of a value.
const MEMORY_OF_VALUE: u64 = 16 << 10;

/// A chain in front of which no bytes-to-bytes codec stands.
struct ChainTarget {
    row: String,
    data_type: DataType,
    chain: CodecChain,
    /// Chains whose chunks are like this one's, for forged ones.
    others: Vec<CodecChain>,
}

/// Chains of codecs for elements of fixed size: row, data type, codecs.
fn fixed_chains() -> Vec<(&'static str, &'static str, Value)> {
    let little = json!(["bytes", {"endian": "little"}]);
    let big = json!(["bytes", {"endian": "big"}]);
    vec![
        ("bytes", "bool", json!([little])),
        ("bytes", "complex64", json!([big])),
        ("bytes", "int4", json!([little])),
        (
            "transpose",
            "int16",
            json!([["reshape", {"shape": [60]}], ["reshape", {"shape": [6, 10]}], ["transpose", {"order": [1, 0]}], big]),
        ),
        (
            "reshape",
            "float32",
            json!([["transpose", {"order": [1, 0]}], ["reshape", {"shape": [-1]}], little]),
        ),
        ("delta", "int32", json!([["numcodecs.delta", {"dtype": "<i4"}], little])),
        (
            "delta",
            "uint16",
            json!([["numcodecs.delta", {"dtype": "<u2", "astype": "<u4"}], little]),
        ),
        ("delta", "float64", json!([["numcodecs.delta", {"dtype": "<f8"}], little])),
        (
            "fixedscaleoffset",
            "int16",
            json!([["numcodecs.fixedscaleoffset", {"offset": -3, "scale": 2, "dtype": "<i2", "astype": "<f8"}], little]),
        ),
        (
            "fixedscaleoffset",
            "float32",
            json!([["numcodecs.fixedscaleoffset", {"offset": 1, "scale": 0.5, "dtype": "<f4", "astype": "<f4"}], little]),
        ),
        (
            "quantize",
            "float64",
            json!([["numcodecs.quantize", {"digits": 3, "dtype": "<f8", "astype": "<f8"}], little]),
        ),
        ("bitround", "float32", json!([["bitround", {"keepbits": 5}], little])),
        (
            "astype",
            "int8",
            json!([["numcodecs.astype", {"encode_dtype": "<f4", "decode_dtype": "|i1"}], little]),
        ),
        (
            "astype",
            "bool",
            json!([["numcodecs.astype", {"encode_dtype": "<f8", "decode_dtype": "|b1"}], little]),
        ),
        ("cast_value", "uint8", json!([["cast_value", {"data_type": "float32"}], little])),
        ("cast_value", "int4", json!([["cast_value", {"data_type": "int8"}], little])),
        ("scale_offset", "float16", json!([["scale_offset", {"offset": 1, "scale": 2}], little])),
        ("scale_offset", "int64", json!([["scale_offset", {"offset": 1}], little])),
        ("packbits of numcodecs", "bool", json!([["numcodecs.packbits"], ["bytes"]])),
        ("packbits", "bool", json!([["packbits", {"padding_encoding": "first_byte"}]])),
        (
            "packbits",
            "int8",
            json!([["packbits", {"padding_encoding": "last_byte", "first_bit": 1, "last_bit": 4}]]),
        ),
        ("zfp", "float32", json!([["zfp", {"mode": "fixed_accuracy", "tolerance": 0.01}]])),
        ("zfp", "float64", json!([["zfp", {"mode": "reversible"}]])),
        ("zfp", "int16", json!([["zfp", {"mode": "fixed_rate", "rate": 9}]])),
        ("zfp", "uint32", json!([["zfp", {"mode": "fixed_precision", "precision": 20}]])),
        ("zfpy", "float32", json!([["numcodecs.zfpy", {"mode": 4, "tolerance": 0.1}]])),
        ("zfpy", "float64", json!([["numcodecs.zfpy", {"mode": 5}]])),
        ("zfpy", "int64", json!([["numcodecs.zfpy", {"mode": 2, "rate": 20}]])),
        ("packbits", "complex128", json!([["packbits"]])),
    ]
}

/// Every codec that is not bytes-to-bytes, in the chains where it has something to do.
pub(crate) fn chains() -> Vec<Box<dyn Target>> {
    let mut targets: Vec<Box<dyn Target>> = Vec::new();
    for (row, data_type, codecs) in fixed_chains() {
        targets.push(Box::new(ChainTarget::new(row, data_type, &codecs, &[])));
    }
    for data_type in ["int8", "uint16", "int32", "float32", "float64", "uint64"] {
        let plain = json!([["numcodecs.pcodec"]]);
        let others = [
            json!({"level": 12, "delta_spec": "try_lookback"}),
            json!({"level": 8, "delta_encoding_order": 3, "equal_pages_up_to": 7}),
            json!({"level": 1, "delta_spec": "none", "mode_spec": "classic"}),
        ];
        let others = others.map(|other| json!([["numcodecs.pcodec", other]]));
        targets.push(Box::new(ChainTarget::new("pcodec", data_type, &plain, &others)));
    }
    let elements = [
        ("vlen-utf8", "string", json!({})),
        ("vlen-bytes", "variable_length_bytes", json!({})),
        ("vlen-array", "json", json!({"dtype": "<i2"})),
        ("categorize", "string", json!({"labels": ["", "é", "a longer text"], "dtype": "|O"})),
        ("json", "json", json!({})),
        ("json2", "json", json!({})),
        ("msgpack", "json", json!({})),
        ("msgpack2", "json", json!({})),
    ];
    for (codec, data_type, configuration) in elements {
        let codecs = json!([[format!("numcodecs.{codec}"), configuration]]);
        targets.push(Box::new(ChainTarget::new(codec, data_type, &codecs, &[])));
    }
    for (codec, data_type) in [
        ("json", "float32"),
        ("json2", "int16"),
        ("json2", "uint64"),
        ("json2", "float32"),
        ("json2", "bool"),
        ("json2", "text"),
        ("msgpack", "r24"),
        ("msgpack2", "int16"),
        ("msgpack2", "float64"),
        ("msgpack2", "bool"),
        ("msgpack2", "text"),
        ("msgpack2", "r24"),
    ] {
        let codecs = json!([[format!("numcodecs.{codec}")]]);
        let row = format!("{codec} of fixed size");
        targets.push(Box::new(ChainTarget::new(&row, data_type, &codecs, &[])));
    }
    targets
}

impl ChainTarget {
    fn new(row: &str, data_type: &str, codecs: &Value, others: &[Value]) -> Self {
        let data_type = match data_type {
            "json" => DataType::Json,
            "text" => DataType::FixedLengthUtf32 { length: 3 },
            name => DataType::from_name(name).unwrap(),
        };
        let chain = |codecs: &Value| chain_v3(data_type.clone(), &SHAPE, codecs).unwrap();
        let others = others.iter().map(chain).collect();
        Self { row: row.to_owned(), chain: chain(codecs), others, data_type }
    }

    /// The encoded form of elements that a chain takes.
    fn encoded(&self, random: &mut Random, chain: &CodecChain) -> Vec<u8> {
        let mut encoded = Vec::new();
        while encoded.is_empty() {
            let mut elements = contents(random, chain.decoded_len().unwrap() as usize);
            for byte in &mut elements {
                *byte = match self.data_type.bits_below_a_byte() {
                    Some((bits, _)) => *byte & ((1 << (bits - 1)) - 1),
                    None if self.data_type == DataType::Bool => *byte & 1,
                    None => *byte,
                };
            }
            // Not every float is a value that every codec takes.
            if chain.encode(&elements, &mut encoded).is_err() {
                encoded.clear();
            }
        }
        encoded
    }

    fn framing(&self) -> Option<Framing> {
        Some(match self.chain.names()[..] {
            ["vlen-utf8"] => Framing::Text,
            ["vlen-bytes"] => Framing::Bytes,
            ["vlen-array"] => Framing::Numbers,
            ["categorize"] => Framing::Categories,
            ["json"] => Framing::Json { has_shape: false },
            ["json2"] => Framing::Json { has_shape: true },
            ["msgpack"] => Framing::MessagePack { has_shape: false },
            ["msgpack2"] => Framing::MessagePack { has_shape: true },
            _ => return None,
        })
    }

    fn decode_variable(&self, input: &[u8]) -> Outcome {
        let mut chunk = variable(LIMIT);
        let result = self.chain.decode(input, Destination::Variable(&mut chunk), &mut []);
        let taken = chunk.offsets.capacity() * 8 + chunk.bytes.capacity();
        assert!(taken as u64 <= LIMIT, "{taken} bytes taken");
        match result {
            Ok(Decoded::Complete) => {
                self.check_elements(&chunk);
                Outcome::Decoded
            }
            Ok(Decoded::Outgrown { needed }) => {
                assert!(needed > LIMIT, "{needed} bytes are enough");
                Outcome::Refused
            }
            Ok(Decoded::Suspended) => panic!("codecs wait for nothing"),
            // The first offset is there before the first element.
            Err(_) if chunk.offsets.len() > 1 => Outcome::InBody,
            Err(_) => Outcome::Refused,
        }
    }

    fn check_elements(&self, chunk: &VariableChunk) {
        assert_eq!(chunk.offsets.len() as u64, SHAPE.iter().product::<u64>() + 1);
        assert!(chunk.offsets.is_sorted() && chunk.offsets[0] == 0);
        assert_eq!(chunk.offsets.last(), Some(&(chunk.bytes.len() as u64)));
        for ends in chunk.offsets.windows(2) {
            let element = &chunk.bytes[ends[0] as usize..ends[1] as usize];
            assert!(
                self.data_type == DataType::VariableLengthBytes
                    || std::str::from_utf8(element).is_ok(),
                "not UTF-8"
            );
        }
    }

    fn decode_fixed(&self, input: &[u8]) -> Outcome {
        let mut decoded =
            Guarded::new(self.chain.decoded_len().unwrap() as usize, input.len() as u8);
        let mut scratch = vec![0xee; self.chain.scratch_len() as usize];
        let destination = Destination::Fixed(decoded.destination());
        let result = self.chain.decode(input, destination, &mut scratch);
        let is_written = decoded.is_written();
        match result {
            Ok(_) => {
                let valid = |&byte: &u8| self.data_type != DataType::Bool || byte <= 1;
                assert!(decoded.destination().iter().all(valid), "no booleans");
                Outcome::Decoded
            }
            Err(_) if is_written => Outcome::InBody,
            Err(_) => Outcome::Refused,
        }
    }
}

impl Target for ChainTarget {
    fn row(&self) -> String {
        self.row.clone()
    }

    fn sample(&self, random: &mut Random) -> Vec<u8> {
        match self.framing() {
            None => self.encoded(random, &self.chain),
            Some(framing) => encoded_elements(random, SHAPE, framing, &self.data_type, false),
        }
    }

    fn forge(&self, random: &mut Random) -> Vec<u8> {
        match self.framing() {
            None => {
                let chain = if random.once_in(2) || self.others.is_empty() {
                    &self.chain
                } else {
                    random.pick(&self.others)
                };
                let mut encoded = self.encoded(random, chain);
                // Behind the magic number, the version, and the number and type of the numbers.
                let head = if self.row == "pcodec" { 8.min(encoded.len()) } else { 0 };
                if random.once_in(8) {
                    let mut body = encoded.split_off(head);
                    damage(random, &mut body);
                    encoded.extend(body);
                } else {
                    alter(random, &mut encoded[head..]);
                }
                encoded
            }
            Some(framing) => encoded_elements(random, SHAPE, framing, &self.data_type, true),
        }
    }

    fn decode(&self, input: &[u8]) -> Outcome {
        if self.data_type.size().is_none() {
            self.decode_variable(input)
        } else {
            self.decode_fixed(input)
        }
    }

    fn most_memory(&self, _: u64) -> u64 {
        let is_document = self.framing().is_some() && self.data_type.size().is_some();
        if is_document { MEMORY_OF_VALUE } else { WORKING_MEMORY }
    }
}
