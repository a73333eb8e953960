//! What variables of the environment turn on.

use crate::Provider;

/// Whether data may go unencrypted to other machines, as the variable of a provider says. It is not taken from the
/// builders of `object_store`: Google's has a default of its own.
///
/// # Errors
/// As those of [`flag`].
pub(crate) fn allows_http(
    provider: Provider,
    value: impl Fn(&str) -> Option<String>,
) -> Result<bool, String> {
    let variable = match provider {
        Provider::S3 => "AWS_ALLOW_HTTP",
        Provider::Gcs => "GOOGLE_ALLOW_HTTP",
        Provider::Azure => "AZURE_ALLOW_HTTP",
        Provider::Http => return Ok(false),
    };
    flag(&value(variable).unwrap_or_default(), variable)
}

/// Whether the text of a variable turns something on, in the words that `object_store` understands itself.
///
/// # Errors
/// Which variable has another.
pub(crate) fn flag(text: &str, variable: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "on" | "yes" | "y" => Ok(true),
        "" | "0" | "false" | "off" | "no" | "n" => Ok(false),
        _ => Err(format!("{variable} is neither true nor false but '{text}'")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn flags_are_told_in_many_words() {
        for text in ["1", "true", "True", "TRUE", "on", "yes", "Y"] {
            assert_eq!(flag(text, "VARIABLE"), Ok(true), "{text}");
        }
        for text in ["", "0", "false", "False", "off", "NO", "n"] {
            assert_eq!(flag(text, "VARIABLE"), Ok(false), "{text}");
        }
    }

    #[test]
    fn flags_in_other_words_are_refused_by_name() {
        let reason = flag("maybe", "VARIABLE").unwrap_err();
        assert_eq!(reason, "VARIABLE is neither true nor false but 'maybe'");
    }

    #[test]
    fn each_provider_has_a_variable_that_allows_http() {
        for (provider, variable) in [
            (Provider::S3, "AWS_ALLOW_HTTP"),
            (Provider::Gcs, "GOOGLE_ALLOW_HTTP"),
            (Provider::Azure, "AZURE_ALLOW_HTTP"),
        ] {
            let allows = |text: &str| {
                allows_http(provider, |asked| (asked == variable).then(|| text.to_owned()))
            };
            assert_eq!((allows("1"), allows("false")), (Ok(true), Ok(false)), "{variable}");
            assert_eq!(allows_http(provider, |_| None), Ok(false));
            assert!(allows("maybe").unwrap_err().starts_with(variable));
        }
    }
}
