//! The rows of a damaged database, read from its pages without the help of its own structure.
//!
//! After the file format that SQLite documents (<https://sqlite.org/fileformat2.html>): every page that
//! is a leaf of a table, in the file or in its write-ahead log, gives its cells; what a cell has on
//! overflow pages is followed as far as they are there. Nothing found here is to be trusted: whoever asks
//! has a way to tell a true row.
//!
//! A page's valid image is the last one that the log committed, else the file's. Behind the place where the
//! log breaks there may be more pages of the same generation: their rows come after all others.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;
const TABLE_LEAF: u8 = 0x0d;
/// Larger cells are no rows of ours.
const MOST_BYTES: u64 = 64 << 20;

/// A column of a row, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
    /// Not there, or of a kind that we never write.
    Lost,
}

/// A database file and its log, page by page.
pub(super) struct Pages {
    file: Option<File>,
    log: Option<File>,
    page_size: u64,
    in_file: u32,
    /// Where in the log the valid image of a page begins.
    committed: HashMap<u32, u64>,
    /// Images behind the place where the log breaks, in order.
    beyond: Vec<(u32, u64)>,
}

impl Pages {
    /// Looks at a database and its log; either may be missing.
    pub(super) fn open(database: &Path, log: &Path) -> io::Result<Self> {
        let (file, log) = (open(database)?, open(log)?);
        let length = |file: &Option<File>| -> io::Result<u64> {
            file.as_ref()
                .map_or(Ok(0), |file| Ok(file.metadata()?.len()))
        };
        let (file_len, log_len) = (length(&file)?, length(&log)?);
        let mut pages = Self {
            page_size: page_size(file.as_ref(), log.as_ref()),
            file,
            log,
            in_file: 0,
            committed: HashMap::new(),
            beyond: Vec::new(),
        };
        pages.in_file = u32::try_from(file_len / pages.page_size).unwrap_or(u32::MAX);
        pages.read_log(log_len);
        Ok(pages)
    }

    /// Hands out every row that can be found, those of valid pages first.
    pub(super) fn rows(&self, mut each: impl FnMut(Vec<Column>)) {
        let logged = self.committed.keys().copied().max().unwrap_or(0);
        for number in 2..=self.in_file.max(logged) {
            if let Some(page) = self.page(number) {
                self.cells(&page, None, &mut each);
            }
        }
        let beyond: HashMap<u32, u64> = self.beyond.iter().copied().collect();
        for (_, offset) in &self.beyond {
            if let Some(page) = self.read(self.log.as_ref(), *offset) {
                self.cells(&page, Some(&beyond), &mut each);
            }
        }
    }

    /// Sorts the log's frames into those that count and those behind its break.
    fn read_log(&mut self, len: u64) {
        let Some(header) = self.log.as_ref().and_then(|log| bytes(log, 0, 32)) else {
            return;
        };
        let little = word(&header, 0) == Some(0x377f_0682);
        let salts = header.get(16..24).map(<[u8]>::to_vec);
        let mut sum = header.get(..24).map(|part| checksum(little, (0, 0), part));
        // Without a sound header nothing counts by itself, and everything may be worth a look.
        let sound = sum.map(|(a, b)| [a, b].map(u32::to_be_bytes).concat());
        if header.get(24..32).map(<[u8]>::to_vec) != sound {
            sum = None;
        }
        let trusts_salts = sum.is_some();
        let mut open = Vec::new();
        let frame = FRAME_HEADER + self.page_size;
        for n in 0..len.saturating_sub(LOG_HEADER) / frame {
            let at = LOG_HEADER + n * frame;
            let whole = self.log.as_ref().and_then(|log| bytes(log, at, frame));
            let Some((head, page)) = whole.as_ref().and_then(|w| w.split_at_checked(24)) else {
                return;
            };
            let number = word(head, 0).unwrap_or(0);
            if trusts_salts && head.get(8..16).map(<[u8]>::to_vec) != salts {
                sum = None;
                continue;
            }
            let image = (number, at + FRAME_HEADER);
            let expected = sum.map(|sum| {
                let sum = checksum(little, sum, head.get(..8).unwrap_or_default());
                checksum(little, sum, page)
            });
            let found = word(head, 16).zip(word(head, 20));
            sum = expected.filter(|sum| Some(*sum) == found);
            if sum.is_none() {
                self.beyond.append(&mut open);
                self.beyond.push(image);
                continue;
            }
            open.push(image);
            if word(head, 4) != Some(0) {
                self.committed.extend(open.drain(..));
            }
        }
        self.beyond.append(&mut open);
    }

    /// The valid image of a page.
    fn page(&self, number: u32) -> Option<Vec<u8>> {
        match self.committed.get(&number) {
            Some(offset) => self.read(self.log.as_ref(), *offset),
            None => self.read(
                self.file.as_ref(),
                u64::from(number.checked_sub(1)?) * self.page_size,
            ),
        }
    }

    fn read(&self, file: Option<&File>, offset: u64) -> Option<Vec<u8>> {
        bytes(file?, offset, self.page_size)
    }

    fn cells(
        &self,
        page: &[u8],
        first: Option<&HashMap<u32, u64>>,
        each: &mut impl FnMut(Vec<Column>),
    ) {
        if page.first() != Some(&TABLE_LEAF) {
            return;
        }
        let count = short(page, 3).unwrap_or(0);
        for cell in 0..count {
            let row = short(page, 8 + 2 * cell).and_then(|at| self.cell(page, at, first));
            if let Some(row) = row {
                each(row);
            }
        }
    }

    fn cell(
        &self,
        page: &[u8],
        at: usize,
        first: Option<&HashMap<u32, u64>>,
    ) -> Option<Vec<Column>> {
        let cell = page.get(at..)?;
        let (length, cell) = varint(cell)?;
        let (_rowid, cell) = varint(cell)?;
        if length > MOST_BYTES {
            return None;
        }
        // "The amount of payload that spills", section 1.6 of the file format.
        let usable = self.page_size;
        let most = usable - 35;
        let local = if length <= most {
            length
        } else {
            let least = (usable - 12) * 32 / 255 - 23;
            let some = least + (length - least) % (usable - 4);
            if some <= most { some } else { least }
        };
        let local = usize::try_from(local).ok()?;
        let mut content = cell.get(..local)?.to_vec();
        if (content.len() as u64) < length {
            let next = word(cell, local)?;
            self.follow(&mut content, length, next, first);
        }
        decode(&content)
    }

    /// Adds what stands on overflow pages, as far as they are there.
    fn follow(
        &self,
        content: &mut Vec<u8>,
        length: u64,
        mut next: u32,
        first: Option<&HashMap<u32, u64>>,
    ) {
        while (content.len() as u64) < length && next > 1 {
            let beyond = first
                .and_then(|images| images.get(&next))
                .and_then(|offset| self.read(self.log.as_ref(), *offset));
            let Some(page) = beyond.or_else(|| self.page(next)) else {
                return;
            };
            let lacking = usize::try_from(length - content.len() as u64).unwrap_or(usize::MAX);
            let part = page.get(4..).unwrap_or_default();
            content.extend_from_slice(part.get(..lacking).unwrap_or(part));
            next = word(&page, 0).unwrap_or(0);
        }
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// As the file says, else as the log says, else as SQLite has it by default.
fn page_size(file: Option<&File>, log: Option<&File>) -> u64 {
    let of_file = file
        .and_then(|file| bytes(file, 0, 18))
        .filter(|header| header.starts_with(b"SQLite format 3\0"))
        .and_then(|header| short(&header, 16))
        .map(|size| if size == 1 { 65_536 } else { size as u64 });
    let of_log = log
        .and_then(|log| bytes(log, 0, 12))
        .filter(|header| header.starts_with(&[0x37, 0x7f, 0x06]))
        .and_then(|header| word(&header, 8))
        .map(u64::from);
    let possible = |size: &u64| size.is_power_of_two() && (512..=65_536).contains(size);
    of_file
        .filter(possible)
        .or(of_log.filter(possible))
        .unwrap_or(4096)
}

/// Some of a file; `None` where it does not reach so far, or cannot be read there.
fn bytes(mut file: &File, offset: u64, length: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    file.seek(SeekFrom::Start(offset)).ok()?;
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let part = bytes.get(at..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_be_bytes(*part)))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let part = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*part))
}

/// The log's running checksum (section 4.2 of the file format).
fn checksum(little: bool, (mut a, mut b): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        let words = pair.split_first_chunk::<4>();
        let Some((first, second)) = words.and_then(|(f, s)| Some((*f, *s.first_chunk::<4>()?)))
        else {
            continue;
        };
        let read = if little {
            u32::from_le_bytes
        } else {
            u32::from_be_bytes
        };
        a = a.wrapping_add(read(first)).wrapping_add(b);
        b = b.wrapping_add(read(second)).wrapping_add(a);
    }
    (a, b)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for n in 0..9 {
        let byte = *bytes.get(n)?;
        if n == 8 {
            return Some((value << 8 | u64::from(byte), bytes.get(9..)?));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(n + 1..)?));
        }
    }
    None
}

/// Section 2.1 of the file format. `None` where not even the kinds of the columns can be told.
fn decode(content: &[u8]) -> Option<Vec<Column>> {
    let (head_len, rest) = varint(content)?;
    let head_len = usize::try_from(head_len).ok()?;
    let mut kinds = rest.get(..head_len.checked_sub(content.len() - rest.len())?)?;
    let mut body = content.get(head_len..)?;
    let mut columns = Vec::new();
    while !kinds.is_empty() {
        let (kind, left) = varint(kinds)?;
        kinds = left;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let Some((part, left)) = body.split_at_checked(length) else {
            body = &[];
            columns.push(Column::Lost);
            continue;
        };
        body = left;
        columns.push(match kind {
            0 => Column::Null,
            8 => Column::Integer(0),
            9 => Column::Integer(1),
            1..=6 => Column::Integer(integer(part)),
            7 => Column::Lost,
            _ if kind % 2 == 0 => Column::Blob(part.to_vec()),
            _ => String::from_utf8(part.to_vec()).map_or(Column::Lost, Column::Text),
        });
    }
    Some(columns)
}

/// A big-endian two's complement of up to eight bytes.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|first| first & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    bytes
        .iter()
        .fold(start, |value: i64, byte| value << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;

    fn found(folder: &Path) -> Vec<Vec<Column>> {
        let pages = Pages::open(&folder.join("a.sqlite"), &folder.join("a.sqlite-wal")).unwrap();
        let mut rows = Vec::new();
        pages.rows(|row| rows.push(row));
        rows.retain(|row| row.len() == 5);
        rows
    }

    #[test]
    fn rows_are_read_from_the_file_and_from_its_log_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        let connection = Connection::open(dir.path().join("a.sqlite")).unwrap();
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .unwrap();
        connection
            .execute_batch("CREATE TABLE t (a TEXT, b INTEGER, c BLOB, d TEXT, e INTEGER)")
            .unwrap();
        let mut written = Vec::new();
        for n in 0..300_i64 {
            let length = usize::try_from(n * n % 20_000).unwrap();
            let blob = vec![u8::try_from(n % 251).unwrap(); length];
            let integer = (n - 150) * 1_000_003_i64.pow(u32::try_from(n % 3).unwrap());
            connection
                .execute(
                    "INSERT INTO t VALUES (?1, ?2, ?3, NULL, ?4)",
                    (format!("row {n}"), integer, &blob, n % 2),
                )
                .unwrap();
            written.push(vec![
                Column::Text(format!("row {n}")),
                Column::Integer(integer),
                Column::Blob(blob),
                Column::Null,
                Column::Integer(n % 2),
            ]);
            if n == 200 {
                connection
                    .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                    .unwrap();
            }
        }
        let rows = found(dir.path());
        assert_eq!(rows.len(), written.len());
        assert!(written.iter().all(|row| rows.contains(row)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn noise_of_any_kind_is_read_to_its_end(noise in prop::collection::vec(any::<u8>(), 0..20_000), leaf: bool) {
            let dir = tempfile::tempdir().unwrap();
            let mut noise = noise;
            if leaf {
                for page in noise.chunks_mut(4096) {
                    page[0] = TABLE_LEAF;
                }
            }
            std::fs::write(dir.path().join("a.sqlite"), &noise).unwrap();
            std::fs::write(dir.path().join("a.sqlite-wal"), &noise).unwrap();
            found(dir.path());
        }
    }
}
