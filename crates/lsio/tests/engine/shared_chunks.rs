//! Thousands of small reads at the same time: each chunk that they touch is decoded about once.

use std::collections::HashSet;
use std::sync::{Arc, mpsc};

use lsio::{Array, DimensionSelection, Engine, GetOptions};
use lsio_compute::RunOptions;

use crate::random::Random;
use crate::reading::{AMPLE, bytes_of, engine, get_all, in_mode, open_at, start_get};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

const CROPS: usize = 2000;
const SHAPE: [u64; 3] = [8, 256, 256];
const CHUNK: [u64; 3] = [2, 32, 32];
const WIDTH: u64 = 24;

/// Keeps all workers of an engine busy until it is dropped.
struct Busy {
    _go_on: Vec<mpsc::Sender<()>>,
}

impl Busy {
    /// `other` is read for it.
    fn new(engine: &Arc<Engine>, other: &Array) -> Self {
        let (began, begun) = mpsc::channel();
        let go_on = (0..engine.threads()).map(|_| {
            let (go_on, wait) = mpsc::channel::<()>();
            let (began, wait) = (began.clone(), std::sync::Mutex::new(wait));
            let first = other.resolve(Some(&[DimensionSelection::Index(0)])).unwrap();
            let plan = Arc::new(other.touched_chunks(first, false).unwrap());
            let map = move |_: &[lsio_compute::ChunkData]| {
                began.send(()).unwrap();
                // Ends when the other side is dropped.
                assert!(wait.lock().unwrap().recv().is_err());
                Ok(())
            };
            let sources = vec![other.source().clone()];
            let options = RunOptions::default();
            engine.executor().fold(sources, plan, options, map, |(), ()| (), |_| ());
            go_on
        });
        let go_on = go_on.collect();
        for _ in 0..engine.threads() {
            begun.recv().unwrap();
        }
        Self { _go_on: go_on }
    }
}

/// Selections of [`WIDTH`] x [`WIDTH`] elements at random places, and the chunks that they touch.
fn crops(seed: u64) -> (Vec<[u64; 3]>, u64) {
    let mut random = Random(seed);
    let mut touched = HashSet::new();
    let crops = (0..CROPS).map(|_| {
        let at =
            [0, 1, 2].map(|axis| random.below(SHAPE[axis] - if axis == 0 { 0 } else { WIDTH - 1 }));
        let ends =
            [1, 2].map(|axis| [at[axis] / CHUNK[axis], (at[axis] + WIDTH - 1) / CHUNK[axis]]);
        for y in ends[0][0]..=ends[0][1] {
            for x in ends[1][0]..=ends[1][1] {
                touched.insert([at[0] / CHUNK[0], y, x]);
            }
        }
        at
    });
    let crops = crops.collect();
    (crops, touched.len() as u64)
}

fn selection(at: &[u64; 3]) -> [DimensionSelection; 3] {
    let from = |start: u64| DimensionSelection::Slice {
        start: Some(start.cast_signed()),
        stop: Some((start + WIDTH).cast_signed()),
        step: None,
    };
    [DimensionSelection::Index(at[0].cast_signed()), from(at[1]), from(at[2])]
}

fn expected(elements: &[u8], at: &[u64; 3]) -> Vec<u8> {
    let rows = (at[1]..at[1] + WIDTH).map(|y| {
        let start = (((at[0] * SHAPE[1] + y) * SHAPE[2] + at[2]) * 4) as usize;
        &elements[start..start + WIDTH as usize * 4]
    });
    rows.flatten().copied().collect()
}

fn written(folder: &ScratchFolder, engine: &Arc<Engine>, shard: Option<[u64; 3]>) -> WrittenArray {
    let array = WrittenArray::floats(&SHAPE, &CHUNK, 5);
    let array = match shard {
        Some(shape) => array.sharded(&shape),
        None => array,
    };
    array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
    array
}

#[test]
fn crops_read_by_one_call_decode_each_chunk_that_they_touch_once() {
    for shard in [None, Some([4, 128, 128])] {
        let (folder, engine) = (ScratchFolder::new(), engine(2, AMPLE));
        let array = written(&folder, &engine, shard);
        let opened = open_at(&engine, folder.location()).unwrap();
        let (crops, touched) = crops(1);
        let selections: Vec<_> = crops.iter().map(selection).collect();
        let selections: Vec<_> = selections.iter().map(|entry| Some(&entry[..])).collect();
        let (handle, end) = start_get(&opened, &selections, GetOptions::default()).unwrap();
        let result = end.recv().unwrap().unwrap();
        let bytes = bytes_of(&result);
        for (crop, region) in crops.iter().zip(&result.regions) {
            let start = region.offset as usize;
            assert!(bytes[start..start + region.len as usize] == expected(&array.elements, crop));
        }
        assert_eq!(handle.stats().bytes_decoded, touched * array.chunk_bytes());
    }
}

#[test]
fn crops_read_by_a_call_each_share_chunks_however_often_the_array_was_opened() {
    for shard in [None, Some([4, 128, 128])] {
        let (folder, engine) = (ScratchFolder::new(), engine(2, AMPLE));
        let array = written(&folder, &engine, shard);
        let busy_folder = ScratchFolder::new();
        WrittenArray::constant(&[1], &[1], 3)
            .write(Arc::new(engine.open_folder(busy_folder.path()).unwrap()), "");
        let other = open_at(&engine, busy_folder.location()).unwrap();
        let opened = [(); 2].map(|()| open_at(&engine, folder.location()).unwrap());
        let (crops, touched) = crops(2);
        let busy = Busy::new(&engine, &other);
        let before = engine.stats().0.runs;
        let gets: Vec<_> = crops
            .iter()
            .zip(opened.iter().cycle())
            .map(|(crop, array)| {
                start_get(array, &[Some(&selection(crop))], GetOptions::default()).unwrap().1
            })
            .collect();
        drop(busy);
        for (crop, get) in crops.iter().zip(gets) {
            assert!(bytes_of(&get.recv().unwrap().unwrap()) == expected(&array.elements, crop));
        }
        let after = engine.stats().0.runs;
        let decoded = after.bytes_decoded - before.bytes_decoded;
        assert!(decoded >= touched * array.chunk_bytes());
        assert!(decoded <= 2 * touched * array.chunk_bytes(), "{decoded} bytes decoded");
        assert!(after.chunks_shared - before.chunks_shared >= CROPS as u64 - touched);
        // A shard is looked at by those who read it, not by everybody.
        assert!(after.reads - before.reads <= 2 * touched + 8, "{} reads", after.reads);
    }
}

#[test]
fn an_array_with_other_metadata_is_another_array() {
    let (folder, engine) = (ScratchFolder::new(), engine(1, AMPLE));
    let mut array = WrittenArray::floats(&[4, 4], &[2, 2], 1);
    array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
    let first = open_at(&engine, folder.location()).unwrap();
    let same = open_at(&engine, folder.location()).unwrap();
    assert!(Arc::ptr_eq(first.source(), same.source()));
    array.spec.shape = vec![2, 2];
    array.elements.truncate(16);
    array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
    let other = open_at(&engine, folder.location()).unwrap();
    assert!(!Arc::ptr_eq(first.source(), other.source()));
    let (bytes, _) = get_all(&other, in_mode(lsio::IoMode::Auto).mode).unwrap();
    assert_eq!(bytes, array.elements);
}
