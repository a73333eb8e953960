//! The binary, as programs in other languages use it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::client::get;
use crate::origin::{self, object};

fn start() -> (Child, SocketAddr, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lsio_fault_proxy"))
        .arg(origin::start().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let started: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = |name: &str| started[name].as_str().unwrap().parse().unwrap();
    (child, address("address"), address("control"))
}

fn put_plan(control: SocketAddr, plan: &str) -> String {
    let mut stream = TcpStream::connect(control).unwrap();
    write!(
        stream,
        "PUT /plan HTTP/1.1\r\nHost: control\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{plan}",
        plan.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn plan_and_log_go_over_the_control_endpoint() {
    let (mut child, address, control) = start();
    assert_eq!(get(address, "/key").body, object());

    let plan = r#"{"rules": [{"path": "/key", "first": 1, "fault": {"status": {"status": 500}}}]}"#;
    assert!(put_plan(control, plan).starts_with("HTTP/1.1 204"));
    assert_eq!([get(address, "/key").status, get(address, "/key").status], [500, 200]);

    let log: serde_json::Value = serde_json::from_slice(&get(control, "/log").body).unwrap();
    let statuses: Vec<_> = log["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| request["status"].as_u64())
        .collect();
    assert_eq!(statuses, [Some(200), Some(500), Some(200)]);

    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_plan_with_a_mistake_is_refused() {
    let (mut child, _, control) = start();
    let answer = put_plan(control, r#"{"rules": [{"fault": {"latancy": {}}}]}"#);
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("latancy"), "{answer}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}
