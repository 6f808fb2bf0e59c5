//! When pictures that were delivered had been taken: what the licensed rate is held against (gate 2)
//! after their rows are gone, and after a restart.
//!
//! Written in the transaction that counts the delivery, so that none is missing and none is there that
//! was not delivered. They stand among the counters, one name each; the oldest go when there are more
//! than any hour could hold.

use glasshour_license_format::{ShotMoment, ShotPlace};
use glasshour_protocol::{Kind, LicenseId, RecordHeader, RecordId};
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};

use super::SpoolError;

/// So many are kept: twice what the highest rate (3600 an hour) makes, and a little.
pub(crate) const MOST_SHOTS: usize = 8192;
/// How often the oldest are looked for.
const SWEEP_EVERY: i64 = 256;

/// A picture that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shot {
    /// Its record.
    pub record_id: RecordId,
    /// Its license.
    pub license_id: LicenseId,
    /// Its channel.
    pub kind: Kind,
    /// When.
    pub moment: ShotMoment,
    /// Of what; `None` for a camera.
    pub place: Option<ShotPlace>,
}

impl Shot {
    /// The picture of a record, where it is one.
    pub fn of(header: &RecordHeader) -> Option<Self> {
        matches!(header.kind, Kind::Screenshot | Kind::Camera).then(|| Self {
            record_id: header.record_id,
            license_id: header.license_id,
            kind: header.kind,
            moment: ShotMoment::of(header),
            place: header.meta.frame.as_ref().map(ShotPlace::of),
        })
    }
}

/// Keeps in mind when the picture of a record, if it is one, was taken; its row goes next.
pub(super) fn remember(connection: &Connection, id: RecordId) -> rusqlite::Result<()> {
    let header: Option<Vec<u8>> = connection
        .prepare_cached(
            "SELECT header FROM records WHERE record_id = ?1 AND kind IN ('screenshot', 'camera')",
        )?
        .query_row([id.to_string()], |row| row.get(0))
        .optional()?;
    let shot = header
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .and_then(|header| Shot::of(&header));
    let Some(shot) = shot else { return Ok(()) };
    let text = serde_json::to_string(&shot).expect("plain data with string keys");
    connection
        .prepare_cached("INSERT OR IGNORE INTO counters (name, value) VALUES (?1, ?2)")?
        .execute((format!("shot {text}"), shot.moment.wall_ms))?;
    if connection.last_insert_rowid() % SWEEP_EVERY == 0 {
        let most = i64::try_from(MOST_SHOTS).expect("thousands");
        connection.execute(
            "DELETE FROM counters WHERE name >= 'shot {' AND name < 'shot |'
             AND rowid <= (SELECT MAX(rowid) FROM counters) - ?1",
            [most],
        )?;
    }
    Ok(())
}

/// Those that are remembered, the oldest delivery first.
pub(super) fn remembered(connection: &Connection) -> Result<Vec<Shot>, SpoolError> {
    let mut statement = connection.prepare(
        "SELECT substr(name, 6) FROM counters WHERE name >= 'shot {' AND name < 'shot |'
         ORDER BY rowid",
    )?;
    let mut rows = statement.query([])?;
    let mut shots = Vec::new();
    while let Some(row) = rows.next()? {
        // One that cannot be read is forgotten: what it leads to is one picture more, at the worst.
        if let Ok(shot) = serde_json::from_str(row.get_ref(0)?.as_str().unwrap_or_default()) {
            shots.push(shot);
        }
    }
    Ok(shots)
}
