//! A zip of files that are compressed already: stored as they are (APPNOTE 6.3.10, method 0).
//!
//! Ten lines of format instead of a crate: no compression, no encryption, no more than 65,535 files or 4 GB, and
//! no time of day, so that the same files make the same zip.

use flate2::Crc;

/// 1980-01-01, the earliest day that the format knows.
const DAY: u16 = 0x0021;
/// Names are UTF-8.
const UTF_8: u16 = 1 << 11;
/// Made by Unix (3) with version 2.0 of the format, so that the mode below counts.
const MADE_BY: u16 = 0x0314;
/// A file for its owner alone.
const MODE: u32 = 0o100_600 << 16;

/// A zip in the making.
#[derive(Debug, Default)]
pub(super) struct Zip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    files: u16,
}

/// The zip would be larger than the format can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more files or bytes than one zip holds")]
pub(super) struct TooLarge;

impl Zip {
    /// Adds a file; `path` with `/` between its parts.
    pub(super) fn add(&mut self, path: &str, content: &[u8]) -> Result<(), TooLarge> {
        let mut crc = Crc::new();
        crc.update(content);
        let (offset, length) = (long(self.bytes.len())?, long(content.len())?);
        let name_length = u16::try_from(path.len()).map_err(|_| TooLarge)?;
        self.files = self.files.checked_add(1).ok_or(TooLarge)?;
        // Version needed, flags, method, time, day; CRC and both sizes; lengths of name and extra field.
        let mut shared = Vec::new();
        for short in [20, UTF_8, 0, 0, DAY] {
            shared.extend(short.to_le_bytes());
        }
        for word in [crc.sum(), length, length] {
            shared.extend(word.to_le_bytes());
        }
        shared.extend(name_length.to_le_bytes());
        shared.extend(0_u16.to_le_bytes());

        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&shared);
        self.bytes.extend(path.as_bytes());
        self.bytes.extend(content);

        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(MADE_BY.to_le_bytes());
        self.directory.extend(&shared);
        // Length of the comment, disk, internal attributes.
        self.directory.extend([0; 6]);
        self.directory.extend(MODE.to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(path.as_bytes());
        Ok(())
    }

    /// The whole zip.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, TooLarge> {
        let (offset, length) = (long(self.bytes.len())?, long(self.directory.len())?);
        self.bytes.append(&mut self.directory);
        self.bytes.extend(b"PK\x05\x06");
        // This disk, and the one that the directory begins on.
        self.bytes.extend([0; 4]);
        self.bytes.extend(self.files.to_le_bytes());
        self.bytes.extend(self.files.to_le_bytes());
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(offset.to_le_bytes());
        self.bytes.extend(0_u16.to_le_bytes());
        Ok(self.bytes)
    }
}

fn long(count: usize) -> Result<u32, TooLarge> {
    u32::try_from(count).map_err(|_| TooLarge)
}
