//! What the command line prints: nothing goes out raw.
//!
//! Names, addresses and server messages come from elsewhere, some of them from a license that nobody
//! trusts yet. A text is one line, without terminal escapes or marks that turn the direction of text;
//! JSON escapes them.

use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

use glasshour_words::{Message, Words};
use serde::Serialize;

use crate::platform::text::{clean, clean_line};

/// Who reads the answer: a script, or a person in their language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    /// A script: in JSON.
    pub(super) json: bool,
    /// The person's words.
    pub(super) words: Words,
}

/// One line on standard output.
pub(super) fn line(text: impl AsRef<str>) {
    print(&printable(text.as_ref()));
}

/// One line on standard error.
pub(super) fn error_line(text: impl AsRef<str>) {
    eprintln!("{}", printable(text.as_ref()));
}

/// What needs somebody, on standard error, with the program's name before it.
pub(super) fn complain(text: impl AsRef<str>) {
    error_line(format!("glasshour: {}", text.as_ref()));
}

/// A value for a script, on standard output.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&escaped(&serde_json::to_string_pretty(value)?));
    Ok(())
}

/// Asks the person at the terminal; `nobody` is said where there is none.
pub(super) fn confirmed(
    words: Words,
    question: Message<'_>,
    nobody: Message<'_>,
) -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        anyhow::bail!(words.say(nobody));
    }
    // On standard error, as what is asked about is where the answer is for a script.
    eprint!("{} ", words.say(question));
    std::io::stderr().flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    let answer = answer.trim().to_lowercase();
    let meant = words.say(Message::LicenseYes {});
    Ok(meant.split_whitespace().any(|yes| yes == answer))
}

/// Whether what is printed appears before somebody's eyes.
pub(super) fn is_read() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A reader that has seen enough (`| head`) and closed the pipe is no error.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// One line that a terminal shows as it is; only the indentation is kept of what stands around it.
fn printable(text: &str) -> String {
    let indentation: String = text.chars().take_while(|c| *c == ' ').collect();
    indentation + &clean_line(text)
}

/// JSON that a terminal shows as it is: `serde_json` leaves C1 control characters
/// and direction marks as they are. They occur within strings alone, where an escape means the same.
fn escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && clean(c.encode_utf8(&mut [0; 4]), 1).is_empty() && c != ' ' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into a string cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_without_escapes_and_keeps_its_indentation() {
        assert_eq!(
            printable("  company Ac\u{1b}[2Jme\nok       license \u{202e}x\u{9b}31m"),
            "  company Ac[2Jme ok       license x31m"
        );
    }

    #[test]
    fn json_means_the_same_and_holds_no_control_character() {
        let value = serde_json::json!({ "name": "Zoë \u{9b}31m\u{202e}\u{2028}\u{1b}\u{7f} x" });
        let text = escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(
            text.chars()
                .all(|c| c == '\n' || !clean(&c.to_string(), 1).is_empty() || c == ' '),
            "{text:?}"
        );
        assert!(text.contains("Zoë") && text.contains("\\u009b31m\\u202e"));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }
}
