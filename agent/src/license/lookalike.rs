//! Names that are made to be taken for others: `Асme` with two Cyrillic letters, beside `Acme`.
//!
//! By Unicode Technical Standard 39: words of several scripts (section 5.1), and the skeletons of what
//! looks alike (section 4). Nothing is refused for it: somebody is told, and compares the fingerprint.

use unicode_security::MixedScript as _;
use unicode_security::confusable_detection::skeleton;

/// Whether a word of the name is of several scripts. A name of several words may be: `ООО Acme`.
pub fn mixes_alphabets(name: &str) -> bool {
    let words = name.split(|c: char| !c.is_alphanumeric());
    words.into_iter().any(|word| !word.is_single_script())
}

/// Whether two names look alike, or are.
pub fn looks_like(one: &str, other: &str) -> bool {
    let spaced = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ");
    let (one, other) = (spaced(one), spaced(other));
    let alike = |one: &str, other: &str| skeleton(one).eq(skeleton(other));
    alike(&one, &other) || alike(&one.to_lowercase(), &other.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_several_alphabets_is_found_and_a_name_of_several_words_is_not_suspected() {
        for mixed in ["Асme", "Acmе", "Beta Асme", "Αcme"] {
            assert!(mixes_alphabets(mixed), "{mixed}");
        }
        for plain in [
            "Acme",
            "Société Générale",
            "Ростелеком",
            "ООО Acme",
            "3M",
            "トヨタ自動車株式会社",
            "Müller & Söhne",
            "한국전력공사",
            "",
        ] {
            assert!(!mixes_alphabets(plain), "{plain}");
        }
    }

    #[test]
    fn names_that_look_alike_are_found_whatever_their_letters_are() {
        for other in ["Асme", "acme", " ACME ", "Αcme", "Аcme", "Acrne"] {
            assert!(looks_like("Acme", other), "{other}");
        }
        assert!(looks_like("Apple", "AppIe"));
        for other in ["Acme Ltd", "Beta", "Акме"] {
            assert!(!looks_like("Acme", other), "{other}");
        }
    }
}
