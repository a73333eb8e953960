//! What a server said when it did not give what it was asked for.

use std::fmt;
use std::time::Duration;

/// Longest text of a server that is repeated in a message.
const LONGEST_TEXT: usize = 300;

/// Longest text of a service that gives out credentials.
const LONGEST_REASON: usize = 200;

/// From this length on, what looks like one word may be a token or a key: the secret keys of AWS and of Azure's
/// applications have 40 characters, while the identifiers that Azure names have 36.
const SHORTEST_SECRET: usize = 40;

/// An answer with a status that is no success. It keeps only what the server says about the reason: bodies of errors
/// may repeat what was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The store's name for the reason, such as `NoSuchBucket`.
    pub(crate) code: Option<String>,
    message: Option<String>,
    /// How long the server asks to wait.
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    /// `code` is from a header; without it, it is looked for in the body.
    pub(crate) fn new(
        status: u16,
        code: Option<String>,
        body: &str,
        retry_after: Option<Duration>,
    ) -> Self {
        let code = code.or_else(|| element(body, "Code"));
        Self { status, code, message: element(body, "Message"), retry_after }
    }

    /// Whether it is the bucket or container that does not exist.
    pub(crate) fn is_missing_store(&self) -> bool {
        let codes = ["NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted"];
        let named = self.code.as_deref().is_some_and(|code| codes.contains(&code));
        self.status == 404 && named
    }

    /// Whether it is the object that does not exist. A 404 may be about something else, such as the user: what a
    /// store gives another name is not taken for a missing object.
    pub(crate) fn is_missing_object(&self) -> bool {
        let codes = ["NoSuchKey", "NotFound", "BlobNotFound", "PathNotFound", "ResourceNotFound"];
        self.status == 404 && self.code.as_deref().is_none_or(|code| codes.contains(&code))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = http::StatusCode::from_u16(self.status).ok();
        let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or_default();
        write!(f, "the server answered {} {reason}", self.status)?;
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => write!(f, " ({code}: {message})"),
            (Some(text), None) | (None, Some(text)) => write!(f, " ({text})"),
            (None, None) => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

/// Why a service gives out no credentials, by the body of its answer: one line, without tokens and keys, which services
/// repeat that find them wrong.
pub(crate) fn credentials_refused(body: &str) -> String {
    let reason = match (element(body, "Code"), element(body, "Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => first_line(body).to_owned(),
    };
    let shown = without_tokens(&reason);
    shown.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect()
}

/// The first line with a word in it, unless it is a page for people.
fn first_line(body: &str) -> &str {
    let mut lines = body.lines().map(str::trim);
    let line = lines.find(|line| line.contains(char::is_alphanumeric)).unwrap_or_default();
    if line.starts_with('<') { "" } else { line }
}

/// The text with `…` for each long word of the characters of base64 and of Azure's secrets.
fn without_tokens(text: &str) -> String {
    let is_break = |c: char| !c.is_ascii_alphanumeric() && !"+/=_-~".contains(c);
    let shown = |piece: &str| {
        let word = piece.trim_end_matches(is_break);
        let is_long = word.len() >= SHORTEST_SECRET;
        if is_long { piece.replacen(word, "…", 1) } else { piece.to_owned() }
    };
    text.split_inclusive(is_break).map(shown).collect()
}

/// The text of the first element with this name in an XML document of a store.
fn element(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    // Of several lines, the further ones name the request.
    let text = text.lines().next().unwrap_or_default().trim();
    let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_taken_from_the_body_and_nothing_else() {
        let body = "<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code>\
                    <Message>Check your key.\nRequestId: 1</Message><AWSAccessKeyId>AKIA</AWSAccessKeyId></Error>";
        let refusal = Refusal::new(403, None, body, None);
        let text = refusal.to_string();
        assert_eq!(
            text,
            "the server answered 403 Forbidden (SignatureDoesNotMatch: Check your key.)"
        );
        assert!(!format!("{refusal:?}").contains("AKIA"));
    }

    #[test]
    fn why_there_are_no_credentials_is_said_in_one_line_without_tokens() {
        let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.{}", "a-B_".repeat(50), "c3+/".repeat(20));
        let secret = "abc8Q~".to_owned() + &"x".repeat(34);
        let id = "00000000-0000-0000-0000-000000000000";
        for (body, expected) in [
            (
                "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>No provider.</Message></Error></ErrorResponse>",
                "InvalidIdentityToken: No provider.".to_owned(),
            ),
            (
                &format!("{{\n  \"error\": \"invalid_grant\",\n  \"token\": \"{token}\"\n}}"),
                "\"error\": \"invalid_grant\",".to_owned(),
            ),
            (
                &format!("bad\u{1b} token: {token}"),
                "bad token: eyJhbGciOiJSUzI1NiJ9.….…".to_owned(),
            ),
            (
                &format!("'{secret}' is not the secret of '{id}'"),
                format!("'…' is not the secret of '{id}'"),
            ),
            (&"so it is ".repeat(100), "so it is ".repeat(100)[..LONGEST_REASON].to_owned()),
            ("<!DOCTYPE html>\n<title>404</title>", String::new()),
            ("", String::new()),
        ] {
            assert_eq!(credentials_refused(body), expected);
        }
    }

    #[test]
    fn a_missing_bucket_is_told_from_a_missing_object() {
        let missing = |code: &str| {
            Refusal::new(404, None, &format!("<Error><Code>{code}</Code></Error>"), None)
        };
        assert!(missing("NoSuchBucket").is_missing_store());
        assert!(!missing("NoSuchKey").is_missing_store());
        assert!(missing("NoSuchKey").is_missing_object());
        assert!(Refusal::new(404, None, "<html>gone</html>", None).is_missing_object());
        assert!(Refusal::new(404, Some("BlobNotFound".into()), "", None).is_missing_object());
        for code in ["NoSuchBucket", "NoSuchUpload", "XAdminUserNotFound"] {
            assert!(!missing(code).is_missing_object(), "{code}");
        }
        assert!(!Refusal::new(403, None, "", None).is_missing_object());
        assert!(Refusal::new(404, Some("ContainerNotFound".into()), "", None).is_missing_store());
        assert!(!Refusal::new(404, None, "Not Found", None).is_missing_store());
    }
}
