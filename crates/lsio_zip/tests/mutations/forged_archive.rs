//! Archives made record by record, whose fields fit each other unless just they are forged.
//!
//! Specification: APPNOTE 4.3.7 to 4.3.16, 4.5.3.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use lsio_mutation::{Random, alter, hostile_number};

/// Names of the members.
pub(crate) const MEMBERS: [&str; 4] = ["zarr.json", "c/0/0", "c/0/1", "é"];

/// What is forged, about once in an archive.
struct Forger<'a> {
    random: &'a mut Random,
    is_on: bool,
}

impl Forger<'_> {
    /// One time in forty a number that is not `number`.
    fn mostly(&mut self, number: u64) -> u64 {
        if self.is_on && self.random.once_in(40) {
            hostile_number(self.random, number)
        } else {
            number
        }
    }

    /// Appends a number of so many bytes.
    fn put(&mut self, bytes: &mut Vec<u8>, width: usize, number: u64) {
        bytes.extend(&self.mostly(number).to_le_bytes()[..width]);
    }
}

/// What the directory says of a member.
struct Entry<'a> {
    name: &'a str,
    method: u64,
    checksum: u32,
    lengths: [u64; 2],
    header: u64,
}

/// Version 4.5, the first with zip64, as the one that wrote and the one that is needed.
const VERSIONS: u64 = 0x002d_002d;

/// An archive of the members.
pub(crate) fn archive(random: &mut Random, is_forged: bool) -> Vec<u8> {
    let mut forger = Forger { random, is_on: is_forged };
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    let is_wide = forger.random.once_in(2);
    for name in MEMBERS {
        let len = forger.random.below(300);
        let mut content = forger.random.bytes(len);
        for byte in &mut content {
            *byte &= 7;
        }
        let method = *forger.random.pick(&[0, 8]);
        let mut stored = if method == 8 { deflated(&content) } else { content.clone() };
        let header = bytes.len() as u64;
        if is_forged && forger.random.once_in(8) {
            alter(forger.random, &mut stored);
            if method == 8 {
                // The checksum and the length of what the changed bytes give.
                content = inflated(&stored);
            }
        }
        let checksum = crc32fast::hash(&content);
        let lengths = [stored.len() as u64, content.len() as u64];
        let entry = Entry { name, method, checksum, lengths, header };
        put_local_header(&mut forger, &mut bytes, &entry);
        bytes.extend(stored);
        put_entry(&mut forger, &mut directory, &entry, is_wide);
    }
    let place = [MEMBERS.len() as u64, directory.len() as u64, bytes.len() as u64];
    bytes.extend(directory);
    if is_wide {
        put_wide_end(&mut forger, &mut bytes, place);
    }
    put_end(&mut forger, &mut bytes, place, is_wide);
    bytes
}

fn put_local_header(forger: &mut Forger<'_>, bytes: &mut Vec<u8>, entry: &Entry<'_>) {
    bytes.extend(b"PK\x03\x04");
    for (width, number) in [
        (2, 45),
        (2, 1 << 11),
        (2, entry.method),
        (4, 0),
        (4, entry.checksum.into()),
        (4, entry.lengths[0]),
        (4, entry.lengths[1]),
        (2, entry.name.len() as u64),
        (2, 0),
    ] {
        forger.put(bytes, width, number);
    }
    bytes.extend(entry.name.as_bytes());
}

/// An entry of the directory, with its lengths and its place in 32 bits or in a zip64 field.
fn put_entry(forger: &mut Forger<'_>, bytes: &mut Vec<u8>, entry: &Entry<'_>, is_wide: bool) {
    let numbers = [entry.lengths[1], entry.lengths[0], entry.header];
    let mut extra = Vec::new();
    if is_wide {
        forger.put(&mut extra, 2, 1);
        forger.put(&mut extra, 2, 24);
        for number in numbers {
            forger.put(&mut extra, 8, number);
        }
    }
    let narrow = |number: u64| if is_wide { u64::from(u32::MAX) } else { number };
    bytes.extend(b"PK\x01\x02");
    for (width, number) in [
        (4, VERSIONS),
        (2, 1 << 11),
        (2, entry.method),
        (4, 0),
        (4, entry.checksum.into()),
        (4, narrow(entry.lengths[0])),
        (4, narrow(entry.lengths[1])),
        (2, entry.name.len() as u64),
        (2, extra.len() as u64),
        (2, 0),
        (8, 0),
        (4, narrow(entry.header)),
    ] {
        forger.put(bytes, width, number);
    }
    bytes.extend(entry.name.as_bytes());
    bytes.extend(extra);
}

/// The zip64 end record, which says the number of entries, the length and the place of the directory, and its
/// locator.
fn put_wide_end(forger: &mut Forger<'_>, bytes: &mut Vec<u8>, place: [u64; 3]) {
    let at = bytes.len() as u64;
    bytes.extend(b"PK\x06\x06");
    for (width, number) in
        [(8, 44), (4, VERSIONS), (8, 0), (8, place[0]), (8, place[0]), (8, place[1]), (8, place[2])]
    {
        forger.put(bytes, width, number);
    }
    bytes.extend(b"PK\x06\x07");
    for (width, number) in [(4, 0), (8, at), (4, 1)] {
        forger.put(bytes, width, number);
    }
}

fn put_end(forger: &mut Forger<'_>, bytes: &mut Vec<u8>, place: [u64; 3], is_wide: bool) {
    bytes.extend(b"PK\x05\x06");
    let [entries, len, offset] = if is_wide { [u64::from(u32::MAX); 3] } else { place };
    for (width, number) in [(4, 0), (2, entries), (2, entries), (4, len), (4, offset), (2, 0)] {
        forger.put(bytes, width, number);
    }
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// What deflated bytes give up to where they are wrong.
fn inflated(stored: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(4096);
    let mut decompress = flate2::Decompress::new(false);
    // What is wrong with them is for the reader under test to find.
    let _ = decompress.decompress_vec(stored, &mut content, flate2::FlushDecompress::Finish);
    content
}
