//! Which engine is chosen, where the kernel grants a ring and where it does not.

use lsio_io::{ByteRange, IoMode, Route};
use lsio_uring::{Engine, EngineChoice, EngineError, LocalConfig, LocalEngine};

use crate::harness::{Ask, Bench, Folder};
use crate::unsafe_privileges::without_io_uring;

#[test]
fn without_a_ring_the_pread_pool_reads_directly() {
    let folder = Folder::new();
    let bytes = folder.file("data", 3_000_000, 1);
    for (errno, cause) in [(libc::EPERM, "seccomp"), (libc::ENOSYS, "no io_uring")] {
        without_io_uring(errno, || {
            let bench = Bench::new(&folder, EngineChoice::Auto);
            let completion =
                bench.read("data", ByteRange::Whole, &Ask::new(IoMode::Direct, 3_000_000));
            assert_eq!(completion.route, Route::PreadDirect);
            assert!(completion.result.unwrap().bytes[..] == bytes[..]);
            let engine = bench.storage.engine();
            assert_eq!(engine.engine(), Engine::Pread);
            let refusal = engine.probe().refusal().unwrap();
            assert!(refusal.contains(cause), "{refusal}");
        });
    }
}

#[test]
fn a_ring_that_was_asked_for_by_name_and_is_refused_is_an_error() {
    without_io_uring(libc::EPERM, || {
        let refused = LocalEngine::new(EngineChoice::Uring, LocalConfig::default()).unwrap_err();
        let EngineError::NoRing { reason } = refused;
        assert!(reason.contains("seccomp"), "{reason}");
    });
}

#[test]
fn the_pread_engine_makes_no_ring() {
    let folder = Folder::new();
    folder.file("data", 10_000, 1);
    let bench = Bench::new(&folder, EngineChoice::Pread);
    let completion = bench.read("data", ByteRange::Whole, &Ask::new(IoMode::Direct, 10_000));
    assert_eq!(completion.route, Route::PreadDirect);
    assert_eq!(bench.storage.engine().engine(), Engine::Pread);
    assert_eq!(bench.storage.engine().stats().ring_requests, 0);
}
