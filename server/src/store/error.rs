//! What can go wrong in the database, by what the caller does next.

/// A statement did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique name, address or id is taken; nothing was changed.
    #[error("a row with that value exists already ({constraint})")]
    Taken {
        /// The constraint's name (PostgreSQL) or its columns (SQLite).
        constraint: String,
    },
    /// The disk that holds the database is full; try again when there is room.
    #[error("the disk that holds the database is full")]
    DiskFull(#[source] sqlx::Error),
    /// Too many at once; try again later.
    #[error("the database is busy")]
    Busy(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// A row holds what this version cannot read.
    #[error("the database holds something that cannot be read: {what}")]
    Corrupt {
        /// Which row and column.
        what: &'static str,
    },
    /// Anything else: a fault of ours or of the database.
    #[error("the database refused a statement")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // SQLite: primary result codes are the low byte of the extended ones.
        const SQLITE_BUSY: i64 = 5;
        const SQLITE_FULL: i64 = 13;
        // The index of the log could not grow, which is another file than the log.
        const SQLITE_IOERR_SHMSIZE: i64 = 4874;
        // PostgreSQL, appendix A: disk_full, serialization_failure, deadlock_detected.
        const PG_DISK_FULL: &str = "53100";
        const PG_RETRY: [&str; 2] = ["40001", "40P01"];

        if matches!(error, sqlx::Error::PoolTimedOut) {
            return Self::Busy(error);
        }
        let Some(database) = error.as_database_error() else {
            return Self::Database(error);
        };
        if database.is_unique_violation() {
            let constraint = database
                .constraint()
                .unwrap_or_else(|| database.message())
                .to_owned();
            return Self::Taken { constraint };
        }
        let code = database.code().unwrap_or_default().into_owned();
        if code == PG_DISK_FULL {
            return Self::DiskFull(error);
        }
        if PG_RETRY.contains(&code.as_str()) {
            return Self::Busy(error);
        }
        let sqlite = database
            .try_downcast_ref::<sqlx::sqlite::SqliteError>()
            .is_some();
        let code = code.parse::<i64>().ok().filter(|_| sqlite);
        match code.map(|code| (code, code & 0xff)) {
            Some((SQLITE_IOERR_SHMSIZE, _) | (_, SQLITE_FULL)) => Self::DiskFull(error),
            Some((_, SQLITE_BUSY)) => Self::Busy(error),
            _ => Self::Database(error),
        }
    }
}
