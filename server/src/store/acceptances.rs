//! Records in doubt that somebody has accepted: who, when and why.

use glasshour_protocol::{EmployeeId, RecordId};
use sqlx::FromRow;

use super::{Read, StoreError, Write, on};

/// That a record in doubt counts all the same.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Acceptance {
    /// When it was accepted, UTC milliseconds.
    pub at_ms: i64,
    /// The id of the user or token that did.
    pub by_id: String,
    /// As they were named then.
    pub by_name: String,
    /// Why.
    pub reason: String,
}

impl Read {
    /// The acceptance of a record, where there is one.
    pub async fn acceptance(&mut self, id: RecordId) -> Result<Option<Acceptance>, StoreError> {
        const SQL: &str = "SELECT at_ms, by_id, by_name, reason FROM acceptances \
            WHERE company_id = $1 AND record_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id.to_string()).fetch_optional(c).await)?)
    }
}

impl Write {
    /// Accepts a record of an employee's; false where somebody has done so before.
    pub async fn insert_acceptance(
        &mut self,
        (record, employee): (RecordId, EmployeeId),
        acceptance: &Acceptance,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO acceptances \
            (company_id, record_id, employee_id, at_ms, by_id, by_name, reason) \
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (company_id, record_id) DO NOTHING";
        let made = on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(record.to_string()).bind(employee.to_string())
            .bind(acceptance.at_ms).bind(&acceptance.by_id).bind(&acceptance.by_name)
            .bind(&acceptance.reason).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(made == 1)
    }
}
