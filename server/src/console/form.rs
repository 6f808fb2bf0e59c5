//! What every form shares: errors by field, choices, and what a browser sends for a ticked box.

use serde::{Deserialize, Deserializer};

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
}
