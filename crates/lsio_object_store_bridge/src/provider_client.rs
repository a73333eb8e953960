//! The clients of `object_store` for each provider, made of what the user and the environment say.

mod azure;
mod gcs;
mod s3;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;

use std::env;
use std::sync::Arc;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use url::Url;

use crate::address::without_secrets;
use crate::connections::Connections;
use crate::environment::{allows_http, flag};
use crate::failure::innermost;
use crate::http_client::Connector;
use crate::options::{NOT_SENDABLE, not_sendable};
use crate::origin::{StoreOrigin, is_allowed};
use crate::{Address, Provider, StorageOptions, StoreError};

/// A store that is to be made, and through which connections.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) address: &'a Address,
    pub(crate) options: &'a StorageOptions,
    pub(crate) connections: &'a Connections,
}

/// A store that was made, and the server that it is on.
pub(crate) struct Made {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) server: String,
}

impl Plan<'_> {
    /// The store, which does not retry.
    ///
    /// # Errors
    /// [`StoreError`] for options that contradict each other or lack something.
    pub(crate) fn make(self) -> Result<Made, StoreError> {
        let is_allowed = allows_http(self.address.provider, |variable| env::var(variable).ok());
        let is_allowed = is_allowed.map_err(|reason| self.not_set_up(reason))?;
        let allow_http = self.options.allow_http || is_allowed;
        match self.address.provider {
            Provider::S3 => self.s3(AmazonS3Builder::from_env(), allow_http),
            Provider::Gcs => self.gcs(GoogleCloudStorageBuilder::from_env(), allow_http),
            Provider::Azure => self.azure(MicrosoftAzureBuilder::from_env(), allow_http),
            Provider::Http => self.http(allow_http),
        }
    }

    fn http(self, allow_http: bool) -> Result<Made, StoreError> {
        let base = Self::endpoint(&self.address.store, allow_http)?;
        let (connector, server) = self.connector(base.clone(), allow_http, None)?;
        let store = HttpBuilder::new()
            .with_url(base.as_str())
            .with_retry(no_retries())
            .with_client_options(client_options())
            .with_http_connector(connector)
            .build();
        self.made(store, server)
    }

    /// The URL of a service, if data may go there.
    fn endpoint(text: &str, allow_http: bool) -> Result<Url, StoreError> {
        let shown = || without_secrets(text);
        let url = Url::parse(text).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        });
        let url = url.ok_or_else(|| StoreError::Option {
            option: "endpoint",
            reason: format!("'{}' is not a URL such as https://host:port", shown()),
        })?;
        if is_allowed(&url, allow_http) {
            Ok(url)
        } else {
            Err(StoreError::Unencrypted { address: shown() })
        }
    }

    /// What requests go through, and the server of the store. Headers whose names begin with `signed` are refused.
    fn connector(
        self,
        base: Url,
        allow_http: bool,
        signed: Option<&str>,
    ) -> Result<(Connector, String), StoreError> {
        let is_plain = self.address.provider == Provider::Http;
        let server = base.origin().ascii_serialization();
        let query = self.address.query.clone().filter(|_| is_plain);
        let origin = StoreOrigin::new(base, query, is_plain, allow_http);
        let connections = self.connections.clone();
        Ok((Connector::new(connections, origin, &self.options.headers, signed)?, server))
    }

    fn made<T: ObjectStore>(
        self,
        store: object_store::Result<T>,
        server: String,
    ) -> Result<Made, StoreError> {
        match store {
            Ok(store) => Ok(Made { store: Arc::new(store), server }),
            // What is wrong with a key may repeat part of it.
            Err(_) if self.options.service_account_key.is_some() => Err(StoreError::Option {
                option: "serviceAccountKey",
                reason: "it is not the key of a service account in JSON".to_owned(),
            }),
            Err(_) if self.options.account_key.is_some() => Err(StoreError::Option {
                option: "accountKey",
                reason: "it is not a key in base64".to_owned(),
            }),
            Err(error) if self.address.provider == Provider::Gcs => {
                Err(self.not_set_up(gcs::unusable_credentials(&error)))
            }
            Err(error) => Err(self.not_set_up(innermost(&error))),
        }
    }

    /// Refuses texts of the environment that could not be sent.
    fn check_variables<const N: usize>(
        self,
        variables: [(&'static str, Option<String>); N],
    ) -> Result<(), StoreError> {
        match not_sendable(variables) {
            Some(variable) => Err(self.not_set_up(format!("{variable}: {NOT_SENDABLE}"))),
            None => Ok(()),
        }
    }

    /// Whether a variable of the environment turns something on.
    fn is_on(self, text: Option<&str>, variable: &str) -> Result<bool, StoreError> {
        flag(text.unwrap_or_default(), variable).map_err(|reason| self.not_set_up(reason))
    }

    fn not_set_up(self, reason: String) -> StoreError {
        StoreError::SetUp { location: self.address.location(), reason }
    }
}

/// Retries are ours.
fn no_retries() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

/// Whether a request may be made is decided by the origin.
fn client_options() -> ClientOptions {
    ClientOptions::new().with_allow_http(true)
}
