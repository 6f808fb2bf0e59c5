//! What a backup takes from the database: a snapshot of the file, and which pictures its rows name.

use std::path::Path;

use super::{Db, Read, StoreError, on};

/// The database cannot be copied by this program.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// PostgreSQL has tools of its own for that.
    #[error("the database is PostgreSQL")]
    Postgres,
    /// It could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Db {
    /// Writes a consistent copy of an SQLite database into a file that is empty; writers and readers
    /// go on meanwhile.
    pub async fn snapshot_into(&self, file: &Path) -> Result<(), SnapshotError> {
        let Self::Sqlite { readers, .. } = self else {
            return Err(SnapshotError::Postgres);
        };
        let name = file.to_string_lossy().into_owned();
        sqlx::query("VACUUM INTO $1")
            .bind(name)
            .execute(readers)
            .await
            .map_err(StoreError::from)?;
        Ok(())
    }
}

impl Read {
    /// The pictures that records name, by their SHA-256, in order, behind `after`; at most `limit`.
    pub async fn picture_hashes(
        &mut self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "SELECT DISTINCT payload_sha256 FROM records \
            WHERE company_id = $1 AND kind IN ('screenshot', 'camera') AND payload IS NULL \
            AND payload_len > 0 AND withdrawn IS NULL AND payload_sha256 > $2 ORDER BY payload_sha256 LIMIT $3";
        let rows: Vec<(String,)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company)
            .bind(after)
            .bind(limit)
            .fetch_all(c)
            .await)?;
        Ok(rows.into_iter().map(|(hash,)| hash).collect())
    }
}
