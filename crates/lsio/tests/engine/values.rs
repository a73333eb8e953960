//! Values of whole reads and of random selections, in every way that bytes can come.

use std::sync::Arc;

use lsio::IoMode;

use crate::naive_model::pick;
use crate::random::Random;
use crate::reading::{bytes_of, engines, get_all, get_with, in_mode, open_at};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

const MODES: [IoMode; 3] = [IoMode::Auto, IoMode::Direct, IoMode::Buffered];
const SELECTIONS: usize = 500;

/// Edge chunks, missing chunks, shards that are not full, both axis orders.
fn arrays() -> Vec<(&'static str, WrittenArray)> {
    let shape = [23, 19, 37];
    vec![
        ("plain", WrittenArray::floats(&shape, &[5, 8, 16], 1).with_missing(9)),
        (
            "sharded",
            WrittenArray::floats(&shape, &[3, 4, 8], 2).with_missing(5).sharded(&[6, 8, 24]),
        ),
        ("f-order", WrittenArray::floats(&shape, &[5, 8, 16], 3).f_order()),
        (
            "f-order-sharded",
            WrittenArray::floats(&shape, &[4, 4, 8], 4).f_order().sharded(&[8, 16, 8]),
        ),
    ]
}

#[test]
fn reads_bring_what_a_naive_model_picks_with_every_engine_and_mode() {
    let folder = ScratchFolder::new();
    let engines = engines();
    let arrays = arrays();
    let store = Arc::new(engines[0].1.open_folder(folder.path()).unwrap());
    for (name, array) in &arrays {
        array.write(store.clone(), name);
    }
    let mut random = Random(5);
    for (choice, engine) in &engines {
        let opened: Vec<_> = arrays
            .iter()
            .map(|(name, _)| open_at(engine, folder.join(name).to_str().unwrap()).unwrap())
            .collect();
        for mode in MODES {
            for ((name, array), opened) in arrays.iter().zip(&opened) {
                let (bytes, _) = get_all(opened, mode).unwrap();
                assert!(bytes == array.elements, "{name}, {choice:?}, {mode:?}");
            }
            for number in 0..SELECTIONS {
                let at = number % arrays.len();
                let (name, array) = &arrays[at];
                let shape = &array.spec.shape;
                let selection = random.selection(shape);
                let (result_shape, expected) =
                    pick(&array.elements, array.size(), shape, &selection);
                let (result, _) =
                    get_with(&opened[at], &[Some(&selection)], in_mode(mode)).unwrap();
                let layout = &result.regions[0].layout;
                assert_eq!(layout.shape, result_shape, "{name}, {choice:?}, {selection:?}");
                assert!(
                    bytes_of(&result) == expected,
                    "{name}, {choice:?}, {mode:?}, {selection:?}"
                );
            }
        }
        let usage = engine.memory_usage();
        assert_eq!((usage.reserved, usage.held, usage.leases), (0, 0, 0), "{choice:?}");
    }
}
