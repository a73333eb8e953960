//! The entries of an archive's directory.
//!
//! Specification: APPNOTE 4.3.12, 4.4, 4.5.3.

use std::borrow::Cow;

use crate::fields::Fields;

const SIGNATURE: u32 = 0x0201_4b50;
const ENCRYPTED: u16 = 1;
const STRONGLY_ENCRYPTED: u16 = 1 << 6;
const MASKED: u16 = 1 << 13;
const ZIP64: u16 = 1;

/// Most bytes that a member of `len` bytes may take deflated. Stored blocks take 5 bytes each (RFC 1951, section 3.2.4)
/// and have at most 65,535; zlib makes them of 16 KiB, of 127 bytes with the least memory, and Huffman codes that are fixed
/// take 9 bits a byte: zlib's `deflateBound` adds an eighth in all. Twice the length and 64 KiB have
/// room for streams that are flushed often too, with an empty block (5 bytes) each time.
fn most_deflated(len: u64) -> u64 {
    len.saturating_mul(2).saturating_add(64 << 10)
}

/// How the bytes of a member are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// As they are.
    Stored,
    /// By deflate.
    Deflated,
    /// In a way that is not supported.
    Other,
}

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) method: Method,
    /// CRC-32 of the member's bytes.
    pub(crate) crc: u32,
    /// Bytes in the archive.
    pub(crate) stored_len: u64,
    /// Bytes of the member.
    pub(crate) len: u64,
    /// First byte of its local header.
    pub(crate) header: u64,
}

/// The entry at the start of `bytes`, and its length; `None` where `bytes` end before it does.
pub(crate) fn entry(bytes: &[u8]) -> Result<Option<(Entry<'_>, usize)>, Cow<'static, str>> {
    let mut fields = Fields(bytes);
    match fields.u32() {
        Some(SIGNATURE) => {}
        Some(_) => return Err("its directory holds something that is no entry".into()),
        None => return Ok(None),
    }
    let Some(raw) = raw_entry(&mut fields) else { return Ok(None) };
    let len = bytes.len() - fields.0.len();
    let RawEntry { flags, method, crc, mut stored_len, mut decoded_len, mut header, name, extra } =
        raw;
    if [stored_len, decoded_len, header].contains(&u64::from(u32::MAX)) {
        let wide = zip64_fields(extra, [&mut decoded_len, &mut stored_len, &mut header]);
        wide.ok_or("an entry of its directory lacks zip64 fields")?;
    }
    let method = match method {
        _ if flags & (ENCRYPTED | STRONGLY_ENCRYPTED | MASKED) != 0 => Method::Other,
        0 if stored_len == decoded_len => Method::Stored,
        0 => {
            let reason = format!("a stored member has {stored_len} bytes and {decoded_len} too");
            return Err(reason.into());
        }
        8 if stored_len > most_deflated(decoded_len) => {
            let reason = format!(
                "a member of {decoded_len} bytes has {stored_len} deflated, more than deflate makes of any"
            );
            return Err(reason.into());
        }
        8 => Method::Deflated,
        _ => Method::Other,
    };
    Ok(Some((Entry { name, method, crc, stored_len, len: decoded_len, header }, len)))
}

struct RawEntry<'a> {
    flags: u16,
    method: u16,
    crc: u32,
    stored_len: u64,
    decoded_len: u64,
    header: u64,
    name: &'a [u8],
    extra: &'a [u8],
}

fn raw_entry<'a>(fields: &mut Fields<'a>) -> Option<RawEntry<'a>> {
    // Versions, then what is of interest.
    fields.skip(2 + 2)?;
    let (flags, method) = (fields.u16()?, fields.u16()?);
    // Time and date.
    fields.skip(2 + 2)?;
    let crc = fields.u32()?;
    let (stored_len, decoded_len) = (fields.u32()?.into(), fields.u32()?.into());
    let (name_len, extra_len, comment_len) = (fields.u16()?, fields.u16()?, fields.u16()?);
    // Number of the file, attributes.
    fields.skip(2 + 2 + 4)?;
    let header = fields.u32()?.into();
    let (name, extra) = (fields.bytes(name_len.into())?, fields.bytes(extra_len.into())?);
    fields.skip(comment_len.into())?;
    Some(RawEntry { flags, method, crc, stored_len, decoded_len, header, name, extra })
}

/// Replaces those numbers that do not fit 32 bits by the ones of the zip64 field, in its order.
fn zip64_fields(extra: &[u8], numbers: [&mut u64; 3]) -> Option<()> {
    let mut extra = Fields(extra);
    loop {
        let (id, len) = (extra.u16()?, extra.u16()?);
        let mut field = Fields(extra.bytes(len.into())?);
        if id == ZIP64 {
            for number in numbers {
                if *number == u64::from(u32::MAX) {
                    *number = field.u64()?;
                }
            }
            return Some(());
        }
    }
}
