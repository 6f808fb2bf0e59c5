//! Small helpers over text that the rules share.

/// Numbers of the lines that hold something, counted from 1.
pub(super) fn lines_with(text: &str, holds: impl Fn(&str) -> bool) -> impl Iterator<Item = usize> {
    // `split` and not `lines`, which hides a carriage return.
    text.split('\n')
        .enumerate()
        .filter(move |(_, line)| holds(line))
        .map(|(at, _)| at + 1)
}

/// Where a word stands at or after a place, in bytes.
pub(super) fn find_from(text: &str, word: &str, from: usize) -> Option<usize> {
    text.get(from..)?.find(word).map(|at| from + at)
}

/// The number of the line in which a place lies, counted from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// What stands before the parenthesis that closes the one just opened.
pub(super) fn parenthesised(text: &str) -> &str {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// Identifiers, keywords and numbers, without what stands between them.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}
