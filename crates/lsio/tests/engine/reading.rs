//! Reads that wait for their end.

use std::path::Path;
use std::sync::{Arc, mpsc};

use lsio::{
    Array, Chunk, ChunkReader, DimensionSelection, Engine, EngineChoice, EngineConfig, GetOptions,
    IoMode, LsioError, Node, OpenOptions, ReadResult, ReadValues, RunHandle, RunOptions, RunStats,
    Summary, Values,
};
use lsio_io::{Key, Storage};

/// Far more than any test here needs, so that it shapes nothing.
pub(crate) const AMPLE: u64 = 1 << 30;

pub(crate) fn engine(threads: usize, memory: u64) -> Arc<Engine> {
    let config =
        EngineConfig { threads: Some(threads), memory: Some(memory), ..EngineConfig::default() };
    Engine::new(&config).unwrap()
}

/// An engine that caches decoded chunks in so many bytes.
pub(crate) fn caching_engine(threads: usize, memory: u64, cache: u64) -> Arc<Engine> {
    let config = EngineConfig {
        threads: Some(threads),
        memory: Some(memory),
        cache: Some(cache),
        ..EngineConfig::default()
    };
    Engine::new(&config).unwrap()
}

/// One engine of each kind that works here.
pub(crate) fn engines() -> Vec<(EngineChoice, Arc<Engine>)> {
    let choices = [EngineChoice::Pread, EngineChoice::Uring];
    let engines = choices.into_iter().filter_map(|choice| {
        let config = EngineConfig {
            threads: Some(2),
            memory: Some(AMPLE),
            engine: Some(choice),
            ..EngineConfig::default()
        };
        match Engine::new(&config) {
            Ok(engine) => Some((choice, engine)),
            Err(error) => {
                assert_eq!(choice, EngineChoice::Uring, "{error}");
                println!("no ring here: {error}");
                None
            }
        }
    });
    engines.collect()
}

pub(crate) fn open_at(engine: &Arc<Engine>, location: &str) -> Result<OpenedArray, LsioError> {
    engine.open_blocking(location, &OpenOptions::default()).map(array_of)
}

#[expect(clippy::needless_pass_by_value, reason = "any storage becomes `dyn` at the call")]
pub(crate) fn open_in(engine: &Arc<Engine>, storage: Arc<dyn Storage>, path: &str) -> OpenedArray {
    array_of(engine.open_in(&storage, &Key::new(path).unwrap(), None).unwrap())
}

type OpenedArray = Arc<Array>;

pub(crate) fn array_of(node: Node) -> OpenedArray {
    match node {
        Node::Array(array) => array,
        Node::Group(group) => panic!("{} is a group", group.name()),
    }
}

/// Starts something and waits until it calls back.
pub(crate) fn wait<T: Send + 'static>(start: impl FnOnce(Box<dyn FnOnce(T) + Send>)) -> T {
    let (sender, receiver) = mpsc::channel();
    start(Box::new(move |value| sender.send(value).unwrap()));
    receiver.recv().unwrap()
}

/// A read that was started, and where its end will arrive.
pub(crate) type Started<T> = (RunHandle, mpsc::Receiver<Result<T, LsioError>>);

pub(crate) fn start_get(
    array: &Array,
    selections: &[Option<&[DimensionSelection]>],
    options: GetOptions,
) -> Result<Started<ReadResult>, LsioError> {
    let (sender, receiver) = mpsc::channel();
    let done = Box::new(move |result| sender.send(result).unwrap());
    Ok((array.get(selections, options, done)?, receiver))
}

pub(crate) fn get_with(
    array: &Array,
    selections: &[Option<&[DimensionSelection]>],
    options: GetOptions,
) -> Result<(ReadResult, RunStats), LsioError> {
    let (handle, receiver) = start_get(array, selections, options)?;
    let result = receiver.recv().unwrap()?;
    Ok((result, handle.stats()))
}

fn run_in(mode: IoMode) -> RunOptions {
    RunOptions { mode, ..RunOptions::default() }
}

pub(crate) fn in_mode(mode: IoMode) -> GetOptions {
    GetOptions { mode, ..GetOptions::default() }
}

/// All of an array.
pub(crate) fn get_all(array: &Array, mode: IoMode) -> Result<(Vec<u8>, RunStats), LsioError> {
    let (result, stats) = get_with(array, &[None], in_mode(mode))?;
    Ok((bytes_of(&result).to_vec(), stats))
}

/// The bytes of fixed-size elements.
pub(crate) fn bytes_of(result: &ReadResult) -> &[u8] {
    match &result.values {
        ReadValues::Shared(lease) => lease,
        other => panic!("no fixed-size elements: {other:?}"),
    }
}

pub(crate) fn mean(array: &Array, mode: IoMode) -> Result<(f64, RunStats), LsioError> {
    let (sender, receiver) = mpsc::channel();
    let handle = array.mean(run_in(mode), move |mean| sender.send(mean).unwrap())?;
    let mean = receiver.recv().unwrap()?;
    Ok((mean, handle.stats()))
}

pub(crate) fn summary(array: &Array, mode: IoMode) -> Result<Summary, LsioError> {
    let (sender, receiver) = mpsc::channel();
    let _handle = array.summary(run_in(mode), move |summary| sender.send(summary).unwrap())?;
    receiver.recv().unwrap()
}

pub(crate) fn next_batch(reader: &ChunkReader, most: usize) -> Result<Vec<Chunk>, LsioError> {
    wait(|done| reader.next_batch(most, done))
}

/// Every chunk up to the end.
pub(crate) fn all_chunks(reader: &ChunkReader, most: usize) -> Result<Vec<Chunk>, LsioError> {
    let mut chunks = Vec::new();
    loop {
        let batch = next_batch(reader, most)?;
        if batch.is_empty() {
            return Ok(chunks);
        }
        assert!(batch.len() <= most);
        chunks.extend(batch);
    }
}

/// The texts of elements of varying length.
pub(crate) fn texts(values: &Values) -> Vec<String> {
    let Values::Variable(strings) = values else { panic!("no texts") };
    let elements = &strings.elements;
    let text = |pair: &[u64]| {
        let bytes = &elements.bytes[pair[0] as usize..pair[1] as usize];
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    elements.offsets.windows(2).map(text).collect()
}

/// Takes the files below a folder out of the page cache.
pub(crate) fn drop_cache(engine: &Arc<Engine>, folder: &Path) {
    wait(|done| engine.drop_cache(folder, done)).unwrap();
}
