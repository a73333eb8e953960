//! The HTTP client of a store: connections, TLS, proxy, and what goes to which host.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use http::Method;
use http::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use http_body_util::BodyExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use reqwest::redirect::Policy;
use reqwest::tls::Certificate;
use reqwest::{NoProxy, Proxy, Url};

use crate::failure::innermost;
use crate::options::Secret;
use crate::origin::StoreOrigin;
use crate::refusal::Refusal;
use crate::{StorageOptions, StoreError};

/// Time to connect in, as `object_store`'s.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Redirects that are followed for one request.
const MOST_REDIRECTS: usize = 5;

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
    client: reqwest::Client,
    shared: Arc<Shared>,
}

struct Shared {
    origin: StoreOrigin,
    headers: HeaderMap,
}

impl Connector {
    /// Requests to the store at `origin` through `client`, with these headers.
    ///
    /// # Errors
    /// [`StoreError::Option`] for a header that HTTP cannot have.
    pub(crate) fn new(
        client: reqwest::Client,
        origin: StoreOrigin,
        named: &[(String, Secret)],
    ) -> Result<Self, StoreError> {
        let mut headers = HeaderMap::new();
        for (name, value) in named {
            let reason = format!("'{name}' is not a header, or its value is none");
            let invalid = || StoreError::Option { option: "headers", reason };
            let pair =
                HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value.expose()).ok());
            let (header, mut value) = pair.ok_or_else(invalid)?;
            value.set_sensitive(true);
            headers.append(header, value);
        }
        Ok(Self(StoreClient { client, shared: Arc::new(Shared { origin, headers }) }))
    }
}

/// The connections to all stores with these options.
///
/// # Errors
/// [`StoreError::Option`] for a proxy or a file of certificates that cannot be used.
pub(crate) fn connections(options: &StorageOptions) -> Result<reqwest::Client, StoreError> {
    install_crypto();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("light-speed-io/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        // One request a connection: HTTP/2 puts all streams of a host into one, which is slower.
        .http1_only()
        .connect_timeout(options.connect_timeout.unwrap_or(CONNECT_TIMEOUT))
        .pool_max_idle_per_host(options.limits().most_requests as usize);
    if let Some(proxy) = &options.proxy {
        let invalid = |_| refused_option("proxy", "it is no URL of a proxy");
        let proxy = Proxy::all(proxy.expose()).map_err(invalid)?;
        builder = builder.proxy(proxy.no_proxy(NoProxy::from_env()));
    }
    if let Some(file) = &options.ca_bundle {
        let invalid = |reason: String| refused_option("caBundle", format!("'{file}': {reason}"));
        let bundle = std::fs::read(file).map_err(|error| invalid(error.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&bundle);
        let certificates = certificates.map_err(|error| invalid(innermost(&error)))?;
        if certificates.is_empty() {
            return Err(invalid("it holds no certificates in PEM".to_owned()));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| {
        let reason =
            format!("the certificates of the system cannot be used: {}", innermost(&error));
        StoreError::SetUp { location: "https".to_owned(), reason }
    })
}

fn refused_option(option: &'static str, reason: impl Into<String>) -> StoreError {
    StoreError::Option { option, reason: reason.into() }
}

/// The cryptography that TLS uses in this process, unless somebody chose one before.
fn install_crypto() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        // An error says that there is one already, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
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
        }
        let body = body.collect().await?.to_bytes();
        for _ in 0..=MOST_REDIRECTS {
            let mut request = reqwest::Request::new(method.clone(), url.clone());
            *request.headers_mut() = headers.clone();
            if !body.is_empty() {
                *request.body_mut() = Some(body.clone().into());
            }
            let response = self.client.execute(request).await;
            let response = response.map_err(|error| failed(error, to_store))?;
            match self.redirected(&method, &url, &response) {
                Some(next) => {
                    if next.origin() != url.origin() {
                        headers = harmless(&headers);
                    }
                    url = next;
                }
                None if to_store && !response.status().is_success() => {
                    return Err(refused(response).await);
                }
                None => return Ok(answer(response)),
            }
        }
        Err(HttpError::new(HttpErrorKind::Decode, TooManyRedirects))
    }
}

impl StoreClient {
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

fn harmless(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| HARMLESS.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn answer(response: reqwest::Response) -> HttpResponse {
    let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
    let body = HttpResponseBody::new(body.map_err(|error| failed(error, true)));
    HttpResponse::from_parts(parts, body)
}

/// An answer of the store that is no success, with the reason that it gives.
async fn refused(response: reqwest::Response) -> HttpError {
    let status = response.status();
    let header = |name: &str| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let code = header("x-ms-error-code");
    let retry_after = header(RETRY_AFTER.as_str()).and_then(|text| text.trim().parse().ok());
    let retry_after = retry_after.map(Duration::from_secs);
    let body = http::Response::<reqwest::Body>::from(response).into_body();
    let mut frames = body.into_data_stream();
    let mut text = Vec::new();
    while let Ok(Some(frame)) = frames.try_next().await {
        text.extend_from_slice(&frame[..frame.len().min(LONGEST_ERROR - text.len())]);
        if text.len() == LONGEST_ERROR {
            break;
        }
    }
    let text = String::from_utf8_lossy(&text);
    HttpError::new(HttpErrorKind::Unknown, Refusal::new(status.as_u16(), code, &text, retry_after))
}

/// An error of the client without the URL, which may have something secret in it.
fn failed(error: reqwest::Error, to_store: bool) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else {
        HttpErrorKind::Interrupted
    };
    let error = error.without_url();
    if to_store { HttpError::new(kind, error) } else { HttpError::new(kind, NoCredentials(error)) }
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
pub(crate) struct NoCredentials(#[source] reqwest::Error);

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
