//! Pictures by their hash: which of them rows name, and which were found damaged.

use sqlx::FromRow;

use super::{Read, StoreError, Write, on};

/// A picture that is not what was stored, or is not there.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DamagedPicture {
    /// Its name.
    pub payload_sha256: String,
    /// `damaged` or `missing`.
    pub what: String,
    /// When that was first found, UTC milliseconds.
    pub found_at: i64,
}

impl Read {
    /// Whether any record names that payload and has not withdrawn it.
    pub async fn is_named(&mut self, sha256: &str) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT 1 FROM records WHERE company_id = $1 AND payload_sha256 = $2 \
            AND withdrawn IS NULL LIMIT 1";
        let row: Option<(i32,)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(sha256).fetch_optional(c).await)?;
        Ok(row.is_some())
    }

    /// Pictures that were found damaged, by name.
    pub async fn damaged_pictures(
        &mut self,
        limit: u32,
    ) -> Result<Vec<DamagedPicture>, StoreError> {
        const SQL: &str = "SELECT payload_sha256, what, found_at FROM damaged_pictures \
            WHERE company_id = $1 ORDER BY payload_sha256 LIMIT $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(i64::from(limit)).fetch_all(c).await)?)
    }
}

impl Write {
    /// Marks a picture; when it was first found stays.
    pub async fn mark_damaged(
        &mut self,
        sha256: &str,
        what: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO damaged_pictures \
            (company_id, payload_sha256, what, found_at) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (company_id, payload_sha256) DO UPDATE SET what = EXCLUDED.what";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(sha256).bind(what).bind(now_ms)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes the mark away: the picture was restored, or no record names it any more.
    pub async fn unmark_damaged(&mut self, sha256: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM damaged_pictures \
            WHERE company_id = $1 AND payload_sha256 = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(sha256).execute(c).await.map(drop))?;
        Ok(())
    }
}
