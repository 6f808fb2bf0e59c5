//! `backup` and `restore`: everything a server holds, in one file.
//!
//! # Layout
//! A tar file (POSIX ustar) of exactly these entries, in this order:
//!
//! | entry | is |
//! |---|---|
//! | `manifest.json` | [`Manifest`]: format, companies, SHA-256 of the database |
//! | `database.sqlite` | a snapshot of the database |
//! | `pictures/<company>/<sha256>` | each picture that a row of the snapshot names, in this order |
//! | `end.json` | [`End`]: how many pictures there are, and which could not be had |
//!
//! # Why it is consistent although the server goes on
//! A picture is on disk before its row is, never changes, and is named by its hash: whatever the
//! snapshot names can still be read after the snapshot was taken. A file without `end.json` was cut
//! short, and is refused. Format 1, from when a server held one company, has `pictures/<sha256>`. Each hash is checked when it is written and again when it is restored.
//!
//! # What it is worth protecting
//! It holds the license-signing key and everybody's captures: it is made for its owner alone.

mod make;
mod restore;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::objects::ObjectError;
use crate::setup::{self, SetupError};
use crate::store::{SnapshotError, StoreError};

pub use make::make;
pub(crate) use make::pictures;
pub use restore::restore;

/// Version of the layout.
const FORMAT: u32 = 2;
const MANIFEST: &str = "manifest.json";
const DATABASE: &str = "database.sqlite";
const PICTURES: &str = "pictures/";
const END: &str = "end.json";

/// Where a server keeps its things.
#[derive(Clone, Copy, Debug)]
pub struct Folders<'a> {
    /// The data folder, with the database.
    pub data: &'a Path,
    /// The folder of pictures where it is not in the data folder.
    pub objects: Option<&'a Path>,
}

impl Folders<'_> {
    fn objects(&self) -> PathBuf {
        self.objects
            .map_or_else(|| setup::objects_folder(self.data), Path::to_owned)
    }
}

/// The first entry: what the file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the layout: 2.
    pub format: u32,
    /// When it was made, UTC milliseconds.
    pub made_at_ms: i64,
    /// The version of the server that made it.
    pub server_version: String,
    /// Whose it is: names, separated by commas.
    pub company: String,
    /// SHA-256 (hex) of the database.
    pub database_sha256: String,
}

/// The last entry: the file is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How many pictures there are in it.
    pub pictures: u64,
    /// Their bytes.
    pub picture_bytes: u64,
    /// Pictures that rows name and that were not there, by their hash.
    pub missing: Vec<String>,
    /// Pictures that were there, and were other bytes than when they were stored.
    pub damaged: Vec<String>,
}

impl End {
    /// Whether every picture is in the file as it was stored.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.damaged.is_empty()
    }
}

/// What was done.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The first entry.
    pub manifest: Manifest,
    /// The last entry.
    pub end: End,
}

/// Why there is no backup, or nothing was restored from it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Nothing is ever written over.
    #[error("{} exists already; a backup is never written over something: name another file", .0.display())]
    Exists(PathBuf),
    /// This program copies SQLite files only.
    #[error(
        "this server's database is PostgreSQL: take it with pg_dump, and after that copy the folder \
         of pictures; in this order, every picture that the dump names is in the copy"
    )]
    Postgres,
    /// The disk refused.
    #[error("cannot use {}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no backup, or not all of one.
    #[error("{} is not a whole Glasshour backup: {reason}", path.display())]
    NotWhole {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The data folder.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The database.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// The pictures.
    #[error("the pictures: {0}")]
    Objects(#[from] ObjectError),
}

impl From<SnapshotError> for BackupError {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Postgres => Self::Postgres,
            SnapshotError::Store(error) => Self::Store(error),
        }
    }
}
