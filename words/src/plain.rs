//! What is let through of text that comes from outside.

use glasshour_license_format::misleads;

/// Text from outside, fit for a terminal: line ends become spaces; what could mislead goes. Spaces that
/// do not break stay: a sentence that a catalogue made may come back in another.
pub(crate) fn plain(text: &str) -> String {
    let breaks = |c: char| c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}');
    let spaced: String = text
        .chars()
        .map(|c| if breaks(c) { ' ' } else { c })
        .filter(|&c| !misleads(c))
        .collect();
    spaced.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mark_that_turns_the_direction_of_text_comes_through() {
        let marks = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}\u{1b}\u{9b}";
        assert_eq!(plain(&format!(" Ac{marks}me\u{2028}Inc\n")), "Acme Inc");
    }
}
