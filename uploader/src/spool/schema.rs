//! Opening the spool's file: lock, settings, a look for damage, schema.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use glasshour_protocol::DeviceId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _};

use super::heads::Heads;
use super::reserve::{self, Reserve};
use super::salvage::{self, Files, SalvageError};
use super::{OpenError, SpoolConfig, rows};

/// Steps that were ever released, in order; never edited, only added to. `user_version` counts them.
const MIGRATIONS: [&str; 4] = [
    "
    CREATE TABLE records (
        record_id      TEXT    PRIMARY KEY,
        license_id     TEXT    NOT NULL,
        seq            INTEGER NOT NULL,
        kind           TEXT    NOT NULL,
        captured_at_ms INTEGER NOT NULL,
        hold_until_ms  INTEGER NOT NULL,
        header         BLOB    NOT NULL,
        signature      TEXT    NOT NULL,
        content_type   TEXT    NOT NULL,
        seal           TEXT    NOT NULL DEFAULT 'none' CHECK (seal IN ('none')),
        payload        BLOB    NOT NULL,
        refusal_code    TEXT,
        refusal_message TEXT,
        UNIQUE (license_id, seq)
    );
    CREATE INDEX records_by_age ON records (captured_at_ms, seq) WHERE refusal_code IS NULL;
    CREATE TABLE chains (
        license_id TEXT    PRIMARY KEY,
        last_seq   INTEGER NOT NULL,
        last_hash  TEXT    NOT NULL
    );
    CREATE TABLE counters (
        name  TEXT    PRIMARY KEY,
        value INTEGER NOT NULL
    );
",
    // A device that is made anew begins chains of its own. A unique constraint cannot be dropped, so
    // the tables are made again; what is there belongs to the device that opens the file. The second
    // index lets both counts of `stats` be read without touching a row.
    "
    CREATE TABLE records_2 (
        record_id      TEXT    PRIMARY KEY,
        device_id      TEXT    NOT NULL,
        license_id     TEXT    NOT NULL,
        seq            INTEGER NOT NULL,
        kind           TEXT    NOT NULL,
        captured_at_ms INTEGER NOT NULL,
        hold_until_ms  INTEGER NOT NULL,
        header         BLOB    NOT NULL,
        signature      TEXT    NOT NULL,
        content_type   TEXT    NOT NULL,
        seal           TEXT    NOT NULL DEFAULT 'none' CHECK (seal IN ('none')),
        payload        BLOB    NOT NULL,
        refusal_code    TEXT,
        refusal_message TEXT,
        UNIQUE (device_id, license_id, seq)
    );
    INSERT INTO records_2 (record_id, device_id, license_id, seq, kind, captured_at_ms, hold_until_ms,
                           header, signature, content_type, seal, payload, refusal_code, refusal_message)
        SELECT record_id, opened_by.device_id, license_id, seq, kind, captured_at_ms, hold_until_ms,
               header, signature, content_type, seal, payload, refusal_code, refusal_message
        FROM records, temp.opened_by;
    DROP TABLE records;
    ALTER TABLE records_2 RENAME TO records;
    CREATE INDEX records_by_age ON records (captured_at_ms, seq) WHERE refusal_code IS NULL;
    CREATE INDEX records_refused ON records (captured_at_ms, seq) WHERE refusal_code IS NOT NULL;
    CREATE TABLE chains_2 (
        device_id  TEXT    NOT NULL,
        license_id TEXT    NOT NULL,
        last_seq   INTEGER NOT NULL,
        last_hash  TEXT    NOT NULL,
        PRIMARY KEY (device_id, license_id)
    );
    INSERT INTO chains_2 (device_id, license_id, last_seq, last_hash)
        SELECT opened_by.device_id, license_id, last_seq, last_hash FROM chains, temp.opened_by;
    DROP TABLE chains;
    ALTER TABLE chains_2 RENAME TO chains;
",
    // What the employee deleted while it was held: its row bears the signed withdrawal and no payload
    // until it is delivered; what time it stood for is remembered for longer.
    "
    ALTER TABLE records ADD COLUMN withdrawn TEXT;
    CREATE INDEX records_held ON records (hold_until_ms) WHERE hold_until_ms > 0;
    CREATE TABLE withdrawals (
        record_id      TEXT    PRIMARY KEY,
        license_id     TEXT    NOT NULL,
        session_id     TEXT,
        kind           TEXT    NOT NULL,
        captured_at_ms INTEGER NOT NULL
    );
    CREATE INDEX withdrawals_by_age ON withdrawals (captured_at_ms);
",
    // Payloads are sealed: a constraint cannot be widened, so the table is made again. What is there
    // stays as it is. The order of the columns is what `salvage.rs` reads; `marks` tells the key again.
    "
    CREATE TABLE records_4 (
        record_id      TEXT    PRIMARY KEY,
        device_id      TEXT    NOT NULL,
        license_id     TEXT    NOT NULL,
        seq            INTEGER NOT NULL,
        kind           TEXT    NOT NULL,
        captured_at_ms INTEGER NOT NULL,
        hold_until_ms  INTEGER NOT NULL,
        header         BLOB    NOT NULL,
        signature      TEXT    NOT NULL,
        content_type   TEXT    NOT NULL,
        seal           TEXT    NOT NULL CHECK (seal IN ('none', 'xchacha20poly1305')),
        payload        BLOB    NOT NULL,
        refusal_code    TEXT,
        refusal_message TEXT,
        withdrawn       TEXT,
        UNIQUE (device_id, license_id, seq)
    );
    INSERT INTO records_4 (record_id, device_id, license_id, seq, kind, captured_at_ms, hold_until_ms,
                           header, signature, content_type, seal, payload, refusal_code,
                           refusal_message, withdrawn)
        SELECT record_id, device_id, license_id, seq, kind, captured_at_ms, hold_until_ms,
               header, signature, content_type, seal, payload, refusal_code, refusal_message, withdrawn
        FROM records;
    DROP TABLE records;
    ALTER TABLE records_4 RENAME TO records;
    CREATE INDEX records_by_age ON records (captured_at_ms, seq) WHERE refusal_code IS NULL;
    CREATE INDEX records_refused ON records (captured_at_ms, seq) WHERE refusal_code IS NOT NULL;
    CREATE INDEX records_held ON records (hold_until_ms) WHERE hold_until_ms > 0;
    CREATE TABLE marks (
        name  TEXT PRIMARY KEY,
        value BLOB NOT NULL
    );
"];

/// How long another process is waited for.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// A larger file is not looked through at every start: the first record must be on its way within
/// seconds. What is wrong with it is found when it is met, and the same is done about it then.
const MOST_CHECKED_BYTES: u64 = 64 << 20;

/// An open database and the lock that makes it ours.
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) heads: Heads,
    pub(super) reserve: Reserve,
    files: Files,
    /// Held, not read: the lock ends with the file.
    _lock: File,
}

/// What is wrong with a file, and can be mended by salvage.
#[derive(Debug, thiserror::Error)]
enum Damage {
    #[error(transparent)]
    Sqlite(rusqlite::Error),
    #[error("{0}")]
    Check(String),
    #[error("its log was cut short: it is sound, and of the past")]
    Behind,
}

/// Opens the database at `path`, alone. One that is damaged is set aside and made anew.
pub(super) fn open(path: &Path, config: &SpoolConfig) -> Result<Database, OpenError> {
    let lock_path = path.with_extension("lock");
    let io_at = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(io_at(&lock_path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: lock_path }),
        Err(TryLockError::Error(source)) => return Err(io_at(&lock_path)(source)),
    }
    let files = Files::of(path);
    files.finish().map_err(io_at(path))?;
    let mut heads = Heads::open(path).map_err(io_at(path))?;
    let connection = match examine(path, config, &heads)? {
        Ok(connection) => connection,
        Err(damage) => {
            tracing::error!(%damage, path = %path.display(), "the spool is damaged");
            mend(&files, config, &mut heads)?
        }
    };
    recognise(&connection, config, path)?;
    let rows = rows::stats(&connection).map(|stats| stats.waiting + stats.quarantined);
    heads.set_rows(rows.unwrap_or_default());
    let reserve = Reserve::open(path);
    Ok(Database {
        connection,
        heads,
        reserve,
        files,
        _lock: lock,
    })
}

impl Database {
    /// Makes the database anew, which turned out to be damaged while it was open.
    pub(super) fn mend(&mut self, config: &SpoolConfig) -> Result<(), OpenError> {
        // Let go of without a checkpoint, which would write into the damaged file.
        let empty = Connection::open_in_memory().map_err(|source| OpenError::Damaged {
            path: self.files.database.clone(),
            source,
        })?;
        drop(std::mem::replace(&mut self.connection, empty));
        self.connection = mend(&self.files, config, &mut self.heads)?;
        recognise(&self.connection, config, &self.files.database)
    }

    /// On a full disk: takes what room the reserve has held.
    pub(super) fn make_room(&mut self) {
        reserve::make_room(&self.connection, &mut self.reserve);
    }

    /// After a write: keeps the log short, and gives room back that is not needed.
    pub(super) fn tidy(&mut self) {
        reserve::tidy(&self.connection, &self.files.database, &mut self.reserve);
    }

    /// Removes what was set aside of damaged files.
    pub(super) fn remove_set_aside(&self) -> std::io::Result<()> {
        self.files.remove_set_aside()
    }
}

fn mend(files: &Files, config: &SpoolConfig, heads: &mut Heads) -> Result<Connection, OpenError> {
    let path = &files.database;
    let failed = |source| OpenError::Damaged {
        path: path.clone(),
        source,
    };
    salvage::salvage(files, config, heads).map_err(|error| match error {
        SalvageError::Io(source) => OpenError::Io {
            path: path.clone(),
            source,
        },
        SalvageError::Database(source) => failed(source),
    })?;
    examine(path, config, heads)?.map_err(|damage| match damage {
        Damage::Sqlite(source) => failed(source),
        Damage::Check(_) | Damage::Behind => failed(rusqlite::Error::InvalidQuery),
    })
}

/// Opens a database as it is and looks for damage; brings a sound one up to date.
fn examine(
    path: &Path,
    config: &SpoolConfig,
    heads: &Heads,
) -> Result<Result<Connection, Damage>, OpenError> {
    match look(path, config, heads) {
        Ok(Ok(sound)) => Ok(Ok(sound)),
        Ok(Err(damage)) => Ok(Err(damage)),
        Err(Fault::TooNew { found, known }) => Err(OpenError::TooNew {
            path: path.to_owned(),
            found,
            known,
        }),
        Err(Fault::Sqlite(error)) if is_damage(&error) => Ok(Err(Damage::Sqlite(error))),
        Err(Fault::Sqlite(source)) => Err(OpenError::Damaged {
            path: path.to_owned(),
            source,
        }),
    }
}

enum Fault {
    TooNew { found: i64, known: i64 },
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn look(
    path: &Path,
    config: &SpoolConfig,
    heads: &Heads,
) -> Result<Result<Connection, Damage>, Fault> {
    let connection = configure(path)?;
    let known = i64::try_from(MIGRATIONS.len()).expect("a handful");
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(Fault::TooNew { found, known });
    }
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let size: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    if pages.saturating_mul(size).unsigned_abs() <= MOST_CHECKED_BYTES {
        let verdict: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Ok(Err(Damage::Check(verdict)));
        }
    }
    if found >= CHAINS_BY_DEVICE && is_behind(&connection, heads)? || found == 0 && !is_new(heads) {
        return Ok(Err(Damage::Behind));
    }
    migrate(&connection, found, config.identity.device_id)?;
    // From here on a last checkpoint is what is wanted.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(Ok(connection))
}

/// Since when chains are kept by device.
const CHAINS_BY_DEVICE: i64 = 2;

fn is_new(heads: &Heads) -> bool {
    heads.told().next().is_none()
}

/// Whether somebody was told of a place in a chain that the database does not know.
fn is_behind(connection: &Connection, heads: &Heads) -> rusqlite::Result<bool> {
    for ((device, license), head) in heads.told() {
        let last: Option<i64> = connection
            .query_row(
                "SELECT last_seq FROM chains WHERE device_id = ?1 AND license_id = ?2",
                [device.to_string(), license.to_string()],
                |row| row.get(0),
            )
            .optional()?;
        if last.unwrap_or(0).unsigned_abs() < head.seq {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an error means that the file is not what was written.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    ) || matches!(error, rusqlite::Error::SqliteFailure(failure, Some(message))
        if failure.code == ErrorCode::Unknown && message.starts_with("no such table"))
}

/// Marks a new file with the key, and refuses one that was sealed with another.
fn recognise(connection: &Connection, config: &SpoolConfig, path: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Damaged {
        path: path.to_owned(),
        source,
    };
    let mark: Option<Vec<u8>> = connection
        .query_row("SELECT value FROM marks WHERE name = 'seal'", [], |row| {
            row.get(0)
        })
        .optional()
        .map_err(failed)?;
    match (mark, &config.seal) {
        (None, None) => Ok(()),
        (None, Some(key)) => {
            let mark = key.mark().map_err(|_| OpenError::Key {
                path: path.to_owned(),
            })?;
            connection
                .execute(
                    "INSERT INTO marks (name, value) VALUES ('seal', ?1)",
                    [mark],
                )
                .map(drop)
                .map_err(failed)
        }
        (Some(mark), Some(key)) if key.made(&mark) => Ok(()),
        (Some(_), _) => Err(OpenError::Key {
            path: path.to_owned(),
        }),
    }
}

fn configure(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    // Until it is known to be sound, nothing is carried from the log into the file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // One process owns the file, yet a reader (`doctor`, a backup tool) may hold it for a moment.
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Said before anything is in the file; what is not needed any more can be given back then.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL, not NORMAL: with NORMAL a power cut loses what `push` has promised.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    // Deleted screenshots do not stay readable in free pages.
    connection.pragma_update(None, "secure_delete", "ON")?;
    // Nor in the temporary files in which SQLite keeps what a savepoint may need back.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A short log: what the reserve must be able to carry over into the database (`reserve.rs`).
    connection.pragma_update(None, "wal_autocheckpoint", reserve::LOG_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", reserve::LOG_PAGES * 4096)?;
    Ok(connection)
}

/// Makes the tables in a new file.
pub(super) fn migrate_new(connection: &Connection, device: DeviceId) -> rusqlite::Result<()> {
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    migrate(connection, 0, device)
}

/// Each step commits together with its number, so that a crash repeats a step or does not. Steps find
/// the device that opens the file in `temp.opened_by`.
fn migrate(connection: &Connection, found: i64, device: DeviceId) -> rusqlite::Result<()> {
    connection.execute_batch("CREATE TEMP TABLE opened_by (device_id TEXT NOT NULL)")?;
    connection.execute(
        "INSERT INTO temp.opened_by (device_id) VALUES (?1)",
        [device.to_string()],
    )?;
    for (number, step) in (1_i64..).zip(MIGRATIONS) {
        if number > found {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;"
            ))?;
        }
    }
    connection.execute_batch("DROP TABLE temp.opened_by")
}
