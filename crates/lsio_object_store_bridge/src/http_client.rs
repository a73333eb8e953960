//! The HTTP client of a store: what goes to which host, and what its answers mean.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use http::header::{DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use reqwest::Url;
use tokio::time::Instant;
use url::Origin;

use crate::StoreError;
use crate::connections::Connections;
use crate::options::Secret;
use crate::origin::StoreOrigin;
use crate::refusal::{Refusal, credentials_refused};

/// Redirects that are followed for one request.
const MOST_REDIRECTS: usize = 5;

/// Time for which nobody is asked again who gave no credentials. Reads that begin together ask one after the other, as
/// `object_store` has it, and would wait as many times as they are.
const IN_VAIN: Duration = Duration::from_secs(1);

/// Most bytes of the body of an error that are read.
const LONGEST_ERROR: usize = 64 << 10;

/// Headers that a request keeps when it is redirected to another host: what is wanted, and nothing that could be
/// secret.
const HARMLESS: [&str; 4] = ["range", "if-match", "accept", "user-agent"];

/// Makes the clients that `object_store` asks for.
#[derive(Clone)]
pub(crate) struct Connector(StoreClient);

/// A client for requests to the store, and for those that get its credentials.
#[derive(Clone)]
struct StoreClient {
    connections: Connections,
    shared: Arc<Shared>,
}

struct Shared {
    origin: StoreOrigin,
    headers: HeaderMap,
    /// Whether the place where credentials are asked for has ever answered.
    gives_credentials: AtomicBool,
    /// When who was asked for credentials in vain.
    in_vain: Mutex<HashMap<Origin, Instant>>,
}

impl Connector {
    /// Requests to the store at `origin` over these connections, with these headers. Those whose names begin with
    /// `signed` would have to be part of a signature, behind which they are added.
    ///
    /// # Errors
    /// [`StoreError::Option`] for a header that HTTP cannot have, and for one that would have to be signed.
    pub(crate) fn new(
        connections: Connections,
        origin: StoreOrigin,
        named: &[(String, Secret)],
        signed: Option<&str>,
    ) -> Result<Self, StoreError> {
        let refused = |reason| StoreError::Option { option: "headers", reason };
        let mut headers = HeaderMap::new();
        for (name, value) in named {
            let reason = format!("'{name}' is not a header, or its value is none");
            let pair =
                HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value.expose()).ok());
            let (header, mut value) = pair.ok_or_else(|| refused(reason))?;
            if signed.is_some_and(|beginning| header.as_str().starts_with(beginning)) {
                return Err(refused(unsigned(&header)));
            }
            value.set_sensitive(true);
            headers.append(header, value);
        }
        let gives_credentials = AtomicBool::new(false);
        let shared = Shared { origin, headers, gives_credentials, in_vain: Mutex::default() };
        Ok(Self(StoreClient { connections, shared: Arc::new(shared) }))
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

#[async_trait]
impl HttpService for StoreClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let mut url = Url::parse(&parts.uri.to_string()).map_err(invalid_url)?;
        let (method, mut headers) = (parts.method, parts.headers);
        let to_store = self.shared.origin.owns(&url);
        if to_store {
            self.shared.origin.add_query(&mut url);
            headers.extend(self.shared.headers.clone());
        } else if !self.shared.origin.may_give_credentials(&url) {
            let server = url.origin().ascii_serialization();
            return Err(HttpError::new(HttpErrorKind::Decode, UnencryptedCredentials { server }));
        } else if self.shared.was_asked_in_vain(&url) {
            return Err(HttpError::new(HttpErrorKind::Connect, NoCredentials(None)));
        }
        let body = body.collect().await?.to_bytes();
        for _ in 0..=MOST_REDIRECTS {
            let mut request = reqwest::Request::new(method.clone(), url.clone());
            *request.headers_mut() = headers.clone();
            if !body.is_empty() {
                *request.body_mut() = Some(body.clone().into());
            }
            let response = if to_store {
                self.connections.to_store(&url).execute(request).await
            } else {
                self.connections.for_credentials(&url).execute(request).await
            };
            let response = response.map_err(|error| self.failed(error, &url, to_store))?;
            if !to_store {
                self.shared.gives_credentials.store(true, Ordering::Relaxed);
            }
            match self.redirected(&method, &url, &response) {
                Some(next) => {
                    if next.origin() != url.origin() {
                        headers = harmless(&headers);
                    }
                    url = next;
                }
                None if to_store && !response.status().is_success() => {
                    return Err(HttpError::new(HttpErrorKind::Unknown, refused(response).await));
                }
                None if !to_store && may_pass(response.status()) => {
                    let busy = CredentialsBusy(refused(response).await);
                    return Err(HttpError::new(HttpErrorKind::Unknown, busy));
                }
                // `object_store` goes by the status of some, and repeats the body of all.
                None if !to_store && !response.status().is_success() => {
                    let mut answer = http::Response::new(());
                    *answer.status_mut() = response.status();
                    *answer.headers_mut() = response.headers().clone();
                    let reason = credentials_refused(&text(response).await);
                    return Ok(answer.map(|()| reason.into()));
                }
                None => return Ok(answer(response)),
            }
        }
        Err(HttpError::new(HttpErrorKind::Decode, TooManyRedirects))
    }
}

impl Shared {
    fn asked_in_vain(&self, url: &Url) {
        let mut in_vain = self.in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        in_vain.insert(url.origin(), Instant::now());
    }

    fn was_asked_in_vain(&self, url: &Url) -> bool {
        let in_vain = self.in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        in_vain.get(&url.origin()).is_some_and(|asked| asked.elapsed() < IN_VAIN)
    }
}

impl StoreClient {
    /// A request that was not answered. A machine without credentials has nobody to ask for them, or nobody who answers;
    /// one that has them may be out of reach for a while.
    fn failed(&self, error: reqwest::Error, url: &Url, to_store: bool) -> HttpError {
        let knows_nobody = !to_store && !self.shared.gives_credentials.load(Ordering::Relaxed);
        if knows_nobody && (error.is_connect() || error.is_timeout()) {
            self.shared.asked_in_vain(url);
            HttpError::new(HttpErrorKind::Connect, NoCredentials(Some(error.without_url())))
        } else {
            failed(error)
        }
    }

    /// Where to ask instead, if the answer says so and it is safe.
    fn redirected(&self, method: &Method, from: &Url, response: &reqwest::Response) -> Option<Url> {
        let is_safe = *method == Method::GET || *method == Method::HEAD;
        if !is_safe || !response.status().is_redirection() {
            return None;
        }
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        let to = from.join(location).ok()?;
        // To a directory: that is no object.
        let is_folder = to.path().strip_suffix('/') == Some(from.path());
        (!is_folder && self.shared.origin.may_redirect(from, &to)).then_some(to)
    }
}

/// Why a header is refused that would have to be part of the signature.
fn unsigned(header: &HeaderName) -> String {
    let instead = match header.as_str() {
        "x-amz-request-payer" => "; AWS_REQUEST_PAYER=requester in the environment sends it signed",
        _ => "",
    };
    format!("the store refuses '{header}' unless it is part of the signature{instead}")
}

fn harmless(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| HARMLESS.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn answer(response: reqwest::Response) -> HttpResponse {
    let (mut parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
    let date = parts.headers.get(DATE).and_then(|date| date.to_str().ok());
    if let Some(answered) = date.and_then(crate::version::Answered::parse) {
        parts.extensions.insert(answered);
    }
    let body = HttpResponseBody::new(body.map_err(failed));
    HttpResponse::from_parts(parts, body)
}

/// Whether somebody who gives out credentials may do so later.
fn may_pass(status: StatusCode) -> bool {
    let asked_too_much = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT];
    status.is_server_error() || asked_too_much.contains(&status)
}

/// What an answer that is no success gives as its reason.
async fn refused(response: reqwest::Response) -> Refusal {
    let status = response.status();
    let header = |name: &str| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let code = header("x-ms-error-code");
    let retry_after = header(RETRY_AFTER.as_str()).and_then(|text| text.trim().parse().ok());
    let retry_after = retry_after.map(Duration::from_secs);
    Refusal::new(status.as_u16(), code, &text(response).await, retry_after)
}

/// The body of an error, as far as it is read.
async fn text(response: reqwest::Response) -> String {
    let body = http::Response::<reqwest::Body>::from(response).into_body();
    let mut frames = body.into_data_stream();
    let mut text = Vec::new();
    while let Ok(Some(frame)) = frames.try_next().await {
        text.extend_from_slice(&frame[..frame.len().min(LONGEST_ERROR - text.len())]);
        if text.len() == LONGEST_ERROR {
            break;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// An error of the client without the URL, which may have something secret in it.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, error.without_url())
}

fn invalid_url(error: url::ParseError) -> HttpError {
    HttpError::new(HttpErrorKind::Decode, error)
}

/// The place where credentials are asked for could not be reached.
#[derive(Debug, thiserror::Error)]
#[error(
    "no credentials were given or found in the environment, and the machine has none (give them, or `anonymous` for \
     data that is public)"
)]
pub(crate) struct NoCredentials(#[source] Option<reqwest::Error>);

/// Credentials, and what they are given for, would be read by others on the way.
#[derive(Debug, thiserror::Error)]
#[error(
    "credentials are not asked for at '{server}', which is not encrypted: set the storage option 'allowHttp' if that is \
     meant"
)]
pub(crate) struct UnencryptedCredentials {
    server: String,
}

/// Credentials could not be had just now. The refusal is not its source: it is not one of the store, whose requests are
/// not too many for that.
#[derive(Debug, thiserror::Error)]
#[error("asked for credentials, {0}")]
pub(crate) struct CredentialsBusy(Refusal);

#[derive(Debug, thiserror::Error)]
#[error("the server redirects without end")]
struct TooManyRedirects;

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for StoreClient {
    /// Neither headers nor query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreClient").field("origin", &self.shared.origin).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::net::Shutdown;
    use std::sync::atomic::AtomicU32;

    use crate::loopback::{Loopback, Request, Response};
    use lsio_io::{ByteRange, Freshness, Key, Memory, StorageError, blocking};
    use object_store::RetryConfig;
    use object_store::aws::AmazonS3Builder;
    use object_store::client::HttpRequestBody;
    use object_store::path::Path;

    use super::*;
    use crate::{Host, HostLimits, Network, ObjectStorage, StorageOptions, StoreStats};

    /// Reads `object` of a bucket with the credentials that the service at this address gives.
    fn read(credentials: &str) -> (Result<Vec<u8>, StorageError>, StoreStats) {
        read_with(credentials, &StorageOptions::default())
    }

    fn read_with(
        credentials: &str,
        options: &StorageOptions,
    ) -> (Result<Vec<u8>, StorageError>, StoreStats) {
        let bucket = Loopback::start(|request| Response::object(request, b"some bytes"));
        let base = Url::parse(&bucket.url("")).unwrap();
        let connections = Connections::new(options).unwrap();
        let origin = StoreOrigin::new(base, None, false, options.allow_http);
        let store = AmazonS3Builder::new()
            .with_bucket_name("bucket")
            .with_endpoint(bucket.url("").trim_end_matches('/'))
            .with_metadata_endpoint(credentials)
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
            .with_client_options(ClientOptions::new().with_allow_http(true))
            .with_http_connector(Connector::new(connections, origin, &[], None).unwrap())
            .build()
            .unwrap();
        let (host, network) = (Host::new(HostLimits::default()), Network::new());
        let storage =
            ObjectStorage::new("s3://bucket", Arc::new(store), Path::ROOT, &host, &network);
        let (memory, key) = (Memory::new(1 << 20), Key::new("object").unwrap());
        let (range, current) = (ByteRange::Whole, Freshness::Current);
        let answer = blocking::read_range(&storage, &memory, &key, range, current);
        (answer.map(|answer| answer.bytes.to_vec()), host.stats())
    }

    /// As the metadata of a machine of AWS.
    fn metadata(request: &Request) -> Response {
        let key = br#"{"AccessKeyId":"A","SecretAccessKey":"S","Token":"T","Expiration":"2999-01-01T00:00:00Z"}"#;
        match request.path().rsplit('/').next().unwrap() {
            "token" => Response::new(200, b"token"),
            "" => Response::new(200, b"role"),
            _ => Response::new(200, key),
        }
    }

    #[test]
    fn a_service_of_credentials_that_is_busy_is_asked_again() {
        for status in [500, 503, 429, 408] {
            let answers = AtomicU32::new(0);
            let service =
                Loopback::start(move |request| match answers.fetch_add(1, Ordering::SeqCst) {
                    1 => Response::new(status, b"busy"),
                    _ => metadata(request),
                });
            let (bytes, stats) = read(service.url("").trim_end_matches('/'));
            assert_eq!(bytes.unwrap(), b"some bytes");
            assert_eq!((stats.retries, stats.throttled), (1, 0), "{status}");
            assert_eq!(service.requests().len(), 2 + 3);
        }
    }

    #[test]
    fn what_a_service_of_credentials_refuses_is_said_without_its_whole_answer() {
        let token = "hidden".repeat(20);
        let body = format!("the role is wrong for {token}\n{token}");
        let service = Loopback::start(move |_| Response::new(400, body.as_bytes()));
        let (bytes, stats) = read(service.url("").trim_end_matches('/'));
        let error = bytes.unwrap_err();
        let reason = std::error::Error::source(&error).unwrap().to_string();
        assert!(reason.contains("400") && reason.contains("the role is wrong for …"), "{reason}");
        assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
        assert_eq!(stats.retries, 0);
    }

    #[test]
    fn a_connection_to_the_service_of_credentials_that_breaks_is_made_again() {
        let connections = AtomicU32::new(0);
        let breaks_first = move |stream: std::net::TcpStream| {
            if connections.fetch_add(1, Ordering::SeqCst) == 0 {
                stream.shutdown(Shutdown::Both).unwrap();
            }
            stream
        };
        let service = Loopback::start_over(breaks_first, metadata);
        let (bytes, stats) = read(service.url("").trim_end_matches('/'));
        assert_eq!(bytes.unwrap(), b"some bytes");
        assert_eq!(stats.retries, 1);
    }

    #[test]
    fn a_proxy_is_not_asked_for_the_metadata_of_the_machine() {
        let service = Loopback::start(metadata);
        let proxy = Loopback::start(|request| Response::object(request, b"through the proxy"));
        let url = Some(proxy.url("").into());
        let options = StorageOptions { proxy: url, ..Default::default() };
        let (bytes, _) = read_with(service.url("").trim_end_matches('/'), &options);
        assert_eq!(bytes.unwrap(), b"through the proxy");
        assert_eq!((service.requests().len(), proxy.requests().len()), (3, 1));
    }

    #[test]
    fn credentials_of_other_machines_come_encrypted_unless_it_is_allowed() {
        let proxy = Loopback::start(|request| {
            match request.target.strip_prefix("http://metadata.invalid") {
                Some(_) => metadata(request),
                None => Response::object(request, b"some bytes"),
            }
        });
        let url = Some(proxy.url("").into());
        let refusing = StorageOptions { proxy: url, ..Default::default() };
        let (bytes, stats) = read_with("http://metadata.invalid", &refusing);
        let error = bytes.unwrap_err();
        assert!(matches!(error, StorageError::Access { .. }), "{error}");
        let reason = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            reason.contains("'http://metadata.invalid'") && reason.contains("'allowHttp'"),
            "{reason}"
        );
        assert_eq!((proxy.requests().len(), stats.retries), (0, 0));
        let allowing = StorageOptions { allow_http: true, ..refusing };
        let (bytes, _) = read_with("http://metadata.invalid", &allowing);
        assert_eq!(bytes.unwrap(), b"some bytes");
    }

    #[test]
    fn reads_that_begin_together_do_not_all_wait_for_credentials_that_are_not_there() {
        // It is connected to, and never answers.
        let service = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", service.local_addr().unwrap());
        let connections = Connections::new(&StorageOptions::default()).unwrap();
        let store = Url::parse("https://store.invalid").unwrap();
        let origin = StoreOrigin::new(store, None, false, false);
        let client = Connector::new(connections, origin, &[], None).unwrap();
        let ask = || async {
            let request = http::Request::get(&url).body(HttpRequestBody::empty()).unwrap();
            let error = client.0.call(request).await.unwrap_err();
            let reason = std::error::Error::source(&error).unwrap();
            assert!(reason.is::<NoCredentials>(), "{error}");
        };
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            ask().await;
            ask().await;
            tokio::time::advance(IN_VAIN).await;
            ask().await;
        });
        service.set_nonblocking(true).unwrap();
        let connections = service.incoming().map_while(Result::ok).count();
        assert_eq!(connections, 2, "it is asked at once, and again after a while");
    }

    #[test]
    fn without_a_service_of_credentials_there_are_none() {
        // Nobody listens there any more.
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (bytes, stats) = read(&format!("http://{closed}"));
        let error = bytes.unwrap_err();
        assert!(matches!(error, StorageError::Access { .. }), "{error}");
        assert_eq!(stats.retries, 0);
    }
}
