//! The pages of a text in letters of one width. Pure.

/// Breaks a text into pages of at most so many lines of at most so many characters. Lines are broken between
/// words where they can be, and go on as far in as their text began; a page never begins with an empty line.
pub(super) fn pages(text: &str, columns: usize, rows: usize) -> Vec<Vec<String>> {
    let mut pages = vec![Vec::new()];
    for line in text.lines().flat_map(|line| broken(line, columns.max(1))) {
        if pages.last().is_some_and(|page| page.len() >= rows.max(1)) {
            pages.push(Vec::new());
        }
        let page = pages.last_mut().expect("there is a page");
        if !(page.is_empty() && line.is_empty()) {
            page.push(line);
        }
    }
    pages.retain(|page| !page.is_empty());
    pages
}

/// One line, broken.
fn broken(line: &str, columns: usize) -> Vec<String> {
    let line = line.trim_end();
    let hang = indent(line).min(columns / 2);
    let (mut lines, mut current) = (Vec::new(), String::new());
    let mut left = line.chars().count() - line.trim_start().chars().count();
    for word in line.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        let used = current.chars().count();
        let gap = usize::from(used > left);
        if used > left && used + gap + word.len() > columns {
            lines.push(std::mem::take(&mut current));
            left = hang;
        }
        if current.is_empty() {
            current = " ".repeat(left.min(columns / 2));
            left = current.len();
        } else {
            current.push(' ');
        }
        // Longer than a line: an address, say.
        while current.chars().count() + word.len() > columns {
            let room = columns - current.chars().count();
            let rest = word.split_off(room);
            current.extend(std::mem::replace(&mut word, rest));
            lines.push(std::mem::take(&mut current));
            left = hang;
            current = " ".repeat(left);
        }
        current.extend(word);
    }
    lines.push(current);
    lines
}

/// How far in the text of a line begins, behind its spaces and its dash.
fn indent(line: &str) -> usize {
    let text = line.trim_start_matches([' ', '-', '•']);
    line.chars().count() - text.chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_hang_under_their_text() {
        let text =
            "What is captured:\n  - pictures of all screens, at most 12 an hour\n\nWho to ask";
        assert_eq!(
            pages(text, 24, 10),
            [[
                "What is captured:",
                "  - pictures of all",
                "    screens, at most 12",
                "    an hour",
                "",
                "Who to ask"
            ]]
        );
    }

    #[test]
    fn a_page_begins_with_a_line_that_says_something() {
        assert_eq!(pages("a\nb\n\nc", 9, 2), [["a", "b"].as_slice(), &["c"]]);
        assert_eq!(pages("", 9, 2), Vec::<Vec<String>>::new());
    }

    #[test]
    fn a_word_longer_than_a_line_is_broken_within() {
        assert_eq!(
            pages("- see https://time.acme.example/x", 10, 9),
            [["- see", "  https://", "  time.acm", "  e.exampl", "  e/x"]]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_long(
            text in "[a-zé \n-]{0,200}", columns in 1_usize..40, rows in 1_usize..9,
        ) {
            let pages = pages(&text, columns, rows);
            let said = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(said(&pages.concat().concat()), said(&text));
            for page in &pages {
                prop_assert!(!page.is_empty() && page.len() <= rows);
                prop_assert!(page.iter().all(|line| line.chars().count() <= columns), "{:?}", page);
            }
        }
    }
}
