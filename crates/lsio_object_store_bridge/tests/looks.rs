//! How the length and version of an object are learned from servers that refuse to tell them alone.
#![allow(clippy::unwrap_used, reason = "tests")]

mod loopback;

use std::sync::Arc;

use loopback::{Loopback, Request, Response};
use lsio_io::{ByteRange, Freshness, Key, Memory, ReadAnswer, StorageError, blocking};
use lsio_object_store_bridge::{Address, ObjectStorage, Secret, StorageOptions, Stores};

const NOTHING: ByteRange = ByteRange::Bounded { offset: 0, len: 0 };

/// A store on a server.
struct Opened {
    server: Loopback,
    stores: Stores,
    storage: Arc<ObjectStorage>,
}

impl Opened {
    /// A plain server.
    fn new(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let server = Loopback::start(answer);
        let url = server.url("");
        Self::with(server, &url, &StorageOptions::default())
    }

    fn with(server: Loopback, url: &str, options: &StorageOptions) -> Self {
        let stores = Stores::default();
        let address = Address::parse(url).unwrap().unwrap();
        let storage = stores.open(&address, options).unwrap();
        Self { server, stores, storage }
    }

    fn read(
        &self,
        key: &str,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<ReadAnswer, StorageError> {
        let (memory, key) = (Memory::new(1 << 20), Key::new(key).unwrap());
        blocking::read_range(&*self.storage, &memory, &key, range, freshness)
    }

    fn look(&self, key: &str) -> Result<ReadAnswer, StorageError> {
        self.read(key, NOTHING, Freshness::Current)
    }

    /// Method and range of each request so far, from this one on.
    fn asked(&self, from: usize) -> Vec<(String, Option<String>)> {
        let requests = self.server.requests().split_off(from);
        let range = |request: &Request| request.headers.get("range").cloned();
        requests.iter().map(|request| (request.method.clone(), range(request))).collect()
    }
}

fn head() -> (String, Option<String>) {
    ("HEAD".to_owned(), None)
}

fn get(range: Option<&str>) -> (String, Option<String>) {
    ("GET".to_owned(), range.map(str::to_owned))
}

const FIRST_BYTE: Option<&str> = Some("bytes=0-0");

/// What is refused, and how.
fn refusals() -> [Response; 4] {
    let untold = Response::new(200, b"").header("transfer-encoding", "chunked");
    [Response::new(403, b""), Response::new(405, b""), Response::new(501, b""), untold]
}

#[test]
fn where_head_is_refused_the_first_byte_tells_length_and_version() {
    for refusal in refusals() {
        let status = refusal.status;
        let opened = Opened::new(move |request| match request.method.as_str() {
            "HEAD" => refusal.clone(),
            _ => Response::object(request, b"some bytes"),
        });
        let looked = opened.look("object").unwrap();
        assert_eq!((looked.bytes.len(), looked.object_len), (0, 10), "{status}");
        assert_eq!(opened.asked(0), [head(), get(FIRST_BYTE)], "{status}");
        // It is the version of its bytes.
        let range = ByteRange::Bounded { offset: 5, len: 5 };
        let pinned = Freshness::Pinned(looked.identity.clone());
        assert_eq!(*opened.read("object", range, pinned.clone()).unwrap().bytes, *b"bytes");
        // From then on HEAD is not asked any more, for other objects neither.
        assert_eq!(opened.read("object", NOTHING, pinned).unwrap().identity, looked.identity);
        opened.look("other").unwrap();
        let asked = opened.asked(2);
        assert_eq!(asked, [get(Some("bytes=5-9")), get(FIRST_BYTE), get(FIRST_BYTE)], "{status}");
        assert_eq!(opened.stores.stats().retries, 0);
    }
}

#[test]
fn where_ranges_are_not_served_either_the_head_of_everything_tells_them() {
    let bytes = vec![7; 32 << 20];
    let opened = Opened::new(move |request| match request.method.as_str() {
        "HEAD" => Response::new(405, b""),
        _ => Response::new(200, &bytes).header("etag", "\"one\""),
    });
    let looked = opened.look("object").unwrap();
    assert_eq!((looked.bytes.len(), looked.object_len), (0, 32 << 20));
    assert_eq!(opened.asked(0), [head(), get(FIRST_BYTE), get(None)]);
    assert_eq!(opened.look("object").unwrap().identity, looked.identity);
    assert_eq!(opened.asked(3), [get(None)]);
    let stats = opened.stores.stats();
    assert_eq!((stats.bytes_received, stats.under_way), (0, 0));
}

#[test]
fn an_empty_object_has_no_first_byte_but_a_version() {
    let opened = Opened::new(|request| match (request.method.as_str(), request.path()) {
        ("HEAD", _) => Response::new(403, b""),
        (_, "/empty") => Response::object(request, b""),
        _ => Response::object(request, b"some bytes"),
    });
    let looked = opened.look("empty").unwrap();
    assert_eq!(looked.object_len, 0);
    let whole = opened.read("empty", ByteRange::Whole, Freshness::Current).unwrap();
    assert_eq!((whole.bytes.len(), whole.identity), (0, looked.identity));
    let before = opened.asked(0).len();
    // Others still have one.
    assert_eq!(opened.look("object").unwrap().object_len, 10);
    assert_eq!(opened.asked(before), [get(FIRST_BYTE)]);
}

#[test]
fn what_is_refused_to_get_too_is_refused_with_its_words() {
    let opened = Opened::new(|request| match request.path() {
        "/missing" if request.method == "GET" => Response::new(404, b""),
        "/gone" => Response::new(404, b""),
        _ => Response::new(403, b"<Error><Code>Expired</Code><Message>It is so.</Message></Error>"),
    });
    let error = opened.look("object").unwrap_err();
    let StorageError::Access { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("Expired: It is so."), "{source}");
    let error = opened.look("missing").unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error}");
    // A server that answers to HEAD is believed.
    let before = opened.asked(0).len();
    let error = opened.look("gone").unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error}");
    assert_eq!(opened.asked(before), [head()]);
}

#[test]
fn a_bucket_that_refuses_head_refuses_get_too() {
    let server = Loopback::start(|_| Response::new(403, b""));
    let options = StorageOptions {
        endpoint: Some(server.url("")),
        access_key_id: Some("AKID".to_owned()),
        secret_access_key: Some(Secret::from("hidden".to_owned())),
        ..StorageOptions::default()
    };
    let opened = Opened::with(server, "s3://bucket", &options);
    let error = opened.look("object").unwrap_err();
    assert!(matches!(error, StorageError::Access { .. }), "{error}");
    assert_eq!(opened.asked(0), [head()]);
}
