//! Deflated bytes to those of the member.

use std::ops::Range;

use flate2::{Decompress, FlushDecompress, Status};

/// Bytes that are inflated at a time: they stay in the cache until their checksum is taken.
const PIECE: usize = 64 << 10;

/// What a member should be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// Bytes.
    pub(crate) len: u64,
    /// CRC-32 of them.
    pub(crate) crc: u32,
}

/// Inflates a whole member and keeps the bytes of `range` in `kept`, which has the range's length. All of the
/// member is inflated whatever the range, and its length and checksum are verified.
pub(crate) fn inflate(
    deflated: &[u8],
    expected: Expected,
    range: Range<u64>,
    kept: &mut [u8],
) -> Result<(), &'static str> {
    let mut stream = Decompress::new(false);
    let mut checksum = crc32fast::Hasher::new();
    let mut piece = vec![0; PIECE];
    let mut at = 0u64;
    loop {
        let (read, written) = (stream.total_in(), stream.total_out());
        let rest = usize::try_from(read).ok().and_then(|read| deflated.get(read..)).unwrap_or(&[]);
        let status = stream
            .decompress(rest, &mut piece, FlushDecompress::None)
            .map_err(|_| "its deflated bytes are damaged")?;
        let new = &piece[..(stream.total_out() - written) as usize];
        checksum.update(new);
        let end = at + new.len() as u64;
        if end > expected.len {
            return Err("it is longer than the archive says");
        }
        let (from, to) = (range.start.max(at), range.end.min(end));
        if from < to {
            let source = &new[(from - at) as usize..(to - at) as usize];
            let target = (from - range.start) as usize;
            kept[target..target + source.len()].copy_from_slice(source);
        }
        at = end;
        match status {
            Status::StreamEnd => break,
            _ if stream.total_in() == read && new.is_empty() => {
                return Err("its deflated bytes end too early");
            }
            _ => {}
        }
    }
    if at != expected.len {
        return Err("it is shorter than the archive says");
    }
    verify(checksum.finalize(), expected.crc)
}

/// Whether stored bytes are those of the member.
pub(crate) fn verify_stored(bytes: &[u8], crc: u32) -> Result<(), &'static str> {
    verify(crc32fast::hash(bytes), crc)
}

fn verify(computed: u32, stored: u32) -> Result<(), &'static str> {
    if computed == stored { Ok(()) } else { Err("its checksum does not match") }
}
