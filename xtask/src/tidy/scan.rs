//! Tells Rust code from comments and literals, so that a rule about code does not trip over a
//! sentence, and a rule about literals sees only those.
//!
//! Not a parser: it knows line and (nested) block comments, strings, raw strings, byte and C
//! strings, characters and lifetimes, which is all that the rules need.

/// A source text, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// The text with the inside of comments and literals blanked; line breaks are kept.
    pub(crate) code: String,
    /// String literals with the line each begins in, counted from 1.
    pub(crate) strings: Vec<(usize, String)>,
}

/// Takes a Rust source apart.
pub(crate) fn scan(text: &str) -> Scan {
    let mut out = Scan::default();
    let mut line = 1;
    let mut rest = text;
    let mut after_word = false;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some((open, length, close)) = string(rest, after_word) {
            let inside = rest
                .get(open..length.saturating_sub(close))
                .unwrap_or_default();
            out.strings.push((line, inside.to_owned()));
            length
        } else if let Some(length) = character(rest) {
            length
        } else {
            out.code.push(first);
            line += usize::from(first == '\n');
            after_word = first.is_alphanumeric() || first == '_';
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        };
        let (skipped, next) = rest.split_at(length.min(rest.len()));
        line += skipped.matches('\n').count();
        out.code
            .extend(skipped.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        after_word = false;
        rest = next;
    }
    out
}

/// Length of a block comment, nested ones within it.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// A string literal at the start: length of its opening, of the whole, and of its closing.
fn string(text: &str, after_word: bool) -> Option<(usize, usize, usize)> {
    let prefix = if after_word {
        0
    } else {
        // Two letters at most come before it; to look farther would make the scan quadratic.
        text.bytes()
            .take(3)
            .position(|b| matches!(b, b'"' | b'#'))?
    };
    let (letters, rest) = text.split_at_checked(prefix)?;
    if !["", "r", "b", "br", "c", "cr"].contains(&letters) {
        return None;
    }
    let raw = letters.ends_with('r');
    let hashes = if raw {
        rest.len() - rest.trim_start_matches('#').len()
    } else {
        0
    };
    let body = rest.get(hashes..)?.strip_prefix('"')?;
    let open = prefix + hashes + 1;
    if raw {
        let close = format!("\"{}", "#".repeat(hashes));
        let end = body.find(&close).map_or(body.len(), |at| at + close.len());
        return Some((open, open + end, close.len()));
    }
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((open, open + at + 1, 1)),
            _ => {}
        }
    }
    Some((open, text.len(), 0))
}

/// Length of a character literal at the start; `None` for a lifetime or anything else.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    if first == '\\' {
        let escape = inside.get(2..)?;
        return Some(1 + 2 + escape.find('\'')? + 1);
    }
    let end = first.len_utf8();
    inside.get(end..)?.starts_with('\'').then_some(1 + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(text: &str) -> Vec<String> {
        scan(text)
            .strings
            .into_iter()
            .map(|(_, string)| string)
            .collect()
    }

    #[test]
    fn comments_are_blanked_and_lines_kept() {
        let scan = scan("a // unsafe\n/* x /* y */\n unsafe */ b");
        assert_eq!(scan.code.lines().count(), 3);
        assert!(!scan.code.contains("unsafe"));
        assert!(scan.code.trim_end().ends_with('b'));
    }

    #[test]
    fn strings_of_every_form_are_found_with_their_line() {
        let text = "let a = \"one \\\" two\";\nlet b = r#\"raw \"inner\" text\"#; c(b\"bytes\")";
        assert_eq!(
            scan(text).strings,
            [
                (1, "one \\\" two".to_owned()),
                (2, "raw \"inner\" text".to_owned()),
                (2, "bytes".to_owned())
            ]
        );
    }

    #[test]
    fn quotes_in_characters_and_lifetimes_do_not_open_strings() {
        assert_eq!(
            strings("f('\"'); g('\\''); h::<'a>(\"yes\"); '\\u{41}'"),
            ["yes"]
        );
        assert_eq!(strings("fn f<'a>(x: &'a str) -> &'a str { \"s\" }"), ["s"]);
    }

    #[test]
    fn a_raw_identifier_or_an_attribute_is_no_string() {
        let scan = scan("r#type; #[cfg(unix)] for\"x\"");
        assert!(scan.code.contains("cfg(unix)"));
        assert_eq!(scan.strings, [(1, "x".to_owned())]);
    }

    #[test]
    fn text_that_ends_in_the_middle_is_survived() {
        for text in ["\"open", "r#\"open", "/* open", "'", "'\\", "b'", "\""] {
            let _ = scan(text);
        }
        assert_eq!(strings("\"open"), ["open"]);
    }
}
