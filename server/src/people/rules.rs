//! The rules that need nothing but the form.

use glasshour_license_format::{WorkMode, misleads};

use crate::error::ApiError;

/// Longest name of a person, project or profile, in characters.
const MAX_NAME_CHARS: usize = 200;

/// A required field (rule 1).
pub(super) fn required<T>(field: &str, value: Option<T>) -> Result<T, ApiError> {
    value.ok_or_else(|| missing(field))
}

/// The error for a missing required field.
pub(super) fn missing(field: &str) -> ApiError {
    ApiError::invalid(field, format!("`{field}` is missing."))
}

/// A name: trimmed, not empty, one line, and nothing in it that a license may not say: it would be
/// refused there, long after whoever wrote it.
pub(crate) fn name(field: &str, text: &str) -> Result<String, ApiError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(ApiError::invalid(
            field,
            format!("`{field}` must not be empty."),
        ));
    }
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(ApiError::invalid(
            field,
            format!("`{field}` must be one line of at most {MAX_NAME_CHARS} characters."),
        ));
    }
    if name.chars().any(misleads) {
        return Err(ApiError::invalid(
            field,
            format!(
                "`{field}` must have no characters that are not seen or that turn the direction of \
                 text. Type it anew instead of pasting it."
            ),
        ));
    }
    Ok(name.to_owned())
}

/// Exactly `worklog` or `monitoring` (rule 2).
pub(super) fn work_mode(text: &str) -> Result<WorkMode, ApiError> {
    match text {
        "worklog" => Ok(WorkMode::Worklog),
        "monitoring" => Ok(WorkMode::Monitoring),
        _ => Err(ApiError::invalid(
            "work_mode",
            "`work_mode` must be `worklog` or `monitoring`.",
        )),
    }
}

/// An e-mail address, roughly: the only real check is a mail that arrives. Empty: none.
pub(crate) fn email(text: &str) -> Result<Option<String>, ApiError> {
    let email = text.trim();
    if email.is_empty() {
        return Ok(None);
    }
    let plausible = email.len() <= 254
        && !email
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c))
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        });
    if plausible {
        Ok(Some(email.to_owned()))
    } else {
        Err(ApiError::invalid(
            "email",
            "`email` must be one e-mail address, such as jo@acme.example.",
        ))
    }
}

/// A required e-mail address, in lower case: what people log in with.
pub(super) fn address(field: &str, text: &str) -> Result<String, ApiError> {
    let address = email(text).ok().flatten();
    address
        .map(|address| address.to_lowercase())
        .ok_or_else(|| {
            let message = format!("`{field}` must be an e-mail address, such as jo@acme.example.");
            ApiError::invalid(field, message)
        })
}

/// A User ID (rule 29): in lower case, of letters, digits and a few signs.
pub(super) fn login(text: &str) -> Result<String, ApiError> {
    let login = text.trim().to_lowercase();
    let plain = |c: char| c.is_alphanumeric() || "._-@+".contains(c);
    if (1..=64).contains(&login.chars().count()) && login.chars().all(plain) {
        Ok(login)
    } else {
        Err(ApiError::invalid(
            "user_id",
            "`user_id` must have 1 to 64 letters, digits or . _ - @ +.",
        ))
    }
}

/// `#rrggbb`, in lower case.
pub(super) fn color(text: &str) -> Result<String, ApiError> {
    let digits = text.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(ApiError::invalid(
            "color",
            "`color` must be six hexadecimal digits behind a #, such as #0f766e.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p01_a_missing_field_is_refused_by_name() {
        let error = required::<bool>("active", None).unwrap_err();
        assert_eq!(
            (error.code, error.field.as_deref()),
            ("invalid", Some("active"))
        );
        assert_eq!(
            name("name", "  ").unwrap_err().field.as_deref(),
            Some("name")
        );
        assert_eq!(name("name", " Jo Doe ").unwrap(), "Jo Doe");
        assert!(name("name", "a\nb").is_err());
    }

    #[test]
    fn a_name_that_no_license_could_say_is_refused_where_it_comes_in() {
        for bad in [
            "Ac\u{202e}me",
            "Ac\u{200b}me",
            "Ac\u{2028}me",
            "Ac\u{feff}me",
        ] {
            assert_eq!(
                name("name", bad).unwrap_err().field.as_deref(),
                Some("name"),
                "{bad:?}"
            );
        }
        // Names in several scripts need the joiners.
        assert!(name("name", "\u{645}\u{200c}\u{6cc}").is_ok());
    }

    #[test]
    fn p02_there_are_exactly_two_work_modes() {
        assert_eq!(work_mode("worklog").unwrap(), WorkMode::Worklog);
        assert_eq!(work_mode("monitoring").unwrap(), WorkMode::Monitoring);
        for bad in ["", "Worklog", "stealth", "worklog "] {
            assert_eq!(
                work_mode(bad).unwrap_err().field.as_deref(),
                Some("work_mode"),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn an_address_is_one_plausible_address_or_none() {
        assert_eq!(
            email(" jo@acme.example ").unwrap().as_deref(),
            Some("jo@acme.example")
        );
        assert_eq!(email("").unwrap(), None);
        for bad in [
            "jo",
            "@acme",
            "jo@",
            "a@b@c",
            "a@b,c@d",
            "jo@acme\r\nBcc: x@y",
        ] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn colours_are_six_digits() {
        assert_eq!(color("#0F766E").unwrap(), "#0f766e");
        for bad in ["0f766e", "#0f766", "#0f766g", "#0f766e;x", ""] {
            assert!(color(bad).is_err(), "{bad:?}");
        }
    }
}
