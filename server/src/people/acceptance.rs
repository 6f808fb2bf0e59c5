//! Accepting what a broken chain leaves in doubt (rule 22): by somebody who may, for a reason that the employee
//! reads; never by the employee themself.

use axum::http::StatusCode;
use glasshour_protocol::{EmployeeId, RecordId, code};
use serde::Deserialize;

use super::gaps::{self, Gaps};
use super::{reach, rules};
use crate::auth::{Actor, Object, Verb, Who};
use crate::error::ApiError;
use crate::report::Grade;
use crate::store::{Acceptance, Doubt, Read, Record};
use crate::{AppState, asker};

/// Why a record in doubt is accepted.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptanceForm)]
pub struct AcceptanceForm {
    /// One line. The employee reads it on their day.
    pub reason: Option<String>,
}

/// Most records in doubt that a report takes into account.
const MOST: u32 = 100_000;
/// A stretch without a record is never longer.
const LONGEST_GAP_MS: i64 = 24 * 3_600_000;

/// Accepts a record in doubt: the time up to it counts from now on. 409 where there is nothing to accept.
pub async fn accept_record(
    state: &AppState,
    actor: &Actor,
    id: RecordId,
    form: AcceptanceForm,
) -> Result<(Record, Acceptance), ApiError> {
    actor.may(Verb::Change, Object::Doubt)?;
    let missing = || ApiError::not_found("record");
    let mut write = state.write(actor.company_id).await?;
    let record = write.record(id).await?.ok_or_else(missing)?;
    let (verb, object) = (Verb::Change, Object::Doubt);
    reach::employee(&mut write, actor, verb, object, record.employee_id)
        .await
        .map_err(|error| match error.status {
            StatusCode::NOT_FOUND => missing(),
            _ => error,
        })?;
    if reach::is_own(&mut write, actor, record.employee_id).await? {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            code::FORBIDDEN,
            "Nobody accepts what is in doubt about their own time. Ask another manager.",
        ));
    }
    let reason = rules::name("reason", &rules::required("reason", form.reason)?)?;
    if !matches!(record.grade, Grade::GapBefore | Grade::ClockSuspect) {
        let message = "This record is not in doubt: there is nothing to accept.";
        return Err(ApiError::conflict(None, message));
    }
    let now_ms = state.clock.now_ms();
    if Gaps::new(now_ms)
        .before(&mut write, &record)
        .await?
        .is_some()
    {
        let message = "What is missing before this record may still wait on the computer for review. There is \
                       nothing to accept yet.";
        return Err(ApiError::conflict(None, message));
    }
    let acceptance = Acceptance {
        at_ms: now_ms,
        by_id: match &actor.who {
            Who::User { user, .. } => user.user_id.clone(),
            Who::Token { id, .. } => id.clone(),
        },
        by_name: actor.name(),
        reason,
    };
    let whose = (id, record.employee_id);
    if !write.insert_acceptance(whose, &acceptance).await? {
        let before = write.acceptance(id).await?;
        let who = before.map_or_else(|| "somebody".into(), |one| one.by_name);
        let message = format!("{who} has accepted this record before.");
        return Err(ApiError::conflict(None, message));
    }
    asker::because(Some(acceptance.reason.clone()));
    write.commit().await?;
    Ok((record, acceptance))
}

/// What of `[from_ms, to_ms)` does not count, of one employee or of everybody.
pub(crate) async fn uncounted(
    read: &mut Read,
    employee: Option<EmployeeId>,
    (from_ms, to_ms): (i64, i64),
    now_ms: i64,
) -> Result<Vec<Doubt>, ApiError> {
    let until = to_ms.saturating_add(LONGEST_GAP_MS);
    let mut doubts = gaps::doubts(read, employee, (from_ms, until), MOST, now_ms).await?;
    doubts.retain(|doubt| doubt.uncounted().is_some_and(|(begin, _)| begin < to_ms));
    Ok(doubts)
}
