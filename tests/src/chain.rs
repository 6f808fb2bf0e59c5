//! Was anything lost, was anything stored twice? Compares what the agent's spool says it pushed with
//! what the server has.
//!
//! The spool numbers records from 1 without gaps, per device and license, and keeps the last number
//! of each chain. So the server must have exactly those numbers, each once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use glasshour_protocol::Kind;
use rusqlite::{Connection, OpenFlags};

use crate::api::Record;

/// How many records the agent pushed, by license.
pub type Pushed = BTreeMap<String, u64>;

/// The two sides compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Numbers that the agent pushed and the server lacks.
    pub lost: Vec<(String, u64)>,
    /// Numbers that the server has more than once.
    pub doubled: Vec<(String, u64)>,
    /// Numbers that the server has and the agent never pushed.
    pub unheard_of: Vec<(String, u64)>,
}

impl Balance {
    /// Compares; all records must be of one device.
    pub fn of(pushed: &Pushed, stored: &[Record]) -> Self {
        let mut times: BTreeMap<(String, u64), u32> = pushed
            .iter()
            .flat_map(|(license, last)| (1..=*last).map(|seq| ((license.clone(), seq), 0)))
            .collect();
        let mut balance = Self::default();
        for record in stored {
            let key = (record.license_id.clone(), record.seq);
            match times.get_mut(&key) {
                Some(count) => *count += 1,
                None => balance.unheard_of.push(key),
            }
        }
        for (key, count) in times {
            match count {
                0 => balance.lost.push(key),
                1 => {}
                _ => balance.doubled.push(key),
            }
        }
        balance
    }

    /// Fails unless everything is there exactly once.
    ///
    /// # Errors
    /// Names what is lost, doubled or unheard of.
    pub fn check(&self) -> Result<()> {
        if *self != Self::default() {
            bail!("the agent's records are not at the server exactly once: {self:?}");
        }
        Ok(())
    }
}

/// Reads from the agent's spool how many records it ever pushed.
///
/// # Errors
/// There is no spool, or it cannot be read.
pub fn pushed(home: &Path) -> Result<Pushed> {
    let mut pushed = Pushed::new();
    for spool in spools(home)? {
        let mut statement = spool.prepare("SELECT license_id, last_seq FROM chains")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
        for row in rows {
            let (license, last): (String, i64) = row?;
            pushed.insert(license, u64::try_from(last).context("a negative number")?);
        }
    }
    Ok(pushed)
}

/// Reads from the agent's spool how many records of a kind wait there.
///
/// # Errors
/// There is no spool, or it cannot be read.
pub fn waiting(home: &Path, kind: Kind) -> Result<u64> {
    let mut waiting = 0;
    for spool in spools(home)? {
        let sql = "SELECT COUNT(*) FROM records WHERE kind = ?1";
        let count: i64 = spool.query_row(sql, [kind.as_str()], |row| row.get(0))?;
        waiting += u64::try_from(count).context("a negative count")?;
    }
    Ok(waiting)
}

/// Reads from the agent's spool what is stored as a record's payload, sealed as it is.
///
/// # Errors
/// There is no such record, or the spool cannot be read.
pub fn stored(home: &Path, record_id: &str) -> Result<Vec<u8>> {
    for spool in spools(home)? {
        let sql = "SELECT payload FROM records WHERE record_id = ?1";
        let mut statement = spool.prepare(sql)?;
        let mut rows = statement.query([record_id])?;
        if let Some(row) = rows.next()? {
            return Ok(row.get(0)?);
        }
    }
    bail!("no spool below {} holds {record_id}", home.display())
}

/// The agent's spools, opened for reading; there is one per employer.
fn spools(home: &Path) -> Result<Vec<Connection>> {
    let mut spools = Vec::new();
    for file in sqlite_files(home)? {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(&file, flags)
            .with_context(|| format!("cannot open {}", file.display()))?;
        database.busy_timeout(std::time::Duration::from_secs(5))?;
        if database.prepare("SELECT last_seq FROM chains").is_ok() {
            spools.push(database); // any other is some other database of the agent's
        }
    }
    if spools.is_empty() {
        bail!("there is no spool below {}", home.display());
    }
    Ok(spools)
}

fn sqlite_files(folder: &Path) -> Result<Vec<PathBuf>> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else if entry.file_type()?.is_file() {
                let begins = std::fs::read(&path).unwrap_or_default();
                if begins.starts_with(MAGIC) {
                    found.push(path);
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(seq: u64) -> Record {
        serde_json::from_value(serde_json::json!({
            "record_id": "r", "device_id": "d", "license_id": "l", "seq": seq, "kind": "session",
            "content_type": "application/json", "payload_len": 2, "payload_sha256": "ab", "grade": "verified",
            "captured_at": "2026-11-23T08:00:00Z", "received_at": "2026-11-23T08:00:01Z",
        }))
        .unwrap()
    }

    #[test]
    fn what_is_lost_doubled_or_unheard_of_is_told() {
        let pushed = Pushed::from([("l".to_owned(), 3)]);
        let all = [record(2), record(1), record(3)];
        assert!(Balance::of(&pushed, &all).check().is_ok());
        let balance = Balance::of(&pushed, &[record(1), record(1), record(4), record(3)]);
        assert_eq!(balance.lost, [("l".to_owned(), 2)]);
        assert_eq!(balance.doubled, [("l".to_owned(), 1)]);
        assert_eq!(balance.unheard_of, [("l".to_owned(), 4)]);
        assert!(balance.check().is_err());
    }
}
