//! Names of objects inside a store.

use std::fmt;
use std::sync::Arc;

use crate::StorageError;

/// The name of an object, relative to its store's root, with `/` between components.
///
/// A key can never leave the root: no component is empty, `.` or `..`, and none holds a NUL or a
/// backslash. The empty key names the root itself.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

impl Key {
    /// The root of the store.
    #[must_use]
    pub fn root() -> Self {
        Self(Arc::from(""))
    }

    /// Parses a relative name.
    ///
    /// # Errors
    /// [`StorageError::InvalidKey`] for a name that is absolute, escapes the root or holds bytes that
    /// stores do not agree on.
    pub fn new(name: &str) -> Result<Self, StorageError> {
        let invalid = |reason| StorageError::InvalidKey { name: name.to_owned(), reason };
        if name.is_empty() {
            return Ok(Self::root());
        }
        if name.contains('\0') || name.contains('\\') {
            return Err(invalid("it holds a NUL or a backslash"));
        }
        for component in name.split('/') {
            match component {
                "" => return Err(invalid("it has an empty component")),
                "." | ".." => return Err(invalid("it has a '.' or '..' component")),
                _ => {}
            }
        }
        Ok(Self(Arc::from(name)))
    }

    /// This key with `name` (one or more components) below it.
    ///
    /// # Errors
    /// As [`Key::new`].
    pub fn join(&self, name: &str) -> Result<Self, StorageError> {
        if self.is_root() {
            return Self::new(name);
        }
        if name.is_empty() {
            return Ok(self.clone());
        }
        let mut joined = String::with_capacity(self.0.len() + 1 + name.len());
        joined.extend([&self.0, "/", name]);
        Self::new(&joined)
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The key as text, empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_that_escape_the_root_are_refused() {
        for name in ["/etc", "a//b", "..", "a/../b", "./a", "a/.", "a/", "a\\b", "a\0b"] {
            assert!(Key::new(name).is_err(), "{name:?} was accepted");
        }
        assert_eq!(Key::new("a/b.c/0").unwrap().as_str(), "a/b.c/0");
    }

    #[test]
    fn joining_to_the_root_adds_no_slash() {
        let key = Key::root().join("a").unwrap().join("c/0").unwrap();
        assert_eq!(key.as_str(), "a/c/0");
        assert!(key.join("../x").is_err());
    }
}
