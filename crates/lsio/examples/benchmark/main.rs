//! light-speed-io from Rust, for the benchmark: `benchmark TASK DATASET ROUNDS [io=auto|direct|buffered]`.
//!
//! Tasks: `whole`, `chunks` and `mean` of an array, and `ranges` of 256 KiB of the files in a folder. Each
//! round prints one JSON line; `benches/README.md` says what is in it.

mod measurement;
mod ranges;

use std::error::Error;
use std::sync::{Arc, mpsc};

use lsio::{
    Array, Chunk, Engine, EngineConfig, GetOptions, IoMode, LsioError, Node, OpenOptions,
    ReadOptions, ReadValues, RunOptions, Values,
};
use measurement::{Outcome, Rounds};

type Failure = Box<dyn Error>;

/// Elements at multiples of so many bytes count in checksums.
const BLOCK: usize = 4096;
/// Chunks asked for at once.
const BATCH: usize = 256;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, location, rounds, settings @ ..] = &arguments[..] else {
        return Err("usage: benchmark TASK DATASET ROUNDS [io=auto|direct|buffered]".into());
    };
    let mode = match settings {
        [] => IoMode::default(),
        [setting] if setting == "io=auto" => IoMode::Auto,
        [setting] if setting == "io=direct" => IoMode::Direct,
        [setting] if setting == "io=buffered" => IoMode::Buffered,
        _ => return Err(format!("unknown settings {settings:?}").into()),
    };
    let rounds = Rounds::new(task, rounds.parse()?);
    let engine = Engine::new(&EngineConfig::default())?;
    if task == "ranges" {
        let ranges = ranges::Ranges::of(&engine, location)?;
        return rounds.run(|| ranges.read());
    }
    let Node::Array(array) = engine.open_blocking(location, &OpenOptions::default())? else {
        return Err("that is a group".into());
    };
    match task.as_str() {
        "whole" => rounds.run(|| whole(&array, mode)),
        "chunks" => rounds.run(|| chunks(&array, mode)),
        "mean" => rounds.run(|| mean(&array, mode)),
        other => Err(format!("unknown task '{other}'").into()),
    }
}

/// Runs a call of the engine and waits for what it hands to its function.
fn wait<T: Send + 'static, H>(
    call: impl FnOnce(Box<dyn FnOnce(Result<T, LsioError>) + Send>) -> Result<H, LsioError>,
) -> Result<T, Failure> {
    let (sender, receiver) = mpsc::sync_channel(1);
    // The receiver waits below until the answer is there or its sender is gone.
    let _handle = call(Box::new(move |result| drop(sender.send(result))))?;
    Ok(receiver.recv()??)
}

fn whole(array: &Arc<Array>, mode: IoMode) -> Result<impl FnOnce() -> Outcome, Failure> {
    let options = GetOptions { mode, ..GetOptions::default() };
    let result = wait(|done| array.get(&[None], options, done))?;
    let ReadValues::Shared(elements) = result.values else {
        return Err("elements of varying length have no checksum".into());
    };
    let size = element_size(array);
    Ok(move || Outcome {
        decoded_bytes: elements.len() as u64,
        checksum: Some(block_sum(&elements, size)),
        ..Outcome::default()
    })
}

fn chunks(array: &Arc<Array>, mode: IoMode) -> Result<impl FnOnce() -> Outcome, Failure> {
    let size = element_size(array);
    let reader = array.read_chunks(None, &ReadOptions { mode, ..ReadOptions::default() })?;
    let mut outcome = Outcome { checksum: Some(0), ..Outcome::default() };
    loop {
        let batch: Vec<Chunk> = wait(|done| {
            reader.next_batch(BATCH, done);
            Ok(())
        })?;
        if batch.is_empty() {
            return Ok(move || outcome);
        }
        for chunk in batch {
            let Values::Fixed(elements) = chunk.values else {
                return Err("elements of varying length have no checksum".into());
            };
            outcome.decoded_bytes += elements.len() as u64;
            outcome.chunks += 1;
            outcome.checksum = outcome.checksum.map(|sum| sum + block_sum(&elements, size));
        }
    }
}

fn mean(array: &Arc<Array>, mode: IoMode) -> Result<impl FnOnce() -> Outcome, Failure> {
    let mean = wait(|done| array.mean(RunOptions { mode, ..RunOptions::default() }, done))?;
    let decoded_bytes = array.decoded_bytes();
    Ok(move || Outcome { decoded_bytes, mean: Some(mean), ..Outcome::default() })
}

fn element_size(array: &Array) -> usize {
    array.metadata().data_type.size().unwrap_or_default()
}

/// The raw bits of one element for each block, summed.
fn block_sum(elements: &[u8], size: usize) -> u64 {
    let bits =
        |block: &[u8]| block[..size].iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    elements.chunks(BLOCK).map(bits).sum()
}
