//! Chunks that do not exist, where the caller does not want fill values for them.

use std::sync::{Arc, mpsc};

use lsio::{
    Array, DimensionSelection, Engine, ErrorCode, GetOptions, LsioError, MissingChunks,
    ReadOptions, RunOptions,
};

use crate::reading::{AMPLE, all_chunks, bytes_of, engine, get_with, open_at, start_get, wait};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

/// Chunks of 2 x 2 in a grid of 4 x 4, of which every third does not exist.
fn written(engine: &Arc<Engine>, folder: &ScratchFolder, shard: Option<[u64; 2]>) -> WrittenArray {
    let array = WrittenArray::floats(&[8, 8], &[2, 2], 3).with_missing(3);
    let array = match shard {
        Some(shape) => array.sharded(&shape),
        None => array,
    };
    array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
    array
}

fn refusing() -> GetOptions {
    GetOptions { missing: MissingChunks::Refuse, ..GetOptions::default() }
}

fn check(error: &LsioError, array: &Array, written: &WrittenArray) {
    assert_eq!(error.code, ErrorCode::NotFound, "{error}");
    assert_eq!(error.path.as_deref(), Some(array.name()));
    let chunk = error.chunk.as_ref().unwrap();
    assert!(written.is_missing(chunk), "{error}");
    assert!(error.message.contains(&format!("{chunk:?}")), "{error}");
    assert!(error.message.contains(array.name()), "{error}");
}

#[test]
fn a_missing_chunk_ends_every_read_that_does_not_want_fill_values() {
    for shard in [None, Some([4, 4]), Some([2, 8])] {
        let (folder, engine) = (ScratchFolder::new(), engine(2, AMPLE));
        let written = written(&engine, &folder, shard);
        let array = open_at(&engine, folder.location()).unwrap();
        check(&get_with(&array, &[None], refusing()).unwrap_err(), &array, &written);

        let one = wait(|done| drop(array.get_chunk(&[0, 2], refusing(), done).unwrap()));
        check(&one.unwrap_err(), &array, &written);

        for grid_order in [false, true] {
            let missing = MissingChunks::Refuse;
            let options = ReadOptions { missing, grid_order, ..ReadOptions::default() };
            let reader = array.read_chunks(None, &options).unwrap();
            check(&all_chunks(&reader, 4).unwrap_err(), &array, &written);
        }

        let (sender, mean) = mpsc::channel();
        let options = RunOptions { missing: MissingChunks::Refuse, ..RunOptions::default() };
        let _handle = array.mean(options, move |mean| sender.send(mean).unwrap()).unwrap();
        check(&mean.recv().unwrap().unwrap_err(), &array, &written);

        let (filled, stats) = get_with(&array, &[None], GetOptions::default()).unwrap();
        assert_eq!(bytes_of(&filled), written.elements);
        assert_eq!(stats.chunks_missing, 5);
    }
}

#[test]
fn only_chunks_that_are_selected_must_exist() {
    let (folder, engine) = (ScratchFolder::new(), engine(2, AMPLE));
    let written = written(&engine, &folder, None);
    let array = open_at(&engine, folder.location()).unwrap();
    let first = DimensionSelection::Slice { start: None, stop: Some(2), step: None };
    let both = DimensionSelection::Slice { start: None, stop: Some(4), step: None };
    let (result, _) = get_with(&array, &[Some(&[first, both.clone()])], refusing()).unwrap();
    let rows = written.elements.chunks(8 * 4).take(2);
    assert_eq!(bytes_of(&result), rows.flat_map(|row| row[..16].to_vec()).collect::<Vec<u8>>());
    let none = DimensionSelection::Slice { start: Some(3), stop: Some(3), step: None };
    assert!(get_with(&array, &[Some(&[none, both])], refusing()).is_ok());
}

#[test]
fn whoever_shares_chunks_with_others_keeps_their_own_rule() {
    let (folder, engine) = (ScratchFolder::new(), engine(2, AMPLE));
    let written = written(&engine, &folder, Some([4, 4]));
    let array = open_at(&engine, folder.location()).unwrap();
    let gets: Vec<_> = (0..400)
        .map(|number| {
            let options = if number % 2 == 0 { refusing() } else { GetOptions::default() };
            start_get(&array, &[None], options).unwrap()
        })
        .collect();
    for (number, (_handle, end)) in gets.into_iter().enumerate() {
        match end.recv().unwrap() {
            Err(error) if number % 2 == 0 => check(&error, &array, &written),
            Ok(result) if number % 2 == 1 => assert_eq!(bytes_of(&result), written.elements),
            other => panic!("read {number}: {other:?}"),
        }
    }
    assert!(engine.stats().0.runs.chunks_shared > 0);
}
