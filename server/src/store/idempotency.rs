//! Requests that carry a key, and what they were answered.

use sqlx::FromRow;

use super::{StoreError, Write, on};

/// A request that was made under a key.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct KeyedRequest {
    /// SHA-256 of what was asked, hex.
    pub request_hash: String,
    /// What it was answered; `None` while it runs.
    pub status: Option<i64>,
    /// The sealed answer.
    pub answer: Option<Vec<u8>>,
    /// When it began, UTC milliseconds.
    pub created_at: i64,
}

impl Write {
    /// Begins a request under a key: `None` where this is the first, else the one before. What began before
    /// `forgotten_ms` counts for nothing.
    pub async fn begin_keyed(
        &mut self,
        key_hash: &str,
        request_hash: &str,
        now_ms: i64,
        forgotten_ms: i64,
    ) -> Result<Option<KeyedRequest>, StoreError> {
        const FORGET: &str = "DELETE FROM idempotency WHERE company_id = $1 AND created_at < $2";
        const BEGIN: &str = "INSERT INTO idempotency \
            (company_id, key_hash, request_hash, created_at) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (company_id, key_hash) DO NOTHING";
        const KNOWN: &str = "SELECT request_hash, status, answer, created_at FROM idempotency \
            WHERE company_id = $1 AND key_hash = $2";
        on!(self.0, c => sqlx::query(FORGET)
            .bind(&self.0.company).bind(forgotten_ms).execute(c).await.map(drop))?;
        let begun = on!(self.0, c => sqlx::query(BEGIN)
            .bind(&self.0.company).bind(key_hash).bind(request_hash).bind(now_ms)
            .execute(c).await.map(|done| done.rows_affected()))?;
        if begun == 1 {
            return Ok(None);
        }
        Ok(on!(self.0, c => sqlx::query_as(KNOWN)
            .bind(&self.0.company).bind(key_hash).fetch_optional(c).await)?)
    }

    /// Keeps what a request was answered.
    pub async fn end_keyed(
        &mut self,
        key_hash: &str,
        status: u16,
        answer: &[u8],
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE idempotency SET status = $3, answer = $4 \
            WHERE company_id = $1 AND key_hash = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(key_hash).bind(i64::from(status)).bind(answer)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Forgets a request that made nothing: the key is free again.
    pub async fn drop_keyed(&mut self, key_hash: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM idempotency WHERE company_id = $1 AND key_hash = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(key_hash).execute(c).await.map(drop))?;
        Ok(())
    }
}
