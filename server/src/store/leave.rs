//! Leave days: when a member is away. Gone for good with the member (rule 59).

use sqlx::FromRow;

use super::column::{Text, word_enum};
use super::{Read, StoreError, Write, on};

word_enum! {
    /// Why somebody is away.
    LeaveKind, "`vacation`, `sick` or `other`" {
        /// A holiday.
        Vacation => "vacation",
        /// An illness.
        Sick => "sick",
        /// Anything else.
        Other => "other",
    }
}

/// One day of leave.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct LeaveDay {
    /// `YYYY-MM-DD`.
    pub day: String,
    /// Why.
    #[sqlx(try_from = "Text<LeaveKind>")]
    pub kind: LeaveKind,
}

impl Read {
    /// A member's leave behind a day, in order.
    pub async fn leave_days(
        &mut self,
        member_id: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<LeaveDay>, StoreError> {
        const SQL: &str = "SELECT day, kind FROM leave_days \
            WHERE company_id = $1 AND member_id = $2 AND day > $3 ORDER BY day LIMIT $4";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(member_id).bind(after).bind(i64::from(limit))
            .fetch_all(c).await)?)
    }
}

impl Write {
    /// Notes a day of leave, in place of what was noted for it.
    pub async fn set_leave_day(
        &mut self,
        member_id: &str,
        day: &LeaveDay,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO leave_days (company_id, member_id, day, kind, created_at) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (company_id, member_id, day) \
            DO UPDATE SET kind = excluded.kind";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(member_id).bind(&day.day).bind(day.kind.as_str())
            .bind(now_ms).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Removes a day of leave.
    pub async fn delete_leave_day(&mut self, member_id: &str, day: &str) -> Result<(), StoreError> {
        const SQL: &str =
            "DELETE FROM leave_days WHERE company_id = $1 AND member_id = $2 AND day = $3";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(member_id).bind(day).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Removes all leave of a member.
    pub async fn delete_leave_of(&mut self, member_id: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM leave_days WHERE company_id = $1 AND member_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(member_id).execute(c).await.map(drop))?;
        Ok(())
    }
}
