//! The length and version of an object without its bytes: by HEAD, or by GET where a server refuses that.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lsio_io::Identity;
use object_store::{GetOptions, GetRange};

use crate::failure::Failure;
use crate::fetch::{Fetch, Part};
use crate::version::Version;

/// How the objects of a store are looked at. Addresses that are signed for GET refuse HEAD, as some servers do: what
/// they answer to is found out once.
#[derive(Debug, Default)]
pub(crate) struct Looks(Mutex<Look>);

/// What a look asks for. Each is answered by servers that refuse those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    #[default]
    Head,
    /// GET of one byte.
    FirstByte,
    /// GET of everything, of which nothing is read: its connection is given up.
    Whole,
}

impl Looks {
    fn usual(&self) -> Look {
        *self.look()
    }

    fn learn(&self, learned: Look) {
        let mut look = self.look();
        *look = learned.max(*look);
    }

    fn look(&self) -> MutexGuard<'_, Look> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetch {
    /// The length and version of the object. A bucket that refuses HEAD refuses GET too.
    pub(crate) async fn look(&self, accepted: Option<&Identity>) -> Result<Version, Failure> {
        let mut look = self.looks.usual();
        let mut learned = look;
        loop {
            match (look, self.look_by(look, accepted).await) {
                (_, Ok(version)) => {
                    self.looks.learn(learned);
                    return Ok(version);
                }
                // 403, 405, 501, an answer without the length: that of GET may be another.
                (
                    Look::Head,
                    Err(Failure::Refused { is_forbidden: true, .. } | Failure::Lasting { .. }),
                ) if self.is_plain => (look, learned) = (Look::FirstByte, Look::FirstByte),
                (Look::FirstByte, Err(Failure::NoRanges { .. })) => {
                    (look, learned) = (Look::Whole, Look::Whole);
                }
                // An empty object has no first byte; others have.
                (Look::FirstByte, Err(Failure::BadRange { .. })) => look = Look::Whole,
                (_, Err(failure)) => return Err(failure),
            }
        }
    }

    async fn look_by(&self, look: Look, accepted: Option<&Identity>) -> Result<Version, Failure> {
        let options = match look {
            Look::Head => GetOptions::new().with_head(true),
            Look::FirstByte => GetOptions::new().with_range(Some(GetRange::Bounded(0..1))),
            Look::Whole => GetOptions::new(),
        };
        let mut part = Part::new(0, None, 0);
        Ok(self.open_with(&mut part, options, accepted).await?.version)
    }
}
