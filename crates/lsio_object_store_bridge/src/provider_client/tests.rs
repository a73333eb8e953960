//! Stores that are made, and those that are refused.

use object_store::ObjectStoreExt;
use object_store::aws::AmazonS3ConfigKey;
use object_store::path::Path;

use super::*;
use crate::loopback::{Loopback, Request, Response};
use crate::options::Secret;

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
    let environment =
        MicrosoftAzureBuilder::new().with_account("a").with_bearer_token_authorization("hidden\n");
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
