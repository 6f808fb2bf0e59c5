//! The rules, each a pure function over one file.

use super::scan::{Scan, scan};
use super::text::{find_from, line_of, lines_with, parenthesised, words};
use super::{Finding, Weight};

/// Where `cfg(target_os)` and its kin may stand (ARCHITECTURE.md, "The house").
const CFG_PLACES: [&str; 2] = ["agent/src/platform/", "agent/src/ipc/"];
/// Where `unsafe` may stand.
const UNSAFE_PLACES: [&str; 1] = ["agent/src/platform/"];
/// Where SQL may stand; tests may look into a database from outside.
const SQL_PLACES: [&str; 7] = [
    "server/src/store/",
    "server/migrations/",
    "server/tests/",
    "uploader/src/spool/",
    "uploader/tests/",
    "tests/",
    "xtask/src/tidy/", // the rule itself and its tests
];

/// The agent counts input and never reads it: by none of these names is a key known, on any system.
const KEYS: [&str; 15] = [
    "keycode",
    "keysym",
    "keyval",
    "keymap",
    "keyboard_mapping",
    "get_keys",
    "charcode",
    "makecode",
    "scancode",
    "mapvirtualkey",
    "vkey",
    "vkcode",
    "tounicode",
    "keystate",
    "unicodestring",
];

/// Lines of a Rust file from which on it deserves a hard look.
const LONG: usize = 400;
/// Lines of a Rust file past which it must be split.
const TOO_LONG: usize = 700;

/// Every finding in one file, by its path from the top of the clone.
pub(crate) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut found = forbidden_words(path, text);
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    if !matches!(extension, "snap" | "svg" | "lock") && !path.contains("/fixtures/") {
        found.extend(trailing_whitespace(text));
    }
    match extension {
        "rs" => {
            let scanned = scan(text);
            found.extend(header(text));
            found.extend(size(text));
            found.extend(ignored_tests(&scanned));
            if !starts_with_any(path, &CFG_PLACES) {
                found.extend(cfg_of_systems(&scanned));
            }
            if path.starts_with("agent/src/") {
                found.extend(keys_that_are_read(&scanned));
            }
            if !starts_with_any(path, &UNSAFE_PLACES) {
                found.extend(unsafe_code(&scanned));
            }
            if !starts_with_any(path, &SQL_PLACES) {
                found.extend(sql(&scanned));
            }
        }
        "css" if !path.ends_with("/tokens.css") => found.extend(colours(text)),
        _ => {}
    }
    found
}

fn starts_with_any(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path.starts_with(place))
}

fn error(line: usize, message: impl Into<String>) -> Finding {
    Finding {
        weight: Weight::Error,
        line,
        message: message.into(),
    }
}

/// A file opens with what it is for, what it promises, what it refuses.
fn header(text: &str) -> Option<Finding> {
    let first = text.lines().next().unwrap_or_default();
    let says = first
        .strip_prefix("//!")
        .is_some_and(|rest| rest.trim().len() >= 8);
    (!says).then(|| {
        error(
            1,
            "a file opens with `//!` lines: what it is for, promises, refuses",
        )
    })
}

fn size(text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    let finding = |weight, message| {
        Some(Finding {
            weight,
            line: lines,
            message,
        })
    };
    match lines {
        0..=LONG => None,
        _ if lines <= TOO_LONG => {
            finding(Weight::Warning, format!("{lines} lines: look at it again"))
        }
        _ => finding(
            Weight::Error,
            format!("{lines} lines: split it ({TOO_LONG} at most)"),
        ),
    }
}

fn ignored_tests(scanned: &Scan) -> Vec<Finding> {
    lines_with(&scanned.code, |line| line.contains("#[ignore"))
        .map(|line| {
            error(
                line,
                "a test that is ignored proves nothing: repair or remove it",
            )
        })
        .collect()
}

fn cfg_of_systems(scanned: &Scan) -> Vec<Finding> {
    const SYSTEMS: [&str; 5] = ["target_os", "target_family", "unix", "windows", "macos"];
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find_from(&scanned.code, "cfg", from) {
        from = at + "cfg".len();
        let rest = scanned.code.get(from..).unwrap_or_default();
        let Some(open) = ["(", "!(", "_attr("]
            .iter()
            .find(|open| rest.starts_with(**open))
        else {
            continue;
        };
        let inside = rest
            .get(open.len()..)
            .map(parenthesised)
            .unwrap_or_default();
        if words(inside).any(|word| SYSTEMS.contains(&word)) {
            found.push(error(
                line_of(&scanned.code, at),
                "what differs between systems belongs into agent/src/platform/ or agent/src/ipc/",
            ));
        }
    }
    found
}

fn unsafe_code(scanned: &Scan) -> Vec<Finding> {
    lines_with(&scanned.code, |line| {
        words(line).any(|word| word == "unsafe")
    })
    .map(|line| error(line, "`unsafe` may stand in agent/src/platform/ only"))
    .collect()
}

/// In a raw event of XInput2 `detail` is the key, or the button: only a button's is asked for.
fn keys_that_are_read(scanned: &Scan) -> Vec<Finding> {
    let reads = |line: &str| {
        let lower = line.to_lowercase();
        let squeezed: String = lower.chars().filter(|c| *c != ' ').collect();
        let details =
            squeezed.matches(".detail").count() + usize::from(squeezed.contains("{detail"));
        let of_buttons = squeezed.matches("button.detail").count();
        KEYS.iter().any(|name| lower.contains(name)) || details > of_buttons
    };
    lines_with(&scanned.code, reads)
        .map(|line| {
            error(
                line,
                "input is counted, never read: which key it was stays unknown to the agent",
            )
        })
        .collect()
}

/// SQL is told by how a statement begins, in capitals as we write it.
fn sql(scanned: &Scan) -> Vec<Finding> {
    const BEGINNINGS: [&str; 13] = [
        "SELECT ",
        "INSERT INTO ",
        "INSERT OR ",
        "UPDATE ",
        "DELETE FROM ",
        "CREATE TABLE ",
        "CREATE INDEX ",
        "CREATE UNIQUE ",
        "ALTER TABLE ",
        "DROP TABLE ",
        "PRAGMA ",
        "BEGIN IMMEDIATE",
        "WITH RECURSIVE ",
    ];
    scanned
        .strings
        .iter()
        .filter(|(_, string)| {
            let one_line = string.split_whitespace().collect::<Vec<_>>().join(" ") + " ";
            BEGINNINGS
                .iter()
                .any(|beginning| one_line.starts_with(beginning))
        })
        .map(|(line, _)| {
            error(
                *line,
                "SQL belongs into server/src/store/ or uploader/src/spool/",
            )
        })
        .collect()
}

fn trailing_whitespace(text: &str) -> Vec<Finding> {
    lines_with(text, |line| line.ends_with([' ', '\t', '\r']))
        .map(|line| error(line, "whitespace at the end of the line"))
        .collect()
}

/// Colours are tokens: a second place for them would break the dark mode.
fn colours(text: &str) -> Vec<Finding> {
    lines_with(text, has_colour)
        .map(|line| {
            error(
                line,
                "a colour stands in tokens.css and is used by its name, var(--…)",
            )
        })
        .collect()
}

fn has_colour(line: &str) -> bool {
    const FUNCTIONS: [&str; 7] = ["rgb(", "rgba(", "hsl(", "hsla(", "oklch(", "oklab(", "hwb("];
    // Only in a value, after the colon: `#add` may be the name of an element in a selector.
    let Some((_, value)) = line.split_once(':') else {
        return false;
    };
    let hexadecimal = value.split('#').skip(1).any(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let ends = rest
            .as_bytes()
            .get(digits)
            .is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'-');
        matches!(digits, 3 | 4 | 6 | 8) && ends && !line.trim_end().ends_with('{')
    });
    hexadecimal || FUNCTIONS.iter().any(|function| value.contains(function))
}

/// Names that tie the code to one place: package hosts (a mirror must be able to stand in for any,
/// so the machine's own settings name them) and folders of whoever wrote it.
fn forbidden_words(path: &str, text: &str) -> Vec<Finding> {
    // In halves, so that this file does not hold what it forbids.
    const WORDS: [(&str, &str); 12] = [
        ("crates", ".io"),
        ("pypi", ".org"),
        ("pythonhosted", ".org"),
        ("npmjs", ".org"),
        ("npmjs", ".com"),
        ("deb.debian", ".org"),
        ("proxy.golang", ".org"),
        ("pkg", ".dev/"),
        ("/work/", "main"),
        ("/work/", "shared"),
        ("/work/", ".library"),
        ("/tmp/", "target-"),
    ];
    if path == "Cargo.lock" {
        return Vec::new(); // cargo writes its source into it
    }
    let lower = text.to_lowercase();
    WORDS
        .iter()
        .flat_map(|(head, tail)| {
            let word = format!("{head}{tail}");
            lines_with(&lower, |line| line.contains(&word))
                .map(|line| {
                    error(
                        line,
                        format!("names one place on the network or disk: {word}"),
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "//! What this is for.\n";

    fn messages(path: &str, text: &str) -> Vec<String> {
        check(path, text)
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    fn holds(path: &str, code: &str) {
        assert_eq!(
            messages(path, &format!("{HEADER}{code}\n")),
            Vec::<String>::new(),
            "{code}"
        );
    }

    fn breaks(path: &str, code: &str, because: &str) {
        let found = messages(path, &format!("{HEADER}{code}\n"));
        assert!(
            found.iter().any(|message| message.contains(because)),
            "{code}: {found:?}"
        );
    }

    #[test]
    fn a_file_without_a_header_is_found() {
        assert_eq!(check("a.rs", "use x;\n")[0].line, 1);
        assert!(messages("a.rs", "//!\n")[0].contains("opens with"));
        holds("a.rs", "fn f() {}");
    }

    #[test]
    fn a_long_file_is_warned_of_and_a_too_long_one_refused() {
        let lines = |count: usize| format!("{HEADER}{}", "x\n".repeat(count - 1));
        assert_eq!(check("a.rs", &lines(400)), []);
        assert_eq!(check("a.rs", &lines(401))[0].weight, Weight::Warning);
        assert_eq!(check("a.rs", &lines(700))[0].weight, Weight::Warning);
        assert_eq!(check("a.rs", &lines(701))[0].weight, Weight::Error);
    }

    #[test]
    fn an_ignored_test_is_found() {
        breaks("a.rs", "#[ignore]\n#[test]\nfn f() {}", "proves nothing");
        breaks("a.rs", "#[ignore = \"slow\"]", "proves nothing");
        holds("a.rs", "// #[ignore] is not allowed");
    }

    #[test]
    fn cfg_of_a_system_is_found_in_every_form_and_allowed_in_its_place() {
        for code in [
            "#[cfg(target_os = \"linux\")] mod a;",
            "#[cfg(all(test, not(windows)))] mod a;",
            "if cfg!(unix) {}",
            "#![cfg_attr(windows, windows_subsystem = \"windows\")]",
            "#[cfg(\n    any(unix,\n target_os = \"macos\"))] mod a;",
        ] {
            breaks("agent/src/main.rs", code, "differs between systems");
            holds("agent/src/platform/mod.rs", code);
        }
        holds(
            "a.rs",
            "#[cfg(test)] mod tests {}\n// cfg(unix) in a sentence\nuse std::os::unix;",
        );
    }

    #[test]
    fn unsafe_is_found_outside_its_place_and_the_ban_on_it_is_not() {
        breaks("a.rs", "unsafe { f() }", "`unsafe`");
        holds("a.rs", "#![forbid(unsafe_code)] // unsafe");
        holds("agent/src/platform/linux/x.rs", "unsafe { f() }");
    }

    #[test]
    fn a_key_that_is_read_is_found_and_a_counted_one_is_not() {
        for code in [
            "let key = event.detail;",
            "let RawKeyPress { detail, .. } = event;",
            "state.get_keys()",
            "if raw.VKey == 13 {}",
            "fn keysym_of(code: u8) {}",
            "button.detail + key.detail",
        ] {
            breaks(
                "agent/src/platform/linux/input.rs",
                code,
                "counted, never read",
            );
            holds("tests/src/desktop/input.rs", code);
        }
        holds(
            "agent/src/platform/linux/input.rs",
            "WHEEL.contains(&button.detail); // no keysym, no keycode\nkey.flags.contains(KEY_REPEAT);",
        );
    }

    #[test]
    fn sql_is_found_in_literals_outside_its_places() {
        breaks("server/src/api/a.rs", "query(\"SELECT a FROM b\")", "SQL");
        breaks(
            "agent/src/a.rs",
            "r#\"\n    INSERT INTO b\n    VALUES (1)\"#",
            "SQL",
        );
        breaks("agent/src/a.rs", "\"PRAGMA journal_mode = WAL\"", "SQL");
        holds("server/src/store/a.rs", "query(\"SELECT a FROM b\")");
        holds("uploader/src/spool/a.rs", "query(\"SELECT a FROM b\")");
        holds("a.rs", "\"Select a project\"; // SELECT a FROM b");
    }

    #[test]
    fn whitespace_at_the_end_of_a_line_is_found() {
        breaks("README.md", "a line \nnext", "whitespace");
        breaks("a.toml", "a line\r\nnext", "whitespace");
        holds("README.md", "a line\n\nnext");
        holds("a/fixtures/v1/x.json", "kept as it is ");
    }

    #[test]
    fn a_colour_outside_the_tokens_is_found() {
        for code in [
            "a { color: #fff; }",
            "b: #12345678;",
            "c: rgb(0 0 0 / 50%);",
        ] {
            breaks("server/src/console/page.css", code, "tokens.css");
            holds("server/static/tokens.css", code);
        }
        holds(
            "server/src/console/page.css",
            "#add:hover { color: var(--ink); }",
        );
        holds("server/src/console/page.css", "a:not(#facade) {");
    }

    #[test]
    fn a_host_or_a_folder_of_ours_is_found() {
        breaks(
            "README.md",
            &format!("see https://crates{}/x", ".io"),
            "one place",
        );
        breaks("a.sh", &format!("cd /work/{}", "main"), "one place");
        holds("README.md", "a framework/main and crates, i.o.");
    }
}
