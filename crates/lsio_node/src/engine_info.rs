//! What the engine is and what it did, for people and tests.

use lsio::{Engine, LocalEngineKind};
use napi_derive::napi;

use crate::native_stats::NativeStats;
use crate::native_storage::NativeStoreStats;
use crate::process_engine::engine;
use crate::settled_promise::Tagged;

/// What the engine is and what all calls did so far.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct NativeEngineInfo {
    /// `uring` or `pread`.
    pub engine: &'static str,
    /// What probing `io_uring` gave, in words.
    pub probe: String,
    /// Threads that decode.
    pub threads: u32,
    /// The byte budget.
    pub memory_bytes: f64,
    /// Most bytes of it that are cached.
    pub cache_bytes: f64,
    /// CPU features that were found.
    pub cpu_features: Vec<&'static str>,
    /// The counters of all calls.
    pub stats: NativeStats,
    /// Calls that have ended.
    pub calls_ended: f64,
    /// Jobs that a worker took from another one's queue.
    pub steals: f64,
    /// Times that a worker found nothing to do and went to sleep.
    pub parks: f64,
    /// Chunks that each worker finished.
    pub chunks_by_worker: Vec<f64>,
    /// Files that were opened.
    pub files_opened: f64,
    /// Requests that went through the ring.
    pub ring_requests: f64,
    /// Times that requests were handed to the kernel, several at once.
    pub ring_submissions: f64,
    /// Bytes that were read beside those asked for: alignment of direct reads.
    pub over_read_bytes: f64,
    /// What object stores were asked.
    pub stores: NativeStoreStats,
}

/// What the engine is and what all calls did so far.
#[napi(catch_unwind, ts_return_type = "NativeResult<NativeEngineInfo>")]
#[must_use]
pub fn engine_info() -> Tagged<NativeEngineInfo> {
    engine().map(|engine| info(&engine)).into()
}

fn info(engine: &Engine) -> NativeEngineInfo {
    let (executor, local) = engine.stats();
    let probe = engine.local().probe();
    let probe = probe.refusal().map_or("io_uring works".to_owned(), ToOwned::to_owned);
    NativeEngineInfo {
        engine: match engine.local().engine() {
            LocalEngineKind::Uring => "uring",
            LocalEngineKind::Pread => "pread",
        },
        probe,
        threads: engine.threads() as u32,
        memory_bytes: engine.memory_usage().limit as f64,
        cache_bytes: engine.cache_limit() as f64,
        cpu_features: cpu_features(),
        stats: executor.runs.into(),
        calls_ended: executor.runs_ended as f64,
        steals: executor.steals as f64,
        parks: executor.parks as f64,
        chunks_by_worker: executor.tasks_by_worker.iter().map(|&tasks| tasks as f64).collect(),
        files_opened: local.opens as f64,
        ring_requests: local.ring_requests as f64,
        ring_submissions: local.submissions as f64,
        over_read_bytes: local.over_read_bytes as f64,
        stores: engine.store_stats().into(),
    }
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<&'static str> {
    let found = [
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("f16c", is_x86_feature_detected!("f16c")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
        ("pclmulqdq", is_x86_feature_detected!("pclmulqdq")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ];
    found.into_iter().filter(|(_, found)| *found).map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<&'static str> {
    Vec::new()
}

/// Names and versions of this addon and of what is built into it: `[name, version]` each.
#[napi(catch_unwind)]
#[must_use]
pub fn versions() -> Vec<Vec<&'static str>> {
    let own = vec!["light-speed-io", env!("CARGO_PKG_VERSION")];
    let built_in = env!("LSIO_VERSIONS").split(';').filter_map(|entry| {
        let (name, version) = entry.split_once(' ')?;
        Some(vec![name, version])
    });
    std::iter::once(own).chain(built_in).collect()
}
