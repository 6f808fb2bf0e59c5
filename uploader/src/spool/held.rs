//! Records that wait on this computer for the employee to look at them: listed, read, withdrawn.
//!
//! A record is held while its `hold_until_ms` lies ahead, by the clock that the agent counts holds by.
//! Withdrawing one leaves its place in the chain and ends its hold: header and signature are delivered at
//! once, so that the server stops counting its time, the payload is overwritten in the transaction that
//! writes down why ([`glasshour_protocol::withdrawal`]), and the write-ahead log is emptied behind it, so
//! that nothing of the payload is left in the spool's files (where somebody else reads the file just
//! then, a moment later).

use std::time::Duration;

use glasshour_protocol::withdrawal::{self, Reason};
use glasshour_protocol::{Kind, LicenseId, RecordHeader, RecordId, SessionId, SignedHeader};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::rows::{opened, text, unreadable};
use super::{DeviceIdentity, SpoolConfig, SpoolError};

/// What is told of withdrawals is kept as long as sessions that they are in may still be looked at.
const KEPT_MS: i64 = 90 * 86_400_000;
/// How long the log's readers are waited for.
const PATIENCE_WITH_READERS: Duration = Duration::from_millis(200);

/// A record that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Everything about it but its payload.
    pub header: RecordHeader,
    /// Until when it waits, UTC milliseconds.
    pub until_ms: i64,
}

/// What a record shows or says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Media type.
    pub content_type: String,
    /// The payload.
    pub payload: Vec<u8>,
}

/// A record that was withdrawn, delivered or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// Which.
    pub record_id: RecordId,
    /// Its license.
    pub license_id: LicenseId,
    /// The session it was captured in.
    pub session_id: Option<SessionId>,
    /// Its kind.
    pub kind: Kind,
    /// When it was captured, UTC milliseconds.
    pub captured_at_ms: i64,
}

/// Why nothing was withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    /// It was sent, is on its way, was withdrawn before, or never was here.
    #[error("the record {0} is not held here any more")]
    NotHeld(RecordId),
    /// It tells when tracking ran or how the agent is.
    #[error("the record {0} is no capture and cannot be deleted")]
    NotDeletable(RecordId),
    /// The database.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl From<rusqlite::Error> for WithdrawError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Spool(error.into())
    }
}

/// What is held at that moment, oldest first. A row that cannot be read is left out.
pub(super) fn list(connection: &Connection, now_ms: i64) -> Result<Vec<Held>, SpoolError> {
    let mut statement = connection.prepare_cached(
        "SELECT header, hold_until_ms FROM records
         WHERE refusal_code IS NULL AND hold_until_ms > ?1 AND hold_until_ms > 0
         AND withdrawn IS NULL ORDER BY captured_at_ms, seq",
    )?;
    let mut rows = statement.query([now_ms])?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        let Ok(bytes) = row.get_ref(0)?.as_blob() else {
            continue;
        };
        if let Ok(header) = serde_json::from_slice(bytes) {
            held.push(Held {
                header,
                until_ms: row.get(1)?,
            });
        }
    }
    Ok(held)
}

/// How many are held at that moment.
pub(super) fn count(connection: &Connection, now_ms: i64) -> Result<u64, SpoolError> {
    let count: i64 = connection
        .prepare_cached(
            "SELECT COUNT(*) FROM records WHERE hold_until_ms > ?1 AND hold_until_ms > 0
             AND refusal_code IS NULL AND withdrawn IS NULL",
        )?
        .query_row([now_ms], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// When the next hold is over, UTC milliseconds.
pub(super) fn next_end(connection: &Connection, now_ms: i64) -> Result<Option<i64>, SpoolError> {
    let end = connection
        .prepare_cached(
            "SELECT MIN(hold_until_ms) FROM records
             WHERE hold_until_ms > ?1 AND hold_until_ms > 0 AND refusal_code IS NULL",
        )?
        .query_row([now_ms], |row| row.get(0))?;
    Ok(end)
}

/// What one says that is held and was not withdrawn.
pub(super) fn content(
    connection: &Connection,
    config: &SpoolConfig,
    id: RecordId,
    now_ms: i64,
) -> Result<Option<Content>, SpoolError> {
    let found = connection
        .prepare_cached(
            "SELECT content_type, header, signature, seal, payload FROM records
             WHERE record_id = ?1
             AND refusal_code IS NULL AND hold_until_ms > ?2 AND withdrawn IS NULL",
        )?
        .query_row(params![id.to_string(), now_ms], |row| {
            let header = SignedHeader {
                bytes: row.get(1)?,
                signature: row.get(2)?,
            };
            let (sealed, stored): (String, Vec<u8>) = (row.get(3)?, row.get(4)?);
            Ok((row.get(0)?, header, sealed, stored))
        })
        .optional()?;
    let Some((content_type, header, sealed, stored)) = found else {
        return Ok(None);
    };
    let payload = opened(config, (id, &header), &sealed, stored)
        .ok_or_else(|| SpoolError::Row(id.to_string()))?;
    Ok(Some(Content {
        content_type,
        payload,
    }))
}

/// Withdraws them all, or none, as the employee. The time is that of the holds, which says what is held,
/// and that of the wall clock, which is signed.
pub(super) fn withdraw(
    connection: &mut Connection,
    identity: &DeviceIdentity,
    ids: &[RecordId],
    (holds_ms, now_ms): (i64, i64),
) -> Result<(), WithdrawError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for id in ids {
        withdraw_one(&transaction, identity, *id, (holds_ms, now_ms))?;
    }
    transaction.execute(
        "DELETE FROM withdrawals WHERE captured_at_ms < ?1",
        [now_ms.saturating_sub(KEPT_MS)],
    )?;
    transaction.commit()?;
    Ok(())
}

fn withdraw_one(
    connection: &Connection,
    identity: &DeviceIdentity,
    id: RecordId,
    (holds_ms, now_ms): (i64, i64),
) -> Result<(), WithdrawError> {
    let found = connection
        .prepare_cached(
            "SELECT header, signature FROM records WHERE record_id = ?1
             AND refusal_code IS NULL AND hold_until_ms > ?2 AND withdrawn IS NULL",
        )?
        .query_row(params![id.to_string(), holds_ms], |row| {
            Ok(SignedHeader {
                bytes: row.get(0)?,
                signature: row.get(1)?,
            })
        })
        .optional()?;
    let signed = found.ok_or(WithdrawError::NotHeld(id))?;
    let header = signed
        .parse()
        .map_err(|_| SpoolError::Row(id.to_string()))?;
    if !withdrawal::is_deletable(header.kind) {
        return Err(WithdrawError::NotDeletable(id));
    }
    drop_payload(connection, identity, id, (Reason::Employee, now_ms))?;
    connection
        .prepare_cached(
            "INSERT INTO withdrawals (record_id, license_id, session_id, kind, captured_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            id.to_string(),
            header.license_id.to_string(),
            header.meta.session_id.map(|session| session.to_string()),
            header.kind.as_str(),
            header.captured_at_ms,
        ])?;
    Ok(())
}

/// Overwrites a record's payload and writes down why, signed; it is sent without, and waits no longer: there
/// is nothing left to look at. False where there is no such record, or it has none already.
pub(super) fn drop_payload(
    connection: &Connection,
    identity: &DeviceIdentity,
    id: RecordId,
    why: (Reason, i64),
) -> rusqlite::Result<bool> {
    let found = connection
        .prepare_cached(
            "SELECT header, signature FROM records WHERE record_id = ?1 AND withdrawn IS NULL",
        )?
        .query_row([id.to_string()], |row| {
            Ok(SignedHeader {
                bytes: row.get(0)?,
                signature: row.get(1)?,
            })
        })
        .optional()?;
    let Some(signed) = found else {
        return Ok(false);
    };
    let withdrawn = withdrawal::sign(id, &signed, why, &identity.key);
    connection
        .prepare_cached(
            "UPDATE records SET payload = x'', seal = 'none', withdrawn = ?2, hold_until_ms = 0,
                 refusal_code = NULL, refusal_message = NULL WHERE record_id = ?1",
        )?
        .execute(params![id.to_string(), withdrawn])?;
    Ok(true)
}

/// Moves everything into the database file and empties the write-ahead log; false where a reader is in
/// the way, and it is to be tried again.
pub(super) fn empty_log(connection: &Connection) -> rusqlite::Result<bool> {
    // Whoever reads for long (a backup) must not hold up what is captured.
    connection.busy_timeout(PATIENCE_WITH_READERS)?;
    let busy: rusqlite::Result<i64> =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    connection.busy_timeout(super::schema::BUSY_TIMEOUT)?;
    Ok(busy? == 0)
}

/// What was withdrawn of what was captured since then, oldest first.
pub(super) fn withdrawn(
    connection: &Connection,
    since_ms: i64,
) -> Result<Vec<Withdrawn>, SpoolError> {
    let mut statement = connection.prepare_cached(
        "SELECT record_id, license_id, session_id, kind, captured_at_ms FROM withdrawals
         WHERE captured_at_ms >= ?1 ORDER BY captured_at_ms, record_id",
    )?;
    let mut rows = statement.query([since_ms])?;
    let mut withdrawn = Vec::new();
    while let Some(row) = rows.next()? {
        let session: Option<String> = row.get(2)?;
        let session_id = match session {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| unreadable(2))?),
        };
        withdrawn.push(Withdrawn {
            record_id: text(row, 0)?,
            license_id: text(row, 1)?,
            session_id,
            kind: text(row, 3)?,
            captured_at_ms: row.get(4)?,
        });
    }
    Ok(withdrawn)
}
