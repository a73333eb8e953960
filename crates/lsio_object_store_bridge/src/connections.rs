//! The connections that requests go over: TLS, proxies, and how long they may take to be made.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::tls::Certificate;
use reqwest::{Client, ClientBuilder, NoProxy, Proxy, Url};

use crate::failure::innermost;
use crate::origin::{is_loopback, is_metadata};
use crate::{StorageOptions, StoreError};

/// Time to connect in, as `object_store`'s.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time to connect in to what a machine is told about itself by: it is next to it, or there is none.
const METADATA_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Time in which it answers. A container may reach it without ever getting an answer (EC2's do not go further than the
/// machine itself, by default).
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);

/// The connections of all stores with the same options.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    /// Through a proxy, if the options or the environment name one.
    usual: Client,
    /// To this machine: through the proxy of the options only. The environment's is for other machines, and would see
    /// what is not encrypted because it does not leave this one.
    local: Client,
    /// To the metadata of the machine: through no proxy, since another machine's are not wanted.
    metadata: Client,
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
        // Nothing is encrypted there.
        let metadata = client().no_proxy().tls_certs_only([]);
        let metadata = metadata.connect_timeout(METADATA_CONNECT_TIMEOUT).timeout(METADATA_TIMEOUT);
        let metadata = made(metadata)?;
        if let Some(proxy) = &options.proxy {
            let invalid = |_| refused_option("proxy", "it is no URL of a proxy");
            let proxy = Proxy::all(proxy.expose()).map_err(invalid)?;
            let usual = made(connecting().proxy(proxy.no_proxy(NoProxy::from_env())))?;
            return Ok(Self { local: usual.clone(), usual, metadata });
        }
        let (usual, local) = (made(connecting())?, made(connecting().no_proxy())?);
        Ok(Self { usual, local, metadata })
    }

    /// Those that a request to a store at this address goes over.
    pub(crate) fn to_store(&self, url: &Url) -> &Client {
        if is_loopback(url) { &self.local } else { &self.usual }
    }

    /// Those that a request for credentials goes over.
    pub(crate) fn for_credentials(&self, url: &Url) -> &Client {
        if is_metadata(url) { &self.metadata } else { self.to_store(url) }
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::net::TcpStream;
    use std::pin::pin;

    use futures_util::future::{Either, select};
    use tokio::net::TcpSocket;
    use tokio::time::timeout;

    use super::*;

    fn paused() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    }

    /// A place that so many connections get through to, without an answer.
    fn silent(connections: u32) -> (tokio::net::TcpListener, Url) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        // One more than said waits in its queue.
        let listener = socket.listen(connections).unwrap();
        let address = listener.local_addr().unwrap();
        let _waits = TcpStream::connect(address).unwrap();
        (listener, Url::parse(&format!("http://{address}")).unwrap())
    }

    #[test]
    fn metadata_that_cannot_be_reached_is_given_up_before_a_store() {
        let connections = Connections::new(&StorageOptions::default()).unwrap();
        paused().block_on(async {
            let (_listener, url) = silent(0);
            let store = pin!(connections.to_store(&url).get(url.clone()).send());
            let metadata = pin!(connections.for_credentials(&url).get(url.clone()).send());
            match select(store, metadata).await {
                Either::Right((answer, _)) => assert!(answer.unwrap_err().is_connect()),
                Either::Left((answer, _)) => panic!("{answer:?}"),
            }
        });
    }

    #[test]
    fn metadata_that_does_not_answer_is_given_up() {
        let connections = Connections::new(&StorageOptions::default()).unwrap();
        paused().block_on(async {
            let (_listener, url) = silent(8);
            let answer = connections.for_credentials(&url).get(url.clone()).send();
            let answer = timeout(Duration::from_mins(1), answer).await.unwrap();
            assert!(answer.unwrap_err().is_timeout());
        });
    }
}
