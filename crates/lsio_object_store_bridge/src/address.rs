//! Addresses of object stores: what a URL names, and how it is shown without what is secret in it.

use object_store::path::Path;
use url::Url;

use crate::StoreError;

/// Whose protocol a store speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Amazon S3 and what is compatible with it.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
    /// Any web server; with ranges, if the data is read in parts.
    Http,
}

impl Provider {
    /// How addresses of its stores begin.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::Azure => "az",
            Self::Http => "http",
        }
    }
}

/// What a URL names: a store and a path in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Whose protocol it speaks.
    pub provider: Provider,
    /// The bucket or container; scheme, host and port of a web server.
    pub store: String,
    /// Path of what is named, below the bucket, container or server.
    pub path: String,
    /// The account that an Azure URL names.
    pub(crate) account: Option<Account>,
    /// What follows the `?`: it belongs to the address of each object.
    pub(crate) query: Option<String>,
}

/// An account of Azure, as an address names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) cloud: Cloud,
}

/// The cloud that an account is in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Cloud {
    /// The address has the account's name only.
    Unsaid,
    /// One of Azure's, by the end of its hosts' names.
    Azure(&'static str),
    /// A host that is none of Azure's.
    Other(String),
}

/// How the hosts of Azure's clouds end: the public one, China's, that of the government of the United States.
const CLOUDS: [&str; 3] = ["core.windows.net", "core.chinacloudapi.cn", "core.usgovcloudapi.net"];

impl Account {
    /// The interface of blobs is spoken, also where the address names that of Data Lake Storage (`dfs`): both are of
    /// the same data.
    fn at(host: &str) -> Self {
        let Some((name, service)) = host.split_once('.') else {
            return Self { name: host.to_owned(), cloud: Cloud::Unsaid };
        };
        let lower = service.to_ascii_lowercase();
        let end = lower.strip_prefix("dfs.").or_else(|| lower.strip_prefix("blob."));
        let cloud = end.and_then(|end| CLOUDS.into_iter().find(|cloud| *cloud == end));
        let cloud = cloud.map_or_else(|| Cloud::Other(host.to_owned()), Cloud::Azure);
        Self { name: name.to_owned(), cloud }
    }
}

/// Schemes of URLs, and whose they are.
const SCHEMES: [(&str, Provider); 10] = [
    ("s3", Provider::S3),
    ("s3a", Provider::S3),
    ("gs", Provider::Gcs),
    ("gcs", Provider::Gcs),
    ("az", Provider::Azure),
    ("azure", Provider::Azure),
    ("abfs", Provider::Azure),
    ("abfss", Provider::Azure),
    ("http", Provider::Http),
    ("https", Provider::Http),
];

fn provider_of(scheme: &str) -> Option<Provider> {
    let known = |(name, _): &&(&str, _)| scheme.eq_ignore_ascii_case(name);
    SCHEMES.iter().find(known).map(|&(_, provider)| provider)
}

impl Address {
    /// Parses a URL; `None` if its scheme is that of no object store.
    ///
    /// # Errors
    /// [`StoreError::Address`] for one that names no store.
    pub fn parse(text: &str) -> Option<Result<Self, StoreError>> {
        let (scheme, rest) = text.split_once("://")?;
        let provider = provider_of(scheme)?;
        let address = match provider {
            Provider::Http => Self::of_server(text),
            Provider::Azure => Self::of_container(rest),
            Provider::S3 | Provider::Gcs => Self::of_bucket(provider, rest),
        };
        Some(
            address
                .and_then(Self::checked)
                .map_err(|reason| StoreError::Address { address: without_secrets(text), reason }),
        )
    }

    fn of_bucket(provider: Provider, rest: &str) -> Result<Self, &'static str> {
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.contains(['@', '?', '#', ':']) {
            return Err("a bucket's name has no such characters");
        }
        Ok(Self {
            provider,
            store: bucket.to_owned(),
            path: path.to_owned(),
            account: None,
            query: None,
        })
    }

    /// `container/path` or `container@account.some.host/path`, either with a signature behind a `?`.
    fn of_container(rest: &str) -> Result<Self, &'static str> {
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (container, account) = match authority.split_once('@') {
            Some((container, host)) => (container, Some(Account::at(host))),
            None => (authority, None),
        };
        if account.as_ref().is_some_and(|account| account.name.is_empty()) {
            return Err("it names no account");
        }
        Ok(Self {
            provider: Provider::Azure,
            store: container.to_owned(),
            path: path.to_owned(),
            account,
            query,
        })
    }

    fn of_server(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "it is no valid URL")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("names and passwords belong into the headers of the storage options");
        }
        let path = Path::from_url_path(url.path()).map_err(|_| "its path is not valid")?;
        Ok(Self {
            provider: Provider::Http,
            store: url.origin().ascii_serialization(),
            path: path.to_string(),
            account: None,
            query: url.query().filter(|query| !query.is_empty()).map(str::to_owned),
        })
    }

    fn checked(self) -> Result<Self, &'static str> {
        if self.store.is_empty() {
            return Err("it names no bucket, container or server");
        }
        Ok(Self { path: self.path.trim_matches('/').to_owned(), ..self })
    }

    /// The store's own address, without the path and without anything secret.
    #[must_use]
    pub fn location(&self) -> String {
        match self.provider {
            Provider::Http => self.store.clone(),
            provider => format!("{}://{}", provider.scheme(), self.store),
        }
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.location(), self.path)
    }
}

/// A URL as it may be shown: without user, password and query, and without the fragment where it is not
/// a part of the key.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let provider = text.split_once("://").and_then(|(scheme, _)| provider_of(scheme));
    let has_fragment = matches!(provider, None | Some(Provider::Http));
    // What is behind a '?' is cut off keys too: it may be a signature in the wrong place.
    let end = text.find(|c| c == '?' || (has_fragment && c == '#')).unwrap_or(text.len());
    let shown = &text[..end];
    let Some((scheme, rest)) = shown.split_once("://") else { return shown.to_owned() };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    // Of Azure's addresses, what comes before the '@' is the container.
    let is_container = scheme.to_ascii_lowercase().starts_with("abfs") && !authority.contains(':');
    match authority.rsplit_once('@') {
        Some((_, host)) if !is_container => format!("{scheme}://{host}{path}"),
        _ => format!("{scheme}://{authority}{path}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn parse(text: &str) -> Address {
        Address::parse(text).unwrap().unwrap()
    }

    #[test]
    fn buckets_and_paths_are_told_apart() {
        let address = parse("s3://bucket/a/b?c/");
        assert_eq!((address.store.as_str(), address.path.as_str()), ("bucket", "a/b?c"));
        assert_eq!(parse("S3A://bucket").provider, Provider::S3);
        assert_eq!(parse("gcs://bucket/x").location(), "gs://bucket");
        assert!(Address::parse("s3:///path").unwrap().is_err());
        assert!(Address::parse("s3://user:secret@bucket/path").unwrap().is_err());
        assert!(Address::parse("file:///a").is_none() && Address::parse("a/b").is_none());
    }

    #[test]
    fn containers_may_name_their_account_and_carry_a_signature() {
        let address = parse("abfss://container@account.dfs.core.windows.net/a/b?sv=1&sig=secret");
        assert_eq!(address.store, "container");
        let account = address.account.unwrap();
        assert_eq!((account.name.as_str(), account.cloud), ("account", Cloud::Azure(CLOUDS[0])));
        assert_eq!(address.query.as_deref(), Some("sv=1&sig=secret"));
        assert_eq!(address.path, "a/b");
        assert_eq!(parse("az://container/a").account, None);
    }

    #[test]
    fn servers_keep_host_and_port_and_their_paths_are_decoded() {
        let address = parse("HTTPS://Example.org:8443/a%20b/c.zarr/?token=secret");
        assert_eq!(address.store, "https://example.org:8443");
        assert_eq!(address.path, "a b/c.zarr");
        assert_eq!(address.query.as_deref(), Some("token=secret"));
        assert_eq!(address.location(), "https://example.org:8443");
    }

    #[test]
    fn nothing_secret_is_shown() {
        for (text, shown) in [
            ("https://user:secret@host/a?sig=secret#secret", "https://host/a"),
            ("abfs://container@account.host/a?sig=secret", "abfs://container@account.host/a"),
            ("abfs://user:secret@host/a", "abfs://host/a"),
            ("s3://bucket/a", "s3://bucket/a"),
            ("s3://bucket/run#3.zarr?X-Amz-Signature=secret", "s3://bucket/run#3.zarr"),
            ("abfs://container/run#3.zarr?sig=secret", "abfs://container/run#3.zarr"),
            ("relative/path?secret", "relative/path"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
        let error = Address::parse("https://user:secret@host/?secret").unwrap().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
        assert!(!format!("{:?}", parse("https://host/a?secret")).contains("secret"));
    }
}
