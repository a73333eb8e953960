//! Checks of names: listings, odd characters, many small objects.

use super::{Suite, ensure, key, sample};
use crate::{ByteRange, Entry, Key, Memory, StorageError, blocking};

impl Suite<'_> {
    pub(super) fn lists_direct_members_by_name(&self) -> Result<(), String> {
        for name in ["b/c/0", "b/c/1", "b/zarr.json", "b/c-d", "b/c.d/x", "b/e/f/g", "other/x"] {
            self.put(&format!("listing/{name}"), name.as_bytes())?;
        }
        let list = |name: &str| {
            blocking::list_blocking(&*self.reader.storage, &key(name)?)
                .map_err(|error| format!("listing of '{name}': {error}"))
        };
        if !self.harness.capabilities().can_list {
            let listed = list("listing");
            let refused = blocking::list_blocking(&*self.reader.storage, &Key::root());
            let is_refused = matches!(refused, Err(StorageError::Unsupported { .. }));
            ensure!(listed.is_err() && is_refused, "it lists, but was not to: {refused:?}");
            return Ok(());
        }
        let prefix = |name: &str| Entry::Prefix(name.to_owned());
        let object = |name: &str, len| Entry::Object(name.to_owned(), len);
        for (name, members) in [
            (
                "listing/b",
                vec![
                    prefix("c"),
                    object("c-d", 5),
                    prefix("c.d"),
                    prefix("e"),
                    object("zarr.json", 11),
                ],
            ),
            ("listing", vec![prefix("b"), prefix("other")]),
            ("listing/b/c", vec![object("0", 5), object("1", 5)]),
        ] {
            let listed = list(name)?;
            ensure!(listed == members, "listing of '{name}': {listed:?}");
        }
        let root = blocking::list_blocking(&*self.reader.storage, &Key::root())
            .map_err(|error| format!("listing of the root: {error}"))?;
        ensure!(root == [prefix("conformance")], "listing of the root: {root:?}");

        let missing =
            blocking::list_blocking(&*self.reader.storage, &key("listing/no such prefix")?);
        let expected = match &missing {
            Ok(members) => members.is_empty() && !self.harness.capabilities().has_directories,
            Err(StorageError::NotFound { .. }) => self.harness.capabilities().has_directories,
            Err(_) => false,
        };
        ensure!(expected, "listing of a missing prefix: {missing:?}");
        Ok(())
    }

    pub(super) fn serves_odd_names(&self) -> Result<(), String> {
        let names =
            ["with space", "per%20cent", "h#sh?query&a=b", "plus+colon:", "ümläut/日本", "~a"];
        for (i, name) in names.into_iter().enumerate() {
            let bytes = sample(100 + i, i as u32);
            let key = self.put(&format!("names/{name}"), &bytes)?;
            let answer = self.reader.read(&key, ByteRange::Whole)?;
            let answer = answer.map_err(|error| format!("'{name}': {error}"))?;
            ensure!(*answer.bytes == *bytes, "'{name}': other bytes");
        }
        for name in ["../x", "a/../../x", "/etc/passwd", "a//b", "a/./b", "a\\..\\b", "a\0b"] {
            ensure!(Key::new(name).is_err(), "'{name}' is accepted as a key");
        }
        Ok(())
    }

    pub(super) fn serves_blocking_reads(&self) -> Result<(), String> {
        let mut keys = Vec::new();
        let mut objects = Vec::new();
        for i in 0..40 {
            let bytes = sample(i * 10_007, i as u32);
            keys.push(self.put(&format!("metadata/{i}"), &bytes)?);
            objects.push(bytes);
        }
        keys.push(key("metadata/missing")?);
        let limit = 1 << 20;
        // All of the budget is in use: metadata must not wait for it.
        let memory = Memory::new(1 << 20);
        let full = memory.reserve(0, 1 << 20);
        let storage = &*self.reader.storage;
        let results = blocking::read_many(storage, &memory, &keys, limit);
        ensure!(results.len() == keys.len(), "{} of {} results", results.len(), keys.len());
        for (i, result) in results.into_iter().enumerate() {
            let found = result.map_err(|error| format!("metadata {i}: {error}"))?;
            match (found, objects.get(i)) {
                (Some((bytes, _)), Some(expected)) if *bytes == **expected => {}
                (None, None) => {}
                (found, _) => return Err(format!("metadata {i}: {found:?}")),
            }
        }
        let too_long = blocking::read_whole(storage, &memory, &keys[30], 1000);
        ensure!(
            matches!(too_long, Err(StorageError::TooLong { len: 300_210, reserved: 1000, .. })),
            "above the limit: {too_long:?}"
        );
        drop(full);
        let usage = memory.usage();
        ensure!(usage.reserved + usage.small + usage.held == 0, "not given back: {usage:?}");
        Ok(())
    }
}
