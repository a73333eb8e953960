//! Engines, fresh folders and a sink that hands completions to the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use lsio_io::{
    ByteRange, CancelToken, Completion, CompletionSink, Freshness, IoMode, Key, Memory, Read,
    ReadAnswer, Storage, StorageError,
};
use lsio_uring::{EngineChoice, LocalConfig, LocalEngine, LocalStorage, Probe};

/// Budget of the tests, in bytes.
const BUDGET: u64 = 256 << 20;

/// The engines that work here. Says so, loudly, if the ring does not.
pub(crate) fn choices() -> Vec<EngineChoice> {
    let probe = Probe::run();
    match probe.refusal() {
        None => vec![EngineChoice::Pread, EngineChoice::Uring],
        Some(reason) => {
            eprintln!("SKIPPED for the ring: {reason}");
            vec![EngineChoice::Pread]
        }
    }
}

/// A folder of its own for one test, removed at its end.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        // On a real file system, unlike /tmp on many machines.
        Self::under(Path::new(env!("CARGO_TARGET_TMPDIR")))
    }

    pub(crate) fn under(parent: &Path) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("lsio-local-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file of `len` bytes that look random, and returns them.
    pub(crate) fn file(&self, name: &str, len: usize, seed: u64) -> Vec<u8> {
        let bytes = noise(len, seed);
        fs::write(self.0.join(name), &bytes).unwrap();
        bytes
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Numbers that look random, the same for the same seed (xorshift64*).
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// `len` bytes without a zero, so that a byte that nobody read shows.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..len).map(|_| (random.next() >> 56) as u8 | 1).collect()
}

#[derive(Debug)]
struct Sink(mpsc::Sender<Completion>);

impl CompletionSink for Sink {
    fn complete(&self, completion: Completion) {
        self.0.send(completion).unwrap();
    }
}

/// A store over a folder, and what reading from it needs.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) storage: LocalStorage,
    pub(crate) memory: Arc<Memory>,
    sink: Arc<dyn CompletionSink>,
    completions: mpsc::Receiver<Completion>,
}

/// What distinguishes one read of a test from another.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) mode: IoMode,
    pub(crate) freshness: Freshness,
    pub(crate) request_bytes: u64,
    pub(crate) reserved: u64,
    pub(crate) cancel: CancelToken,
}

impl Ask {
    /// Asks for the current version, with room for `len` bytes.
    pub(crate) fn new(mode: IoMode, len: u64) -> Self {
        Self {
            mode,
            freshness: Freshness::Current,
            request_bytes: len,
            reserved: Read::reserve_for(len),
            cancel: CancelToken::new(),
        }
    }

    pub(crate) fn pinned(mode: IoMode, len: u64, answer: &ReadAnswer) -> Self {
        let freshness = Freshness::Pinned(answer.identity.clone());
        Self { freshness, ..Self::new(mode, len) }
    }
}

impl Bench {
    pub(crate) fn new(folder: &Folder, choice: EngineChoice) -> Self {
        Self::with_config(folder, choice, LocalConfig::default())
    }

    pub(crate) fn with_config(folder: &Folder, choice: EngineChoice, config: LocalConfig) -> Self {
        Self::at(folder.path(), &LocalEngine::new(choice, config).unwrap())
    }

    pub(crate) fn at(root: &Path, engine: &Arc<LocalEngine>) -> Self {
        let (sender, completions) = mpsc::channel();
        let storage = LocalStorage::open(root, engine).unwrap();
        Self { storage, memory: Memory::new(BUDGET), sink: Arc::new(Sink(sender)), completions }
    }

    pub(crate) fn make(&self, tag: u64, name: &str, range: ByteRange, ask: &Ask) -> Read {
        Read {
            key: Key::new(name).unwrap(),
            range,
            freshness: ask.freshness.clone(),
            reservation: self.memory.reserve(1, ask.reserved).unwrap(),
            mode: ask.mode,
            request_bytes: ask.request_bytes,
            cancel: ask.cancel.clone(),
            tag,
            sink: Arc::clone(&self.sink),
            begun: None,
        }
    }

    pub(crate) fn completion(&self) -> Completion {
        self.completions.recv().unwrap()
    }

    /// Ends the store; what it still owes can be received afterwards.
    pub(crate) fn close(self) -> (mpsc::Receiver<Completion>, Arc<Memory>) {
        (self.completions, self.memory)
    }

    /// Submits one read and waits for its end.
    pub(crate) fn read(&self, name: &str, range: ByteRange, ask: &Ask) -> Completion {
        self.storage.submit(vec![self.make(0, name, range, ask)]);
        self.completion()
    }

    /// Reads a whole file.
    pub(crate) fn whole(&self, name: &str, ask: &Ask) -> Result<ReadAnswer, StorageError> {
        self.read(name, ByteRange::Whole, ask).result
    }
}
