//! Bytes that no codec has written: cut, flipped, lengthened, of another length, random. Every one ends
//! in an error or, where the format has no checksum, in elements of the right length; none in a panic.

use std::sync::Arc;

use crate::every::{
    bytes_codecs, chain, compressible, has_checksum, has_no_end, is_checksum, string_chain,
    variable,
};
use lsio_array::{DataType, Decoded, Destination};
use lsio_codecs::{
    Blosc, BloscCompressor, BytesCodec, Bz2, ChunkContext, Codec, CodecChain, CodecError, Endian,
    Gzip, Lz4, Lzma, Serializer, Shuffle, VlenUtf8, Zlib, Zstd, codec_v2, codec_v3,
};
use proptest::prelude::*;

/// A small chunk, its encoding by `codec`, and their lengths.
fn sample(codec: &dyn BytesCodec) -> (Vec<u8>, Vec<u8>) {
    let bytes = compressible(600, 4);
    let mut encoded = Vec::new();
    codec.encode(&bytes, &mut encoded).unwrap();
    (bytes, encoded)
}

#[test]
fn every_truncation_is_an_error() {
    for (name, codec) in bytes_codecs() {
        let (bytes, encoded) = sample(codec.as_ref());
        let mut decoded = vec![0; bytes.len()];
        for len in 0..encoded.len() {
            let error = codec.decode_exact(&encoded[..len], &mut decoded).unwrap_err();
            assert_eq!(error.codec(), Some(codec.name()), "{name} {len}");
        }
    }
}

#[test]
fn a_truncated_stream_is_told_from_a_damaged_one() {
    for (name, codec) in bytes_codecs() {
        if has_no_end(&name) {
            continue;
        }
        let (bytes, encoded) = sample(codec.as_ref());
        let mut decoded = vec![0; bytes.len()];
        for len in [0, 1, 9, encoded.len() / 2, encoded.len() - 5, encoded.len() - 1] {
            let error = codec.decode_exact(&encoded[..len], &mut decoded).unwrap_err();
            assert!(matches!(error, CodecError::Truncated { .. }), "{name} {len}: {error}");
        }
    }
}

#[test]
fn every_flipped_bit_is_an_error_or_keeps_the_length() {
    for (name, codec) in bytes_codecs() {
        let (bytes, encoded) = sample(codec.as_ref());
        let mut decoded = vec![0; bytes.len()];
        for bit in 0..encoded.len() * 8 {
            let mut flipped = encoded.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let result = codec.decode_exact(&flipped, &mut decoded);
            if result.is_ok() && has_checksum(&name) {
                // Some bits of gzip's header and of zstd's frame header mean nothing to the contents.
                assert_eq!(decoded, bytes, "{name} bit {bit}");
            }
        }
    }
}

#[test]
fn another_decoded_length_is_named_in_both_directions() {
    for (name, codec) in bytes_codecs() {
        let (bytes, encoded) = sample(codec.as_ref());
        for len in [0, 1, 599, 601, 1200] {
            let mut decoded = vec![0; len];
            let error = codec.decode_exact(&encoded, &mut decoded).unwrap_err();
            let CodecError::Length { expected, actual, .. } = error else {
                panic!("{name} {len}: {error}");
            };
            assert_eq!(expected, len as u64, "{name}");
            assert_eq!(actual > expected, bytes.len() > len, "{name} {len} {actual}");
        }
    }
}

#[test]
fn bytes_behind_the_encoding_are_an_error() {
    for (name, codec) in bytes_codecs() {
        let (bytes, encoded) = sample(codec.as_ref());
        let mut decoded = vec![0; bytes.len()];
        for rest in [&[0u8][..], &[0; 17], &[0xff; 3], b"garbage", &[0x1f], &[0x1f, 0x8b]] {
            let longer = [encoded.as_slice(), rest].concat();
            assert!(codec.decode_exact(&longer, &mut decoded).is_err(), "{name} {rest:?}");
        }
    }
}

#[test]
fn a_chunk_that_stands_there_twice_is_an_error() {
    for (name, codec) in bytes_codecs() {
        let (bytes, encoded) = sample(codec.as_ref());
        let twice = [encoded.as_slice(), &encoded].concat();
        assert!(codec.decode_exact(&twice, &mut vec![0; bytes.len()]).is_err(), "{name}");
    }
}

#[test]
fn uncompressed_bytes_must_have_the_length_of_the_chunk() {
    let chain = chain(DataType::Int16, &[3], &[0], Endian::Little, &[]);
    let mut decoded = [0; 6];
    let mut decode =
        |encoded: &[u8]| chain.decode(encoded, Destination::Fixed(&mut decoded), &mut []);
    assert_eq!(
        decode(&[0; 5]),
        Err(CodecError::Truncated { codec: "bytes", expected: 6, actual: 5 })
    );
    assert_eq!(decode(&[0; 7]), Err(CodecError::Length { codec: "bytes", expected: 6, actual: 7 }));
    assert_eq!(decode(&[0; 6]), Ok(Decoded::Complete));
}

#[test]
fn too_little_scratch_or_the_wrong_destination_is_an_error() {
    let codecs: [Arc<dyn BytesCodec>; 2] = [Arc::new(Gzip::new(1)), Arc::new(Zstd::new(1, false))];
    let chain = chain(DataType::Int16, &[3], &[0], Endian::Little, &codecs);
    let mut encoded = Vec::new();
    chain.encode(&[0; 6], &mut encoded).unwrap();
    let error = chain.decode(&encoded, Destination::Fixed(&mut [0; 6]), &mut []).unwrap_err();
    assert!(matches!(error, CodecError::TooLarge { limit: 0, .. }), "{error}");
    let mut scratch = vec![0; chain.scratch_len() as usize];
    assert!(chain.decode(&encoded, Destination::Fixed(&mut [0; 5]), &mut scratch).is_err());
    let mut chunk = variable(1000);
    assert!(chain.decode(&encoded, Destination::Variable(&mut chunk), &mut scratch).is_err());
    assert!(chain.encode_variable(&["a", "b", "c"], &mut encoded).is_err());
    let strings = string_chain(&[3], &[0], &[]);
    assert!(strings.decode(&encoded, Destination::Fixed(&mut [0; 6]), &mut []).is_err());
    assert!(strings.encode(&[0; 6], &mut encoded).is_err());
}

#[test]
fn a_bomb_stops_at_the_length_of_the_chunk() {
    let bomb = vec![0; 50_000_000];
    let codecs: [&dyn BytesCodec; 8] = [
        &Bz2::new(9),
        &Lz4::new(1),
        &Lzma::xz(1),
        &Lzma::alone(1),
        &Zstd::new(3, false),
        &Gzip::new(9),
        &Zlib::new(9),
        &Blosc::new(BloscCompressor::Zstd, 5, Shuffle::Byte, 4, 0),
    ];
    for codec in codecs {
        let mut encoded = Vec::new();
        codec.encode(&bomb, &mut encoded).unwrap();
        let error = codec.decode_exact(&encoded, &mut [0; 1000]).unwrap_err();
        assert!(matches!(error, CodecError::Length { expected: 1000, .. }), "{error}");
    }
}

#[test]
fn a_frame_that_claims_more_than_memory_allocates_nothing() {
    // A zstd frame header with an 8-byte content size of 2^62, then a raw block.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1110_0000];
    frame.extend_from_slice(&(1u64 << 62).to_le_bytes());
    frame.extend_from_slice(&[0x09, 0, 0, 7]);
    let zstd: Arc<dyn BytesCodec> = Arc::new(Zstd::new(1, false));
    assert!(zstd.decode_exact(&frame, &mut [0; 10]).is_err());
    let strings = string_chain(&[3], &[0], &[zstd]);
    let end = strings.decode(&frame, Destination::Variable(&mut variable(1000)), &mut []);
    assert!(matches!(end, Ok(Decoded::Outgrown { needed }) if needed > 1 << 62), "{end:?}");
}

/// The encoded form of strings, given as numbers and texts.
fn vlen(count: u32, elements: &[(u32, &[u8])]) -> Vec<u8> {
    let mut encoded = count.to_le_bytes().to_vec();
    for (length, bytes) in elements {
        encoded.extend_from_slice(&length.to_le_bytes());
        encoded.extend_from_slice(bytes);
    }
    encoded
}

#[test]
fn strings_that_contradict_the_chunk_are_errors() {
    let chain = string_chain(&[2], &[0], &[]);
    let decode = |encoded: &[u8], limit| {
        let mut chunk = variable(limit);
        chain.decode(encoded, Destination::Variable(&mut chunk), &mut [])
    };
    let good = vlen(2, &[(1, b"a"), (2, "é".as_bytes())]);
    assert_eq!(decode(&good, 100), Ok(Decoded::Complete));
    for len in 0..good.len() {
        assert!(decode(&good[..len], 100).is_err(), "{len}");
    }
    for bad in [
        vlen(1, &[(1, b"a")]),
        vlen(3, &[(1, b"a"), (1, b"b"), (1, b"c")]),
        vlen(u32::MAX, &[(1, b"a"), (1, b"b")]),
        vlen(2, &[(1, b"a"), (u32::MAX, b"b")]),
        vlen(2, &[(1, b"a"), (1, b"bc")]),
        vlen(2, &[(1, b"a"), (1, b"\xff")]),
        // The two halves of one character.
        vlen(2, &[(1, b"\xc3"), (1, b"\xa9")]),
    ] {
        let error = decode(&bad, 100).unwrap_err();
        assert_eq!(error.codec(), Some("vlen-utf8"), "{bad:?}");
    }
}

#[test]
fn bytes_of_any_number_that_contradict_the_chunk_are_errors() {
    let context = ChunkContext { data_type: DataType::VariableLengthBytes, shape: vec![2] };
    let codec = codec_v3("vlen-bytes", &serde_json::Map::new(), &context).unwrap();
    let chain = CodecChain::new(vec![codec], &context).unwrap();
    let decode = |encoded: &[u8]| {
        let mut chunk = variable(100);
        chain.decode(encoded, Destination::Variable(&mut chunk), &mut []).map(|_| chunk)
    };
    let good = vlen(2, &[(0, b""), (2, b"\xff\0")]);
    let decoded = decode(&good).unwrap();
    assert_eq!((&*decoded.offsets, &*decoded.bytes), (&[0, 0, 2][..], &b"\xff\0"[..]));
    for len in 0..good.len() {
        assert!(decode(&good[..len]).is_err(), "{len}");
    }
    for bad in [vlen(u32::MAX, &[]), vlen(2, &[(1, b"a"), (u32::MAX, b"b")]), vlen(1, &[(1, b"a")])]
    {
        assert_eq!(decode(&bad).unwrap_err().codec(), Some("vlen-bytes"), "{bad:?}");
    }
    // The other types of varying length have codecs of their own.
    let text = ChunkContext { data_type: DataType::String, ..context };
    let codec = codec_v3("vlen-bytes", &serde_json::Map::new(), &text).unwrap();
    assert!(CodecChain::new(vec![codec], &text).is_err());
}

/// A chain of one codec of numcodecs for two elements of varying length.
fn objects(id: &str, configuration: &str, data_type: DataType) -> Result<CodecChain, CodecError> {
    let context = ChunkContext { data_type, shape: vec![2] };
    let codec = codec_v2(id, &serde_json::from_str(configuration).unwrap(), &context)?;
    CodecChain::new(vec![codec], &context)
}

#[test]
fn objects_that_contradict_the_chunk_are_errors() {
    let lists = objects("vlen-array", r#"{"dtype": "<u2"}"#, DataType::Json).unwrap();
    let categories = r#"{"labels": ["a", "bc"], "dtype": "|O", "astype": ">u2"}"#;
    let categories = objects("categorize", categories, DataType::String).unwrap();
    let document = objects("msgpack2", "{}", DataType::Json).unwrap();
    let list = vlen(2, &[(2, &[1, 2]), (4, &[0, 0, 9, 0])]);
    for (chain, good, text) in [
        (&lists, list.as_slice(), "[513][0,9]"),
        (&categories, &[0, 2, 0, 1], "bca"),
        (&categories, &[0, 0, 0xff, 0xff], ""),
        (&document, b"\x94\xc3\x91\xca\x7f\xc0\0\0\xa2|O\x91\x02", "true[NaN]"),
    ] {
        let decode = |encoded: &[u8], limit| {
            let mut chunk = variable(limit);
            let end = chain.decode(encoded, Destination::Variable(&mut chunk), &mut []);
            end.map(|end| (end, String::from_utf8_lossy(&chunk.bytes).into_owned()))
        };
        assert_eq!(decode(good, 1000).unwrap(), (Decoded::Complete, text.to_owned()));
        for len in 0..good.len() {
            assert!(decode(&good[..len], 1000).is_err(), "{text} {len}");
        }
        assert!(decode(&[good, &[0]].concat(), 1000).is_err(), "{text}");
        // What the bytes may become is asked for before it is made.
        let (end, _) = decode(good, 24 + good.len() as u64).unwrap();
        let Decoded::Outgrown { needed } = end else { panic!("{text}: {end:?}") };
        assert_eq!(decode(good, needed).unwrap().0, Decoded::Complete);
    }
    let odd = vlen(2, &[(2, &[1, 2]), (3, &[0, 0, 9])]);
    let mut chunk = variable(1000);
    assert!(lists.decode(&odd, Destination::Variable(&mut chunk), &mut []).is_err());
    for (id, configuration) in [
        ("vlen-array", "{}"),
        ("vlen-array", r#"{"dtype": "<M8[ns]"}"#),
        ("vlen-array", r#"{"dtype": "<c8"}"#),
        ("vlen-array", r#"{"dtype": "<U4"}"#),
        ("msgpack2", r#"{"raw": true}"#),
    ] {
        let error = objects(id, configuration, DataType::Json).unwrap_err();
        assert_eq!(error.codec(), Some(id), "{configuration}");
    }
    for configuration in [
        r#"{"labels": "a", "dtype": "|O"}"#,
        r#"{"labels": [1], "dtype": "|O"}"#,
        r#"{"labels": ["a"], "dtype": "<U1"}"#,
        r#"{"labels": ["a"], "dtype": "i4"}"#,
        r#"{"labels": ["a"]}"#,
        r#"{"labels": ["a"], "dtype": "|O", "astype": "<f4"}"#,
    ] {
        let error = objects("categorize", configuration, DataType::String).unwrap_err();
        assert_eq!(error.codec(), Some("categorize"), "{configuration}");
    }
    assert!(lists.encode_variable(&["[1]", "[2]"], &mut Vec::new()).is_err());
}

#[test]
fn strings_that_do_not_fit_ask_for_what_they_need() {
    let chain = string_chain(&[2], &[0], &[]);
    let encoded = vlen(2, &[(1, b"a"), (5, b"bcdef")]);
    let decode = |limit| {
        let mut chunk = variable(limit);
        let end = chain.decode(&encoded, Destination::Variable(&mut chunk), &mut []);
        (end, chunk.bytes.capacity(), chunk.offsets.capacity())
    };
    // 3 offsets, 12 bytes of numbers, 6 of text.
    assert_eq!(decode(10), (Ok(Decoded::Outgrown { needed: 36 }), 0, 0));
    assert_eq!(decode(36), (Ok(Decoded::Outgrown { needed: 42 }), 0, 0));
    assert_eq!(decode(42).0, Ok(Decoded::Complete));
}

#[test]
fn a_chunk_of_strings_beyond_memory_is_refused_before_anything_is_allocated() {
    let chain = string_chain(&[1 << 40], &[0], &[]);
    let mut chunk = variable(1 << 20);
    let end = chain.decode(&vlen(7, &[]), Destination::Variable(&mut chunk), &mut []);
    assert!(matches!(end, Ok(Decoded::Outgrown { needed }) if needed > 1 << 42), "{end:?}");
    assert_eq!(chunk.bytes.capacity() + chunk.offsets.capacity(), 0);
}

#[test]
fn chunks_beyond_memory_and_codecs_out_of_order_make_no_chain() {
    let context = |shape: &[u64], data_type| ChunkContext { data_type, shape: shape.to_vec() };
    let none = serde_json::Map::new();
    let int8 = context(&[2, 3], DataType::Int8);
    let bytes = || codec_v3("bytes", &none, &int8).unwrap();
    let zstd = || codec_v2("zstd", &none, &int8).unwrap();
    let order = serde_json::from_str(r#"{"order":[1,0]}"#).unwrap();
    let transpose = || codec_v3("transpose", &order, &int8).unwrap();

    for shape in [&[1 << 62, 4][..], &[1 << 63], &[u64::MAX, u64::MAX, u64::MAX]] {
        let error = CodecChain::new(vec![bytes()], &context(shape, DataType::Int8)).unwrap_err();
        assert!(matches!(error, CodecError::TooLarge { .. }), "{error}");
    }
    let empty = context(&[u64::MAX, u64::MAX, 0], DataType::Int8);
    assert!(CodecChain::new(vec![bytes()], &empty).is_ok());
    for codecs in [
        vec![],
        vec![zstd()],
        vec![zstd(), bytes()],
        vec![bytes(), bytes()],
        vec![bytes(), transpose()],
        vec![transpose()],
        vec![Codec::ArrayToBytes(Serializer::Variable(Arc::new(VlenUtf8)))],
    ] {
        let error = CodecChain::new(codecs.clone(), &int8).unwrap_err();
        assert!(matches!(error, CodecError::Configuration { .. }), "{codecs:?}: {error}");
    }
    let flat = context(&[6], DataType::Int8);
    assert!(CodecChain::new(vec![transpose(), bytes()], &flat).is_err());
    let text = context(&[2, 3], DataType::String);
    assert!(CodecChain::new(vec![bytes()], &text).is_err());
    let twice = CodecChain::new(vec![transpose(), transpose(), bytes(), zstd()], &int8).unwrap();
    assert_eq!(twice.names(), ["transpose", "transpose", "bytes", "zstd"]);
    assert_eq!(twice.axis_order(), [0, 1]);
}

#[test]
fn unknown_codecs_are_refused_by_their_full_name() {
    let context = ChunkContext { data_type: DataType::Int8, shape: vec![1] };
    let none = serde_json::Map::new();
    for name in
        ["zarrs.gdeflate", "numcodecs.pickle", "", "numcodecs.", "bytes2", "numcodecs.bytes"]
    {
        let error = codec_v3(name, &none, &context).unwrap_err();
        assert_eq!(error, CodecError::Unsupported { name: name.to_owned() });
        assert_eq!(error.codec(), None);
    }
    for id in ["bytes", "transpose", "pickle", "numcodecs.zlib"] {
        let error = codec_v2(id, &none, &context).unwrap_err();
        assert_eq!(error, CodecError::Unsupported { name: id.to_owned() });
    }
}

#[test]
fn every_name_of_every_codec_is_known() {
    let context = ChunkContext { data_type: DataType::Int8, shape: vec![1] };
    let text = ChunkContext { data_type: DataType::String, shape: vec![1] };
    let none = serde_json::Map::new();
    for id in [
        "adler32",
        "base64",
        "blosc",
        "bz2",
        "crc32",
        "crc32c",
        "fletcher32",
        "gzip",
        "jenkins_lookup3",
        "lz4",
        "lzma",
        "shuffle",
        "zlib",
        "zstd",
    ] {
        assert_eq!(codec_v2(id, &none, &context).unwrap().name(), id);
        assert_eq!(codec_v3(id, &none, &context).unwrap().name(), id);
        assert_eq!(codec_v3(&format!("numcodecs.{id}"), &none, &context).unwrap().name(), id);
    }
    for name in ["vlen-utf8", "numcodecs.vlen-utf8"] {
        assert_eq!(codec_v3(name, &none, &text).unwrap().name(), "vlen-utf8");
    }
    assert_eq!(codec_v3("endian", &none, &context).unwrap().name(), "bytes");
}

fn any_codec() -> impl Strategy<Value = (String, Arc<dyn BytesCodec>)> {
    proptest::sample::select(bytes_codecs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn random_bytes_never_panic(
        (name, codec) in any_codec(),
        encoded in proptest::collection::vec(any::<u8>(), 0..300),
        len in 0..400usize,
    ) {
        let mut decoded = vec![0; len];
        let result = codec.decode_exact(&encoded, &mut decoded);
        if result.is_ok() && has_checksum(&name) && !is_checksum(&name) {
            prop_assert!(len == 0, "{} decoded random bytes", name);
        }
        let strings = string_chain(&[3], &[0], &[codec]);
        let end = strings.decode(&encoded, Destination::Variable(&mut variable(500)), &mut []);
        let refused = match end {
            Ok(Decoded::Outgrown { needed }) => needed > 500,
            other => other.is_err(),
        };
        prop_assert!(refused, "{}", name);
    }

    #[test]
    fn damage_anywhere_never_panics(
        (name, codec) in any_codec(),
        damage in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..6),
        len in 0..3000usize,
    ) {
        let bytes = compressible(len, 9);
        let mut encoded = Vec::new();
        codec.encode(&bytes, &mut encoded).unwrap();
        if encoded.is_empty() {
            return Ok(());
        }
        for (at, value) in damage {
            let at = usize::from(at) % encoded.len();
            encoded[at] = value;
        }
        let mut decoded = vec![0; len];
        let result = codec.decode_exact(&encoded, &mut decoded);
        if result.is_ok() && has_checksum(&name) {
            prop_assert_eq!(decoded, bytes, "{}", name);
        }
    }
}
