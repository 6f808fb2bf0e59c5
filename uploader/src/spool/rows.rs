//! The statements of the spool: each a function over a connection, within whatever transaction is open.

use std::collections::HashSet;

use glasshour_protocol::jws::sha256_hex;
use glasshour_protocol::{LicenseId, RecordHeader, RecordId, SignedHeader};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{DeviceIdentity, Draft, Leased, Pushed, Refusal, Settlement, SpoolError, SpoolStats};

pub(super) fn push(
    connection: &Connection,
    identity: &DeviceIdentity,
    draft: &Draft,
) -> rusqlite::Result<Pushed> {
    let license = draft.license_id.to_string();
    let last = last_of_chain(connection, draft.license_id)?;
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
                              header, signature, content_type, payload)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
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
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO chains (license_id, last_seq, last_hash) VALUES (?1, ?2, ?3)
         ON CONFLICT (license_id) DO UPDATE SET last_seq = ?2, last_hash = ?3",
        )?
        .execute(params![license, seq, signed.hash()])?;
    Ok(Pushed {
        record_id,
        seq: seq.unsigned_abs(),
    })
}

fn last_of_chain(
    connection: &Connection,
    license: LicenseId,
) -> rusqlite::Result<Option<(i64, String)>> {
    connection
        .prepare_cached("SELECT last_seq, last_hash FROM chains WHERE license_id = ?1")?
        .query_row([license.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
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

pub(super) fn lease(
    connection: &Connection,
    leased: &mut HashSet<RecordId>,
    most: usize,
    now_ms: i64,
) -> Result<Vec<Leased>, SpoolError> {
    // Ids first: payloads of records that are lent already need not be read.
    let mut candidates = connection.prepare_cached(
        "SELECT record_id FROM records
         WHERE refusal_code IS NULL AND hold_until_ms <= ?1
         ORDER BY captured_at_ms, seq LIMIT ?2",
    )?;
    let limit = i64::try_from(most + leased.len()).unwrap_or(i64::MAX);
    let ids = candidates
        .query_map(params![now_ms, limit], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut lent = Vec::new();
    for text in ids {
        if lent.len() == most {
            break;
        }
        let id: RecordId = text.parse().map_err(|_| SpoolError::Row(text.clone()))?;
        if leased.contains(&id) {
            continue;
        }
        lent.push(load(connection, id)?);
    }
    leased.extend(lent.iter().map(|record| record.record_id));
    Ok(lent)
}

fn load(connection: &Connection, record_id: RecordId) -> Result<Leased, SpoolError> {
    let (kind, license, leased): (String, String, _) = connection
        .prepare_cached(
            "SELECT kind, license_id, header, signature, content_type, payload
             FROM records WHERE record_id = ?1",
        )?
        .query_row([record_id.to_string()], |row| {
            let header = SignedHeader {
                bytes: row.get(2)?,
                signature: row.get(3)?,
            };
            Ok((row.get(0)?, row.get(1)?, (header, row.get(4)?, row.get(5)?)))
        })?;
    let (header, content_type, payload) = leased;
    let unreadable = || SpoolError::Row(record_id.to_string());
    Ok(Leased {
        record_id,
        kind: kind.parse().map_err(|_| unreadable())?,
        license_id: license.parse().map_err(|_| unreadable())?,
        header,
        content_type,
        payload,
    })
}

pub(super) fn stats(connection: &Connection) -> Result<SpoolStats, SpoolError> {
    let delivered: Option<i64> = connection
        .prepare_cached("SELECT value FROM counters WHERE name = 'delivered'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let (waiting, quarantined): (i64, i64) = connection
        .prepare_cached(
            "SELECT COUNT(*) FILTER (WHERE refusal_code IS NULL),
                    COUNT(*) FILTER (WHERE refusal_code IS NOT NULL)
             FROM records",
        )?
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
    let rows = statement.query_map([i64::try_from(most).unwrap_or(i64::MAX)], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get(2)?,
            row.get(3)?,
        ))
    })?;
    rows.map(|row| {
        let (id, kind, code, message) = row?;
        let unreadable = || SpoolError::Row(id.clone());
        Ok(Refusal {
            record_id: id.parse().map_err(|_| unreadable())?,
            kind: kind.parse().map_err(|_| unreadable())?,
            code,
            message,
        })
    })
    .collect()
}
