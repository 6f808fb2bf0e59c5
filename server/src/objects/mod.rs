//! Where pictures lie: a store of immutable objects, each named by the SHA-256 of its bytes.
//!
//! An object is durable when [`Objects::put`] returns; putting the same one twice, even at once,
//! changes nothing. There is no overwriting. What no row names is listed and removed by `upkeep.rs`; what
//! was erased or has had its time is deleted by `people/erasure.rs`. Nobody else removes anything.

mod local;

pub use local::LocalFolder;
pub(crate) use local::{make_private_folder, private_file};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use glasshour_protocol::CompanyId;

/// The name of an object: its company and its hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectKey {
    company: CompanyId,
    sha256: String,
}

impl ObjectKey {
    /// Names an object; `sha256` must be 64 lower-case hexadecimal digits, so that no name can
    /// lead out of the store.
    pub fn new(company: CompanyId, sha256: &str) -> Result<Self, ObjectError> {
        let hex = sha256
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if sha256.len() != 64 || !hex {
            return Err(ObjectError::Key);
        }
        Ok(Self {
            company,
            sha256: sha256.to_owned(),
        })
    }
}

/// Why an object could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The name is not a SHA-256.
    #[error("an object's name must be a SHA-256 in lower-case hexadecimal")]
    Key,
    /// What lies there is not what was stored: the disk has altered it, or somebody has.
    #[error("the picture {sha256} is not as it was stored; restore it from a backup")]
    Damaged {
        /// The hash of what was stored.
        sha256: String,
    },
    /// No room: try again later.
    #[error("the disk that holds the pictures is full")]
    Full(#[source] std::io::Error),
    /// The disk refused.
    #[error("the object store could not {action}")]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// Why not.
        source: std::io::Error,
    },
}

/// A store of immutable objects.
pub trait Objects: Send + Sync + std::fmt::Debug {
    /// Keeps an object; durable when it returns. The caller has checked that the bytes have that hash.
    fn put(
        &self,
        key: ObjectKey,
        bytes: axum::body::Bytes,
    ) -> BoxFuture<'_, Result<(), ObjectError>>;

    /// Keeps several, sharing what flushes they can; durable each as [`put`](Self::put) says, one
    /// answer for each in their order. The same one may be among them twice.
    fn put_all(
        &self,
        objects: Vec<(ObjectKey, axum::body::Bytes)>,
    ) -> BoxFuture<'_, Vec<Result<(), ObjectError>>> {
        async move {
            let mut kept = Vec::with_capacity(objects.len());
            for (key, bytes) in objects {
                kept.push(self.put(key, bytes).await);
            }
            kept
        }
        .boxed()
    }

    /// Reads an object and checks that it has its hash; `None` where there is none.
    fn read(&self, key: ObjectKey) -> BoxFuture<'_, Result<Option<Vec<u8>>, ObjectError>>;

    /// The names of a company's objects that begin with that byte and were last put before that moment
    /// (UTC milliseconds).
    fn older_than(
        &self,
        company: CompanyId,
        part: u8,
        before_ms: i64,
    ) -> BoxFuture<'_, Result<Vec<String>, ObjectError>>;

    /// Removes an object that was last put before that moment; false where it was put since, or is not
    /// there. The caller knows that nobody needs it.
    fn remove(&self, key: ObjectKey, before_ms: i64) -> BoxFuture<'_, Result<bool, ObjectError>>;

    /// Removes what writes that were cut short before that moment have left; how many.
    fn remove_leftovers(
        &self,
        company: CompanyId,
        before_ms: i64,
    ) -> BoxFuture<'_, Result<u64, ObjectError>>;

    /// Deletes an object for good; one that is not there is no error. The caller has checked that nothing
    /// names it any more.
    fn delete(&self, key: ObjectKey) -> BoxFuture<'_, Result<(), ObjectError>>;

    /// Whether objects can be kept now.
    fn ping(&self) -> BoxFuture<'_, Result<(), ObjectError>>;
}
