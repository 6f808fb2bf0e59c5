//! The audit log: who did what, to whom, from where, and what was before and after.
//!
//! Nobody writes to it by hand. Triggers note what a transaction changes (`triggers.rs`, made of the list
//! in `tables.rs`); its commit turns the notes into entries, in the same transaction, with who asks
//! ([`crate::asker`]). What is no row, such as a log-in, is noted by [`Write::note`].

mod tables;
mod triggers;

use std::collections::HashMap;

use serde_json::{Map, Value};
use sqlx::{FromRow, QueryBuilder};
use uuid::Uuid;

use super::column::{NullableValue, Text, to_json, word_enum};
use super::{ROWS_AT_ONCE, Read, StoreError, Write, on};
use crate::asker;

pub(super) use triggers::{migrate_postgres, migrate_sqlite};

word_enum! {
    /// What somebody who changes something is.
    AskerKind, "`person`, `token`, `device`, `guest`, `operator` or `server`" {
        /// Logged in.
        Person => "person",
        /// A script with an API token.
        Token => "token",
        /// An employee's agent.
        Device => "device",
        /// Nobody known: a one-time link is the proof, or the log-in form.
        Guest => "guest",
        /// Whoever has the command line of the server.
        Operator => "operator",
        /// The server by itself: a job whose time had come.
        Server => "server",
    }
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct AuditEntry {
    /// Its id.
    pub entry_id: String,
    /// UTC milliseconds.
    pub at_ms: i64,
    /// What the asker was.
    #[sqlx(try_from = "Text<AskerKind>")]
    pub actor_kind: AskerKind,
    /// The user's, token's or device's id; of somebody erased, the receipt's.
    pub actor_id: Option<String>,
    /// As they were named then.
    pub actor_name: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
    /// `create`, `change`, `delete`, or what was noted, such as `log_in`.
    pub action: String,
    /// What kind of thing it was done to.
    pub object: String,
    /// Which one.
    pub object_id: String,
    /// As it was named then.
    pub object_name: Option<String>,
    /// The employee, member or user that it belongs to.
    pub about_id: Option<String>,
    /// The workspace that it belongs to; `None`: to the company.
    pub workspace_id: Option<String>,
    /// What was there before, of what differs.
    #[sqlx(try_from = "NullableValue")]
    pub before_json: Option<Value>,
    /// What is there since.
    #[sqlx(try_from = "NullableValue")]
    pub after_json: Option<Value>,
    /// Why, where the asker was asked.
    pub reason: Option<String>,
    /// The receipt of the erasure that took a person out of it.
    pub erased_by: Option<String>,
}

/// Which entries, the newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Of this workspace only.
    pub workspace_id: Option<String>,
    /// About this employee, member or user, or done to the thing of that id.
    pub about_id: Option<String>,
    /// Done by this one.
    pub actor_id: Option<String>,
    /// Of this kind of thing.
    pub object: Option<String>,
    /// At or after, UTC milliseconds.
    pub from_ms: i64,
    /// Before, UTC milliseconds.
    pub to_ms: i64,
    /// Behind this time and id.
    pub before: Option<(i64, String)>,
    /// At most so many.
    pub limit: u32,
}

/// Something that is no change of a row.
#[derive(Clone, Debug)]
pub struct Note<'a> {
    /// What was done, such as `log_in`.
    pub action: &'static str,
    /// To what kind of thing.
    pub object: &'static str,
    /// Which one.
    pub object_id: &'a str,
    /// The employee, member or user that it belongs to.
    pub about_id: Option<&'a str>,
    /// What is to be told of it.
    pub after: Value,
}

#[derive(FromRow)]
struct Pending {
    company_id: String,
    action: String,
    object: String,
    object_id: String,
    about_id: Option<String>,
    #[sqlx(try_from = "NullableValue")]
    before_json: Option<Value>,
    #[sqlx(try_from = "NullableValue")]
    after_json: Option<Value>,
}

impl Read {
    /// Entries of the log, the newest first.
    pub async fn audit(&mut self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        const SQL: &str = "SELECT entry_id, at_ms, actor_kind, actor_id, actor_name, address, \
            action, object, object_id, object_name, about_id, workspace_id, before_json, \
            after_json, reason, erased_by FROM audit WHERE company_id = $1 \
            AND at_ms >= $2 AND at_ms < $3 AND (at_ms < $4 OR (at_ms = $4 AND entry_id < $5)) \
            AND ($6 = '' OR workspace_id = $6) AND ($7 = '' OR about_id = $7 OR object_id = $7) \
            AND ($8 = '' OR actor_id = $8) AND ($9 = '' OR object = $9) \
            ORDER BY at_ms DESC, entry_id DESC LIMIT $10";
        let (at, id) = filter.before.clone().unwrap_or((i64::MAX, String::new()));
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(filter.from_ms).bind(filter.to_ms).bind(at).bind(id)
            .bind(text(&filter.workspace_id)).bind(text(&filter.about_id))
            .bind(text(&filter.actor_id)).bind(text(&filter.object))
            .bind(i64::from(filter.limit)).fetch_all(c).await)?)
    }
}

impl Write {
    /// Writes down what is no change of a row.
    pub async fn note(&mut self, note: &Note<'_>) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO audit_pending (n, company_id, action, object, object_id, \
            about_id, after_json) VALUES ((SELECT COALESCE(MAX(p.n), 0) + 1 FROM audit_pending p), \
            $1, $2, $3, $4, $5, $6)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(note.action).bind(note.object).bind(note.object_id)
            .bind(note.about_id).bind(to_json(&note.after))
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Turns what this transaction has noted into entries.
    pub(super) async fn settle_audit(&mut self) -> Result<(), StoreError> {
        // The limit only bounds memory: no one transaction changes so much.
        const PENDING: &str = "SELECT company_id, action, object, object_id, about_id, before_json, \
            after_json FROM audit_pending ORDER BY n LIMIT 10000000";
        const DONE: &str = "DELETE FROM audit_pending";
        const INSERT: &str = "INSERT INTO audit (company_id, entry_id, at_ms, actor_kind, actor_id, \
            actor_name, address, action, object, object_id, object_name, about_id, workspace_id, \
            before_json, after_json, reason) ";
        let pending: Vec<Pending> = on!(self.0, c => sqlx::query_as(PENDING).fetch_all(c).await)?;
        if pending.is_empty() {
            return Ok(());
        }
        on!(self.0, c => sqlx::query(DONE).execute(c).await.map(drop))?;
        let asker = asker::now();
        let address = asker.address.map(|address| address.to_string());
        let entries = self.placed(merge(pending)).await?;
        for some in entries.chunks(ROWS_AT_ONCE) {
            on!(self.0, c => {
                let mut insert = QueryBuilder::new(INSERT);
                insert.push_values(some, |mut row, (change, workspace)| {
                    let entry_id = Uuid::now_v7();
                    let at_ms = asker.at_ms.unwrap_or_else(|| made_at(entry_id));
                    let (before, after) =
                        differing(change.before_json.clone(), change.after_json.clone());
                    row.push_bind(&change.company_id).push_bind(entry_id.to_string())
                        .push_bind(at_ms).push_bind(asker.kind.as_str()).push_bind(&asker.id)
                        .push_bind(&asker.name).push_bind(&address).push_bind(&change.action)
                        .push_bind(&change.object).push_bind(&change.object_id)
                        .push_bind(name(change)).push_bind(&change.about_id).push_bind(workspace)
                        .push_bind(before.map(|row| to_json(&row)))
                        .push_bind(after.map(|row| to_json(&row))).push_bind(&asker.reason);
                });
                insert.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Each change with its workspace: its own, or the one of the employee or member that it belongs to.
    async fn placed(
        &mut self,
        changes: Vec<Pending>,
    ) -> Result<Vec<(Pending, Option<String>)>, StoreError> {
        // Of those who are made here as well, it is known already.
        let mut known: HashMap<(String, String), Option<String>> = HashMap::new();
        for change in &changes {
            let of_person = matches!(change.object.as_str(), "employee" | "member");
            if let Some(workspace) = text(change, "workspace_id").filter(|_| of_person) {
                let person = (change.company_id.clone(), change.object_id.clone());
                known.insert(person, Some(workspace));
            }
        }
        let mut placed = Vec::with_capacity(changes.len());
        for change in changes {
            let person = change
                .about_id
                .clone()
                .map(|id| (change.company_id.clone(), id));
            let workspace = match (text(&change, "workspace_id"), person) {
                (Some(own), _) => Some(own),
                (None, None) => None,
                (None, Some(person)) => match known.get(&person) {
                    Some(workspace) => workspace.clone(),
                    None => {
                        let workspace = self.workspace_of(&person.0, &person.1).await?;
                        known.insert(person, workspace.clone());
                        workspace
                    }
                },
            };
            placed.push((change, workspace));
        }
        Ok(placed)
    }

    /// The workspace of an employee or member.
    async fn workspace_of(
        &mut self,
        company: &str,
        about: &str,
    ) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT workspace_id FROM employees \
            WHERE company_id = $1 AND employee_id = $2 UNION SELECT workspace_id FROM members \
            WHERE company_id = $1 AND member_id = $2 ORDER BY workspace_id LIMIT 1";
        let row: Option<(String,)> = on!(self.0, c => sqlx::query_as(SQL)
            .bind(company).bind(about).fetch_optional(c).await)?;
        Ok(row.map(|(id,)| id))
    }
}

/// One change for each thing: from what it was before the transaction to what it is behind it. What came
/// and went within it, and what is as it was, is none. Notes stand for themselves.
fn merge(pending: Vec<Pending>) -> Vec<Pending> {
    let mut merged: Vec<Pending> = Vec::with_capacity(pending.len());
    let mut places = HashMap::new();
    for change in pending {
        let of_row = matches!(change.action.as_str(), "create" | "change" | "delete");
        // A leave day and a place in a group have no id of their own: each is a change.
        let single = !matches!(change.object.as_str(), "leave" | "group_member");
        if !of_row || !single {
            merged.push(change);
            continue;
        }
        let key = (
            change.company_id.clone(),
            change.object.clone(),
            change.object_id.clone(),
        );
        match places.get(&key).and_then(|place| merged.get_mut(*place)) {
            None => {
                places.insert(key, merged.len());
                merged.push(change);
            }
            Some(first) => first.after_json = change.after_json,
        }
    }
    merged.retain_mut(|change| {
        let (action, is_one) = match (&change.before_json, &change.after_json) {
            (None, Some(_)) => ("create", true),
            (Some(_), None) => ("delete", true),
            (Some(before), Some(after)) => ("change", before != after),
            (None, None) => ("", false),
        };
        let of_row = matches!(change.action.as_str(), "create" | "change" | "delete");
        if of_row {
            action.clone_into(&mut change.action);
        }
        is_one || !of_row
    });
    merged
}

/// Of a change only what differs; of what came or went, everything.
fn differing(before: Option<Value>, after: Option<Value>) -> (Option<Value>, Option<Value>) {
    match (before, after) {
        (Some(Value::Object(mut before)), Some(Value::Object(mut after))) => {
            let same: Vec<String> = before
                .iter()
                .filter(|(name, value)| after.get(*name) == Some(value))
                .map(|(name, _)| name.clone())
                .collect();
            for name in same {
                before.remove(&name);
                after.remove(&name);
            }
            (Some(readable(before)), Some(readable(after)))
        }
        (before, after) => {
            let whole = |row: Option<Value>| match row {
                Some(Value::Object(row)) => Some(readable(row)),
                other => other,
            };
            (whole(before), whole(after))
        }
    }
}

/// Columns that hold JSON as JSON, and truth values as such, whichever database they come from.
fn readable(row: Map<String, Value>) -> Value {
    const BOOLEAN: [&str; 5] = [
        "archived",
        "active",
        "is_default",
        "require_second_factor",
        "approve_devices",
    ];
    let value = |name: &str, value: Value| match value {
        Value::String(text) if text.starts_with(['{', '[']) => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        Value::Number(number) if BOOLEAN.contains(&name) => Value::Bool(number.as_i64() != Some(0)),
        other => other,
    };
    row.into_iter()
        .map(|(name, old)| {
            let new = value(&name, old);
            (name, new)
        })
        .collect()
}

fn text(change: &Pending, name: &str) -> Option<String> {
    let rows = [&change.after_json, &change.before_json];
    let found = rows
        .into_iter()
        .flatten()
        .find_map(|row| row.get(name)?.as_str());
    found.map(str::to_owned)
}

/// What a thing is called, for whoever reads the log.
fn name(change: &Pending) -> Option<String> {
    let person = text(change, "first_name").map(|first| {
        let last = text(change, "last_name").unwrap_or_default();
        format!("{first} {last}").trim().to_owned()
    });
    ["name", "email", "host_name", "day"]
        .iter()
        .find_map(|field| text(change, field).filter(|_| *field != "email" || person.is_none()))
        .or(person)
}

/// When an id was made, UTC milliseconds.
fn made_at(id: Uuid) -> i64 {
    let Some(time) = id.get_timestamp() else {
        return 0;
    };
    let (seconds, nanos) = time.to_unix();
    let ms = seconds.saturating_mul(1000) + u64::from(nanos) / 1_000_000;
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(action: &str, before: Option<Value>, after: Option<Value>) -> Pending {
        Pending {
            company_id: "c".into(),
            action: action.into(),
            object: "employee".into(),
            object_id: "e".into(),
            about_id: None,
            before_json: before,
            after_json: after,
        }
    }

    #[test]
    fn a_thing_that_one_transaction_changes_twice_is_one_change_and_only_what_differs_is_told() {
        let row = |name: &str, active: u8| Some(json!({"name": name, "active": active}));
        let merged = merge(vec![
            change("create", None, row("Jo", 0)),
            change("change", row("Jo", 0), row("Jo", 1)),
        ]);
        assert_eq!(merged.len(), 1);
        assert_eq!(merged[0].action, "create");
        let merged = merge(vec![
            change("change", row("Jo", 0), row("Ann", 0)),
            change("change", row("Ann", 0), row("Ann", 1)),
            change("change", row("Ann", 1), row("Jo", 1)),
        ]);
        let one = merged.into_iter().next().unwrap();
        assert_eq!(
            differing(one.before_json, one.after_json),
            (
                Some(json!({"active": false})),
                Some(json!({"active": true}))
            )
        );
        let nothing = merge(vec![
            change("create", None, row("Jo", 0)),
            change("delete", row("Jo", 0), None),
        ]);
        assert!(nothing.is_empty());
    }
}
