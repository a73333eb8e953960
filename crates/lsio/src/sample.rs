//! Sample data: a made-up climate field that compresses like a real one.
//!
//! Near-surface temperature in kelvin on a quarter-degree grid: warm at the equator, seasons, travelling
//! waves, and noise at the precision of measurements. Values are rounded to 1/64 K, as archives do;
//! zstd then makes them two to three times smaller.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lsio_array::{ChunkGrid, DataType};
use lsio_io::{CancelToken, Key, WriteStorage};
use lsio_zarr::{ArraySpec, ArrayWriter};
use serde_json::{Map, Value, json};
use std::f32::consts::{PI, TAU};
use std::path::Path;

use crate::{Engine, ErrorCode, LsioError};

/// Latitudes and longitudes: 0.25 degrees, poles included.
const GRID: [u64; 2] = [721, 1440];
/// About 1 MiB decoded.
const CHUNK: [u64; 3] = [12, 103, 206];
/// Waves that travel around the globe.
const WAVES: usize = 6;

/// How far the writing of a sample is, and its end.
#[derive(Debug, Default)]
pub struct SampleProgress {
    /// Decoded bytes written so far.
    pub bytes: AtomicU64,
    /// Stops the writing after the chunks that are under way.
    pub cancel: CancelToken,
}

impl Engine {
    /// Writes a field of about `bytes` decoded bytes as a Zarr v3 array into `directory`, with a thread
    /// for each of the engine's. The same seed gives the same values. `done` is called once, when
    /// nothing is being written any more.
    pub fn write_sample(
        self: &Arc<Self>,
        directory: &Path,
        bytes: u64,
        seed: u64,
        progress: Arc<SampleProgress>,
        done: impl FnOnce(Result<(), LsioError>) + Send + 'static,
    ) {
        let engine = self.clone();
        let directory = directory.to_owned();
        self.control.run(move || {
            let written = engine.open_folder(&directory).and_then(|store| {
                write_field(Arc::new(store), bytes, seed, engine.threads(), &progress)
            });
            done(written);
        });
    }
}

fn write_field(
    store: Arc<dyn WriteStorage>,
    bytes: u64,
    seed: u64,
    threads: usize,
    progress: &SampleProgress,
) -> Result<(), LsioError> {
    let step = GRID[0] * GRID[1] * size_of::<f32>() as u64;
    let shape = vec![bytes.div_ceil(step).max(1), GRID[0], GRID[1]];
    let writer = ArrayWriter::create(store, Key::root(), &spec(&shape))?;
    let internal = || LsioError::new(ErrorCode::Internal, "the sample's grid is not a grid");
    let grid = ChunkGrid::new(&shape, &CHUNK).ok_or_else(internal)?;
    let counts = grid.grid_shape();
    let total = counts.iter().product::<u64>();
    let next = AtomicU64::new(0);
    let work = || -> Result<(), LsioError> {
        let mut values = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= total {
                return Ok(());
            }
            if progress.cancel.is_cancelled() {
                return Err(LsioError::new(ErrorCode::Closed, "the writing was cancelled"));
            }
            let plane = counts[1] * counts[2];
            let chunk = [number / plane, number % plane / counts[2], number % counts[2]];
            fill_chunk(chunk, shape[0], seed, &mut values);
            writer.write_chunk(&chunk, &values)?;
            let extents = chunk.iter().zip(&CHUNK).zip(&shape);
            let inside: u64 = extents.map(|((at, len), end)| (end - at * len).min(*len)).product();
            progress.bytes.fetch_add(inside * size_of::<f32>() as u64, Ordering::Relaxed);
        }
    };
    let results: Vec<Result<(), LsioError>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let panicked = |_| Err(LsioError::new(ErrorCode::Internal, "a writing thread panicked"));
        running.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
    });
    results.into_iter().collect()
}

fn spec(shape: &[u64]) -> ArraySpec {
    let mut attributes = Map::new();
    attributes.insert("long_name".into(), json!("made-up near-surface temperature"));
    attributes.insert("units".into(), json!("K"));
    let names = ["time", "latitude", "longitude"];
    ArraySpec {
        shape: shape.to_vec(),
        chunk_shape: CHUNK.to_vec(),
        shard_shape: None,
        data_type: DataType::Float32,
        codecs: vec![
            ("bytes".into(), json!({"endian": "little"})),
            ("zstd".into(), json!({"level": 1, "checksum": false})),
        ],
        fill_value: Value::String("NaN".into()),
        dimension_names: Some(names.iter().map(|name| Some((*name).to_owned())).collect()),
        attributes,
    }
}

/// The values of one chunk of a field of so many steps, in C order. Steps beyond the end are the fill
/// value, which takes next to no room.
fn fill_chunk(chunk: [u64; 3], end: u64, seed: u64, values: &mut Vec<u8>) {
    values.clear();
    let [steps, rows, columns] = CHUNK.map(|len| len as usize);
    let [time, row, column] = [0, 1, 2].map(|axis| chunk[axis] * CHUNK[axis]);
    let mut waves = vec![[0f32; WAVES]; columns];
    for step in time..end.min(time + steps as u64) {
        let day = step as f32 / 4.0;
        for (index, wave) in waves.iter_mut().enumerate() {
            let longitude = TAU * (column + index as u64) as f32 / GRID[1] as f32;
            for (number, height) in wave.iter_mut().enumerate() {
                let (count, phase) = (number as f32 + 1.0, (seed % 997 + number as u64) as f32);
                *height = (count * longitude - day * (0.2 + 0.1 * count) + phase).cos();
            }
        }
        let season = (TAU * day / 365.25).cos();
        for line in row..row + rows as u64 {
            let latitude = PI * (0.5 - line as f32 / (GRID[0] - 1) as f32);
            let base = 253.0 + 48.0 * latitude.cos().powi(2) - 14.0 * season * latitude.sin();
            let heights: [f32; WAVES] = std::array::from_fn(|number| {
                let count = number as f32 + 1.0;
                6.0 / count * (latitude * (1.0 + count)).sin()
            });
            let mut noise = mix(seed ^ (step << 40 | line << 20 | column));
            for wave in &waves {
                let swell: f32 =
                    wave.iter().zip(&heights).map(|(wave, height)| wave * height).sum();
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let grain = (noise >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
                let value = ((base + swell + 0.4 * grain) * 64.0).round() / 64.0;
                values.extend_from_slice(&value.to_ne_bytes());
            }
        }
    }
    let nan = f32::NAN.to_ne_bytes();
    let missing = steps * rows * columns - values.len() / nan.len();
    values.extend(std::iter::repeat_n(nan, missing).flatten());
}

/// Scrambles a number: neighbours get unrelated results.
fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 31).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (number ^ number >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}
