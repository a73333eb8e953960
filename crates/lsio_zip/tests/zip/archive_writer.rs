//! A writer of archives for tests of how they change: members stored or deflated, in order of their names.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Members by name; every second one is deflated. Their local headers have extra fields that the directory
/// does not have.
pub(crate) fn archive(members: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (number, (name, content)) in members.iter().enumerate() {
        let deflated = number % 2 == 1;
        let stored = if deflated { deflate(content) } else { content.clone() };
        let header = bytes.len() as u32;
        let mut shared = Vec::new();
        shared.extend(20u16.to_le_bytes());
        shared.extend((1u16 << 11).to_le_bytes());
        shared.extend((if deflated { 8u16 } else { 0 }).to_le_bytes());
        shared.extend([0; 4]);
        shared.extend(crc32fast::hash(content).to_le_bytes());
        shared.extend((stored.len() as u32).to_le_bytes());
        shared.extend((content.len() as u32).to_le_bytes());
        shared.extend((name.len() as u16).to_le_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&shared);
        bytes.extend(9u16.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend([0xFE, 0xCA, 5, 0, 1, 2, 3, 4, 5]);
        bytes.extend(&stored);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&shared);
        directory.extend([0; 12]);
        directory.extend(header.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (offset, len) = (bytes.len() as u32, directory.len() as u32);
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([(members.len() as u16).to_le_bytes(); 2].concat());
    bytes.extend(len.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

/// The same archive with its end records in zip64 form.
pub(crate) fn with_zip64_end(archive: &[u8]) -> Vec<u8> {
    let (records, end) = archive.split_at(archive.len() - 22);
    let number = |at: usize, len: usize| {
        let mut wide = [0; 8];
        wide[..len].copy_from_slice(&end[at..at + len]);
        u64::from_le_bytes(wide)
    };
    let (entries, len, offset) = (number(10, 2), number(12, 4), number(16, 4));
    let mut bytes = records.to_vec();
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [entries, entries, len, offset] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend((records.len() as u64).to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([0xFF; 12]);
    bytes.extend([0, 0]);
    bytes
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("a Vec takes everything");
    encoder.finish().expect("a Vec takes everything")
}
