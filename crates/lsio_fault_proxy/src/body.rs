//! The body of an answer on its way to the client: counted, slowed down, cut.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::log::Entry;
use crate::suffered::Suffered;

/// The body of the upstream's answer, with what the plan does to it.
///
/// It never says how long it is: then hyper takes the `Content-Length` that the answer has, right or wrong.
#[derive(Debug)]
pub(crate) struct FaultyBody {
    upstream: Incoming,
    entry: Entry,
    /// Where the connection ends, and how.
    end: Option<(u64, End)>,
    pace: Option<Pace>,
    /// What is there to go out already.
    rest: Bytes,
    /// hyper writes out what it was given when a body has nothing more for now: once before a connection ends.
    flushed: bool,
}

#[derive(Debug)]
enum End {
    Cut,
    Reset(Arc<Notify>),
}

/// The end of a connection on purpose.
#[derive(Debug)]
pub(crate) struct CutHere;

impl std::fmt::Display for CutHere {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the plan cuts the body here")
    }
}

impl std::error::Error for CutHere {}

/// Bytes by the clock, in ten pieces a second.
#[derive(Debug)]
struct Pace {
    bytes_per_second: u64,
    next: Pin<Box<Sleep>>,
}

impl Pace {
    fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second, next: Box::pin(sleep_until(Instant::now())) }
    }

    fn piece(&self) -> u64 {
        self.bytes_per_second.div_ceil(10)
    }

    fn took(&mut self, bytes: u64) {
        let seconds = bytes as f64 / self.bytes_per_second as f64;
        let next = self.next.deadline() + Duration::from_secs_f64(seconds);
        self.next.as_mut().reset(next);
    }
}

impl FaultyBody {
    /// `reset` resets the connection of the client. `claimed` is the `Content-Length` that the answer has, if it
    /// is not the right one.
    pub(crate) fn new(
        upstream: Incoming,
        entry: Entry,
        suffered: &Suffered,
        claimed: Option<u64>,
        reset: Arc<Notify>,
    ) -> Self {
        let end = match (suffered.reset_after, suffered.cut_after, claimed) {
            (Some(after), _, _) => Some((after, End::Reset(reset))),
            (None, Some(after), _) => Some((after, End::Cut)),
            // Bytes beyond what the answer claims would be those of the next answer.
            (None, None, Some(claimed)) => Some((claimed, End::Cut)),
            (None, None, None) => None,
        };
        let pace = suffered.bytes_per_second.map(Pace::new);
        Self { upstream, entry, end, pace, rest: Bytes::new(), flushed: false }
    }

    /// Ends the connection, after one turn in which hyper writes out what it has.
    fn end_connection(
        &mut self,
        context: &Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutHere>>> {
        if !self.flushed {
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match &self.end {
            // The task of the connection ends, and this body with it.
            Some((_, End::Reset(reset))) => {
                reset.notify_one();
                Poll::Pending
            }
            _ => Poll::Ready(Some(Err(CutHere))),
        }
    }
}

impl Body for FaultyBody {
    type Data = Bytes;
    type Error = CutHere;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutHere>>> {
        let this = &mut *self;
        let left = this.end.as_ref().map(|(after, _)| after.saturating_sub(this.entry.bytes));
        if left == Some(0) {
            return this.end_connection(context);
        }
        if this.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut this.upstream).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                // The upstream broke: the client learns of it by the end of its connection.
                Some(Err(_)) => return this.end_connection(context),
                // Less came than the answer claims.
                None if this.end.is_some() => return this.end_connection(context),
                None => return Poll::Ready(None),
            }
        }
        let mut most = left.unwrap_or(u64::MAX);
        if let Some(pace) = &mut this.pace {
            std::task::ready!(pace.next.as_mut().poll(context));
            most = most.min(pace.piece());
        }
        let len = usize::try_from(most).map_or(this.rest.len(), |most| most.min(this.rest.len()));
        let piece = this.rest.split_to(len);
        this.entry.bytes += piece.len() as u64;
        if let Some(pace) = &mut this.pace {
            pace.took(piece.len() as u64);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.end.is_none() && self.rest.is_empty() && self.upstream.is_end_stream()
    }
}
