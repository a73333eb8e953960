//! The calls of each JavaScript environment (the main thread, each worker), and the queue that settles
//! its promises: when one ends, its calls are cancelled, and its memory is left alone before it goes.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

use napi::{Env, Result};

use crate::codec_functions;
use crate::native_call::CallState;
use crate::unsafe_promise_queue::PromiseQueue;

/// Environments by their address. One image of this addon serves all of them.
static ENVIRONMENTS: LazyLock<Mutex<HashMap<usize, Arc<EnvironmentCalls>>>> =
    LazyLock::new(Mutex::default);

/// The calls of one environment that have not ended.
#[derive(Debug)]
struct EnvironmentCalls {
    promises: Arc<PromiseQueue>,
    running: Mutex<Running>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Running {
    next: u64,
    calls: HashMap<u64, Arc<CallState>>,
    /// Calls that write to memory which JavaScript owns.
    writes: usize,
}

/// One call that is running; dropped when it has ended.
#[derive(Debug)]
pub(crate) struct RunningCall {
    environment: Arc<EnvironmentCalls>,
    number: u64,
    writes: bool,
}

impl RunningCall {
    /// Notes that `call` runs for this environment. `writes`: it writes to memory of the environment,
    /// until this value is dropped.
    pub(crate) fn begin(env: &Env, call: &Arc<CallState>, writes: bool) -> Result<Self> {
        let environment = environment_of(env)?;
        let mut running = environment.lock();
        let number = running.next;
        running.next += 1;
        running.calls.insert(number, call.clone());
        running.writes += usize::from(writes);
        drop(running);
        Ok(Self { environment, number, writes })
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        let mut running = self.environment.lock();
        running.calls.remove(&self.number);
        running.writes -= usize::from(self.writes);
        drop(running);
        self.environment.changed.notify_all();
    }
}

impl EnvironmentCalls {
    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cancels every call and waits until nobody writes to memory of the environment.
    fn end(&self) {
        let calls: Vec<_> = self.lock().calls.values().cloned().collect();
        for call in calls {
            call.cancel();
        }
        let mut running = self.lock();
        while running.writes > 0 {
            running = self.changed.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn environments() -> MutexGuard<'static, HashMap<usize, Arc<EnvironmentCalls>>> {
    ENVIRONMENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calls of an environment, with its clean-up hook in place.
fn environment_of(env: &Env) -> Result<Arc<EnvironmentCalls>> {
    let address = env.raw() as usize;
    if let Some(known) = environments().get(&address) {
        return Ok(known.clone());
    }
    let environment = Arc::new(EnvironmentCalls {
        promises: PromiseQueue::new(env)?,
        running: Mutex::default(),
        changed: Condvar::default(),
    });
    environments().insert(address, environment.clone());
    env.add_env_cleanup_hook(environment.clone(), move |environment| {
        environments().remove(&address);
        environment.promises.end();
        codec_functions::end(address);
        environment.end();
    })?;
    Ok(environment)
}

/// What settles the promises of an environment.
pub(crate) fn promise_queue(env: &Env) -> Result<Arc<PromiseQueue>> {
    Ok(environment_of(env)?.promises.clone())
}
