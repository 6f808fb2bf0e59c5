//! The statements of the spool: each a function over a connection, within whatever transaction is open.

use std::collections::HashSet;
use std::str::FromStr;

use glasshour_protocol::jws::sha256_hex;
use glasshour_protocol::{LicenseId, RecordHeader, RecordId, SignedHeader};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params};

use super::{
    DeviceIdentity, Draft, Leased, Pushed, Refusal, Settlement, SpoolError, SpoolStats, shots,
};

/// Refusal code of a row that cannot be understood.
const UNREADABLE: &str = "unreadable";

/// Each count is one walk through a small index, never through the rows with their payloads.
pub(super) const COUNTS: &str = "
    SELECT (SELECT COUNT(*) FROM records WHERE refusal_code IS NULL),
           (SELECT COUNT(*) FROM records WHERE refusal_code IS NOT NULL)";

pub(super) fn push(
    connection: &Connection,
    identity: &DeviceIdentity,
    draft: &Draft,
) -> rusqlite::Result<Pushed> {
    let license = draft.license_id.to_string();
    let device = identity.device_id.to_string();
    let last = last_of_chain(connection, &device, &license)?;
    let seq = last.as_ref().map_or(1, |(seq, _)| seq + 1);
    let record_id = record_id(draft.captured.wall_ms);
    let header = RecordHeader {
        version: 1,
        record_id,
        device_id: identity.device_id,
        license_id: draft.license_id,
        seq: seq.unsigned_abs(),
        prev: last.map(|(_, hash)| hash),
        kind: draft.kind,
        captured_at_ms: draft.captured.wall_ms,
        mono_ms: draft.captured.mono_ms,
        boot_id: draft.captured.boot_id.clone(),
        utc_offset_min: draft.captured.utc_offset_min,
        payload_sha256: sha256_hex(&draft.payload),
        payload_len: draft.payload.len() as u64,
        content_type: draft.content_type.clone(),
        meta: draft.meta.clone(),
    };
    let signed = SignedHeader::sign(&header, &identity.key);
    connection
        .prepare_cached(
            "INSERT INTO records (record_id, license_id, seq, kind, captured_at_ms, hold_until_ms,
                              header, signature, content_type, payload, device_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            record_id.to_string(),
            license,
            seq,
            draft.kind.as_str(),
            draft.captured.wall_ms,
            draft.hold_until_ms,
            signed.bytes,
            signed.signature,
            draft.content_type,
            draft.payload,
            device,
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO chains (device_id, license_id, last_seq, last_hash) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (device_id, license_id) DO UPDATE SET last_seq = ?3, last_hash = ?4",
        )?
        .execute(params![device, license, seq, signed.hash()])?;
    Ok(Pushed {
        record_id,
        seq: seq.unsigned_abs(),
    })
}

fn last_of_chain(
    connection: &Connection,
    device: &str,
    license: &str,
) -> rusqlite::Result<Option<(i64, String)>> {
    connection
        .prepare_cached(
            "SELECT last_seq, last_hash FROM chains WHERE device_id = ?1 AND license_id = ?2",
        )?
        .query_row([device, license], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// A UUIDv7 of the capture's own time; a clock before 1970 counts as 1970.
fn record_id(wall_ms: i64) -> RecordId {
    let ms = u64::try_from(wall_ms).unwrap_or(0);
    let nanos = u32::try_from(ms % 1000).expect("below 1000") * 1_000_000;
    RecordId(uuid::Uuid::new_v7(uuid::Timestamp::from_unix(
        uuid::NoContext,
        ms / 1000,
        nanos,
    )))
}

pub(super) fn settle(
    connection: &Connection,
    id: RecordId,
    settlement: &Settlement,
) -> rusqlite::Result<()> {
    match settlement {
        Settlement::Later => {}
        Settlement::Delivered => {
            shots::remember(connection, id)?;
            let gone = connection
                .prepare_cached("DELETE FROM records WHERE record_id = ?1")?
                .execute([id.to_string()])?;
            connection
                .prepare_cached(
                    "INSERT INTO counters (name, value) VALUES ('delivered', ?1)
                 ON CONFLICT (name) DO UPDATE SET value = value + ?1",
                )?
                .execute([i64::try_from(gone).expect("0 or 1")])?;
        }
        Settlement::Quarantined { code, message } => {
            connection.prepare_cached(
                "UPDATE records SET refusal_code = ?2, refusal_message = ?3 WHERE record_id = ?1",
            )?
            .execute(params![id.to_string(), code, message])?;
        }
    }
    Ok(())
}

/// What may be lent: not these records and nothing of these licenses.
pub(super) struct Wanted<'a> {
    pub(super) most: usize,
    pub(super) now_ms: i64,
    pub(super) except: &'a [LicenseId],
}

/// Lends the oldest records and adds them to `leased`. A row that cannot be understood is set aside.
pub(super) fn lease(
    connection: &Connection,
    leased: &mut HashSet<RecordId>,
    wanted: &Wanted<'_>,
) -> Result<Vec<Leased>, SpoolError> {
    // Ids first: payloads of records that are lent already need not be read.
    let mut candidates = connection.prepare_cached(
        "SELECT rowid, record_id, license_id FROM records
         WHERE refusal_code IS NULL AND hold_until_ms <= ?1
         ORDER BY captured_at_ms, seq",
    )?;
    let mut rows = candidates.query([wanted.now_ms])?;
    let mut lent = Vec::new();
    let mut unreadable = Vec::new();
    while lent.len() < wanted.most
        && let Some(row) = rows.next()?
    {
        let rowid: i64 = row.get(0)?;
        let Ok((id, license)) = ids(row) else {
            unreadable.push(rowid);
            continue;
        };
        if leased.contains(&id) || wanted.except.contains(&license) {
            continue;
        }
        match load(connection, rowid, id, license) {
            Ok(record) => lent.push(record),
            Err(SpoolError::Row(_)) => unreadable.push(rowid),
            Err(SpoolError::Database(error))
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) =>
            {
                unreadable.push(rowid);
            }
            Err(error) => return Err(error),
        }
    }
    drop(rows);
    for rowid in unreadable {
        set_aside(connection, rowid);
    }
    leased.extend(lent.iter().map(|record| record.record_id));
    Ok(lent)
}

/// Where not even that can be written, the row is passed over and met again by the next lease.
fn set_aside(connection: &Connection, rowid: i64) {
    tracing::error!(
        rowid,
        "a record of the spool cannot be read and is set aside"
    );
    let written = connection.execute(
        "UPDATE records SET refusal_code = ?2, refusal_message = ?3 WHERE rowid = ?1",
        params![
            rowid,
            UNREADABLE,
            "The record cannot be read in the spool; it was not sent.",
        ],
    );
    if let Err(error) = written {
        tracing::error!(rowid, %error, "and that could not be written down");
    }
}

fn ids(row: &Row<'_>) -> Result<(RecordId, LicenseId), SpoolError> {
    Ok((text(row, 1)?, text(row, 2)?))
}

/// A column that holds one of our names or ids.
pub(super) fn text<T: FromStr>(row: &Row<'_>, column: usize) -> Result<T, SpoolError> {
    let value = row.get_ref(column)?.as_str();
    let value = value.map_err(|_| unreadable(column))?;
    value.parse().map_err(|_| unreadable(column))
}

pub(super) fn unreadable(column: usize) -> SpoolError {
    SpoolError::Row(format!("column {column}"))
}

fn load(
    connection: &Connection,
    rowid: i64,
    record_id: RecordId,
    license_id: LicenseId,
) -> Result<Leased, SpoolError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, header, signature, content_type, payload, withdrawn FROM records
         WHERE rowid = ?1",
    )?;
    let mut rows = statement.query([rowid])?;
    let unreadable = || SpoolError::Row(record_id.to_string());
    let row = rows.next()?.ok_or_else(unreadable)?;
    let read = || -> rusqlite::Result<_> {
        let header = SignedHeader {
            bytes: row.get(1)?,
            signature: row.get(2)?,
        };
        Ok((header, row.get(3)?, row.get(4)?, row.get(5)?))
    };
    // What is not of the type that was written is the row's fault, not the database's.
    let (header, content_type, payload, withdrawn) = read().map_err(|_| unreadable())?;
    Ok(Leased {
        record_id,
        kind: text(row, 0)?,
        license_id,
        header,
        content_type,
        payload,
        withdrawn,
    })
}

pub(super) fn stats(connection: &Connection) -> Result<SpoolStats, SpoolError> {
    let delivered: Option<i64> = connection
        .prepare_cached("SELECT value FROM counters WHERE name = 'delivered'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let (waiting, quarantined): (i64, i64) = connection
        .prepare_cached(COUNTS)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(SpoolStats {
        waiting: waiting.unsigned_abs(),
        quarantined: quarantined.unsigned_abs(),
        delivered: delivered.unwrap_or(0).unsigned_abs(),
    })
}

pub(super) fn refusals(connection: &Connection, most: usize) -> Result<Vec<Refusal>, SpoolError> {
    let mut statement = connection.prepare_cached(
        "SELECT record_id, kind, refusal_code, COALESCE(refusal_message, '') FROM records
         WHERE refusal_code IS NOT NULL ORDER BY captured_at_ms DESC, seq DESC LIMIT ?1",
    )?;
    let mut rows = statement.query([i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut refusals = Vec::new();
    while let Some(row) = rows.next()? {
        // One whose id or kind cannot be read is counted, and cannot be listed.
        if let (Ok(record_id), Ok(kind)) = (text(row, 0), text(row, 1)) {
            refusals.push(Refusal {
                record_id,
                kind,
                code: row.get(2)?,
                message: row.get(3)?,
            });
        }
    }
    Ok(refusals)
}
