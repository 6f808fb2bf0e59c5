//! Passes to one employee's own days: one-time links and the short sessions they are exchanged for.

use glasshour_protocol::{CompanyId, DeviceId, EmployeeId};
use sqlx::FromRow;

use super::column::Text;
use super::{Db, StoreError, Write, on, on_pool};

/// What a pass is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassKind {
    /// Worth one exchange.
    Link,
    /// Worth looking at the own days until it ends.
    Session,
}

impl PassKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Session => "session",
        }
    }
}

/// A pass, without its token.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DayPass {
    /// Where.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// Whose days.
    #[sqlx(try_from = "Text<EmployeeId>")]
    pub employee_id: EmployeeId,
    /// The device that asked for it.
    #[sqlx(try_from = "Text<DeviceId>")]
    pub device_id: DeviceId,
    /// UTC milliseconds.
    pub expires_at: i64,
}

impl Db {
    /// The pass of that kind with that token hash, expired or not.
    pub async fn find_day_pass(
        &self,
        kind: PassKind,
        hash: &str,
    ) -> Result<Option<DayPass>, StoreError> {
        const SQL: &str = "SELECT company_id, employee_id, device_id, expires_at \
            FROM own_day_passes WHERE token_hash = $1 AND kind = $2";
        Ok(on_pool!(self, pool => sqlx::query_as(SQL)
            .bind(hash).bind(kind.as_str()).fetch_optional(pool).await)?)
    }
}

impl Write {
    /// Keeps a pass, and forgets those that are over.
    pub async fn insert_day_pass(
        &mut self,
        kind: PassKind,
        hash: &str,
        pass: &DayPass,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const OVER: &str = "DELETE FROM own_day_passes WHERE company_id = $1 AND expires_at <= $2";
        const SQL: &str = "INSERT INTO own_day_passes \
            (company_id, token_hash, kind, employee_id, device_id, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6)";
        on!(self.0, c => sqlx::query(OVER)
            .bind(&self.0.company).bind(now_ms).execute(c).await.map(drop))?;
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(hash).bind(kind.as_str())
            .bind(pass.employee_id.to_string()).bind(pass.device_id.to_string())
            .bind(pass.expires_at).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Uses a link up; false where somebody else was faster.
    pub async fn use_day_link(&mut self, hash: &str) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM own_day_passes \
            WHERE company_id = $1 AND token_hash = $2 AND kind = 'link'";
        let used = on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(hash).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(used == 1)
    }
}
