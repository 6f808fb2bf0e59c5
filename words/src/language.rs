//! The languages there are catalogues in, and how one is chosen.

use std::fmt;
use std::str::FromStr;

/// A language that Glasshour speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English: also what those read who ask for a language that is not here.
    #[default]
    English,
    /// French.
    French,
}

/// No catalogue is in that language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Glasshour does not speak {0:?} yet; it speaks: en (English), fr (Français)")]
pub struct UnknownLanguage(String);

impl Language {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::English, Self::French];

    /// Its code (BCP 47), as in `lang="fr"`.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// The language of a locale's name (`fr_CA.UTF-8`) or of a language tag (`fr-CA`); `None` where
    /// there is no catalogue.
    pub fn of_locale(name: &str) -> Option<Self> {
        let language = name.split(['_', '-', '.', '@']).next().unwrap_or_default();
        // "C" and "POSIX" are what a system says that was never told; its messages are English.
        if matches!(name, "C" | "POSIX") || name.starts_with("C.") {
            return Some(Self::English);
        }
        Self::ALL
            .into_iter()
            .find(|known| language.trim().eq_ignore_ascii_case(known.code()))
    }

    /// The best one for an `Accept-Language` header (RFC 9110, section 12.5.4); English where none fits.
    pub fn accepted(header: &str) -> Self {
        let mut best = (0, Self::default());
        for range in header.split(',') {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = parameters
                .trim()
                .strip_prefix("q=")
                .map_or(Some(1000), thousandths);
            if let Some((weight, language)) = weight.zip(Self::of_locale(tag.trim()))
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// A weight, `0` to `1` with at most three digits.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, part) = weight.split_once('.').unwrap_or((weight, ""));
    if part.len() > 3 || !part.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{part:0<3}").parse().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        Self::of_locale(text).ok_or_else(|| UnknownLanguage(text.to_owned()))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_a_language() {
        use Language::{English, French};
        for (name, language) in [
            ("fr", Some(French)),
            ("fr_FR.UTF-8", Some(French)),
            ("FR-ca", Some(French)),
            ("fr@euro", Some(French)),
            ("en_GB", Some(English)),
            ("C", Some(English)),
            ("C.UTF-8", Some(English)),
            ("POSIX", Some(English)),
            ("de_DE.UTF-8", None),
            ("fra", None),
            ("", None),
        ] {
            assert_eq!(Language::of_locale(name), language, "{name}");
        }
        let unknown = "de".parse::<Language>().unwrap_err().to_string();
        assert!(
            unknown.contains("\"de\"") && unknown.contains("fr"),
            "{unknown}"
        );
    }

    #[test]
    fn the_heaviest_range_that_is_spoken_wins_and_english_where_none_is() {
        use Language::{English, French};
        for (header, language) in [
            ("fr", French),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", French),
            ("en;q=0.8, fr;q=0.9", French),
            ("de, fr;q=0.1", French),
            ("en, fr", English),
            ("fr;q=0", English),
            ("fr;q=0.000, en;q=0.001", English),
            ("fr;q=7", English),
            ("de", English),
            ("*", English),
            ("", English),
            (",;q=,fr;q=0.5x;;", English),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }
}
