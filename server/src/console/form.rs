//! What every form shares: errors by field, choices, and what a browser sends for a ticked box.

use serde::{Deserialize, Deserializer};

use crate::error::ApiError;

/// What is wrong with a form, by field; empty where nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Errors(Vec<(String, String)>);

impl Errors {
    /// One more thing that is wrong. The first one of a field is shown.
    pub(crate) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push((field.into(), message.into()));
    }

    /// What is wrong with a field.
    pub(crate) fn of(&self, field: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| name == field)
            .map(|(_, message)| message.as_str())
    }

    /// What is wrong with fields that the form does not show.
    pub(crate) fn elsewhere(&self, shown: &[&str]) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| !shown.contains(&name.as_str()))
            .map(|(_, message)| message.as_str())
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What was just done, where a page is come back to.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Said {
    #[serde(default)]
    pub(crate) said: String,
}

/// One option of a `<select>`.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
}

/// A ticked box sends a value, an unticked one sends nothing: `#[serde(default)]` goes with it.
pub(crate) fn ticked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = String::deserialize(deserializer)?;
    Ok(!matches!(value.as_str(), "" | "no" | "false" | "0"))
}

/// A refusal's message as a form shows it: fields by what people read, not by what scripts send.
/// `` `first_name` must not be empty. `` becomes `First name must not be empty.`
pub(crate) fn plainly(error: &ApiError) -> String {
    let mut plain = String::new();
    for (at, part) in error.message.split('`').enumerate() {
        let quoted = at % 2 == 1;
        let words = match part {
            _ if !quoted => part.to_owned(),
            "user_id" => "User ID".into(),
            "email" | "emails" => "E-mail".into(),
            other => other.replace('_', " "),
        };
        plain.push_str(&words);
    }
    let mut letters = plain.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_of_a_field_is_shown() {
        let mut errors = Errors::default();
        errors.add("name", "Enter a name.");
        errors.add("name", "Too long.");
        errors.add("workspace", "Gone.");
        assert_eq!(errors.of("name"), Some("Enter a name."));
        assert_eq!(errors.elsewhere(&["name"]), Some("Gone."));
        assert_eq!(errors.elsewhere(&["name", "workspace"]), None);
    }

    #[test]
    fn a_form_names_fields_as_people_read_them() {
        let told = |message: &str| plainly(&ApiError::invalid("any", message));
        assert_eq!(
            told("`first_name` must not be empty."),
            "First name must not be empty."
        );
        assert_eq!(told("`user_id` is taken."), "User ID is taken.");
        assert_eq!(told("Choose `a_b`."), "Choose a b.");
        assert_eq!(told(""), "");
    }
}
