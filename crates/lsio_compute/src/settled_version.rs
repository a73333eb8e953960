//! Which versions of objects can be told from all that come after them.

use std::time::{Duration, SystemTime};

use lsio_io::Identity;

/// Files take their times from a clock that ticks, up to every 10 ms on Linux (`CONFIG_HZ=100`): one that is
/// written to in place, twice within a tick, looks the same after both. Twice that is safe.
const TICK: Duration = Duration::from_millis(20);

/// The same for file systems that keep whole seconds only; FAT keeps every other one.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// Objects of servers without strong entity tags have times in whole seconds, from another clock. RFC 7232,
/// section 2.2.2, takes 60 seconds as enough for both.
const OTHER_CLOCK: Duration = Duration::from_mins(1);

/// Whether an object that was read after this moment cannot become another one of the same identity.
pub(crate) fn is_settled(object: &Identity, moment: SystemTime) -> bool {
    match object {
        Identity::File { changed_ns, .. } => {
            let is_coarse = changed_ns % Duration::from_secs(1).as_nanos().cast_signed() == 0;
            let tick = if is_coarse { COARSE_TICK } else { TICK };
            is_older(*changed_ns, tick, moment)
        }
        Identity::Weak { modified_ns, .. } => {
            modified_ns.is_some_and(|modified_ns| is_older(modified_ns, OTHER_CLOCK, moment))
        }
        Identity::Tag(tag) => !tag.is_fresh(),
        Identity::Version(_) => true,
    }
}

/// Whether a time was at least so long before this moment.
fn is_older(time_ns: i128, age: Duration, moment: SystemTime) -> bool {
    let moment = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    moment.as_nanos().cast_signed().saturating_sub(time_ns) >= age.as_nanos().cast_signed()
}

#[cfg(test)]
mod tests {
    use lsio_io::EntityTag;

    use super::*;

    #[test]
    fn a_file_changed_within_a_tick_may_change_unnoticed() {
        let file = |changed_ns| Identity::File {
            device: 1,
            inode: 2,
            size: 3,
            modified_ns: 0,
            changed_ns,
        };
        let at = |ns| SystemTime::UNIX_EPOCH + Duration::from_nanos(ns);
        let changed = 5_000_000_001;
        assert!(!is_settled(&file(changed.into()), at(changed - 1)));
        assert!(!is_settled(&file(changed.into()), at(changed + 19_999_999)));
        assert!(is_settled(&file(changed.into()), at(changed + 20_000_000)));
        assert!(!is_settled(&file(5_000_000_000), at(6_999_999_999)));
        assert!(is_settled(&file(5_000_000_000), at(7_000_000_000)));
        assert!(is_settled(&Identity::Version(1), at(0)));
        assert!(is_settled(&Identity::Tag(EntityTag::new("a")), at(0)));
        assert!(!is_settled(&Identity::Tag(EntityTag::fresh("a")), at(u32::MAX.into())));
    }

    #[test]
    fn an_object_with_a_weak_identity_may_change_unnoticed_for_a_minute_or_for_ever() {
        let second = 1_000_000_000;
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let weak = |modified_ns| Identity::Weak { tag: "W/\"a\"".into(), size: 3, modified_ns };
        assert!(!is_settled(&weak(Some(100 * second)), at(99)));
        assert!(!is_settled(&weak(Some(100 * second)), at(159)));
        assert!(is_settled(&weak(Some(100 * second)), at(160)));
        assert!(!is_settled(&weak(None), at(u32::MAX.into())));
    }
}
