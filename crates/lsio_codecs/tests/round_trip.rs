//! Every codec, data type, byte order and order of axes: what was encoded decodes to the same elements.

use std::sync::Arc;

use crate::every::{bytes_codecs, chain, compressible, string_chain, strings, variable};
use lsio_array::{DataType, Decoded, Destination};
use lsio_codecs::{
    Blosc, BloscCompressor, BytesCodec, ChecksumLocation, CodecChain, Crc32c, Endian, Gzip,
    Shuffle, Zlib, Zstd,
};
use proptest::prelude::*;

/// Decodes with exactly the scratch memory that the chain asks for.
fn decode(chain: &CodecChain, encoded: &[u8]) -> Vec<u8> {
    let mut decoded = vec![0xee; chain.decoded_len().unwrap() as usize];
    let mut scratch = vec![0xee; chain.scratch_len() as usize];
    let end = chain.decode(encoded, Destination::Fixed(&mut decoded), &mut scratch).unwrap();
    assert_eq!(end, Decoded::Complete);
    let mut pieces = Vec::new();
    let mut take = |piece: &[u8]| pieces.extend_from_slice(piece);
    let in_pieces = chain.decode(encoded, Destination::Pieces(&mut take), &mut []);
    assert_eq!(in_pieces.is_ok(), chain.comes_in_pieces());
    if chain.comes_in_pieces() {
        assert_eq!(pieces, decoded);
    }
    decoded
}

#[test]
fn chunks_come_in_pieces_where_the_pieces_are_the_elements() {
    let blosc: Arc<dyn BytesCodec> =
        Arc::new(Blosc::new(BloscCompressor::Lz4, 5, Shuffle::Byte, 4, 0));
    let crc32c: Arc<dyn BytesCodec> = Arc::new(Crc32c::new(ChecksumLocation::End));
    let zstd: Arc<dyn BytesCodec> = Arc::new(Zstd::new(3, false));
    let comes = |data_type, endian, codecs: &[Arc<dyn BytesCodec>]| {
        chain(data_type, &[9], &[0], endian, codecs).comes_in_pieces()
    };
    let one = std::slice::from_ref(&blosc);
    assert!(comes(DataType::Float32, Endian::NATIVE, one));
    assert!(comes(DataType::Float32, Endian::NATIVE, &[blosc.clone(), crc32c.clone()]));
    assert!(!comes(DataType::Float32, Endian::NATIVE, &[crc32c, blosc.clone()]));
    assert!(!comes(DataType::Float32, Endian::NATIVE, &[blosc.clone(), zstd.clone()]));
    assert!(!comes(DataType::Float32, Endian::NATIVE, &[zstd]));
    assert!(!comes(DataType::Float32, Endian::Big, one));
    assert!(!comes(DataType::Bool, Endian::NATIVE, one));
}

#[test]
fn every_codec_gives_back_bytes_of_every_length() {
    for (name, codec) in bytes_codecs() {
        for len in (0..70).chain([127, 128, 129, 1000, 4095, 70_001]) {
            let bytes = compressible(len, len as u64);
            let mut encoded = b"before".to_vec();
            codec.encode(&bytes, &mut encoded).unwrap();
            assert!(encoded.starts_with(b"before"), "{name} {len}");
            let encoded = &encoded[6..];
            assert!(encoded.len() as u64 <= codec.encoded_bound(len as u64), "{name} {len}");
            let mut decoded = vec![0xee; len];
            codec
                .decode_exact(encoded, &mut decoded)
                .unwrap_or_else(|e| panic!("{name} {len}: {e}"));
            assert_eq!(decoded, bytes, "{name} {len}");
            let mut longer = vec![0xee; len + 100];
            assert_eq!(codec.decode(encoded, &mut longer), Ok(len), "{name} {len}");
            assert_eq!(longer[..len], bytes, "{name} {len}");
            if let Some(stated) = codec.stated_len(encoded) {
                assert_eq!(stated, len as u64, "{name}");
            }
        }
    }
}

#[test]
fn every_codec_gives_back_every_data_type() {
    let shape = [3, 4, 5];
    for (name, codec) in bytes_codecs() {
        for data_type in DataType::without_parameters() {
            let Some(size) = data_type.size() else { continue };
            let mut elements = compressible(60 * size, 5);
            make_valid(&data_type, &mut elements);
            for endian in [Endian::Little, Endian::Big] {
                let chain =
                    chain(data_type.clone(), &shape, &[0, 1, 2], endian, &[Arc::clone(&codec)]);
                let mut encoded = Vec::new();
                chain.encode(&elements, &mut encoded).unwrap();
                assert_eq!(decode(&chain, &encoded), elements, "{name} {data_type} {endian:?}");
            }
        }
    }
}

#[test]
fn one_compressor_needs_no_scratch_and_checksums_add_none() {
    let zstd: Arc<dyn BytesCodec> = Arc::new(Zstd::new(1, false));
    let gzip: Arc<dyn BytesCodec> = Arc::new(Gzip::new(1));
    let sum: Arc<dyn BytesCodec> = Arc::new(Crc32c::new(ChecksumLocation::End));
    let scratch = |codecs: &[&Arc<dyn BytesCodec>]| {
        let codecs: Vec<_> = codecs.iter().map(|&codec| Arc::clone(codec)).collect();
        chain(DataType::Int32, &[100], &[0], Endian::Little, &codecs).scratch_len()
    };
    assert_eq!(scratch(&[]), 0);
    assert_eq!(scratch(&[&sum]), 0);
    assert_eq!(scratch(&[&zstd]), 0);
    assert_eq!(scratch(&[&zstd, &sum]), 0);
    assert_eq!(scratch(&[&sum, &zstd]), 404);
    assert_eq!(scratch(&[&gzip, &zstd]), gzip.encoded_bound(400));
}

#[test]
fn an_empty_chunk_and_a_scalar_are_chunks() {
    for (name, codec) in bytes_codecs() {
        for (shape, order, len) in [(&[0, 7][..], &[1, 0][..], 0), (&[], &[], 8)] {
            let chain = chain(DataType::Float64, shape, order, Endian::Big, &[Arc::clone(&codec)]);
            let elements = compressible(len, 1);
            let mut encoded = Vec::new();
            chain.encode(&elements, &mut encoded).unwrap();
            assert_eq!(decode(&chain, &encoded), elements, "{name}");
        }
    }
}

/// Makes elements of arbitrary bytes, for types that not every byte is an element of.
fn make_valid(data_type: &DataType, bytes: &mut [u8]) {
    for byte in bytes {
        *byte = match data_type.bits_below_a_byte() {
            Some((bits, true)) => {
                ((*byte << (8 - bits)).cast_signed() >> (8 - bits)).cast_unsigned()
            }
            Some((bits, false)) => *byte & ((1 << bits) - 1),
            None if *data_type == DataType::Bool => *byte % 2,
            None => *byte,
        };
    }
}

/// Any bytes-to-bytes codec.
fn any_codec() -> impl Strategy<Value = (String, Arc<dyn BytesCodec>)> {
    proptest::sample::select(bytes_codecs())
}

/// A data type of fixed size, a shape of up to 4 axes, and an order of them.
fn any_chunk() -> impl Strategy<Value = (DataType, Vec<u64>, Vec<usize>)> {
    let fixed: Vec<_> = DataType::without_parameters().filter(|t| t.size().is_some()).collect();
    (proptest::sample::select(fixed), proptest::collection::vec(0..9u64, 0..5)).prop_flat_map(
        |(data_type, shape)| {
            let axes: Vec<usize> = (0..shape.len()).collect();
            (Just(data_type), Just(shape), Just(axes).prop_shuffle())
        },
    )
}

/// Elements in the order of `axes`, by the definition: each index in turn.
fn transposed(elements: &[u8], size: usize, shape: &[u64], axes: &[usize]) -> Vec<u8> {
    let stored_shape: Vec<u64> = axes.iter().map(|&axis| shape[axis]).collect();
    let count = shape.iter().product::<u64>();
    let mut stored = Vec::new();
    for index in 0..count {
        let mut rest = index;
        let mut position = vec![0; shape.len()];
        for (place, &axis) in axes.iter().enumerate().rev() {
            position[axis] = rest % stored_shape[place];
            rest /= stored_shape[place];
        }
        let from =
            position.iter().zip(shape).fold(0, |sum, (at, extent)| sum * extent + at) as usize;
        stored.extend_from_slice(&elements[from * size..(from + 1) * size]);
    }
    stored
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_chain_gives_back_any_elements_in_its_order(
        (data_type, shape, axes) in any_chunk(),
        codecs in proptest::collection::vec(any_codec(), 0..4),
        big in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let size = data_type.size().unwrap();
        let count = shape.iter().product::<u64>() as usize;
        let mut elements = compressible(count * size, seed);
        make_valid(&data_type, &mut elements);
        let names: Vec<&String> = codecs.iter().map(|(name, _)| name).collect();
        let codecs: Vec<_> = codecs.iter().map(|(_, codec)| Arc::clone(codec)).collect();
        let endian = if big { Endian::Big } else { Endian::Little };
        let chain = chain(data_type.clone(), &shape, &axes, endian, &codecs);
        prop_assert_eq!(chain.axis_order(), &axes[..]);

        let mut encoded = Vec::new();
        chain.encode(&elements, &mut encoded).unwrap();
        prop_assert!(encoded.len() as u64 <= chain.encoded_bound(), "{:?}", names);
        let expected = transposed(&elements, size, &shape, &axes);
        prop_assert_eq!(decode(&chain, &encoded), expected, "{:?}", names);
    }

    #[test]
    fn any_codec_gives_back_random_bytes(
        (name, codec) in any_codec(),
        bytes in proptest::collection::vec(any::<u8>(), 0..3000),
    ) {
        let mut encoded = Vec::new();
        codec.encode(&bytes, &mut encoded).unwrap();
        prop_assert!(encoded.len() as u64 <= codec.encoded_bound(bytes.len() as u64), "{}", name);
        let mut decoded = vec![0xee; bytes.len()];
        codec.decode_exact(&encoded, &mut decoded).unwrap();
        prop_assert_eq!(decoded, bytes, "{}", name);
    }

    #[test]
    fn any_chain_gives_back_any_strings(
        texts in proptest::collection::vec(".{0,20}", 6),
        transpose in any::<bool>(),
        codecs in proptest::collection::vec(any_codec(), 0..3),
        first_limit in 0..500u64,
    ) {
        let codecs: Vec<_> = codecs.iter().map(|(_, codec)| Arc::clone(codec)).collect();
        let order: &[usize] = if transpose { &[1, 0] } else { &[0, 1] };
        let chain = string_chain(&[2, 3], order, &codecs);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut encoded = Vec::new();
        chain.encode_variable(&texts, &mut encoded).unwrap();

        let mut chunk = variable(first_limit);
        while let Decoded::Outgrown { needed } =
            chain.decode(&encoded, Destination::Variable(&mut chunk), &mut []).unwrap()
        {
            prop_assert!(needed > chunk.limit);
            chunk = variable(needed);
        }
        let taken = chunk.offsets.len() * 8 + chunk.bytes.len();
        prop_assert!(taken as u64 <= chunk.limit);
        let expected: Vec<&str> = if transpose {
            [0, 3, 1, 4, 2, 5].map(|index| texts[index]).to_vec()
        } else {
            texts
        };
        prop_assert_eq!(strings(&chunk), expected);
    }
}

#[test]
fn zlib_and_gzip_share_a_thread_without_mixing_levels() {
    let bytes = compressible(10_000, 3);
    let mut first: Vec<Vec<u8>> = Vec::new();
    for round in 0..2 {
        for level in [1, 9] {
            for codec in [&Gzip::new(level) as &dyn BytesCodec, &Zlib::new(level)] {
                let mut encoded = Vec::new();
                codec.encode(&bytes, &mut encoded).unwrap();
                first.push(encoded);
            }
        }
        if round == 1 {
            assert_eq!(first[..4], first[4..]);
        }
    }
}
