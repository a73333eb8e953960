//! TLS with a certificate that the test makes, and ways through a forward proxy.

use std::io::{BufRead, BufReader, Write, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::{env, fs, thread};

use lsio_io::{ByteRange, StorageError};
use lsio_object_store_bridge::{Secret, StorageOptions, Stores};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::loopback::{Loopback, Request, Response};
use crate::{all_of, open, read};

/// Names that the certificate is for; nobody resolves the second one.
const NAMES: [&str; 2] = ["127.0.0.1", "store.invalid"];

fn answer(request: &Request) -> Response {
    match request.path() {
        "/object" | "http://store.invalid/object" => Response::object(request, b"some bytes"),
        _ => Response::new(404, b""),
    }
}

/// A server that speaks TLS, and a file with its certificate, in PEM.
fn start() -> (Loopback, PathBuf) {
    let made = rcgen::generate_simple_self_signed(NAMES.map(str::to_owned)).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let wrap =
        move |stream| StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
    let server = Loopback::start_over(wrap, answer);
    let name = format!("lsio-{}-{}.pem", std::process::id(), server.address.port());
    let file = env::temp_dir().join(name);
    fs::write(&file, made.cert.pem()).unwrap();
    (server, file)
}

fn trusting(file: &std::path::Path) -> StorageOptions {
    let ca_bundle = Some(file.to_str().unwrap().to_owned());
    StorageOptions { ca_bundle, ..StorageOptions::default() }
}

fn allowing_http() -> StorageOptions {
    StorageOptions { allow_http: true, ..StorageOptions::default() }
}

/// A proxy that connects to this address, whatever it is asked for, and what it was asked for.
fn forward_to(target: SocketAddr) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let log = asked.clone();
    thread::spawn(move || {
        for client in listener.incoming() {
            let log = log.clone();
            thread::spawn(move || tunnel(client.unwrap(), target, &log));
        }
    });
    (url, asked)
}

fn tunnel(mut client: TcpStream, target: SocketAddr, log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    log.lock().unwrap().push(first);
    // The client says nothing more before it has the answer.
    let _headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let mut server = TcpStream::connect(target).unwrap();
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let there = thread::spawn(move || {
        let _ended = copy(&mut from, &mut to);
        to.shutdown(Shutdown::Write)
    });
    let _ended = copy(&mut server, &mut client);
    let _closed = client.shutdown(Shutdown::Both);
    let _closed = there.join().unwrap();
}

#[test]
fn a_server_with_a_certificate_of_its_own_is_read_with_a_bundle() {
    let (server, file) = start();
    let stores = Stores::default();
    let storage = open(&stores, &format!("https://{}", server.address), &trusting(&file)).unwrap();
    let answer = read(&*storage, "object", ByteRange::Bounded { offset: 5, len: 5 }).unwrap();
    assert_eq!(*answer.bytes, *b"bytes");
    fs::remove_file(file).unwrap();
}

#[test]
fn a_certificate_that_nobody_trusts_is_an_error_that_says_what_to_do() {
    let (server, file) = start();
    let (stores, options) = (Stores::default(), StorageOptions::default());
    let storage = open(&stores, &format!("https://{}", server.address), &options).unwrap();
    let error = read(&*storage, "object", ByteRange::Whole).unwrap_err();
    assert!(matches!(error, StorageError::Io { .. }), "{error}");
    let text = all_of(&error);
    assert!(text.contains("certificate") && text.contains("caBundle"), "{text}");
    assert_eq!(stores.stats().requests, 1, "it will not be trusted later either");
    assert!(server.requests().is_empty());
    fs::remove_file(file).unwrap();
}

#[test]
fn a_certificate_of_another_host_is_an_error() {
    let (server, file) = start();
    let stores = Stores::default();
    let url = format!("https://localhost:{}", server.address.port());
    let storage = open(&stores, &url, &trusting(&file)).unwrap();
    let error = read(&*storage, "object", ByteRange::Whole).unwrap_err();
    assert!(all_of(&error).contains("certificate"), "{}", all_of(&error));
    assert!(server.requests().is_empty());
    fs::remove_file(file).unwrap();
}

#[test]
fn a_proxy_is_asked_for_hosts_and_sees_nothing_of_what_is_encrypted() {
    let (server, file) = start();
    let (url, asked) = forward_to(server.address);
    let options = StorageOptions {
        proxy: Some(Secret::from(url)),
        headers: vec![("x-key".to_owned(), Secret::from("hidden".to_owned()))],
        ..trusting(&file)
    };
    let stores = Stores::default();
    let storage = open(&stores, "https://store.invalid", &options).unwrap();
    assert_eq!(*read(&*storage, "object", ByteRange::Whole).unwrap().bytes, *b"some bytes");
    assert_eq!(*asked.lock().unwrap(), ["CONNECT store.invalid:443 HTTP/1.1"]);
    assert_eq!(server.requests()[0].headers["x-key"], "hidden");
    fs::remove_file(file).unwrap();
}

#[test]
fn a_proxy_gets_requests_that_are_not_encrypted() {
    let proxy = Loopback::start(answer);
    let options = StorageOptions { proxy: Some(Secret::from(proxy.url(""))), ..allowing_http() };
    let stores = Stores::default();
    let storage = open(&stores, "http://store.invalid", &options).unwrap();
    assert_eq!(*read(&*storage, "object", ByteRange::Whole).unwrap().bytes, *b"some bytes");
    assert_eq!(proxy.requests()[0].target, "http://store.invalid/object");
}

/// Where a test that runs itself once more, in another environment, finds its servers.
const SERVERS: &str = "LSIO_SERVERS_OF_THE_TEST";

#[test]
fn a_proxy_of_the_environment_is_not_asked_for_this_machine() {
    if let Ok(servers) = env::var(SERVERS) {
        let (stores, options) = (Stores::default(), allowing_http());
        for server in servers.split(' ') {
            let storage = open(&stores, server, &options).unwrap();
            assert_eq!(*read(&*storage, "object", ByteRange::Whole).unwrap().bytes, *b"some bytes");
        }
        return;
    }
    let (server, proxy) = (Loopback::start(answer), Loopback::start(answer));
    let (address, port) = (server.address, server.address.port());
    let servers = format!("http://{address} http://localhost:{port} http://store.invalid");
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "encrypted::a_proxy_of_the_environment_is_not_asked_for_this_machine"])
        .env(SERVERS, servers)
        .env("HTTP_PROXY", proxy.url(""))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        // With it, the environment is that of a request, whose headers are variables too.
        .env_remove("REQUEST_METHOD")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let targets = |asked: &Loopback| -> Vec<String> {
        asked.requests().into_iter().map(|request| request.target).collect()
    };
    assert_eq!(targets(&server), ["/object", "/object"]);
    assert_eq!(targets(&proxy), ["http://store.invalid/object"]);
}

#[test]
fn a_proxy_of_the_options_is_asked_for_this_machine_too() {
    let proxy = Loopback::start(|request: &Request| Response::object(request, b"some bytes"));
    let options = StorageOptions { proxy: Some(Secret::from(proxy.url(""))), ..Default::default() };
    let stores = Stores::default();
    let storage = open(&stores, "http://127.0.0.1:1", &options).unwrap();
    assert_eq!(*read(&*storage, "object", ByteRange::Whole).unwrap().bytes, *b"some bytes");
    assert_eq!(proxy.requests()[0].target, "http://127.0.0.1:1/object");
}
