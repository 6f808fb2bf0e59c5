//! Making a backup while the server goes on.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};

use glasshour_protocol::CompanyId;
use sha2::{Digest as _, Sha256};

use super::{
    BackupError, DATABASE, END, End, FORMAT, Folders, MANIFEST, Manifest, PICTURES, Report,
};
use crate::clock::Clock;
use crate::objects::{LocalFolder, ObjectError, ObjectKey, Objects as _, private_file};
use crate::setup;
use crate::store::Db;

/// Pictures that are asked for at a time.
const PAGE: i64 = 1000;

/// Writes everything of a data folder into a new file. `progress` hears how many pictures are in it so
/// far. The file is there when it is whole, and not before.
///
/// # Errors
/// Where the file exists, the data folder or the file cannot be used, or the database is PostgreSQL.
/// Pictures that are missing or damaged are no error: they are named in the report.
pub async fn make(
    folders: Folders<'_>,
    file: &Path,
    clock: &dyn Clock,
    progress: impl Fn(u64),
) -> Result<Report, BackupError> {
    if file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    let db = setup::open(folders.data, None).await?;
    let temporary = Temporary::beside(file)?;
    db.snapshot_into(&temporary.database).await?;
    db.close().await;

    let snapshot = Db::open_sqlite(&temporary.database, false).await?;
    let companies = snapshot.companies(u32::MAX).await?;
    let pictures = pictures(&snapshot, &companies).await?;
    let company = names(&snapshot, &companies).await?;
    snapshot.close().await;

    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Io { path, source }
    };
    let database_sha256 = sha256_of(&temporary.database).map_err(io(&temporary.database))?;
    let manifest = Manifest {
        format: FORMAT,
        made_at_ms: clock.now_ms(),
        server_version: env!("CARGO_PKG_VERSION").into(),
        company,
        database_sha256,
    };
    let objects = LocalFolder::open(&folders.objects())?;
    let written = write(&temporary, &manifest, &objects, pictures, progress);
    let end = written.await?;
    temporary.publish(file).map_err(io(file))?;
    Ok(Report { manifest, end })
}

/// The pictures that the rows of a database name: company by company, in the order of their hashes.
pub(crate) async fn pictures(
    snapshot: &Db,
    companies: &[CompanyId],
) -> Result<Vec<(CompanyId, String)>, BackupError> {
    let mut all: Vec<(CompanyId, String)> = Vec::new();
    for company in companies {
        let mut read = snapshot.read(*company).await?;
        let mut after = String::new();
        loop {
            let page = read.picture_hashes(&after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            all.extend(page.into_iter().map(|hash| (*company, hash)));
        }
    }
    Ok(all)
}

/// What a person reads: whose backup it is.
async fn names(snapshot: &Db, companies: &[CompanyId]) -> Result<String, BackupError> {
    let mut names = Vec::new();
    for id in companies {
        let company = snapshot.read(*id).await?.company().await?;
        names.extend(company.map(|company| company.name));
    }
    Ok(names.join(", "))
}

async fn write(
    temporary: &Temporary,
    manifest: &Manifest,
    objects: &LocalFolder,
    pictures: Vec<(CompanyId, String)>,
    progress: impl Fn(u64),
) -> Result<End, BackupError> {
    let io = |source| BackupError::Io {
        path: temporary.archive.clone(),
        source,
    };
    let file = OpenOptions::new()
        .write(true)
        .open(&temporary.archive)
        .map_err(io)?;
    let mut archive = tar::Builder::new(file);
    let seconds = u64::try_from(manifest.made_at_ms / 1000).unwrap_or(0);
    append_json(&mut archive, MANIFEST, seconds, manifest).map_err(io)?;
    let mut database = File::open(&temporary.database).map_err(io)?;
    let length = database.metadata().map_err(io)?.len();
    archive
        .append_data(&mut header(length, seconds), DATABASE, &mut database)
        .map_err(io)?;

    let mut end = End::default();
    for (company, hash) in pictures {
        match objects.read(ObjectKey::new(company, &hash)?).await {
            Err(ObjectError::Damaged { .. }) => end.damaged.push(hash),
            Err(error) => return Err(error.into()),
            Ok(None) => end.missing.push(hash),
            Ok(Some(bytes)) => {
                let length = bytes.len() as u64;
                archive
                    .append_data(
                        &mut header(length, seconds),
                        format!("{PICTURES}{company}/{hash}"),
                        bytes.as_slice(),
                    )
                    .map_err(io)?;
                end.pictures += 1;
                end.picture_bytes += length;
                progress(end.pictures);
            }
        }
    }
    append_json(&mut archive, END, seconds, &end).map_err(io)?;
    let file = archive.into_inner().map_err(io)?;
    file.sync_all().map_err(io)?;
    Ok(end)
}

fn append_json(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    seconds: u64,
    content: &impl serde::Serialize,
) -> std::io::Result<()> {
    let json = serde_json::to_vec_pretty(content)?;
    archive.append_data(
        &mut header(json.len() as u64, seconds),
        name,
        json.as_slice(),
    )
}

fn header(length: u64, seconds: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_size(length);
    header.set_mode(0o600);
    header.set_mtime(seconds);
    header
}

fn sha256_of(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(buffer.get(..read).unwrap_or_default()),
        }
    }
    Ok(hex(&hash.finalize()))
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The files under work, beside the one that is to be; gone when this is dropped.
struct Temporary {
    archive: PathBuf,
    database: PathBuf,
}

impl Temporary {
    fn beside(file: &Path) -> Result<Self, BackupError> {
        let name = |ending: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(format!(".{}.{ending}", std::process::id()));
            PathBuf::from(name)
        };
        let this = Self {
            archive: name("part"),
            database: name("database"),
        };
        for path in [&this.archive, &this.database] {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            private_file(&mut options);
            options.open(path).map_err(|source| BackupError::Io {
                path: path.clone(),
                source,
            })?;
        }
        Ok(this)
    }

    /// Gives the archive its name, durably. Not over a file that has come meanwhile.
    fn publish(&self, file: &Path) -> std::io::Result<()> {
        std::fs::hard_link(&self.archive, file)?;
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.archive);
        let _ = std::fs::remove_file(&self.database);
        for ending in ["-wal", "-shm"] {
            let mut name = self.database.clone().into_os_string();
            name.push(ending);
            let _ = std::fs::remove_file(name);
        }
    }
}
