//! Notices: what a person is told in the console, whatever workspace they are in.

use glasshour_protocol::CompanyId;
use serde_json::Value;
use sqlx::FromRow;

use super::column::{Json, to_json};
use super::{Read, StoreError, Write, on};

/// One notice.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Notice {
    /// Its id.
    pub notice_id: String,
    /// What about: `invitation`, `ownership`, `mail_failed`, `device_waits`.
    pub kind: String,
    /// What its text needs.
    #[sqlx(try_from = "Json<Value>")]
    pub params: Value,
    /// UTC milliseconds.
    pub created_at: i64,
    /// When it was seen, UTC milliseconds.
    pub read_at: Option<i64>,
}

impl Read {
    /// A user's notices, the newest first.
    pub async fn notices(
        &mut self,
        user_id: &str,
        before: Option<(i64, &str)>,
        limit: u32,
    ) -> Result<Vec<Notice>, StoreError> {
        const SQL: &str = "SELECT notice_id, kind, params, created_at, read_at FROM notices \
            WHERE company_id = $1 AND user_id = $2 \
            AND (created_at < $3 OR (created_at = $3 AND notice_id < $4)) \
            ORDER BY created_at DESC, notice_id DESC LIMIT $5";
        let (at, id) = before.unwrap_or((i64::MAX, ""));
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(user_id).bind(at).bind(id).bind(i64::from(limit))
            .fetch_all(c).await)?)
    }

    /// Who decides in a workspace: the company's account and the workspace's owner and admins, each by home and
    /// user id.
    pub async fn deciders(
        &mut self,
        workspace_id: &str,
    ) -> Result<Vec<(CompanyId, String)>, StoreError> {
        // The limit only bounds memory.
        const SQL: &str = "SELECT company_id AS home_id, user_id FROM users WHERE company_id = $1 \
            AND role <> 'none' AND status = 'active' UNION SELECT home_id, user_id FROM members \
            WHERE company_id = $1 AND workspace_id = $2 AND role IN ('owner', 'admin') \
            AND status = 'active' AND home_id IS NOT NULL AND user_id IS NOT NULL \
            ORDER BY home_id, user_id LIMIT 1000";
        let rows: Vec<(String, String)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(workspace_id).fetch_all(c).await)?;
        let home = |(home, user): (String, String)| match home.parse() {
            Ok(home) => Ok((home, user)),
            Err(_) => Err(StoreError::Corrupt {
                what: "members.home_id",
            }),
        };
        rows.into_iter().map(home).collect()
    }

    /// How many of a user's notices were not seen yet.
    pub async fn unread_notices(&mut self, user_id: &str) -> Result<u64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM notices \
            WHERE company_id = $1 AND user_id = $2 AND read_at IS NULL";
        let (count,): (i64,) = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(user_id).fetch_one(c).await)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

impl Write {
    /// Tells a user something.
    pub async fn insert_notice(
        &mut self,
        user_id: &str,
        notice: &Notice,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO notices \
            (company_id, notice_id, user_id, kind, params, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&notice.notice_id).bind(user_id).bind(&notice.kind)
            .bind(to_json(&notice.params)).bind(notice.created_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that a notice was seen; true where the user has such a one.
    pub async fn read_notice(
        &mut self,
        user_id: &str,
        notice_id: &str,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE notices SET read_at = COALESCE(read_at, $4) \
            WHERE company_id = $1 AND user_id = $2 AND notice_id = $3";
        let changed = on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(user_id).bind(notice_id).bind(now_ms)
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }
}
