//! Objects in a folder: `<company>/<2 hex>/<62 hex>`.
//!
//! Written to a temporary file in the same folder, flushed, renamed, and the folder flushed: after a
//! power cut an object is there whole or not at all. Folders are for their owner alone. What is
//! left of a write that was cut short is a `.tmp` file, which no read ever sees.

use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use glasshour_protocol::CompanyId;
use glasshour_protocol::jws::sha256_hex;

use super::{ObjectError, ObjectKey, Objects};
use crate::clock::SystemClock;

/// A folder of objects.
#[derive(Clone, Debug)]
pub struct LocalFolder {
    root: Arc<Path>,
    /// Folders whose own name is known to be on disk; at most 257 a company.
    settled: Arc<Mutex<HashSet<PathBuf>>>,
}

/// Makes temporary names unique within the process; the process id makes them so beyond it.
static NEXT_TEMPORARY: AtomicU64 = AtomicU64::new(0);

impl LocalFolder {
    /// Uses a folder, making it where it is missing.
    pub fn open(root: &Path) -> Result<Self, ObjectError> {
        let io = |source| io_error("open the folder", source);
        make_private_folder(root).map_err(io)?;
        // The real path: every read is checked to stay beneath it.
        let root = root.canonicalize().map_err(io)?;
        Ok(Self {
            root: root.into(),
            settled: Arc::default(),
        })
    }

    fn path(&self, key: &ObjectKey) -> PathBuf {
        let (fan, rest) = key.sha256.split_at(2);
        self.root.join(key.company.to_string()).join(fan).join(rest)
    }

    /// Writes all, then flushes all, then names all, then flushes each folder once: the first flush
    /// takes along what the file system has gathered for the others.
    fn put_blocking(&self, objects: &[(ObjectKey, Bytes)]) -> Vec<std::io::Result<()>> {
        let mut written: HashMap<PathBuf, std::io::Result<Writing>> = HashMap::new();
        for (key, bytes) in objects {
            written
                .entry(self.path(key))
                .or_insert_with_key(|path| self.write(path, bytes));
        }
        for writing in written.values_mut() {
            then(writing, Writing::flush);
        }
        for (path, writing) in &mut written {
            then(writing, |writing| writing.name(path));
        }
        let mut folders: HashMap<PathBuf, Option<(ErrorKind, String)>> = HashMap::new();
        for (path, writing) in &mut written {
            let fan = path.parent().unwrap_or(path).to_owned();
            if writing.is_err() {
                continue;
            }
            let failed = folders.entry(fan).or_insert_with_key(|fan| {
                let flushed = flush_folder(fan).err();
                flushed.map(|error| (error.kind(), error.to_string()))
            });
            if let Some((kind, why)) = failed {
                let error = std::io::Error::new(*kind, why.clone());
                // Another flush might claim that the name is on disk: it must be given anew.
                if let Ok(writing) = std::mem::replace(writing, Err(error)) {
                    writing.take_back(path);
                }
            }
        }
        let answer = |key: &ObjectKey| match written.get(&self.path(key)) {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(std::io::Error::new(error.kind(), error.to_string())),
            None => Err(ErrorKind::NotFound.into()),
        };
        objects.iter().map(|(key, _)| answer(key)).collect()
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> std::io::Result<Writing> {
        let fan = path.parent().ok_or(ErrorKind::InvalidInput)?;
        let company = fan.parent().ok_or(ErrorKind::InvalidInput)?;
        self.settle(company, &self.root)?;
        self.settle(fan, company)?;
        if is_whole(path, bytes.len())? {
            // Whoever put it there may not have come to flushing its name yet. It is young again: what
            // removes pictures without a row looks at old ones only.
            let file = std::fs::File::open(path)?;
            file.set_modified(SystemClock::system_time())?;
            return Ok(Writing::There);
        }
        let number = NEXT_TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let temporary = fan.join(format!("{}-{number}.tmp", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        private_file(&mut options);
        let file = options.open(&temporary)?;
        let mut writing = Writing::Temporary { temporary, file };
        writing.fill(bytes)?;
        Ok(writing)
    }

    /// Makes a folder and its name durable, once per process.
    fn settle(&self, folder: &Path, parent: &Path) -> std::io::Result<()> {
        let settled = || self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        if settled().contains(folder) {
            return Ok(());
        }
        make_private_folder(folder)?;
        flush_folder(parent)?;
        settled().insert(folder.to_owned());
        Ok(())
    }

    fn read_blocking(&self, key: &ObjectKey) -> std::io::Result<Option<Vec<u8>>> {
        let path = match self.path(key).canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if !path.starts_with(&self.root) {
            return Err(std::io::Error::new(
                ErrorKind::PermissionDenied,
                "the object's path leads out of the store",
            ));
        }
        std::fs::read(path).map(Some)
    }
}

impl Objects for LocalFolder {
    fn put(&self, key: ObjectKey, bytes: Bytes) -> BoxFuture<'_, Result<(), ObjectError>> {
        let kept = self.put_all(vec![(key, bytes)]);
        async move {
            let first = kept.await.pop();
            first.unwrap_or_else(|| Err(io_error("write", ErrorKind::NotFound.into())))
        }
        .boxed()
    }

    fn put_all(
        &self,
        objects: Vec<(ObjectKey, Bytes)>,
    ) -> BoxFuture<'_, Vec<Result<(), ObjectError>>> {
        let this = self.clone();
        let count = objects.len();
        async move {
            let kept = tokio::task::spawn_blocking(move || this.put_blocking(&objects)).await;
            match kept {
                Ok(kept) => kept
                    .into_iter()
                    .map(|kept| kept.map_err(|source| io_error("write", source)))
                    .collect(),
                Err(stopped) => {
                    let stopped = stopped.to_string();
                    let failed = || io_error("write", std::io::Error::other(stopped.clone()));
                    (0..count).map(|_| Err(failed())).collect()
                }
            }
        }
        .boxed()
    }

    fn read(&self, key: ObjectKey) -> BoxFuture<'_, Result<Option<Vec<u8>>, ObjectError>> {
        let this = self.clone();
        async move {
            let name = key.sha256.clone();
            let read = blocking("read", move || {
                let bytes = this.read_blocking(&key)?;
                Ok(bytes.map(|bytes| (sha256_hex(&bytes), bytes)))
            });
            match read.await? {
                None => Ok(None),
                Some((found, bytes)) if found == name => Ok(Some(bytes)),
                Some(_) => Err(ObjectError::Damaged { sha256: name }),
            }
        }
        .boxed()
    }

    fn older_than(
        &self,
        company: CompanyId,
        part: u8,
        before_ms: i64,
    ) -> BoxFuture<'_, Result<Vec<String>, ObjectError>> {
        let fan = format!("{part:02x}");
        let folder = self.root.join(company.to_string()).join(&fan);
        blocking("list", move || {
            let mut names = Vec::new();
            for entry in entries(&folder)? {
                let entry = entry?;
                let name = format!("{fan}{}", entry.file_name().to_string_lossy());
                if ObjectKey::new(company, &name).is_ok() && is_older(&entry.path(), before_ms)? {
                    names.push(name);
                }
            }
            Ok(names)
        })
    }

    fn remove(&self, key: ObjectKey, before_ms: i64) -> BoxFuture<'_, Result<bool, ObjectError>> {
        let path = self.path(&key);
        blocking("remove", move || {
            let old = is_older(&path, before_ms)?;
            if old {
                std::fs::remove_file(&path)?;
            }
            Ok(old)
        })
    }

    fn remove_leftovers(
        &self,
        company: CompanyId,
        before_ms: i64,
    ) -> BoxFuture<'_, Result<u64, ObjectError>> {
        let company = self.root.join(company.to_string());
        blocking("remove", move || {
            let mut removed = 0;
            for fan in entries(&company)? {
                for entry in entries(&fan?.path())? {
                    let path = entry?.path();
                    if path.extension().is_some_and(|end| end == "tmp")
                        && is_older(&path, before_ms)?
                    {
                        std::fs::remove_file(&path)?;
                        removed += 1;
                    }
                }
            }
            Ok(removed)
        })
    }

    fn delete(&self, key: ObjectKey) -> BoxFuture<'_, Result<(), ObjectError>> {
        let path = self.path(&key);
        blocking("delete", move || match std::fs::remove_file(&path) {
            Ok(()) => path.parent().map_or(Ok(()), flush_folder),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ObjectError>> {
        let root = Arc::clone(&self.root);
        blocking("look into the folder", move || {
            std::fs::metadata(&root).map(drop)
        })
    }
}

fn blocking<T: Send + 'static>(
    action: &'static str,
    run: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> BoxFuture<'static, Result<T, ObjectError>> {
    async move {
        tokio::task::spawn_blocking(run)
            .await
            .unwrap_or_else(|stopped| Err(std::io::Error::other(stopped)))
            .map_err(|source| io_error(action, source))
    }
    .boxed()
}

fn io_error(action: &'static str, source: std::io::Error) -> ObjectError {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ObjectError::Full(source),
        _ => ObjectError::Io { action, source },
    }
}

/// Whether a file of that length stands under its final name: it only gets there whole.
fn is_whole(path: &Path, len: usize) -> std::io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(found.is_file() && found.len() == len as u64),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// What is in a folder; nothing where it is not there.
fn entries(
    folder: &Path,
) -> std::io::Result<impl Iterator<Item = std::io::Result<std::fs::DirEntry>>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(error) => Err(error),
    }
}

/// Whether a file is there and was last written before that moment.
fn is_older(path: &Path, before_ms: i64) -> std::io::Result<bool> {
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let written = jiff::Timestamp::try_from(found.modified()?).map_err(std::io::Error::other)?;
    Ok(found.is_file() && written.as_millisecond() < before_ms)
}

/// An object on its way to disk.
enum Writing {
    /// It was there before.
    There,
    /// Under a name that no read ever sees.
    Temporary {
        temporary: PathBuf,
        file: std::fs::File,
    },
    /// Under its own name.
    Named,
}

impl Writing {
    fn fill(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.or_remove(|file| file.write_all(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.or_remove(|file| file.sync_all())
    }

    /// Does something with the file; where that fails, a full disk should not also fill up with
    /// leftovers.
    fn or_remove(
        &mut self,
        run: impl FnOnce(&mut std::fs::File) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let Self::Temporary { temporary, file } = self else {
            return Ok(());
        };
        let done = run(file);
        if done.is_err() {
            let _ = std::fs::remove_file(temporary);
        }
        done
    }

    fn name(&mut self, path: &Path) -> std::io::Result<()> {
        if let Self::Temporary { temporary, .. } = self {
            let named = std::fs::rename(&*temporary, path);
            if named.is_err() {
                let _ = std::fs::remove_file(temporary);
                return named;
            }
            *self = Self::Named;
        }
        Ok(())
    }

    fn take_back(self, path: &Path) {
        if matches!(self, Self::Named) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Goes on with what has not failed yet.
fn then(
    writing: &mut std::io::Result<Writing>,
    step: impl FnOnce(&mut Writing) -> std::io::Result<()>,
) {
    if let Ok(going) = writing
        && let Err(error) = step(going)
    {
        *writing = Err(error);
    }
}

/// Makes a folder (and what is missing above it) that its owner alone can look into.
pub(crate) fn make_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes files that are created with these options the owner's alone.
pub(crate) fn private_file(options: &mut std::fs::OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

/// Makes renames and new names in a folder durable.
fn flush_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn key(bytes: &[u8]) -> ObjectKey {
        ObjectKey::new(CompanyId(Uuid::from_u128(1)), &sha256_hex(bytes)).unwrap()
    }

    #[tokio::test]
    async fn what_was_put_is_read_back_and_nothing_temporary_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalFolder::open(folder.path()).unwrap();
        store
            .put(key(b"picture"), Bytes::from_static(b"picture"))
            .await
            .unwrap();
        assert_eq!(
            store.read(key(b"picture")).await.unwrap().unwrap(),
            b"picture"
        );
        assert_eq!(store.read(key(b"another")).await.unwrap(), None);
        let fan = store.path(&key(b"picture"));
        assert_eq!(std::fs::read_dir(fan.parent().unwrap()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn the_same_object_put_at_once_is_kept_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalFolder::open(folder.path()).unwrap();
        let bytes = Bytes::from(vec![7_u8; 200_000]);
        let puts = (0..16).map(|_| store.put(key(&bytes), bytes.clone()));
        for put in futures_util::future::join_all(puts).await {
            put.unwrap();
        }
        assert_eq!(store.read(key(&bytes)).await.unwrap().unwrap(), bytes);
    }

    #[tokio::test]
    async fn what_the_disk_has_altered_is_never_given_out() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalFolder::open(folder.path()).unwrap();
        let key = key(b"picture");
        store
            .put(key.clone(), Bytes::from_static(b"picture"))
            .await
            .unwrap();
        std::fs::write(store.path(&key), b"pictvre").unwrap();
        assert!(matches!(
            store.read(key.clone()).await,
            Err(ObjectError::Damaged { sha256 }) if sha256 == key.sha256
        ));
    }

    #[tokio::test]
    async fn a_deleted_object_is_gone_and_deleting_it_again_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalFolder::open(folder.path()).unwrap();
        let key = key(b"picture");
        store
            .put(key.clone(), Bytes::from_static(b"picture"))
            .await
            .unwrap();
        for _ in 0..2 {
            store.delete(key.clone()).await.unwrap();
        }
        assert_eq!(store.read(key).await.unwrap(), None);
    }

    #[test]
    fn a_name_that_is_not_a_hash_is_refused() {
        let company = CompanyId(Uuid::from_u128(1));
        for bad in ["../../etc/passwd", "", &"A".repeat(64), &"a".repeat(63)] {
            assert!(
                matches!(ObjectKey::new(company, bad), Err(ObjectError::Key)),
                "{bad}"
            );
        }
    }

    #[tokio::test]
    async fn a_link_that_leads_out_of_the_folder_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        let store = LocalFolder::open(folder.path()).unwrap();
        let path = store.path(&key(b"x"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(outside.path(), &path).unwrap();
        assert!(matches!(
            store.read(key(b"x")).await,
            Err(ObjectError::Io { .. })
        ));
    }

    #[test]
    fn folders_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("objects");
        LocalFolder::open(&root).unwrap();
        assert_eq!(
            std::fs::metadata(root).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
}
