//! The engine: one budget, one executor, the local engine, the stores in memory and those on the network. A value, not
//! a static: a process may have several, though the Node addon holds one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lsio_compute::{Executor, ExecutorStats};
use lsio_io::{Key, Memory, MemoryStorage, MemoryUsage, Storage};
use lsio_object_store_bridge::{StorageOptions, StoreStats, Stores, without_secrets};
use lsio_uring::{EngineChoice, LocalConfig, LocalEngine, LocalStats, LocalStorage};
use lsio_zip::ZipStorage;

use crate::control_threads::ControlThreads;
use crate::location::{Location, archive_in, archive_in_storage};
use crate::open_nodes::OpenNodes;
use crate::{Array, ErrorCode, Group, LsioError};

/// How an engine is set up.
#[derive(Debug, Clone, Default)]
pub struct EngineConfig {
    /// Threads that decode; `None`: the processors that this process may use.
    pub threads: Option<usize>,
    /// The byte budget; `None`: a quarter of the physical memory or of the container's limit.
    pub memory: Option<u64>,
    /// Bytes of the budget for what later calls may want again: indexes of shards and decoded chunks; 0:
    /// nothing is kept. `None`: indexes only, up to 16 MiB.
    pub cache: Option<u64>,
    /// What reads local files past the page cache; `None`: the environment variable `LSIO_ENGINE`
    /// (`uring` or `pread`), else whatever works.
    pub engine: Option<EngineChoice>,
}

/// The smallest budget that is accepted: less than that holds no useful chunk.
pub const MIN_MEMORY: u64 = 1 << 20;

/// Everything that reads and decodes, shared by all arrays that it opened.
#[derive(Debug)]
pub struct Engine {
    pub(crate) executor: Executor,
    pub(crate) memory: Arc<Memory>,
    pub(crate) control: ControlThreads,
    /// Threads of their own for archives: those of `control` wait for what these do.
    archive_threads: ControlThreads,
    local: Arc<LocalEngine>,
    choice: EngineChoice,
    stores: Mutex<HashMap<String, Arc<MemoryStorage>>>,
    object_stores: Stores,
    pub(crate) open_nodes: OpenNodes,
    threads: usize,
}

/// What to open at a location.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Path of the node below the location.
    pub path: String,
    /// 2 or 3; `None`: whichever is there, 3 first.
    pub zarr_format: Option<u8>,
    /// How to get at an object store.
    pub storage: StorageOptions,
}

/// What was opened.
#[derive(Debug, Clone)]
pub enum Node {
    /// An array.
    Array(Arc<Array>),
    /// A group.
    Group(Arc<Group>),
}

impl Engine {
    /// An engine. No thread is started before the first read.
    ///
    /// # Errors
    /// [`ErrorCode::Unsupported`] for an engine that does not work here or is not known,
    /// [`ErrorCode::Budget`] for a budget below [`MIN_MEMORY`], and for a cache that is larger than it.
    pub fn new(config: &EngineConfig) -> Result<Arc<Self>, LsioError> {
        let choice = match config.engine {
            Some(choice) => choice,
            None => choice_from_environment(std::env::var("LSIO_ENGINE").ok().as_deref())?,
        };
        let limit = config.memory.unwrap_or_else(Memory::default_limit);
        if limit < MIN_MEMORY {
            let message =
                format!("a budget of {limit} bytes is too small, {MIN_MEMORY} are needed");
            return Err(LsioError::new(ErrorCode::Budget, message));
        }
        if let Some(cache) = config.cache.filter(|&cache| cache > limit) {
            let message = format!(
                "a cache of {cache} bytes does not fit into the memory budget of {limit} bytes, of which it is a part"
            );
            return Err(LsioError::new(ErrorCode::Budget, message));
        }
        let available = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = config.threads.unwrap_or_else(available).max(1);
        let memory = Memory::new(limit);
        Ok(Arc::new(Self {
            executor: Executor::with_cache(threads, memory.clone(), config.cache),
            memory,
            control: ControlThreads::default(),
            archive_threads: ControlThreads::default(),
            local: LocalEngine::new(choice, LocalConfig::default())?,
            choice,
            stores: Mutex::default(),
            object_stores: Stores::default(),
            open_nodes: OpenNodes::default(),
            threads,
        }))
    }

    /// Opens what is at `location`: a path, a `file://` or a `memory://` URL, or that of an object store (`s3://`,
    /// `gs://`, `az://`, `abfs://`, `http://`, `https://`). Each may lead into a zip archive whose name ends with
    /// `.zip`. `done` is called once, on a thread of the engine.
    pub fn open(
        self: &Arc<Self>,
        location: &str,
        options: OpenOptions,
        done: impl FnOnce(Result<Node, LsioError>) + Send + 'static,
    ) {
        let engine = self.clone();
        let location = location.to_owned();
        self.control.run(move || done(engine.open_blocking(&location, &options)));
    }

    /// [`open`](Self::open) that waits.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::Metadata`], [`ErrorCode::Unsupported`],
    /// [`ErrorCode::Access`] or [`ErrorCode::Io`].
    pub fn open_blocking(
        self: &Arc<Self>,
        location: &str,
        options: &OpenOptions,
    ) -> Result<Node, LsioError> {
        let (storage, base) = self.storage(location, &options.storage)?;
        let path = base.join(options.path.trim_matches('/'))?;
        self.open_in(&storage, &path, options.zarr_format)
    }

    /// Opens a node of any storage.
    ///
    /// # Errors
    /// As [`open_blocking`](Self::open_blocking).
    pub fn open_in(
        self: &Arc<Self>,
        storage: &Arc<dyn Storage>,
        path: &Key,
        zarr_format: Option<u8>,
    ) -> Result<Node, LsioError> {
        let node = lsio_zarr::open(storage, &self.memory, path, zarr_format)?;
        Node::new(self, node)
    }

    /// The storage that a location is in, and where in it.
    pub(crate) fn storage(
        &self,
        location: &str,
        options: &StorageOptions,
    ) -> Result<(Arc<dyn Storage>, Key), LsioError> {
        let location_of = Location::parse(location)?;
        if !matches!(location_of, Location::Store(_)) && *options != StorageOptions::default() {
            let message = "storage options are for object stores, such as s3://";
            return Err(LsioError::new(ErrorCode::Unsupported, message).at(location));
        }
        match location_of {
            Location::Folder(folder) => {
                let absolute = std::path::absolute(&folder).unwrap_or_else(|_| folder.clone());
                // Without a slash at the end, which a file cannot have.
                let absolute: PathBuf = absolute.components().collect();
                if let Some((archive, inside)) = archive_in(&absolute) {
                    return self.archive(archive, inside);
                }
                let open = || LocalStorage::open(&folder, &self.local);
                let storage = self.open_nodes.folder(absolute, open);
                let named = |error| LsioError::from(error).at(folder.display().to_string());
                Ok((storage.map_err(named)?, Key::root()))
            }
            Location::Memory { store, path } => {
                // The lock goes before anything is read: the JavaScript thread takes it too.
                let storage = {
                    let stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
                    stores.get(&store).cloned()
                };
                let storage = storage.ok_or_else(|| {
                    let message = format!("there is no store in memory named '{store}'");
                    LsioError::new(ErrorCode::NotFound, message).at(location)
                })?;
                self.archive_or(storage, Key::new(&path)?).map_err(|error| error.at(location))
            }
            Location::Store(address) => {
                let named = |error: LsioError| error.at(without_secrets(location));
                let storage = self.object_stores.open(&address, options);
                let storage = storage.map_err(|error| named(error.into()))?;
                let key = Key::new(&address.path).map_err(|error| named(error.into()))?;
                self.archive_or(storage, key).map_err(named)
            }
        }
    }

    /// The zip archive that a key leads to or into, and the key in it; else the storage and the key.
    fn archive_or(
        &self,
        storage: Arc<dyn Storage>,
        key: Key,
    ) -> Result<(Arc<dyn Storage>, Key), LsioError> {
        match archive_in_storage(storage.as_ref(), &self.memory, &key)? {
            Some((archive, inside)) => Ok((Arc::new(self.zip(storage, archive)?), inside)),
            None => Ok((storage, key)),
        }
    }

    /// The zip archive that is this object of a storage.
    fn zip(&self, below: Arc<dyn Storage>, archive: Key) -> Result<ZipStorage, LsioError> {
        let threads = self.archive_threads.clone();
        let spawn = Arc::new(move |work: Box<dyn FnOnce() + Send>| threads.run(work));
        Ok(ZipStorage::open(below, archive, &self.memory, spawn)?)
    }

    /// A zip archive as a storage, and a path in it as a key.
    fn archive(&self, file: &Path, inside: &Path) -> Result<(Arc<dyn Storage>, Key), LsioError> {
        let named = |error: LsioError| error.at(file.display().to_string());
        let text = |path: &Path| {
            path.to_str().map(str::to_owned).ok_or_else(|| {
                let message = format!("'{}' is not UTF-8", path.display());
                LsioError::new(ErrorCode::NotFound, message)
            })
        };
        let open = || {
            let folder = file.parent().unwrap_or(Path::new("/"));
            let name = file.file_name().map_or(file, Path::new);
            let below = Arc::new(self.open_folder(folder)?);
            self.zip(below, Key::new(&text(name)?)?)
        };
        let storage = self.open_nodes.archive(file.to_owned(), open).map_err(named)?;
        let key = text(inside).and_then(|inside| Ok(Key::new(&inside)?)).map_err(named)?;
        Ok((storage, key))
    }

    /// A folder as a storage.
    ///
    /// # Errors
    /// [`ErrorCode::Access`] or [`ErrorCode::Io`].
    pub fn open_folder(&self, folder: &Path) -> Result<LocalStorage, LsioError> {
        LocalStorage::open(folder, &self.local)
            .map_err(|error| LsioError::from(error).at(folder.display().to_string()))
    }

    /// The store in memory with this name; it is made if there is none.
    #[must_use]
    pub fn memory_store(&self, name: &str) -> Arc<MemoryStorage> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(MemoryStorage::at(&format!("memory://{name}")));
        stores.entry(name.to_owned()).or_insert_with(make).clone()
    }

    /// Forgets the store in memory with this name. `false`: there was none. Arrays that were opened
    /// from it go on.
    pub fn delete_memory_store(&self, name: &str) -> bool {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).remove(name).is_some()
    }

    /// The executor, for functions of one's own on chunks.
    #[must_use]
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    /// Most bytes that are cached.
    #[must_use]
    pub fn cache_limit(&self) -> u64 {
        self.executor.cache_limit()
    }

    /// What the budget says now.
    #[must_use]
    pub fn memory_usage(&self) -> MemoryUsage {
        self.memory.usage()
    }

    /// Threads that decode.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// What was asked to read local files: by the configuration, else by the environment.
    #[must_use]
    pub fn choice(&self) -> EngineChoice {
        self.choice
    }

    /// The engine for local files: what it found out and what it did.
    #[must_use]
    pub fn local(&self) -> &LocalEngine {
        &self.local
    }

    /// What object stores were asked so far.
    #[must_use]
    pub fn store_stats(&self) -> StoreStats {
        self.object_stores.stats()
    }

    /// What all runs did so far.
    #[must_use]
    pub fn stats(&self) -> (ExecutorStats, LocalStats) {
        (self.executor.stats(), self.local.stats())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.control.close();
        self.archive_threads.close();
    }
}

impl Node {
    pub(crate) fn new(engine: &Arc<Engine>, node: lsio_zarr::Node) -> Result<Self, LsioError> {
        Ok(match node {
            lsio_zarr::Node::Array(array) => Self::Array(Arc::new(Array::new(engine, array)?)),
            lsio_zarr::Node::Group(group) => Self::Group(Arc::new(Group::new(engine, group))),
        })
    }
}

/// What `LSIO_ENGINE` says.
fn choice_from_environment(value: Option<&str>) -> Result<EngineChoice, LsioError> {
    match value {
        None | Some("" | "auto") => Ok(EngineChoice::Auto),
        Some("uring") => Ok(EngineChoice::Uring),
        Some("pread") => Ok(EngineChoice::Pread),
        Some(other) => {
            let message = format!("LSIO_ENGINE is '{other}': expected 'uring', 'pread' or 'auto'");
            Err(LsioError::new(ErrorCode::Unsupported, message))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_an_engine_or_is_refused() {
        assert_eq!(choice_from_environment(None).unwrap(), EngineChoice::Auto);
        assert_eq!(choice_from_environment(Some("pread")).unwrap(), EngineChoice::Pread);
        assert_eq!(choice_from_environment(Some("uring")).unwrap(), EngineChoice::Uring);
        let error = choice_from_environment(Some("magic")).unwrap_err();
        assert_eq!(error.code, ErrorCode::Unsupported);
        assert!(error.message.contains("magic"));
    }

    #[test]
    fn a_budget_that_holds_nothing_is_refused() {
        let config = EngineConfig { memory: Some(1000), ..EngineConfig::default() };
        assert_eq!(Engine::new(&config).unwrap_err().code, ErrorCode::Budget);
    }

    #[test]
    fn a_cache_larger_than_the_budget_is_refused_with_the_numbers() {
        let config = |cache| EngineConfig {
            memory: Some(2 << 20),
            cache: Some(cache),
            ..EngineConfig::default()
        };
        assert_eq!(Engine::new(&config(2 << 20)).unwrap().cache_limit(), 2 << 20);
        let error = Engine::new(&config((2 << 20) + 1)).unwrap_err();
        assert_eq!(error.code, ErrorCode::Budget);
        assert!(error.message.contains("2097153") && error.message.contains("2097152"), "{error}");
    }
}
