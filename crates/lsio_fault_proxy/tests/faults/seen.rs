//! The faults, one after the other.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use lsio_fault_proxy::{Fault, FaultProxy, Plan, Rule};

use crate::client::{ask, get};
use crate::origin::{self, object};

fn proxy(rules: Vec<Rule>) -> FaultProxy {
    let proxy = FaultProxy::start(origin::start()).unwrap();
    proxy.set_plan(Plan { seed: 1, rules });
    proxy
}

fn proxy_with(fault: Fault) -> FaultProxy {
    proxy(vec![Rule::every(fault)])
}

#[test]
fn everything_passes_unchanged_without_a_plan() {
    let proxy = proxy(vec![]);
    let seen = get(proxy.address(), "/key%20of?versionId=3");
    assert_eq!((seen.status, seen.body == object()), (200, true));
    assert_eq!(seen.header("etag"), Some(origin::ETAG));
    assert_eq!(seen.header("x-request"), Some("GET /key%20of?versionId=3 HTTP/1.1"));
    assert_eq!(seen.header("x-host"), Some(proxy.address().to_string().as_str()));
    assert!(seen.end.is_ok());
}

#[test]
fn ranges_and_heads_pass() {
    let proxy = proxy(vec![]);
    let range = ask(proxy.address(), "GET", "/key", &["Range: bytes=5-7"]);
    assert_eq!((range.status, range.body), (206, vec![5, 6, 7]));
    let head = ask(proxy.address(), "HEAD", "/key", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("10000"));
}

#[test]
fn latency_comes_before_the_answer() {
    let proxy = proxy_with(Fault::Latency { milliseconds: 30 });
    let start = Instant::now();
    assert_eq!(get(proxy.address(), "/key").body, object());
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[test]
fn requests_that_go_together_wait_for_each_other() {
    let proxy = proxy_with(Fault::Together { requests: 3 });
    let address = proxy.address();
    let clients = [(); 3].map(|()| thread::spawn(move || get(address, "/key").status));
    assert_eq!(clients.map(|client| client.join().unwrap()), [200; 3]);
    // Each came while those before it were under way.
    let log = proxy.log();
    let came: Vec<_> = log.requests.iter().map(|request| request.in_flight).collect();
    assert_eq!(came, [1, 2, 3]);
}

#[test]
fn a_reset_before_the_answer_brings_nothing() {
    let proxy = proxy_with(Fault::Reset { after_bytes: 0 });
    let seen = get(proxy.address(), "/key");
    assert_eq!(seen.end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(seen.body.is_empty());
    assert_eq!(proxy.log().requests[0].status, None);
}

#[test]
fn a_reset_in_the_body_is_one_to_the_client() {
    let proxy = proxy_with(Fault::Reset { after_bytes: 100 });
    let seen = get(proxy.address(), "/key");
    assert_eq!(seen.end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(seen.body.len() <= 100, "{} bytes", seen.body.len());
}

#[test]
fn a_status_is_answered_by_the_proxy() {
    let proxy = proxy_with(Fault::Status { status: 503 });
    let seen = get(proxy.address(), "/key");
    assert_eq!((seen.status, seen.header("x-request")), (503, None));
    assert!(String::from_utf8(seen.body).unwrap().contains("<Code>SlowDown</Code>"));
}

#[test]
fn a_cut_body_ends_by_fin_before_its_length() {
    let proxy = proxy_with(Fault::Cut { after_bytes: 100 });
    let seen = get(proxy.address(), "/key");
    assert_eq!(seen.header("content-length"), Some("10000"));
    assert_eq!(seen.body, object()[..100]);
    assert!(seen.end.is_ok());
    assert_eq!(proxy.log().requests[0].bytes, 100);
}

#[test]
fn a_slow_body_takes_its_time() {
    // Two pieces, the second a tenth of a second after the first.
    let proxy = proxy_with(Fault::Slow { bytes_per_second: 50_000 });
    let start = Instant::now();
    assert_eq!(get(proxy.address(), "/key").body, object());
    assert!(start.elapsed() >= Duration::from_millis(100));
}

#[test]
fn a_content_length_that_is_too_long_is_not_met() {
    let proxy = proxy_with(Fault::ContentLength { difference: 5 });
    let seen = get(proxy.address(), "/key");
    assert_eq!(seen.header("content-length"), Some("10005"));
    assert_eq!(seen.body, object());
}

#[test]
fn a_content_length_that_is_too_short_leaves_bytes_out() {
    let proxy = proxy_with(Fault::ContentLength { difference: -5 });
    let seen = get(proxy.address(), "/key");
    assert_eq!(seen.header("content-length"), Some("9995"));
    assert_eq!(seen.body, object()[..9995]);
}

#[test]
fn an_etag_changes_after_the_first_requests_of_a_key() {
    let changed = Rule { after: 1, ..Rule::every(Fault::ChangedEtag { always: false }) };
    let proxy = proxy(vec![changed]);
    let etag = |target| get(proxy.address(), target).header("etag").map(str::to_owned);
    assert_eq!(etag("/a").as_deref(), Some("\"one\""));
    assert_eq!(etag("/b").as_deref(), Some("\"one\""));
    assert_eq!(etag("/a").as_deref(), Some("\"one-changed\""));

    let old = ask(proxy.address(), "GET", "/a", &["If-Match: \"one\""]);
    assert_eq!(old.status, 412);
    let new = ask(proxy.address(), "GET", "/a", &["If-Match: \"one-changed\""]);
    assert_eq!((new.status, new.header("x-if-match")), (200, Some("\"one\"")));
}

#[test]
fn an_etag_that_always_changes_is_never_met() {
    let proxy = proxy_with(Fault::ChangedEtag { always: true });
    let first = get(proxy.address(), "/a").header("etag").unwrap().to_owned();
    let second = get(proxy.address(), "/a").header("etag").unwrap().to_owned();
    assert_ne!(first, second);
    let condition = format!("If-Match: {second}");
    assert_eq!(ask(proxy.address(), "GET", "/a", &[&condition]).status, 412);
}

#[test]
fn an_upstream_that_is_gone_is_a_bad_gateway() {
    let gone = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let proxy = FaultProxy::start(gone).unwrap();
    assert_eq!(get(proxy.address(), "/key").status, 502);
}

#[test]
fn the_log_says_what_came() {
    let proxy = proxy(vec![]);
    ask(proxy.address(), "GET", "/key?a=1", &["Range: bytes=5-7"]);
    ask(proxy.address(), "HEAD", "/other", &[]);
    let log = proxy.log();
    let [first, second] = &log.requests[..] else { panic!("{log:?}") };
    assert_eq!((first.method.as_str(), first.path.as_str()), ("GET", "/key?a=1"));
    assert_eq!(first.range.as_deref(), Some("bytes=5-7"));
    assert_eq!((first.status, first.bytes, first.in_flight), (Some(206), 3, 1));
    assert!(first.end_ms.unwrap() >= first.start_ms);
    assert_eq!((second.method.as_str(), second.bytes), ("HEAD", 0));
    assert_eq!((log.in_flight, log.connections.accepted), (0, 2));
    proxy.clear_log();
    assert!(proxy.log().requests.is_empty());
}

#[test]
fn requests_are_under_way_until_they_end_or_their_client_leaves() {
    let proxy = proxy_with(Fault::Latency { milliseconds: 3_600_000 });
    let clients = [1, 2, 3].map(|count| {
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        stream.write_all(b"GET /key HTTP/1.1\r\nHost: proxy\r\n\r\n").unwrap();
        while proxy.log().requests.len() < count {
            thread::yield_now();
        }
        stream
    });
    let counts: Vec<_> = proxy.log().requests.iter().map(|request| request.in_flight).collect();
    assert_eq!((counts, proxy.log().connections.open), (vec![1, 2, 3], 3));

    drop(clients);
    while proxy.log().in_flight + proxy.log().connections.open > 0 {
        thread::yield_now();
    }
    assert!(proxy.log().requests.iter().all(|request| request.end_ms.is_some()));
}
