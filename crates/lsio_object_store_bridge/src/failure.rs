//! Why a request failed, by what is to be done about it.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use lsio_io::{Key, StorageError};
use object_store::client::{HttpError, HttpErrorKind};

use crate::http_client::{CredentialsBusy, NoCredentials, UnencryptedCredentials};
use crate::refusal::Refusal;

/// A failed request.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// The store says that the object does not exist.
    Missing,
    /// The bucket or container does not exist.
    NoStore,
    /// Access was refused.
    Refused { text: String, is_forbidden: bool },
    /// It is not the version that was asked for.
    Changed,
    /// The object has no such bytes.
    BadRange { text: String },
    /// The store does not serve such ranges.
    NoRanges { text: String },
    /// There are too many requests.
    Throttled { text: String, asked: Option<Duration> },
    /// The connection or the server failed in a way that may pass.
    Passing { text: String, unreached: bool },
    /// Anything else.
    Lasting { text: String },
    /// Nobody wants the answer any more.
    Cancelled,
    /// It was already said what is wrong.
    Known(StorageError),
}

impl Failure {
    /// A failure that may pass, of a server that was reached.
    pub(crate) fn passing(text: impl Into<String>) -> Self {
        Self::Passing { text: text.into(), unreached: false }
    }

    /// Whether the same request may succeed when it is made again.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Passing { .. })
    }

    /// What it means where the length of the accepted version is known: bytes that the object does not have are missing
    /// from another version.
    pub(crate) fn of_known_length(self) -> Self {
        match self {
            Self::BadRange { .. } => Self::Changed,
            other => other,
        }
    }

    /// Says how often it was tried.
    pub(crate) fn after(self, attempts: u32) -> Self {
        let tried = |text: String| match attempts {
            0 | 1 => text,
            _ => format!("{text} (tried {attempts} times)"),
        };
        match self {
            Self::Throttled { text, asked } => Self::Throttled { text: tried(text), asked },
            Self::Passing { text, unreached } => Self::Passing { text: tried(text), unreached },
            other => other,
        }
    }

    /// What it means for the user of `location`.
    pub(crate) fn at(self, operation: &'static str, key: &Key, location: &str) -> StorageError {
        let key = key.clone();
        let io = |text: String| Arc::new(io::Error::other(text));
        match self {
            Self::Missing => StorageError::NotFound { key },
            Self::NoStore => StorageError::NoStore { location: location.to_owned() },
            Self::Refused { text, is_forbidden } => {
                let hint = "; some stores answer the same for objects that do not exist, unless the bucket may be listed";
                let text = if is_forbidden { text + hint } else { text };
                let source = io::Error::new(io::ErrorKind::PermissionDenied, text);
                StorageError::Access { key, source: Arc::new(source) }
            }
            Self::Changed => StorageError::Conflict { key },
            Self::BadRange { text }
            | Self::NoRanges { text }
            | Self::Throttled { text, .. }
            | Self::Passing { text, .. }
            | Self::Lasting { text } => StorageError::Io { operation, key, source: io(text) },
            Self::Cancelled => StorageError::Cancelled { key },
            Self::Known(error) => error,
        }
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Known(error)
    }
}

impl From<&Refusal> for Failure {
    fn from(refusal: &Refusal) -> Self {
        let text = refusal.to_string();
        let code = refusal.code.as_deref().unwrap_or_default();
        match (refusal.status, code) {
            _ if refusal.is_missing_store() => Self::NoStore,
            _ if refusal.is_missing_object() => Self::Missing,
            // The last is versitygw's word for an access key that it does not know.
            (401 | 403, _)
            | (400, "ExpiredToken" | "InvalidToken" | "InvalidAccessKeyId")
            | (404, "XAdminUserNotFound") => {
                Self::Refused { text, is_forbidden: refusal.status == 403 }
            }
            (412, _) => Self::Changed,
            (416, _) => Self::BadRange { text },
            (429 | 503, _) | (_, "SlowDown" | "TooManyRequests" | "ServerBusy") => {
                Self::Throttled { text, asked: refusal.retry_after }
            }
            (408 | 500 | 502 | 504, _) | (_, "RequestTimeout" | "InternalError") => {
                Self::passing(text)
            }
            (301 | 302 | 307 | 308, _) => {
                let hint = "a bucket in another region, or a redirect that is not followed";
                Self::Lasting { text: format!("{text}: {hint}") }
            }
            _ => Self::Lasting { text },
        }
    }
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        let mut at: Option<&(dyn Error + 'static)> = Some(&error);
        let mut http = None;
        while let Some(error) = at {
            if let Some(refusal) = error.downcast_ref::<Refusal>() {
                return refusal.into();
            }
            if let Some(busy) = error.downcast_ref::<CredentialsBusy>() {
                return Self::passing(busy.to_string());
            }
            if let Some(missing) = error.downcast_ref::<NoCredentials>() {
                return Self::Refused { text: missing.to_string(), is_forbidden: false };
            }
            if let Some(unencrypted) = error.downcast_ref::<UnencryptedCredentials>() {
                return Self::Refused { text: unencrypted.to_string(), is_forbidden: false };
            }
            if let Some(reason) = untrusted(error) {
                let hint = "`caBundle` names a file with certificates that are trusted too";
                return Self::Lasting { text: format!("{reason}; {hint}") };
            }
            http = http.or_else(|| error.downcast_ref::<HttpError>());
            at = error.source();
        }
        // What cannot be made sense of now will not make sense later.
        if let Some(error) = http.filter(|error| error.kind() != HttpErrorKind::Decode) {
            let unreached = error.kind() == HttpErrorKind::Connect;
            return Self::Passing { text: innermost(error), unreached };
        }
        match &error {
            object_store::Error::NotFound { .. } => Self::Missing,
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => {
                Self::Refused { text: innermost(&error), is_forbidden: false }
            }
            object_store::Error::Precondition { .. } => Self::Changed,
            object_store::Error::NotSupported { .. } => Self::NoRanges { text: innermost(&error) },
            _ => Self::Lasting { text: innermost(&error) },
        }
    }
}

/// What is wrong with the certificate of the server, if that is the error.
fn untrusted<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut error = error;
    // An error of the system does not give what it wraps as its source, only the source of that.
    while let Some(wrapped) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        error = wrapped;
    }
    let error = error.downcast_ref::<rustls::Error>();
    error.filter(|error| matches!(error, rustls::Error::InvalidCertificate(_)))
}

/// What the last error of a chain says. Those above it may name addresses with what is secret in them.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    innermost_error(error).to_string()
}

/// The last error of a chain.
pub(crate) fn innermost_error<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, code: &str) -> Failure {
        Failure::from(&Refusal::new(status, Some(code.to_owned()), "", None))
    }

    #[test]
    fn statuses_say_what_is_to_be_done() {
        assert!(matches!(of(404, "NoSuchKey"), Failure::Missing));
        assert!(matches!(of(404, "NoSuchBucket"), Failure::NoStore));
        assert!(matches!(of(404, "XAdminUserNotFound"), Failure::Refused { .. }));
        assert!(matches!(of(404, "NoSuchUpload"), Failure::Lasting { .. }));
        assert!(matches!(of(403, "AccessDenied"), Failure::Refused { is_forbidden: true, .. }));
        assert!(matches!(of(401, ""), Failure::Refused { is_forbidden: false, .. }));
        assert!(matches!(of(412, ""), Failure::Changed));
        assert!(matches!(of(416, ""), Failure::BadRange { .. }));
        for status in [429, 503] {
            assert!(matches!(of(status, ""), Failure::Throttled { .. }));
        }
        for status in [408, 500, 502, 504] {
            assert!(of(status, "").may_pass());
        }
        for status in [301, 400, 405, 501] {
            assert!(matches!(of(status, ""), Failure::Lasting { .. }), "{status}");
        }
    }

    #[test]
    fn a_forbidden_object_may_be_a_missing_one_that_the_store_does_not_tell() {
        let key = Key::root();
        let error = of(403, "AccessDenied").at("read", &key, "s3://b");
        let StorageError::Access { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().contains("may be listed"), "{source}");
    }
}
