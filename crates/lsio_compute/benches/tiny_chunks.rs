//! What the executor costs a chunk: planning, admission, reading from memory, the worker's job.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "benchmarks")]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use lsio_array::{
    ArrayInfo, ChunkError, ChunkErrorKind, ChunkGrid, ChunkSource, DataType, Decoded, Destination,
    Encoded, KnownReads, Location, Params, Parsed, ReadSpec, Reads, ResolvedSelection, Resume,
    TouchedChunks,
};
use lsio_compute::{Executor, RunOptions};
use lsio_io::{ByteRange, Freshness, Key, Memory, MemoryStorage, Storage, WriteStorage};

const CHUNKS: u64 = 10_000;
const CHUNK_BYTES: u64 = 4096;
/// Chunks in one object, where they share objects.
const IN_OBJECT: u64 = 1000;

fn main() {
    divan::main();
}

/// Chunks of bytes as they are, each an object of its own or some of them in one.
#[derive(Debug)]
struct TinyChunks {
    info: ArrayInfo,
    stores: [Arc<dyn Storage>; 1],
    in_object: u64,
}

impl TinyChunks {
    fn new(in_object: u64) -> Self {
        let store = MemoryStorage::new();
        for object in 0..CHUNKS / in_object {
            let bytes = vec![1; (in_object * CHUNK_BYTES) as usize];
            store.put(&key(object), &bytes).unwrap();
        }
        let info = ArrayInfo {
            name: "tiny chunks".into(),
            shape: vec![CHUNKS * CHUNK_BYTES],
            chunk_shape: vec![CHUNK_BYTES],
            data_type: DataType::UInt8,
            fill_value: vec![0].into(),
            axis_order: vec![0],
            encoded_estimate: CHUNK_BYTES,
            encoded_limit: 1 << 20,
            scratch_len: 0,
            suspended_len: 0,
            decoded_len: CHUNK_BYTES,
            decoded_limit: CHUNK_BYTES,
            // As with any codec, so that decode is called.
            stored_as_is: None,
            comes_in_pieces: false,
        };
        Self { info, stores: [Arc::new(store)], in_object }
    }
}

fn key(object: u64) -> Key {
    Key::new(&format!("c/{object}")).unwrap()
}

impl ChunkSource for TinyChunks {
    fn info(&self) -> &ArrayInfo {
        &self.info
    }

    fn stores(&self) -> &[Arc<dyn Storage>] {
        &self.stores
    }

    fn locate(&self, chunk: &[u64], _known: &dyn KnownReads) -> Result<Location, ChunkError> {
        let offset = chunk[0] % self.in_object * CHUNK_BYTES;
        let reads = match self.in_object {
            1 => Reads::Whole,
            _ => Reads::Ranges(vec![ByteRange::Bounded { offset, len: CHUNK_BYTES }]),
        };
        let key = key(chunk[0] / self.in_object);
        Ok(Location::At { store: 0, key, reads, freshness: Freshness::Current, params: None })
    }

    fn parse(
        &self,
        _spec: &ReadSpec,
        _bytes: Option<&[u8]>,
        _object_len: u64,
    ) -> Result<Parsed, ChunkError> {
        let kind = ChunkErrorKind::Panic("there are no indexes".to_owned());
        Err(ChunkError { array: self.info.name.clone(), chunk: Vec::new(), codec: None, kind })
    }

    fn decode(
        &self,
        _chunk: &[u64],
        _params: &Params,
        encoded: Encoded<'_>,
        destination: Destination<'_>,
        _scratch: &mut [u8],
        _resume: &Arc<dyn Resume>,
    ) -> Result<Decoded, ChunkError> {
        let Destination::Fixed(elements) = destination else { panic!("bytes have a fixed size") };
        elements.copy_from_slice(encoded[0]);
        Ok(Decoded::Complete)
    }
}

/// Sums the first bytes of all chunks.
fn scan(bencher: Bencher, threads: usize, in_object: u64) {
    let executor = Executor::new(threads, Memory::new(64 << 20));
    let source = TinyChunks::new(in_object);
    let grid = ChunkGrid::new(&source.info.shape, &source.info.chunk_shape).unwrap();
    let all = ResolvedSelection::all(&source.info.shape);
    let plan = Arc::new(TouchedChunks::new(grid, all).unwrap());
    let source = executor.register(Arc::new(source)).unwrap();
    bencher.counter(ItemsCount::new(CHUNKS)).bench_local(|| {
        let first = |chunks: &[lsio_compute::ChunkData]| Ok(u64::from(chunks[0].bytes()[0]));
        let (sources, options) = (vec![source.clone()], RunOptions::default());
        let merge = |a: u64, b: u64| a + b;
        let sum = executor.fold_blocking(sources, plan.clone(), options, first, merge).unwrap();
        assert_eq!(sum, Some(CHUNKS));
    });
}

#[divan::bench(args = [1, 2])]
fn an_object_each(bencher: Bencher, threads: usize) {
    scan(bencher, threads, 1);
}

#[divan::bench(args = [1, 2])]
fn many_in_an_object(bencher: Bencher, threads: usize) {
    scan(bencher, threads, IN_OBJECT);
}
