//! An object store in memory that does as it is told, one step a request, and remembers what it was asked.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use lsio_io::{
    ByteRange, CancelToken, Completion, CompletionSink, Freshness, IoMode, Key, Memory, Read,
};
use lsio_object_store_bridge::{Host, HostLimits, Network, ObjectStorage, StoreStats};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, Extensions, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};

/// What becomes of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// The connection is cut before an answer begins.
    Fail,
    /// As `Fail`, and the read is cancelled.
    FailAndCancel,
    /// The connection is cut after so many bytes of the body.
    Break { after: usize },
    /// As `Break`, and the object is replaced.
    BreakAndReplace { after: usize },
    /// The body ends after so many bytes as if that were all.
    End { after: usize },
    /// The body has a byte more than was announced.
    TooMany,
    /// The answer never begins.
    Hang,
    /// As `Fail`, once so many requests were made.
    FailLate { requests: usize },
    /// The answer begins once a request has failed.
    AnswerLate,
    /// The body stops after so many bytes.
    Stall { after: usize },
    /// The object is replaced after this answer.
    Replace,
}

#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) steps: VecDeque<Step>,
    pub(crate) always: Option<Step>,
    /// Ranges at the end are not served.
    pub(crate) no_suffix: bool,
}

impl Script {
    pub(crate) fn steps(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect(), ..Self::default() }
    }

    pub(crate) fn always(step: Step) -> Self {
        Self { always: Some(step), ..Self::default() }
    }
}

/// A request that was made.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) head: bool,
    pub(crate) range: Option<GetRange>,
    pub(crate) if_match: Option<String>,
}

/// A storage over a store with one object, named `object`.
pub(crate) struct Scripted {
    pub(crate) storage: Arc<ObjectStorage>,
    store: Arc<Store>,
    host: Arc<Host>,
    network: Arc<Network>,
}

#[derive(Debug)]
struct Store {
    objects: InMemory,
    script: Mutex<Script>,
    requests: Mutex<Vec<Request>>,
    more: Condvar,
    cancels: Mutex<Option<CancelToken>>,
    has_failed: AtomicBool,
}

fn path() -> Path {
    Path::from("object")
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}

impl Scripted {
    pub(crate) fn new(bytes: &[u8], script: Script, limits: HostLimits) -> Self {
        let objects = InMemory::new();
        now(objects.put(&path(), PutPayload::from(bytes.to_vec()))).unwrap();
        let store = Arc::new(Store {
            objects,
            script: Mutex::new(script),
            requests: Mutex::default(),
            more: Condvar::new(),
            cancels: Mutex::default(),
            has_failed: AtomicBool::new(false),
        });
        let (host, network) = (Host::new(limits), Network::new());
        let storage = ObjectStorage::new("scripted", store.clone(), Path::ROOT, &host, &network);
        Self { storage: Arc::new(storage), store, host, network }
    }

    /// The same store, without listings.
    pub(crate) fn unlisted(&self) -> ObjectStorage {
        let store = self.store.clone();
        ObjectStorage::new("scripted", store, Path::ROOT, &self.host, &self.network)
            .without_listing()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.store.requests.lock().unwrap().clone()
    }

    pub(crate) fn wait_for_requests(&self, count: usize) {
        let mut requests = self.store.requests.lock().unwrap();
        while requests.len() < count {
            requests = self.store.more.wait(requests).unwrap();
        }
    }

    pub(crate) fn stats(&self) -> StoreStats {
        self.host.stats()
    }

    pub(crate) fn remove(&self) {
        now(self.store.objects.delete(&path())).unwrap();
    }

    /// What is to become of the next requests.
    pub(crate) fn then(&self, steps: impl IntoIterator<Item = Step>) {
        self.store.script.lock().unwrap().steps.extend(steps);
    }

    /// What [`Step::FailAndCancel`] cancels.
    pub(crate) fn cancels(&self, token: CancelToken) {
        *self.store.cancels.lock().unwrap() = Some(token);
    }
}

/// Hands completions to a test.
#[derive(Debug)]
pub(crate) struct Channel(pub(crate) mpsc::Sender<Completion>);

impl CompletionSink for Channel {
    fn complete(&self, completion: Completion) {
        self.0.send(completion).unwrap();
    }
}

pub(crate) fn a_read(
    memory: &Arc<Memory>,
    range: ByteRange,
    sink: Arc<dyn CompletionSink>,
) -> Read {
    Read {
        key: Key::new("object").unwrap(),
        range,
        freshness: Freshness::Current,
        reservation: memory.reserve(0, Read::reserve_for(100)).unwrap(),
        mode: IoMode::Auto,
        request_bytes: 100,
        cancel: CancelToken::new(),
        tag: 0,
        sink,
        begun: None,
    }
}

impl Store {
    fn next_step(&self) -> Option<Step> {
        let mut script = self.script.lock().unwrap();
        script.steps.pop_front().or(script.always)
    }

    async fn replace(&self) {
        let new = self.objects.get(&path()).await.unwrap().bytes().await.unwrap();
        self.objects.put(&path(), PutPayload::from_bytes(new)).await.unwrap();
    }
}

/// Waits until the condition holds.
async fn holds(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

fn cut() -> Error {
    let source = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "the connection was cut");
    let source = Box::new(HttpError::new(HttpErrorKind::Interrupted, source));
    Error::Generic { store: "scripted", source }
}

/// The body in frames of at most 7,000 bytes, and then `end`.
fn body(bytes: &Bytes, end: Option<Result<Bytes>>) -> BoxStream<'static, Result<Bytes>> {
    let frames: Vec<_> = (0..bytes.len())
        .step_by(7000)
        .map(|start| Ok(bytes.slice(start..bytes.len().min(start + 7000))))
        .collect();
    stream::iter(frames.into_iter().chain(end)).boxed()
}

#[async_trait]
impl ObjectStore for Store {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (head, range) = (options.head, options.range.clone());
        let request = Request { head, range: range.clone(), if_match: options.if_match.clone() };
        self.requests.lock().unwrap().push(request);
        self.more.notify_all();
        if self.script.lock().unwrap().no_suffix && matches!(range, Some(GetRange::Suffix(_))) {
            return Err(Error::NotSupported { source: "no suffixes".into() });
        }
        let step = if head { None } else { self.next_step() };
        match step {
            Some(Step::Fail) => return Err(cut()),
            Some(Step::FailAndCancel) => {
                self.cancels.lock().unwrap().as_ref().unwrap().cancel();
                return Err(cut());
            }
            Some(Step::Hang) => std::future::pending().await,
            Some(Step::FailLate { requests }) => {
                holds(|| self.requests.lock().unwrap().len() >= requests).await;
                self.has_failed.store(true, Ordering::SeqCst);
                return Err(cut());
            }
            Some(Step::AnswerLate) => holds(|| self.has_failed.load(Ordering::SeqCst)).await,
            _ => {}
        }
        let mut result = self.objects.get_opts(location, options).await?;
        if head {
            return Ok(result);
        }
        let (meta, range) = (result.meta.clone(), result.range.clone());
        let attributes = std::mem::take(&mut result.attributes);
        let bytes = result.bytes().await?;
        let first = |after: usize| bytes.slice(..after.min(bytes.len()));
        let stream = match step {
            Some(Step::Break { after }) => body(&first(after), Some(Err(cut()))),
            Some(Step::BreakAndReplace { after }) => {
                self.replace().await;
                body(&first(after), Some(Err(cut())))
            }
            Some(Step::End { after }) => body(&first(after), None),
            Some(Step::TooMany) => body(&bytes, Some(Ok(Bytes::from_static(b"x")))),
            Some(Step::Stall { after }) => {
                body(&first(after), None).chain(stream::pending()).boxed()
            }
            Some(Step::Replace) => {
                self.replace().await;
                body(&bytes, None)
            }
            _ => body(&bytes, None),
        };
        let payload = GetResultPayload::Stream(stream);
        Ok(GetResult { payload, meta, range, attributes, extensions: Extensions::default() })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        unreachable!("nothing is written")
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        unreachable!("nothing is written")
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        unreachable!("nothing is removed")
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        unreachable!("listings are by directory")
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        unreachable!("nothing is copied")
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scripted")
    }
}
