//! The same bits whatever the number of threads and the order of arrival.

use std::sync::Arc;

use lsio::{DataType, IoMode};
use lsio_io::{FaultStorage, Storage};

use crate::random::Random;
use crate::reading::{AMPLE, engine, get_all, mean, open_in, summary};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

/// float32 numbers of very different size: their sum in float64 is rounded, in every order of adding
/// them to other bits.
fn wild_floats(count: u64) -> Vec<f32> {
    let mut random = Random(1);
    let number = |_| {
        let exponent = random.between(-40, 40) as f32;
        (random.next() as f32 / u64::MAX as f32 - 0.5) * exponent.exp2()
    };
    (0..count).map(number).collect()
}

#[test]
fn results_have_the_same_bits_with_1_2_and_8_threads_and_shuffled_completions() {
    let folder = ScratchFolder::new();
    let shape = [150, 220];
    let floats = wild_floats(shape.iter().product());
    let forwards: f64 = floats.iter().map(|&value| f64::from(value)).sum();
    let backwards: f64 = floats.iter().rev().map(|&value| f64::from(value)).sum();
    assert_ne!(forwards.to_bits(), backwards.to_bits(), "these numbers prove nothing");
    let elements = floats.into_iter().flat_map(f32::to_ne_bytes).collect();
    let array = WrittenArray::new(&shape, &[16, 16], DataType::Float32, elements);
    let sharded = array.clone().with_missing(11).sharded(&[32, 64]);
    let mut results = Vec::new();
    for (threads, seed) in [(1, 0), (2, 17), (8, 4711)] {
        let engine = engine(threads, AMPLE);
        let local = Arc::new(engine.open_folder(folder.path()).unwrap());
        if results.is_empty() {
            array.write(local.clone(), "plain");
            sharded.write(local.clone(), "sharded");
        }
        let storage = FaultStorage::new(local, seed);
        if threads > 1 {
            storage.allow_resident(false);
            storage.reorder(16);
        }
        let storage: Arc<dyn Storage> = Arc::new(storage);
        let mut bits = Vec::new();
        for path in ["plain", "sharded"] {
            let opened = open_in(&engine, storage.clone(), path);
            for mode in [IoMode::Direct, IoMode::Buffered] {
                let all = summary(&opened, mode).unwrap();
                let (bytes, _) = get_all(&opened, mode).unwrap();
                bits.push((
                    mean(&opened, mode).unwrap().0.to_bits(),
                    [all.mean, all.min, all.max].map(f64::to_bits),
                    (all.missing, all.count),
                    bytes,
                ));
            }
        }
        assert!(bits[0].3 == array.elements && bits[2].3 == sharded.elements);
        results.push(bits);
    }
    assert!(results[0] == results[1], "1 and 2 threads");
    assert!(results[0] == results[2], "1 and 8 threads");
}
