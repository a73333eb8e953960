//! The records at the end of an archive, which say where its directory is.
//!
//! Specification: APPNOTE 4.3.14 to 4.3.16.

use crate::fields::Fields;

const END: u32 = 0x0605_4b50;
const ZIP64_LOCATOR: u32 = 0x0706_4b50;
const ZIP64_END: u32 = 0x0606_4b50;
const END_LEN: usize = 22;
const LOCATOR_LEN: usize = 20;

/// Bytes of the zip64 end record, without what may follow in it.
pub(crate) const ZIP64_END_LEN: u64 = 56;
/// Bytes at the end of an archive that hold its end record, whatever its comment, and the locator before.
pub(crate) const TAIL_LEN: u64 = (END_LEN + LOCATOR_LEN) as u64 + u16::MAX as u64;

/// Where the directory of an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its first byte.
    pub(crate) offset: u64,
    /// Its bytes.
    pub(crate) len: u64,
    /// Its entries.
    pub(crate) entries: u64,
}

/// What the end record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The directory is there.
    Directory(Place),
    /// A zip64 end record at this byte says where it is.
    Zip64At(u64),
}

/// Finds the end record in the last bytes of an archive.
pub(crate) fn find(tail: &[u8]) -> Result<End, &'static str> {
    let at = tail
        .len()
        .checked_sub(END_LEN)
        .and_then(|last| (0..=last).rev().find(|&at| is_end(&tail[at..])))
        .ok_or("it has no end record")?;
    let mut fields = Fields(&tail[at + 4..]);
    let (place, disks) = end_fields(&mut fields).ok_or("its end record is cut off")?;
    let locator = at.checked_sub(LOCATOR_LEN).map(|start| Fields(&tail[start..at]));
    if let Some(mut locator) = locator
        && locator.u32() == Some(ZIP64_LOCATOR)
    {
        let offset = locator.skip(4).and_then(|()| locator.u64());
        return match (offset, locator.u32()) {
            (Some(offset), Some(0 | 1)) => Ok(End::Zip64At(offset)),
            _ => Err(SEVERAL_FILES),
        };
    }
    if disks != (0, 0) {
        return Err(SEVERAL_FILES);
    }
    Ok(End::Directory(place))
}

/// What the zip64 end record says.
pub(crate) fn zip64(record: &[u8]) -> Result<Place, &'static str> {
    let mut fields = Fields(record);
    if fields.u32() != Some(ZIP64_END) {
        return Err("its zip64 end record is not where it should be");
    }
    let read = |fields: &mut Fields<'_>| {
        fields.skip(8 + 2 + 2)?;
        let disks = (fields.u32()?, fields.u32()?);
        fields.skip(8)?;
        let (entries, len, offset) = (fields.u64()?, fields.u64()?, fields.u64()?);
        Some((Place { offset, len, entries }, disks))
    };
    match read(&mut fields) {
        Some((place, (0, 0))) => Ok(place),
        Some(_) => Err(SEVERAL_FILES),
        None => Err("its zip64 end record is cut off"),
    }
}

const SEVERAL_FILES: &str = "it is one of several files";

/// Whether an end record begins here whose comment reaches to the end of the archive.
fn is_end(bytes: &[u8]) -> bool {
    let mut fields = Fields(bytes);
    fields.u32() == Some(END)
        && fields.skip(END_LEN - 6).and_then(|()| fields.u16())
            == u16::try_from(bytes.len() - END_LEN).ok()
}

fn end_fields(fields: &mut Fields<'_>) -> Option<(Place, (u16, u16))> {
    let disks = (fields.u16()?, fields.u16()?);
    fields.skip(2)?;
    let (entries, len, offset) = (fields.u16()?, fields.u32()?, fields.u32()?);
    let place = Place { offset: offset.into(), len: len.into(), entries: entries.into() };
    Some((place, disks))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn end(comment: &[u8]) -> Vec<u8> {
        let mut bytes = END.to_le_bytes().to_vec();
        bytes.extend([0, 0, 0, 0, 3, 0, 3, 0]);
        bytes.extend(100u32.to_le_bytes());
        bytes.extend(7000u32.to_le_bytes());
        bytes.extend((comment.len() as u16).to_le_bytes());
        bytes.extend(comment);
        bytes
    }

    const PLACE: Place = Place { offset: 7000, len: 100, entries: 3 };

    #[test]
    fn the_end_record_is_found_behind_its_comment() {
        assert_eq!(find(&end(b"")), Ok(End::Directory(PLACE)));
        let before = [b"data".as_slice(), &end(b"a comment")].concat();
        assert_eq!(find(&before), Ok(End::Directory(PLACE)));
        // A comment that looks like an end record does not reach to the end.
        let nested = end(&[b"x".as_slice(), &END.to_le_bytes(), &[0; 30]].concat());
        assert_eq!(find(&nested), Ok(End::Directory(PLACE)));
    }

    #[test]
    fn what_is_no_end_is_refused() {
        for tail in [
            b"".as_slice(),
            b"PK",
            &[0; 100],
            &end(b"")[..21],
            &[end(b"").as_slice(), b"x"].concat(),
        ] {
            assert!(find(tail).is_err(), "{tail:?}");
        }
        let mut second = end(b"");
        second[4] = 1;
        assert_eq!(find(&second), Err(SEVERAL_FILES));
    }

    #[test]
    fn the_locator_leads_to_the_zip64_record() {
        let mut bytes = ZIP64_LOCATOR.to_le_bytes().to_vec();
        bytes.extend([0; 4]);
        bytes.extend(9000u64.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(end(b""));
        assert_eq!(find(&bytes), Ok(End::Zip64At(9000)));

        let mut record = ZIP64_END.to_le_bytes().to_vec();
        record.extend(44u64.to_le_bytes());
        record.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for number in [5u64, 5, 300, 1 << 33] {
            record.extend(number.to_le_bytes());
        }
        assert_eq!(record.len() as u64, ZIP64_END_LEN);
        assert_eq!(zip64(&record), Ok(Place { offset: 1 << 33, len: 300, entries: 5 }));
        assert!(zip64(&record[..40]).is_err());
        assert!(zip64(&[0; 56]).is_err());
    }
}
