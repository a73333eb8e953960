//! One range of one object by as many requests as it takes: each goes on where the one before it broke.

use std::future::poll_fn;
use std::ops::Range;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::BoxStream;
use lsio_io::{CancelToken, Identity, Lease};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ListResult, ObjectStore};
use tokio::time::{Instant as TokioInstant, sleep, timeout, timeout_at};

use crate::asked::Asked;
use crate::failure::Failure;
use crate::host::{Host, Permit, Task};
use crate::look::Looks;
use crate::retry::{self, Failed};
use crate::turn::Place;
use crate::version::{Version, if_match};

/// How soon a read that waits for the host is known to be cancelled. A look costs some microseconds, and of hundreds of
/// reads under way each looks twenty times a second.
const CANCEL_LOOK: Duration = Duration::from_millis(50);

/// The object that is read, and who reads it.
#[derive(Debug)]
pub(crate) struct Fetch {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) looks: Arc<Looks>,
    /// Whether it is a plain web server.
    pub(crate) is_plain: bool,
    pub(crate) host: Arc<Host>,
    pub(crate) path: Path,
    pub(crate) cancel: CancelToken,
    /// Number of the read, by which its requests find their place.
    pub(crate) read: u64,
    /// When the first request was made.
    pub(crate) began: OnceLock<Instant>,
    /// What was asked of the store for the read.
    pub(crate) asked: Asked,
    pub(crate) _task: Task,
}

/// A part of what a read wants, and how often it was tried.
#[derive(Debug)]
pub(crate) struct Part {
    number: u32,
    /// `None`: the whole object.
    range: Option<GetRange>,
    /// Bytes that it is expected to bring.
    bytes: u64,
    attempts: u32,
    began: Instant,
}

/// An answer that has begun.
pub(crate) struct Opened {
    pub(crate) version: Version,
    /// The bytes of the object that it brings.
    pub(crate) range: Range<u64>,
    body: BoxStream<'static, object_store::Result<Bytes>>,
    permit: Permit,
}

/// A request that may be made now.
pub(crate) struct Turn {
    pub(crate) permit: Permit,
    pub(crate) began: Instant,
}

impl Turn {
    /// The request failed.
    pub(crate) fn failed(&mut self, error: object_store::Error) -> Failure {
        let failure = Failure::from(error);
        match failure {
            Failure::Throttled { .. } => self.permit.throttled(),
            Failure::Passing { unreached: true, .. } => {}
            _ => self.permit.refused(),
        }
        failure
    }
}

/// A leased buffer that the parts of a read fill.
#[derive(Debug)]
pub(crate) struct Buffer(Mutex<Lease>);

impl Buffer {
    pub(crate) fn new(lease: Lease) -> Self {
        Self(Mutex::new(lease))
    }

    pub(crate) fn into_lease(self) -> Lease {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes at `offset`. `false`: there is no room.
    fn write(&self, offset: usize, bytes: &[u8]) -> bool {
        let mut lease = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = lease.get_mut(offset..).and_then(|room| room.get_mut(..bytes.len()));
        room.map(|room| room.copy_from_slice(bytes)).is_some()
    }
}

impl Part {
    pub(crate) fn new(number: u32, range: Option<GetRange>, bytes: u64) -> Self {
        Self { number, range, bytes, attempts: 0, began: Instant::now() }
    }

    pub(crate) fn is_ranged(&self) -> bool {
        self.range.is_some()
    }

    pub(crate) fn expected_bytes(&self) -> u64 {
        self.bytes
    }
}

impl Fetch {
    /// Time since the first request was made.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// Asks for a part of the object, until an answer begins.
    pub(crate) async fn open(
        &self,
        part: &mut Part,
        accepted: Option<&Identity>,
    ) -> Result<Opened, Failure> {
        let options = GetOptions::new().with_range(part.range.clone());
        self.open_with(part, options, accepted).await
    }

    /// As [`open`](Self::open), with what is asked for in `options` whatever the part is.
    pub(crate) async fn open_with(
        &self,
        part: &mut Part,
        options: GetOptions,
        accepted: Option<&Identity>,
    ) -> Result<Opened, Failure> {
        let options = options.with_if_match(accepted.and_then(if_match));
        loop {
            let failure = match self.attempt(part, options.clone()).await {
                Ok(opened) if accepted.is_some_and(|it| opened.version.identity != *it) => {
                    return Err(Failure::Changed);
                }
                Ok(opened) => return Ok(opened),
                Err(failure) => failure,
            };
            self.pause(part, failure).await?;
        }
    }

    async fn attempt(&self, part: &mut Part, options: GetOptions) -> Result<Opened, Failure> {
        let turn = self.turn(part).await?;
        let limit = self.host.retry.progress;
        let (mut turn, result) = match timeout(limit, self.head(turn, part.bytes, options)).await {
            Ok(head) => head?,
            Err(_) => return Err(no_answer(limit)),
        };
        let answered = result.extensions.get().filter(|_| self.is_plain).copied();
        let (version, range) = (Version::of(&result.meta, answered), result.range.clone());
        let len = range.end.saturating_sub(range.start);
        turn.permit.answered(turn.began.elapsed(), len);
        Ok(Opened { version, range, body: result.into_stream(), permit: turn.permit })
    }

    /// Waits until a request may be made.
    async fn turn(&self, part: &mut Part) -> Result<Turn, Failure> {
        let place = Place { read: self.read, part: part.number };
        let permit = self.host.turn(place, part.bytes).await;
        let gone = || Failure::Lasting { text: "the engine is shutting down".to_owned() };
        let permit = permit.ok_or_else(gone)?;
        let began = Instant::now();
        if part.attempts == 0 {
            part.began = began;
        }
        self.began.get_or_init(|| began);
        part.attempts += 1;
        self.host.asks(part.attempts > 1);
        self.asked.request(part.attempts > 1);
        Ok(Turn { permit, began })
    }

    /// What is directly below the path.
    pub(crate) async fn list(&self) -> Result<ListResult, Failure> {
        let mut part = Part::new(0, None, 0);
        let prefix = (!self.path.is_root()).then_some(&self.path);
        // A listing of many pages is one call, of which only the end is seen.
        let limit = self.host.retry.deadline;
        loop {
            let mut turn = self.turn(&mut part).await?;
            let failure = match timeout(limit, self.store.list_with_delimiter(prefix)).await {
                Ok(Ok(listed)) => {
                    turn.permit.answered(turn.began.elapsed(), 0);
                    return Ok(listed);
                }
                // There is no other object that could be missing.
                Ok(Err(error)) => match turn.failed(error) {
                    Failure::Missing => Failure::NoStore,
                    failure => failure,
                },
                Err(_) => no_answer(limit),
            };
            drop(turn);
            self.pause(&part, failure).await?;
        }
    }

    /// Waits before the next attempt, if there is to be one.
    async fn pause(&self, part: &Part, failure: Failure) -> Result<(), Failure> {
        if !failure.may_pass() {
            return Err(failure);
        }
        let asked = match failure {
            Failure::Throttled { asked, .. } => asked,
            _ => None,
        };
        let unreached = matches!(failure, Failure::Passing { unreached: true, .. });
        let failed = Failed {
            attempts: part.attempts,
            elapsed: part.began.elapsed(),
            asked,
            unknown_host: unreached && !self.host.has_answered(),
        };
        let Some(wait) = retry::wait(&self.host.retry, failed, self.host.random()) else {
            return Err(failure.after(part.attempts));
        };
        sleep(wait).await;
        Ok(())
    }

    /// What `work` comes to, unless the read is cancelled before: then `work` is dropped, whatever it waits for. Over
    /// HTTP/1 a request that is dropped closes its connection, so that nothing more of its answer arrives.
    pub(crate) async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        // Looked at first, so that what is cancelled begins nothing more.
        match select(pin!(self.cancelled()), pin!(work)).await {
            Either::Left(((), _)) => Err(Failure::Cancelled),
            Either::Right((result, _)) => result,
        }
    }

    /// Waits until the read is cancelled. It looks whenever it is polled.
    async fn cancelled(&self) {
        let mut look = pin!(sleep(CANCEL_LOOK));
        poll_fn(|context| {
            loop {
                if self.cancel.is_cancelled() {
                    return Poll::Ready(());
                }
                ready!(look.as_mut().poll(context));
                look.as_mut().reset(TokioInstant::now() + CANCEL_LOOK);
            }
        })
        .await;
    }

    /// Writes all bytes of an answer to `buffer` from `offset`. One that breaks is gone on with by further requests
    /// for the same version.
    pub(crate) async fn pour(
        &self,
        part: &mut Part,
        opened: Opened,
        buffer: &Buffer,
        offset: usize,
    ) -> Result<Version, Failure> {
        let (version, range) = (opened.version.clone(), opened.range.clone());
        let mut opened = Some(opened);
        let mut got = 0;
        loop {
            let answer = if let Some(answer) = opened.take() {
                answer
            } else {
                let answer = self.reopen(part, &version, &range, &mut got).await;
                let answer = answer.map_err(Failure::of_known_length)?;
                let wanted = range.start + got..range.end;
                if answer.version != version || answer.range != wanted {
                    return Err(Failure::Changed);
                }
                answer
            };
            match self.drain(answer, buffer, offset, &mut got, range.end - range.start).await {
                Ok(()) => return Ok(version),
                Err(failure) => self.pause(part, failure).await?,
            }
        }
    }

    /// Asks for what is missing of a range. Where ranges are not served, everything is read again.
    async fn reopen(
        &self,
        part: &mut Part,
        version: &Version,
        range: &Range<u64>,
        got: &mut u64,
    ) -> Result<Opened, Failure> {
        let was_whole = part.range.is_none();
        if was_whole && *got == 0 {
            return self.open(part, Some(&version.identity)).await;
        }
        part.range = Some(GetRange::Bounded(range.start + *got..range.end));
        part.bytes = range.end - range.start - *got;
        match self.open(part, Some(&version.identity)).await {
            Err(Failure::NoRanges { .. }) if was_whole => {
                (*got, part.range) = (0, None);
                self.open(part, Some(&version.identity)).await
            }
            answer => answer,
        }
    }

    async fn drain(
        &self,
        // The body is dropped first: as long as it is there, its connection is in use.
        Opened { mut permit, mut body, .. }: Opened,
        buffer: &Buffer,
        offset: usize,
        got: &mut u64,
        len: u64,
    ) -> Result<(), Failure> {
        let retry = &self.host.retry;
        let mut look = TokioInstant::now() + retry.progress;
        let mut since = 0;
        while *got < len {
            match timeout_at(look, body.next()).await {
                Ok(Some(Ok(bytes))) => {
                    let more = bytes.len() as u64;
                    if more > len - *got || !buffer.write(offset + *got as usize, &bytes) {
                        return Err(Failure::Lasting { text: too_long(len) });
                    }
                    permit.brought(more);
                    *got += more;
                    since += more;
                }
                Ok(Some(Err(error))) => {
                    return Err(match Failure::from(error) {
                        failure if failure.may_pass() => failure,
                        Failure::Lasting { text } => Failure::passing(text),
                        failure => failure,
                    });
                }
                Ok(None) => {
                    let text = format!("the answer ended after {got} of {len} bytes");
                    return Err(Failure::passing(text));
                }
                Err(_) if since < retry.least_progress() => {
                    let ms = retry.progress.as_millis();
                    let text = format!("the answer brought only {since} bytes in {ms} ms");
                    return Err(Failure::passing(text));
                }
                Err(_) => {
                    look += retry.progress;
                    since = 0;
                }
            }
        }
        // The end of the body is taken too, so that its connection can be used again.
        match timeout_at(look, body.next()).await {
            Ok(Some(Ok(more))) if !more.is_empty() => Err(Failure::Lasting { text: too_long(len) }),
            _ => Ok(()),
        }
    }
}

fn too_long(len: u64) -> String {
    format!("the answer has more than the {len} bytes that it says")
}

fn no_answer(limit: Duration) -> Failure {
    Failure::passing(format!("no answer within {} ms", limit.as_millis()))
}
