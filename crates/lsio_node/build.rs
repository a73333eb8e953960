//! Tells the linker that Node brings the symbols of Node-API, and notes which versions of the native
//! libraries are built in.

use std::fs;
use std::process::Command;

/// The packages of Cargo.lock whose versions users are told.
const BUILT_IN: [&str; 5] = ["blosc-src", "io-uring", "libdeflate-sys", "napi", "zstd-sys"];

const LOCK_FILE: &str = "../../Cargo.lock";

fn main() {
    napi_build::setup();
    println!("cargo:rerun-if-changed={LOCK_FILE}");
    let lock = fs::read_to_string(LOCK_FILE).unwrap_or_default();
    let mut versions: Vec<String> = BUILT_IN
        .iter()
        .filter_map(|name| Some(format!("{name} {}", version(&lock, name)?)))
        .collect();
    versions.extend(compiler());
    println!("cargo:rustc-env=LSIO_VERSIONS={}", versions.join(";"));
}

/// The version of a package in the lock file.
fn version<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    rest.split('"').next()
}

/// The name and version of the compiler.
fn compiler() -> Option<String> {
    let rustc = std::env::var_os("RUSTC")?;
    let output = Command::new(rustc).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().nth(1).map(|version| format!("rustc {version}"))
}
