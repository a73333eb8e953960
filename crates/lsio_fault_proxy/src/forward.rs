//! One request: what it suffers, the way to the upstream, and what of the answer goes back.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, IF_MATCH, RANGE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Notify;

use crate::body::{CutHere, FaultyBody};
use crate::log::{Entry, LogBook};
use crate::plan::Plan;
use crate::suffered::{ChangedEtag, Course, Suffered};

/// What all requests of a proxy share.
#[derive(Debug)]
pub(crate) struct Shared {
    authority: Authority,
    client: Client<HttpConnector, Incoming>,
    course: Mutex<Course>,
    pub(crate) book: Arc<LogBook>,
}

/// Stands at the end of made-up tags; what is before it is the tag of the object.
const CHANGED: &str = "-changed";

type Answer = Response<BoxBody<Bytes, CutHere>>;

impl Shared {
    pub(crate) fn new(upstream: SocketAddr) -> Result<Self, http::uri::InvalidUri> {
        let mut connector = HttpConnector::new();
        // Else the kernel may hold a request back for 40 ms: a latency that nobody planned.
        connector.set_nodelay(true);
        Ok(Self {
            authority: upstream.to_string().parse()?,
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .build(connector),
            course: Mutex::default(),
            book: LogBook::new(),
        })
    }

    pub(crate) fn set_plan(&self, plan: Plan) {
        *self.course.lock().unwrap_or_else(PoisonError::into_inner) = Course::new(plan);
    }

    fn next(&self, request: &Request<Incoming>, target: &str, in_flight: u64) -> Suffered {
        self.course.lock().unwrap_or_else(PoisonError::into_inner).next(
            request.method().as_str(),
            request.uri().path(),
            target,
            in_flight,
        )
    }

    /// Answers a request; `reset` resets its connection.
    pub(crate) async fn answer(
        &self,
        mut request: Request<Incoming>,
        reset: Arc<Notify>,
    ) -> Result<Answer, Infallible> {
        let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
        let range = request.headers().get(RANGE).and_then(|range| range.to_str().ok());
        let entry =
            self.book.open(request.method().to_string(), target.clone(), range.map(str::to_owned));
        let suffered = self.next(&request, &target, entry.in_flight);

        if let Some(barrier) = &suffered.together {
            barrier.wait().await;
        }
        if !suffered.latency.is_zero() {
            tokio::time::sleep(suffered.latency).await;
        }
        if suffered.reset_after == Some(0) {
            reset.notify_one();
            // The task of the connection ends, and this one with it.
            std::future::pending::<()>().await;
        }
        if let Some(status) = suffered.status {
            return Ok(own_answer(entry, status));
        }
        if let Some(changed) = &suffered.etag
            && !restore_condition(request.headers_mut(), changed)
        {
            return Ok(own_answer(entry, StatusCode::PRECONDITION_FAILED));
        }
        let uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(target)
            .build();
        let answer = match uri {
            Ok(uri) => {
                *request.uri_mut() = uri;
                debug_assert!(request.headers().contains_key(HOST), "HTTP/1.1 asks for it");
                self.client.request(request).await.ok()
            }
            Err(_) => None,
        };
        Ok(match answer {
            Some(answer) => pass_back(answer, entry, &suffered, reset),
            None => own_answer(entry, StatusCode::BAD_GATEWAY),
        })
    }
}

/// Puts the tag of the object where a request has the one that was made up; false if its condition does not hold.
fn restore_condition(headers: &mut HeaderMap, changed: &ChangedEtag) -> bool {
    let Some(wanted) = headers.get(IF_MATCH) else { return true };
    let original = wanted
        .to_str()
        .ok()
        .and_then(|tag| tag.strip_suffix(&format!("{CHANGED}\"")))
        .and_then(|tag| HeaderValue::try_from(format!("{tag}\"")).ok());
    match (changed, original) {
        (ChangedEtag::Once, Some(original)) => {
            headers.insert(IF_MATCH, original);
            true
        }
        _ => false,
    }
}

fn changed_etag(original: &HeaderValue, changed: &ChangedEtag) -> Option<HeaderValue> {
    let tag = original.to_str().ok()?.strip_suffix('"')?;
    let tag = match changed {
        ChangedEtag::Once => format!("{tag}{CHANGED}\""),
        ChangedEtag::Always(number) => format!("{tag}{CHANGED}-{number}\""),
    };
    HeaderValue::try_from(tag).ok()
}

fn pass_back(
    answer: Response<Incoming>,
    mut entry: Entry,
    suffered: &Suffered,
    reset: Arc<Notify>,
) -> Answer {
    let (mut head, body) = answer.into_parts();
    entry.status = Some(head.status.as_u16());
    if let Some(changed) = &suffered.etag
        && let Some(etag) = head.headers.get(ETAG).and_then(|etag| changed_etag(etag, changed))
    {
        head.headers.insert(ETAG, etag);
    }
    let claimed = claimed_length(&head.headers, suffered.length_difference);
    if let Some(claimed) = claimed {
        head.headers.insert(CONTENT_LENGTH, claimed.into());
    }
    Response::from_parts(head, FaultyBody::new(body, entry, suffered, claimed, reset).boxed())
}

/// The `Content-Length` that the answer is to have instead of its own.
fn claimed_length(headers: &HeaderMap, difference: i64) -> Option<u64> {
    if difference == 0 {
        return None;
    }
    let len = headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok()?;
    Some(len.saturating_add_signed(difference))
}

/// An answer of the proxy itself, in the form that S3 gives errors.
fn own_answer(mut entry: Entry, status: StatusCode) -> Answer {
    let code = match status {
        StatusCode::SERVICE_UNAVAILABLE => "SlowDown",
        StatusCode::TOO_MANY_REQUESTS => "TooManyRequests",
        StatusCode::INTERNAL_SERVER_ERROR => "InternalError",
        StatusCode::PRECONDITION_FAILED => "PreconditionFailed",
        _ => "PlannedFault",
    };
    let text = format!("<Error><Code>{code}</Code><Message>planned</Message></Error>");
    entry.status = Some(status.as_u16());
    entry.bytes = text.len() as u64;
    let body = Full::new(Bytes::from(text)).map_err(|never: Infallible| match never {});
    let mut answer = Response::new(body.boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    answer
}
