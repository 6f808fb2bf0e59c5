//! A file of slots of one size, whose room was taken when it was made: to write into it, a full disk is no
//! hindrance. What a slot holds bears its hash, so that one that was cut short is none.
//!
//! ```text
//! slot:  "GHL1"  length u32 LE  SHA-256 of the content  content  zeros up to 4096
//! ```
//!
//! Made under another name, written through with zeros and flushed before it gets its own: a file of
//! that name is whole. What is written is on disk when [`Slots::flush`] returns. Room taken beforehand is worth
//! nothing where a file system writes each time to another place (btrfs, ZFS).

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::objects::private_file;

/// Bytes of a slot: what file systems and disks write at once.
pub(super) const SLOT_BYTES: usize = 4096;
const MAGIC: &[u8] = b"GHL1";
const HEAD_BYTES: usize = 4 + 4 + 32;
/// The longest content.
pub(super) const MOST_BYTES: usize = SLOT_BYTES - HEAD_BYTES;

/// An opened file of slots.
#[derive(Debug)]
pub(super) struct Slots {
    file: File,
    count: usize,
}

/// What a slot was found to hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing.
    Nothing,
    /// What was written into it.
    Content(Vec<u8>),
    /// Something that was not written to its end, or that the disk has altered.
    Damaged,
}

impl Slots {
    /// Opens the file, making it where it is missing.
    pub(super) fn open(path: &Path, count: usize) -> std::io::Result<Self> {
        let opened = File::options().read(true).write(true).open(path);
        let file = match opened {
            Err(error) if error.kind() == ErrorKind::NotFound => make(path, count)?,
            opened => opened?,
        };
        let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        Ok(Self {
            file,
            count: bytes / SLOT_BYTES,
        })
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn read(&self, slot: usize) -> std::io::Result<Held> {
        let mut bytes = [0; SLOT_BYTES];
        self.file.read_exact_at(&mut bytes, place(slot))?;
        Ok(held(&bytes))
    }

    /// Puts content into a slot, over what was there. Not on disk before [`Self::flush`].
    pub(super) fn write(&self, slot: usize, content: &[u8]) -> std::io::Result<()> {
        let length = u32::try_from(content.len()).map_err(std::io::Error::other)?;
        if content.len() > MOST_BYTES {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let mut bytes = Vec::with_capacity(SLOT_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&Sha256::digest(content));
        bytes.extend_from_slice(content);
        bytes.resize(SLOT_BYTES, 0);
        self.file.write_all_at(&bytes, place(slot))
    }

    /// Empties a slot. Not on disk before [`Self::flush`].
    pub(super) fn clear(&self, slot: usize) -> std::io::Result<()> {
        self.file.write_all_at(&[0; SLOT_BYTES], place(slot))
    }

    pub(super) fn flush(&self) -> std::io::Result<()> {
        self.file.sync_data()
    }
}

fn place(slot: usize) -> u64 {
    (slot * SLOT_BYTES) as u64
}

fn held(bytes: &[u8; SLOT_BYTES]) -> Held {
    if bytes.iter().all(|byte| *byte == 0) {
        return Held::Nothing;
    }
    content(bytes).map_or(Held::Damaged, |content| Held::Content(content.to_vec()))
}

fn content(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (hash, rest) = rest.split_first_chunk::<32>()?;
    let content = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    (Sha256::digest(content)[..] == hash[..]).then_some(content)
}

fn make(path: &Path, count: usize) -> std::io::Result<File> {
    let unfinished = path.with_extension("unfinished");
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(true);
    private_file(&mut options);
    let made = options.open(&unfinished).and_then(|mut file| {
        for _ in 0..count {
            file.write_all(&[0; SLOT_BYTES])?;
        }
        file.sync_all()?;
        std::fs::rename(&unfinished, path)?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(file)
    });
    if made.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_there_again_and_no_file_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        let slots = Slots::open(&path, 3).unwrap();
        slots.write(1, b"a look").unwrap();
        slots.write(2, &[7; MOST_BYTES]).unwrap();
        assert!(slots.write(0, &[7; MOST_BYTES + 1]).is_err());
        slots.flush().unwrap();
        drop(slots);
        // Made once: the number of slots is the file's.
        let slots = Slots::open(&path, 9).unwrap();
        assert_eq!(slots.count(), 3);
        assert_eq!(slots.read(0).unwrap(), Held::Nothing);
        assert_eq!(slots.read(1).unwrap(), Held::Content(b"a look".to_vec()));
        assert_eq!(slots.read(2).unwrap(), Held::Content(vec![7; MOST_BYTES]));
        slots.clear(1).unwrap();
        assert_eq!(slots.read(1).unwrap(), Held::Nothing);
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(
            (left.len(), std::fs::metadata(&path).unwrap().len()),
            (1, 3 * 4096)
        );
    }

    #[test]
    fn a_slot_that_is_not_as_it_was_written_is_damaged_wherever_it_was_hit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots");
        let slots = Slots::open(&path, 1).unwrap();
        slots.write(0, b"a look").unwrap();
        for at in 0..(HEAD_BYTES + 6) as u64 {
            let mut byte = [0];
            slots.file.read_exact_at(&mut byte, at).unwrap();
            slots.file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
            assert_eq!(slots.read(0).unwrap(), Held::Damaged, "byte {at}");
            slots.file.write_all_at(&byte, at).unwrap();
        }
        assert_eq!(slots.read(0).unwrap(), Held::Content(b"a look".to_vec()));
    }
}
