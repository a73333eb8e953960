//! Arrays as the facade sees them.

use std::sync::Arc;

use lsio::{
    Array, DataType, DimensionSelection, ErrorCode, GetDone, GetOptions, IoMode, LsioError,
    MissingChunks, ReadOptions, RunOptions,
};
use napi::bindgen_prelude::{Float64ArraySlice, Object, Uint8Array};
use napi::{Env, Result};
use napi_derive::napi;

use crate::array_metadata::metadata_json;
use crate::environment_calls::RunningCall;
use crate::native_call::{CallState, NativeCall};
use crate::native_reader::NativeReader;
use crate::native_results::{NativeRead, NativeSummary};
use crate::packed_selection::{unpack, unpack_coords};
use crate::settled_promise::{Settle, Tagged};
use crate::unsafe_shared_output;

/// How chunks are read.
#[napi(object)]
#[derive(Debug)]
pub struct NativeReadOptions {
    /// `auto`, `direct` or `buffered`.
    pub io: Option<String>,
    /// Most bytes that the call may reserve.
    pub memory: Option<f64>,
    /// `fill` or `error`: what becomes of chunks that do not exist.
    pub read_missing: Option<String>,
    /// Data type, by its name, that the elements become; absent: they stay as they are.
    pub as_type: Option<String>,
    /// Most bytes that an array buffer can have.
    pub max_bytes: f64,
    /// Bytes that the caller's own buffer has, where there is one.
    pub out_bytes: Option<f64>,
}

impl NativeReadOptions {
    pub(crate) fn mode(&self) -> IoMode {
        io_mode(self.io.as_deref())
    }

    fn missing(&self) -> MissingChunks {
        match self.read_missing.as_deref() {
            Some("error") => MissingChunks::Refuse,
            _ => MissingChunks::Fill,
        }
    }

    fn run_options(&self) -> RunOptions {
        RunOptions {
            mode: self.mode(),
            memory: self.memory.map(|bytes| bytes as u64),
            missing: self.missing(),
        }
    }

    fn get_options(&self) -> GetOptions {
        GetOptions {
            mode: self.mode(),
            memory: self.memory.map(|bytes| bytes as u64),
            missing: self.missing(),
            max_bytes: Some(self.max_bytes as u64),
            out: None,
        }
    }

    fn read_options(&self, concurrency: Option<f64>, grid_order: bool) -> ReadOptions {
        ReadOptions {
            mode: self.mode(),
            memory: self.memory.map(|bytes| bytes as u64),
            missing: self.missing(),
            concurrency: concurrency.map(|chunks| chunks as usize),
            grid_order,
            max_bytes: Some(self.max_bytes as u64),
        }
    }
}

fn io_mode(name: Option<&str>) -> IoMode {
    match name {
        Some("direct") => IoMode::Direct,
        Some("buffered") => IoMode::Buffered,
        _ => IoMode::Auto,
    }
}

/// An opened array.
#[napi]
#[derive(Debug)]
pub struct NativeArray {
    array: Arc<Array>,
}

impl NativeArray {
    pub(crate) fn new(array: Arc<Array>) -> Self {
        Self { array }
    }

    /// The array with its elements as the options ask for.
    fn viewed(&self, options: &NativeReadOptions) -> std::result::Result<Arc<Array>, LsioError> {
        let Some(name) = &options.as_type else { return Ok(self.array.clone()) };
        let to = DataType::from_name(name).ok_or_else(|| {
            let message = format!("there is no data type '{name}'");
            LsioError::new(ErrorCode::Unsupported, message)
        })?;
        self.array.converted(&to)
    }
}

/// Refuses a buffer of the caller that the result would not fill.
fn check_out(
    array: &Array,
    selection: &[DimensionSelection],
    bytes: u64,
) -> std::result::Result<(), LsioError> {
    let size = array.metadata().data_type.size().unwrap_or_default();
    let count = array.resolve(Some(selection))?.element_count();
    let needed = count.and_then(|count| count.checked_mul(size as u64));
    if needed == Some(bytes) {
        return Ok(());
    }
    let needed = needed.unwrap_or(u64::MAX);
    let message = format!("`out` has {bytes} bytes, the result has {needed}");
    Err(LsioError::new(ErrorCode::Selection, message))
}

/// Settles the promise of a read; `running` ends first.
fn done_of(settle: &Settle<NativeRead>, running: Option<RunningCall>) -> GetDone {
    let settle = settle.clone();
    Box::new(move |result| {
        drop(running);
        settle.with(result.map(NativeRead::from));
    })
}

/// The state of a call that the facade watches, or of one that nobody does.
pub(crate) fn state_of(call: Option<&NativeCall>) -> Arc<CallState> {
    call.map_or_else(Arc::default, |call| call.state().clone())
}

#[napi]
impl NativeArray {
    /// What the array is, as tagged JSON.
    #[napi(catch_unwind)]
    #[must_use]
    pub fn metadata_json(&self) -> String {
        metadata_json(&self.array)
    }

    /// One field of the array's records.
    #[napi(catch_unwind, ts_return_type = "NativeResult<NativeArray>")]
    #[must_use]
    pub fn field(&self, path: String) -> Tagged<NativeArray> {
        self.array.field(&path).map(NativeArray::new).into()
    }

    /// Reads selections; with `out`, one selection into memory that JavaScript shares.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<NativeRead>>")]
    pub fn get<'env>(
        &self,
        env: &'env Env,
        call: Option<&NativeCall>,
        selections: Vec<Float64ArraySlice<'_>>,
        options: NativeReadOptions,
        out: Option<Uint8Array>,
    ) -> Result<Object<'env>> {
        let call = state_of(call);
        let (settle, promise) = Settle::promise(env)?;
        let mut get_options = options.get_options();
        let running = RunningCall::begin(env, &call, out.is_some())?;
        let running = match out {
            Some(mut view) => {
                get_options.max_bytes = None;
                get_options.out = Some(unsafe_shared_output::output(&mut view, running));
                // The facade refers to it until the promise settles.
                drop(view);
                None
            }
            None => Some(running),
        };
        let done = done_of(&settle, running);
        let run = selections
            .iter()
            .map(|packed| unpack(packed))
            .collect::<std::result::Result<Vec<_>, _>>()
            .and_then(|selections| {
                let array = self.viewed(&options)?;
                if let (Some(bytes), [only]) = (options.out_bytes, selections.as_slice()) {
                    check_out(&array, only, bytes as u64)?;
                }
                let selections: Vec<_> = selections.iter().map(|entry| Some(&**entry)).collect();
                array.get(&selections, get_options, done)
            });
        settle.follow(&call, run);
        Ok(promise)
    }

    /// Reads one whole chunk.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<NativeRead>>")]
    pub fn get_chunk<'env>(
        &self,
        env: &'env Env,
        call: Option<&NativeCall>,
        coords: Float64ArraySlice<'_>,
        options: NativeReadOptions,
    ) -> Result<Object<'env>> {
        let call = state_of(call);
        let (settle, promise) = Settle::promise(env)?;
        let running = RunningCall::begin(env, &call, false)?;
        let done = done_of(&settle, Some(running));
        let run = self.viewed(&options).and_then(|array| {
            array.get_chunk(&unpack_coords(&coords), options.get_options(), done)
        });
        settle.follow(&call, run);
        Ok(promise)
    }

    /// Starts to read the chunks of a selection.
    #[napi(catch_unwind, ts_return_type = "NativeResult<NativeReader>")]
    #[must_use]
    pub fn read_chunks(
        &self,
        selection: Float64ArraySlice<'_>,
        options: NativeReadOptions,
        concurrency: Option<f64>,
        grid_order: bool,
    ) -> Tagged<NativeReader> {
        let reader = unpack(&selection).and_then(|selection| {
            let array = self.viewed(&options)?;
            array.read_chunks(Some(&selection), &options.read_options(concurrency, grid_order))
        });
        reader.map(NativeReader::new).into()
    }

    /// Mean of all elements.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<number>>")]
    pub fn mean<'env>(
        &self,
        env: &'env Env,
        call: Option<&NativeCall>,
        options: NativeReadOptions,
    ) -> Result<Object<'env>> {
        let call = state_of(call);
        let (settle, promise) = Settle::<f64>::promise(env)?;
        let running = RunningCall::begin(env, &call, false)?;
        let done = settle.clone();
        let run = self.array.mean(options.run_options(), move |mean| {
            drop(running);
            done.with(mean);
        });
        settle.follow(&call, run);
        Ok(promise)
    }

    /// Minimum, maximum, mean and missing elements of the whole array.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<NativeSummary>>")]
    pub fn summary<'env>(
        &self,
        env: &'env Env,
        call: Option<&NativeCall>,
        options: NativeReadOptions,
    ) -> Result<Object<'env>> {
        let call = state_of(call);
        let (settle, promise) = Settle::<NativeSummary>::promise(env)?;
        let running = RunningCall::begin(env, &call, false)?;
        let done = settle.clone();
        let run = self.array.summary(options.run_options(), move |summary| {
            drop(running);
            done.with(summary.map(NativeSummary::from));
        });
        settle.follow(&call, run);
        Ok(promise)
    }

    /// Bytes of all stored chunks.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<number>>")]
    pub fn stored_bytes<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let (settle, promise) = Settle::promise(env)?;
        self.array.stored_bytes(move |bytes| settle.with(bytes.map(|bytes| bytes as f64)));
        Ok(promise)
    }
}
