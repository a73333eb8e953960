//! The pieces of one read with `O_DIRECT`: what each answer of the kernel means, and the end of the read
//! when its last piece ends.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use lsio_io::{Lease, Route, StorageError};

use crate::buffered::is_temporary;
use crate::job_queue::{Job, JobQueue};
use crate::locking::lock;
use crate::open_file::{self, Alignment, OpenFile};
use crate::owed_read::{Bounds, OwedRead, Window};
use crate::stats::Counters;
use crate::unsafe_lease_parts::LeasePart;

/// A read with `O_DIRECT` under way, shared by its pieces. The last piece answers it.
#[derive(Debug)]
pub(crate) struct Transfer {
    read: Mutex<Option<OwedRead>>,
    pub(crate) file: Arc<OpenFile>,
    bounds: Bounds,
    /// Bytes before the wanted ones in the buffer.
    head: usize,
    /// Alignment of offsets, in bytes.
    alignment: u64,
    /// Number of pieces, and how many of them have all their bytes.
    pieces: usize,
    complete: AtomicUsize,
    begun: AtomicBool,
    started: OnceLock<Instant>,
    outcome: Mutex<Outcome>,
}

#[derive(Debug, Default)]
struct Outcome {
    failure: Option<Failure>,
    cut_short: bool,
}

#[derive(Debug)]
enum Failure {
    /// The file system does not do this with `O_DIRECT`.
    Refused,
    /// The file ended before the range did.
    Ended,
    Failed(io::Error),
    /// Not started any more.
    Withdrawn(StorageError),
}

/// One request of a direct read.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Where the bytes go.
    pub(crate) part: LeasePart,
    pub(crate) transfer: Arc<Transfer>,
    /// Offset of the part's first byte in the file.
    offset: u64,
    /// Bytes of the part that the file has; the last block of a file may be incomplete.
    wanted: usize,
}

/// What is to be done after an answer of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask for the rest.
    Again,
    /// Call [`Piece::end`].
    End,
}

/// A direct read that has to be done through the page cache, into the buffer that it has already.
#[derive(Debug)]
pub(crate) struct Refill {
    pub(crate) read: OwedRead,
    pub(crate) file: Arc<OpenFile>,
    pub(crate) bounds: Bounds,
    pub(crate) window: Window,
}

impl Transfer {
    /// The pieces that fill `parts`, which lie one behind the other from `head` bytes before `bounds`.
    pub(crate) fn pieces(
        read: OwedRead,
        file: Arc<OpenFile>,
        bounds: Bounds,
        head: usize,
        alignment: Alignment,
        parts: Vec<LeasePart>,
    ) -> Vec<Piece> {
        let is_aligned = parts.iter().all(|part| part.is_aligned_to(alignment.memory));
        let file_len = file.len();
        let transfer = Arc::new(Self {
            read: Mutex::new(Some(read)),
            file,
            bounds,
            head,
            alignment: alignment.offset,
            pieces: parts.len(),
            complete: AtomicUsize::new(0),
            begun: AtomicBool::new(false),
            started: OnceLock::new(),
            outcome: Mutex::default(),
        });
        if !is_aligned {
            transfer.fail(Failure::Refused);
        }
        let mut offset = bounds.offset - head as u64;
        let mut pieces = Vec::with_capacity(parts.len());
        for part in parts {
            let len = part.len() as u64;
            let wanted = file_len.saturating_sub(offset).min(len) as usize;
            pieces.push(Piece { part, transfer: Arc::clone(&transfer), offset, wanted });
            offset += len;
        }
        pieces
    }

    /// The read needs the page cache after all.
    pub(crate) fn refuse(&self) {
        self.fail(Failure::Refused);
    }

    /// Answers the read at once, although the kernel may still write to its buffer: `error` is why it
    /// cannot be asked any more. Whoever calls this never lets go of the pieces that are on their way.
    pub(crate) fn abandon(&self, error: &io::Error) {
        if let Some(read) = lock(&self.read).take() {
            let error = read.failed(io::Error::new(error.kind(), error.to_string()));
            read.answer(Err(error), Duration::ZERO);
        }
    }

    fn fail(&self, failure: Failure) {
        lock(&self.outcome).failure.get_or_insert(failure);
    }

    /// Answers the read, whose buffer all pieces have let go of.
    fn conclude(&self, lease: Lease, counters: &Counters, queue: &JobQueue) {
        let Some(mut read) = lock(&self.read).take() else { return };
        let elapsed = self.started.get().map_or(Duration::ZERO, Instant::elapsed);
        let outcome = std::mem::take(&mut *lock(&self.outcome));
        let over_read = (lease.len() - self.bounds.len) as u64;
        let window = Window { lease, head: self.head, len: self.bounds.len };
        let failure = match outcome.failure {
            // A piece was dropped on the way: its queue was closed.
            None if self.complete.load(Ordering::Acquire) < self.pieces => read.root.closed(),
            None => {
                counters.over_read_bytes.add(over_read);
                let result = read.judge(&self.file, window, outcome.cut_short);
                return read.answer(result, elapsed);
            }
            Some(Failure::Refused) => {
                self.file.refuse_direct(counters);
                read.route = Route::Buffered;
                let (file, bounds) = (Arc::clone(&self.file), self.bounds);
                return queue.push(Job::Refill(Refill { read, file, bounds, window }));
            }
            Some(Failure::Ended) => read.truncated(&self.file, self.bounds),
            Some(Failure::Failed(error)) => read.failed(error),
            Some(Failure::Withdrawn(error)) => error,
        };
        // Memory comes back before the answer goes out.
        drop(window);
        read.answer(Err(failure), elapsed);
    }
}

impl Piece {
    /// Whether the piece is to be read. If not, [`Piece::end`] it at once.
    ///
    /// A read is withdrawn before its first piece only: once the kernel has a part of it, it finishes.
    pub(crate) fn begin(&self, closing: &AtomicBool) -> bool {
        let transfer = &self.transfer;
        if !transfer.begun.swap(true, Ordering::AcqRel) {
            let refusal = lock(&transfer.read).as_ref().and_then(|read| {
                let closed = closing.load(Ordering::Acquire).then(|| read.root.closed());
                closed.or_else(|| read.refusal())
            });
            if let Some(refusal) = refusal {
                transfer.fail(Failure::Withdrawn(refusal));
            }
        }
        transfer.started.get_or_init(Instant::now);
        lock(&transfer.outcome).failure.is_none()
    }

    /// Offset in the file of the first byte that is not there yet.
    pub(crate) fn position(&self) -> u64 {
        self.offset + self.part.filled() as u64
    }

    /// Takes note of the kernel's answer to a read at [`Piece::position`].
    pub(crate) fn note(&mut self, answer: io::Result<usize>, counters: &Counters) -> Next {
        match answer {
            Ok(0) if self.part.filled() < self.wanted => self.transfer.fail(Failure::Ended),
            Ok(read) => {
                self.part.advance(read);
                if self.part.filled() < self.wanted {
                    counters.short_reads.add(1);
                    lock(&self.transfer.outcome).cut_short = true;
                    if (self.part.filled() as u64).is_multiple_of(self.transfer.alignment) {
                        return Next::Again;
                    }
                    // The rest does not start at a block: let the page cache sort it out.
                    self.transfer.fail(Failure::Refused);
                }
            }
            Err(error) if is_temporary(&error) => {
                counters.retries.add(1);
                return Next::Again;
            }
            Err(error) if open_file::refuses_direct(&error) => self.transfer.fail(Failure::Refused),
            Err(error) => self.transfer.fail(Failure::Failed(error)),
        }
        Next::End
    }

    /// Ends this piece; the last one of its read answers it.
    pub(crate) fn end(self, counters: &Counters, queue: &JobQueue) {
        let Self { part, transfer, wanted, .. } = self;
        if part.filled() >= wanted {
            transfer.complete.fetch_add(1, Ordering::AcqRel);
        }
        if let Some(lease) = part.finish() {
            transfer.conclude(lease, counters, queue);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::path::PathBuf;
    use std::sync::mpsc;

    use lsio_io::{
        ByteRange, CancelToken, Completion, CompletionSink, Freshness, IoMode, Key, Memory, Read,
    };

    use super::*;
    use crate::reader::Reader;
    use crate::root::Root;
    use crate::{EngineChoice, LocalConfig, buffered, direct};

    #[derive(Debug)]
    struct Sink(mpsc::Sender<Completion>);

    impl CompletionSink for Sink {
        fn complete(&self, completion: Completion) {
            self.0.send(completion).unwrap();
        }
    }

    /// A file of three pieces, and the pieces of a read of nearly all of it.
    struct Case {
        folder: PathBuf,
        bytes: Vec<u8>,
        memory: Arc<Memory>,
        reader: Reader,
        pieces: Vec<Piece>,
        completions: mpsc::Receiver<Completion>,
    }

    impl Case {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("lsio-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            let bytes: Vec<u8> = (0..(2_u32 << 20) + 777).map(|i| (i % 251) as u8).collect();
            std::fs::write(folder.join("data"), &bytes).unwrap();
            let reader = Reader::new(EngineChoice::Pread, &LocalConfig::default());
            let memory = Memory::new(64 << 20);
            let len = bytes.len() as u64 - 100;
            let (sender, completions) = mpsc::channel();
            let read = Read {
                key: Key::new("data").unwrap(),
                range: ByteRange::Bounded { offset: 100, len },
                freshness: Freshness::Current,
                reservation: memory.reserve(1, Read::reserve_for(len)).unwrap(),
                mode: IoMode::Direct,
                request_bytes: len,
                cancel: CancelToken::new(),
                tag: 0,
                sink: Arc::new(Sink(sender)),
                begun: None,
            };
            let root = Arc::new(Root::new(&folder).unwrap());
            let counters = Arc::clone(&reader.counters);
            let read = OwedRead::new(read, root, counters, Route::PreadDirect);
            let pieces = direct::begin(&reader, read).unwrap();
            assert_eq!(pieces.len(), 3);
            Self { folder, bytes, memory, reader, pieces, completions }
        }

        /// Serves the pieces that are left and whatever they leave behind; returns the answer.
        fn finish(mut self) -> Completion {
            for piece in std::mem::take(&mut self.pieces) {
                direct::read_piece(&self.reader, piece);
            }
            let completion = self.completions.try_recv().unwrap_or_else(|_| {
                match self.reader.queue.next().and_then(|mut turn| turn.take()) {
                    Some(Job::Refill(refill)) => buffered::refill(&self.reader, refill),
                    other => panic!("{other:?}"),
                }
                self.completions.recv().unwrap()
            });
            if let Ok(answer) = &completion.result {
                assert!(answer.bytes[..] == self.bytes[100..]);
            }
            std::fs::remove_dir_all(&self.folder).unwrap();
            completion
        }
    }

    fn os_error(number: i32) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(number))
    }

    #[test]
    fn a_file_system_that_refuses_is_read_through_the_page_cache() {
        let mut case = Case::new("refused");
        let mut piece = case.pieces.remove(1);
        assert!(piece.begin(&case.reader.closing));
        assert_eq!(piece.note(os_error(libc::EINVAL), &case.reader.counters), Next::End);
        piece.end(&case.reader.counters, &case.reader.queue);
        let counters = Arc::clone(&case.reader.counters);
        let completion = case.finish();
        assert_eq!(completion.route, Route::Buffered);
        assert!(completion.result.is_ok());
        assert_eq!(counters.snapshot().direct_fallbacks, 1);
    }

    #[test]
    fn short_and_interrupted_answers_are_continued() {
        let mut case = Case::new("short");
        let counters = Arc::clone(&case.reader.counters);
        let piece = &mut case.pieces[0];
        for number in [libc::EINTR, libc::EAGAIN] {
            assert_eq!(piece.note(os_error(number), &counters), Next::Again);
        }
        piece.part.unfilled()[..4096].copy_from_slice(&case.bytes[..4096]);
        assert_eq!(piece.note(Ok(4096), &counters), Next::Again);
        assert_eq!(piece.position(), 4096);
        let completion = case.finish();
        assert_eq!(completion.route, Route::PreadDirect);
        assert!(completion.result.is_ok());
        let stats = counters.snapshot();
        assert_eq!((stats.retries, stats.short_reads), (2, 1));
    }

    #[test]
    fn an_answer_that_ends_inside_a_block_is_sorted_out_by_the_page_cache() {
        let mut case = Case::new("inside");
        assert_eq!(case.pieces[0].note(Ok(1000), &case.reader.counters), Next::End);
        let completion = case.finish();
        assert_eq!(completion.route, Route::Buffered);
        assert!(completion.result.is_ok());
    }

    #[test]
    fn a_piece_that_got_lost_is_never_taken_for_read() {
        let mut case = Case::new("lost");
        drop(case.pieces.remove(2));
        let memory = Arc::clone(&case.memory);
        let error = case.finish().result.unwrap_err();
        assert!(matches!(error, StorageError::Closed { .. }), "{error:?}");
        assert_eq!(memory.usage().reserved, 0);
    }

    #[test]
    fn a_fault_of_one_piece_fails_the_read_and_spares_the_others() {
        let mut case = Case::new("fault");
        let mut piece = case.pieces.remove(0);
        assert_eq!(piece.note(os_error(libc::EIO), &case.reader.counters), Next::End);
        piece.end(&case.reader.counters, &case.reader.queue);
        assert!(!case.pieces[0].begin(&case.reader.closing));
        let error = case.finish().result.unwrap_err();
        assert!(matches!(error, StorageError::Io { .. }), "{error:?}");
    }

    #[test]
    fn a_read_that_a_broken_ring_leaves_behind_is_answered_once() {
        let mut case = Case::new("broken");
        let transfer = Arc::clone(&case.pieces[0].transfer);
        transfer.abandon(&io::Error::other("the ring is broken"));
        transfer.abandon(&io::Error::other("the ring is broken"));
        drop(transfer);
        for piece in case.pieces.drain(..) {
            direct::read_piece(&case.reader, piece);
        }
        let completion = case.completions.recv().unwrap();
        let error = completion.result.unwrap_err();
        assert!(matches!(error, StorageError::Io { .. }), "{error:?}");
        assert!(case.completions.try_recv().is_err());
        std::fs::remove_dir_all(&case.folder).unwrap();
    }
}
