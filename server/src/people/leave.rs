//! Leave days of members (rule 59).

use jiff::civil::Date;
use serde::Deserialize;

use super::{members, rules};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::store::{LeaveDay, Member, Read};

/// One day of leave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveForm {
    /// `YYYY-MM-DD`.
    pub day: Option<String>,
    /// `vacation` (where absent), `sick` or `other`; `none` removes the day.
    pub kind: Option<String>,
}

/// A member's leave behind a day, in order.
pub async fn read_leave(
    state: &AppState,
    actor: &Actor,
    id: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<LeaveDay>, ApiError> {
    let mut read = state.read(actor.company_id).await?;
    find(&mut read, actor, Verb::Read, id).await?;
    Ok(read.leave_days(id, after, limit).await?)
}

/// Notes a day of leave, or removes it; returns what is noted for the day.
pub async fn set_leave(
    state: &AppState,
    actor: &Actor,
    id: &str,
    form: LeaveForm,
) -> Result<Option<LeaveDay>, ApiError> {
    let mut write = state.write(actor.company_id).await?;
    find(&mut write, actor, Verb::Change, id).await?;
    let day: Date = rules::required("day", form.day)?
        .parse()
        .map_err(|_| ApiError::invalid("day", "`day` must be a date, such as 2026-11-21."))?;
    let day = day.to_string();
    let kind = form.kind.unwrap_or_else(|| "vacation".into());
    let noted = if kind == "none" {
        write.delete_leave_day(id, &day).await?;
        None
    } else {
        let kind = kind
            .parse()
            .map_err(|error| ApiError::invalid("kind", format!("`kind` {error}.")))?;
        let leave = LeaveDay { day, kind };
        write
            .set_leave_day(id, &leave, state.clock.now_ms())
            .await?;
        Some(leave)
    };
    write.commit().await?;
    Ok(noted)
}

async fn find(read: &mut Read, actor: &Actor, verb: Verb, id: &str) -> Result<Member, ApiError> {
    actor.may(verb, Object::Leave)?;
    members::find(read, actor, verb, id).await
}
