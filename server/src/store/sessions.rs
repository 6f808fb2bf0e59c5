//! Sessions: their events as received, and the roll-up that reports read.
//!
//! The roll-up is recomputed from the events by [`crate::report::roll_up`] in the transaction that
//! stores a record of the session, so it is right whatever the order of arrival.

use glasshour_protocol::payload::SessionEvent;
use glasshour_protocol::{DeviceId, EmployeeId, ProjectId, RecordId, SessionId};
use sqlx::FromRow;

use super::column::{Json, Nullable, Text, to_bigint, to_json};
use super::{Read, StoreError, Write, on};
use crate::report::{Span, Stretch};

/// One continuous stretch of tracking (rule 19), rolled up.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Session {
    /// Its id, unique per device.
    #[sqlx(try_from = "Text<SessionId>")]
    pub session_id: SessionId,
    /// Where it ran.
    #[sqlx(try_from = "Text<DeviceId>")]
    pub device_id: DeviceId,
    /// Whose.
    #[sqlx(try_from = "Text<EmployeeId>")]
    pub employee_id: EmployeeId,
    /// The project it is on, or was on last.
    #[sqlx(try_from = "Nullable<ProjectId>")]
    pub project_id: Option<ProjectId>,
    /// UTC milliseconds.
    pub started_at: i64,
    /// When it was stopped, UTC milliseconds; `None` while no stop is known. See
    /// [`Session::end_as_of`].
    pub ended_at: Option<i64>,
    /// Capture of its first record, UTC milliseconds.
    pub first_record_at: i64,
    /// Capture of its last record so far, UTC milliseconds.
    pub last_record_at: i64,
    /// From the start to the end (or the last record), less idle and withdrawn; milliseconds.
    pub tracked_ms: i64,
    /// Idle milliseconds.
    pub idle_ms: i64,
    /// Milliseconds that the employee withdrew: not tracked, not idle.
    pub withdrawn_ms: i64,
    /// Why it was stopped: a `Cause` in kebab-case.
    pub cause: Option<String>,
    /// The employee's last note.
    pub note: Option<String>,
    /// The same time cut by project and idleness, in order.
    #[sqlx(try_from = "Json<Vec<Stretch>>")]
    pub stretches: Vec<Stretch>,
}

/// An agent that has sent nothing for so long is taken to have vanished: its session ended at the
/// last record (rule 19). A later record of the same session revives it.
pub const VANISHED_AFTER_MS: i64 = 15 * 60_000;

impl Session {
    /// When the session ended, as far as can be told now: at its stop, or at its last record where
    /// the agent vanished; `None` while it runs.
    pub fn end_as_of(&self, now_ms: i64) -> Option<i64> {
        let vanished = now_ms.saturating_sub(self.last_record_at) > VANISHED_AFTER_MS;
        self.ended_at
            .or_else(|| vanished.then_some(self.last_record_at.max(self.started_at)))
    }
}

#[derive(FromRow)]
struct EventRow {
    #[sqlx(try_from = "i64")]
    seq: u64,
    event: String,
}

/// Which sessions, in the order of their starts.
#[derive(Clone, Debug)]
pub struct SessionFilter {
    /// Of this employee.
    pub employee_id: Option<EmployeeId>,
    /// Of this workspace's employees.
    pub workspace_id: Option<String>,
    /// That end at this moment or later, UTC milliseconds.
    pub from_ms: i64,
    /// That start before it.
    pub to_ms: i64,
    /// Only those behind this start and id.
    pub after: Option<(i64, String)>,
    /// At most so many.
    pub limit: u32,
}

impl Read {
    /// The roll-up of one session.
    pub async fn session(
        &mut self,
        device: DeviceId,
        session: SessionId,
    ) -> Result<Option<Session>, StoreError> {
        const SQL: &str = "SELECT session_id, device_id, employee_id, project_id, started_at, \
            ended_at, first_record_at, last_record_at, tracked_ms, idle_ms, withdrawn_ms, cause, note, \
            stretches \
            FROM sessions WHERE company_id = $1 AND device_id = $2 AND session_id = $3";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(device.to_string()).bind(session.to_string())
            .fetch_optional(c).await)?)
    }

    /// One employee's sessions that touch `[from_ms, to_ms)`, by start.
    pub async fn sessions_of(
        &mut self,
        employee: EmployeeId,
        from_ms: i64,
        to_ms: i64,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        const SQL: &str = "SELECT session_id, device_id, employee_id, project_id, started_at, \
            ended_at, first_record_at, last_record_at, tracked_ms, idle_ms, withdrawn_ms, cause, note, \
            stretches \
            FROM sessions WHERE company_id = $1 AND employee_id = $2 AND started_at < $4 \
            AND end_at >= $3 \
            ORDER BY started_at, session_id LIMIT $5";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(employee.to_string()).bind(from_ms).bind(to_ms)
            .bind(i64::from(limit)).fetch_all(c).await)?)
    }

    /// A page of sessions by start.
    pub async fn sessions_page(
        &mut self,
        filter: &SessionFilter,
    ) -> Result<Vec<Session>, StoreError> {
        const SQL: &str = "SELECT session_id, device_id, employee_id, project_id, started_at, \
            ended_at, first_record_at, last_record_at, tracked_ms, idle_ms, withdrawn_ms, cause, note, \
            stretches \
            FROM sessions WHERE company_id = $1 AND started_at < $3 AND end_at >= $2 \
            AND ($4 = '' OR employee_id = $4) \
            AND ($5 = '' OR employee_id IN (SELECT e.employee_id FROM employees e \
              WHERE e.company_id = $1 AND e.workspace_id = $5)) \
            AND (started_at > $6 OR (started_at = $6 AND session_id > $7)) \
            ORDER BY started_at, session_id LIMIT $8";
        let employee = filter.employee_id.map(|id| id.to_string());
        let (at, id) = filter.after.clone().unwrap_or((i64::MIN, String::new()));
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(filter.from_ms).bind(filter.to_ms)
            .bind(employee.unwrap_or_default())
            .bind(filter.workspace_id.clone().unwrap_or_default())
            .bind(at).bind(&id).bind(i64::from(filter.limit)).fetch_all(c).await)?)
    }

    /// One employee's sessions of which no stop is known, by start.
    pub async fn open_sessions_of(
        &mut self,
        employee: EmployeeId,
    ) -> Result<Vec<Session>, StoreError> {
        const SQL: &str = "SELECT session_id, device_id, employee_id, project_id, started_at, \
            ended_at, first_record_at, last_record_at, tracked_ms, idle_ms, withdrawn_ms, cause, note, \
            stretches \
            FROM sessions WHERE company_id = $1 AND employee_id = $2 AND ended_at IS NULL \
            ORDER BY started_at, session_id LIMIT 10000";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(employee.to_string()).fetch_all(c).await)?)
    }

    /// Everybody's sessions that touch `[from_ms, to_ms)`, by start; of one workspace or of all.
    pub async fn sessions(
        &mut self,
        workspace: Option<&str>,
        from_ms: i64,
        to_ms: i64,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        const SQL: &str = "SELECT session_id, device_id, employee_id, project_id, started_at, \
            ended_at, first_record_at, last_record_at, tracked_ms, idle_ms, withdrawn_ms, cause, note, \
            stretches \
            FROM sessions WHERE company_id = $1 AND started_at < $3 \
            AND end_at >= $2 AND ($5 = '' OR employee_id IN (SELECT e.employee_id FROM employees e \
              WHERE e.company_id = $1 AND e.workspace_id = $5)) \
            ORDER BY started_at, session_id LIMIT $4";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(from_ms).bind(to_ms).bind(i64::from(limit))
            .bind(workspace.unwrap_or_default())
            .fetch_all(c).await)?)
    }

    /// A session's events with their place in the chain, in the order they took effect.
    pub async fn session_events(
        &mut self,
        device: DeviceId,
        session: SessionId,
    ) -> Result<Vec<(u64, SessionEvent)>, StoreError> {
        // The limit bounds what one hostile session can cost; an event a minute for a week is less.
        const SQL: &str = "SELECT seq, event FROM session_events \
            WHERE company_id = $1 AND device_id = $2 AND session_id = $3 \
            ORDER BY at_ms, seq, record_id LIMIT 20000";
        let rows: Vec<EventRow> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(device.to_string()).bind(session.to_string())
            .fetch_all(c).await)?;
        rows.into_iter()
            .map(|row| {
                let event = serde_json::from_str(&row.event).map_err(|_| StoreError::Corrupt {
                    what: "session_events.event",
                })?;
                Ok((row.seq, event))
            })
            .collect()
    }
}

impl Read {
    /// The time that the employee's withdrawals of a session stand for.
    pub async fn withdrawn_spans(
        &mut self,
        device: DeviceId,
        session: SessionId,
    ) -> Result<Vec<Span>, StoreError> {
        // Bounded like a session's events.
        const SQL: &str = "SELECT from_ms, to_ms FROM withdrawn_spans \
            WHERE company_id = $1 AND device_id = $2 AND session_id = $3 \
            ORDER BY record_id LIMIT 20000";
        let rows: Vec<(i64, i64)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(device.to_string()).bind(session.to_string())
            .fetch_all(c).await)?;
        let span = |(from_ms, to_ms)| Span { from_ms, to_ms };
        Ok(rows.into_iter().map(span).collect())
    }
}

impl Write {
    /// Keeps the time that a capture stood for which the employee withdrew.
    pub async fn insert_withdrawn_span(
        &mut self,
        device: DeviceId,
        session: SessionId,
        record: RecordId,
        span: Span,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO withdrawn_spans \
            (company_id, device_id, session_id, record_id, from_ms, to_ms) \
            VALUES ($1, $2, $3, $4, $5, $6)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(device.to_string()).bind(session.to_string())
            .bind(record.to_string()).bind(span.from_ms).bind(span.to_ms)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Keeps one event of a session.
    pub async fn insert_session_event(
        &mut self,
        device: DeviceId,
        record: RecordId,
        seq: u64,
        event: &SessionEvent,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO session_events \
            (company_id, device_id, session_id, record_id, seq, at_ms, event) \
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(device.to_string()).bind(event.session_id.to_string())
            .bind(record.to_string()).bind(to_bigint(seq)).bind(event.at_ms).bind(to_json(event))
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Writes a session's roll-up, whether or not there was one.
    pub async fn upsert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO sessions (company_id, device_id, session_id, employee_id, \
            project_id, started_at, ended_at, first_record_at, last_record_at, tracked_ms, \
            idle_ms, cause, note, stretches, end_at, withdrawn_ms) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
            ON CONFLICT (company_id, device_id, session_id) DO UPDATE SET \
            project_id = excluded.project_id, started_at = excluded.started_at, \
            ended_at = excluded.ended_at, first_record_at = excluded.first_record_at, \
            last_record_at = excluded.last_record_at, tracked_ms = excluded.tracked_ms, \
            idle_ms = excluded.idle_ms, cause = excluded.cause, note = excluded.note, \
            stretches = excluded.stretches, end_at = excluded.end_at, \
            withdrawn_ms = excluded.withdrawn_ms";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(session.device_id.to_string())
            .bind(session.session_id.to_string()).bind(session.employee_id.to_string())
            .bind(session.project_id.map(|id| id.to_string()))
            .bind(session.started_at).bind(session.ended_at).bind(session.first_record_at)
            .bind(session.last_record_at).bind(session.tracked_ms).bind(session.idle_ms)
            .bind(&session.cause).bind(&session.note).bind(to_json(&session.stretches))
            .bind(session.ended_at.unwrap_or(session.last_record_at)).bind(session.withdrawn_ms)
            .execute(c).await.map(drop))?;
        Ok(())
    }
}
