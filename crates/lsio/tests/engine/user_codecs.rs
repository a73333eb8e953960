//! Codecs that users register: at once, and later without a thread that waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use lsio::{
    Array, BytesCodec, Codec, CodecError, DecodeAnswer, Engine, ErrorCode, GetOptions, IoMode,
    SuspendingCodec, register_codec,
};
use lsio_codecs::codec_v3;

use crate::reading::{AMPLE, engine, get_all, get_with, in_mode, open_at, start_get, texts, wait};

/// A chunk that waits: its encoded bytes, and what takes the decoded ones.
type Asked = (Vec<u8>, DecodeAnswer);

/// Hands its chunks to the test.
#[derive(Debug)]
struct Later {
    name: &'static str,
    asked: Mutex<mpsc::Sender<Asked>>,
}

impl SuspendingCodec for Later {
    fn name(&self) -> &'static str {
        self.name
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        decoded_len + 100
    }

    fn start(&self, encoded: Vec<u8>, answer: DecodeAnswer) {
        // The test may be over.
        drop(self.asked.lock().unwrap().send((encoded, answer)));
    }
}

fn register_later(name: &'static str) -> mpsc::Receiver<Asked> {
    let (sender, asked) = mpsc::channel();
    register_codec(name, move |_, _| {
        Ok(Codec::Suspending(Arc::new(Later { name, asked: Mutex::new(sender.clone()) })))
    })
    .unwrap();
    asked
}

/// A codec that answers from another thread: `0xff - byte` for each byte. Counts what it was asked.
fn register_inverting(name: &'static str) -> Arc<AtomicUsize> {
    let asked = register_later(name);
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    std::thread::spawn(move || {
        for (encoded, answer) in asked {
            counted.fetch_add(1, Ordering::SeqCst);
            answer.send(Ok(inverted(&encoded)));
        }
    });
    count
}

fn inverted(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| !byte).collect()
}

/// An array of one dimension in a store in memory, whose chunks are stored as they are given.
pub(crate) fn stored(
    engine: &Arc<Engine>,
    store: &str,
    (data_type, length, chunk_length): (&str, u64, u64),
    codecs: &str,
    chunks: &[Vec<u8>],
) -> Arc<Array> {
    put(engine, store, (data_type, length, chunk_length), codecs, chunks);
    open_at(engine, &format!("memory://{store}")).unwrap()
}

fn put(
    engine: &Arc<Engine>,
    store: &str,
    (data_type, length, chunk_length): (&str, u64, u64),
    codecs: &str,
    chunks: &[Vec<u8>],
) {
    let grid =
        format!(r#"{{"name": "regular", "configuration": {{"chunk_shape": [{chunk_length}]}}}}"#);
    put_in_grid(engine, store, (data_type, length, &grid), codecs, chunks);
}

fn put_in_grid(
    engine: &Arc<Engine>,
    store: &str,
    (data_type, length, grid): (&str, u64, &str),
    codecs: &str,
    chunks: &[Vec<u8>],
) {
    let fill = if data_type == "string" { "\"\"" } else { "0" };
    let document = format!(
        r#"{{"zarr_format": 3, "node_type": "array", "shape": [{length}], "data_type": "{data_type}",
        "chunk_grid": {grid},
        "chunk_key_encoding": {{"name": "default"}}, "fill_value": {fill}, "codecs": {codecs}}}"#
    );
    let put = |key: String, bytes: Vec<u8>| {
        wait(|done| engine.put_in_memory(store, &key, bytes, done)).unwrap();
    };
    put("zarr.json".to_owned(), document.into_bytes());
    for (number, chunk) in chunks.iter().enumerate() {
        put(format!("c/{number}"), chunk.clone());
    }
}

/// What a built-in codec makes of bytes.
pub(crate) fn encoded(name: &str, bytes: &[u8]) -> Vec<u8> {
    let context = lsio::ChunkContext { data_type: lsio::DataType::UInt8, shape: vec![1] };
    let text = match name {
        "gzip" => r#"{"level": 1}"#,
        "zstd" => r#"{"level": 1, "checksum": false}"#,
        _ => "{}",
    };
    let configuration = serde_json::from_str(text).unwrap();
    let Codec::BytesToBytes(codec) = codec_v3(name, &configuration, &context).unwrap() else {
        panic!("{name} does not make bytes of bytes")
    };
    let mut encoded = Vec::new();
    codec.encode(bytes, &mut encoded).unwrap();
    encoded
}

#[test]
fn all_chunks_wait_at_once_though_there_is_one_thread() {
    let asked = register_later("test.at-once");
    let engine = engine(1, AMPLE);
    let chunks: Vec<Vec<u8>> = (0..8).map(|number| vec![number; 4]).collect();
    let array = stored(&engine, "a", ("uint8", 32, 4), r#"["bytes", "test.at-once"]"#, &chunks);
    let (_handle, end) = start_get(&array, &[None], GetOptions::default()).unwrap();
    let mut waiting: Vec<Asked> = (0..8).map(|_| asked.recv().unwrap()).collect();
    assert!(end.try_recv().is_err(), "nothing was answered yet");
    // In any order, from any thread.
    waiting.reverse();
    for (encoded, answer) in waiting {
        assert_eq!((answer.codec(), answer.limit()), ("test.at-once", 4));
        std::thread::spawn(move || answer.send(Ok(inverted(&encoded))));
    }
    let result = end.recv().unwrap().unwrap();
    assert_eq!(crate::reading::bytes_of(&result), inverted(&chunks.concat()));
}

#[test]
fn a_call_is_cancelled_though_its_codec_never_answers() {
    let asked = register_later("test.never");
    let engine = engine(2, AMPLE);
    let chunks = [vec![1; 4], vec![2; 4]];
    let array = stored(&engine, "a", ("uint8", 8, 4), r#"["bytes", "test.never"]"#, &chunks);
    let (handle, end) = start_get(&array, &[None], GetOptions::default()).unwrap();
    let waiting = [asked.recv().unwrap(), asked.recv().unwrap()];
    assert!(waiting.iter().all(|(_, answer)| answer.is_wanted()));
    handle.cancel();
    assert_eq!(end.recv().unwrap().unwrap_err().code, ErrorCode::Closed);
    for (encoded, answer) in waiting {
        assert!(!answer.is_wanted());
        // Too late.
        answer.send(Ok(encoded));
    }
    assert_eq!(engine.memory_usage().reserved, 0);
}

#[test]
fn what_is_no_chunk_is_an_error_that_names_the_codec() {
    let asked = register_later("test.wrong");
    let engine = engine(2, AMPLE);
    let codecs = r#"["bytes", "test.wrong"]"#;
    let array = stored(&engine, "a", ("uint8", 4, 4), codecs, &[vec![7; 4]]);
    let failed = |answer: &dyn Fn(DecodeAnswer)| {
        let (_handle, end) = start_get(&array, &[None], GetOptions::default()).unwrap();
        answer(asked.recv().unwrap().1);
        let error = end.recv().unwrap().unwrap_err();
        assert_eq!(error.codec, Some("test.wrong"), "{error}");
        assert_eq!(error.chunk, Some(vec![0]), "{error}");
        error
    };
    for length in [0, 3, 5, 4000] {
        let error = failed(&|answer| answer.send(Ok(vec![0; length])));
        assert_eq!((error.code, error.function_number()), (ErrorCode::Codec, None), "{error}");
    }
    let error = failed(&|answer| {
        let (codec, reason) = (answer.codec(), "no more ink".to_owned());
        answer.send(Err(CodecError::Function { codec, reason, number: Some(17) }));
    });
    assert_eq!((error.code, error.function_number()), (ErrorCode::Codec, Some(17)));
    assert!(error.message.contains("no more ink"), "{error}");
    let error = failed(&drop);
    assert_eq!(error.code, ErrorCode::Codec);
    assert!(error.message.contains("without an answer"), "{error}");
    // The array is as good as before.
    let (_handle, end) = start_get(&array, &[None], GetOptions::default()).unwrap();
    let (encoded, answer) = asked.recv().unwrap();
    answer.send(Ok(encoded));
    assert!(end.recv().unwrap().is_ok());
}

#[test]
fn codecs_stand_before_and_behind_one_that_answers_later() {
    let first = register_inverting("test.first");
    let second = register_inverting("test.second");
    let engine = engine(2, AMPLE);
    let elements: Vec<u8> = (0..64).collect();
    let gzip = r#"{"name": "gzip", "configuration": {"level": 1}}"#;
    let chains: [(String, Vec<u8>); 4] = [
        (format!(r#"["bytes", "test.first", {gzip}]"#), encoded("gzip", &inverted(&elements))),
        (format!(r#"["bytes", {gzip}, "test.first"]"#), inverted(&encoded("gzip", &elements))),
        (
            format!(r#"["bytes", "test.first", {gzip}, "crc32c", "test.second"]"#),
            inverted(&encoded("crc32c", &encoded("gzip", &inverted(&elements)))),
        ),
        (r#"["bytes", "test.first", "test.second"]"#.to_owned(), elements.clone()),
    ];
    for (codecs, chunk) in chains {
        let array = stored(&engine, "chains", ("uint8", 64, 64), &codecs, &[chunk]);
        assert_eq!(get_all(&array, IoMode::Auto).unwrap().0, elements, "{codecs}");
    }
    assert_eq!((first.load(Ordering::SeqCst), second.load(Ordering::SeqCst)), (4, 2));
}

/// A shard of chunks, with its index of offsets and lengths at the end.
pub(crate) fn shard(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut index = Vec::new();
    let mut start = 0;
    for chunk in chunks {
        index.extend([start, chunk.len() as u64].map(u64::to_le_bytes).concat());
        start += chunk.len() as u64;
    }
    [chunks.concat(), index].concat()
}

#[test]
fn chunks_in_shards_and_whole_shards_go_through_codecs_that_answer_later() {
    let asked = register_inverting("test.sharded");
    let engine = engine(2, AMPLE);
    let little = r#"{"name": "bytes", "configuration": {"endian": "little"}}"#;
    let sharding = |codecs: &str, after: &str| {
        format!(
            r#"[{{"name": "sharding_indexed", "configuration": {{"chunk_shape": [4],
            "codecs": {codecs}, "index_codecs": [{little}]}}}}{after}]"#
        )
    };
    let elements: Vec<u8> = (10..18).collect();
    let plain = [elements[..4].to_vec(), elements[4..].to_vec()];
    let inside = shard(&plain.clone().map(|chunk| inverted(&chunk)));
    let codecs = sharding(r#"["bytes", "test.sharded"]"#, "");
    let array = stored(&engine, "inside", ("uint8", 8, 8), &codecs, &[inside]);
    assert_eq!(get_all(&array, IoMode::Auto).unwrap().0, elements);
    assert_eq!(asked.load(Ordering::SeqCst), 2, "once for each inner chunk");
    let codecs = sharding(r#"["bytes"]"#, r#", "test.sharded""#);
    let array = stored(&engine, "whole", ("uint8", 8, 8), &codecs, &[inverted(&shard(&plain))]);
    assert_eq!(get_all(&array, IoMode::Auto).unwrap().0, elements);
    assert_eq!(asked.load(Ordering::SeqCst), 3, "once for the shard");
}

/// A chunk of `vlen-utf8`.
pub(crate) fn chunk_of_texts(texts: &[String]) -> Vec<u8> {
    let mut chunk = (texts.len() as u32).to_le_bytes().to_vec();
    for text in texts {
        chunk.extend((text.len() as u32).to_le_bytes());
        chunk.extend(text.as_bytes());
    }
    chunk
}

/// All texts of an array.
pub(crate) fn all_texts(array: &Arc<Array>) -> Vec<String> {
    let (result, _) = get_with(array, &[None], in_mode(IoMode::Auto)).unwrap();
    let lsio::ReadValues::Each(values) = &result.values else { panic!("no texts") };
    texts(&values[0])
}

#[test]
fn texts_of_any_length_go_through_codecs_that_answer_later() {
    register_inverting("test.texts");
    let engine = engine(2, AMPLE);
    let expected: Vec<String> = ["short".to_owned(), "long ".repeat(100_000)].into();
    let codecs = r#"["vlen-utf8", "test.texts"]"#;
    let chunk = inverted(&chunk_of_texts(&expected));
    let array = stored(&engine, "a", ("string", 2, 2), codecs, &[chunk]);
    assert_eq!(all_texts(&array), expected);
}

#[test]
fn chunks_of_several_shapes_go_through_codecs_that_answer_later() {
    let asked = register_inverting("test.shapes");
    let engine = engine(2, AMPLE);
    let grid = r#"{"name": "rectilinear", "configuration": {"kind": "inline", "chunk_shapes": [[1, 4, 2]]}}"#;
    let open = |data_type, codecs, chunks: [Vec<u8>; 3]| {
        let chunks = chunks.map(|chunk| inverted(&chunk));
        put_in_grid(&engine, data_type, (data_type, 7, grid), codecs, &chunks);
        open_at(&engine, &format!("memory://{data_type}")).unwrap()
    };

    let elements: Vec<u8> = (10..17).collect();
    let chunks = [&elements[..1], &elements[1..5], &elements[5..]].map(<[u8]>::to_vec);
    let array = open("uint8", r#"["bytes", "test.shapes"]"#, chunks.clone());
    assert_eq!(get_all(&array, IoMode::Auto).unwrap().0, elements);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    // A chunk is as long as its own shape says, not as the longest.
    let array = open("int8", r#"["bytes", "test.shapes"]"#, [vec![1; 4], vec![1; 4], vec![1; 2]]);
    let error = get_all(&array, IoMode::Auto).unwrap_err();
    assert_eq!((error.code, error.codec), (ErrorCode::Codec, Some("test.shapes")));

    let expected: Vec<String> = (0..7).map(|number| "text ".repeat(number * 10_000)).collect();
    let chunks = [&expected[..1], &expected[1..5], &expected[5..]].map(chunk_of_texts);
    let array = open("string", r#"["vlen-utf8", "test.shapes"]"#, chunks);
    assert_eq!(all_texts(&array), expected);
    assert_eq!(engine.memory_usage().reserved, 0);
}

/// Adds a number to each byte.
#[derive(Debug)]
struct Adding(u8);

impl BytesCodec for Adding {
    fn name(&self) -> &'static str {
        "test.adding"
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        decoded_len
    }

    fn decode(&self, encoded: &[u8], decoded: &mut [u8]) -> Result<usize, CodecError> {
        let (needed, limit) = (encoded.len() as u64, decoded.len() as u64);
        let codec = self.name();
        let decoded = decoded.get_mut(..encoded.len()).ok_or(CodecError::TooLarge {
            codec,
            needed,
            limit,
        })?;
        for (to, from) in decoded.iter_mut().zip(encoded) {
            *to = from.wrapping_sub(self.0);
        }
        Ok(encoded.len())
    }

    fn encode(&self, decoded: &[u8], encoded: &mut Vec<u8>) -> Result<(), CodecError> {
        encoded.extend(decoded.iter().map(|byte| byte.wrapping_add(self.0)));
        Ok(())
    }
}

#[test]
fn a_registered_codec_counts_for_arrays_opened_later_and_can_be_replaced() {
    let engine = engine(1, AMPLE);
    let codecs = r#"["bytes", {"name": "test.adding", "configuration": {"number": 2}}]"#;
    put(&engine, "a", ("uint8", 3, 3), codecs, &[vec![5, 6, 7]]);
    let unknown = open_at(&engine, "memory://a").unwrap_err();
    assert_eq!(unknown.code, ErrorCode::Unsupported);
    assert!(unknown.message.contains("test.adding"), "{unknown}");
    let register = |factor: u8| {
        register_codec("test.adding", move |configuration, _| {
            let number = configuration.get("number").and_then(serde_json::Value::as_u64);
            Ok(Codec::BytesToBytes(Arc::new(Adding(factor * number.unwrap() as u8))))
        })
        .unwrap();
    };
    register(1);
    let before = open_at(&engine, "memory://a").unwrap();
    assert_eq!(get_all(&before, IoMode::Auto).unwrap().0, [3, 4, 5]);
    register(2);
    let after = open_at(&engine, "memory://a").unwrap();
    assert_eq!(get_all(&after, IoMode::Auto).unwrap().0, [1, 2, 3]);
}

#[test]
fn names_that_are_taken_cannot_be_registered() {
    for name in ["zstd", "bytes", "numcodecs.zlib", "blosc", "sharding_indexed", "pickle"] {
        let refused = register_codec(name, |_, _| unreachable!()).unwrap_err();
        assert_eq!(refused, CodecError::NameTaken { name: name.to_owned() });
    }
}
