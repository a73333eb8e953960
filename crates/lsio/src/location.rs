//! Locations: paths and URLs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsio_io::blocking::read_range;
use lsio_io::{ByteRange, Freshness, Key, Memory, Storage, StorageError};
use lsio_object_store_bridge::Address;

use crate::{ErrorCode, LsioError};

/// What a location names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A folder of the local file system.
    Folder(PathBuf),
    /// A store in memory, and a path in it.
    Memory { store: String, path: String },
    /// An object store, and a path in it.
    Store(Address),
}

impl Location {
    /// Parses a path, a `file://` URL, a `memory://` URL or that of an object store.
    pub(crate) fn parse(text: &str) -> Result<Self, LsioError> {
        if text.is_empty() || text.contains('\0') {
            let message = format!("{text:?} is not a location: expected a path or a URL");
            return Err(LsioError::new(ErrorCode::NotFound, message));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::Folder(PathBuf::from(text)));
        };
        if let Some(address) = Address::parse(text) {
            return Ok(Self::Store(address?));
        }
        match scheme.to_ascii_lowercase().as_str() {
            "file" => {
                let path = rest.strip_prefix("localhost").unwrap_or(rest);
                if !path.starts_with('/') {
                    let message = format!("'{text}' names another host: file URLs are local");
                    return Err(LsioError::new(ErrorCode::Unsupported, message).at(text));
                }
                let path = percent_decoded(path).ok_or_else(|| {
                    let message = format!(
                        "'{text}' is no path: each '%' goes before two hexadecimal digits, and together they are \
                         UTF-8 without a NUL"
                    );
                    LsioError::new(ErrorCode::NotFound, message).at(text)
                })?;
                Ok(Self::Folder(PathBuf::from(path)))
            }
            "memory" => {
                let (store, path) = rest.split_once('/').unwrap_or((rest, ""));
                let path = path.trim_end_matches('/').to_owned();
                Ok(Self::Memory { store: store.to_owned(), path })
            }
            other => {
                let message = format!("'{other}://' is not a scheme that is known");
                Err(LsioError::new(ErrorCode::Unsupported, message))
            }
        }
    }
}

/// The zip archive that a path leads to or into, and the path inside it. It must have a name that says so.
/// Looks at the file system.
pub(crate) fn archive_in(path: &Path) -> Option<(&Path, &Path)> {
    let is_named = |path: &&Path| {
        path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
    };
    let mut named = path.ancestors().filter(is_named);
    let archive = named.find(|path| fs::metadata(path).is_ok_and(|found| found.is_file()))?;
    Some((archive, path.strip_prefix(archive).ok()?))
}

/// The object of a storage that a key leads to or into, if its name says that it is a zip archive, and the key inside
/// it. Blocks on the storage.
pub(crate) fn archive_in_storage(
    storage: &dyn Storage,
    memory: &Arc<Memory>,
    key: &Key,
) -> Result<Option<(Key, Key)>, LsioError> {
    let path = key.as_str();
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    for end in ends {
        let (archive, inside) = path.split_at(end);
        let extension = Path::new(archive).extension();
        if !extension.is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
            continue;
        }
        let archive = Key::new(archive)?;
        let nothing = ByteRange::Bounded { offset: 0, len: 0 };
        match read_range(storage, memory, &archive, nothing, Freshness::Current) {
            Err(StorageError::NotFound { .. }) => {}
            found => {
                found?;
                return Ok(Some((archive, Key::new(inside.trim_start_matches('/'))?)));
            }
        }
    }
    Ok(None)
}

/// The text with `%XX` replaced; `None` for what is not UTF-8, not two digits, or NUL.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = behind;
            continue;
        }
        let (&[high, low], behind) = behind.split_first_chunk()?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push((digit(high)? << 4 | digit(low)?) as u8);
        rest = behind;
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_are_told_apart() {
        let folder = |path: &str| Location::Folder(PathBuf::from(path));
        assert_eq!(Location::parse("data/x.zarr").unwrap(), folder("data/x.zarr"));
        assert_eq!(Location::parse("/data/a:b").unwrap(), folder("/data/a:b"));
        assert_eq!(Location::parse("file:///a%20b/%C3%A9").unwrap(), folder("/a b/é"));
        for url in ["s3://bucket/key", "HTTPS://host/key", "az://container"] {
            assert!(matches!(Location::parse(url), Ok(Location::Store(_))), "{url}");
        }
        let memory = Location::parse("memory://store/a/b/").unwrap();
        assert_eq!(memory, Location::Memory { store: "store".into(), path: "a/b".into() });
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let code = |text: &str| Location::parse(text).unwrap_err().code;
        assert_eq!(code("s3:///key"), ErrorCode::NotFound);
        assert_eq!(code("ftp://host/key"), ErrorCode::Unsupported);
        assert_eq!(code("file://host/key"), ErrorCode::Unsupported);
        for escape in ["%2", "%", "%+f", "%-1", "% 1", "%g0", "%00", "%C3"] {
            assert_eq!(code(&format!("file:///a{escape}")), ErrorCode::NotFound, "{escape}");
        }
        assert_eq!(code(""), ErrorCode::NotFound);
        assert_eq!(code("a\0b"), ErrorCode::NotFound);
    }

    #[test]
    fn secrets_of_remote_locations_stay_out_of_messages() {
        let error = Location::parse("https://user:secret@host/a?sig=secret").unwrap_err();
        assert!(!error.to_string().contains("secret") && error.path.is_none());
    }
}
