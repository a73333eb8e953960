//! Chains with array-to-array codecs: any elements come back, in any order of axes, and bytes that no codec
//! has written end in an error or in elements.

use crate::every::chain_v3 as chain;
use lsio_array::{DataType, Decoded, Destination};
use lsio_codecs::{ChunkContext, CodecChain, CodecError, Endian, codecs_v2};
use proptest::prelude::*;
use serde_json::{Value, json};

fn decode(chain: &CodecChain, encoded: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut decoded = vec![0xee; chain.decoded_len().unwrap() as usize];
    let mut scratch = vec![0xee; chain.scratch_len() as usize];
    let end = chain.decode(encoded, Destination::Fixed(&mut decoded), &mut scratch)?;
    assert_eq!(end, Decoded::Complete);
    Ok(decoded)
}

/// Array-to-array codecs that keep every element of the data type, for a chunk of this shape.
fn lossless(data_type: &DataType, size: usize) -> Vec<Value> {
    let mut codecs = vec![
        json!([]),
        json!([["reshape", {"shape": [-1]}]]),
        json!([["transpose", {"order": [1, 0]}], ["reshape", {"shape": [-1]}]]),
        json!([["reshape", {"shape": [4, 15]}], ["transpose", {"order": [1, 0]}]]),
        json!([["reshape", {"shape": [4, 3, 5]}], ["transpose", {"order": [2, 0, 1]}], ["reshape", {"shape": [60]}]]),
    ];
    let integer = ["", "u1", "u2", "", "u4", "", "", "", "u8"].get(size).copied().unwrap_or("");
    if !integer.is_empty() {
        let delta = json!(["numcodecs.delta", {"dtype": integer}]);
        codecs.push(json!([delta]));
        codecs.push(json!([["transpose", {"order": [1, 0]}], delta, delta]));
        codecs.push(json!([delta, ["transpose", {"order": [1, 0]}]]));
    }
    if *data_type == DataType::Bool {
        codecs.push(json!([["numcodecs.packbits"]]));
        codecs.push(json!([["transpose", {"order": [1, 0]}], ["numcodecs.packbits"]]));
        codecs.push(json!([["numcodecs.astype", {"encode_dtype": "f4"}]]));
    }
    if [DataType::Int8, DataType::Int16, DataType::Int32, DataType::UInt16].contains(data_type) {
        let cast = json!(["numcodecs.astype", {"encode_dtype": "f8"}]);
        codecs.push(json!([cast]));
        codecs.push(
            json!([["transpose", {"order": [1, 0]}], cast, ["transpose", {"order": [1, 0]}]]),
        );
        let scale =
            json!(["numcodecs.fixedscaleoffset", {"offset": -3, "scale": 2, "astype": "f8"}]);
        codecs.push(json!([scale]));
    }
    codecs
}

/// Elements of the data type made of any bytes.
fn elements(data_type: &DataType, bytes: &[u8]) -> Vec<u8> {
    let len = data_type.size().unwrap() * 60;
    let bytes = bytes.iter().cycle().take(len);
    if *data_type == DataType::Bool {
        bytes.map(|byte| byte % 2).collect()
    } else {
        bytes.copied().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_elements_come_back(
        bytes in proptest::collection::vec(any::<u8>(), 1..500),
        damage in (any::<u16>(), any::<u8>()),
    ) {
        // Small floats are bytes to these codecs as any others.
        let is_small = |data_type: &DataType| {
            matches!(data_type, DataType::Small(_) | DataType::ComplexSmall(_))
                || data_type.bits_below_a_byte().is_some()
        };
        for data_type in DataType::without_parameters().filter(|data_type| !is_small(data_type)) {
            let Some(size) = data_type.size() else { continue };
            let elements = elements(&data_type, &bytes);
            for codecs in lossless(&data_type, size) {
                for (endian, more) in [("little", json!([])), ("big", json!([["crc32c"], ["zstd", {"level": 1}]]))] {
                    let bytes = json!([["bytes", {"endian": endian}]]);
                    let all = [&codecs, &bytes, &more].map(|part| part.as_array().unwrap().clone()).concat();
                    let chain = chain(data_type.clone(), &[6, 10], &json!(all)).unwrap();
                    let mut encoded = Vec::new();
                    chain.encode(&elements, &mut encoded).unwrap();
                    prop_assert!(encoded.len() as u64 <= chain.encoded_bound());
                    let expected = if chain.axis_order() == [1, 0] {
                        (0..60).flat_map(|i| {
                            let from = i % 6 * 10 + i / 6;
                            elements[from * size..][..size].to_vec()
                        }).collect()
                    } else {
                        elements.clone()
                    };
                    prop_assert_eq!(decode(&chain, &encoded).unwrap(), expected, "{} {:?}", data_type, all);
                    // Damage ends in an error or in as many elements.
                    let at = usize::from(damage.0) % encoded.len();
                    encoded[at] ^= damage.1;
                    let _ = decode(&chain, &encoded);
                    prop_assert!(decode(&chain, &encoded[..at]).is_err());
                    encoded.push(0);
                    prop_assert!(decode(&chain, &encoded).is_err());
                }
            }
        }
    }
}

#[test]
fn what_decodes_to_itself_costs_nothing() {
    let bytes = json!(["bytes", {"endian": "little"}]);
    let identity = |codecs: Value| chain(DataType::Float64, &[6, 10], &codecs).unwrap().identity();
    assert_eq!(identity(json!([["bitround", {"keepbits": 3}], bytes])), Some("bytes"));
    assert_eq!(identity(json!([["reshape", {"shape": [60]}], bytes])), Some("bytes"));
    assert_eq!(identity(json!([["numcodecs.quantize", {"digits": 3}], bytes])), Some("bytes"));
    assert_eq!(identity(json!([["numcodecs.delta", {"dtype": "f8"}], bytes])), None);
    let zstd = json!(["zstd", {"level": 1}]);
    let scratch =
        |codecs: Value| chain(DataType::Float64, &[6, 10], &codecs).unwrap().scratch_len();
    assert_eq!(scratch(json!([["bitround", {"keepbits": 3}], bytes, zstd])), 0);
    let delta = json!(["numcodecs.delta", {"dtype": "f8", "astype": "f4"}]);
    assert_eq!(scratch(json!([delta, bytes, zstd])), 240);
}

#[test]
fn codecs_for_other_elements_are_refused() {
    let bytes = json!(["bytes", {"endian": "little"}]);
    for (data_type, codec) in [
        (DataType::Int16, json!(["numcodecs.delta", {"dtype": "<i4"}])),
        (DataType::Int16, json!(["numcodecs.delta", {"dtype": ">i2"}])),
        (DataType::Int16, json!(["numcodecs.delta", {"dtype": "O"}])),
        (DataType::Bool, json!(["numcodecs.delta", {"dtype": "bool"}])),
        (DataType::Complex64, json!(["numcodecs.delta", {"astype": "<f4"}])),
        (DataType::Complex64, json!(["numcodecs.delta", {"dtype": "<c16"}])),
        (DataType::Complex64, json!(["numcodecs.astype", {"encode_dtype": "<U4"}])),
        (DataType::Complex64, json!(["numcodecs.astype", {"encode_dtype": ">c16"}])),
        (DataType::Int16, json!(["numcodecs.astype", {"encode_dtype": "|V2"}])),
        (DataType::RawBytes { length: 4 }, json!(["numcodecs.astype", {"encode_dtype": "|S4"}])),
        (
            DataType::NullTerminatedBytes { length: 4 },
            json!(["numcodecs.astype", {"encode_dtype": "<U4", "decode_dtype": "|S4"}]),
        ),
        (DataType::Int16, json!(["numcodecs.categorize", {"labels": ["a"], "dtype": "|O"}])),
        (
            DataType::FixedLengthUtf32 { length: 2 },
            json!(["numcodecs.categorize", {"labels": ["a"], "dtype": "<U1"}]),
        ),
        (DataType::Int16, json!(["numcodecs.quantize", {"digits": 1}])),
        (DataType::Float32, json!(["numcodecs.quantize", {}])),
        (DataType::Int16, json!(["numcodecs.bitround", {"keepbits": 1}])),
        (DataType::Float32, json!(["numcodecs.bitround", {"keepbits": 24}])),
        (DataType::Bool, json!(["bitround", {"keepbits": 1}])),
        (DataType::Int16, json!(["numcodecs.packbits"])),
        (DataType::Int16, json!(["numcodecs.astype", {"decode_dtype": "<i2"}])),
        (DataType::Complex64, json!(["numcodecs.packbits"])),
        (DataType::Int16, json!(["numcodecs.fixedscaleoffset", {"offset": 1}])),
        (
            DataType::Complex64,
            json!(["numcodecs.fixedscaleoffset", {"offset": 1, "scale": 1, "astype": "<f4"}]),
        ),
        (DataType::Int16, json!(["numcodecs.fixedscaleoffset", {"offset": 1, "scale": "2"}])),
        (DataType::Bool, json!(["scale_offset"])),
        (DataType::Complex64, json!(["scale_offset"])),
        (DataType::Int16, json!(["scale_offset", {"offset": 0.5}])),
        (DataType::UInt8, json!(["scale_offset", {"offset": -1}])),
        (DataType::Int16, json!(["scale_offset", {"scale": 0}])),
        (DataType::Bool, json!(["zfp", {"mode": "reversible"}])),
        (DataType::Complex64, json!(["numcodecs.zfpy", {"mode": 4, "tolerance": 0.1}])),
        (DataType::Float32, json!(["zfp"])),
        (DataType::Float32, json!(["zfp", {"mode": 4, "tolerance": 0.1}])),
        (DataType::Float32, json!(["zfp", {"mode": "fixed_rate", "rate": -1}])),
        (DataType::Float32, json!(["zfp", {"mode": "fixed_precision", "precision": 65}])),
        (DataType::Float32, json!(["zfp", {"mode": "fixed_accuracy"}])),
        (DataType::Float32, json!(["zfp", {"mode": "reversible", "rate": 8}])),
        (
            DataType::Float32,
            json!(["zfp", {"mode": "expert", "minbits": 9, "maxbits": 8, "maxprec": 64, "minexp": 0}]),
        ),
        (DataType::Float32, json!(["numcodecs.zfpy", {"mode": 1}])),
        (DataType::Float32, json!(["scale_offset", {"scale": "0x00000000"}])),
        (DataType::Float32, json!(["scale_offset", {"scale": 1, "unit": "K"}])),
        (DataType::Bool, json!(["cast_value", {"data_type": "int8"}])),
        (DataType::Int16, json!(["cast_value", {}])),
        (DataType::Int16, json!(["cast_value", {"data_type": "bool"}])),
        (DataType::Int16, json!(["cast_value", {"data_type": "complex64"}])),
        (
            DataType::Int16,
            json!(["cast_value", {"data_type": {"name": "int8", "configuration": {"x": 1}}}]),
        ),
        (DataType::Int16, json!(["cast_value", {"data_type": "int8", "rounding": "up"}])),
        (DataType::Int16, json!(["cast_value", {"data_type": "int8", "out_of_range": "error"}])),
        (DataType::Int16, json!(["cast_value", {"data_type": "float32", "out_of_range": "wrap"}])),
        (DataType::Int16, json!(["cast_value", {"data_type": "int8", "scalar_map": []}])),
        (DataType::Int16, json!(["cast_value", {"data_type": "int8", "scalar_map": {"both": []}}])),
        (
            DataType::Int16,
            json!(["cast_value", {"data_type": "int8", "scalar_map": {"encode": [[1]]}}]),
        ),
        (
            DataType::Int16,
            json!(["cast_value", {"data_type": "int8", "scalar_map": {"encode": [[1, 128]]}}]),
        ),
        (
            DataType::Int16,
            json!(["cast_value", {"data_type": "int8", "scalar_map": {"decode": [["NaN", 1]]}}]),
        ),
    ] {
        let error = chain(data_type, &[6, 10], &json!([codec, bytes])).unwrap_err();
        assert!(matches!(error, CodecError::Configuration { .. }), "{codec}: {error}");
    }
    let strings =
        json!([["reshape", {"shape": [60]}], ["transpose", {"order": [0]}], ["vlen-utf8"]]);
    assert!(chain(DataType::String, &[6, 10], &strings).is_err());
}

#[test]
fn values_beyond_the_data_type_are_errors() {
    for (data_type, filter, encoded) in [
        (
            DataType::UInt8,
            json!({"id": "astype", "encode_dtype": "<f4", "decode_dtype": "|u1"}),
            256f32,
        ),
        (
            DataType::UInt8,
            json!({"id": "astype", "encode_dtype": "<f4", "decode_dtype": "|u1"}),
            f32::NAN,
        ),
        (
            DataType::Int16,
            json!({"id": "fixedscaleoffset", "offset": 0, "scale": 1e-4, "dtype": "<i2", "astype": "<f4"}),
            4.0,
        ),
        (DataType::Int32, json!({"id": "delta", "dtype": "<i4", "astype": "<f4"}), 1e10),
    ] {
        let context = ChunkContext { data_type, shape: vec![1] };
        let members = filter.as_object().unwrap();
        let filters = [(filter["id"].as_str().unwrap(), members)];
        let codecs = codecs_v2(&context, Endian::Little, false, &filters).unwrap();
        let chain = CodecChain::new(codecs, &context).unwrap();
        let error = decode(&chain, &encoded.to_le_bytes()).unwrap_err();
        assert!(matches!(error, CodecError::Corrupt { .. }), "{filter}: {error}");
    }
}

/// The elements of one chunk of format 2 behind one filter.
fn decode_v2(data_type: DataType, count: u64, filter: &Value, encoded: &[u8]) -> Vec<u8> {
    let context = ChunkContext { data_type, shape: vec![count] };
    let filters = [(filter["id"].as_str().unwrap(), filter.as_object().unwrap())];
    let codecs = codecs_v2(&context, Endian::Little, false, &filters).unwrap();
    decode(&CodecChain::new(codecs, &context).unwrap(), encoded).unwrap()
}

#[test]
fn shifted_integers_wrap_back() {
    // With an offset of 3, numpy makes 253 of 0; the doubles of 2^64 - 1 and of 2^64 are the same.
    let filter = |dtype| json!({"id": "fixedscaleoffset", "offset": 3, "scale": 1, "dtype": dtype});
    assert_eq!(decode_v2(DataType::UInt8, 3, &filter("|u1"), &[253, 0, 252]), [0, 3, 255]);
    let stored = [u64::MAX - 2, 0, u64::MAX - 3].map(u64::to_le_bytes).concat();
    let found = decode_v2(DataType::UInt64, 3, &filter("<u8"), &stored);
    assert_eq!(found, [0, 3, u64::MAX].map(u64::to_ne_bytes).concat());
    let found = decode_v2(DataType::Int8, 2, &filter("|i1"), &[125, 127]);
    assert_eq!(found, [128, 130]);
}

#[test]
fn both_parts_of_complex_numbers_are_scaled() {
    let filter = json!({"id": "fixedscaleoffset", "offset": 1, "scale": 2, "dtype": "<c8"});
    let stored = [2.0f32, -3.0, 0.0, 8.0].map(f32::to_le_bytes).concat();
    let found = decode_v2(DataType::Complex64, 2, &filter, &stored);
    assert_eq!(found, [2.0f32, -1.5, 1.0, 4.0].map(f32::to_ne_bytes).concat());
}

#[test]
fn elements_get_another_length_or_lose_a_part() {
    let filter = json!({"id": "astype", "encode_dtype": "<f8", "decode_dtype": "<c8"});
    let stored = [0.5f64, -2.0].map(f64::to_le_bytes).concat();
    let found = decode_v2(DataType::Complex64, 2, &filter, &stored);
    assert_eq!(found, [0.5f32, 0.0, -2.0, 0.0].map(f32::to_ne_bytes).concat());
    let filter = json!({"id": "astype", "encode_dtype": "<c16", "decode_dtype": "<c8"});
    let found = decode_v2(DataType::Complex64, 1, &filter, &stored);
    assert_eq!(found, [0.5f32, -2.0].map(f32::to_ne_bytes).concat());
    let bytes = |length| DataType::NullTerminatedBytes { length };
    for (encoded, decoded, stored, found) in
        [("|S3", "|S2", "abcd\0\0", "abd\0"), ("|S1", "|S2", "ab", "a\0b\0")]
    {
        let filter = json!({"id": "astype", "encode_dtype": encoded, "decode_dtype": decoded});
        let elements = decode_v2(bytes(2), 2, &filter, stored.as_bytes());
        assert_eq!(elements, found.as_bytes());
    }
    let text = |length| DataType::FixedLengthUtf32 { length };
    let filter = json!({"id": "astype", "encode_dtype": ">U1", "decode_dtype": "<U2"});
    assert_eq!(
        decode_v2(text(2), 1, &filter, &[0, 0, 0, 97]),
        [97u32, 0].map(u32::to_ne_bytes).concat()
    );
}

#[test]
fn bytes_that_are_masks_are_packed_as_bools_are() {
    for data_type in [DataType::Bool, DataType::Int8, DataType::UInt8] {
        let found = decode_v2(data_type, 4, &json!({"id": "packbits"}), &[4, 0b1001_0000]);
        assert_eq!(found, [1, 0, 0, 1]);
    }
}

#[test]
fn narrow_numbers_are_cast_and_scaled() {
    for (data_type, codecs, elements, encoded) in [
        (
            "int4",
            json!([["cast_value", {"data_type": "uint2", "out_of_range": "wrap"}]]),
            vec![0, 1, 2],
            vec![0, 1, 2],
        ),
        ("uint2", json!([["cast_value", {"data_type": "int8"}]]), vec![3, 0, 1], vec![3, 0, 1]),
        ("int4", json!([["scale_offset", {"offset": -8}]]), vec![0xf8, 0xff, 0xfe], vec![0, 7, 6]),
        (
            "float8_e5m2",
            json!([["cast_value", {"data_type": "int8"}]]),
            vec![0x3c, 0xc0, 0],
            vec![1, 0xfe, 0],
        ),
        (
            "float8_e4m3",
            json!([["scale_offset", {"offset": 1, "scale": 2}]]),
            vec![0x38, 0x40, 0x44],
            vec![0, 0x40, 0x48],
        ),
        (
            "uint8",
            json!([["cast_value", {"data_type": "bfloat16"}]]),
            vec![1, 0, 3],
            vec![0x80, 0x3f, 0, 0, 0x40, 0x40],
        ),
        (
            "int8",
            json!([["cast_value", {"data_type": {"name": "float4_e2m1fn", "configuration": {}}}]]),
            vec![1, 0xfa, 0],
            vec![2, 15, 0],
        ),
    ] {
        let bytes = json!([["bytes", {"endian": "little"}]]);
        let all = [&codecs, &bytes].map(|part| part.as_array().unwrap().clone()).concat();
        let chain = chain(DataType::from_name(data_type).unwrap(), &[3], &json!(all)).unwrap();
        let mut found = Vec::new();
        chain.encode(&elements, &mut found).unwrap();
        assert_eq!(found, encoded, "{data_type} {codecs}");
        assert_eq!(decode(&chain, &encoded).unwrap(), elements, "{data_type} {codecs}");
    }
    let cast = json!([["cast_value", {"data_type": "int8"}], ["bytes"]]);
    let narrow = chain(DataType::UInt4, &[1], &cast).unwrap();
    for encoded in [16, 255] {
        assert!(decode(&narrow, &[encoded]).is_err(), "{encoded}");
    }
}

#[test]
fn padding_that_is_not_that_of_the_chunk_is_an_error() {
    let codecs = json!([["numcodecs.packbits"], ["bytes"]]);
    let chain = chain(DataType::Bool, &[11], &codecs).unwrap();
    assert_eq!(decode(&chain, &[5, 0xff, 0xff]).unwrap(), [1; 11]);
    for padding in [0, 4, 6, 255] {
        assert!(decode(&chain, &[padding, 0xff, 0xff]).is_err(), "{padding}");
    }
}

#[test]
fn categories_of_texts_of_fixed_length_come_back() {
    let codec = json!(["numcodecs.categorize", {"labels": ["a", "éb", "long"], "dtype": "<U2", "astype": "i2"}]);
    let codecs = json!([codec, ["bytes", {"endian": "big"}]]);
    let chain = chain(DataType::FixedLengthUtf32 { length: 2 }, &[4], &codecs).unwrap();
    let texts = |texts: [[char; 2]; 4]| -> Vec<u8> {
        texts.concat().into_iter().flat_map(|c| u32::from(c).to_ne_bytes()).collect()
    };
    let elements = texts([['é', 'b'], ['x', '\0'], ['a', '\0'], ['\0', '\0']]);
    let mut encoded = Vec::new();
    chain.encode(&elements, &mut encoded).unwrap();
    assert_eq!(encoded, [0, 2, 0, 0, 0, 1, 0, 0]);
    let known = texts([['é', 'b'], ['\0', '\0'], ['a', '\0'], ['\0', '\0']]);
    assert_eq!(decode(&chain, &encoded).unwrap(), known);
    // Too long, beyond the list, below it.
    let encoded = [0, 3, 0, 4, 0xff, 0xff, 0, 2];
    let known = texts([['l', 'o'], ['\0', '\0'], ['\0', '\0'], ['é', 'b']]);
    assert_eq!(decode(&chain, &encoded).unwrap(), known);
}

#[test]
fn serializers_of_their_own_give_back_every_data_type() {
    let bytes: Vec<u8> = (0..700u32).map(|i| (i * 37 % 251) as u8).collect();
    let mut compared = 0;
    for name in [
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ] {
        let data_type = DataType::from_name(name).unwrap();
        let elements = elements(&data_type, &bytes);
        let mut serializers = vec![
            json!(["packbits"]),
            json!(["packbits", {"padding_encoding": "first_byte"}]),
            json!(["packbits", {"padding_encoding": "last_byte", "first_bit": null}]),
        ];
        if name != "bool" && !name.starts_with("complex") {
            serializers.push(json!(["numcodecs.pcodec"]));
            serializers.push(json!(["numcodecs.pcodec", {"level": 1, "equal_pages_up_to": 7}]));
        }
        // Half of the numbers without sign of 32 and 64 bits have no place in zfp.
        let has_zfp = !["bool", "float16", "uint32", "uint64"].contains(&name);
        if has_zfp && !name.starts_with("complex") {
            serializers.push(json!(["zfp", {"mode": "reversible"}]));
            serializers.push(json!(["numcodecs.zfpy", {"mode": 5}]));
        }
        for serializer in serializers {
            for more in
                [json!([]), json!([["crc32c"], ["zstd", {"level": 1}], ["gzip", {"level": 1}]])]
            {
                let all = [&json!([["transpose", {"order": [0, 1]}], serializer]), &more]
                    .map(|part| part.as_array().unwrap().clone())
                    .concat();
                let chain = chain(data_type.clone(), &[6, 10], &json!(all)).unwrap();
                assert_eq!(chain.identity(), None);
                let mut encoded = Vec::new();
                chain.encode(&elements, &mut encoded).unwrap();
                assert!(encoded.len() as u64 <= chain.encoded_bound());
                assert!(decode(&chain, &encoded).unwrap() == elements, "{name} {all:?}");
                for len in 0..encoded.len() {
                    assert!(decode(&chain, &encoded[..len]).is_err(), "{name} {all:?} {len}");
                }
                for bit in 0..encoded.len() * 8 {
                    let mut flipped = encoded.clone();
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    // An error or as many elements, never a panic.
                    let _ = decode(&chain, &flipped);
                }
                encoded.push(0);
                assert!(decode(&chain, &encoded).is_err(), "{name} {all:?}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 160);
}

#[test]
fn small_floats_and_their_pairs_are_packed() {
    for (name, encoded, elements) in [
        ("bfloat16", vec![0x80, 0x3f], 0x3f80u16.to_ne_bytes().to_vec()),
        ("float8_e5m2", vec![0x3c], vec![0x3c]),
        ("complex_float8_e4m3", vec![0x38, 0xb8], vec![0x38, 0xb8]),
        (
            "complex_float16",
            vec![0, 0x3c, 0, 0xbc],
            [0x3c00u16, 0xbc00].map(u16::to_ne_bytes).concat(),
        ),
        ("complex_float6_e2m3fn", vec![0b1100_1000, 0b1001], vec![0b1000, 0b10_0111]),
    ] {
        let chain = chain(DataType::from_name(name).unwrap(), &[1], &json!([["packbits"]]));
        assert_eq!(decode(&chain.unwrap(), &encoded).unwrap(), elements, "{name}");
    }
}

#[test]
fn packed_bits_are_extended_by_their_sign() {
    let codec = json!([["packbits", {"first_bit": 1, "last_bit": 4}]]);
    let signed = chain(DataType::Int8, &[3], &codec).unwrap();
    assert_eq!(decode(&signed, &[0b1111_0111, 0b1000]).unwrap(), [14, 254, 240]);
    let unsigned = chain(DataType::UInt8, &[3], &codec).unwrap();
    assert_eq!(decode(&unsigned, &[0b1111_0111, 0b1000]).unwrap(), [14, 30, 16]);
}
