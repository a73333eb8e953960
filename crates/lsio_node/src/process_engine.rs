//! The one engine of the process: made at first use, shared by all worker threads, never taken down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lsio::{Engine, EngineChoice, EngineConfig, ErrorCode, LsioError};

struct InUse {
    engine: Arc<Engine>,
    config: EngineConfig,
}

static ENGINE: Mutex<Option<InUse>> = Mutex::new(None);

fn lock() -> MutexGuard<'static, Option<InUse>> {
    ENGINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The engine; made with the defaults if there is none yet.
///
/// # Errors
/// As [`Engine::new`].
pub(crate) fn engine() -> Result<Arc<Engine>, LsioError> {
    let mut in_use = lock();
    if let Some(in_use) = &*in_use {
        return Ok(in_use.engine.clone());
    }
    let engine = Engine::new(&EngineConfig::default())?;
    *in_use = Some(InUse { engine: engine.clone(), config: EngineConfig::default() });
    Ok(engine)
}

/// Makes the engine with these settings.
///
/// # Errors
/// [`ErrorCode::Conflict`] if there is one with other settings; else as [`Engine::new`].
pub(crate) fn configure(config: EngineConfig) -> Result<(), LsioError> {
    let mut in_use = lock();
    let Some(in_use) = &*in_use else {
        let engine = Engine::new(&config)?;
        *in_use = Some(InUse { engine, config });
        return Ok(());
    };
    let threads = in_use.engine.threads();
    let memory = in_use.engine.memory_usage().limit;
    let choice = in_use.engine.choice();
    check("threads", config.threads, threads)?;
    check("memory", config.memory, memory)?;
    let cache = |bytes: Option<u64>| bytes.map_or("its default".to_owned(), |it| it.to_string());
    check("cache", config.cache.map(Some).map(cache), cache(in_use.config.cache))?;
    check("engine", config.engine.map(choice_name), choice_name(choice))
}

fn check<T: PartialEq + std::fmt::Display>(
    name: &str,
    wanted: Option<T>,
    in_use: T,
) -> Result<(), LsioError> {
    match wanted {
        Some(wanted) if wanted != in_use => {
            let message = format!(
                "the engine is in use with {name} {in_use}, it cannot be changed to {wanted}: call \
                 configure before the first use"
            );
            Err(LsioError::new(ErrorCode::Conflict, message))
        }
        _ => Ok(()),
    }
}

/// The name that users give a choice.
pub(crate) fn choice_name(choice: EngineChoice) -> &'static str {
    match choice {
        EngineChoice::Auto => "auto",
        EngineChoice::Uring => "uring",
        EngineChoice::Pread => "pread",
    }
}
