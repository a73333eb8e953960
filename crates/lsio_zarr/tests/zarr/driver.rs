//! What the executor does with a chunk source, one step after the other on one thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};

use lsio_array::{
    Answer, ChunkError, ChunkSource, DataType, Decoded, Destination, Kept, KnownReads, Location,
    ReadSpec, Reads, Resume, VariableChunk,
};
use lsio_io::{
    ByteRange, CancelToken, Completion, CompletionSink, Freshness, IoMode, Key, Memory,
    MemoryStorage, Read, ReadAnswer, Storage, StorageError, WriteStorage,
};
use lsio_zarr::{Node, ZarrArray, ZarrError};

/// A memory budget that no test exhausts.
pub(crate) fn memory() -> Arc<Memory> {
    Memory::new(1 << 30)
}

pub(crate) fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

/// A store with these objects.
pub(crate) fn store(objects: &[(&str, &[u8])]) -> Arc<MemoryStorage> {
    let store = Arc::new(MemoryStorage::new());
    for (name, bytes) in objects {
        store.put(&key(name), bytes).unwrap();
    }
    store
}

/// A store with all files below a folder, under `prefix`.
pub(crate) fn load_folder(store: &MemoryStorage, folder: &Path, prefix: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            load_folder(store, &entry.path(), &name);
        } else {
            store.put(&key(&name), &std::fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

pub(crate) fn open(store: &Arc<MemoryStorage>, path: &str) -> Result<Node, ZarrError> {
    let storage: Arc<dyn Storage> = Arc::clone(store) as _;
    lsio_zarr::open(&storage, &memory(), &key(path), None)
}

pub(crate) fn open_array(
    store: &Arc<MemoryStorage>,
    path: &str,
) -> Result<Arc<ZarrArray>, ZarrError> {
    match open(store, path)? {
        Node::Array(array) => Ok(array),
        Node::Group(group) => panic!("{group:?} is no array"),
    }
}

/// The elements of a chunk or an array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Elements {
    Fixed(Vec<u8>),
    Strings(Vec<String>),
}

#[derive(Debug)]
struct Sink(mpsc::Sender<Completion>);

impl CompletionSink for Sink {
    fn complete(&self, completion: Completion) {
        self.0.send(completion).unwrap();
    }
}

struct NeverSuspended(Mutex<Option<Kept>>);

impl Resume for NeverSuspended {
    fn resume(self: Arc<Self>) {
        panic!("these arrays wait for nothing");
    }

    fn kept(&self) -> &Mutex<Option<Kept>> {
        &self.0
    }
}

/// Reads chunks and remembers what was read on the way.
pub(crate) struct Driver {
    memory: Arc<Memory>,
    known: RefCell<HashMap<ReadSpec, Answer>>,
    /// Each physical read: object and range.
    pub(crate) log: RefCell<Vec<(Key, ByteRange)>>,
}

impl KnownReads for Driver {
    fn get(&self, spec: &ReadSpec) -> Option<Answer> {
        self.known.borrow().get(spec).cloned()
    }
}

impl Driver {
    pub(crate) fn new() -> Self {
        Self::with_memory(memory())
    }

    /// One that shares a budget with others.
    pub(crate) fn with_memory(memory: Arc<Memory>) -> Self {
        Self { memory, known: RefCell::default(), log: RefCell::default() }
    }

    fn read(
        &self,
        storage: &dyn Storage,
        key: &Key,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<ReadAnswer, StorageError> {
        self.log.borrow_mut().push((key.clone(), range));
        let (sender, receiver) = mpsc::channel();
        let len = match range {
            ByteRange::Whole => 64 << 20,
            ByteRange::Bounded { len, .. } | ByteRange::Suffix { len } => len,
        };
        storage.submit(vec![Read {
            key: key.clone(),
            range,
            freshness,
            reservation: self.memory.reserve_unwaited(Read::reserve_for(len)),
            mode: IoMode::Auto,
            request_bytes: 0,
            cancel: CancelToken::new(),
            tag: 0,
            sink: Arc::new(Sink(sender)),
            begun: None,
        }]);
        receiver.recv().unwrap().result
    }

    /// The elements of one chunk, in the order in which they are decoded; `None` if it is missing.
    pub(crate) fn chunk(
        &self,
        array: &ZarrArray,
        chunk: &[u64],
    ) -> Result<Option<Elements>, ChunkError> {
        let failed = |kind: StorageError| ChunkError {
            array: Arc::clone(&array.info().name),
            chunk: chunk.to_vec(),
            codec: None,
            kind: kind.into(),
        };
        let (encoded, params) = loop {
            match array.locate(chunk, self)? {
                Location::Missing => return Ok(None),
                Location::Inline(bytes, params) => break (vec![bytes], params),
                Location::After(spec) => {
                    let storage = array.stores()[spec.store].as_ref();
                    let answer = self.read(storage, &spec.key, spec.range, Freshness::Current);
                    let (value, identity, object_len) = match answer {
                        Ok(answer) => {
                            assert!(answer.bytes.len() as u64 <= spec.limit);
                            let len = answer.object_len;
                            let parsed = array.parse(&spec, Some(&answer.bytes), len)?;
                            (parsed.value, Some(answer.identity), len)
                        }
                        Err(StorageError::NotFound { .. }) => {
                            (array.parse(&spec, None, 0)?.value, None, 0)
                        }
                        Err(error) => return Err(failed(error)),
                    };
                    let answer = Answer { value, identity, object_len };
                    assert!(self.known.borrow_mut().insert(spec, answer).is_none());
                }
                Location::At { store, key, reads, freshness, params } => {
                    let storage = array.stores()[store].as_ref();
                    let (ranges, may_be_missing) = match reads {
                        Reads::Whole => (vec![ByteRange::Whole], true),
                        Reads::Ranges(ranges) => (ranges, false),
                    };
                    let mut encoded = Vec::new();
                    for range in ranges {
                        match self.read(storage, &key, range, freshness.clone()) {
                            Ok(answer) => encoded.push(answer.bytes),
                            Err(StorageError::NotFound { .. }) if may_be_missing => {
                                return Ok(None);
                            }
                            Err(error) => return Err(failed(error)),
                        }
                    }
                    break (encoded, params);
                }
            }
        };
        let slices: Vec<&[u8]> = encoded.iter().map(|bytes| &bytes[..]).collect();
        let info = array.info();
        let mut scratch = vec![0xee; info.scratch_len as usize];
        let resume: Arc<dyn Resume> = Arc::new(NeverSuspended(Mutex::default()));
        if info.data_type != DataType::String {
            let mut elements = vec![0xee; info.decoded_len as usize];
            let destination = Destination::Fixed(&mut elements);
            let end = array.decode(chunk, &params, &slices, destination, &mut scratch, &resume)?;
            assert_eq!(end, Decoded::Complete);
            return Ok(Some(Elements::Fixed(elements)));
        }
        let mut limit = 16;
        loop {
            let mut strings = VariableChunk { offsets: vec![], bytes: vec![], limit };
            let destination = Destination::Variable(&mut strings);
            match array.decode(chunk, &params, &slices, destination, &mut scratch, &resume)? {
                Decoded::Complete => return Ok(Some(Elements::Strings(texts(&strings)))),
                Decoded::Outgrown { needed } => {
                    assert!(needed > limit && needed <= info.decoded_limit, "{needed}");
                    limit = needed;
                }
                Decoded::Suspended => panic!("Zarr arrays wait for nothing"),
            }
        }
    }

    /// All elements of an array in C order.
    pub(crate) fn whole(&self, array: &ZarrArray) -> Result<Elements, ChunkError> {
        let info = array.info();
        let shape: Vec<usize> = info.shape.iter().map(|&length| length as usize).collect();
        let along: Vec<usize> = info.chunk_shape.iter().map(|&length| length as usize).collect();
        let chunks = array.grid().unwrap();
        let grid: Vec<usize> = chunks.grid_shape().iter().map(|&count| count as usize).collect();
        let count: usize = shape.iter().product();
        let size = info.data_type.size().unwrap_or(0);
        let fill = String::from_utf8_lossy(&info.fill_value).into_owned();
        let mut bytes = info.fill_value.repeat(if size == 0 { 0 } else { count });
        let mut strings = if size == 0 { vec![fill; count] } else { vec![] };
        for chunk in indices(&grid) {
            let coordinates: Vec<u64> = chunk.iter().map(|&c| c as u64).collect();
            let Some(elements) = self.chunk(array, &coordinates)? else { continue };
            let (origin, own) = (chunks.chunk_origin(&coordinates), chunks.shape_of(&coordinates));
            let stored: Vec<usize> = info.axis_order.iter().map(|&axis| along[axis]).collect();
            for (from, inside) in indices(&stored).into_iter().enumerate() {
                let mut position = vec![0; shape.len()];
                let mut is_own = true;
                for (&axis, offset) in info.axis_order.iter().zip(inside) {
                    position[axis] = origin[axis] as usize + offset;
                    is_own &= (offset as u64) < own[axis];
                }
                if !is_own || position.iter().zip(&shape).any(|(at, length)| at >= length) {
                    continue;
                }
                let to = position.iter().zip(&shape).fold(0, |to, (at, length)| to * length + at);
                match &elements {
                    Elements::Fixed(chunk) => bytes[to * size..(to + 1) * size]
                        .copy_from_slice(&chunk[from * size..(from + 1) * size]),
                    Elements::Strings(chunk) => strings[to].clone_from(&chunk[from]),
                }
            }
        }
        Ok(if size == 0 { Elements::Strings(strings) } else { Elements::Fixed(bytes) })
    }
}

fn texts(strings: &VariableChunk) -> Vec<String> {
    let text = |at: &[u64]| {
        let bytes = &strings.bytes[at[0] as usize..at[1] as usize];
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    strings.offsets.windows(2).map(text).collect()
}

/// All indices of an array of this shape, in C order.
pub(crate) fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for &length in shape {
        all = all
            .into_iter()
            .flat_map(|index: Vec<usize>| {
                (0..length).map(move |at| [index.as_slice(), &[at]].concat())
            })
            .collect();
    }
    all
}
