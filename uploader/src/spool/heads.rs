//! The heads of the chains, beside the database: how far each has gone, as told to whoever pushed.
//!
//! A log that was cut short leaves a database that is sound and of the past: it would give the same
//! place in a chain a second time. This file, written after each commit and before its answers, is the
//! witness against that. It is not flushed (a commit is, and comes first), so it may be behind the
//! database and is never ahead of it unless the database lost something.
//!
//! One line a chain: device, license, `seq`, hash, and the first half of the SHA-256 of these; and one with
//! how many records there are, for what a damaged database has lost. A line that does not check is as if
//! it were not there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use glasshour_protocol::jws::sha256_hex;
use glasshour_protocol::{DeviceId, LicenseId};

/// A device's chain under a license.
pub(super) type Chain = (DeviceId, LicenseId);

/// The last record of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: u64,
    pub(super) hash: String,
}

/// The heads that were told, and the file that remembers them.
#[derive(Debug)]
pub(super) struct Heads {
    file: File,
    told: BTreeMap<Chain, Head>,
    rows: Option<u64>,
}

impl Heads {
    /// Opens the file beside that database, or makes it.
    pub(super) fn open(database: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(database.with_extension("heads"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = || text.lines().filter_map(checked);
        Ok(Self {
            file,
            told: lines().filter_map(parse).collect(),
            rows: lines().find_map(|line| line.strip_prefix("rows ")?.parse().ok()),
        })
    }

    /// How many records the database holds, as far as that is known.
    pub(super) fn rows(&self) -> Option<u64> {
        self.rows
    }

    /// It holds so many now.
    pub(super) fn set_rows(&mut self, rows: u64) {
        self.rows = Some(rows);
    }

    /// Every head that was told.
    pub(super) fn told(&self) -> impl Iterator<Item = (&Chain, &Head)> {
        self.told.iter()
    }

    pub(super) fn of(&self, chain: &Chain) -> Option<&Head> {
        self.told.get(chain)
    }

    /// A chain has gone on; [`write`](Self::write) follows before anybody hears of it.
    pub(super) fn note(&mut self, chain: Chain, head: Head) {
        self.told.insert(chain, head);
    }

    /// Writes them all.
    pub(super) fn write(&mut self) -> io::Result<()> {
        let mut text = String::new();
        for ((device, license), head) in &self.told {
            add(
                &mut text,
                &format!("{device} {license} {} {}", head.seq, head.hash),
            );
        }
        if let Some(rows) = self.rows {
            add(&mut text, &format!("rows {rows}"));
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }
}

fn check(line: &str) -> String {
    sha256_hex(line.as_bytes()).split_at(32).0.to_owned()
}

fn add(text: &mut String, line: &str) {
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{line} {}", check(line));
}

/// A line without its check, if it is the one that was written.
fn checked(line: &str) -> Option<&str> {
    let (line, found) = line.rsplit_once(' ')?;
    (check(line) == found).then_some(line)
}

fn parse(line: &str) -> Option<(Chain, Head)> {
    let mut words = line.split(' ');
    let chain = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let head = Head {
        seq: words.next()?.parse().ok()?,
        hash: words.next()?.to_owned(),
    };
    Some((chain, head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn heads_are_told_again_and_a_line_that_was_altered_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("spool.sqlite");
        let chain = |n| (DeviceId(Uuid::from_u128(1)), LicenseId(Uuid::from_u128(n)));
        let head = |seq| Head {
            seq,
            hash: sha256_hex(b"x"),
        };
        let mut heads = Heads::open(&database).unwrap();
        heads.note(chain(2), head(100));
        heads.note(chain(3), head(7));
        heads.write().unwrap();
        heads.note(chain(2), head(101));
        heads.set_rows(12);
        heads.write().unwrap();
        let heads = Heads::open(&database).unwrap();
        assert_eq!(heads.of(&chain(2)), Some(&head(101)));
        assert_eq!((heads.told().count(), heads.rows()), (2, Some(12)));

        let file = database.with_extension("heads");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replacen(" 101 ", " 100 ", 1)).unwrap();
        let heads = Heads::open(&database).unwrap();
        assert_eq!(
            (heads.of(&chain(2)), heads.of(&chain(3))),
            (None, Some(&head(7)))
        );
    }
}
