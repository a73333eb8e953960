//! One read of a member, as the reads of the archive that it takes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use lsio_io::{
    ByteRange, Completion, CompletionSink, Freshness, Key, Memory, Read, ReadAnswer, Requests,
    Route, SharedBytes, StorageError, class_size,
};

use crate::central_directory::Method;
use crate::directory::{Directory, Member};
use crate::inflate::{Expected, inflate, verify_stored};
use crate::local_header::LOCAL_HEADER_LEN;

/// A read of a member that has begun.
#[derive(Debug)]
pub(crate) struct MemberRead {
    read: Read,
    directory: Arc<Directory>,
    target: Target,
    /// What the archive is asked for. Others may learn where a member lies meanwhile.
    stage: Stage,
    elapsed: Duration,
    requests: Requests,
    route: Route,
    /// Whether the archive was found changed once already.
    is_second: bool,
}

/// What is wanted.
#[derive(Debug, Clone, Copy)]
enum Target {
    /// There is no such member, if the archive is still this version.
    Absent,
    /// These bytes of the member with this number.
    Member { number: usize, offset: u64, len: u64 },
}

/// What a read of a member needs next of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its version only.
    Version,
    /// The local header of the member.
    Header,
    /// The wanted bytes, from here on.
    Stored(u64),
    /// All bytes of a deflated member, from here on.
    Deflated(u64),
}

/// What came of a step.
#[derive(Debug)]
pub(crate) enum Next {
    /// The archive must be asked again.
    Ask(MemberRead),
    /// All bytes are here and must be inflated.
    Inflate(MemberRead, SharedBytes),
    /// The archive is another one than that of the directory.
    Changed(MemberRead),
    /// The end.
    Done(MemberRead, Result<ReadAnswer, StorageError>),
}

impl MemberRead {
    /// Begins a read; one that begins again tells what was asked `before`.
    pub(crate) fn begin(read: Read, directory: Arc<Directory>, before: Option<Requests>) -> Next {
        let target = Target::Absent;
        let (elapsed, route) = (Duration::ZERO, Route::Buffered);
        let stage = Stage::Version;
        let (requests, is_second) = (before.unwrap_or_default(), before.is_some());
        let mut begun =
            Self { read, directory, target, stage, elapsed, requests, route, is_second };
        match begun.find() {
            Ok(target) => {
                begun.target = target;
                begun.next()
            }
            Err(error) => Next::Done(begun, Err(error)),
        }
    }

    fn find(&self) -> Result<Target, StorageError> {
        let key = &self.read.key;
        if self.is_cancelled() {
            return Err(self.cancelled());
        }
        if let Freshness::Pinned(identity) = &self.read.freshness
            && *identity != self.directory.identity
        {
            return Err(StorageError::Conflict { key: key.clone() });
        }
        let Some(number) = self.directory.find(key) else { return Ok(Target::Absent) };
        let member = self.directory.member(number);
        if member.method == Method::Other {
            return Err(StorageError::Unsupported {
                location: format!("the archive of '{key}'"),
                operation: "members that are encrypted, or compressed by another method than deflate",
            });
        }
        let (offset, len) = self.read.range.resolve(key, member.len)?;
        Ok(Target::Member { number, offset, len })
    }

    /// Decides what the archive is asked for next.
    fn next(mut self) -> Next {
        self.stage = self.next_stage();
        Next::Ask(self)
    }

    fn next_stage(&self) -> Stage {
        let Target::Member { number, offset, len } = self.target else { return Stage::Version };
        let member = self.directory.member(number);
        match (member.data(), member.method) {
            _ if len == 0 => Stage::Version,
            // All of it would be read for nothing.
            (_, Method::Deflated) if class_size(len) > self.read.reservation.bytes() => {
                Stage::Version
            }
            (None, _) => Stage::Header,
            (Some(data), Method::Deflated) => Stage::Deflated(data),
            (Some(data), _) => Stage::Stored(data + offset),
        }
    }

    fn member(&self) -> Option<&Member> {
        match self.target {
            Target::Absent => None,
            Target::Member { number, .. } => Some(self.directory.member(number)),
        }
    }

    /// Memory that the next read of the archive takes beside the budget, if that is for a whole member.
    pub(crate) fn deflated_bytes(&self) -> Option<u64> {
        let is_whole = matches!(self.stage, Stage::Deflated(_));
        self.member().filter(|_| is_whole).map(|member| Read::reserve_for(member.stored_len))
    }

    /// The next read of the archive, whose completion goes to `sink`.
    pub(crate) fn ask(
        &mut self,
        archive: &Key,
        memory: &Arc<Memory>,
        sink: Arc<dyn CompletionSink>,
    ) -> Read {
        let stage = self.stage;
        let (offset, len) = match (stage, self.target) {
            (Stage::Version, _) | (_, Target::Absent) => (0, 0),
            (Stage::Header, Target::Member { number, .. }) => {
                (self.directory.member(number).header, LOCAL_HEADER_LEN)
            }
            (Stage::Stored(start), Target::Member { len, .. }) => (start, len),
            (Stage::Deflated(start), Target::Member { number, .. }) => {
                (start, self.directory.member(number).stored_len)
            }
        };
        let is_own = matches!(stage, Stage::Stored(_));
        Read {
            key: archive.clone(),
            range: ByteRange::Bounded { offset, len },
            freshness: self.read.freshness.clone(),
            // What is not the member itself comes beside the budget of the read, which is for that.
            reservation: if is_own {
                self.read.reservation.take(u64::MAX)
            } else {
                memory.reserve_unwaited(Read::reserve_for(len))
            },
            mode: self.read.mode,
            request_bytes: self.read.request_bytes,
            cancel: self.read.cancel.clone(),
            tag: self.read.tag,
            sink,
            begun: self.read.begun.take().filter(|_| is_own),
        }
    }

    /// The read as it was before [`ask`](Self::ask), which was not served.
    pub(crate) fn unserved(mut self, asked: Read) -> Read {
        if matches!(self.stage, Stage::Stored(_)) {
            self.read.reservation = asked.reservation;
            self.read.begun = asked.begun;
        }
        self.read
    }

    /// The archive's answer to what was asked.
    pub(crate) fn answered(mut self, completion: Completion) -> Next {
        let Completion { result, route, elapsed, requests, .. } = completion;
        self.elapsed += elapsed;
        self.requests += requests;
        self.route = route;
        let answer = match result {
            Ok(answer) if answer.identity == self.directory.identity => answer,
            Ok(_) | Err(StorageError::Conflict { .. }) => return Next::Changed(self),
            Err(error) => {
                let error = self.of_member(error);
                return Next::Done(self, Err(error));
            }
        };
        let Target::Member { len, .. } = self.target else {
            let error = StorageError::NotFound { key: self.read.key.clone() };
            return Next::Done(self, Err(error));
        };
        match self.stage {
            Stage::Version => {
                let result = self.read.lease(len).map(|lease| self.answer(lease.freeze()));
                Next::Done(self, result)
            }
            Stage::Header => {
                if self.member().is_some_and(|member| member.learn(&answer.bytes)) {
                    return self.next();
                }
                let error = self.failed("read", "its local header is damaged");
                Next::Done(self, Err(error))
            }
            Stage::Stored(_) => {
                let whole = self.member().filter(|member| member.len == len);
                let verified =
                    whole.map_or(Ok(()), |member| verify_stored(&answer.bytes, member.crc));
                let result = match verified {
                    Ok(()) => Ok(self.answer(answer.bytes)),
                    Err(reason) => Err(self.failed("read", reason)),
                };
                Next::Done(self, result)
            }
            Stage::Deflated(_) => Next::Inflate(self, answer.bytes),
        }
    }

    /// Inflates the member, all of whose bytes are here.
    pub(crate) fn inflate(&mut self, deflated: &SharedBytes) -> Result<ReadAnswer, StorageError> {
        let Target::Member { number, offset, len } = self.target else {
            return Err(StorageError::NotFound { key: self.read.key.clone() });
        };
        let mut lease = self.read.lease(len)?;
        let member = self.directory.member(number);
        let expected = Expected { len: member.len, crc: member.crc };
        inflate(deflated, expected, offset..offset + len, &mut lease)
            .map_err(|reason| self.failed("inflate", reason))?;
        Ok(self.answer(lease.freeze()))
    }

    /// The member.
    pub(crate) fn key(&self) -> &Key {
        &self.read.key
    }

    /// The directory that it goes by.
    pub(crate) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Reads on in another directory.
    pub(crate) fn again(self, directory: Arc<Directory>, memory: &Arc<Memory>) -> Next {
        let before = Some(self.requests);
        Self::begin(self.into_read(memory), directory, before)
    }

    /// The read as it was. If what was reserved for it was spent on another version of the archive, it gets
    /// as much again, without waiting.
    pub(crate) fn into_read(mut self, memory: &Arc<Memory>) -> Read {
        if let (Stage::Stored(_), Target::Member { len, .. }) = (self.stage, self.target) {
            self.read.reservation = memory.reserve_unwaited(Read::reserve_for(len));
        }
        self.read
    }

    /// Whether it may read on in the archive as it is now, after a change.
    pub(crate) fn may_read_again(&self) -> bool {
        self.read.freshness == Freshness::Current && !self.is_second
    }

    /// Whether nobody wants it any more.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.read.cancel.is_cancelled()
    }

    /// The error that a cancelled read ends in.
    pub(crate) fn cancelled(&self) -> StorageError {
        StorageError::Cancelled { key: self.read.key.clone() }
    }

    /// The conflict that a read ends in whose version is gone.
    pub(crate) fn conflict(&self) -> StorageError {
        StorageError::Conflict { key: self.read.key.clone() }
    }

    /// What a failure of the archive is for the member.
    pub(crate) fn of_member(&self, error: StorageError) -> StorageError {
        let key = self.read.key.clone();
        match error {
            // Not the member is missing, but all of them.
            StorageError::NotFound { key: archive } => {
                let gone = io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("the archive '{archive}' is gone"),
                );
                StorageError::Io { operation: "read", key, source: Arc::new(gone) }
            }
            StorageError::Cancelled { .. } => StorageError::Cancelled { key },
            StorageError::TooLong { len, reserved, .. } => {
                StorageError::TooLong { key, len, reserved }
            }
            StorageError::Truncated { expected, actual, .. } => {
                StorageError::Truncated { key, expected, actual }
            }
            other => other,
        }
    }

    /// The end of it, as a completion.
    pub(crate) fn completion(self, result: Result<ReadAnswer, StorageError>) -> Completion {
        let Self { route, elapsed, requests, .. } = self;
        Completion { tag: self.read.tag, result, route, elapsed, requests }
    }

    /// The end of it, for its sink.
    pub(crate) fn complete(self, result: Result<ReadAnswer, StorageError>) {
        self.read.complete_after(self.requests, result, self.route, self.elapsed);
    }

    fn answer(&self, bytes: SharedBytes) -> ReadAnswer {
        let object_len = self.member().map_or(0, |member| member.len);
        ReadAnswer { bytes, object_len, identity: self.directory.identity.clone() }
    }

    fn failed(&self, operation: &'static str, reason: &'static str) -> StorageError {
        let source = Arc::new(io::Error::new(io::ErrorKind::InvalidData, reason));
        StorageError::Io { operation, key: self.read.key.clone(), source }
    }
}
