//! What was acknowledged: one line for each push that returned, on disk before the next one begins.
//!
//! The pusher (`src/bin/pusher`) writes it in a place that no fault reaches; the harness of `./dev faults`
//! reads it afterwards and holds it against the spool and the server. A line that a kill cut short was
//! not acknowledged to anybody, so it is passed over.
//!
//! ```text
//! pushed RECORD_ID SEQ KIND SHA256     push returned: from here on the record must not be lost
//! failed KIND WHY                      push said that it kept nothing
//! mark TEXT                            what the harness did then, to find a fault again
//! ```

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use glasshour_protocol::{Kind, RecordId};

/// An acknowledged push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record.
    pub record_id: RecordId,
    /// Its place in its chain.
    pub seq: u64,
    /// What it is.
    pub kind: Kind,
    /// SHA-256 (hex) of its payload.
    pub sha256: String,
    /// The last mark before it.
    pub after: String,
}

/// The file, for whoever pushes.
#[derive(Debug)]
pub struct Ledger {
    file: File,
}

impl Ledger {
    /// Opens it to add to it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file })
    }

    /// Notes a push that returned.
    ///
    /// # Errors
    /// It cannot be written and flushed.
    pub fn pushed(&mut self, entry: &Entry) -> Result<()> {
        self.line(&format!(
            "pushed {} {} {} {}",
            entry.record_id, entry.seq, entry.kind, entry.sha256
        ))
    }

    /// Notes a push that kept nothing.
    ///
    /// # Errors
    /// It cannot be written and flushed.
    pub fn failed(&mut self, kind: Kind, why: &str) -> Result<()> {
        self.line(&format!("failed {kind} {}", why.replace('\n', " ")))
    }

    /// Notes what is done next.
    ///
    /// # Errors
    /// It cannot be written and flushed.
    pub fn mark(&mut self, what: &str) -> Result<()> {
        self.line(&format!("mark {}", what.replace('\n', " ")))
    }

    fn line(&mut self, line: &str) -> Result<()> {
        // One write, so that a line is whole or has no end.
        self.file.write_all(format!("{line}\n").as_bytes())?;
        self.file.sync_data().context("the ledger")
    }
}

/// A ledger, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// What was acknowledged, in order.
    pub pushed: Vec<Entry>,
    /// What was not kept, and why.
    pub failed: Vec<(Kind, String)>,
}

/// Reads a ledger; one that was never written is empty.
///
/// # Errors
/// It holds what no pusher writes.
pub fn read(path: &Path) -> Result<Read> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Read::default()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn parse(text: &str) -> Result<Read> {
    let mut read = Read::default();
    let mut after = String::new();
    for line in text.split_inclusive('\n') {
        // A cut line is the last of a pusher that was killed; the next pusher's stands behind it.
        let line = line.strip_suffix('\n').unwrap_or_default();
        let line = line
            .rfind("mark ")
            .filter(|at| *at > 0)
            .and_then(|at| line.get(at..))
            .unwrap_or(line);
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["pushed", record_id, seq, kind, sha256] => read.pushed.push(Entry {
                record_id: record_id.parse().context("a record's id")?,
                seq: seq.parse().context("a record's number")?,
                kind: kind.parse().context("a record's kind")?,
                sha256: (*sha256).to_owned(),
                after: after.clone(),
            }),
            ["failed", kind, why @ ..] => read.failed.push((kind.parse()?, why.join(" "))),
            ["mark", what @ ..] => after = what.join(" "),
            [""] => {}
            _ => bail!("not a line of a ledger: {line}"),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01936f2e-0000-7000-8000-000000000001";

    #[test]
    fn what_was_written_is_read_and_a_cut_line_was_not_acknowledged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        assert_eq!(read(&path).unwrap(), Read::default());
        let entry = Entry {
            record_id: ID.parse().unwrap(),
            seq: 7,
            kind: Kind::Activity,
            sha256: "ab".into(),
            after: "kill 3".into(),
        };
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.mark("kill 3").unwrap();
        ledger.pushed(&entry).unwrap();
        ledger
            .failed(Kind::Screenshot, "the disk\nis full")
            .unwrap();
        drop(ledger);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("pushed 01936f");
        let found = parse(&text).unwrap();
        assert_eq!(found.pushed, [entry]);
        assert_eq!(
            found.failed,
            [(Kind::Screenshot, "the disk is full".to_owned())]
        );
        // The harness marks each start, so what follows a cut line is a mark.
        text.push_str("mark kill 4\nmark kill 5\n");
        assert_eq!(parse(&text).unwrap(), found);
    }

    #[test]
    fn what_no_pusher_writes_is_refused() {
        assert!(parse("pushed x\n").is_err());
        assert!(parse("pushed x 1 activity ab\n").is_err());
    }
}
