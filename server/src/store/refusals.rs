//! How often records were refused for what their license says. Counts, and nothing of what was in
//! the records.

use glasshour_protocol::{DeviceId, EmployeeId};
use sqlx::FromRow;

use super::column::Text;
use super::{Read, StoreError, Write, on};

const DAY_MS: i64 = 86_400_000;
/// For how long refusals are told of.
pub const REFUSALS_TOLD_DAYS: i64 = 30;

/// Refusals of one device for one reason.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Refusals {
    /// The device.
    #[sqlx(try_from = "Text<DeviceId>")]
    pub device_id: DeviceId,
    /// The stable code.
    pub code: String,
    /// How many.
    #[sqlx(try_from = "i64")]
    pub refused: u64,
    /// The last one, UTC milliseconds.
    pub last_at: i64,
}

impl Read {
    /// Refusals of the devices from `first` to `last` (both included) within the last
    /// [`REFUSALS_TOLD_DAYS`] days, by device and code.
    pub async fn refusals(
        &mut self,
        (first, last): (DeviceId, DeviceId),
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<Refusals>, StoreError> {
        const SQL: &str = "SELECT device_id, code, CAST(SUM(refused) AS BIGINT) AS refused, \
            MAX(last_at) AS last_at FROM refusals WHERE company_id = $1 AND day_ms >= $2 \
            AND device_id >= $3 AND device_id <= $4 \
            GROUP BY device_id, code ORDER BY device_id, code LIMIT $5";
        let since = now_ms.div_euclid(DAY_MS) - REFUSALS_TOLD_DAYS;
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(since * DAY_MS).bind(first.to_string())
            .bind(last.to_string()).bind(i64::from(limit)).fetch_all(c).await)?)
    }

    /// Refusals of all devices together within the last [`REFUSALS_TOLD_DAYS`] days, by code.
    pub async fn refusals_by_code(
        &mut self,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        const SQL: &str = "SELECT code, CAST(SUM(refused) AS BIGINT) FROM refusals \
            WHERE company_id = $1 AND day_ms >= $2 GROUP BY code ORDER BY code LIMIT $3";
        let since = now_ms.div_euclid(DAY_MS) - REFUSALS_TOLD_DAYS;
        let rows: Vec<(String, i64)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(since * DAY_MS).bind(i64::from(limit))
            .fetch_all(c).await)?;
        Ok(rows
            .into_iter()
            .map(|(code, refused)| (code, refused.unsigned_abs()))
            .collect())
    }
}

impl Write {
    /// Counts one refusal.
    pub async fn count_refusal(
        &mut self,
        employee: EmployeeId,
        device: DeviceId,
        code: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO refusals \
            (company_id, employee_id, device_id, day_ms, code, refused, last_at) \
            VALUES ($1, $2, $3, $4, $5, 1, $6) \
            ON CONFLICT (company_id, employee_id, device_id, day_ms, code) \
            DO UPDATE SET refused = refusals.refused + 1, last_at = EXCLUDED.last_at";
        let day = now_ms.div_euclid(DAY_MS) * DAY_MS;
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(employee.to_string()).bind(device.to_string())
            .bind(day).bind(code).bind(now_ms).execute(c).await.map(drop))?;
        Ok(())
    }
}
