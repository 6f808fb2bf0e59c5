//! What the console alone asks: input in short slots, doubtful records, the last event of each open
//! session, the latest offset from UTC.

use glasshour_protocol::payload::SessionEvent;
use glasshour_protocol::{DeviceId, EmployeeId, LicenseId, RecordId, SessionId};
use sqlx::FromRow;

use super::column::Text;
use super::{Read, StoreError, on};
use crate::report::{Grade, Waits};

/// Input of one employee in one slot of time.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ActivitySlot {
    /// Whose.
    #[sqlx(try_from = "Text<EmployeeId>")]
    pub employee_id: EmployeeId,
    /// Which slot, counted from 1970 in units of the slot's length.
    pub slot: i64,
    /// Key presses, clicks and wheel steps together.
    pub actions: i64,
}

/// A record that cannot be trusted as it stands.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Doubt {
    /// Which one.
    #[sqlx(try_from = "Text<RecordId>")]
    pub record_id: RecordId,
    /// Whose.
    #[sqlx(try_from = "Text<EmployeeId>")]
    pub employee_id: EmployeeId,
    /// Who signed it.
    #[sqlx(try_from = "Text<DeviceId>")]
    pub device_id: DeviceId,
    /// What permitted it.
    #[sqlx(try_from = "Text<LicenseId>")]
    pub license_id: LicenseId,
    /// When it was captured, UTC milliseconds.
    pub captured_at: i64,
    /// Why it is doubted.
    #[sqlx(try_from = "Text<Grade>")]
    pub grade: Grade,
    /// When the record before it in its chain was captured, UTC milliseconds; `None`: there is none.
    pub before_at: Option<i64>,
    /// When somebody accepted it all the same, UTC milliseconds (rule 22).
    pub accepted_at: Option<i64>,
    /// Who did.
    pub accepted_by: Option<String>,
    /// Why.
    pub accepted_reason: Option<String>,
    /// Where what is missing before it may still wait on the computer: how long. No column: see
    /// [`crate::people`].
    #[sqlx(skip)]
    pub waits: Option<Waits>,
}

impl Doubt {
    /// Whether records are missing before it that should have come.
    pub fn is_gap(&self) -> bool {
        self.grade == Grade::GapBefore && self.waits.is_none()
    }

    /// Whether somebody should look at it: nobody has accepted it, and nothing may still come.
    pub fn is_open(&self) -> bool {
        self.waits.is_none() && self.accepted_at.is_none()
    }

    /// The time up to it that does not count while it is open, UTC milliseconds.
    pub fn uncounted(&self) -> Option<(i64, i64)> {
        let begin = self.before_at?;
        (self.is_open() && begin < self.captured_at).then_some((begin, self.captured_at))
    }
}

#[derive(FromRow)]
struct EventRow {
    #[sqlx(try_from = "Text<DeviceId>")]
    device_id: DeviceId,
    event: String,
}

impl Read {
    /// Everybody's input of `[from_ms, to_ms)` in slots of `slot_ms`, by employee and slot.
    pub async fn activity_by_slot(
        &mut self,
        from_ms: i64,
        to_ms: i64,
        slot_ms: i64,
        limit: u32,
    ) -> Result<Vec<ActivitySlot>, StoreError> {
        const SQL: &str = "SELECT employee_id, slot, CAST(SUM(actions) AS BIGINT) AS actions FROM \
            (SELECT employee_id, from_ms / $4 AS slot, keys + clicks + scrolls AS actions \
             FROM activity_minutes WHERE company_id = $1 AND from_ms >= $2 AND from_ms < $3) parts \
            GROUP BY employee_id, slot ORDER BY employee_id, slot LIMIT $5";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(from_ms).bind(to_ms).bind(slot_ms).bind(i64::from(limit))
            .fetch_all(c).await)?)
    }

    /// Doubtful records captured in `[from_ms, to_ms)`, of one employee or of everybody, by time.
    pub async fn doubts(
        &mut self,
        employee: Option<EmployeeId>,
        from_ms: i64,
        to_ms: i64,
        limit: u32,
    ) -> Result<Vec<Doubt>, StoreError> {
        // The condition on the grade is that of the index records_in_doubt, word for word.
        const SQL: &str = "SELECT r.record_id, r.employee_id, r.device_id, r.license_id, \
            r.captured_at, r.grade, (SELECT p.captured_at FROM records p \
              WHERE p.company_id = r.company_id AND p.device_id = r.device_id \
              AND p.license_id = r.license_id AND p.seq < r.seq ORDER BY p.seq DESC LIMIT 1) \
            AS before_at, a.at_ms AS accepted_at, a.by_name AS accepted_by, \
            a.reason AS accepted_reason FROM records r LEFT JOIN acceptances a \
            ON a.company_id = r.company_id AND a.record_id = r.record_id WHERE r.company_id = $1 AND r.captured_at >= $2 AND r.captured_at < $3 \
            AND r.grade IN ('gap-before', 'clock-suspect') AND ($4 = '' OR r.employee_id = $4) \
            ORDER BY r.captured_at, r.record_id LIMIT $5";
        let employee = employee.map_or_else(String::new, |id| id.to_string());
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(from_ms).bind(to_ms).bind(&employee).bind(i64::from(limit))
            .fetch_all(c).await)?)
    }

    /// The last event of each session that was not stopped and was heard of since `since_ms`.
    pub async fn last_events(
        &mut self,
        since_ms: i64,
        limit: u32,
    ) -> Result<Vec<((DeviceId, SessionId), SessionEvent)>, StoreError> {
        // Of events at the same moment the one that is last in the chain comes last and wins.
        const SQL: &str = "SELECT e.device_id, e.event FROM sessions s JOIN session_events e \
            ON e.company_id = s.company_id AND e.device_id = s.device_id \
            AND e.session_id = s.session_id \
            WHERE s.company_id = $1 AND s.end_at >= $2 AND s.ended_at IS NULL \
            AND e.at_ms = (SELECT MAX(l.at_ms) FROM session_events l \
              WHERE l.company_id = s.company_id AND l.device_id = s.device_id \
              AND l.session_id = s.session_id) \
            ORDER BY e.device_id, e.session_id, e.seq LIMIT $3";
        let rows: Vec<EventRow> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(since_ms).bind(i64::from(limit)).fetch_all(c).await)?;
        rows.into_iter()
            .map(|row| {
                let event: SessionEvent =
                    serde_json::from_str(&row.event).map_err(|_| StoreError::Corrupt {
                        what: "session_events.event",
                    })?;
                Ok(((row.device_id, event.session_id), event))
            })
            .collect()
    }

    /// The offset from UTC, minutes, of the record captured last: of anybody, or of one employee's
    /// sessions.
    pub async fn latest_offset(
        &mut self,
        employee: Option<EmployeeId>,
    ) -> Result<Option<i64>, StoreError> {
        const ANY: &str = "SELECT utc_offset_min FROM records WHERE company_id = $1 \
            ORDER BY captured_at DESC, record_id DESC LIMIT 1";
        const OF: &str = "SELECT utc_offset_min FROM records WHERE company_id = $1 \
            AND employee_id = $2 AND kind = 'session' \
            ORDER BY captured_at DESC, record_id DESC LIMIT 1";
        let row: Option<(i64,)> = match employee {
            None => on!(self, c => sqlx::query_as(ANY)
                .bind(&self.company).fetch_optional(c).await)?,
            Some(id) => on!(self, c => sqlx::query_as(OF)
                .bind(&self.company).bind(id.to_string()).fetch_optional(c).await)?,
        };
        Ok(row.map(|(minutes,)| minutes))
    }
}
