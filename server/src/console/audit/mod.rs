//! The audit log, for whoever answers for it; and who looked at the person who asks.

mod view;

use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::Value;

pub(super) use view::{AuditView, Change, EntryRow, ViewRow, ViewsView};

use super::gate::{PageResult, page};
use super::layout::{Page, Part, Viewer};
use super::words::{self, Zone};
use super::zone;
use crate::AppState;
use crate::auth::Actor;
use crate::people;
use crate::store::{AskerKind, AuditEntry, AuditFilter, View, ViewKind};

/// Rows on a page.
const ROWS: u32 = 100;

/// Which part of the list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    #[serde(default)]
    about: Option<String>,
    /// The time and id of the last row of the page before.
    #[serde(default)]
    at: Option<i64>,
    #[serde(default)]
    id: Option<String>,
}

impl ListQuery {
    fn before(&self) -> Option<(i64, String)> {
        self.at.zip(self.id.clone())
    }
}

/// The log.
pub(super) async fn log(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> PageResult {
    let about = query.about.clone().filter(|id| !id.is_empty());
    let filter = AuditFilter {
        about_id: about.clone(),
        from_ms: i64::MIN,
        to_ms: i64::MAX,
        before: query.before(),
        limit: ROWS + 1,
        ..AuditFilter::default()
    };
    let mut entries = people::read_audit(&state, &actor, filter).await?;
    let zone = zone::of_company(&mut state.read(actor.company_id).await?).await?;
    let more = entries.len() > ROWS as usize;
    entries.truncate(ROWS as usize);
    let next = entries.last().filter(|_| more).map(|last| {
        let about = about.as_deref().unwrap_or_default();
        format!(
            "/audit?about={about}&at={}&id={}",
            last.at_ms, last.entry_id
        )
    });
    page(&AuditView {
        page: Page::new("Audit log", Part::Audit, viewer),
        narrowed: about.is_some(),
        rows: entries.into_iter().map(|entry| row(&zone, entry)).collect(),
        zone: zone.name().to_owned(),
        next,
    })
}

fn row(zone: &Zone, entry: AuditEntry) -> EntryRow {
    let nobody = match entry.actor_kind {
        AskerKind::Guest => "somebody not logged in",
        AskerKind::Operator => "the operator, by the command line",
        AskerKind::Server => "the server",
        AskerKind::Person | AskerKind::Token | AskerKind::Device => "somebody erased since",
    };
    let kind = match entry.actor_kind {
        AskerKind::Token => " (API token)",
        AskerKind::Device => " (device)",
        _ => "",
    };
    let erased = entry.erased_by.is_some();
    EntryRow {
        at: zone.date_clock(entry.at_ms),
        machine: zone.machine(entry.at_ms),
        who: entry
            .actor_name
            .map_or_else(|| nobody.to_owned(), |name| format!("{name}{kind}")),
        from: entry.address.unwrap_or_default(),
        did: format!(
            "{} {}",
            entry.action.replace('_', " "),
            entry.object.replace('_', " ")
        ),
        whom: match entry.object_name {
            Some(name) => name,
            None if erased => "erased since".to_owned(),
            None => String::new(),
        },
        about: entry.about_id.unwrap_or(entry.object_id),
        changes: changes(entry.before_json.as_ref(), entry.after_json.as_ref()),
        reason: entry.reason.unwrap_or_default(),
    }
}

/// Each field that differs, with what it was and what it is.
fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let fields = |row: Option<&Value>| -> Vec<String> {
        let row = row.and_then(Value::as_object);
        row.map(|row| row.keys().cloned().collect())
            .unwrap_or_default()
    };
    let mut names = fields(before);
    names.extend(fields(after));
    names.sort();
    names.dedup();
    let text = |row: Option<&Value>, name: &str| match row.and_then(|row| row.get(name)) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    names
        .into_iter()
        .map(|name| Change {
            before: text(before, &name),
            after: text(after, &name),
            field: name.replace('_', " "),
        })
        .filter(|change| !(change.before.is_empty() && change.after.is_empty()))
        .collect()
}

/// Who looked at the person who asks.
pub(super) async fn views(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> PageResult {
    let before = query.before();
    let before = before.as_ref().map(|(at, id)| (*at, id.as_str()));
    let mut found = people::own_views(&state, &actor, before, ROWS + 1).await?;
    let zone = zone::of_company(&mut state.read(actor.company_id).await?).await?;
    let more = found.len() > ROWS as usize;
    found.truncate(ROWS as usize);
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| format!("/me/views?at={}&id={}", last.last_at, last.view_id));
    page(&ViewsView {
        page: Page::new("Who looked at you", Part::Own, viewer),
        rows: found.into_iter().map(|view| looked(&zone, view)).collect(),
        zone: zone.name().to_owned(),
        next,
    })
}

fn looked(zone: &Zone, view: View) -> ViewRow {
    let (from, to) = (zone.date(view.from_ms), zone.date(view.to_ms));
    let days = match view.what {
        ViewKind::Export if view.from_ms == 0 => format!("all until {to}"),
        _ if from == to => from.to_string(),
        _ => format!("{from} to {to}"),
    };
    let count = usize::try_from(view.times).unwrap_or(0);
    ViewRow {
        at: zone.date_clock(view.last_at),
        machine: zone.machine(view.last_at),
        who: match view.viewer_kind {
            AskerKind::Token => format!("{} (API token)", view.viewer_name),
            _ => view.viewer_name,
        },
        company: view.company,
        what: match view.what {
            ViewKind::Day => "the page of a day".to_owned(),
            ViewKind::Pictures if count == 0 => "what is known of a picture".to_owned(),
            ViewKind::Pictures => words::count(count, "picture"),
            ViewKind::Records => words::count(count, "record"),
            ViewKind::Sessions => words::count(count, "session"),
            ViewKind::Export => "everything, to carry away".to_owned(),
        },
        days,
        reason: view.reason,
    }
}
