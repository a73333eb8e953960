//! Strong HTTP entity tags, and whether the next version of an object may have the same.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A strong HTTP entity tag (RFC 9110, section 8.8.3). Two are equal if their texts are.
#[derive(Debug, Clone)]
pub struct EntityTag {
    text: Arc<str>,
    is_fresh: bool,
}

impl EntityTag {
    /// A tag that no later version of the object has.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.into(), is_fresh: false }
    }

    /// A tag that the next version may have too: web servers make tags of length and time of modification, in whole
    /// seconds, and the object had only just been changed when it was read.
    #[must_use]
    pub fn fresh(text: &str) -> Self {
        Self { text: text.into(), is_fresh: true }
    }

    /// Its text, with the quotation marks.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the next version may have it too.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.is_fresh
    }
}

impl PartialEq for EntityTag {
    /// The same tag is fresh at first and later not.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for EntityTag {}

impl Hash for EntityTag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
