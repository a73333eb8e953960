//! What is said to which server, and what its answers mean.
#![allow(clippy::unwrap_used, reason = "tests")]

mod encrypted;
mod loopback;

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use loopback::{Loopback, Request, Response};
use lsio_io::{
    ByteRange, Freshness, Identity, Key, Memory, ReadAnswer, Storage, StorageError, blocking,
};
use lsio_object_store_bridge::{
    Address, ObjectStorage, Secret, StorageOptions, StoreError, Stores,
};

fn open(
    stores: &Stores,
    url: &str,
    options: &StorageOptions,
) -> Result<Arc<ObjectStorage>, StoreError> {
    stores.open(&Address::parse(url).unwrap()?, options)
}

fn read(storage: &dyn Storage, key: &str, range: ByteRange) -> Result<ReadAnswer, StorageError> {
    let memory = Memory::new(1 << 20);
    blocking::read_range(storage, &memory, &Key::new(key).unwrap(), range, Freshness::Current)
}

fn s3_options(server: &Loopback) -> StorageOptions {
    StorageOptions {
        endpoint: Some(format!("http://{}", server.address)),
        access_key_id: Some("AKID".to_owned()),
        secret_access_key: Some(Secret::from("hidden".to_owned())),
        ..StorageOptions::default()
    }
}

fn xml(status: u16, code: &str) -> Response {
    let body = format!("<Error><Code>{code}</Code><Message>It is so.</Message></Error>");
    Response::new(status, body.as_bytes())
}

/// All messages of an error, one after the other.
fn all_of(error: &StorageError) -> String {
    let mut all = vec![format!("{error:?}")];
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        all.push(error.to_string());
        next = error.source();
    }
    all.join(": ")
}

#[test]
fn what_a_bucket_answers_is_told_apart() {
    let server = Loopback::start(|request: &Request| match request.path() {
        "/there/missing" => xml(404, "NoSuchKey"),
        "/there/forbidden" => xml(403, "AccessDenied"),
        "/there/object" => Response::object(request, b"some bytes"),
        path if path.starts_with("/gone/") => xml(404, "NoSuchBucket"),
        _ => xml(400, "Strange"),
    });
    let (stores, options) = (Stores::default(), s3_options(&server));
    let bucket = open(&stores, "s3://there", &options).unwrap();
    let answer = read(&*bucket, "object", ByteRange::Bounded { offset: 5, len: 5 }).unwrap();
    assert_eq!(*answer.bytes, *b"bytes");
    assert_eq!(answer.object_len, 10);
    let missing = read(&*bucket, "missing", ByteRange::Whole).unwrap_err();
    assert!(matches!(missing, StorageError::NotFound { .. }), "{missing}");
    let forbidden = read(&*bucket, "forbidden", ByteRange::Whole).unwrap_err();
    assert!(matches!(forbidden, StorageError::Access { .. }), "{forbidden}");
    assert!(all_of(&forbidden).contains("AccessDenied: It is so."), "{}", all_of(&forbidden));
    let strange = read(&*bucket, "strange", ByteRange::Whole).unwrap_err();
    assert!(matches!(strange, StorageError::Io { .. }), "{strange}");

    let gone = open(&stores, "s3://gone", &options).unwrap();
    let error = read(&*gone, "object", ByteRange::Whole).unwrap_err();
    assert!(
        matches!(&error, StorageError::NoStore { location } if location == "s3://gone"),
        "{error}"
    );
    for request in server.requests() {
        assert!(request.headers["authorization"].starts_with("AWS4-HMAC-SHA256 Credential=AKID/"));
    }
}

#[test]
fn a_server_that_is_asked_too_much_is_asked_again_later() {
    let answers = AtomicU32::new(0);
    let server =
        Loopback::start(move |request: &Request| match answers.fetch_add(1, Ordering::SeqCst) {
            0 => xml(503, "SlowDown").header("retry-after", "0"),
            1 => Response::new(429, b""),
            2 => Response::new(500, b""),
            _ => Response::object(request, b"some bytes"),
        });
    let stores = Stores::default();
    let storage = open(&stores, "s3://there", &s3_options(&server)).unwrap();
    assert_eq!(*read(&*storage, "object", ByteRange::Whole).unwrap().bytes, *b"some bytes");
    let stats = stores.stats();
    assert_eq!((stats.requests, stats.retries, stats.throttled), (4, 3, 2));
    assert!(stats.first_byte_p50.is_some());
}

#[test]
fn the_query_and_the_headers_go_with_each_request_and_into_no_message() {
    let server = Loopback::start(|request: &Request| match request.path() {
        "/a%20b/object" => Response::object(request, b"some bytes"),
        _ => Response::new(500, b"hidden?"),
    });
    let options = StorageOptions {
        headers: vec![("x-key".to_owned(), Secret::from("hidden-key".to_owned()))],
        max_retries: Some(0),
        ..StorageOptions::default()
    };
    let stores = Stores::default();
    let url = server.url("a%20b?sig=hidden-sig");
    let storage = open(&stores, &url, &options).unwrap();
    let path = Address::parse(&url).unwrap().unwrap().path;
    let key = format!("{path}/object");
    assert_eq!(*read(&*storage, &key, ByteRange::Suffix { len: 5 }).unwrap().bytes, *b"bytes");
    let error = read(&*storage, "elsewhere", ByteRange::Whole).unwrap_err();
    let shown = format!("{} {storage:?} {stores:?} {options:?}", all_of(&error));
    assert!(shown.contains("500") && !shown.contains("hidden"), "{shown}");
    for request in server.requests() {
        assert!(request.target.ends_with("?sig=hidden-sig"), "{}", request.target);
        assert_eq!(request.headers["x-key"], "hidden-key");
    }
    // The same options are the same store, others are not.
    assert!(Arc::ptr_eq(&storage, &open(&stores, &url, &options).unwrap()));
    let other = open(&stores, &server.url("a%20b?sig=other"), &options).unwrap();
    assert!(!Arc::ptr_eq(&storage, &other));
}

#[test]
fn a_redirect_to_another_host_is_followed_without_secrets() {
    let other = Loopback::start(|request: &Request| Response::object(request, b"some bytes"));
    let target = other.url("moved");
    let server = Loopback::start(move |request: &Request| match request.path() {
        "/object" => Response::new(302, b"").header("location", target.clone()),
        "/turned" => Response::new(307, b"").header("location", "/object"),
        _ => Response::new(302, b"").header("location", "/endless"),
    });
    let options = StorageOptions {
        headers: vec![("authorization".to_owned(), Secret::from("hidden".to_owned()))],
        ..StorageOptions::default()
    };
    let stores = Stores::default();
    let storage = open(&stores, &server.url("?sig=hidden"), &options).unwrap();
    for key in ["object", "turned"] {
        let answer = read(&*storage, key, ByteRange::Bounded { offset: 5, len: 5 }).unwrap();
        assert_eq!(*answer.bytes, *b"bytes");
    }
    for request in other.requests() {
        assert_eq!(request.target, "/moved");
        assert_eq!(request.headers["range"], "bytes=5-9");
        assert!(!format!("{request:?}").contains("hidden"));
    }
    let endless = read(&*storage, "endless", ByteRange::Whole).unwrap_err();
    assert!(matches!(endless, StorageError::Io { .. }), "{endless}");
}

#[test]
fn a_signed_store_does_not_send_its_requests_elsewhere() {
    let other = Loopback::start(|request: &Request| Response::object(request, b"some bytes"));
    let target = other.url("object");
    let server = Loopback::start(move |_: &Request| {
        xml(307, "TemporaryRedirect").header("location", target.clone())
    });
    let stores = Stores::default();
    let storage = open(&stores, "s3://there", &s3_options(&server)).unwrap();
    let error = read(&*storage, "object", ByteRange::Whole).unwrap_err();
    assert!(all_of(&error).contains("another region"), "{}", all_of(&error));
    assert!(other.requests().is_empty());
}

#[test]
fn a_server_without_ranges_gives_whole_objects() {
    let bytes = vec![7; 1000];
    let server = Loopback::start(move |_: &Request| Response::new(200, &bytes));
    let stores = Stores::default();
    let storage = open(&stores, &server.url(""), &StorageOptions::default()).unwrap();
    // With room for much, a part would be asked for first.
    let memory = Memory::new(256 << 20);
    let key = Key::new("object").unwrap();
    let whole = blocking::read_whole(&*storage, &memory, &key, 1 << 20).unwrap().unwrap();
    assert_eq!(whole.0.len(), 1000);
    let error = read(&*storage, "object", ByteRange::Bounded { offset: 0, len: 10 }).unwrap_err();
    assert!(matches!(error, StorageError::Io { .. }), "{error}");
    let listing = blocking::list_blocking(&*storage, &Key::root());
    assert!(matches!(listing, Err(StorageError::Unsupported { .. })), "{listing:?}");
}

/// An object of 1000 bytes that is replaced by one of 10 bytes after the first answer, with tags that no server can be
/// asked for.
fn shortened(request: &Request, is_first: bool) -> Response {
    let (len, tag) = if is_first { (1000, "W/\"long\"") } else { (10, "W/\"short\"") };
    let mut response = Response::object(request, &vec![7; len]);
    response.headers.retain(|(name, _)| *name != "etag");
    response.header("etag", tag)
}

#[test]
fn an_object_that_becomes_shorter_is_a_conflict_where_its_tag_is_weak() {
    let answers = AtomicU32::new(0);
    let server = Loopback::start(move |request: &Request| {
        shortened(request, answers.fetch_add(1, Ordering::SeqCst) == 0)
    });
    let stores = Stores::default();
    let storage = open(&stores, &server.url(""), &StorageOptions::default()).unwrap();
    let tail = ByteRange::Bounded { offset: 900, len: 100 };
    let identity = read(&*storage, "object", tail).unwrap().identity;
    let (memory, key) = (Memory::new(1 << 20), Key::new("object").unwrap());
    let pinned = Freshness::Pinned(identity);
    let error = blocking::read_range(&*storage, &memory, &key, tail, pinned).unwrap_err();
    assert!(matches!(error, StorageError::Conflict { .. }), "{error}");
    let error = read(&*storage, "object", tail).unwrap_err();
    assert!(matches!(error, StorageError::Truncated { .. }), "{error}");
}

#[test]
fn a_strong_tag_from_the_second_of_its_answer_is_fresh_on_a_plain_server_only() {
    let server = Loopback::start(|request: &Request| {
        let second = if request.path().ends_with("new") { 1 } else { 2 };
        let date = format!("Mon, 23 Nov 2026 10:00:0{second} GMT");
        Response::object(request, b"some bytes").header("date", date)
    });
    let stores = Stores::default();
    let plain = open(&stores, &server.url(""), &StorageOptions::default()).unwrap();
    let bucket = open(&stores, "s3://there", &s3_options(&server)).unwrap();
    let fresh = |storage: &dyn Storage, key| match read(storage, key, ByteRange::Whole).unwrap() {
        ReadAnswer { identity: Identity::Tag(tag), .. } => tag.is_fresh(),
        answer => panic!("{answer:?}"),
    };
    assert_eq!((fresh(&*plain, "new"), fresh(&*plain, "old")), (true, false));
    assert_eq!((fresh(&*bucket, "new"), fresh(&*bucket, "old")), (false, false));
    // What was read at first is the same as what is read later.
    let new = read(&*plain, "new", ByteRange::Whole).unwrap().identity;
    let (memory, key) = (Memory::new(1 << 20), Key::new("old").unwrap());
    let pinned = Freshness::Pinned(new);
    blocking::read_range(&*plain, &memory, &key, ByteRange::Whole, pinned).unwrap();
}

/// A connection that breaks when so many bytes are left to be written.
struct Breaks {
    stream: TcpStream,
    left: usize,
}

impl std::io::Read for Breaks {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        std::io::Read::read(&mut self.stream, bytes)
    }
}

impl Write for Breaks {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        let written = self.stream.write(&bytes[..bytes.len().min(self.left)])?;
        self.left -= written;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

#[test]
fn an_object_that_becomes_shorter_under_a_broken_body_is_a_conflict_where_its_tag_is_weak() {
    let (connections, answers) = (AtomicU32::new(0), AtomicU32::new(0));
    let breaks_first = move |stream| {
        let is_first = connections.fetch_add(1, Ordering::SeqCst) == 0;
        Breaks { stream, left: if is_first { 600 } else { usize::MAX } }
    };
    let server = Loopback::start_over(breaks_first, move |request: &Request| {
        shortened(request, answers.fetch_add(1, Ordering::SeqCst) == 0)
    });
    let stores = Stores::default();
    let storage = open(&stores, &server.url(""), &StorageOptions::default()).unwrap();
    let error = read(&*storage, "object", ByteRange::Whole).unwrap_err();
    assert!(matches!(error, StorageError::Conflict { .. }), "{error}");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn options_that_cannot_be_used_are_refused() {
    let stores = Stores::default();
    let usual = StorageOptions::default();
    let option = |url: &str, options: &StorageOptions| match open(&stores, url, options) {
        Err(StoreError::Option { option, .. }) => option,
        other => panic!("{other:?}"),
    };
    let error = open(&stores, "http://example.org/data", &usual).unwrap_err();
    assert!(matches!(error, StoreError::Unencrypted { .. }), "{error}");
    let allowed = StorageOptions { allow_http: true, ..usual.clone() };
    assert!(open(&stores, "http://example.org/data", &allowed).is_ok());
    let half = StorageOptions { access_key_id: Some("AKID".to_owned()), ..usual.clone() };
    assert_eq!(option("s3://bucket", &half), "accessKeyId");
    assert_eq!(option("gs://bucket", &half), "accessKeyId");
    let endpoint = StorageOptions { endpoint: Some("localhost:9000".to_owned()), ..usual.clone() };
    assert_eq!(option("s3://bucket", &endpoint), "endpoint");
    let bundle = StorageOptions { ca_bundle: Some("/no/such/file".to_owned()), ..usual.clone() };
    assert_eq!(option("https://example.org", &bundle), "caBundle");
    let headers = vec![("no header".to_owned(), Secret::from("x".to_owned()))];
    let headers = StorageOptions { headers, ..usual.clone() };
    assert_eq!(option("https://example.org", &headers), "headers");
    let (line, secret) = ("hidden\n".to_owned(), || Some(Secret::from("hidden\n".to_owned())));
    for (url, name, options) in [
        ("s3://b", "region", StorageOptions { region: Some(line.clone()), ..usual.clone() }),
        (
            "s3://b",
            "accessKeyId",
            StorageOptions { access_key_id: Some(line.clone()), ..usual.clone() },
        ),
        (
            "s3://b",
            "secretAccessKey",
            StorageOptions { secret_access_key: secret(), ..usual.clone() },
        ),
        ("s3://b", "sessionToken", StorageOptions { session_token: secret(), ..usual.clone() }),
        ("gs://b", "bearerToken", StorageOptions { bearer_token: secret(), ..usual.clone() }),
        ("az://b", "account", StorageOptions { account: Some(line.clone()), ..usual.clone() }),
    ] {
        assert_eq!(option(url, &options), name);
        let error = open(&stores, url, &options).unwrap_err();
        assert!(error.to_string().contains("line end") && !error.to_string().contains("hidden"));
    }
    let key = Some(Secret::from("hidden, and no JSON".to_owned()));
    let key = StorageOptions { service_account_key: key, ..usual };
    let error = open(&stores, "gs://bucket", &key).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hidden"));
}
