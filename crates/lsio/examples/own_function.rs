//! A function of one's own on every chunk: a histogram, counted where the chunks are decoded.
//!
//! `cargo run --example own_function [LOCATION]`; without a location it reads the sample that the tests
//! use too. The array must be float32.

use std::error::Error;
use std::sync::Arc;

use lsio::{ChunkData, Engine, EngineConfig, Node, OpenOptions, RunOptions};

const BINS: usize = 8;
/// Kelvin.
const RANGE: (f32, f32) = (235.0, 315.0);

type Histogram = [u64; BINS];

fn main() -> Result<(), Box<dyn Error>> {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/data/demo/air_temperature");
    let location = std::env::args().nth(1).unwrap_or_else(|| sample.to_owned());
    let engine = Engine::new(&EngineConfig::default())?;
    let Node::Array(array) = engine.open_blocking(&location, &OpenOptions::default())? else {
        return Err("that is a group".into());
    };
    #[expect(clippy::cast_sign_loss, reason = "clamped to 0 and above")]
    // Runs on all workers at once; each chunk is still in the processor's cache.
    let count = |chunks: &[ChunkData]| {
        let mut histogram = Histogram::default();
        for chunk in chunks {
            for bytes in chunk.bytes().as_chunks::<4>().0 {
                let place = (f32::from_ne_bytes(*bytes) - RANGE.0) / (RANGE.1 - RANGE.0);
                let bin = (place * BINS as f32).clamp(0.0, (BINS - 1) as f32);
                histogram[bin as usize] += 1;
            }
        }
        Ok(histogram)
    };
    let merge =
        |left: Histogram, right: Histogram| std::array::from_fn(|bin| left[bin] + right[bin]);
    let plan = Arc::new(array.touched_chunks(array.resolve(None)?, false)?);
    let sources = vec![array.source().clone()];
    let histogram =
        engine.executor().fold_blocking(sources, plan, RunOptions::default(), count, merge)?;
    for (bin, count) in histogram.unwrap_or_default().iter().enumerate() {
        let width = (RANGE.1 - RANGE.0) / BINS as f32;
        let from = RANGE.0 + bin as f32 * width;
        println!("{from:6.1} to {:6.1} K: {count}", from + width);
    }
    Ok(())
}
