//! Activity per minute: counts of input and time per application. Never what was typed.

use glasshour_protocol::payload::{ActivityMinute, ApplicationTime};
use glasshour_protocol::{EmployeeId, ProjectId, RecordHeader, SessionId};
use sqlx::FromRow;

use super::column::{Json, Nullable, Text, to_json};
use super::{Read, StoreError, Write, on};

/// One minute (or less) of activity on one device.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ActivityRow {
    /// Start, UTC milliseconds.
    pub from_ms: i64,
    /// End (exclusive), UTC milliseconds.
    pub to_ms: i64,
    /// The session it belongs to.
    #[sqlx(try_from = "Nullable<SessionId>")]
    pub session_id: Option<SessionId>,
    /// The project at that moment.
    #[sqlx(try_from = "Nullable<ProjectId>")]
    pub project_id: Option<ProjectId>,
    /// Key presses.
    pub keys: i64,
    /// Mouse button presses.
    pub clicks: i64,
    /// Wheel steps.
    pub scrolls: i64,
    /// Pointer motion events.
    pub motions: i64,
    /// False where the counts are only sampled.
    pub exact: bool,
    /// Idle milliseconds within it, where the system can say.
    pub idle_ms: Option<i64>,
    /// Time in the foreground, longest first.
    #[sqlx(try_from = "Json<Vec<ApplicationTime>>")]
    pub applications: Vec<ApplicationTime>,
}

/// Input of one employee in one hour: what a sparkline draws.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ActivityHour {
    /// Whose.
    #[sqlx(try_from = "Text<EmployeeId>")]
    pub employee_id: EmployeeId,
    /// Hours since 1970, UTC.
    pub hour: i64,
    /// Key presses, clicks and wheel steps together.
    pub actions: i64,
}

impl Read {
    /// An employee's activity minutes of `[from_ms, to_ms)`, by time.
    pub async fn activity(
        &mut self,
        employee: EmployeeId,
        from_ms: i64,
        to_ms: i64,
        limit: u32,
    ) -> Result<Vec<ActivityRow>, StoreError> {
        const SQL: &str = "SELECT from_ms, to_ms, session_id, project_id, keys, clicks, scrolls, \
            motions, exact, idle_ms, applications FROM activity_minutes \
            WHERE company_id = $1 AND employee_id = $2 AND from_ms >= $3 AND from_ms < $4 \
            ORDER BY from_ms, record_id LIMIT $5";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(employee.to_string()).bind(from_ms).bind(to_ms)
            .bind(i64::from(limit)).fetch_all(c).await)?)
    }

    /// Everybody's input per hour of `[from_ms, to_ms)`, by employee and hour.
    pub async fn activity_by_hour(
        &mut self,
        from_ms: i64,
        to_ms: i64,
        limit: u32,
    ) -> Result<Vec<ActivityHour>, StoreError> {
        const SQL: &str = "SELECT employee_id, from_ms / 3600000 AS hour, \
            CAST(SUM(keys + clicks + scrolls) AS BIGINT) AS actions FROM activity_minutes \
            WHERE company_id = $1 AND from_ms >= $2 AND from_ms < $3 \
            GROUP BY employee_id, from_ms / 3600000 ORDER BY employee_id, hour LIMIT $4";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(from_ms).bind(to_ms).bind(i64::from(limit))
            .fetch_all(c).await)?)
    }
}

impl Write {
    /// Rolls up one activity record.
    pub async fn insert_activity(
        &mut self,
        header: &RecordHeader,
        employee: EmployeeId,
        minute: &ActivityMinute,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO activity_minutes (company_id, employee_id, from_ms, \
            record_id, device_id, session_id, project_id, to_ms, keys, clicks, scrolls, motions, \
            exact, idle_ms, applications) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        let input = minute.input.unwrap_or_default();
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(employee.to_string()).bind(minute.from_ms)
            .bind(header.record_id.to_string()).bind(header.device_id.to_string())
            .bind(header.meta.session_id.map(|id| id.to_string()))
            .bind(header.meta.project_id.map(|id| id.to_string()))
            .bind(minute.to_ms).bind(i64::from(input.keys)).bind(i64::from(input.clicks))
            .bind(i64::from(input.scrolls)).bind(i64::from(input.motions)).bind(input.exact)
            .bind(minute.idle_ms.map(i64::from)).bind(to_json(&minute.applications))
            .execute(c).await.map(drop))?;
        Ok(())
    }
}
