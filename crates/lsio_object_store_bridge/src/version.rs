//! Which version of an object an answer belongs to.

use lsio_io::Identity;
use object_store::ObjectMeta;

/// How weak entity tags begin (RFC 9110, section 8.8.3).
const WEAK: &str = "W/";

/// A version of an object and its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) identity: Identity,
    pub(crate) object_len: u64,
}

impl Version {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        let object_len = meta.size;
        let identity = match meta.e_tag.as_deref() {
            Some(tag) if !tag.starts_with(WEAK) => Identity::Tag(tag.into()),
            tag => {
                // `object_store` has the epoch for servers that say no time.
                let modified = Some(i128::from(meta.last_modified.timestamp_micros()));
                let modified_ns = modified.filter(|modified| *modified > 0).map(|us| us * 1000);
                let tag = tag.unwrap_or_default().into();
                Identity::Weak { tag, size: object_len, modified_ns }
            }
        };
        Self { identity, object_len }
    }
}

/// The entity tag by which a server can be asked for this version only. It compares strongly, so a weak one would
/// never match.
pub(crate) fn if_match(identity: &Identity) -> Option<String> {
    match identity {
        Identity::Tag(tag) => Some(tag.to_string()),
        Identity::File { .. } | Identity::Weak { .. } | Identity::Version(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::path::Path;

    fn meta(e_tag: Option<&str>, size: u64, modified: u64) -> ObjectMeta {
        let last_modified = std::time::UNIX_EPOCH + std::time::Duration::from_secs(modified);
        ObjectMeta {
            location: Path::from("a"),
            last_modified: last_modified.into(),
            size,
            e_tag: e_tag.map(str::to_owned),
            version: None,
        }
    }

    #[test]
    fn a_strong_tag_alone_tells_versions_apart() {
        let version = Version::of(&meta(Some("\"x\""), 5, 1));
        assert_eq!(version.identity, Version::of(&meta(Some("\"x\""), 5, 2)).identity);
        assert_eq!(if_match(&version.identity).as_deref(), Some("\"x\""));
    }

    #[test]
    fn without_one_length_and_time_do() {
        for tag in [None, Some("W/\"x\"")] {
            let version = Version::of(&meta(tag, 5, 1));
            assert_eq!(version, Version::of(&meta(tag, 5, 1)));
            assert_ne!(version.identity, Version::of(&meta(tag, 6, 1)).identity);
            assert_ne!(version.identity, Version::of(&meta(tag, 5, 2)).identity);
            assert_eq!(if_match(&version.identity), None);
        }
    }

    #[test]
    fn what_is_not_told_is_not_made_up() {
        let weak =
            |tag: &str, modified_ns| Identity::Weak { tag: tag.into(), size: 5, modified_ns };
        assert_eq!(Version::of(&meta(None, 5, 0)).identity, weak("", None));
        let told = weak("W/\"x\"", Some(2_000_000_000));
        assert_eq!(Version::of(&meta(Some("W/\"x\""), 5, 2)).identity, told);
    }
}
