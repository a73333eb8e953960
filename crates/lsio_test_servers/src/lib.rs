//! The real object stores that run beside the tests: for tests only.
//!
//! `npm test` starts them, and so does `node scripts/test-servers/run.mjs -- cargo test -p ...`; what they are is in
//! the environment variable `LSIO_TEST_SERVERS`. A test asks for the server that it needs and ends where there is
//! none: [`TestServers::s3`] and its likes say so, and fail in CI.
//!
//! ```
//! let servers = lsio_test_servers::TestServers::from_environment();
//! if let Some(s3) = servers.s3() {
//!     println!("{} has the bucket {}", s3.endpoint, s3.bucket);
//! }
//! ```

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;

use serde::Deserialize;

/// The servers of this test run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct TestServers {
    s3: Option<S3>,
    gcs: Option<Gcs>,
    azure: Option<Azure>,
    http: Option<Http>,
    skipped: HashMap<String, String>,
}

/// S3, which checks signatures.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct S3 {
    /// Its URL.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// Who may read and write.
    pub access_key_id: String,
    /// What requests are signed with.
    pub secret_access_key: String,
    /// A bucket that exists.
    pub bucket: String,
    /// The bucket's files: what is copied there is an object, one without an `ETag`.
    pub folder: PathBuf,
}

/// Google Cloud Storage, without credentials.
#[derive(Clone, Debug, Deserialize)]
pub struct Gcs {
    /// Its URL.
    pub endpoint: String,
    /// A bucket that exists.
    pub bucket: String,
}

/// Azure Blob Storage.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Azure {
    /// Its URL, which ends with the account.
    pub endpoint: String,
    /// The account.
    pub account: String,
    /// Its key, in base64.
    pub account_key: String,
    /// A container that exists.
    pub container: String,
}

/// A server of files, with ranges.
#[derive(Clone, Debug, Deserialize)]
pub struct Http {
    /// Its URL.
    pub url: String,
    /// What it serves.
    pub folder: PathBuf,
}

impl TestServers {
    /// What the environment says; no servers if it says nothing.
    ///
    /// # Panics
    ///
    /// If it says something else than it should.
    #[must_use]
    pub fn from_environment() -> Self {
        let Ok(json) = env::var("LSIO_TEST_SERVERS") else { return Self::default() };
        match serde_json::from_str(&json) {
            Ok(servers) => servers,
            // Not the text itself: it has keys.
            Err(error) => panic!("LSIO_TEST_SERVERS is not what it should be: {error}"),
        }
    }

    /// The server of S3, or none after having said why.
    ///
    /// # Panics
    ///
    /// In CI, if there is none.
    #[must_use]
    pub fn s3(&self) -> Option<&S3> {
        self.or_skip("s3", self.s3.as_ref())
    }

    /// The server of Google Cloud Storage, or none after having said why.
    ///
    /// # Panics
    ///
    /// In CI, if there is none.
    #[must_use]
    pub fn gcs(&self) -> Option<&Gcs> {
        self.or_skip("gcs", self.gcs.as_ref())
    }

    /// The server of Azure Blob Storage, or none after having said why.
    ///
    /// # Panics
    ///
    /// In CI, if there is none.
    #[must_use]
    pub fn azure(&self) -> Option<&Azure> {
        self.or_skip("azure", self.azure.as_ref())
    }

    /// The server of files, or none after having said why.
    ///
    /// # Panics
    ///
    /// In CI, if there is none.
    #[must_use]
    pub fn http(&self) -> Option<&Http> {
        self.or_skip("http", self.http.as_ref())
    }

    fn or_skip<'a, T>(&self, kind: &str, server: Option<&'a T>) -> Option<&'a T> {
        if server.is_none() {
            let reason = self.skipped.get(kind).map_or(
                "no servers were started: node scripts/test-servers/run.mjs -- cargo test ...",
                String::as_str,
            );
            assert!(env::var_os("CI").is_none_or(|ci| ci.is_empty()), "{kind}: {reason}");
            eprintln!("SKIPPED: a test against {kind}: {reason}");
        }
        server
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_and_the_reason_of_missing_ones() {
        let json = r#"{
            "s3": {
                "endpoint": "http://127.0.0.1:1", "region": "us-east-1", "accessKeyId": "id",
                "secretAccessKey": "secret", "bucket": "lsio", "folder": "/tmp/bucket"
            },
            "http": {"url": "http://127.0.0.1:2", "folder": "/tmp/served"},
            "skipped": {"gcs": "'go' is not installed"}
        }"#;
        let servers: TestServers = serde_json::from_str(json).unwrap();
        assert_eq!(servers.s3().unwrap().access_key_id, "id");
        assert_eq!(servers.http().unwrap().folder, PathBuf::from("/tmp/served"));
        assert!(servers.gcs.is_none() && servers.azure.is_none());
        assert_eq!(servers.skipped["gcs"], "'go' is not installed");
    }
}
