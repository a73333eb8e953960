//! Which way bytes come: past the page cache, through it, or out of it.

use std::sync::Arc;

use lsio::{EngineChoice, IoMode, LocalStats, Route};

use crate::reading::{drop_cache, engines, get_all, open_at};
use crate::scratch_folder::ScratchFolder;
use crate::written_array::WrittenArray;

fn served(after: &LocalStats, before: &LocalStats, route: Route) -> u64 {
    after.bytes_by(route) - before.bytes_by(route)
}

#[test]
fn every_route_serves_bytes_when_it_is_its_turn() {
    for (choice, engine) in engines() {
        let folder = ScratchFolder::new();
        let array = WrittenArray::floats(&[256, 512], &[64, 64], 1).uncompressed();
        array.write(Arc::new(engine.open_folder(folder.path()).unwrap()), "");
        let opened = open_at(&engine, folder.location()).unwrap();
        let len = array.elements.len() as u64;
        let direct = match choice {
            EngineChoice::Uring => Route::UringDirect,
            _ => Route::PreadDirect,
        };
        let read = |mode, route: Route| {
            let before = engine.stats().1;
            let (bytes, stats) = get_all(&opened, mode).unwrap();
            assert!(bytes == array.elements, "{choice:?}, {mode:?}");
            let after = engine.stats().1;
            assert_eq!(after.direct_fallbacks, 0, "this file system has no O_DIRECT");
            assert_eq!(served(&after, &before, route), len, "{choice:?}, {mode:?}: {stats:?}");
            assert_eq!(stats.bytes_by_route[route.index()], len);
            let total: u64 = Route::ALL.iter().map(|way| served(&after, &before, *way)).sum();
            assert_eq!(total, len, "{choice:?}, {mode:?}: other routes too");
        };
        read(IoMode::Direct, direct);
        for mode in [IoMode::Auto, IoMode::Buffered] {
            drop_cache(&engine, folder.path());
            let before = engine.stats().1;
            let (bytes, _) = get_all(&opened, mode).unwrap();
            assert!(bytes == array.elements);
            let after = engine.stats().1;
            // Read-ahead may be faster than the read itself, so the first pages decide.
            assert!(served(&after, &before, Route::Buffered) > 0, "{choice:?}, {mode:?}");
            assert_eq!(served(&after, &before, direct), 0, "{choice:?}, {mode:?}");
            read(mode, Route::Resident);
        }
        assert!(engine.stats().1.ring_requests > 0 || choice == EngineChoice::Pread);
    }
}
