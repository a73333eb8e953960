//! The connections that requests go over: TLS, proxies, and how long they may take to be made.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::tls::Certificate;
use reqwest::{Client, ClientBuilder, NoProxy, Proxy, Url};

use crate::failure::innermost;
use crate::origin::is_loopback;
use crate::{StorageOptions, StoreError};

/// Time to connect in, as `object_store`'s.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The connections of all stores with the same options.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    /// Through a proxy, if the options or the environment name one.
    usual: Client,
    /// To this machine: through the proxy of the options only. The environment's is for other machines, and would see
    /// what is not encrypted because it does not leave this one.
    local: Client,
}

impl Connections {
    /// # Errors
    /// [`StoreError::Option`] for a proxy or a file of certificates that cannot be used.
    pub(crate) fn new(options: &StorageOptions) -> Result<Self, StoreError> {
        install_crypto();
        let trusted = options.ca_bundle.as_deref().map(certificates).transpose()?;
        let trusted = trusted.unwrap_or_default();
        let connecting = || {
            let timeout = options.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
            let most_idle = options.limits().most_requests as usize;
            let builder = client().connect_timeout(timeout).pool_max_idle_per_host(most_idle);
            if trusted.is_empty() { builder } else { builder.tls_certs_merge(trusted.clone()) }
        };
        if let Some(proxy) = &options.proxy {
            let invalid = |_| refused_option("proxy", "it is no URL of a proxy");
            let proxy = Proxy::all(proxy.expose()).map_err(invalid)?;
            let usual = made(connecting().proxy(proxy.no_proxy(NoProxy::from_env())))?;
            return Ok(Self { local: usual.clone(), usual });
        }
        Ok(Self { usual: made(connecting())?, local: made(connecting().no_proxy())? })
    }

    /// Those that a request to this address goes over.
    pub(crate) fn to(&self, url: &Url) -> &Client {
        if is_loopback(url) { &self.local } else { &self.usual }
    }
}

fn client() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("light-speed-io/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        // One request a connection: HTTP/2 puts all streams of a host into one, which is slower.
        .http1_only()
}

fn made(builder: ClientBuilder) -> Result<Client, StoreError> {
    builder.build().map_err(|error| {
        let reason =
            format!("the certificates of the system cannot be used: {}", innermost(&error));
        StoreError::SetUp { location: "https".to_owned(), reason }
    })
}

/// The certificates of a file in PEM, at least one.
fn certificates(file: &str) -> Result<Vec<Certificate>, StoreError> {
    let invalid = |reason: String| refused_option("caBundle", format!("'{file}': {reason}"));
    let bundle = std::fs::read(file).map_err(|error| invalid(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&bundle);
    let certificates = certificates.map_err(|error| invalid(innermost(&error)))?;
    if certificates.is_empty() {
        return Err(invalid("it holds no certificates in PEM".to_owned()));
    }
    Ok(certificates)
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
