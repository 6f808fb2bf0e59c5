//! What a newer license changes, said to the person it is about.

use glasshour_license_format::Claims;
use glasshour_license_format::changes::{Effect, changes};

use crate::catalogue::Words;
use crate::message::{Key, Message};

/// What `new` changes, as lines: more, less, and the rest, each under its heading. None where nothing
/// that counts differs. `old` is the license that was agreed to.
pub fn lines(words: Words, old: &Claims, new: &Claims) -> Vec<String> {
    let changes = changes(old, new);
    let mut lines = Vec::new();
    for (effect, heading) in [
        (Effect::Wider, Message::ChangesWider {}),
        (Effect::Narrower, Message::ChangesNarrower {}),
        (Effect::Neutral, Message::ChangesNeutral {}),
    ] {
        let mut of_it = changes
            .iter()
            .filter(|change| change.effect == effect)
            .peekable();
        if of_it.peek().is_some() {
            lines.push(words.say(heading));
        }
        lines.extend(of_it.map(|change| format!("  - {}", field(words, change.field))));
    }
    if !lines.is_empty() {
        lines.insert(0, words.say(Message::ChangesTitle {}));
    }
    lines
}

fn field(words: Words, path: &str) -> String {
    // A dot cannot stand in the name of a variant.
    words.say(Message::Change {
        field: Key(&path.replace('.', "-")),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use glasshour_license_format::changes::FIELDS;
    use serde_json::{Value, json};

    use super::*;
    use crate::language::Language;

    #[test]
    fn every_field_that_is_compared_has_words_of_its_own_in_every_language() {
        for words in Language::ALL.map(Words::new) {
            let said: BTreeSet<_> = FIELDS.iter().map(|path| field(words, path)).collect();
            assert_eq!(said.len(), FIELDS.len(), "{said:?}");
            assert!(!said.contains(&field(words, "no such field")), "{said:?}");
        }
    }

    #[test]
    fn more_comes_first_then_less_then_the_rest() {
        let text = include_str!("../../license-format/fixtures/v1/claims.json");
        let old: Value = serde_json::from_str(text).unwrap();
        let mut new = old.clone();
        new["profile"]["name"] = json!("Other");
        new["profile"]["screenshots"]["blur"] = json!("light");
        new["profile"]["screenshots"]["per_hour"] = json!(60);
        let claims = |value: &Value| serde_json::from_value::<Claims>(value.clone()).unwrap();
        let (old, new) = (claims(&old), claims(&new));
        assert_eq!(
            lines(Words::ENGLISH, &old, &new),
            [
                "What is different from the license that you agreed to",
                "More than before:",
                "  - pictures of your screen: how often",
                "Less than before:",
                "  - pictures of your screen: how blurred",
                "Otherwise different:",
                "  - the profile’s name",
            ]
        );
        assert!(lines(Words::ENGLISH, &old, &old).is_empty());
    }
}
