//! Sessions as rows: recomputed when something of them arrives, and stopped when somebody is switched
//! off (rule 54).

use glasshour_protocol::payload::{Cause, SessionEvent, SessionEventKind};
use glasshour_protocol::{DeviceId, EmployeeId, RecordId, SessionId};
use uuid::Uuid;

use crate::error::ApiError;
use crate::report;
use crate::store::{Session, Write};

/// Recomputes a session from its events, now that a record of it was captured at `captured_at_ms`.
pub(crate) async fn roll_up(
    write: &mut Write,
    device_id: DeviceId,
    employee_id: EmployeeId,
    session_id: SessionId,
    captured_at_ms: i64,
) -> Result<(), ApiError> {
    let known = write.session(device_id, session_id).await?;
    let (first, last) = known.map_or((captured_at_ms, captured_at_ms), |known| {
        (
            known.first_record_at.min(captured_at_ms),
            known.last_record_at.max(captured_at_ms),
        )
    });
    let events = write.session_events(device_id, session_id).await?;
    let withdrawn = write.withdrawn_spans(device_id, session_id).await?;
    let rolled = report::roll_up(&events, first, last).without(&withdrawn);
    write
        .upsert_session(&Session {
            session_id,
            device_id,
            employee_id,
            project_id: rolled.project_id,
            started_at: rolled.started_at,
            ended_at: rolled.ended_at,
            first_record_at: first,
            last_record_at: last,
            tracked_ms: rolled.tracked_ms,
            idle_ms: rolled.idle_ms,
            withdrawn_ms: rolled.withdrawn_ms,
            cause: rolled.cause.map(report::cause_name),
            note: rolled.note,
            stretches: rolled.stretches,
        })
        .await?;
    Ok(())
}

/// Stops what an employee tracks, at this instant. The stop is an event of the session as any other, so
/// it stays when something of the session arrives later.
pub(super) async fn stop_sessions(
    write: &mut Write,
    employee: EmployeeId,
    now_ms: i64,
) -> Result<(), ApiError> {
    // Behind whatever the device itself says of the same moment.
    const LAST: u64 = i64::MAX as u64;
    for session in write.open_sessions_of(employee).await? {
        if session.end_as_of(now_ms).is_some() {
            continue;
        }
        let stop = SessionEvent {
            session_id: session.session_id,
            event: SessionEventKind::Stopped,
            cause: Cause::License,
            at_ms: now_ms,
            project_id: session.project_id,
            note: None,
            idle: None,
        };
        let record = RecordId(Uuid::now_v7());
        write
            .insert_session_event(session.device_id, record, LAST, &stop)
            .await?;
        let last = session.last_record_at;
        roll_up(write, session.device_id, employee, session.session_id, last).await?;
    }
    Ok(())
}
