//! What a user says about an object store, and what the stores were asked, under the names that users see.

use std::collections::HashMap;
use std::time::Duration;

use lsio::{Secret, StorageOptions, StoreStats};
use napi_derive::napi;

/// How to get at an object store. The facade has checked the values.
#[napi(object, object_to_js = false)]
pub struct NativeStorageOptions {
    /// URL of the service.
    pub endpoint: Option<String>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Access key.
    pub access_key_id: Option<String>,
    /// Its secret.
    pub secret_access_key: Option<String>,
    /// Token of temporary keys.
    pub session_token: Option<String>,
    /// Name of the account.
    pub account: Option<String>,
    /// Its key.
    pub account_key: Option<String>,
    /// A shared access signature.
    pub sas_token: Option<String>,
    /// A service account's key, as JSON.
    pub service_account_key: Option<String>,
    /// A token of somebody who has logged in.
    pub bearer_token: Option<String>,
    /// Requests are not signed.
    pub anonymous: Option<bool>,
    /// Data may go unencrypted to other machines.
    pub allow_http: Option<bool>,
    /// The bucket is part of the host's name.
    pub virtual_hosted: Option<bool>,
    /// Sent with each request to the store.
    pub headers: Option<HashMap<String, String>>,
    /// URL of a proxy.
    pub proxy: Option<String>,
    /// A file with certificates in PEM.
    pub ca_bundle: Option<String>,
    /// Time to connect in.
    pub connect_timeout_ms: Option<f64>,
    /// Time in which an attempt must make progress.
    pub progress_timeout_ms: Option<f64>,
    /// Bytes a second that are progress.
    pub min_bytes_per_second: Option<f64>,
    /// Time after which a request is not made again.
    pub deadline_ms: Option<f64>,
    /// Times that a request is made again.
    pub max_retries: Option<u32>,
    /// Most requests under way at once.
    pub max_concurrency: Option<u32>,
    /// Whether there are second requests where answers are late.
    pub hedge: Option<bool>,
}

impl From<NativeStorageOptions> for StorageOptions {
    fn from(options: NativeStorageOptions) -> Self {
        let secret = |text: Option<String>| text.map(Secret::from);
        let time = |ms: Option<f64>| ms.map(|ms| Duration::from_millis(ms as u64));
        let mut headers: Vec<_> = options.headers.unwrap_or_default().into_iter().collect();
        // A map has no order, but the same options are to be the same store.
        headers.sort();
        Self {
            endpoint: options.endpoint,
            region: options.region,
            access_key_id: options.access_key_id,
            secret_access_key: secret(options.secret_access_key),
            session_token: secret(options.session_token),
            account: options.account,
            account_key: secret(options.account_key),
            sas_token: secret(options.sas_token),
            service_account_key: secret(options.service_account_key),
            bearer_token: secret(options.bearer_token),
            anonymous: options.anonymous.unwrap_or_default(),
            allow_http: options.allow_http.unwrap_or_default(),
            virtual_hosted: options.virtual_hosted.unwrap_or_default(),
            headers: headers.into_iter().map(|(name, text)| (name, Secret::from(text))).collect(),
            proxy: secret(options.proxy),
            ca_bundle: options.ca_bundle,
            connect_timeout: time(options.connect_timeout_ms),
            progress_timeout: time(options.progress_timeout_ms),
            min_bytes_per_second: options.min_bytes_per_second.map(|rate| rate as u64),
            deadline: time(options.deadline_ms),
            max_retries: options.max_retries,
            max_concurrency: options.max_concurrency,
            hedge: options.hedge,
        }
    }
}

/// What object stores were asked since the start of the process.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct NativeStoreStats {
    /// Requests made, the repeated and second ones included.
    pub requests: f64,
    /// Of these, those that repeated one which had failed.
    pub retries: f64,
    /// Of the requests, second ones beside one whose answer was late.
    pub hedges: f64,
    /// Answers that said that there are too many requests.
    pub throttled: f64,
    /// Bytes of bodies that arrived.
    pub bytes_received: f64,
    /// Bytes that were asked for and handed out.
    pub bytes_wanted: f64,
    /// Milliseconds until an answer began: half of all took no longer.
    pub first_byte_ms_p50: Option<f64>,
    /// As `first_byte_ms_p50`, of 99 in 100.
    pub first_byte_ms_p99: Option<f64>,
    /// Requests under way now, each on a connection of its own.
    pub under_way: f64,
    /// Most requests that were under way at once at one host.
    pub most_under_way: f64,
    /// Reads and listings that the threads of the network serve now.
    pub tasks: f64,
}

impl From<StoreStats> for NativeStoreStats {
    fn from(stats: StoreStats) -> Self {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        Self {
            requests: stats.requests as f64,
            retries: stats.retries as f64,
            hedges: stats.hedges as f64,
            throttled: stats.throttled as f64,
            bytes_received: stats.bytes_received as f64,
            bytes_wanted: stats.bytes_delivered as f64,
            first_byte_ms_p50: stats.first_byte_p50.map(ms),
            first_byte_ms_p99: stats.first_byte_p99.map(ms),
            under_way: stats.under_way as f64,
            most_under_way: stats.most_under_way as f64,
            tasks: stats.tasks as f64,
        }
    }
}
