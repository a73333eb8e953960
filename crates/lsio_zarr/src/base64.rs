//! Bytes that JSON holds as base64.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The unused bits of the last character may be anything: Python ignores them too.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// The bytes that a text in the standard alphabet stands for, with padding; `None` for anything else.
///
/// Specification: RFC 4648, section 4.
///
/// ```
/// assert_eq!(lsio_zarr::decode_base64("YWI=").as_deref(), Some(&b"ab"[..]));
/// assert_eq!(lsio_zarr::decode_base64("YWI"), None);
/// ```
#[must_use]
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_specification() {
        // RFC 4648, section 10.
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYg==", b"foob"),
            ("Zm9vYmE=", b"fooba"),
            ("Zm9vYmFy", b"foobar"),
            ("+/+/", &[0xfb, 0xff, 0xbf]),
            ("AR==", &[0x01]),
        ] {
            assert_eq!(decode_base64(text).as_deref(), Some(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for text in ["Z", "Zg", "Zg=", "Zg==Zg==", "====", "Z===", "=Zg=", "Zm 9", "Zm9v\n", "Zm9é"]
        {
            assert_eq!(decode_base64(text), None, "{text}");
        }
    }
}
