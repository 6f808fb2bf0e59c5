//! Opening the spool's file: lock, settings, schema.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

use glasshour_protocol::DeviceId;
use rusqlite::Connection;

use super::OpenError;

/// Steps that were ever released, in order; never edited, only added to. `user_version` counts them.
const MIGRATIONS: [&str; 3] = [
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
"];

/// How long another process is waited for.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// An open database and the lock that makes it ours.
pub(super) struct Database {
    pub(super) connection: Connection,
    /// Held, not read: the lock ends with the file.
    _lock: File,
}

/// Opens the database at `path`, alone, as that device.
pub(super) fn open(path: &Path, device: DeviceId) -> Result<Database, OpenError> {
    let lock_path = path.with_extension("lock");
    let io = |source| OpenError::Io {
        path: lock_path.clone(),
        source,
    };
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(io)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: lock_path }),
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }

    let damaged = |source| OpenError::Damaged {
        path: path.to_owned(),
        source,
    };
    let connection = configure(path).map_err(damaged)?;
    let known = i64::try_from(MIGRATIONS.len()).expect("a handful");
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(damaged)?;
    if found > known {
        return Err(OpenError::TooNew {
            path: path.to_owned(),
            found,
            known,
        });
    }
    migrate(&connection, found, device).map_err(damaged)?;
    Ok(Database {
        connection,
        _lock: lock,
    })
}

fn configure(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    // One process owns the file, yet a reader (`doctor`, a backup tool) may hold it for a moment.
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL, not NORMAL: with NORMAL a power cut loses what `push` has promised.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    // Deleted screenshots do not stay readable in free pages.
    connection.pragma_update(None, "secure_delete", "ON")?;
    // Nor in the temporary files in which SQLite keeps what a savepoint may need back.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
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
