//! Every real server that runs beside the tests keeps the contract of a storage.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lsio_io::conformance::{Capabilities, ConformanceHarness, ResidentReads, check};
use lsio_io::{Key, Storage, StorageError};
use lsio_object_store_bridge::{
    Address, Host, HostLimits, Network, ObjectStorage, Secret, StorageOptions, Stores,
};
use lsio_test_servers::TestServers;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

/// How objects get there.
enum Way {
    /// Through the store itself.
    Store,
    /// As files, which a web server serves; each is a second newer than the one before, since the entity tags of such
    /// servers have seconds.
    Files { folder: PathBuf, written: Cell<u64> },
    /// By the JSON interface of Google: the test server takes no objects by the other one.
    Json { url: String },
}

struct Harness {
    store: Arc<dyn ObjectStore>,
    base: Path,
    storage: Arc<dyn Storage>,
    runtime: tokio::runtime::Runtime,
    way: Way,
    // The store's connections.
    _stores: Stores,
}

impl Harness {
    /// A store below a path that nobody has used before.
    fn new(url: &str, options: &StorageOptions, way: Way) -> Self {
        let stores = Stores::default();
        let opened = stores.open(&Address::parse(url).unwrap().unwrap(), options).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let base = Path::from(format!("conformance-{}-{}", std::process::id(), now.as_nanos()));
        let store = opened.object_store().clone();
        let (host, network) = (Host::new(HostLimits::default()), Network::new());
        let below = ObjectStorage::new(url, store.clone(), base.clone(), &host, &network);
        let is_listed = !matches!(way, Way::Files { .. });
        let below = if is_listed { below } else { below.without_listing() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { store, base, storage: Arc::new(below), runtime, way, _stores: stores }
    }

    fn path(&self, key: &Key) -> Path {
        Path::parse(format!("{}/{key}", self.base)).unwrap()
    }
}

impl ConformanceHarness for Harness {
    fn storage(&self) -> Arc<dyn Storage> {
        self.storage.clone()
    }

    fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), StorageError> {
        let path = self.path(key);
        match &self.way {
            Way::Store => {
                let put = self.store.put(&path, PutPayload::from(bytes.to_vec()));
                self.runtime.block_on(put).unwrap();
            }
            Way::Files { folder, written } => {
                let file = folder.join(path.as_ref());
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                // Under another name first, so that no reader sees half of it.
                let new = folder.join(format!("{}.new", self.base));
                fs::write(&new, bytes).unwrap();
                written.set(written.get() + 1);
                let modified = UNIX_EPOCH + Duration::from_secs(1_700_000_000 + written.get());
                fs::File::open(&new).unwrap().set_modified(modified).unwrap();
                fs::rename(new, file).unwrap();
            }
            Way::Json { url } => {
                let mut url = reqwest::Url::parse(&format!("{url}/o")).unwrap();
                url.set_path(&format!("/upload{}", url.path()));
                let named = [("uploadType", "media"), ("name", path.as_ref())];
                url.query_pairs_mut().extend_pairs(named);
                let request = reqwest::Client::new().post(url).body(bytes.to_vec()).send();
                let answer = self.runtime.block_on(request).unwrap();
                assert!(answer.status().is_success(), "{answer:?}");
            }
        }
        Ok(())
    }

    fn remove(&self, key: &Key) -> Result<(), StorageError> {
        let path = self.path(key);
        match &self.way {
            Way::Store => self.runtime.block_on(self.store.delete(&path)).unwrap(),
            Way::Files { folder, .. } => fs::remove_file(folder.join(path.as_ref())).unwrap(),
            Way::Json { url } => {
                let mut url = reqwest::Url::parse(url).unwrap();
                url.path_segments_mut().unwrap().extend(["o", path.as_ref()]);
                let answer = self.runtime.block_on(reqwest::Client::new().delete(url).send());
                assert!(answer.unwrap().status().is_success());
            }
        }
        Ok(())
    }

    fn capabilities(&self) -> Capabilities {
        let can_list = !matches!(self.way, Way::Files { .. });
        Capabilities { can_list, ..Capabilities::new(ResidentReads::Never) }
    }
}

#[test]
fn s3_conforms() {
    let servers = TestServers::from_environment();
    let Some(s3) = servers.s3() else { return };
    let options = StorageOptions {
        endpoint: Some(s3.endpoint.clone()),
        region: Some(s3.region.clone()),
        access_key_id: Some(s3.access_key_id.clone()),
        secret_access_key: Some(Secret::from(s3.secret_access_key.clone())),
        ..StorageOptions::default()
    };
    check(&Harness::new(&format!("s3://{}", s3.bucket), &options, Way::Store)).unwrap();
}

#[test]
fn google_cloud_storage_conforms() {
    let servers = TestServers::from_environment();
    let Some(gcs) = servers.gcs() else { return };
    let endpoint = Some(gcs.endpoint.clone());
    let options = StorageOptions { endpoint, anonymous: true, ..StorageOptions::default() };
    let way = Way::Json { url: format!("{}/storage/v1/b/{}", gcs.endpoint, gcs.bucket) };
    check(&Harness::new(&format!("gs://{}", gcs.bucket), &options, way)).unwrap();
}

#[test]
fn azure_conforms() {
    let servers = TestServers::from_environment();
    let Some(azure) = servers.azure() else { return };
    let options = StorageOptions {
        endpoint: Some(azure.endpoint.clone()),
        account: Some(azure.account.clone()),
        account_key: Some(Secret::from(azure.account_key.clone())),
        ..StorageOptions::default()
    };
    check(&Harness::new(&format!("az://{}", azure.container), &options, Way::Store)).unwrap();
}

#[test]
fn a_server_of_files_conforms() {
    let servers = TestServers::from_environment();
    let Some(http) = servers.http() else { return };
    let way = Way::Files { folder: http.folder.clone(), written: Cell::new(0) };
    check(&Harness::new(&http.url, &StorageOptions::default(), way)).unwrap();
}
