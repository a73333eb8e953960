//! What a user says about a store.

use std::fmt;
use std::time::Duration;

use http::header::HeaderValue;

use crate::{HostLimits, Provider, RetryLimits, StoreError};

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// How to get at a store. What is not given is taken from the environment, as the store's own tools do: variables
/// that begin with `AWS_`, `GOOGLE_` or `AZURE_`, web identity, and the metadata of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct StorageOptions {
    /// URL of the service, for services that are not the provider's own (S3, GCS, Azure; with the account in its
    /// path where Azure's service has it there).
    pub endpoint: Option<String>,
    /// Region of the bucket (S3).
    pub region: Option<String>,
    /// Access key (S3).
    pub access_key_id: Option<String>,
    /// Its secret (S3).
    pub secret_access_key: Option<Secret>,
    /// Token of temporary keys (S3).
    pub session_token: Option<Secret>,
    /// Name of the account (Azure).
    pub account: Option<String>,
    /// Its key (Azure).
    pub account_key: Option<Secret>,
    /// A shared access signature (Azure).
    pub sas_token: Option<Secret>,
    /// A service account's key, as JSON (GCS).
    pub service_account_key: Option<Secret>,
    /// A token of somebody who has logged in (GCS, Azure).
    pub bearer_token: Option<Secret>,
    /// Requests are not signed (S3, GCS, Azure).
    pub anonymous: bool,
    /// Data may go unencrypted to other machines, and credentials come so from them; else `AWS_ALLOW_HTTP`,
    /// `GOOGLE_ALLOW_HTTP` or `AZURE_ALLOW_HTTP`.
    pub allow_http: bool,
    /// The bucket is part of the host's name (S3).
    pub virtual_hosted: bool,
    /// Sent with each request to the store. Those that would have to be signed are refused: `x-amz-` of S3, `x-ms-` of
    /// Azure with the key of an account.
    pub headers: Vec<(String, Secret)>,
    /// URL of a proxy, which is asked for this machine as well; else `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, for
    /// other machines.
    pub proxy: Option<Secret>,
    /// A file with certificates in PEM that are trusted beside the system's.
    pub ca_bundle: Option<String>,
    /// Time to connect in; default 5 seconds, as `object_store`'s.
    pub connect_timeout: Option<Duration>,
    /// See [`RetryLimits::progress`].
    pub progress_timeout: Option<Duration>,
    /// See [`RetryLimits::least_rate`].
    pub min_bytes_per_second: Option<u64>,
    /// See [`RetryLimits::deadline`].
    pub deadline: Option<Duration>,
    /// See [`RetryLimits::retries`].
    pub max_retries: Option<u32>,
    /// See [`HostLimits::most_requests`].
    pub max_concurrency: Option<u32>,
    /// See [`HostLimits::hedge`].
    pub hedge: Option<bool>,
}

impl StorageOptions {
    /// Refuses what a provider has no use for, and what could not be sent.
    ///
    /// # Errors
    /// [`StoreError::Option`] that names it.
    pub(crate) fn check(&self, provider: Provider) -> Result<(), StoreError> {
        use Provider::{Azure, Gcs, S3};
        let signed = &[S3, Gcs, Azure][..];
        let given: [(&'static str, bool, &[Provider]); 12] = [
            ("endpoint", self.endpoint.is_some(), signed),
            ("region", self.region.is_some(), &[S3]),
            ("accessKeyId", self.access_key_id.is_some(), &[S3]),
            ("secretAccessKey", self.secret_access_key.is_some(), &[S3]),
            ("sessionToken", self.session_token.is_some(), &[S3]),
            ("virtualHosted", self.virtual_hosted, &[S3]),
            ("account", self.account.is_some(), &[Azure]),
            ("accountKey", self.account_key.is_some(), &[Azure]),
            ("sasToken", self.sas_token.is_some(), &[Azure]),
            ("serviceAccountKey", self.service_account_key.is_some(), &[Gcs]),
            ("bearerToken", self.bearer_token.is_some(), &[Gcs, Azure]),
            ("anonymous", self.anonymous, signed),
        ];
        match given.into_iter().find(|(_, given, of)| *given && !of.contains(&provider)) {
            Some((option, ..)) => Err(StoreError::Option {
                option,
                reason: format!("{}:// stores have no such option", provider.scheme()),
            }),
            None => self.check_characters(),
        }
    }

    /// Signatures and tokens are headers, and `object_store` panics where one cannot be.
    fn check_characters(&self) -> Result<(), StoreError> {
        let secret = |secret: &'_ Option<Secret>| secret.as_ref().map(|it| it.0.clone());
        let sent = [
            ("region", self.region.clone()),
            ("accessKeyId", self.access_key_id.clone()),
            ("secretAccessKey", secret(&self.secret_access_key)),
            ("sessionToken", secret(&self.session_token)),
            ("account", self.account.clone()),
            ("bearerToken", secret(&self.bearer_token)),
        ];
        match not_sendable(sent) {
            Some(option) => Err(StoreError::Option { option, reason: NOT_SENDABLE.to_owned() }),
            None => Ok(()),
        }
    }

    /// How the host is asked.
    pub(crate) fn limits(&self) -> HostLimits {
        let usual = HostLimits::default();
        HostLimits {
            most_requests: self.max_concurrency.unwrap_or(usual.most_requests),
            retry: RetryLimits {
                retries: self.max_retries.unwrap_or(usual.retry.retries),
                deadline: self.deadline.unwrap_or(usual.retry.deadline),
                progress: self.progress_timeout.unwrap_or(usual.retry.progress),
                least_rate: self.min_bytes_per_second.unwrap_or(usual.retry.least_rate),
            },
            hedge: self.hedge.unwrap_or(usual.hedge),
        }
    }
}

/// What is wrong with a text that cannot be part of a header. The text itself is not shown.
pub(crate) const NOT_SENDABLE: &str =
    "it has a line end or another character that no header can have";

/// The name of the first text that cannot be part of a header.
pub(crate) fn not_sendable<const N: usize>(
    texts: [(&'static str, Option<String>); N],
) -> Option<&'static str> {
    let is_sendable =
        |text: &Option<String>| text.as_ref().is_none_or(|it| HeaderValue::from_str(it).is_ok());
    texts.into_iter().find(|(_, text)| !is_sendable(text)).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_other_stores_are_refused() {
        let options = StorageOptions { region: Some("here".to_owned()), ..Default::default() };
        assert_eq!(options.check(Provider::S3), Ok(()));
        for provider in [Provider::Gcs, Provider::Azure, Provider::Http] {
            let error = options.check(provider);
            assert!(matches!(error, Err(StoreError::Option { option: "region", .. })));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = || Some(Secret::from("hidden".to_owned()));
        let options = StorageOptions {
            secret_access_key: secret(),
            session_token: secret(),
            account_key: secret(),
            sas_token: secret(),
            service_account_key: secret(),
            bearer_token: secret(),
            headers: vec![("authorization".to_owned(), Secret::from("hidden".to_owned()))],
            proxy: secret(),
            ..Default::default()
        };
        let shown = format!("{options:?}");
        assert!(!shown.contains("hidden") && shown.contains("authorization"), "{shown}");
    }
}
