//! Restoring a backup into a new folder.
//!
//! The file may come from anywhere: entries are matched by their exact names in their exact order, no
//! path of the file is ever followed, and what does not fit its hash is refused.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write as _};
use std::path::Path;

use axum::body::Bytes;
use glasshour_protocol::jws::sha256_hex;
use glasshour_protocol::limits::MAX_PAYLOAD_BYTES;
use sha2::{Digest as _, Sha256};

use super::make::hex;
use super::{
    BackupError, DATABASE, END, End, FORMAT, Folders, MANIFEST, Manifest, PICTURES, Report,
};
use crate::objects::{LocalFolder, ObjectKey, Objects as _, private_file};
use crate::setup;
use crate::store::Db;

/// Longest JSON entry: the list of pictures that could not be had may be long.
const MAX_JSON: u64 = 64 * 1024 * 1024;

/// Restores a backup into a folder that is new or empty. Where that fails, the folder is as empty as
/// before.
///
/// # Errors
/// Where the folder holds something, the file is not a whole backup, or the disk refuses.
pub async fn restore(
    file: &Path,
    folders: Folders<'_>,
    progress: impl Fn(u64),
) -> Result<Report, BackupError> {
    let archive = File::open(file).map_err(|source| BackupError::Io {
        path: file.to_owned(),
        source,
    })?;
    setup::make_data_folder(folders.data)?;
    let restored = unpack(file, archive, folders, progress).await;
    if restored.is_err() {
        setup::remove_what_was_made(folders.data);
    }
    restored
}

async fn unpack(
    file: &Path,
    archive: File,
    folders: Folders<'_>,
    progress: impl Fn(u64),
) -> Result<Report, BackupError> {
    let not_whole = |reason: String| BackupError::NotWhole {
        path: file.to_owned(),
        reason,
    };
    let unreadable = |error: std::io::Error| not_whole(error.to_string());
    let mut archive = tar::Archive::new(std::io::BufReader::new(archive));
    let mut entries = archive.entries().map_err(unreadable)?;
    let mut next = || -> Result<(String, _), BackupError> {
        let entry = entries
            .next()
            .ok_or_else(|| not_whole("it was cut short".into()))?
            .map_err(unreadable)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        Ok((name, entry))
    };

    let (name, entry) = next()?;
    if name != MANIFEST {
        return Err(not_whole(format!("it begins with {name:?}")));
    }
    let manifest: Manifest = json(entry).map_err(unreadable)?;
    if !(1..=FORMAT).contains(&manifest.format) {
        return Err(not_whole(format!(
            "it is of format {}, and this version knows {FORMAT}: update Glasshour",
            manifest.format
        )));
    }
    let (name, entry) = next()?;
    if name != DATABASE {
        return Err(not_whole(format!(
            "{name:?} stands where the database should"
        )));
    }
    let database = setup::database_file(folders.data);
    let found = copy_private(entry, &database).map_err(|source| BackupError::Io {
        path: database.clone(),
        source,
    })?;
    if found != manifest.database_sha256 {
        return Err(not_whole("the database is damaged".into()));
    }
    let db = Db::open_sqlite(&database, false).await?;
    let companies = db.companies(u32::MAX).await?;
    let integrity = db.integrity_problem().await;
    db.close().await;
    let Some(first) = companies.first().copied() else {
        return Err(not_whole("the database holds no company".into()));
    };
    if let Some(problem) = integrity? {
        return Err(not_whole(format!("the database is damaged: {problem}")));
    }

    let objects = LocalFolder::open(&folders.objects())?;
    let mut pictures = 0;
    loop {
        let (name, entry) = next()?;
        if name == END {
            let end: End = json(entry).map_err(unreadable)?;
            if end.pictures != pictures {
                return Err(not_whole(format!(
                    "it should hold {} pictures, and holds {pictures}",
                    end.pictures
                )));
            }
            return Ok(Report { manifest, end });
        }
        let strange = || not_whole(format!("it holds {name:?}"));
        let picture = name.strip_prefix(PICTURES).ok_or_else(strange)?;
        let (company, hash) = match picture.split_once('/') {
            Some((company, hash)) => (company.parse().map_err(|_| strange())?, hash),
            None if manifest.format == 1 => (first, picture),
            None => return Err(strange()),
        };
        if !companies.contains(&company) {
            return Err(strange());
        }
        let key = ObjectKey::new(company, hash).map_err(|_| strange())?;
        let mut bytes = Vec::new();
        entry
            .take(MAX_PAYLOAD_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if sha256_hex(&bytes) != hash {
            return Err(not_whole(format!("the picture {hash} is damaged")));
        }
        objects.put(key, Bytes::from(bytes)).await?;
        pictures += 1;
        progress(pictures);
    }
}

fn json<T: serde::de::DeserializeOwned>(entry: impl Read) -> std::io::Result<T> {
    Ok(serde_json::from_reader(entry.take(MAX_JSON))?)
}

/// Copies to a new file of the owner's alone, durably, and returns the SHA-256.
fn copy_private(mut from: impl Read, to: &Path) -> std::io::Result<String> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private_file(&mut options);
    let mut file = options.open(to)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = match from.read(&mut buffer)? {
            0 => break,
            read => buffer.get(..read).unwrap_or_default(),
        };
        hash.update(read);
        file.write_all(read)?;
    }
    file.sync_all()?;
    Ok(hex(&hash.finalize()))
}
