//! Which version of an object an answer belongs to.

use chrono::{DateTime, TimeDelta, Utc};
use lsio_io::{EntityTag, Identity};
use object_store::ObjectMeta;

/// How weak entity tags begin (RFC 9110, section 8.8.3).
const WEAK: &str = "W/";

/// How long before its answer an object must have been modified for its tag to be that of no later version. Both
/// times are whole seconds of the server's clock (RFC 9110, section 8.8.2.2, has one second); files tick by another.
const SETTLED: TimeDelta = TimeDelta::seconds(2);

/// When a server says that it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered(DateTime<Utc>);

impl Answered {
    /// The time in a `Date` header.
    pub(crate) fn parse(date: &str) -> Option<Self> {
        DateTime::parse_from_rfc2822(date).ok().map(|date| Self(date.to_utc()))
    }
}

/// A version of an object and its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) identity: Identity,
    pub(crate) object_len: u64,
}

impl Version {
    /// Of an answer; `answered` is when a server says that, if its strong tags may be made of times.
    pub(crate) fn of(meta: &ObjectMeta, answered: Option<Answered>) -> Self {
        let object_len = meta.size;
        // Where no time of modification is told, it is long ago.
        let is_fresh = answered.is_some_and(|Answered(at)| at - meta.last_modified < SETTLED);
        let identity = match meta.e_tag.as_deref() {
            Some(tag) if !tag.starts_with(WEAK) && is_fresh => Identity::Tag(EntityTag::fresh(tag)),
            Some(tag) if !tag.starts_with(WEAK) => Identity::Tag(EntityTag::new(tag)),
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

    /// Whether the next version may look the same.
    pub(crate) fn is_fresh(&self) -> bool {
        matches!(&self.identity, Identity::Tag(tag) if tag.is_fresh())
    }
}

/// The entity tag by which a server can be asked for this version only. It compares strongly, so a weak one would
/// never match.
pub(crate) fn if_match(identity: &Identity) -> Option<String> {
    match identity {
        Identity::Tag(tag) => Some(tag.text().to_owned()),
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
        let version = Version::of(&meta(Some("\"x\""), 5, 1), None);
        assert_eq!(version.identity, Version::of(&meta(Some("\"x\""), 5, 2), None).identity);
        assert_eq!(if_match(&version.identity).as_deref(), Some("\"x\""));
    }

    #[test]
    fn a_strong_tag_of_an_object_that_was_just_modified_is_fresh_and_the_same() {
        let version = |modified, date| Version::of(&meta(Some("\"x\""), 5, modified), date);
        let at = Answered::parse("Thu, 01 Jan 1970 00:01:40 GMT");
        assert!(at.is_some());
        for (modified, is_fresh) in [(97, false), (98, false), (99, true), (100, true), (101, true)]
        {
            assert_eq!(version(modified, at).is_fresh(), is_fresh, "{modified}");
            assert_eq!(version(modified, at), version(modified, None));
        }
        // One of the two times is not told.
        assert!(!version(0, at).is_fresh());
        assert!(!version(100, None).is_fresh());
        assert_eq!(Answered::parse("today"), None);
    }

    #[test]
    fn without_one_length_and_time_do() {
        for tag in [None, Some("W/\"x\"")] {
            let version = Version::of(&meta(tag, 5, 1), None);
            assert_eq!(version, Version::of(&meta(tag, 5, 1), None));
            assert_ne!(version.identity, Version::of(&meta(tag, 6, 1), None).identity);
            assert_ne!(version.identity, Version::of(&meta(tag, 5, 2), None).identity);
            assert_eq!(if_match(&version.identity), None);
        }
    }

    #[test]
    fn what_is_not_told_is_not_made_up() {
        let weak =
            |tag: &str, modified_ns| Identity::Weak { tag: tag.into(), size: 5, modified_ns };
        assert_eq!(Version::of(&meta(None, 5, 0), None).identity, weak("", None));
        let told = weak("W/\"x\"", Some(2_000_000_000));
        assert_eq!(Version::of(&meta(Some("W/\"x\""), 5, 2), None).identity, told);
    }
}
