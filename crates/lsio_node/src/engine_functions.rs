//! Functions of the addon that are not about one array: opening, settings, counters, sample data.

use std::path::Path;
use std::sync::Arc;

use lsio::{EngineChoice, EngineConfig, LsioError, OpenOptions, SampleProgress};
use napi::bindgen_prelude::{ArrayBuffer, Object};
use napi::{Env, Result};
use napi_derive::napi;

use crate::native_call::NativeCall;
use crate::native_group::NativeNode;
use crate::native_storage::NativeStorageOptions;
use crate::process_engine::{configure as configure_engine, engine};
use crate::settled_promise::{Settle, Tagged};
use crate::unsafe_js_values::Null;

/// Settings of the engine.
#[napi(object)]
#[derive(Debug)]
pub struct NativeSettings {
    /// Threads that decode.
    pub threads: Option<u32>,
    /// The byte budget.
    pub memory: Option<f64>,
    /// Bytes of it for indexes and decoded chunks that later calls may want again.
    pub cache: Option<f64>,
    /// `auto`, `uring` or `pread`.
    pub engine: Option<String>,
}

/// What the engine uses now, in bytes.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct NativeMemoryUsage {
    /// The budget.
    pub limit_bytes: f64,
    /// Reserved for reads and decodes under way, and for chunks that were not delivered yet.
    pub reserved_bytes: f64,
    /// Kept because it may be wanted again; gives way to what is to be reserved.
    pub cached_bytes: f64,
    /// Delivered and not given back yet.
    pub held_bytes: f64,
    /// Pool memory that waits to be used again.
    pub idle_bytes: f64,
    /// The most that was ever reserved.
    pub peak_reserved_bytes: f64,
}

/// Opens the node at a location.
///
/// # Errors
/// Where Node-API fails.
#[napi(catch_unwind, ts_return_type = "Promise<NativeResult<NativeNode>>")]
pub fn open(
    env: &Env,
    location: String,
    path: Option<String>,
    zarr_format: Option<u8>,
    storage: Option<NativeStorageOptions>,
) -> Result<Object<'_>> {
    let (settle, promise) = Settle::promise(env)?;
    let storage = storage.map(Into::into).unwrap_or_default();
    let options = OpenOptions { path: path.unwrap_or_default(), zarr_format, storage };
    match engine() {
        Ok(engine) => {
            engine.open(&location, options, move |node| settle.with(node.map(NativeNode::opened)));
        }
        Err(error) => settle.with(Err(error)),
    }
    Ok(promise)
}

/// Sets up the engine before its first use.
#[napi(catch_unwind, ts_return_type = "NativeResult<null>")]
#[must_use]
pub fn configure(settings: NativeSettings) -> Tagged<Null> {
    let config = EngineConfig {
        threads: settings.threads.map(|threads| threads as usize),
        memory: settings.memory.map(|bytes| bytes as u64),
        cache: settings.cache.map(|bytes| bytes as u64),
        engine: settings.engine.as_deref().map(|name| match name {
            "uring" => EngineChoice::Uring,
            "pread" => EngineChoice::Pread,
            _ => EngineChoice::Auto,
        }),
    };
    configure_engine(config).map(|()| Null).into()
}

/// What the engine uses now.
#[napi(catch_unwind, ts_return_type = "NativeResult<NativeMemoryUsage>")]
#[must_use]
pub fn memory_usage() -> Tagged<NativeMemoryUsage> {
    let usage = engine().map(|engine| engine.memory_usage());
    usage
        .map(|usage| NativeMemoryUsage {
            limit_bytes: usage.limit as f64,
            reserved_bytes: usage.reserved as f64,
            cached_bytes: usage.cached as f64,
            held_bytes: usage.held as f64,
            idle_bytes: usage.idle as f64,
            peak_reserved_bytes: usage.peak_reserved as f64,
        })
        .into()
}

/// Takes the memory away from an array buffer: its length is 0 from then on.
///
/// # Errors
/// Where Node-API fails.
#[napi(catch_unwind)]
pub fn detach(buffer: ArrayBuffer<'_>) -> Result<()> {
    buffer.detach()
}

/// Forgets a store in memory. `false`: there was none.
#[napi(catch_unwind, ts_return_type = "NativeResult<boolean>")]
#[must_use]
pub fn delete_memory_store(store: String) -> Tagged<bool> {
    engine().map(|engine| engine.delete_memory_store(&store)).into()
}

/// Writes a made-up climate field of about `bytes` decoded bytes.
///
/// # Errors
/// Where Node-API fails.
#[napi(catch_unwind, ts_return_type = "Promise<NativeResult<null>>")]
pub fn write_sample_field<'env>(
    env: &'env Env,
    call: &NativeCall,
    directory: String,
    bytes: f64,
    seed: f64,
) -> Result<Object<'env>> {
    let (settle, promise) = Settle::promise(env)?;
    let done = settle.clone();
    let progress = Arc::<SampleProgress>::default();
    call.state().attach_sample(&progress);
    let started = engine().map(|engine| {
        let done = move |end: std::result::Result<(), LsioError>| done.with(end.map(|()| Null));
        let (directory, bytes, seed) = (Path::new(&directory), bytes as u64, seed as u64);
        engine.write_sample(directory, bytes, seed, progress, done);
    });
    if let Err(error) = started {
        settle.with(Err(error));
    }
    Ok(promise)
}

/// Drops the files below a folder from the page cache; for a path in a zip archive, the archive.
///
/// # Errors
/// Where Node-API fails.
#[napi(catch_unwind, ts_return_type = "Promise<NativeResult<null>>")]
pub fn drop_cache(env: &Env, path: String) -> Result<Object<'_>> {
    let (settle, promise) = Settle::promise(env)?;
    match engine() {
        Ok(engine) => engine.drop_cache(Path::new(&path), move |end| {
            settle.with(end.map(|()| Null));
        }),
        Err(error) => settle.with(Err(error)),
    }
    Ok(promise)
}
