//! A chunk source whose every answer a test decides, and the executor, storage and memory around it.

use std::fmt;
use std::sync::{Arc, mpsc};

use lsio_array::{
    Answer, ArrayInfo, ChunkError, ChunkErrorKind, ChunkSource, DataType, Decoded, Destination,
    KnownReads, Location, Params, Parsed, ReadSpec, Reads, Resume, Task, TaskInput, TaskPlan,
};
use lsio_compute::{
    ChunkData, Executor, FunctionError, RunError, RunHandle, RunOptions, SourceHandle,
};
use lsio_io::{
    ByteRange, FaultStorage, Freshness, Key, Memory, MemoryStorage, Storage, WriteStorage,
};

/// Elements of one chunk.
pub(crate) const ELEMENTS: u64 = 16;

/// What a source is asked to decode.
pub(crate) struct Call<'a, 'b> {
    pub(crate) chunk: u64,
    pub(crate) params: &'a Params,
    pub(crate) encoded: &'a [&'a [u8]],
    pub(crate) destination: Destination<'b>,
    pub(crate) resume: &'a Arc<dyn Resume>,
}

type Locate = dyn Fn(u64, &dyn KnownReads) -> Result<Location, ChunkErrorKind> + Send + Sync;
type Parse = dyn Fn(&ReadSpec, Option<&[u8]>) -> Result<u64, ChunkErrorKind> + Send + Sync;
type Decode = dyn Fn(Call<'_, '_>) -> Result<Decoded, ChunkErrorKind> + Send + Sync;

/// A one-dimensional array of `uint64`. Unless told otherwise, chunk `n` is the object `c/<n>`.
pub(crate) struct TestSource {
    pub(crate) info: ArrayInfo,
    pub(crate) stores: Vec<Arc<dyn Storage>>,
    pub(crate) locate: Box<Locate>,
    pub(crate) parse: Box<Parse>,
    pub(crate) decode: Box<Decode>,
}

impl fmt::Debug for TestSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestSource").field("name", &self.info.name).finish_non_exhaustive()
    }
}

impl TestSource {
    pub(crate) fn new(store: Arc<dyn Storage>, chunks: u64) -> Self {
        let info = ArrayInfo {
            name: "test".into(),
            shape: vec![chunks * ELEMENTS],
            chunk_shape: vec![ELEMENTS],
            data_type: DataType::UInt64,
            fill_value: u64::MAX.to_ne_bytes().to_vec().into(),
            axis_order: vec![0],
            encoded_estimate: ELEMENTS * 8,
            encoded_limit: 1 << 20,
            scratch_len: 64,
            suspended_len: 0,
            decoded_len: ELEMENTS * 8,
            decoded_limit: 1 << 20,
            stored_as_is: None,
            comes_in_pieces: false,
        };
        Self {
            info,
            stores: vec![store],
            locate: Box::new(|chunk, _| Ok(whole(&format!("c/{chunk}")))),
            parse: Box::new(|_, bytes| {
                let bytes = bytes.ok_or_else(|| ChunkErrorKind::Panic("no index".to_owned()))?;
                Ok(u64::from_ne_bytes(bytes[..8].try_into().unwrap()))
            }),
            decode: Box::new(|call| {
                copy(call.encoded[0], call.destination);
                Ok(Decoded::Complete)
            }),
        }
    }

    fn error(&self, chunk: &[u64], kind: ChunkErrorKind) -> ChunkError {
        let array = self.info.name.clone();
        ChunkError { array, chunk: chunk.to_vec(), codec: None, kind }
    }
}

impl ChunkSource for TestSource {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn stores(&self) -> &[Arc<dyn Storage>] {
        &self.stores
    }

    fn locate(&self, chunk: &[u64], known: &dyn KnownReads) -> Result<Location, ChunkError> {
        (self.locate)(chunk[0], known).map_err(|kind| self.error(chunk, kind))
    }

    fn parse(
        &self,
        spec: &ReadSpec,
        bytes: Option<&[u8]>,
        _object_len: u64,
    ) -> Result<Parsed, ChunkError> {
        let value = (self.parse)(spec, bytes).map_err(|kind| self.error(&[], kind))?;
        Ok(Parsed { value: Arc::new(value), bytes: bytes.map_or(0, |bytes| bytes.len() as u64) })
    }

    fn decode(
        &self,
        chunk: &[u64],
        params: &Params,
        encoded: &[&[u8]],
        destination: Destination<'_>,
        _scratch: &mut [u8],
        resume: &Arc<dyn Resume>,
    ) -> Result<Decoded, ChunkError> {
        let call = Call { chunk: chunk[0], params, encoded, destination, resume };
        (self.decode)(call).map_err(|kind| self.error(chunk, kind))
    }
}

/// The whole object.
pub(crate) fn whole(key: &str) -> Location {
    at(key, Reads::Whole, Freshness::Current)
}

/// A part of an object.
pub(crate) fn range(key: &str, offset: u64, len: u64) -> Location {
    at(key, Reads::Ranges(vec![ByteRange::Bounded { offset, len }]), Freshness::Current)
}

pub(crate) fn at(key: &str, reads: Reads, freshness: Freshness) -> Location {
    Location::At { store: 0, key: Key::new(key).unwrap(), reads, freshness, params: None }
}

/// A small read before a chunk can be located.
pub(crate) fn index(key: &str) -> ReadSpec {
    ReadSpec {
        store: 0,
        key: Key::new(key).unwrap(),
        range: ByteRange::Whole,
        limit: 64,
        growth_limit: 64,
        purpose: 0,
    }
}

/// The number that [`TestSource::parse`] found in an index.
pub(crate) fn number(answer: &Answer) -> u64 {
    *answer.value.downcast_ref::<u64>().unwrap()
}

/// Copies what was read to where a fixed chunk goes.
pub(crate) fn copy(encoded: &[u8], destination: Destination<'_>) {
    match destination {
        Destination::Fixed(target) => target.copy_from_slice(encoded),
        Destination::Pieces(_) | Destination::Variable(_) => {
            panic!("a fixed destination was expected")
        }
    }
}

/// The elements of chunk `n`.
pub(crate) fn elements(chunk: u64) -> Vec<u64> {
    (chunk * ELEMENTS..(chunk + 1) * ELEMENTS).collect()
}

pub(crate) fn bytes_of(elements: &[u64]) -> Vec<u8> {
    elements.iter().flat_map(|element| element.to_ne_bytes()).collect()
}

pub(crate) fn elements_of(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks::<8>().0.iter().map(|element| u64::from_ne_bytes(*element)).collect()
}

/// Any tasks that a test wants.
#[derive(Debug)]
pub(crate) struct Tasks(pub(crate) Vec<Vec<TaskInput>>);

impl TaskPlan for Tasks {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn task(&self, number: u64) -> Task {
        Task { number, inputs: self.0[number as usize].clone().into() }
    }
}

/// All of one chunk.
pub(crate) fn input(source: usize, chunk: u64) -> TaskInput {
    TaskInput::whole_chunk(source, vec![chunk], &[ELEMENTS])
}

/// One task for each chunk of one source.
pub(crate) fn each_chunk(chunks: u64) -> Arc<Tasks> {
    Arc::new(Tasks((0..chunks).map(|chunk| vec![input(0, chunk)]).collect()))
}

/// An executor and what it reads from.
pub(crate) struct World {
    pub(crate) memory: Arc<Memory>,
    pub(crate) store: Arc<MemoryStorage>,
    pub(crate) faults: Arc<FaultStorage>,
    pub(crate) executor: Executor,
}

pub(crate) type Folded = Result<Vec<u64>, RunError>;

impl World {
    pub(crate) fn new(threads: usize, limit: u64) -> Self {
        Self::caching(threads, limit, None)
    }

    /// With so many bytes for the cache.
    pub(crate) fn caching(threads: usize, limit: u64, cache: Option<u64>) -> Self {
        let memory = Memory::new(limit);
        let store = Arc::new(MemoryStorage::new());
        let faults = Arc::new(FaultStorage::new(store.clone(), 7));
        let executor = Executor::with_cache(threads, memory.clone(), cache);
        Self { memory, store, faults, executor }
    }

    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        self.store.put(&Key::new(key).unwrap(), bytes).unwrap();
    }

    /// Stores chunks `0..chunks` as objects of their own.
    pub(crate) fn put_chunks(&self, chunks: u64) {
        for chunk in 0..chunks {
            self.put(&format!("c/{chunk}"), &bytes_of(&elements(chunk)));
        }
    }

    pub(crate) fn source(&self, chunks: u64) -> TestSource {
        TestSource::new(self.faults.clone(), chunks)
    }

    pub(crate) fn register(&self, source: TestSource) -> Arc<SourceHandle> {
        self.executor.register(Arc::new(source)).unwrap()
    }

    /// Starts to join all elements in the order of the plan.
    pub(crate) fn start(
        &self,
        sources: &[Arc<SourceHandle>],
        plan: Arc<Tasks>,
        options: RunOptions,
    ) -> (RunHandle, mpsc::Receiver<Folded>) {
        let (sender, receiver) = mpsc::channel();
        let handle =
            self.executor.fold(sources.to_vec(), plan, options, join, concat, move |end| {
                sender.send(end.map(Option::unwrap_or_default)).unwrap();
            });
        (handle, receiver)
    }

    pub(crate) fn fold(&self, sources: &[Arc<SourceHandle>], plan: Arc<Tasks>) -> Folded {
        let (_, end) = self.start(sources, plan, RunOptions::default());
        end.recv().unwrap()
    }
}

/// The elements of fixed chunks; the lengths of those of varying length.
#[expect(clippy::unnecessary_wraps, reason = "the form that a fold takes")]
pub(crate) fn join(chunks: &[ChunkData]) -> Result<Vec<u64>, FunctionError> {
    Ok(chunks
        .iter()
        .flat_map(|chunk| match &chunk.values {
            lsio_compute::ChunkValues::Fixed(bytes) => elements_of(bytes),
            lsio_compute::ChunkValues::Variable(chunk, _) => {
                chunk.offsets.windows(2).map(|pair| pair[1] - pair[0]).collect()
            }
        })
        .collect())
}

pub(crate) fn concat(mut left: Vec<u64>, right: Vec<u64>) -> Vec<u64> {
    left.extend(right);
    left
}
