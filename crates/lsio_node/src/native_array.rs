//! Arrays as the facade sees them.

use std::sync::Arc;

use lsio::{
    Array, BitMask, DataType, DimensionSelection, ErrorCode, GetDone, GetOptions, IoMode,
    LsioError, MissingChunks, PointCoordinates, ReadOptions, RunHandle, RunOptions,
};
use napi::bindgen_prelude::{ClassInstance, Float64ArraySlice, Object, Uint8Array};
use napi::{Env, Result};
use napi_derive::napi;

use crate::array_metadata::metadata_json;
use crate::environment_calls::RunningCall;
use crate::native_call::{CallState, NativeCall};
use crate::native_list::{List, ListValues, NativeList};
use crate::native_reader::NativeReader;
use crate::native_results::{NativeRead, NativeSummary};
use crate::packed_selection::{unpack, unpack_coords, unpack_points, unpack_selections};
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
            out_bytes: None,
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

/// Elements of lists that are planned on the JavaScript thread: below a millisecond, and a hand-over to
/// another thread and back costs about 0.1.
const PLANNED_AT_ONCE: u64 = 4096;

/// What a call is to read.
enum Wanted {
    Selections(Vec<Vec<DimensionSelection>>),
    Points(Vec<PointCoordinates>),
    Mask(Arc<BitMask>),
    Blocks(Vec<DimensionSelection>),
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

    /// Reads what is wanted; a long list is planned in the background.
    fn read<'env>(
        &self,
        env: &'env Env,
        call: Option<&NativeCall>,
        wanted: std::result::Result<(Wanted, Vec<List>), LsioError>,
        options: NativeReadOptions,
        out: Option<Uint8Array>,
    ) -> Result<Object<'env>> {
        let call = state_of(call);
        let (settle, promise) = Settle::promise(env)?;
        let mut get_options = options.get_options();
        get_options.out_bytes = options.out_bytes.map(|bytes| bytes as u64);
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
        let found = wanted.and_then(|wanted| Ok((self.viewed(&options)?, wanted)));
        let (array, (wanted, lists)) = match found {
            Ok(found) => found,
            Err(error) => {
                settle.with(Err(error));
                return Ok(promise);
            }
        };
        let listed = lists.iter().fold(0, |sum: u64, list| sum.saturating_add(list.len()));
        let held: Vec<_> = lists.into_iter().map(|list| list.held).collect();
        let done = done_of(&settle, (held, running));
        if listed <= PLANNED_AT_ONCE {
            settle.follow(&call, wanted.start(&array, get_options, done));
            return Ok(promise);
        }
        let planned = array.clone();
        array.in_background(move || {
            let run = if call.is_cancelled() {
                Err(LsioError::new(ErrorCode::Closed, "the call was cancelled"))
            } else {
                wanted.start(&planned, get_options, done)
            };
            settle.follow(&call, run);
        });
        Ok(promise)
    }
}

impl Wanted {
    fn start(
        self,
        array: &Array,
        options: GetOptions,
        done: GetDone,
    ) -> std::result::Result<RunHandle, LsioError> {
        match self {
            Self::Selections(selections) => {
                let selections: Vec<_> = selections.iter().map(|entry| Some(&**entry)).collect();
                array.get(&selections, options, done)
            }
            Self::Points(coordinates) => array.get_points(&coordinates, options, done),
            Self::Mask(mask) => array.get_mask(&mask, options, done),
            Self::Blocks(blocks) => array.get_blocks(&blocks, options, done),
        }
    }
}

/// The lists of a call, which are its own from now on.
fn take_lists(
    lists: Option<Vec<ClassInstance<'_, NativeList>>>,
) -> std::result::Result<Vec<List>, LsioError> {
    lists.unwrap_or_default().iter().map(|list| list.take()).collect()
}

/// Settles the promise of a read; `running` ends first.
fn done_of(settle: &Settle<NativeRead>, running: impl Send + 'static) -> GetDone {
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

    /// A list of `len` indices for a selection of this array, to be handed over.
    #[napi(catch_unwind, ts_return_type = "NativeResult<NativeList>")]
    #[must_use]
    pub fn index_list(&self, len: f64) -> Tagged<NativeList> {
        NativeList::indices(&self.array, len as u64).into()
    }

    /// A mask of `len` elements for a selection of this array, to be handed over.
    #[napi(catch_unwind, ts_return_type = "NativeResult<NativeList>")]
    #[must_use]
    pub fn mask_list(&self, len: f64) -> Tagged<NativeList> {
        NativeList::mask(&self.array, len as u64).into()
    }

    /// Reads selections, each behind the number of its entries, with the lists that they refer to; with
    /// `out`, one selection into memory that JavaScript shares.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<NativeRead>>")]
    pub fn get<'env>(
        &self,
        env: &'env Env,
        call: Option<&NativeCall>,
        selections: Float64ArraySlice<'_>,
        options: NativeReadOptions,
        out: Option<Uint8Array>,
        lists: Option<Vec<ClassInstance<'_, NativeList>>>,
    ) -> Result<Object<'env>> {
        let wanted = take_lists(lists).and_then(|lists| {
            Ok((Wanted::Selections(unpack_selections(&selections, &lists)?), lists))
        });
        self.read(env, call, wanted, options, out)
    }

    /// Reads points, a mask or blocks of the whole array, as `kind` says; with `out`, into memory that
    /// JavaScript shares.
    ///
    /// # Errors
    /// Where Node-API fails.
    #[allow(clippy::too_many_arguments, reason = "the addon is called once for a whole request")]
    #[napi(catch_unwind, ts_return_type = "Promise<NativeResult<NativeRead>>")]
    pub fn get_picked<'env>(
        &self,
        env: &'env Env,
        call: Option<&NativeCall>,
        #[napi(ts_arg_type = "'points' | 'mask' | 'blocks'")] kind: String,
        packed: Float64ArraySlice<'_>,
        options: NativeReadOptions,
        out: Option<Uint8Array>,
        lists: Option<Vec<ClassInstance<'_, NativeList>>>,
    ) -> Result<Object<'env>> {
        let wanted = take_lists(lists).and_then(|lists| {
            let wanted = match (kind.as_str(), &lists[..]) {
                ("points", _) => Wanted::Points(unpack_points(&packed, &lists)?),
                ("mask", [List { values: ListValues::Mask(mask), .. }]) => {
                    Wanted::Mask(mask.clone())
                }
                ("blocks", _) => Wanted::Blocks(unpack(&packed, &lists)?),
                _ => {
                    let message = format!("'{kind}' is no kind of selection");
                    return Err(LsioError::new(ErrorCode::Internal, message));
                }
            };
            Ok((wanted, lists))
        });
        self.read(env, call, wanted, options, out)
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
        let done = done_of(&settle, running);
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
        lists: Option<Vec<ClassInstance<'_, NativeList>>>,
    ) -> Tagged<NativeReader> {
        let reader = take_lists(lists).and_then(|lists| {
            let selection = unpack(&selection, &lists)?;
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
