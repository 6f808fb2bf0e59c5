//! A CSV file as rows with named columns: what spreadsheets write, with `,` or `;`, with or without a byte
//! order mark, with or without quotes (RFC 4180, and what Excel makes of it).
//!
//! Pure: a whole file in, rows with their line numbers out. What is wrong with the file as a whole is an
//! error; what is wrong with one row is that row's own.

use csv::{Position, ReaderBuilder, StringRecord, Trim};

use crate::error::ApiError;

/// Most rows in one file.
pub(super) const MAX_ROWS: usize = 10_000;
/// Largest file.
pub(crate) const MAX_SHEET_BYTES: usize = 4 * 1024 * 1024;

const NOT_UTF_8: &str = "This file is not UTF-8. Save it again as \u{201c}CSV UTF-8\u{201d}.";

/// A column that is known, by the names that a header may give it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Its name in the API, first of what a header may say.
    pub(super) name: &'static str,
    /// Other names for it.
    pub(super) also: &'static [&'static str],
    /// Whether a file must have it.
    pub(super) required: bool,
}

/// One row that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The line that it begins on, from 1, the header's included.
    pub(super) line: u64,
    /// A value for each known column, in their order; empty where the file has none.
    values: Vec<String>,
    /// What is wrong with the row as such.
    pub(super) fault: Option<String>,
}

impl Row {
    /// The trimmed value of a column; empty where there is none.
    pub(super) fn value(&self, columns: &[Column], name: &str) -> &str {
        let index = columns.iter().position(|column| column.name == name);
        let value = index.and_then(|index| self.values.get(index));
        value.map_or("", |value| value.as_str())
    }
}

/// Reads a file: 422 where its header or its encoding is not what is taken.
pub(super) fn read(bytes: &[u8], columns: &[Column]) -> Result<Vec<Row>, ApiError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| wrong(NOT_UTF_8))?;
    // What a browser makes of a file in another encoding.
    if text.contains('\u{fffd}') {
        return Err(wrong(NOT_UTF_8));
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(text))
        .flexible(true)
        .trim(Trim::All)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let unreadable = |error: csv::Error| wrong(format!("The file cannot be read: {error}."));
    let header = records.next().transpose().map_err(unreadable)?;
    let header = header.ok_or_else(|| wrong("The file is empty."))?;
    let places = places(&header, columns)?;
    let mut rows = Vec::new();
    let mut lines = Lines::of(text);
    for record in records {
        let record = record.map_err(unreadable)?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        if rows.len() == MAX_ROWS {
            return Err(wrong(format!(
                "The file has more than {MAX_ROWS} rows. Split it, and import the parts one after the other."
            )));
        }
        let line = lines.at(record.position());
        let value = |place: &Option<usize>| {
            let value = place.and_then(|place| record.get(place));
            value.unwrap_or_default().to_owned()
        };
        let (has, wants) = (record.len(), header.len());
        // A spreadsheet may leave empty fields at the end away, or add some.
        let more = record.iter().skip(wants).any(|value| !value.is_empty());
        let fault = more.then(|| {
            format!(
                "This row has {has} fields and the header {wants}. Put a value that contains the separator in quotes."
            )
        });
        rows.push(Row {
            line,
            values: places.iter().map(value).collect(),
            fault,
        });
    }
    Ok(rows)
}

/// Counts lines as an editor does. The reader's own count is one less behind `\r\n`, and does not know of empty
/// lines that it skips.
struct Lines<'a> {
    bytes: &'a [u8],
    /// Counted up to here.
    seen: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            seen: 0,
            line: 1,
        }
    }

    /// The line of a record that the reader began to look for at a place.
    fn at(&mut self, place: Option<&Position>) -> u64 {
        let mut start = place
            .and_then(|place| usize::try_from(place.byte()).ok())
            .unwrap_or(self.seen);
        while matches!(self.bytes.get(start), Some(b'\r' | b'\n')) {
            start += 1;
        }
        let between = self.bytes.get(self.seen..start).unwrap_or_default();
        let breaks = between.split(|byte| *byte == b'\n').skip(1).count();
        self.line += u64::try_from(breaks).unwrap_or(0);
        self.seen = self.seen.max(start);
        self.line
    }
}

/// Where in a record each known column stands.
fn places(header: &StringRecord, columns: &[Column]) -> Result<Vec<Option<usize>>, ApiError> {
    let plain = |name: &str| -> String {
        let kept = name.chars().filter(|c| c.is_alphanumeric());
        kept.flat_map(char::to_lowercase).collect()
    };
    let known = || {
        let names: Vec<_> = columns.iter().map(|column| column.name).collect();
        names.join(", ")
    };
    let mut places = vec![None; columns.len()];
    for (index, title) in header.iter().enumerate() {
        if title.is_empty() {
            continue;
        }
        let is_it = |column: &Column| {
            let mut names = std::iter::once(&column.name).chain(column.also);
            names.any(|name| plain(name) == plain(title))
        };
        let found = columns.iter().position(is_it).ok_or_else(|| {
            wrong(format!(
                "The first line names a column \u{201c}{title}\u{201d}, which is not known. Known are: {}.",
                known()
            ))
        })?;
        match places.get_mut(found) {
            Some(place @ None) => *place = Some(index),
            _ => {
                let message =
                    format!("The first line names the column \u{201c}{title}\u{201d} twice.");
                return Err(wrong(message));
            }
        }
    }
    for (column, place) in columns.iter().zip(&places) {
        if column.required && place.is_none() {
            return Err(wrong(format!(
                "The first line must name the columns, and \u{201c}{}\u{201d} is missing. Known are: {}.",
                column.name,
                known()
            )));
        }
    }
    Ok(places)
}

/// What separates the values: what the first line has most of, outside of quotes.
fn delimiter(text: &str) -> u8 {
    let mut quoted = false;
    let (mut commas, mut semicolons, mut tabs) = (0, 0, 0);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '\n' if !quoted => break,
            ',' if !quoted => commas += 1,
            ';' if !quoted => semicolons += 1,
            '\t' if !quoted => tabs += 1,
            _ => {}
        }
    }
    if semicolons > commas && semicolons >= tabs {
        b';'
    } else if tabs > commas {
        b'\t'
    } else {
        b','
    }
}

fn wrong(message: impl Into<String>) -> ApiError {
    ApiError::invalid("file", message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column {
            name: "name",
            also: &[],
            required: true,
        },
        Column {
            name: "email",
            also: &["mail"],
            required: false,
        },
    ];

    fn rows(text: &str) -> Vec<(u64, String, String)> {
        let rows = read(text.as_bytes(), COLUMNS).unwrap();
        rows.iter()
            .map(|row| {
                let value = |name| row.value(COLUMNS, name).to_owned();
                (row.line, value("name"), value("email"))
            })
            .collect()
    }

    fn row(line: u64, name: &str, email: &str) -> (u64, String, String) {
        (line, name.to_owned(), email.to_owned())
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let jo = [row(2, "Jo Doe", "jo@x")];
        assert_eq!(rows("name,email\nJo Doe,jo@x\n"), jo);
        assert_eq!(rows("\u{feff}Name;E-Mail\r\nJo Doe;jo@x\r\n"), jo);
        assert_eq!(rows("E-MAIL\tNAME\njo@x\tJo Doe"), jo);
        assert_eq!(rows("\"name\" , mail\n\"Jo Doe\" , jo@x \n"), jo);
        assert_eq!(rows("name;email;;\nJo Doe;jo@x;;\n;;;\n\n"), jo);
        assert_eq!(
            rows("name\r\n\r\nJo\r\n\r\n\r\nSam\r\n"),
            [row(3, "Jo", ""), row(6, "Sam", "")]
        );
        // Separators, quotes and line ends within quotes; lines are counted with them.
        assert_eq!(
            rows("name;email\n\"Doe; \"\"Jo\"\"\nII\";\nSam;\n"),
            [row(2, "Doe; \"Jo\"\nII", ""), row(4, "Sam", "")]
        );
        assert_eq!(
            rows("name\nJo\nSam\n"),
            [row(2, "Jo", ""), row(3, "Sam", "")]
        );
    }

    #[test]
    fn a_row_with_a_value_too_many_is_that_rows_own_fault() {
        let rows = read(b"name,email\nDoe, Jo,jo@x\nSam,sam@x\n", COLUMNS).unwrap();
        assert!(rows[0].fault.as_deref().unwrap().contains("3 fields"));
        assert_eq!((rows[1].line, &rows[1].fault), (3, &None));
    }

    #[test]
    fn a_file_that_cannot_be_meant_is_refused_as_a_whole() {
        let refused = |bytes: &[u8]| read(bytes, COLUMNS).unwrap_err().message;
        assert!(refused(b"").contains("empty"));
        assert!(refused(b"email\njo@x\n").contains("\u{201c}name\u{201d} is missing"));
        assert!(refused(b"name,nmae\n").contains("\u{201c}nmae\u{201d}, which is not known"));
        assert!(refused(b"name,name\n").contains("twice"));
        assert!(refused(b"name\nJ\xf6\n").contains("UTF-8"));
        assert!(refused("name\nJ\u{fffd}\n".as_bytes()).contains("UTF-8"));
        let long = format!("name\n{}", "x\n".repeat(MAX_ROWS + 1));
        assert!(refused(long.as_bytes()).contains("more than"));
    }

    proptest! {
        #[test]
        fn any_bytes_give_rows_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes, COLUMNS);
        }

        #[test]
        fn whatever_stands_in_quotes_comes_back(
            name in "[^\r\u{feff}\u{fffd}]{1,20}",
            email in "[a-z;,\"\n ]{0,20}",
            semicolons: bool,
        ) {
            prop_assume!(!name.trim().is_empty());
            let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let separator = if semicolons { ';' } else { ',' };
            let text = format!("name{separator}email\n{}{separator}{}\n", quoted(&name), quoted(&email));
            prop_assert_eq!(rows(&text), [row(2, name.trim(), email.trim())]);
        }
    }
}
