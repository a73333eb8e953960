//! The clients of `object_store` for each provider, made of what the user and the environment say.

use std::sync::Arc;
use std::{env, io};

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::{ClientOptions, ObjectStore, RetryConfig, StaticCredentialProvider};
use url::Url;

use crate::address::{Account, Cloud, without_secrets};
use crate::connections::Connections;
use crate::environment::{allows_http, flag};
use crate::failure::{innermost, innermost_error};
use crate::http_client::Connector;
use crate::options::{NOT_SENDABLE, Secret, not_sendable};
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

    fn s3(self, environment: AmazonS3Builder, allow_http: bool) -> Result<Made, StoreError> {
        let Self { address, options, .. } = self;
        let mut builder = environment.with_bucket_name(&address.store);
        if let Some(region) = &options.region {
            builder = builder.with_region(region);
        }
        match (&options.access_key_id, &options.secret_access_key) {
            (Some(key_id), Some(secret)) => {
                let credential = AwsCredential {
                    key_id: key_id.clone(),
                    secret_key: secret.expose().to_owned(),
                    token: options.session_token.as_ref().map(Secret::expose).map(str::to_owned),
                };
                let credentials = StaticCredentialProvider::new(credential);
                // The environment may say that nothing is signed.
                builder = builder
                    .with_credentials(Arc::new(credentials))
                    .with_skip_signature(options.anonymous);
            }
            (None, None) if options.session_token.is_none() => {
                let value = |key| builder.get_config_value(&key);
                self.check_variables([
                    ("AWS_ACCESS_KEY_ID", value(AmazonS3ConfigKey::AccessKeyId)),
                    ("AWS_SECRET_ACCESS_KEY", value(AmazonS3ConfigKey::SecretAccessKey)),
                    ("AWS_SESSION_TOKEN", value(AmazonS3ConfigKey::Token)),
                ])?;
            }
            _ => {
                let reason = "accessKeyId and secretAccessKey belong together".to_owned();
                return Err(StoreError::Option { option: "accessKeyId", reason });
            }
        }
        if options.anonymous {
            builder = builder.with_skip_signature(true);
        }
        let value = |key| builder.get_config_value(&key);
        let region = value(AmazonS3ConfigKey::Region);
        self.check_variables([("AWS_REGION or AWS_DEFAULT_REGION", region.clone())])?;
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        let endpoint = options.endpoint.clone();
        let endpoint = endpoint.or_else(|| value(AmazonS3ConfigKey::S3Endpoint));
        let endpoint = endpoint.or_else(|| value(AmazonS3ConfigKey::Endpoint));
        let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let hosted = value(AmazonS3ConfigKey::VirtualHostedStyleRequest);
        let hosted = self.is_on(hosted.as_deref(), "AWS_VIRTUAL_HOSTED_STYLE_REQUEST")?
            || options.virtual_hosted;
        let base = Self::endpoint(&endpoint, allow_http)?;
        let mut service = base.clone();
        if hosted {
            let host = format!("{}.{}", address.store, base.host_str().unwrap_or_default());
            let reason = "the bucket cannot be part of the host's name".to_owned();
            let invalid = |_| StoreError::Option { option: "virtualHosted", reason };
            service.set_host(Some(&host)).map_err(invalid)?;
        }
        let skips = value(AmazonS3ConfigKey::SkipSignature);
        let skips = self.is_on(skips.as_deref(), "AWS_SKIP_SIGNATURE")?;
        let signed = (!skips).then_some("x-amz-");
        let (connector, server) = self.connector(base, allow_http, signed)?;
        let store = builder
            .with_config(AmazonS3ConfigKey::S3Endpoint, service.as_str().trim_end_matches('/'))
            .with_virtual_hosted_style_request(hosted)
            .with_region(region)
            .with_retry(no_retries())
            .with_client_options(client_options())
            .with_http_connector(connector)
            .build();
        self.made(store, server)
    }

    fn gcs(
        self,
        environment: GoogleCloudStorageBuilder,
        allow_http: bool,
    ) -> Result<Made, StoreError> {
        let Self { address, options, .. } = self;
        let usual = environment.get_config_value(&GoogleConfigKey::BaseUrl);
        let mut builder = match (&options.service_account_key, &options.bearer_token) {
            (Some(_), Some(_)) => {
                let reason = "serviceAccountKey and bearerToken exclude each other".to_owned();
                return Err(StoreError::Option { option: "bearerToken", reason });
            }
            (Some(key), None) => {
                GoogleCloudStorageBuilder::new().with_service_account_key(key.expose())
            }
            (None, token) if token.is_some() || options.anonymous => {
                let bearer = token.as_ref().map_or("", Secret::expose).to_owned();
                let credentials = StaticCredentialProvider::new(GcpCredential { bearer });
                GoogleCloudStorageBuilder::new().with_credentials(Arc::new(credentials))
            }
            _ => {
                let token = environment.get_config_value(&GoogleConfigKey::BearerToken);
                self.check_variables([("GOOGLE_BEARER_TOKEN", token)])?;
                environment
            }
        };
        if options.anonymous {
            builder = builder.with_skip_signature(true);
        }
        let endpoint = options.endpoint.clone().or(usual);
        let endpoint = endpoint.unwrap_or_else(|| "https://storage.googleapis.com".to_owned());
        let base = Self::endpoint(&endpoint, allow_http)?;
        let (connector, server) = self.connector(base.clone(), allow_http, None)?;
        let store = builder
            .with_bucket_name(&address.store)
            .with_base_url(base.as_str().trim_end_matches('/'))
            .with_retry(no_retries())
            .with_client_options(client_options())
            .with_http_connector(connector)
            .build();
        self.made(store, server)
    }

    fn azure(
        self,
        environment: MicrosoftAzureBuilder,
        allow_http: bool,
    ) -> Result<Made, StoreError> {
        let Self { address, options, .. } = self;
        let value = |key| environment.get_config_value(&key);
        let named = address.account.as_ref();
        let account = options.account.clone().or_else(|| named.map(|named| named.name.clone()));
        let account = account.or_else(|| value(AzureConfigKey::AccountName)).ok_or_else(|| {
            self.not_set_up("no account is given: set the storage option 'account'".to_owned())
        })?;
        self.check_variables([
            ("AZURE_STORAGE_ACCOUNT_NAME", Some(account.clone())),
            ("AZURE_STORAGE_TOKEN", value(AzureConfigKey::Token)),
        ])?;
        let endpoint = options.endpoint.clone().or_else(|| value(AzureConfigKey::Endpoint));
        let endpoint = match (endpoint, named.map(|Account { cloud, .. }| cloud)) {
            (Some(endpoint), _) => endpoint,
            (None, Some(Cloud::Azure(cloud))) => format!("https://{account}.blob.{cloud}"),
            (None, Some(Cloud::Unsaid) | None) => {
                format!("https://{account}.blob.core.windows.net")
            }
            (None, Some(Cloud::Other(host))) => {
                let reason = format!(
                    "'{host}' is no host of Azure's: set the storage option 'endpoint' to the URL of its service"
                );
                return Err(self.not_set_up(reason));
            }
        };
        let signature = options.sas_token.as_ref().map(Secret::expose);
        let signature = signature.or(address.query.as_deref());
        let given =
            [options.account_key.is_some(), signature.is_some(), options.bearer_token.is_some()];
        if given.into_iter().filter(|given| *given).count() > 1 {
            let reason = "accountKey, sasToken and bearerToken exclude each other".to_owned();
            return Err(StoreError::Option { option: "accountKey", reason });
        }
        // Of the environment, a token goes first.
        let by_key = options.account_key.is_some()
            || signature.is_none()
                && options.bearer_token.is_none()
                && value(AzureConfigKey::AccessKey).is_some()
                && value(AzureConfigKey::Token).is_none();
        let mut builder = match (&options.account_key, signature, &options.bearer_token) {
            (Some(key), ..) => MicrosoftAzureBuilder::new().with_access_key(key.expose()),
            (_, Some(sas), _) => {
                MicrosoftAzureBuilder::new().with_config(AzureConfigKey::SasKey, sas)
            }
            (.., Some(token)) => {
                MicrosoftAzureBuilder::new().with_bearer_token_authorization(token.expose())
            }
            _ => environment.with_use_emulator(false),
        };
        if options.anonymous {
            builder = builder.with_skip_signature(true);
        }
        let skips = builder.get_config_value(&AzureConfigKey::SkipSignature);
        let skips = self.is_on(skips.as_deref(), "AZURE_SKIP_SIGNATURE")?;
        let signed = (by_key && !skips).then_some("x-ms-");
        let base = Self::endpoint(&endpoint, allow_http)?;
        let (connector, server) = self.connector(base.clone(), allow_http, signed)?;
        let store = builder
            .with_account(account)
            .with_container_name(&address.store)
            .with_endpoint(base.as_str().trim_end_matches('/').to_owned())
            .with_retry(no_retries())
            .with_client_options(client_options())
            .with_http_connector(connector)
            .build();
        self.made(store, server)
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
                Err(self.not_set_up(unusable_google_credentials(&error)))
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

/// Why the credentials of Google's environment cannot be used. What the parser says may repeat all of a key; what the
/// system says about a file does not.
fn unusable_google_credentials(error: &object_store::Error) -> String {
    let system = innermost_error(error).downcast_ref::<io::Error>();
    let system = system.filter(|error| error.raw_os_error().is_some());
    let system = system.map(|error| format!(" ({error})")).unwrap_or_default();
    format!(
        "the credentials that the environment gives cannot be used{system}: GOOGLE_SERVICE_ACCOUNT_KEY holds a key in \
         JSON; GOOGLE_SERVICE_ACCOUNT, of which only one may be set, and GOOGLE_APPLICATION_CREDENTIALS name files \
         with one"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use object_store::ObjectStoreExt;
    use object_store::path::Path;

    use super::*;
    use crate::loopback::{Loopback, Request, Response};

    /// The server of the store that `make` makes of these options and the environment that it has.
    fn made(
        url: &str,
        options: &StorageOptions,
        make: impl FnOnce(Plan<'_>) -> Result<Made, StoreError>,
    ) -> Result<String, StoreError> {
        let address = Address::parse(url).unwrap().unwrap();
        let connections = Connections::new(options).unwrap();
        let plan = Plan { address: &address, options, connections: &connections };
        make(plan).map(|made| made.server)
    }

    /// Why none is made.
    fn refused(
        url: &str,
        options: &StorageOptions,
        make: impl FnOnce(Plan<'_>) -> Result<Made, StoreError>,
    ) -> String {
        made(url, options, make).unwrap_err().to_string()
    }

    #[test]
    fn an_account_is_asked_in_the_cloud_that_its_address_names() {
        let usual = StorageOptions { anonymous: true, ..StorageOptions::default() };
        let server = |host: &str, options: &StorageOptions| {
            let url = format!("abfss://container@{host}/a");
            made(&url, options, |plan| plan.azure(MicrosoftAzureBuilder::new(), false))
        };
        for (host, expected) in [
            ("one", "https://one.blob.core.windows.net"),
            ("one.dfs.core.windows.net", "https://one.blob.core.windows.net"),
            ("one.blob.core.windows.net", "https://one.blob.core.windows.net"),
            ("one.dfs.core.chinacloudapi.cn", "https://one.blob.core.chinacloudapi.cn"),
            ("one.DFS.core.usgovcloudapi.net", "https://one.blob.core.usgovcloudapi.net"),
        ] {
            assert_eq!(server(host, &usual).unwrap(), expected);
        }
        let endpoint = Some("https://store.example.org".to_owned());
        let elsewhere = StorageOptions { endpoint, ..usual.clone() };
        for host in ["one.example.org", "one.dfs.core.windows.net.example.org"] {
            let reason = server(host, &usual).unwrap_err().to_string();
            assert!(reason.contains(host) && reason.contains("'endpoint'"), "{reason}");
            assert_eq!(server(host, &elsewhere).unwrap(), "https://store.example.org");
        }
    }

    #[test]
    fn keys_of_the_environment_that_cannot_be_parsed_are_not_shown() {
        let options = StorageOptions::default();
        let twice = r#""{\"private_key\": \"hidden\"}""#;
        let file = env::temp_dir().join(format!("lsio-key-{}.json", std::process::id()));
        std::fs::write(&file, twice).unwrap();
        let path = file.to_str().unwrap();
        let environment = GoogleCloudStorageBuilder::new();
        for environment in [
            environment.clone().with_service_account_key(twice),
            environment.clone().with_service_account_path(path),
            environment.clone().with_application_credentials(path),
        ] {
            let reason = refused("gs://bucket", &options, |plan| plan.gcs(environment, false));
            assert!(!reason.contains("hidden"), "{reason}");
            assert!(reason.contains("GOOGLE_SERVICE_ACCOUNT_KEY"), "{reason}");
        }
        std::fs::remove_file(&file).unwrap();
        let environment = environment.with_service_account_path(path);
        let reason = refused("gs://bucket", &options, |plan| plan.gcs(environment, false));
        assert!(reason.contains("os error 2"), "{reason}");
    }

    #[test]
    fn variables_that_no_header_can_hold_are_refused_by_name() {
        let options = StorageOptions::default();
        for (key, variable) in [
            (AmazonS3ConfigKey::AccessKeyId, "AWS_ACCESS_KEY_ID"),
            (AmazonS3ConfigKey::SecretAccessKey, "AWS_SECRET_ACCESS_KEY"),
            (AmazonS3ConfigKey::Token, "AWS_SESSION_TOKEN"),
            (AmazonS3ConfigKey::Region, "AWS_REGION"),
        ] {
            let environment = AmazonS3Builder::new().with_config(key, "hidden\n");
            let reason = refused("s3://bucket", &options, |plan| plan.s3(environment, false));
            assert!(reason.contains(variable) && !reason.contains("hidden"), "{reason}");
        }
        let environment = GoogleCloudStorageBuilder::new().with_bearer_token("hidden\n");
        let reason = refused("gs://bucket", &options, |plan| plan.gcs(environment, false));
        assert!(reason.contains("GOOGLE_BEARER_TOKEN") && !reason.contains("hidden"), "{reason}");
        let environment = MicrosoftAzureBuilder::new()
            .with_account("a")
            .with_bearer_token_authorization("hidden\n");
        let reason = refused("az://container", &options, |plan| plan.azure(environment, false));
        assert!(reason.contains("AZURE_STORAGE_TOKEN") && !reason.contains("hidden"), "{reason}");
    }

    #[test]
    fn endpoints_of_other_machines_are_encrypted_unless_http_is_allowed() {
        let endpoint = Some("http://store.example.org".to_owned());
        let options = StorageOptions { endpoint, anonymous: true, ..StorageOptions::default() };
        let server = |url: &str, allow_http| {
            made(url, &options, |plan| match plan.address.provider {
                Provider::Gcs => plan.gcs(GoogleCloudStorageBuilder::new(), allow_http),
                Provider::Azure => {
                    plan.azure(MicrosoftAzureBuilder::new().with_account("a"), allow_http)
                }
                _ => plan.s3(AmazonS3Builder::new(), allow_http),
            })
        };
        for url in ["s3://bucket", "gs://bucket", "az://container"] {
            assert!(matches!(server(url, false), Err(StoreError::Unencrypted { .. })), "{url}");
            assert_eq!(server(url, true).ok(), options.endpoint);
        }
    }

    /// What a bucket is asked for one object.
    fn asked(options: &StorageOptions, environment: AmazonS3Builder) -> Request {
        let bucket = Loopback::start(|request| Response::object(request, b"some bytes"));
        let options = StorageOptions { endpoint: Some(bucket.url("")), ..options.clone() };
        let address = Address::parse("s3://bucket").unwrap().unwrap();
        let connections = Connections::new(&options).unwrap();
        let plan = Plan { address: &address, options: &options, connections: &connections };
        let store = plan.s3(environment, false).unwrap().store;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(store.get(&Path::from("object"))).unwrap();
        bucket.requests().remove(0)
    }

    fn keys() -> StorageOptions {
        StorageOptions {
            access_key_id: Some("AKID".to_owned()),
            secret_access_key: Some("hidden".to_owned().into()),
            ..StorageOptions::default()
        }
    }

    #[test]
    fn keys_of_the_options_sign_what_the_environment_would_not() {
        let unsigned = AmazonS3Builder::new().with_skip_signature(true);
        assert!(asked(&keys(), unsigned.clone()).headers.contains_key("authorization"));
        let anonymous = StorageOptions { anonymous: true, ..keys() };
        assert!(!asked(&anonymous, unsigned).headers.contains_key("authorization"));
    }

    #[test]
    fn the_environment_says_that_the_requester_pays() {
        let pays = AmazonS3Builder::new().with_config(AmazonS3ConfigKey::RequestPayer, "requester");
        let headers = asked(&keys(), pays).headers;
        assert_eq!(headers["x-amz-request-payer"], "requester");
        assert!(headers["authorization"].contains("x-amz-request-payer"), "{headers:?}");
    }

    #[test]
    fn headers_that_would_have_to_be_signed_are_refused_by_name() {
        let with = |name: &str, options: StorageOptions| {
            let headers = vec![(name.to_owned(), Secret::from("hidden".to_owned()))];
            StorageOptions { headers, ..options }
        };
        let s3 = |options, environment: &AmazonS3Builder| {
            let environment = environment.clone();
            made("s3://bucket", &options, |plan| plan.s3(environment, false))
        };
        let environment = AmazonS3Builder::new();
        let unsigned = environment.clone().with_skip_signature(true);
        let error = s3(with("X-Amz-Request-Payer", keys()), &environment).unwrap_err();
        assert!(matches!(error, StoreError::Option { option: "headers", .. }), "{error}");
        let reason = error.to_string();
        assert!(reason.contains("'x-amz-request-payer'") && !reason.contains("hidden"), "{reason}");
        assert!(reason.contains("AWS_REQUEST_PAYER"), "{reason}");
        assert!(s3(with("x-amz-meta-a", StorageOptions::default()), &environment).is_err());
        assert!(s3(with("x-amz-meta-a", StorageOptions::default()), &unsigned).is_ok());
        assert!(s3(with("x-trace", keys()), &environment).is_ok());

        let azure = |options, environment: &MicrosoftAzureBuilder| {
            let environment = environment.clone().with_account("a");
            made("az://container", &options, |plan| plan.azure(environment, false))
        };
        let (environment, secret) = (MicrosoftAzureBuilder::new(), || Some("aGlkZGVu".to_owned()));
        let keyed = environment.clone().with_access_key("aGlkZGVu");
        let key = secret().map(Secret::from);
        let key = StorageOptions { account_key: key, ..StorageOptions::default() };
        let token = secret().map(Secret::from);
        let token = StorageOptions { bearer_token: token, ..StorageOptions::default() };
        let anonymous = StorageOptions { anonymous: true, ..StorageOptions::default() };
        let reason = azure(with("x-ms-version", key.clone()), &environment).unwrap_err();
        assert!(reason.to_string().contains("'x-ms-version'"), "{reason}");
        assert!(azure(with("x-ms-version", StorageOptions::default()), &keyed).is_err());
        assert!(azure(with("x-ms-version", token), &keyed).is_ok());
        assert!(azure(with("x-ms-version", anonymous), &keyed).is_ok());
        assert!(azure(with("x-trace", key), &environment).is_ok());
    }
}
