//! The catalogues, parsed once per language, and the one place where a message becomes text.

use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentResource, FluentValue};
use glasshour_assets::words;

use crate::language::Language;
use crate::message::{Message, Said};

type Bundle = FluentBundle<FluentResource>;

/// One language's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Words {
    language: Language,
}

impl Words {
    /// English, whoever asks: for what goes to scripts and logs.
    pub const ENGLISH: Self = Self::new(Language::English);

    /// The words of a language.
    pub const fn new(language: Language) -> Self {
        Self { language }
    }

    /// Which language they are in.
    pub fn language(self) -> Language {
        self.language
    }

    /// Says it.
    pub fn say(self, message: Message<'_>) -> String {
        let (id, arguments) = message.parts();
        let bundle = bundle(self.language);
        let pattern = bundle
            .get_message(id)
            .and_then(|found| found.value())
            .expect("a test finds every message in every catalogue");
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&arguments), &mut errors);
        debug_assert!(errors.is_empty(), "{id}: {errors:?}");
        text.into_owned()
    }

    /// Says something that goes into another message.
    pub fn part(self, message: Message<'_>) -> Said {
        Said::new(self.say(message))
    }
}

fn bundle(language: Language) -> &'static Bundle {
    static ENGLISH: OnceLock<Bundle> = OnceLock::new();
    static FRENCH: OnceLock<Bundle> = OnceLock::new();
    match language {
        Language::English => ENGLISH.get_or_init(|| load(language)),
        Language::French => FRENCH.get_or_init(|| load(language)),
    }
}

/// The files of a language's catalogue: name and text.
pub(crate) fn sources(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::English => &words::ENGLISH,
        Language::French => &words::FRENCH,
    }
}

fn load(language: Language) -> Bundle {
    let tag = language.code().parse().expect("the codes are our own");
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // No invisible direction marks around what is put in: it goes to terminals and into pages, and what
    // comes from outside has none of its own left.
    bundle.set_use_isolating(false);
    match language {
        Language::English => bundle.set_formatter(Some(|value, _| grouped(value, ','))),
        Language::French => bundle.set_formatter(Some(|value, _| grouped(value, '\u{202f}'))),
    }
    for (_, source) in sources(language) {
        let Ok(resource) = FluentResource::try_new((*source).to_owned()) else {
            unreachable!("a test parses every catalogue");
        };
        bundle
            .add_resource(resource)
            .expect("a test finds every id once in a catalogue");
    }
    bundle
}

/// A whole number in groups of three, as `1,920`.
fn grouped(value: &FluentValue<'_>, separator: char) -> Option<String> {
    let FluentValue::Number(number) = value else {
        return None;
    };
    let digits = number.value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_as_the_language_does_and_plurals_are_its_own() {
        let [english, french] = Language::ALL.map(Words::new);
        let pixels = |words: Words, pixels| words.say(Message::CapturedWidth { pixels });
        assert!(pixels(english, 16_384).contains("than 16,384 pixels"));
        assert!(pixels(french, 16_384).contains("de 16\u{202f}384\u{a0}pixels"));
        assert!(pixels(english, 640).contains("than 640 pixels"));
        let days = |words: Words, count| words.say(Message::Days { count });
        assert_eq!(
            [0, 1, 2].map(|n| days(english, n)),
            ["0 days", "1 day", "2 days"]
        );
        assert_eq!(
            [0, 1, 2].map(|n| days(french, n)),
            ["0\u{a0}jour", "1\u{a0}jour", "2\u{a0}jours"]
        );
    }
}
