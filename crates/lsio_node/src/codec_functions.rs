//! Codecs that are functions of JavaScript: what waits for them, and what they answer.
//!
//! An environment that has registered functions listens with one promise, which resolves with the numbers of all
//! chunks that wait for it by then. Native threads wait for nothing: the decode of such a chunk is suspended.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use lsio::{
    Codec, CodecError, Configuration, DecodeAnswer, ErrorCode, LsioError, SuspendingCodec,
    register_codec,
};
use napi::bindgen_prelude::Object;
use napi::{Env, Result};
use napi_derive::napi;

use crate::environment_calls::promise_queue;
use crate::native_memory::NativeMemoryValue;
use crate::settled_promise::{Settle, Tagged};
use crate::unsafe_js_values::{Null, OwnedBytes};

/// Encoded bytes may be this many times as long as the decoded ones, and longer by so many bytes: nobody
/// knows what a function of the user does.
const ENCODED_FACTOR: u64 = 2;
const ENCODED_SLACK: u64 = 64 << 10;

/// Most encoded bytes that a function is given: the largest `ArrayBuffer` of Node 20 has 4 GiB.
const LONGEST_GIVEN: u64 = u32::MAX as u64;

/// A chunk that waits for a function.
#[napi(object, object_from_js = false)]
pub struct NativeCodecJob {
    /// The codec.
    pub name: String,
    /// Its configuration, as JSON.
    pub configuration: String,
    /// What is to be decoded.
    #[napi(ts_type = "ArrayBuffer")]
    pub encoded: OwnedBytes,
    /// Most bytes of the decoded form.
    pub limit: f64,
}

/// A chunk that waits for a function.
struct Waiting {
    configuration: Arc<str>,
    /// Empty once the function has them.
    encoded: Vec<u8>,
    answer: DecodeAnswer,
}

/// All environments, by their address.
#[derive(Default)]
struct Functions {
    environments: HashMap<usize, Environment>,
    /// Who has registered a name, the last of them at the end.
    registered: BTreeMap<&'static str, Vec<usize>>,
    next_number: u64,
}

/// What waits for one environment.
#[derive(Default)]
struct Environment {
    /// All that was not answered yet, by number.
    waiting: HashMap<u64, Waiting>,
    /// Of these, what the listener was not told of.
    untold: Vec<u64>,
    /// Resolves with what waits next.
    listener: Option<Listener>,
}

type Listener = Settle<Vec<f64>>;

static FUNCTIONS: LazyLock<Mutex<Functions>> = LazyLock::new(Mutex::default);

fn functions() -> MutexGuard<'static, Functions> {
    FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A codec of this name with this configuration, whoever has its function.
#[derive(Debug)]
struct FunctionCodec {
    name: &'static str,
    configuration: Arc<str>,
}

impl SuspendingCodec for FunctionCodec {
    fn name(&self) -> &'static str {
        self.name
    }

    fn encoded_bound(&self, decoded_len: u64) -> u64 {
        decoded_len.saturating_mul(ENCODED_FACTOR).saturating_add(ENCODED_SLACK)
    }

    fn start(&self, encoded: Vec<u8>, answer: DecodeAnswer) {
        let needed = encoded.len() as u64;
        if needed > LONGEST_GIVEN {
            let (codec, limit) = (self.name, LONGEST_GIVEN);
            return answer.send(Err(CodecError::TooLarge { codec, needed, limit }));
        }
        let mut functions = functions();
        let number = functions.next_number;
        functions.next_number += 1;
        let address = functions.registered.get(self.name).and_then(|all| all.last().copied());
        let environment = address.and_then(|address| functions.environments.get_mut(&address));
        let Some(environment) = environment else {
            drop(functions);
            return answer.send(Err(ended(self.name)));
        };
        let configuration = self.configuration.clone();
        let unwanted = environment.add(number, Waiting { configuration, encoded, answer });
        let told = environment.tell();
        drop(functions);
        settle(told);
        drop(unwanted);
    }
}

/// The error for chunks whose function is gone.
fn ended(codec: &'static str) -> CodecError {
    let reason = "the environment that registered it has ended".to_owned();
    CodecError::Function { codec, reason, number: None }
}

/// Tells a listener. Not under the lock, which others need meanwhile.
fn settle(told: Option<(Listener, Vec<f64>)>) {
    if let Some((listener, numbers)) = told {
        listener.with(Ok(numbers));
    }
}

impl Environment {
    /// Adds what waits. The calls of what comes back were cancelled: it is to be dropped, which may take long, when the
    /// lock is free.
    fn add(&mut self, number: u64, waiting: Waiting) -> Vec<Waiting> {
        // Nobody may ever ask for these: they are looked for once in a while.
        let mut unwanted = Vec::new();
        if self.waiting.len() == self.waiting.capacity() {
            let cancelled = self.waiting.extract_if(|_, other| !other.answer.is_wanted());
            unwanted.extend(cancelled.map(|(_, other)| other));
            self.untold.retain(|other| self.waiting.contains_key(other));
        }
        self.waiting.insert(number, waiting);
        self.untold.push(number);
        unwanted
    }

    /// The listener and what it is told now, if there is one and anything waits.
    fn tell(&mut self) -> Option<(Listener, Vec<f64>)> {
        if self.untold.is_empty() {
            return None;
        }
        let listener = self.listener.take()?;
        Some((listener, self.untold.drain(..).map(|number| number as f64).collect()))
    }
}

/// Says that this environment has a function for the codec of this name.
///
/// # Errors
/// Where Node-API fails.
#[napi(catch_unwind, ts_return_type = "NativeResult<null>")]
pub fn register_codec_function(env: &Env, name: String) -> Result<Tagged<Null>> {
    // Its clean-up hook is in place from now on.
    promise_queue(env)?;
    let name = permanent(name);
    let made = register_codec(name, move |configuration, _| make(name, configuration));
    if let Err(error) = made {
        return Ok(Tagged::Err(LsioError::new(ErrorCode::Conflict, error.to_string()).into()));
    }
    let address = env.raw() as usize;
    let mut functions = functions();
    functions.environments.entry(address).or_default();
    let registered = functions.registered.entry(name).or_default();
    registered.retain(|other| *other != address);
    registered.push(address);
    Ok(Tagged::Ok(Null))
}

fn make(
    name: &'static str,
    configuration: &Configuration,
) -> std::result::Result<Codec, CodecError> {
    if functions().registered.get(name).is_none_or(Vec::is_empty) {
        return Err(CodecError::Unsupported { name: name.to_owned() });
    }
    let configuration = serde_json::to_string(configuration).unwrap_or_default().into();
    Ok(Codec::Suspending(Arc::new(FunctionCodec { name, configuration })))
}

/// The same text for as long as the process lives: errors name codecs so. Once for each name.
fn permanent(name: String) -> &'static str {
    static NAMES: Mutex<BTreeMap<String, &'static str>> = Mutex::new(BTreeMap::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.entry(name.clone()).or_insert_with(|| Box::leak(name.into_boxed_str()))
}

/// The numbers of the chunks that wait for functions of this environment, as soon as there are any. No environment
/// stays for it.
///
/// # Errors
/// Where Node-API fails.
#[napi(catch_unwind, ts_return_type = "Promise<NativeResult<number[]>>")]
pub fn next_codec_jobs(env: &Env) -> Result<Object<'_>> {
    let (listener, promise) = Settle::idle_promise(env)?;
    let mut functions = functions();
    let environment = functions.environments.entry(env.raw() as usize).or_default();
    environment.listener = Some(listener);
    let told = environment.tell();
    drop(functions);
    settle(told);
    Ok(promise)
}

/// What the function is to decode for the chunk of this number, once; `null` where nobody waits for it any more, since its
/// call was cancelled.
#[napi(catch_unwind, ts_return_type = "NativeCodecJob | null")]
pub fn begin_codec_job(env: &Env, number: f64) -> Option<NativeCodecJob> {
    let mut functions = functions();
    let environment = functions.environments.get_mut(&(env.raw() as usize))?;
    let waiting = environment.waiting.get_mut(&(number as u64))?;
    if !waiting.answer.is_wanted() {
        let unwanted = environment.waiting.remove(&(number as u64));
        drop(functions);
        drop(unwanted);
        return None;
    }
    let encoded = Box::new(std::mem::take(&mut waiting.encoded));
    Some(NativeCodecJob {
        name: waiting.answer.codec().to_owned(),
        configuration: waiting.configuration.as_ref().to_owned(),
        encoded: OwnedBytes::new(encoded, |bytes| bytes.as_mut_slice()),
        limit: waiting.answer.limit() as f64,
    })
}

fn take_answer(env: &Env, number: f64) -> Option<DecodeAnswer> {
    let mut functions = functions();
    let environment = functions.environments.get_mut(&(env.raw() as usize))?;
    environment.waiting.remove(&(number as u64)).map(|waiting| waiting.answer)
}

/// Gives what a function has decoded. The value is empty afterwards.
#[napi(catch_unwind)]
pub fn answer_codec_job(env: &Env, number: f64, decoded: &mut NativeMemoryValue) {
    // Also where nobody waits for it any more: its memory is not to stay until garbage is collected.
    let decoded = decoded.take();
    if let Some(answer) = take_answer(env, number) {
        let codec = answer.codec();
        let failed = |error: LsioError| {
            let reason = error.to_string();
            CodecError::Function { codec, reason, number: None }
        };
        answer.send(decoded.map_err(failed));
    }
}

/// Says why a function has decoded nothing. `true`: somebody waits for it, and the call fails with an error of this
/// number.
#[napi(catch_unwind)]
pub fn fail_codec_job(env: &Env, number: f64, reason: String) -> bool {
    let Some(answer) = take_answer(env, number).filter(DecodeAnswer::is_wanted) else {
        return false;
    };
    let (codec, number) = (answer.codec(), Some(number as u64));
    answer.send(Err(CodecError::Function { codec, reason, number }));
    true
}

/// An environment ends: its functions are gone, and what waits for them fails.
pub(crate) fn end(address: usize) {
    let mut functions = functions();
    let environment = functions.environments.remove(&address);
    for registered in functions.registered.values_mut() {
        registered.retain(|other| *other != address);
    }
    drop(functions);
    // Not under the lock: answers may start others.
    let Some(Environment { waiting, .. }) = environment else { return };
    for Waiting { answer, .. } in waiting.into_values() {
        let codec = answer.codec();
        answer.send(Err(ended(codec)));
    }
}
