//! Many employees, as values.

use askama::Template;

use crate::console::form::Choice;
use crate::console::layout::{Page, State};
use crate::people::{self, ImportedRow};

/// Rows of a preview that are shown.
const MOST_ROWS: usize = 200;

/// The page with its three forms.
#[derive(Debug, Template)]
#[template(path = "many/page.html")]
pub(crate) struct ManyView {
    pub(crate) page: Page,
    /// What was entered.
    pub(crate) csv: String,
    /// What is wrong with the file as a whole.
    pub(crate) wrong: Option<String>,
    pub(crate) projects: Vec<Choice>,
    pub(crate) groups: Vec<Choice>,
    /// False: licenses are saved, as this server sends no mail.
    pub(crate) mail_is_sent: bool,
}

/// What a file would come to, or came to.
#[derive(Debug, Template)]
#[template(path = "many/import.html")]
pub(crate) struct ImportView {
    pub(crate) page: Page,
    pub(crate) csv: String,
    /// True: it is done.
    pub(crate) done: bool,
    pub(crate) good: usize,
    pub(crate) exist: usize,
    pub(crate) bad: usize,
    /// The rows that are not taken, and some of those that are.
    pub(crate) rows: Vec<RowView>,
    /// Rows that are not shown.
    pub(crate) more: usize,
}

/// One row.
#[derive(Debug)]
pub(crate) struct RowView {
    pub(crate) line: u64,
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) word: &'static str,
    pub(crate) message: String,
}

impl ImportView {
    pub(crate) fn new(page: Page, rows: &[ImportedRow], csv: String, done: bool) -> Self {
        let bad = rows.iter().filter(|row| row.result == "bad");
        let others = rows.iter().filter(|row| row.result != "bad");
        let shown: Vec<RowView> = bad.chain(others).take(MOST_ROWS).map(row).collect();
        Self {
            page,
            csv,
            done,
            good: people::count_imported(rows, "ok") + people::count_imported(rows, "created"),
            exist: people::count_imported(rows, "exists"),
            bad: people::count_imported(rows, "bad"),
            more: rows.len() - shown.len(),
            rows: shown,
        }
    }
}

fn row(row: &ImportedRow) -> RowView {
    let (state, word) = match row.result {
        "bad" => (State::Problem, "not taken"),
        "exists" => (State::Off, "there already"),
        "created" => (State::Done, "imported"),
        _ => (State::Done, "good"),
    };
    RowView {
        line: row.line,
        name: row.name.clone(),
        state,
        word,
        message: row.message.clone(),
    }
}

#[cfg(test)]
impl ManyView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;

        let choice = |label: &str| Choice {
            value: label.to_lowercase(),
            label: label.into(),
        };
        let view = |wrong: Option<&str>, mail_is_sent| Self {
            page: Page::sample("Many employees", Part::Employees),
            csv: wrong.map_or(String::new(), |_| "nmae;mode\n".into()),
            wrong: wrong.map(Into::into),
            projects: vec![choice("Apollo"), choice("<script>alert(1)</script>")],
            groups: vec![choice("Night")],
            mail_is_sent,
        };
        vec![
            ("blank", view(None, true)),
            ("no-mail", view(None, false)),
            (
                "wrong",
                view(Some("The first line names a column “nmae”."), true),
            ),
        ]
    }
}

#[cfg(test)]
impl ImportView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;

        let row = |line, name: &str, result, message: &str| ImportedRow {
            line,
            name: name.into(),
            result,
            message: message.into(),
            field: None,
            employee_id: None,
        };
        let page = || Page::sample("Import", Part::Employees);
        let rows = [
            row(2, "Jo Doe", "ok", ""),
            row(
                3,
                "<script>alert(1)</script>",
                "bad",
                "“stealth” is no mode: write worklog or monitoring.",
            ),
            row(4, "Ann Lee", "exists", "Is there already; left as it is."),
        ];
        let done = [row(2, "Jo Doe", "created", "")];
        let csv = || "name;work_mode\n<script>alert(1)</script>;stealth\n".to_owned();
        vec![
            ("preview", Self::new(page(), &rows, csv(), false)),
            ("done", Self::new(page(), &done, csv(), true)),
            ("nothing", Self::new(page(), &rows[1..], csv(), false)),
        ]
    }
}
