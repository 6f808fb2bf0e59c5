//! Objects in a folder: `<company>/<2 hex>/<62 hex>`.
//!
//! Written to a temporary file in the same folder, flushed, renamed, and the folder flushed: after a
//! power cut an object is there whole or not at all. Folders are for their owner alone. What is
//! left of a write that was cut short is a `.tmp` file, which no read ever sees.

use std::collections::HashSet;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use glasshour_protocol::jws::sha256_hex;

use super::{ObjectError, ObjectKey, Objects};

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

    fn put_blocking(&self, key: &ObjectKey, bytes: &[u8]) -> std::io::Result<()> {
        let path = self.path(key);
        let fan = path.parent().ok_or(ErrorKind::InvalidInput)?;
        let company = fan.parent().ok_or(ErrorKind::InvalidInput)?;
        self.settle(company, &self.root)?;
        self.settle(fan, company)?;
        if is_whole(&path, bytes.len())? {
            // Whoever put it there may not have come to flushing its name yet.
            return flush_folder(fan);
        }
        let number = NEXT_TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let temporary = fan.join(format!("{}-{number}.tmp", std::process::id()));
        let written = write_flushed(&temporary, bytes)
            .and_then(|()| std::fs::rename(&temporary, &path))
            .and_then(|()| flush_folder(fan));
        if written.is_err() {
            // Best effort: a full disk should not also fill up with leftovers.
            let _ = std::fs::remove_file(&temporary);
        }
        written
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
        let this = self.clone();
        blocking("write", move || this.put_blocking(&key, &bytes))
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

fn write_flushed(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    private_file(&mut options);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
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
    use glasshour_protocol::CompanyId;
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
