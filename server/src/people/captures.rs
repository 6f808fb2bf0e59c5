//! An employee's own captures at the server: deleted by themself where the license lets them, after they
//! were told what time it takes off. The record keeps its place in the chain, without what it held.

use glasshour_protocol::RecordId;
use glasshour_protocol::withdrawal::is_deletable;
use serde_json::json;

use super::{erasure, reach, tracking};
use crate::AppState;
use crate::auth::Actor;
use crate::error::{ApiError, CONFIRM_FIRST};
use crate::report::{self, Span};
use crate::store::{Note, Read, Record};
use glasshour_protocol::code;

/// What deleting a capture takes off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consequence {
    /// Tracked milliseconds that are counted no more.
    pub off_ms: i64,
    /// Tracked milliseconds of the session as they stand.
    pub tracked_ms: i64,
}

/// A capture that the asker may delete, with the time that it stands for: 404 for anybody else's, 403
/// `deletion_not_licensed` where its license does not let them.
async fn deletable(
    read: &mut Read,
    actor: &Actor,
    id: RecordId,
) -> Result<(Record, Option<Span>), ApiError> {
    let missing = || ApiError::not_found("record");
    let record = read.record(id).await?.ok_or_else(missing)?;
    if !reach::is_own(read, actor, record.employee_id).await? {
        return Err(missing());
    }
    if record.withdrawn.is_some() {
        return Err(ApiError::new(
            axum::http::StatusCode::GONE,
            code::WITHDRAWN,
            "This capture was deleted already.",
        ));
    }
    let license = read.license(record.license_id).await?;
    let profile = license.map(|license| license.claims.profile);
    let profile = profile
        .filter(|profile| is_deletable(record.kind) && profile.permits_deletion(record.kind));
    let profile = profile.ok_or_else(|| {
        ApiError::new(
            axum::http::StatusCode::FORBIDDEN,
            code::DELETION_NOT_LICENSED,
            "The license does not let you delete this. Ask your employer.",
        )
    })?;
    let span = profile.stands_for(record.kind, record.captured_at);
    Ok((record, span))
}

/// What deleting a capture would take off, told before it is done.
pub async fn deletion_consequence(
    state: &AppState,
    actor: &Actor,
    id: RecordId,
) -> Result<(Record, Consequence), ApiError> {
    let mut read = state.read(actor.company_id).await?;
    let (record, span) = deletable(&mut read, actor, id).await?;
    let consequence = consequence(&mut read, &record, span).await?;
    Ok((record, consequence))
}

async fn consequence(
    read: &mut Read,
    record: &Record,
    span: Option<Span>,
) -> Result<Consequence, ApiError> {
    let none = Consequence {
        off_ms: 0,
        tracked_ms: 0,
    };
    let (Some(session_id), Some(span)) = (record.session_id, span) else {
        return Ok(none);
    };
    let Some(session) = read.session(record.device_id, session_id).await? else {
        return Ok(none);
    };
    let events = read.session_events(record.device_id, session_id).await?;
    let mut spans = read.withdrawn_spans(record.device_id, session_id).await?;
    spans.push(span);
    let rolled = report::roll_up(&events, session.first_record_at, session.last_record_at);
    let after = rolled.without(&spans).tracked_ms;
    Ok(Consequence {
        off_ms: (session.tracked_ms - after).max(0),
        tracked_ms: session.tracked_ms,
    })
}

/// Deletes an own capture. `confirmed`: the consequence was told; 409 `confirm_first` where not.
pub async fn delete_own_capture(
    state: &AppState,
    actor: &Actor,
    id: RecordId,
    confirmed: bool,
) -> Result<Consequence, ApiError> {
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let (record, span) = deletable(&mut write, actor, id).await?;
    let consequence = consequence(&mut write, &record, span).await?;
    if !confirmed {
        let message = format!(
            "Deleting this takes {} seconds off your tracked time. Send the same again with `confirm`.",
            consequence.off_ms / 1000
        );
        return Err(ApiError::not_now(CONFIRM_FIRST, message));
    }
    write.withdraw_record(id, now_ms).await?;
    if let (Some(session), Some(span)) = (record.session_id, span) {
        write
            .insert_withdrawn_span(record.device_id, session, id, span)
            .await?;
        let (device, employee) = (record.device_id, record.employee_id);
        tracking::roll_up(&mut write, device, employee, session, record.captured_at).await?;
    }
    let employee = record.employee_id.to_string();
    let note = Note {
        action: "delete",
        object: "capture",
        object_id: &id.to_string(),
        about_id: Some(&employee),
        after: json!({"kind": record.kind, "off_ms": consequence.off_ms}),
    };
    write.note(&note).await?;
    write.commit().await?;
    erasure::purge_pictures(state, actor.company_id).await?;
    state.db.scrub().await?;
    Ok(consequence)
}
