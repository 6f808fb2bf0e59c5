//! Looking at somebody's captures: written down before they are shown, for the person to read.
//!
//! A day, a picture, a list of one person's records: their employer may look where the role allows it,
//! and is named. Many people at once, or everything of one to be carried away, asks a person for a reason;
//! a script's name, which an admin gave it, is its reason unless it sends another.

use std::collections::BTreeMap;

use glasshour_protocol::{CompanyId, EmployeeId};
use serde_json::json;
use uuid::Uuid;

use super::{members, reach, rules};
use crate::auth::{Actor, Who};
use crate::error::ApiError;
use crate::store::{AskerKind, NewView, Note, Read, View, ViewKind, Write};
use crate::{AppState, asker, looks};

/// What was looked at of one employee.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) employee_id: EmployeeId,
    /// Captured from, UTC milliseconds.
    pub(crate) from_ms: i64,
    /// To.
    pub(crate) to_ms: i64,
    /// How many.
    pub(crate) times: i64,
}

/// Sums looks up by employee, from whom and when each thing was captured.
pub(crate) fn looks(of: impl IntoIterator<Item = (EmployeeId, i64)>) -> Vec<Look> {
    let mut sums: BTreeMap<String, Look> = BTreeMap::new();
    for (employee_id, at) in of {
        let sum = sums.entry(employee_id.to_string()).or_insert(Look {
            employee_id,
            from_ms: at,
            to_ms: at,
            times: 0,
        });
        sum.from_ms = sum.from_ms.min(at);
        sum.to_ms = sum.to_ms.max(at);
        sum.times += 1;
    }
    sums.into_values().collect()
}

/// The reason for looking at many, or for carrying away: 422 where a person gives none.
pub(crate) fn reason(actor: &Actor, asked: Option<&str>) -> Result<String, ApiError> {
    match (
        asked.map(str::trim).filter(|text| !text.is_empty()),
        &actor.who,
    ) {
        (Some(text), _) => rules::name("reason", text),
        (None, Who::Token { name, .. }) => Ok(name.clone()),
        (None, Who::User { .. }) => Err(ApiError::invalid(
            "reason",
            "Say why in `reason`: whoever is looked at is shown it.",
        )),
    }
}

/// Writes down what is about to be shown; on a full disk, beside the database. `reason`: where one was asked
/// for; then the audit log has it too. Somebody's look at themself is nobody's news.
pub(crate) async fn note_looks(
    state: &AppState,
    actor: &Actor,
    what: ViewKind,
    looks: &[Look],
    reason: Option<&str>,
) -> Result<(), ApiError> {
    if looks.is_empty() {
        return Ok(());
    }
    let now_ms = state.clock.now_ms();
    asker::because(reason.map(str::to_owned));
    let written = async {
        let mut write = state.write(actor.company_id).await?;
        for view in to_write_down(&mut write, actor, what, looks, reason, now_ms).await? {
            write.add_view(&view).await?;
            note(&mut write, &view).await?;
        }
        write.commit().await?;
        Ok(())
    };
    match written.await {
        Err(error) if looks::is_full(&error) => {
            let mut read = state.read(actor.company_id).await?;
            let views = to_write_down(&mut read, actor, what, looks, reason, now_ms).await?;
            drop(read);
            let asker = reason.is_some().then(asker::now);
            state.looks.keep(actor.company_id, views, asker).await
        }
        done => {
            state.looks.database_was_written();
            done
        }
    }
}

async fn to_write_down(
    read: &mut Read,
    actor: &Actor,
    what: ViewKind,
    looks: &[Look],
    reason: Option<&str>,
    at_ms: i64,
) -> Result<Vec<NewView>, ApiError> {
    let (viewer_kind, viewer_id) = match &actor.who {
        Who::User { user, .. } => (AskerKind::Person, &user.user_id),
        Who::Token { id, .. } => (AskerKind::Token, id),
    };
    let mut views = Vec::new();
    for look in looks {
        if reach::is_own(read, actor, look.employee_id).await? {
            continue;
        }
        views.push(NewView {
            employee_id: look.employee_id,
            viewer_kind,
            viewer_id: viewer_id.clone(),
            viewer_name: actor.name(),
            what,
            reason: reason.unwrap_or_default().to_owned(),
            at_ms,
            from_ms: look.from_ms,
            to_ms: look.to_ms,
            times: look.times,
        });
    }
    Ok(views)
}

/// What was asked a reason for is in the audit log as well.
async fn note(write: &mut Write, view: &NewView) -> Result<(), ApiError> {
    if view.reason.is_empty() {
        return Ok(());
    }
    let employee = view.employee_id.to_string();
    let note = Note {
        action: if view.what == ViewKind::Export {
            "export"
        } else {
            "look"
        },
        object: "captures",
        object_id: &employee,
        about_id: Some(&employee),
        after: json!({"what": view.what, "times": view.times}),
    };
    Ok(write.note(&note).await?)
}

/// Writes down a look that waited for room in the database; nothing where that was done before, or where
/// the person was erased meanwhile.
pub(crate) async fn write_kept_look(
    state: &AppState,
    company: CompanyId,
    (id, first_at_ms): (Uuid, i64),
    view: &NewView,
) -> Result<(), ApiError> {
    let mut write = state.write(company).await?;
    if write.employee(view.employee_id).await?.is_none() {
        return Ok(());
    }
    if write.add_kept_view(id, first_at_ms, view).await? {
        note(&mut write, view).await?;
    }
    Ok(write.commit().await?)
}

/// Who looked at the person who asks, wherever they are tracked, the last first.
pub async fn own_views(
    state: &AppState,
    actor: &Actor,
    before: Option<(i64, &str)>,
    limit: u32,
) -> Result<Vec<View>, ApiError> {
    let user = members::person(actor)?;
    let found = state
        .db
        .find_views(user.company_id, &user.user_id, before, limit)
        .await?;
    Ok(found)
}
