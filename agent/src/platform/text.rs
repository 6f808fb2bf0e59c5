//! Names and titles as other programs set them: hostile until cleaned.
//!
//! A title can hold line breaks, terminal escapes or marks that turn the reading direction of what
//! follows. None of it leaves the platform layer.

/// Makes text from another program safe to keep and to show: one line, no control or direction
/// characters, no more than `max_chars` characters.
pub fn clean(raw: &str, max_chars: usize) -> String {
    cleaned(raw, max_chars, char::is_whitespace)
}

/// The same for a whole line of ours: spaces that do not break stay, which French needs before `:`.
pub fn clean_line(raw: &str) -> String {
    let breaks = |c: char| c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}');
    cleaned(raw, usize::MAX, breaks)
}

fn cleaned(raw: &str, max_chars: usize, is_space: impl Fn(char) -> bool) -> String {
    let one_line: String = raw
        .chars()
        .map(|c| if is_space(c) { ' ' } else { c })
        .filter(|&c| !c.is_control() && !turns_direction(c))
        .take(max_chars)
        .collect();
    one_line.trim().to_owned()
}

/// Unicode's explicit direction marks (UAX #9, section 2).
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{clean, clean_line};

    #[test]
    fn control_and_direction_characters_are_removed() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\u{0}\u{9b}d", 100), "a[31mbcd");
    }

    #[test]
    fn line_breaks_become_spaces() {
        assert_eq!(clean("  one\r\ntwo\u{2028}three\t", 100), "one  two three");
    }

    #[test]
    fn spaces_that_do_not_break_stay_in_our_own_lines_alone() {
        let text = " 1\u{202f}920\u{a0}: x\u{2028}\u{202e}y ";
        assert_eq!(clean_line(text), "1\u{202f}920\u{a0}: x y");
        assert_eq!(clean(text, 100), "1 920 : x y");
    }

    #[test]
    fn length_is_counted_in_characters_not_bytes() {
        assert_eq!(clean("żółć日本語", 5), "żółć日");
    }
}
