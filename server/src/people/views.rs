//! Looking at somebody's captures: written down before they are shown, for the person to read.
//!
//! A day, a picture, a list of one person's records: their employer may look where the role allows it,
//! and is named. Many people at once, or everything of one to be carried away, asks a person for a reason;
//! a script's name, which an admin gave it, is its reason unless it sends another.

use std::collections::BTreeMap;

use glasshour_protocol::EmployeeId;
use serde_json::json;

use super::{members, reach, rules};
use crate::auth::{Actor, Who};
use crate::error::ApiError;
use crate::store::{AskerKind, NewView, Note, View, ViewKind};
use crate::{AppState, asker};

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

/// Writes down what is about to be shown. `reason`: where one was asked for; then the audit log has it
/// too. Somebody's look at themself is nobody's news.
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
    let (viewer_kind, viewer_id) = match &actor.who {
        Who::User { user, .. } => (AskerKind::Person, user.user_id.clone()),
        Who::Token { id, .. } => (AskerKind::Token, id.clone()),
    };
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    for look in looks {
        if reach::is_own(&mut write, actor, look.employee_id).await? {
            continue;
        }
        let view = NewView {
            employee_id: look.employee_id,
            viewer_kind,
            viewer_id: viewer_id.clone(),
            viewer_name: actor.name(),
            what,
            reason: reason.unwrap_or_default().to_owned(),
            at_ms: now_ms,
            from_ms: look.from_ms,
            to_ms: look.to_ms,
            times: look.times,
        };
        write.add_view(&view).await?;
        if reason.is_some() {
            let employee = look.employee_id.to_string();
            let note = Note {
                action: if what == ViewKind::Export {
                    "export"
                } else {
                    "look"
                },
                object: "captures",
                object_id: &employee,
                about_id: Some(&employee),
                after: json!({"what": what, "times": look.times}),
            };
            write.note(&note).await?;
        }
    }
    asker::because(reason.map(str::to_owned));
    write.commit().await?;
    Ok(())
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
