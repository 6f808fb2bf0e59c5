//! The statements of the spool: each a function over a connection, within whatever transaction is open.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;
use std::str::FromStr;

use glasshour_protocol::jws::sha256_hex;
use glasshour_protocol::withdrawal::Reason;
use glasshour_protocol::{Kind, LicenseId, RecordHeader, RecordId, SignedHeader};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params};

use super::{
    Draft, Leased, Pushed, Refusal, Settlement, SpoolConfig, SpoolError, SpoolReport, SpoolStats,
    held, quota, salvage, seal, shots,
};

/// Refusal code of a row that cannot be understood.
const UNREADABLE: &str = "unreadable";

/// Each count is one walk through a small index, never through the rows with their payloads.
pub(super) const COUNTS: &str = "
    SELECT (SELECT COUNT(*) FROM records WHERE refusal_code IS NULL),
           (SELECT COUNT(*) FROM records WHERE refusal_code IS NOT NULL)";

/// What became of a draft.
pub(super) enum Kept {
    /// It is a record, and the head of its chain has that hash.
    Record(Pushed, String),
    /// The spool is full; it was counted.
    Full,
    /// It could not be sealed.
    Unsealed,
}

pub(super) fn push(
    connection: &Connection,
    config: &SpoolConfig,
    draft: &Draft,
) -> rusqlite::Result<Kept> {
    let picture = matches!(draft.kind, Kind::Screenshot | Kind::Camera);
    let used = if picture { used_bytes(connection)? } else { 0 };
    if !quota::keeps(draft.kind, used, config.quota_bytes, draft.captured.wall_ms) {
        salvage::count(connection, "not_kept", 1)?;
        return Ok(Kept::Full);
    }
    let identity = &config.identity;
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
    let (sealed, payload) = match &config.seal {
        None => (seal::NONE, Cow::Borrowed(&draft.payload)),
        Some(key) => match key.seal(record_id, &signed, &draft.payload) {
            Ok(sealed) => (seal::SEALED, Cow::Owned(sealed)),
            Err(_) => return Ok(Kept::Unsealed),
        },
    };
    connection
        .prepare_cached(
            "INSERT INTO records (record_id, license_id, seq, kind, captured_at_ms, hold_until_ms,
                              header, signature, content_type, payload, device_id, seal)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
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
            *payload,
            device,
            sealed,
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO chains (device_id, license_id, last_seq, last_hash) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (device_id, license_id) DO UPDATE SET last_seq = ?3, last_hash = ?4",
        )?
        .execute(params![device, license, seq, signed.hash()])?;
    let pushed = Pushed {
        record_id,
        seq: seq.unsigned_abs(),
    };
    Ok(Kept::Record(pushed, signed.hash()))
}

/// What the database holds, without what is free in it.
fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |pragma: &str| -> rusqlite::Result<i64> {
        connection
            .prepare_cached(pragma)?
            .query_row([], |row| row.get(0))
    };
    let pages = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
    Ok(pages
        .saturating_mul(number("PRAGMA page_size")?)
        .unsigned_abs())
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

/// Ends a lease; gives how many rows went.
pub(super) fn settle(
    connection: &Connection,
    config: &SpoolConfig,
    (id, settlement): (RecordId, &Settlement),
) -> rusqlite::Result<usize> {
    match settlement {
        Settlement::Later => {}
        Settlement::Delivered => {
            shots::remember(connection, id)?;
            let gone = connection
                .prepare_cached("DELETE FROM records WHERE record_id = ?1")?
                .execute([id.to_string()])?;
            salvage::count(connection, "delivered", gone as u64)?;
            return Ok(gone);
        }
        Settlement::Superseded { at_ms } => {
            let why = (Reason::Superseded, *at_ms);
            if held::drop_payload(connection, &config.identity, id, why)? {
                salvage::count(connection, "superseded", 1)?;
            }
        }
        Settlement::Quarantined { code, message } => {
            connection.prepare_cached(
                "UPDATE records SET refusal_code = ?2, refusal_message = ?3 WHERE record_id = ?1",
            )?
            .execute(params![id.to_string(), code, message])?;
        }
    }
    Ok(0)
}

/// What may be lent: not these records and nothing of these licenses.
pub(super) struct Wanted<'a> {
    pub(super) most: usize,
    pub(super) now_ms: i64,
    pub(super) except: &'a [LicenseId],
}

/// What became of a lease.
pub(super) struct Lent {
    pub(super) records: Vec<Leased>,
    /// Something was met that is not what was written; the database may need to be mended.
    pub(super) damaged: bool,
}

/// Once so much payload is lent, no more is: what is under way is in memory.
const MOST_LENT_BYTES: usize = 16 << 20;

/// From so many on, what waits is a backlog, and what is new goes beside it.
const BACKLOG: usize = 64;

/// Lends records and adds them to `leased`: the oldest and, of a backlog, one of the newest beside them. So
/// the employer sees what happens now while it drains, and it drains all the same: of N lent, N - 1
/// are the oldest. A row that cannot be understood is set aside; one whose payload is not what was
/// written goes without it.
pub(super) fn lease(
    connection: &Connection,
    config: &SpoolConfig,
    leased: &mut HashSet<RecordId>,
    wanted: &Wanted<'_>,
) -> Result<Lent, SpoolError> {
    let mut lent = Lent {
        records: Vec::new(),
        damaged: false,
    };
    let backlog = wanted.most > 1 && is_backlog(connection, wanted.now_ms)?;
    let oldest = wanted.most - usize::from(backlog);
    collect(
        connection,
        config,
        (OLDEST, oldest),
        (leased, wanted),
        &mut lent,
    )?;
    if backlog {
        collect(
            connection,
            config,
            (NEWEST, wanted.most),
            (leased, wanted),
            &mut lent,
        )?;
    }
    Ok(lent)
}

// Ids first: payloads of records that are lent already need not be read.
const OLDEST: &str = "
    SELECT rowid, record_id, license_id FROM records
    WHERE refusal_code IS NULL AND hold_until_ms <= ?1 ORDER BY captured_at_ms, seq";
const NEWEST: &str = "
    SELECT rowid, record_id, license_id FROM records
    WHERE refusal_code IS NULL AND hold_until_ms <= ?1 ORDER BY captured_at_ms DESC, seq DESC";

fn is_backlog(connection: &Connection, now_ms: i64) -> Result<bool, SpoolError> {
    let there = connection
        .prepare_cached(
            "SELECT 1 FROM records WHERE refusal_code IS NULL AND hold_until_ms <= ?1
             ORDER BY captured_at_ms, seq LIMIT 1 OFFSET ?2",
        )?
        .query_row(
            params![now_ms, i64::try_from(BACKLOG).expect("small")],
            |_| Ok(()),
        )
        .optional()?;
    Ok(there.is_some())
}

/// Adds records in that order until so many are lent.
fn collect(
    connection: &Connection,
    config: &SpoolConfig,
    (order, most): (&str, usize),
    (leased, wanted): (&mut HashSet<RecordId>, &Wanted<'_>),
    lent: &mut Lent,
) -> Result<(), SpoolError> {
    let mut candidates = connection.prepare_cached(order)?;
    let mut rows = candidates.query([wanted.now_ms])?;
    let mut unreadable = Vec::new();
    let mut without_payload = Vec::new();
    let bytes = |lent: &Lent| lent.records.iter().map(|r| r.payload.len()).sum::<usize>();
    while lent.records.len() < most
        && bytes(lent) < MOST_LENT_BYTES
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
        match load(connection, config, rowid, (id, license)) {
            Ok(Loaded::Whole(record)) => {
                leased.insert(id);
                lent.records.push(record);
            }
            Ok(Loaded::Payload) => without_payload.push(id),
            Err(SpoolError::Row(_)) => unreadable.push(rowid),
            Err(SpoolError::Database(error)) if super::schema::is_damage(&error) => {
                lent.damaged = true;
            }
            Err(error) => return Err(error),
        }
    }
    drop(rows);
    drop(candidates);
    for rowid in unreadable {
        set_aside(connection, rowid);
    }
    for id in without_payload {
        lent.damaged |= !go_without(connection, config, id, wanted.now_ms);
    }
    Ok(())
}

/// Drops a payload that is not what was written; the record is lent without it by a later lease. False
/// where that could not be written.
fn go_without(connection: &Connection, config: &SpoolConfig, id: RecordId, now_ms: i64) -> bool {
    tracing::error!(%id, "a record's payload is damaged in the spool; it goes without");
    let why = (Reason::Damaged, now_ms);
    let dropped = held::drop_payload(connection, &config.identity, id, why)
        .and_then(|dropped| salvage::count(connection, "lost_payloads", u64::from(dropped)));
    if let Err(error) = &dropped {
        tracing::error!(%id, %error, "and that could not be written down");
    }
    dropped.is_ok()
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

enum Loaded {
    Whole(Leased),
    /// Its payload is not what was written.
    Payload,
}

fn load(
    connection: &Connection,
    config: &SpoolConfig,
    rowid: i64,
    (record_id, license_id): (RecordId, LicenseId),
) -> Result<Loaded, SpoolError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, header, signature, content_type, payload, withdrawn, seal FROM records
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
        let payload: Vec<u8> = row.get(4)?;
        let sealed: String = row.get(6)?;
        Ok((header, row.get(3)?, payload, row.get(5)?, sealed))
    };
    // What is not of the type that was written is the row's fault, not the database's.
    let (header, content_type, payload, withdrawn, sealed) = read().map_err(|_| unreadable())?;
    let payload = match &withdrawn {
        Some(_) => Some(payload),
        None => opened(config, (record_id, &header), &sealed, payload),
    };
    let Some(payload) = payload else {
        return Ok(Loaded::Payload);
    };
    Ok(Loaded::Whole(Leased {
        record_id,
        kind: text(row, 0)?,
        license_id,
        header,
        content_type,
        payload,
        withdrawn,
    }))
}

/// A payload as it was captured; `None` where it is not what was written.
pub(super) fn opened(
    config: &SpoolConfig,
    (id, header): (RecordId, &SignedHeader),
    sealed: &str,
    stored: Vec<u8>,
) -> Option<Vec<u8>> {
    if sealed == seal::NONE {
        // A header that cannot be read is for the server to judge.
        let named = header.parse().map(|header| header.payload_sha256);
        let altered = named.is_ok_and(|named| named != sha256_hex(&stored));
        return (!altered).then_some(stored);
    }
    config.seal.as_ref()?.open(id, header, &stored)
}

/// What was given up since the spool was made.
pub(super) fn report(connection: &Connection) -> Result<SpoolReport, SpoolError> {
    let count = |name: &str| -> Result<u64, SpoolError> {
        let value: Option<i64> = connection
            .prepare_cached("SELECT value FROM counters WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?;
        Ok(value.unwrap_or(0).unsigned_abs())
    };
    Ok(SpoolReport {
        not_kept: count("not_kept")?,
        superseded: count("superseded")?,
        salvages: count("salvages")?,
        lost_payloads: count("lost_payloads")?,
        missing: count("missing")?,
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

pub(super) fn has_chain(path: &Path, license: LicenseId) -> Result<bool, SpoolError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(super::schema::BUSY_TIMEOUT)?;
    let found = connection
        .query_row(
            "SELECT 1 FROM chains WHERE license_id = ?1 LIMIT 1",
            [license.to_string()],
            |_| Ok(()),
        )
        .optional()?;
    Ok(found.is_some())
}

pub(super) fn refused_of(
    connection: &Connection,
    licenses: &[LicenseId],
) -> Result<u64, SpoolError> {
    let mut statement = connection.prepare_cached(
        "SELECT COUNT(*) FROM records WHERE refusal_code IS NOT NULL AND license_id = ?1",
    )?;
    let mut all = 0;
    for license in licenses {
        let count: i64 = statement.query_row([license.to_string()], |row| row.get(0))?;
        all += count.unsigned_abs();
    }
    Ok(all)
}

pub(super) fn refusals(connection: &Connection, most: usize) -> Result<Vec<Refusal>, SpoolError> {
    let mut statement = connection.prepare_cached(
        "SELECT record_id, kind, refusal_code, COALESCE(refusal_message, ''), license_id FROM records
         WHERE refusal_code IS NOT NULL ORDER BY captured_at_ms DESC, seq DESC LIMIT ?1",
    )?;
    let mut rows = statement.query([i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut refusals = Vec::new();
    while let Some(row) = rows.next()? {
        // One whose id or kind cannot be read is counted, and cannot be listed.
        if let (Ok(record_id), Ok(kind)) = (text(row, 0), text(row, 1)) {
            refusals.push(Refusal {
                record_id,
                license_id: text(row, 4).ok(),
                kind,
                code: row.get(2)?,
                message: row.get(3)?,
            });
        }
    }
    Ok(refusals)
}
