//! The header before the bytes of a member. Of what it says only its own length is of interest: the
//! directory says the rest.
//!
//! Specification: APPNOTE 4.3.7.

use crate::fields::Fields;

const SIGNATURE: u32 = 0x0403_4b50;

/// Bytes of the header up to the name.
pub(crate) const LOCAL_HEADER_LEN: u64 = 30;

/// Bytes of the whole header, name and extra fields included, by its first bytes. `None` for what is no
/// header.
pub(crate) fn len(header: &[u8]) -> Option<u64> {
    let mut fields = Fields(header);
    if fields.u32()? != SIGNATURE {
        return None;
    }
    fields.skip(LOCAL_HEADER_LEN as usize - 8)?;
    let (name, extra) = (fields.u16()?, fields.u16()?);
    Some(LOCAL_HEADER_LEN + u64::from(name) + u64::from(extra))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_extra_fields_belong_to_the_header() {
        let mut header = SIGNATURE.to_le_bytes().to_vec();
        header.resize(26, 0xFF);
        header.extend([3, 0, 0, 1]);
        assert_eq!(len(&header), Some(30 + 3 + 256));
        assert_eq!(len(&header[..29]), None);
        header[0] = 0;
        assert_eq!(len(&header), None);
    }
}
