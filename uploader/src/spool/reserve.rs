//! Room on the disk that is kept for a full one: without a free page nothing can be struck off either, and
//! what the server has would be sent again for ever.
//!
//! A file of noise beside the database holds that room (noise, so that no file system keeps it as a hole or
//! packs it). Where striking off fails for want of room, it is given up; captures are kept again only once
//! it is back. What the spool leaves free inside its database goes back to the disk meanwhile.
//!
//! It is large enough because the log is kept short: see [`LOG_PAGES`] and [`TRANSACTION_BYTES`].

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};

/// What is kept.
const BYTES: u64 = 2 << 20;
const BLOCK: usize = 64 << 10;

/// The log is carried over into the database from so many pages (of 4 KiB) on.
pub(super) const LOG_PAGES: u32 = 256;
/// A log that stays longer than this could not be carried over.
const LOG_BYTES: u64 = 5 << 18;
/// Payloads that share a transaction: one more begins the next.
pub(super) const TRANSACTION_BYTES: usize = 1 << 20;

/// From so many free pages on, room goes back to the disk where the reserve is given up.
const FREE_WHEN_SHORT: u64 = 16;
/// Else only where a backlog has gone: so many are free, and four times as many as are not.
const FREE_OTHERWISE: u64 = 4096;
/// Pages that go back at a time.
const BACK_AT_ONCE: u32 = 256;

/// The file that holds the room.
#[derive(Debug)]
pub(super) struct Reserve {
    file: PathBuf,
    there: bool,
}

impl Reserve {
    /// The file beside that database, which is made and filled where there is room.
    pub(super) fn open(database: &Path) -> Self {
        let file = database.with_extension("reserve");
        let there = std::fs::metadata(&file).is_ok_and(|found| found.len() >= BYTES);
        let mut reserve = Self { file, there };
        reserve.hold();
        reserve
    }

    /// Whether the room is held, after an attempt to get it where it is not.
    pub(super) fn hold(&mut self) -> bool {
        if self.there {
            return true;
        }
        match self.fill() {
            Ok(()) => self.there = true,
            Err(error) if is_want_of_room(&error) => {
                tracing::debug!(%error, "there is no room for the spool's reserve");
                self.release();
            }
            // No reason to keep nothing: where the disk takes nothing at all, the push says so itself.
            Err(error) => {
                tracing::warn!(%error, "the spool has no reserve for a full disk");
                self.there = true;
            }
        }
        self.there
    }

    /// Gives the room up.
    pub(super) fn release(&mut self) {
        self.there = false;
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "the spool's reserve could not be given up");
            }
            _ => {}
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut file = File::create(&self.file)?;
        let mut noise = vec![0; BLOCK];
        fastrand::Rng::new().fill(&mut noise);
        for _ in 0..BYTES / BLOCK as u64 {
            file.write_all(&noise)?;
        }
        // Not flushed: a power cut may take it, and the next start makes it again.
        Ok(())
    }
}

fn is_want_of_room(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Whether an error says that the disk has no room.
pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    // Growing the log's index fails with a code of its own where there is no room for it.
    matches!(error, rusqlite::Error::SqliteFailure(failure, _)
        if failure.code == ErrorCode::DiskFull
            || failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

/// Gives up the reserve and, with the room of it, carries the log over, so that its own room is free too.
pub(super) fn make_room(connection: &Connection, reserve: &mut Reserve) {
    reserve.release();
    if let Err(error) = carry_over(connection, "TRUNCATE") {
        tracing::warn!(%error, "the disk is full, and the spool's log could not be carried over");
    }
}

/// After a write: keeps the log short, and gives room back that the database does not need.
pub(super) fn tidy(connection: &Connection, database: &Path, reserve: &mut Reserve) {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    let long = std::fs::metadata(log).is_ok_and(|found| found.len() > LOG_BYTES);
    if long && carry_over(connection, "PASSIVE").is_err_and(|error| is_full(&error)) {
        make_room(connection, reserve);
    }
    if let Err(error) = give_back(connection, reserve) {
        tracing::debug!(%error, "the spool could not give room back to the disk");
    }
}

/// Free pages at the end of the file, and those that can be brought there, go back to the disk.
fn give_back(connection: &Connection, reserve: &mut Reserve) -> rusqlite::Result<()> {
    let free = number(connection, "PRAGMA freelist_count")?;
    let used = number(connection, "PRAGMA page_count")?.saturating_sub(free);
    let wanted = if reserve.there {
        free >= FREE_OTHERWISE && used <= free / 4
    } else {
        free >= FREE_WHEN_SHORT
    };
    if !wanted {
        return Ok(());
    }
    let mut statement =
        connection.prepare_cached(&format!("PRAGMA incremental_vacuum({BACK_AT_ONCE})"))?;
    // A row for each page, without columns.
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    if !reserve.there {
        carry_over(connection, "TRUNCATE")?;
        reserve.hold();
    }
    Ok(())
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<u64> {
    let number: i64 = connection
        .prepare_cached(pragma)?
        .query_row([], |row| row.get(0))?;
    Ok(number.unsigned_abs())
}

/// Carries the log over into the database.
fn carry_over(connection: &Connection, how: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_held_given_up_and_held_again() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("spool.sqlite");
        let file = dir.path().join("spool.reserve");
        let size = || std::fs::metadata(&file).map_or(0, |found| found.len());
        let mut reserve = Reserve::open(&database);
        assert_eq!((reserve.there, size()), (true, BYTES));
        reserve.release();
        assert_eq!((reserve.there, size()), (false, 0));
        assert!(reserve.hold());
        assert_eq!(size(), BYTES);
        // What a crash left of it is made whole.
        std::fs::write(&file, b"half").unwrap();
        assert!(Reserve::open(&database).there);
        assert_eq!(size(), BYTES);
    }
}
