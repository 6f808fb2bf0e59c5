//! A damaged spool is set aside and what is whole of it goes into a new one; capture goes on.
//!
//! Rows are looked for page by page ([`super::pages`]), so that no damage elsewhere hides them, and each is
//! believed only as far as it proves itself: a header that this device signed, a payload that opens with
//! the key or has the hash that the header names. A record whose payload is gone keeps its place in the
//! chain: it goes without, and the device signs for that.
//!
//! Each chain goes on behind the last place that anybody was told ([`super::heads`]). Where that is not
//! known, it goes on so far ahead that no place is given twice: the server sees a gap, never a fork.
//!
//! Crash safety: the new file is written whole and flushed under another name, then takes a name that
//! says so (`.rebuilt`), and only then the damaged files are renamed. Whoever opens next finishes that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use glasshour_protocol::jws::sha256_hex;
use glasshour_protocol::withdrawal::{self, Reason};
use glasshour_protocol::{RecordHeader, SignedHeader};
use rusqlite::{Connection, OpenFlags, params};

use super::heads::{Chain, Head, Heads};
use super::pages::{Column, Pages};
use super::{SpoolConfig, schema, seal};

/// How far a chain jumps whose last place is not known.
const JUMP: u64 = 1 << 20;

/// Why a damaged spool could not be made anew.
#[derive(Debug, thiserror::Error)]
pub(super) enum SalvageError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kept {
    whole: u64,
    /// Their payload is gone.
    headers: u64,
    /// So many are gone altogether.
    missing: u64,
}

/// The files of a spool.
pub(super) struct Files {
    pub(super) database: PathBuf,
    log: PathBuf,
    index: PathBuf,
    rebuilding: PathBuf,
    rebuilt: PathBuf,
}

impl Files {
    pub(super) fn of(database: &Path) -> Self {
        let with = |suffix: &str| {
            let mut name = database.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self {
            database: database.to_owned(),
            log: with("-wal"),
            index: with("-shm"),
            rebuilding: with(".rebuilding"),
            rebuilt: with(".rebuilt"),
        }
    }

    /// Where a damaged spool is set aside: by the time at which it was last written.
    fn aside(&self) -> PathBuf {
        let written = fs::metadata(&self.database).and_then(|found| found.modified());
        let since = written
            .ok()
            .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let seconds = since.map_or(0, |since| since.as_secs());
        let named = |n: u32| {
            let mut name = self.database.as_os_str().to_owned();
            name.push(format!("{DAMAGED}{seconds}-{n}"));
            PathBuf::from(name)
        };
        let mut n = 1;
        while named(n).exists() {
            n += 1;
        }
        named(n)
    }

    /// Removes what was set aside: the employee has deleted something, and it may be in there.
    pub(super) fn remove_set_aside(&self) -> io::Result<()> {
        let folder = self.database.parent().unwrap_or(Path::new("."));
        let ours = self.database.file_name().unwrap_or_default();
        let begin = format!("{}{DAMAGED}", ours.to_string_lossy());
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&begin) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Puts a new file in the place of the damaged one, where a salvage has made one.
    pub(super) fn finish(&self) -> io::Result<()> {
        if !self.rebuilt.exists() {
            // Half a new file is of no use: the damaged one is still there.
            return remove(&self.rebuilding);
        }
        let aside = self.aside();
        // The log first: a new database must never meet the log of the old one.
        for (from, suffix) in [(&self.log, "-wal"), (&self.database, "")] {
            let mut to = aside.clone().into_os_string();
            to.push(suffix);
            match fs::rename(from, to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        remove(&self.index)?;
        fs::rename(&self.rebuilt, &self.database)?;
        flush_folder(&self.database)
    }
}

/// What stands between the names of the database and of one that was set aside.
const DAMAGED: &str = ".damaged-";

/// Makes the spool anew from what is whole of it.
pub(super) fn salvage(
    files: &Files,
    config: &SpoolConfig,
    heads: &mut Heads,
) -> Result<(), SalvageError> {
    remove(&files.rebuilding)?;
    let pages = Pages::open(&files.database, &files.log)?;
    let target = Connection::open(&files.rebuilding)?;
    schema::migrate_new(&target, config.identity.device_id)?;
    target.execute_batch("BEGIN")?;
    let (kept, next) = carry_over(&pages, &target, config, heads)?;
    carry_over_counters(&files.database, &target);
    count(&target, "salvages", 1)?;
    count(&target, "lost_payloads", kept.headers)?;
    count(&target, "missing", kept.missing)?;
    target.execute_batch("COMMIT")?;
    drop(target);
    File::open(&files.rebuilding)?.sync_all()?;
    fs::rename(&files.rebuilding, &files.rebuilt)?;
    flush_folder(&files.rebuilt)?;
    files.finish()?;
    heads.set_rows(kept.whole + kept.headers);
    for (chain, head) in next {
        heads.note(chain, head);
    }
    heads.write()?;
    tracing::error!(
        kept = kept.whole,
        without_payload = kept.headers,
        missing = kept.missing,
        "the spool was damaged; it was set aside, and what is whole goes on"
    );
    Ok(())
}

type Next = BTreeMap<Chain, Head>;

/// Copies records and chains.
fn carry_over(
    pages: &Pages,
    target: &Connection,
    config: &SpoolConfig,
    heads: &Heads,
) -> Result<(Kept, Next), SalvageError> {
    let mut kept = Kept::default();
    let mut failed = None;
    let mut seqs: BTreeMap<Chain, BTreeSet<u64>> = BTreeMap::new();
    let mut last: Next = BTreeMap::new();
    let mut further = |chain: Chain, head: Head| {
        let known = last.entry(chain).or_insert_with(|| head.clone());
        if known.seq < head.seq {
            *known = head;
        }
    };
    pages.rows(|row| {
        if let Some((chain, head)) = chain_row(&row) {
            further(chain, head);
            return;
        }
        let Some(found) = Found::of(&row, config) else {
            return;
        };
        match found.insert(target, config) {
            Ok(true) => {
                let chain = (found.header.device_id, found.header.license_id);
                let (seq, hash) = (found.header.seq, found.signed.hash());
                seqs.entry(chain).or_default().insert(seq);
                further(chain, Head { seq, hash });
                kept.whole += u64::from(found.payload.is_some());
                kept.headers += u64::from(found.payload.is_none());
            }
            // An older image of a record that is there already, or a place that is taken.
            Ok(false) => {}
            Err(error) => failed = Some(error),
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    // A crash between a commit and its answers leaves the witness behind: what it does not know of is no
    // part of its number of rows.
    let beyond = |(chain, there): (&Chain, &BTreeSet<u64>)| {
        let told = heads.of(chain).map_or(0, |head| head.seq);
        there.range(told.saturating_add(1)..).count() as u64
    };
    let unheard: u64 = seqs.iter().map(beyond).sum();
    for (chain, head) in heads.told() {
        further(*chain, head.clone());
    }
    if let Some(rows) = heads.rows() {
        kept.missing = (rows + unheard).saturating_sub(kept.whole + kept.headers);
    }
    for (chain, head) in &mut last {
        if heads.rows().is_none() {
            // Of those from the first one that is there to the last: some may have been delivered.
            let there = seqs.get(chain);
            let first = there.and_then(BTreeSet::first).copied();
            let span = first.map_or(0, |first| head.seq.saturating_sub(first) + 1);
            kept.missing += span.saturating_sub(there.map_or(0, |there| there.len() as u64));
        }
        if heads.of(chain).is_none() {
            head.seq = head.seq.saturating_add(JUMP);
            head.hash = sha256_hex(b"the record before was lost with a damaged spool");
        }
        let (device, license) = chain;
        target.execute(
            "INSERT INTO chains (device_id, license_id, last_seq, last_hash) VALUES (?1, ?2, ?3, ?4)",
            params![
                device.to_string(),
                license.to_string(),
                i64::try_from(head.seq).unwrap_or(i64::MAX),
                head.hash
            ],
        )?;
    }
    Ok((kept, last))
}

fn chain_row(row: &[Column]) -> Option<(Chain, Head)> {
    let [
        Column::Text(device),
        Column::Text(license),
        Column::Integer(seq),
        Column::Text(hash),
    ] = row
    else {
        return None;
    };
    let chain = (device.parse().ok()?, license.parse().ok()?);
    let head = Head {
        seq: u64::try_from(*seq).ok()?,
        hash: Some(hash.clone()).filter(|hash| hash.len() == 64)?,
    };
    Some((chain, head))
}

/// A record that proves itself.
struct Found {
    signed: SignedHeader,
    header: RecordHeader,
    hold_until_ms: i64,
    /// As it is stored, with how it is sealed; `None` where it is not what was written.
    payload: Option<(Vec<u8>, &'static str)>,
    refusal: Option<(String, String)>,
    withdrawn: Option<String>,
}

impl Found {
    fn of(row: &[Column], config: &SpoolConfig) -> Option<Self> {
        // The columns of `records`, in their order since version 2.
        let [
            _id,
            _device,
            _license,
            _seq,
            _kind,
            _at,
            hold,
            Column::Blob(bytes),
            Column::Text(signature),
            _type,
            rest @ ..,
        ] = row
        else {
            return None;
        };
        let signed = SignedHeader {
            bytes: bytes.clone(),
            signature: signature.clone(),
        };
        let header = signed.parse().ok()?;
        // Of another device of before nobody here has the key; its server has.
        if header.device_id == config.identity.device_id {
            signed.verify(&config.identity.key.verifying_key()).ok()?;
        }
        let withdrawn = match rest.get(4) {
            Some(Column::Text(text)) if withdrawal::parse(text).is_ok() => Some(text.clone()),
            _ => None,
        };
        let refusal = match (rest.get(2), rest.get(3)) {
            (Some(Column::Text(code)), Some(Column::Text(message))) => {
                Some((code.clone(), message.clone()))
            }
            _ => None,
        };
        let hold_until_ms = match hold {
            Column::Integer(ms) => *ms,
            _ => 0,
        };
        let payload = match &withdrawn {
            Some(_) => Some((Vec::new(), seal::NONE)),
            None => whole_payload(rest, &signed, &header, config),
        };
        Some(Self {
            signed,
            header,
            hold_until_ms,
            payload,
            refusal,
            withdrawn,
        })
    }

    /// False where its id or its place in the chain is taken: by itself, mostly.
    fn insert(&self, target: &Connection, config: &SpoolConfig) -> rusqlite::Result<bool> {
        let header = &self.header;
        let (payload, sealed) = match &self.payload {
            Some((bytes, sealed)) => (bytes.as_slice(), *sealed),
            None => (&[][..], seal::NONE),
        };
        let damaged = || {
            let why = (Reason::Damaged, header.captured_at_ms);
            withdrawal::sign(header.record_id, &self.signed, why, &config.identity.key)
        };
        let withdrawn = match &self.withdrawn {
            Some(text) => Some(text.clone()),
            None => self.payload.is_none().then(damaged),
        };
        let (code, message) = self.refusal.clone().unzip();
        let inserted = target
            .prepare_cached(
                "INSERT INTO records (record_id, device_id, license_id, seq, kind, captured_at_ms,
                     hold_until_ms, header, signature, content_type, seal, payload, refusal_code,
                     refusal_message, withdrawn)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                header.record_id.to_string(),
                header.device_id.to_string(),
                header.license_id.to_string(),
                i64::try_from(header.seq).unwrap_or(i64::MAX),
                header.kind.as_str(),
                header.captured_at_ms,
                self.hold_until_ms,
                self.signed.bytes,
                self.signed.signature,
                header.content_type,
                sealed,
                payload,
                code,
                message,
                withdrawn,
            ])?;
        Ok(inserted == 1)
    }
}

/// The payload as it is stored, if it is what the header says.
fn whole_payload(
    rest: &[Column],
    signed: &SignedHeader,
    header: &RecordHeader,
    config: &SpoolConfig,
) -> Option<(Vec<u8>, &'static str)> {
    let [Column::Text(sealed), Column::Blob(stored), ..] = rest else {
        return None;
    };
    let open = match sealed.as_str() {
        seal::NONE => sha256_hex(stored) == header.payload_sha256,
        seal::SEALED => {
            let key = config.seal.as_ref()?;
            key.open(header.record_id, signed, stored).is_some()
        }
        _ => false,
    };
    let kind = if sealed == seal::NONE {
        seal::NONE
    } else {
        seal::SEALED
    };
    open.then(|| (stored.clone(), kind))
}

/// What is counted and remembered goes along as far as the damaged database still gives it.
fn carry_over_counters(damaged: &Path, target: &Connection) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(source) = Connection::open_with_flags(damaged, flags) else {
        return;
    };
    let counters = || -> rusqlite::Result<()> {
        let mut statement = source.prepare("SELECT name, value FROM counters")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (name, value): (String, rusqlite::types::Value) = (row.get(0)?, row.get(1)?);
            target.execute(
                "INSERT OR IGNORE INTO counters (name, value) VALUES (?1, ?2)",
                (name, value),
            )?;
        }
        Ok(())
    };
    let withdrawals = || -> rusqlite::Result<()> {
        let mut statement = source.prepare(
            "SELECT record_id, license_id, session_id, kind, captured_at_ms FROM withdrawals",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let text = |column| row.get::<_, Option<String>>(column);
            target.execute(
                "INSERT OR IGNORE INTO withdrawals
                     (record_id, license_id, session_id, kind, captured_at_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    text(0)?,
                    text(1)?,
                    text(2)?,
                    text(3)?,
                    row.get::<_, i64>(4)?
                ],
            )?;
        }
        Ok(())
    };
    for (what, result) in [("counters", counters()), ("withdrawals", withdrawals())] {
        if let Err(error) = result {
            tracing::warn!(%error, what, "not all of it could be read in the damaged spool");
        }
    }
}

pub(super) fn count(connection: &Connection, name: &str, more: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO counters (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = value + ?2",
        )?
        .execute((name, i64::try_from(more).unwrap_or(i64::MAX)))?;
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes names in a file's folder durable, where the system lets a folder be flushed.
fn flush_folder(file: &Path) -> io::Result<()> {
    match File::open(file.parent().unwrap_or(Path::new("."))) {
        Ok(folder) => folder.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}
