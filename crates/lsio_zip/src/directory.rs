//! The members of an archive, by name.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use lsio_io::{Entry as Listed, Identity, Key, Reservation};

use crate::central_directory::{Entry, Method};
use crate::local_header;

/// A member of an archive.
#[derive(Debug)]
pub(crate) struct Member {
    name: Range<usize>,
    pub(crate) method: Method,
    /// CRC-32 of its bytes.
    pub(crate) crc: u32,
    /// Bytes in the archive.
    pub(crate) stored_len: u64,
    /// Bytes of the member.
    pub(crate) len: u64,
    /// First byte of its local header.
    pub(crate) header: u64,
    /// First byte that belongs to the next member, or to the directory.
    pub(crate) end: u64,
    /// First of its own bytes, once its local header has been seen; before that 0, where no bytes of a
    /// member can be.
    data: AtomicU64,
}

/// The members of one version of an archive.
#[derive(Debug)]
pub(crate) struct Directory {
    /// The version.
    pub(crate) identity: Identity,
    names: String,
    /// Sorted by name, each name once.
    members: Vec<Member>,
    /// What keeps the budget informed of names and members.
    _held: Reservation,
}

/// Collects the members of an archive.
#[derive(Debug, Default)]
pub(crate) struct Collecting {
    names: String,
    members: Vec<Member>,
}

impl Member {
    /// First of its own bytes, if that is known.
    pub(crate) fn data(&self) -> Option<u64> {
        Some(self.data.load(Ordering::Relaxed)).filter(|&data| data > 0)
    }

    /// Learns it from the local header. `false` for what is no header, or one that leaves too little room for
    /// the member.
    pub(crate) fn learn(&self, header: &[u8]) -> bool {
        let data = local_header::len(header).and_then(|len| self.header.checked_add(len));
        let fits =
            |data: &u64| data.checked_add(self.stored_len).is_some_and(|end| end <= self.end);
        let data = data.filter(fits);
        self.data.store(data.unwrap_or(0), Ordering::Relaxed);
        data.is_some()
    }
}

impl Collecting {
    /// Takes an entry. Folders are left out, and names that no key can have: nobody can ask for them.
    pub(crate) fn add(&mut self, entry: &Entry<'_>) {
        let Some(name) = std::str::from_utf8(entry.name).ok().filter(|name| is_key(name)) else {
            return;
        };
        let start = self.names.len();
        self.names.push_str(name);
        let &Entry { method, crc, stored_len, len, header, .. } = entry;
        self.members.push(Member {
            name: start..self.names.len(),
            method,
            crc,
            stored_len,
            len,
            header,
            end: 0,
            data: AtomicU64::new(0),
        });
    }

    /// The directory; it begins at byte `end` of the archive. Of members with the same name the last counts.
    pub(crate) fn finish(
        self,
        identity: Identity,
        end: u64,
        hold: impl FnOnce(u64) -> Reservation,
    ) -> Directory {
        let Self { names, mut members } = self;
        let mut starts: Vec<u64> = members.iter().map(|member| member.header).collect();
        starts.sort_unstable();
        for member in &mut members {
            let next = starts.partition_point(|&start| start <= member.header);
            member.end = starts.get(next).copied().unwrap_or(end).min(end);
        }
        // Stable: members of one name stay in their order.
        members.sort_by(|a, b| names[a.name.clone()].cmp(&names[b.name.clone()]));
        members.reverse();
        members.dedup_by(|a, b| names[a.name.clone()] == names[b.name.clone()]);
        members.reverse();
        members.shrink_to_fit();
        let bytes = names.capacity() + members.capacity() * size_of::<Member>();
        Directory { identity, names, members, _held: hold(bytes as u64) }
    }
}

impl Directory {
    fn name(&self, member: &Member) -> &str {
        &self.names[member.name.clone()]
    }

    /// Number of the member with this name.
    pub(crate) fn find(&self, key: &Key) -> Option<usize> {
        self.members.binary_search_by(|member| self.name(member).cmp(key.as_str())).ok()
    }

    /// The member with a number that [`find`](Self::find) gave.
    pub(crate) fn member(&self, number: usize) -> &Member {
        &self.members[number]
    }

    /// The direct members below `prefix`, sorted by name.
    pub(crate) fn list(&self, prefix: &Key) -> Vec<Listed> {
        let start = if prefix.is_root() { String::new() } else { format!("{prefix}/") };
        let first = self.members.partition_point(|member| self.name(member) < start.as_str());
        let below = self.members[first..]
            .iter()
            .map_while(|member| Some((self.name(member).strip_prefix(&start)?, member.len)));
        let mut entries: Vec<Listed> = Vec::new();
        for (name, len) in below {
            let entry = match name.split_once('/') {
                Some((folder, _)) if entries.last().is_some_and(|last| is_folder(last, folder)) => {
                    continue;
                }
                Some((folder, _)) => Listed::Prefix(folder.to_owned()),
                None => Listed::Object(name.to_owned(), len),
            };
            entries.push(entry);
        }
        // "a-b" lies between "a" and "a/b".
        entries.sort_by(|a, b| (a.name(), a).cmp(&(b.name(), b)));
        entries.dedup();
        entries
    }
}

fn is_folder(entry: &Listed, name: &str) -> bool {
    matches!(entry, Listed::Prefix(folder) if folder == name)
}

/// Whether this is the name of an object: a key that is not the root. Checked without making one.
fn is_key(name: &str) -> bool {
    !name.is_empty() && !name.ends_with('/') && Key::new(name).is_ok()
}
