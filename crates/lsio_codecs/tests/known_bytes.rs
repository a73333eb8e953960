//! Chunks that other implementations encoded, decoded here; and encodings of ours that are pinned.
//!
//! `fixtures/generate.py`, `random_codecs.py`, `value_codecs.py` and `zfp_streams.py` say who wrote which row.

use lsio_array::{DataType, Decoded, Destination, VariableChunk};
use lsio_codecs::{ChunkContext, Codec, CodecChain, CodecError, Endian, codec_v3, codecs_v2};
use serde_json::Value;

struct Row {
    name: String,
    context: ChunkContext,
    codecs: Vec<Codec>,
    chain: CodecChain,
    /// Elements that vary in length.
    elements: Option<Vec<Vec<u8>>>,
    /// What was encoded and what its writer decodes it to, where that is not [`element`] of each index.
    values: Option<(Vec<u8>, Vec<u8>)>,
    /// Elements that cannot be encoded and decoded again.
    refused: Vec<u8>,
    encoded: Vec<u8>,
}

fn rows() -> Vec<Row> {
    let files = [
        include_str!("fixtures/known_bytes.jsonl"),
        include_str!("fixtures/known_random.jsonl"),
        include_str!("fixtures/known_values.jsonl"),
        include_str!("fixtures/known_zfp.jsonl"),
    ];
    let rows: Vec<Row> = files
        .into_iter()
        .flat_map(str::lines)
        .map(|line| row(&serde_json::from_str(line).unwrap()))
        .collect();
    assert!(rows.len() > 1000, "{}", rows.len());
    rows
}

fn row(row: &Value) -> Row {
    let name = row["name"].as_str().unwrap().to_owned();
    let data_type = match row["dtype"].as_str().unwrap() {
        "json" => DataType::Json,
        name => DataType::from_name(name).unwrap(),
    };
    let shape = row["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    let context = ChunkContext { data_type, shape };
    let members = row["codecs"].as_array().unwrap();
    let codecs = if row["format"] == 2 {
        let ids = members.iter().map(|codec| codec["id"].as_str().unwrap());
        let codecs: Vec<_> =
            ids.zip(members.iter().map(|codec| codec.as_object().unwrap())).collect();
        let endian = if row["endian"] == "big" { Endian::Big } else { Endian::Little };
        codecs_v2(&context, endian, false, &codecs).expect(&name)
    } else {
        let none = serde_json::Map::new();
        let mut context = context.clone();
        let codec = |codec: &Value| {
            let configuration = codec.get("configuration").map(|v| v.as_object().unwrap());
            let name = codec["name"].as_str().unwrap();
            let codec = codec_v3(name, configuration.unwrap_or(&none), &context).expect(name);
            context = codec.encoded_context(&context).expect(name);
            codec
        };
        members.iter().map(codec).collect()
    };
    let chain = CodecChain::new(codecs.clone(), &context).expect(&name);
    let elements = |name: &str, element: fn(&Value) -> Vec<u8>| {
        Some(row.get(name)?.as_array().unwrap().iter().map(element).collect())
    };
    let elements = elements("strings", |text| text.as_str().unwrap().into())
        .or_else(|| elements("elements", bytes))
        .or_else(|| elements("objects", |object| object.to_string().into()));
    let values = row.get("values").map(|values| (bytes(values), bytes(&row["decoded"])));
    let refused = row.get("refused").map(bytes).unwrap_or_default();
    Row { name, context, codecs, chain, elements, values, refused, encoded: bytes(&row["encoded"]) }
}

/// Bytes in hexadecimal.
fn bytes(hex: &Value) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
    let pairs = hex.as_str().unwrap().as_bytes().chunks_exact(2);
    pairs.map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The element with this index in C order, in native byte order.
fn element(data_type: &DataType, index: usize) -> Vec<u8> {
    let x = (index / 3 % 97) as u8;
    let signed = i16::from(x) - 48;
    let float = f64::from(x) / 4.0;
    match data_type {
        DataType::Bool => vec![x % 2],
        DataType::Int8 => (signed as i8).to_ne_bytes().to_vec(),
        DataType::Int16 => signed.to_ne_bytes().to_vec(),
        DataType::Int32 => i32::from(signed).to_ne_bytes().to_vec(),
        DataType::Int64 => i64::from(signed).to_ne_bytes().to_vec(),
        DataType::UInt8 => vec![x],
        DataType::UInt16 => u16::from(x).to_ne_bytes().to_vec(),
        DataType::UInt32 => u32::from(x).to_ne_bytes().to_vec(),
        DataType::UInt64 => u64::from(x).to_ne_bytes().to_vec(),
        DataType::Float16 => float16_bits(float).to_ne_bytes().to_vec(),
        DataType::Float32 => (float as f32).to_ne_bytes().to_vec(),
        DataType::Float64 => float.to_ne_bytes().to_vec(),
        DataType::Complex64 => {
            [(float as f32).to_ne_bytes(), (0.0 - float as f32 * 2.0).to_ne_bytes()].concat()
        }
        DataType::Complex128 => [float.to_ne_bytes(), (0.0 - float * 2.0).to_ne_bytes()].concat(),
        _ => unreachable!("no row has elements of this type"),
    }
}

/// Bits of a small number that binary16 holds exactly.
fn float16_bits(value: f64) -> u16 {
    if value == 0.0 {
        return 0;
    }
    let bits = value.to_bits();
    let exponent = (bits >> 52) + 15 - 1023;
    (exponent as u16) << 10 | ((bits >> 42) & 0x3ff) as u16
}

/// Index in C order of each element in the order in which the chain leaves them.
fn stored_indexes(chain: &CodecChain, shape: &[u64]) -> Vec<usize> {
    let count = shape.iter().product::<u64>() as usize;
    let mut indexes: Vec<usize> = (0..count).collect();
    indexes.sort_by_key(|&index| {
        let mut rest = index as u64;
        let mut position: Vec<u64> = shape
            .iter()
            .rev()
            .map(|extent| {
                let at = rest % extent;
                rest /= extent;
                at
            })
            .collect();
        position.reverse();
        chain.axis_order().iter().map(|&axis| position[axis]).collect::<Vec<_>>()
    });
    indexes
}

#[test]
fn what_others_encoded_decodes_to_their_elements() {
    for row in rows().iter().filter(|row| row.elements.is_none()) {
        let data_type = &row.context.data_type;
        let expected: Vec<u8> = match &row.values {
            Some((_, decoded)) => decoded.clone(),
            None => stored_indexes(&row.chain, &row.context.shape)
                .into_iter()
                .flat_map(|index| element(data_type, index))
                .collect(),
        };
        let mut decoded = vec![0xee; row.chain.decoded_len().unwrap() as usize];
        let mut scratch = vec![0xee; row.chain.scratch_len() as usize];
        let end = row
            .chain
            .decode(&row.encoded, Destination::Fixed(&mut decoded), &mut scratch)
            .unwrap_or_else(|error| panic!("{}: {error}", row.name));
        assert_eq!(end, Decoded::Complete);
        assert!(decoded == expected, "{}", row.name);
        assert!(row.encoded.len() as u64 <= row.chain.encoded_bound(), "{}", row.name);
    }
}

#[test]
fn elements_of_others_that_vary_in_length_decode_to_what_they_were() {
    for row in rows() {
        let Some(elements) = &row.elements else { continue };
        let expected: Vec<&[u8]> = stored_indexes(&row.chain, &row.context.shape)
            .into_iter()
            .map(|index| elements[index].as_slice())
            .collect();
        let mut chunk = VariableChunk { offsets: vec![], bytes: vec![], limit: 0 };
        // Grows from nothing by what the chain asks for, as the executor does.
        let mut tries = 0;
        while let Decoded::Outgrown { needed } =
            row.chain.decode(&row.encoded, Destination::Variable(&mut chunk), &mut []).unwrap()
        {
            assert!(needed > chunk.limit, "{}", row.name);
            chunk = VariableChunk { offsets: vec![], bytes: vec![], limit: needed };
            tries += 1;
            assert!(tries < 20, "{}", row.name);
        }
        let element = |ends: &[u64]| &chunk.bytes[ends[0] as usize..ends[1] as usize];
        let decoded: Vec<&[u8]> = chunk.offsets.windows(2).map(element).collect();
        if row.context.data_type == DataType::Json {
            // Writers put spaces and escapes where they like.
            let value = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
            let values =
                |texts: &[&[u8]]| texts.iter().map(|&text| value(text)).collect::<Vec<_>>();
            assert_eq!(values(&decoded), values(&expected), "{}", row.name);
        } else {
            assert_eq!(decoded, expected, "{}", row.name);
        }
    }
}

/// Rows without a compressor have one right encoding only.
#[test]
fn what_cannot_be_encoded_otherwise_is_encoded_as_by_others() {
    let exact = [
        "bytes",
        "transpose",
        "vlen-utf8",
        "vlen-bytes",
        "categorize",
        "crc32c",
        "crc32",
        "adler32",
        "fletcher32",
        "jenkins_lookup3",
        "shuffle",
        "base64",
        "delta",
        "fixedscaleoffset",
        "quantize",
        "bitround",
        "packbits",
        "astype",
        "cast_value",
        "scale_offset",
        "zfp",
        "zfpy",
    ];
    let mut compared = 0;
    for row in rows().iter().filter(|row| row.chain.names().iter().all(|n| exact.contains(n))) {
        let mut encoded = Vec::new();
        if let Some(elements) = &row.elements {
            row.chain.encode_variable(elements, &mut encoded).unwrap();
        } else {
            let count = row.context.shape.iter().product::<u64>() as usize;
            let elements: Vec<u8> = match &row.values {
                Some((values, _)) => values.clone(),
                None => (0..count).flat_map(|i| element(&row.context.data_type, i)).collect(),
            };
            row.chain.encode(&elements, &mut encoded).unwrap();
        }
        assert!(encoded == row.encoded, "{}", row.name);
        compared += 1;
    }
    assert!(compared >= 800, "{compared}");
}

#[test]
fn what_others_refuse_is_refused() {
    let mut refused = 0;
    for row in rows() {
        let context = ChunkContext { shape: vec![1], ..row.context.clone() };
        for element in row.refused.chunks_exact(context.data_type.size().unwrap_or(1)) {
            let chain = CodecChain::new(row.codecs.clone(), &context).unwrap();
            let (mut encoded, mut decoded) = (Vec::new(), vec![0; element.len()]);
            let mut scratch = vec![0xee; chain.scratch_len() as usize];
            let result = chain.encode(element, &mut encoded).and_then(|()| {
                chain.decode(&encoded, Destination::Fixed(&mut decoded), &mut scratch)
            });
            let error = result.expect_err(&format!("{} {element:?} {decoded:?}", row.name));
            assert!(matches!(error, CodecError::Corrupt { .. }), "{}: {error}", row.name);
            refused += 1;
        }
    }
    assert!(refused >= 1500, "{refused}");
}
