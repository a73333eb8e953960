//! Resident memory during scans of arrays that are far larger than the budget.

use std::fs;
use std::sync::Arc;

use lsio::{Array, DataType, DimensionSelection, Engine, IoMode, ReadOptions};

use crate::naive_model::{for_each_index, number_of};
use crate::own_process::{forget_peak, in_own_process, peak_memory, resident_memory};
use crate::random::Random;
use crate::reading::{engine, get_with, in_mode, mean, next_batch, open_at};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

const BUDGET: u64 = 128 << 20;
/// Elements of a chunk: 1 MiB.
const CHUNK: u64 = 512 * 512;
/// What resident memory may grow by beyond the budget and what the user holds.
const OVERHEAD: u64 = 64 << 20;

/// Writes 4 GiB of decoded float32 values in chunks of 1 MiB: most are all alike, one in 16 hardly
/// compresses, one in 5 does not exist (-1). Returns their mean.
fn write_4_gib(engine: &Engine, folder: &ScratchFolder) -> f64 {
    let mut random = Random(1);
    let noise = (0..CHUNK).map(|_| 1.0 + random.below(1 << 23) as f32 / (1 << 23) as f32);
    let kinds = [noise.collect(), vec![3f32; CHUNK as usize]];
    let mut sums = [0f64; 2];
    // Both kinds are encoded once; all chunks of a kind are the same file.
    for (kind, elements) in kinds.into_iter().enumerate() {
        sums[kind] = elements.iter().map(|&value| f64::from(value)).sum();
        let elements = elements.into_iter().flat_map(f32::to_ne_bytes).collect();
        let array = WrittenArray::new(&[512, 512], &[512, 512], DataType::Float32, elements);
        let store = engine.open_folder(&folder.join(&format!("kind{kind}"))).unwrap();
        array.write(Arc::new(store), "");
    }
    let grid = [64, 64];
    let document = fs::read_to_string(folder.join("kind0/zarr.json")).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&document).unwrap();
    document["shape"] = serde_json::json!([grid[0] * 512, grid[1] * 512]);
    fs::create_dir(folder.join("array")).unwrap();
    fs::write(folder.join("array/zarr.json"), document.to_string()).unwrap();
    let mut sum = 0.0;
    for_each_index(&grid, |chunk| {
        let number = number_of(chunk, &grid);
        if number % 5 == 4 {
            sum -= CHUNK as f64;
            return;
        }
        let kind = usize::from(!number.is_multiple_of(16));
        sum += sums[kind];
        let to = folder.join(&format!("array/c/{}/{}", chunk[0], chunk[1]));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::hard_link(folder.join(&format!("kind{kind}/c/0/0")), to).unwrap();
    });
    sum / (grid[0] * grid[1] * CHUNK) as f64
}

/// Runs `scan` and compares its highest resident memory with that after a first tiny read.
fn assert_stays_within(name: &str, opened: &Array, held: u64, scan: impl FnOnce(&Array)) {
    let one = [const { DimensionSelection::Index(0) }; 2];
    get_with(opened, &[Some(&one)], in_mode(IoMode::Auto)).unwrap();
    forget_peak();
    let before = resident_memory();
    scan(opened);
    let growth = peak_memory().saturating_sub(before);
    println!("{name}: resident memory grew by {} MiB at most", growth >> 20);
    assert!(growth <= BUDGET + OVERHEAD + held, "{name}: by {growth} bytes");
}

#[test]
fn a_mean_of_4_gib_stays_within_a_budget_of_128_mib() {
    let test = "resident_memory::a_mean_of_4_gib_stays_within_a_budget_of_128_mib";
    in_own_process(test, || {
        let folder = ScratchFolder::new();
        let engine = engine(2, BUDGET);
        let expected = write_4_gib(&engine, &folder);
        let opened = open_at(&engine, folder.join("array").to_str().unwrap()).unwrap();
        assert_eq!(opened.decoded_bytes(), 4 << 30);
        assert_stays_within("mean", &opened, 0, |array| {
            let (found, stats) = mean(array, IoMode::Direct).unwrap();
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
            assert!(stats.peak_reserved <= BUDGET);
        });
        assert!(engine.memory_usage().peak_reserved <= BUDGET);
    });
}

#[test]
fn a_reader_of_4_gib_stays_within_a_budget_of_128_mib() {
    let test = "resident_memory::\
                a_reader_of_4_gib_stays_within_a_budget_of_128_mib";
    in_own_process(test, || {
        let folder = ScratchFolder::new();
        let engine = engine(2, BUDGET);
        write_4_gib(&engine, &folder);
        let opened = open_at(&engine, folder.join("array").to_str().unwrap()).unwrap();
        let most = 4;
        assert_stays_within("reader", &opened, most << 20, |array| {
            let reader = array.read_chunks(None, &ReadOptions::default()).unwrap();
            let mut chunks = 0;
            loop {
                let batch = next_batch(&reader, most as usize).unwrap();
                if batch.is_empty() {
                    break;
                }
                chunks += batch.len();
                assert!(engine.memory_usage().held <= most << 20);
            }
            assert_eq!(chunks, 64 * 64);
        });
        let usage = engine.memory_usage();
        assert!(usage.peak_reserved <= BUDGET);
        assert_eq!((usage.reserved, usage.held, usage.leases), (0, 0, 0));
    });
}

#[test]
fn resident_memory_is_flat_over_200_whole_reads() {
    in_own_process("resident_memory::resident_memory_is_flat_over_200_whole_reads", || {
        let folder = ScratchFolder::new();
        let engine = engine(2, BUDGET);
        let array = WrittenArray::floats(&[512, 1024], &[64, 256], 1).sharded(&[128, 512]);
        array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
        let opened = open_at(&engine, folder.location()).unwrap();
        let mut before = 0;
        for number in 0..200 {
            let mode = [IoMode::Auto, IoMode::Direct, IoMode::Buffered][number % 3];
            let (result, _) = get_with(&opened, &[None], in_mode(mode)).unwrap();
            assert!(crate::reading::bytes_of(&result) == array.elements);
            drop(result);
            if number == 20 {
                before = resident_memory();
            }
        }
        let growth = resident_memory().saturating_sub(before);
        println!("resident memory grew by {} KiB", growth >> 10);
        assert!(growth <= 2 << 20, "by {growth} bytes");
        let usage = engine.memory_usage();
        assert_eq!((usage.reserved, usage.held, usage.leases), (0, 0, 0));
    });
}
