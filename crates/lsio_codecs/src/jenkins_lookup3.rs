//! `jenkins_lookup3`: the checksum of HDF5's metadata behind the bytes, verified at every decode.

use serde_json::Value;

use crate::configuration::{Dialect, Members};
use crate::{Checksum, ChecksumLocation, CodecError};

/// What the state starts from, before length and start value are added.
const START: u32 = 0xdead_beef;

/// `jenkins_lookup3`: the checksum of HDF5's metadata behind the bytes, verified at every decode.
///
/// Bob Jenkins' `hashlittle` of the bytes as 4 bytes, little-endian, behind them.
///
/// - Specification: lookup3.c, `hashlittle`; numcodecs `jenkins_lookup3`.
/// - Names: v2 and v3 `jenkins_lookup3`, v3 `numcodecs.jenkins_lookup3`: `{"initval"?: 0..=4294967295}`,
///   0 where it is absent. `prefix` of numcodecs, bytes that JSON cannot hold, is refused unless it is null.
///
/// ```
/// use lsio_codecs::{BytesCodec, CodecError, JenkinsLookup3};
///
/// # fn main() -> Result<(), CodecError> {
/// let lookup3 = JenkinsLookup3::new(0);
/// let mut encoded = Vec::new();
/// lookup3.encode(b"Four score and seven years ago", &mut encoded)?;
/// assert_eq!(encoded[30..], 0x1777_0551_u32.to_le_bytes());
/// assert_eq!(lookup3.payload(&encoded)?.map(<[u8]>::len), Some(30));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JenkinsLookup3 {
    start: u32,
}

impl JenkinsLookup3 {
    /// With this start value (`initval`).
    #[must_use]
    pub fn new(start: u32) -> Self {
        Self { start }
    }

    /// From the configuration in metadata.
    pub(crate) fn from_members(mut members: Members<'_>) -> Result<Self, CodecError> {
        let start = members.integer("initval", 0..=u32::MAX.into())?.unwrap_or(0);
        match members.get("prefix") {
            None => {}
            Some(Value::Null) if members.dialect() == Dialect::V3 => {}
            Some(value) => return Err(members.unexpected("prefix", value, "null")),
        }
        members.finish()?;
        Ok(Self { start })
    }
}

impl Checksum for JenkinsLookup3 {
    const NAME: &'static str = "jenkins_lookup3";

    fn location(&self) -> ChecksumLocation {
        ChecksumLocation::End
    }

    fn checksum(&self, bytes: &[u8]) -> u32 {
        // The length enters modulo 2^32, as in the definition.
        let start = START.wrapping_add(bytes.len() as u32).wrapping_add(self.start);
        let mut state = [start; 3];
        let Some(last) = bytes.len().checked_sub(1) else { return start };
        // The last block, of 1 to 12 bytes, is mixed in another way than those before it.
        let (blocks, rest) = bytes.split_at(last / 12 * 12);
        for block in blocks.as_chunks::<12>().0 {
            add(&mut state, block);
            mix(&mut state);
        }
        let mut block = [0; 12];
        block[..rest.len()].copy_from_slice(rest);
        add(&mut state, &block);
        finish(state)
    }
}

/// Adds the three numbers of a block.
fn add(state: &mut [u32; 3], block: &[u8; 12]) {
    for (sum, number) in state.iter_mut().zip(block.as_chunks::<4>().0) {
        *sum = sum.wrapping_add(u32::from_le_bytes(*number));
    }
}

/// The reversible mixing between blocks (`mix`).
fn mix(state: &mut [u32; 3]) {
    let [mut a, mut b, mut c] = *state;
    for [first, second, third] in [[4, 6, 8], [16, 19, 4]] {
        a = a.wrapping_sub(c) ^ c.rotate_left(first);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(second);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(third);
        b = b.wrapping_add(a);
    }
    *state = [a, b, c];
}

/// The mixing after the last block (`final`).
fn finish([mut a, mut b, mut c]: [u32; 3]) -> u32 {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_author_s_examples_hold() {
        // driver5 of lookup3.c.
        for (text, start, expected) in [
            ("", 0, 0xdead_beef),
            ("", 0xdead_beef, 0xbd5b_7dde),
            ("Four score and seven years ago", 0, 0x1777_0551),
            ("Four score and seven years ago", 1, 0xcd62_8161),
        ] {
            assert_eq!(JenkinsLookup3::new(start).checksum(text.as_bytes()), expected);
        }
    }

    #[test]
    fn a_prefix_is_refused() {
        let read = |text: &str| {
            let map = serde_json::from_str(text).unwrap();
            JenkinsLookup3::from_members(Members::new("x", Dialect::Numcodecs, &map))
        };
        assert_eq!(read(r#"{"initval":7,"prefix":null}"#).unwrap(), JenkinsLookup3::new(7));
        assert!(read(r#"{"prefix":"a"}"#).is_err());
        assert!(read(r#"{"initval":-1}"#).is_err());
    }
}
