//! Sample data: plausible, the same for the same seed, compressing like a real field.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use lsio::{Engine, ErrorCode, IoMode, LsioError, SampleProgress};

use crate::reading::{AMPLE, drop_cache, engine, get_all, mean, open_at, summary, wait};
use crate::scratch_folder::ScratchFolder;

const BYTES: u64 = 16 << 20;

fn write(
    engine: &Arc<Engine>,
    folder: &Path,
    bytes: u64,
    seed: u64,
    progress: &Arc<SampleProgress>,
) -> Result<(), LsioError> {
    wait(|done| engine.write_sample(folder, bytes, seed, progress.clone(), done))
}

/// Every file below `folder`, by its path there.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.push((name, std::fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_sample_compresses_like_a_field_and_its_statistics_are_those_of_its_values() {
    let engine = engine(2, AMPLE);
    let folder = ScratchFolder::new();
    let progress = Arc::new(SampleProgress::default());
    write(&engine, folder.path(), BYTES, 1, &progress).unwrap();
    let opened = open_at(&engine, folder.location()).unwrap();
    let decoded = opened.decoded_bytes();
    assert!(decoded.abs_diff(BYTES) <= 721 * 1440 * 4, "{decoded}");
    assert_eq!(progress.bytes.load(Ordering::Relaxed), decoded);
    let stored = wait(|done| opened.stored_bytes(done)).unwrap();
    let on_disk: usize = files(&folder.join("c")).iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(stored, on_disk as u64);
    let ratio = decoded as f64 / stored as f64;
    println!("{decoded} bytes are stored in {stored}: {ratio:.2}");
    assert!((2.0..=3.2).contains(&ratio), "{decoded} bytes are stored in {stored}: {ratio:.2}");

    drop_cache(&engine, folder.path());
    let (bytes, _) = get_all(&opened, IoMode::Auto).unwrap();
    let (values, _) = bytes.as_chunks::<4>();
    let values: Vec<f64> = values.iter().map(|bytes| f32::from_ne_bytes(*bytes).into()).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let average = values.iter().sum::<f64>() / values.len() as f64;
    assert!(least > 200.0 && most < 340.0, "{least} to {most} K");
    assert!((260.0..300.0).contains(&average), "{average} K");
    let all = summary(&opened, IoMode::Auto).unwrap();
    assert_eq!((all.count, all.missing), (values.len() as u64, 0));
    assert!(all.min.to_bits() == least.to_bits() && all.max.to_bits() == most.to_bits());
    assert!((all.mean - average).abs() < 1e-9, "{} is not {average}", all.mean);
    let (found, _) = mean(&opened, IoMode::Direct).unwrap();
    assert_eq!(found.to_bits(), all.mean.to_bits());
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_any_number_of_threads() {
    let folders = [(1, 5), (3, 5), (2, 6)].map(|(threads, seed)| {
        let folder = ScratchFolder::new();
        let engine = engine(threads, AMPLE);
        write(&engine, folder.path(), 1, seed, &Arc::default()).unwrap();
        folder
    });
    let [first, second, other] = folders.each_ref().map(|folder| files(folder.path()));
    assert!(first == second, "the same seed");
    assert!(first != other, "another seed");
}

#[test]
fn a_cancelled_sample_stops_and_says_so() {
    let engine = engine(2, AMPLE);
    let folder = ScratchFolder::new();
    let progress = Arc::new(SampleProgress::default());
    progress.cancel.cancel();
    let error = write(&engine, folder.path(), BYTES, 1, &progress).unwrap_err();
    assert_eq!(error.code, ErrorCode::Closed);
    assert_eq!(progress.bytes.load(Ordering::Relaxed), 0);

    let progress = Arc::new(SampleProgress::default());
    let (sender, ended) = std::sync::mpsc::channel();
    engine.write_sample(folder.path(), 1 << 40, 1, progress.clone(), move |result| {
        sender.send(result).unwrap();
    });
    while progress.bytes.load(Ordering::Relaxed) == 0 {
        std::thread::yield_now();
    }
    progress.cancel.cancel();
    assert_eq!(ended.recv().unwrap().unwrap_err().code, ErrorCode::Closed);
    assert!(progress.bytes.load(Ordering::Relaxed) < 1 << 40);
}

#[test]
fn a_folder_that_is_not_there_has_no_pages_to_drop() {
    let engine = engine(1, AMPLE);
    let folder = ScratchFolder::new();
    let absent = folder.join("absent");
    let error = wait(|done| engine.drop_cache(&absent, done)).unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound, "{error}");
    assert_eq!(error.path.as_deref(), absent.to_str());
}
