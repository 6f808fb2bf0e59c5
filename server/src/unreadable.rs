//! Why JSON that somebody sent could not be read, in words for who wrote it: which field, and what is
//! wanted there. The parser's own words name Rust types and stay inside.

use glasshour_protocol::code;

use crate::error::ApiError;

/// The refusal of a value. `told` is what the parser said, with the path of the field before it where
/// one is known (`settings.idle_after_s: invalid type: string "x", expected u32 at line 1 column 9`).
pub(crate) fn refused(told: &str, whole: &str) -> ApiError {
    let (path, what) = match told.split_once(": ") {
        Some((path, what)) if is_path(path) => (Some(path), what),
        _ => (None, told),
    };
    let what = what.split(" at line ").next().unwrap_or(what);
    if let Some(field) = quoted_after(what, "missing field ") {
        let field = joined(path, field);
        return ApiError::invalid(field.clone(), format!("`{field}` is missing."));
    }
    if let Some(field) = quoted_after(what, "unknown field ") {
        let known = what.split_once("expected ").map(|(_, known)| known.trim());
        let known = known
            .filter(|known| known.contains('`'))
            .map_or_else(String::new, |known| {
                format!(" Known here: {}.", known.trim_start_matches("one of "))
            });
        // The path of an unknown field ends in that field, or in the object around it.
        let around = path.filter(|path| last(path) != field);
        let field = joined(around, field);
        return ApiError::invalid(field.clone(), format!("`{field}` is not known.{known}"));
    }
    let field = path.unwrap_or(whole);
    ApiError::invalid(field, format!("`{field}` {}.", must(what)))
}

/// The refusal of what is no JSON at all.
pub(crate) fn not_json(status: axum::http::StatusCode) -> ApiError {
    ApiError::new(
        status,
        code::INVALID,
        "The body must be one JSON object, sent with `Content-Type: application/json`.",
    )
}

fn must(what: &str) -> String {
    // A list where an object is wanted is taken for its members, as many as there are.
    if what.starts_with("invalid length ") && what.contains("expected struct ") {
        return "must be a JSON object, and is a list".into();
    }
    let wrong = ["invalid type: ", "invalid value: "]
        .into_iter()
        .find_map(|begin| what.strip_prefix(begin));
    if let Some((found, wanted)) = wrong.and_then(|rest| rest.split_once(", expected ")) {
        return format!("must be {}, and is {}", plain(wanted), plain_found(found));
    }
    if let Some(found) = quoted_after(what, "unknown variant ") {
        let known = what.split_once("expected ").map_or("", |(_, known)| known);
        let known = known
            .trim_start_matches("one of ")
            .replace("`, `", "` or `");
        return format!("must be {known}, and is `{found}`");
    }
    if what.contains("did not match any variant") {
        return "has none of the forms that it may have: GET /api/openapi.json describes them"
            .into();
    }
    format!("cannot be read: {what}")
}

/// What a type is called by people.
fn plain(wanted: &str) -> String {
    match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on".into(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a string" | "str" | "string" => "a text".into(),
        "a sequence" => "a list".into(),
        "a map" => "a JSON object".into(),
        "option" => "a value or null".into(),
        other if other.starts_with("struct ") => "a JSON object".into(),
        other => other.into(),
    }
}

fn plain_found(found: &str) -> String {
    let kinds = [
        ("string ", "the text "),
        ("integer ", "the number "),
        ("floating point ", "the number "),
        ("boolean ", ""),
    ];
    for (kind, said) in kinds {
        if let Some(value) = found.strip_prefix(kind) {
            return format!("{said}{}", value.replace('`', ""));
        }
    }
    match found {
        "map" => "an object".into(),
        "sequence" => "a list".into(),
        other => other.into(),
    }
}

fn quoted_after<'a>(text: &'a str, begin: &str) -> Option<&'a str> {
    text.strip_prefix(begin)?
        .strip_prefix('`')?
        .split('`')
        .next()
}

fn joined(path: Option<&str>, field: &str) -> String {
    path.map_or_else(|| field.to_owned(), |path| format!("{path}.{field}"))
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn is_path(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.[]-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_cannot_be_read_is_told_by_its_field_and_what_is_wanted() {
        let cases = [
            (
                "settings.idle_after_s: invalid type: string \"x\", expected u32 at line 1 column 9",
                "settings.idle_after_s",
                "`settings.idle_after_s` must be a whole number from 0 on, and is the text \"x\".",
            ),
            (
                "invalid type: sequence, expected struct EmployeeForm at line 1 column 0",
                "body",
                "`body` must be a JSON object, and is a list.",
            ),
            (
                "active: invalid type: integer `1`, expected a boolean at line 1 column 2",
                "active",
                "`active` must be true or false, and is the number 1.",
            ),
            (
                "nmae: unknown field `nmae`, expected `name` or `email` at line 1 column 7",
                "nmae",
                "`nmae` is not known. Known here: `name` or `email`.",
            ),
            (
                "missing field `email` at line 1 column 2",
                "email",
                "`email` is missing.",
            ),
            (
                "role: unknown variant `boss`, expected one of `admin`, `manager` at line 1 column 2",
                "role",
                "`role` must be `admin` or `manager`, and is `boss`.",
            ),
            (
                "data did not match any variant of untagged enum Line",
                "body",
                "`body` has none of the forms that it may have: GET /api/openapi.json describes them.",
            ),
        ];
        for (told, field, message) in cases {
            let error = refused(told, "body");
            assert_eq!(error.field.as_deref(), Some(field), "{told}");
            assert_eq!(error.message, message, "{told}");
        }
    }
}
