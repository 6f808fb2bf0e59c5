//! Who looked at whom, while the database has no room to write it down.
//!
//! A picture is shown only when its look is on disk. Where the database refuses for want of room, the look goes into
//! a small file whose room was taken beforehand ([`slots`]), and from there into the database at the
//! next moment when that can be written, and at every start. Each has the id of its row, so that one that was
//! written twice is there once. When the file is full as well, nothing is shown.

mod journal;
mod slots;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::asker::{self, Asker};
use crate::error::ApiError;
use crate::store::{NewView, StoreError};
use crate::{AppState, people};
use glasshour_protocol::CompanyId;
use journal::{Journal, KeepError, Kept};

/// How often it is tried where nothing tells that there is room again.
const TRY_EVERY: Duration = Duration::from_secs(5);
/// How often it is tried to make the file where that failed.
const MAKE_EVERY: Duration = Duration::from_mins(1);

/// The looks that wait. Cheap to clone; by default there is no file, and nothing can wait.
#[derive(Clone, Debug, Default)]
pub struct Looks(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    file: Option<PathBuf>,
    journal: Mutex<Option<Journal>>,
    waiting: AtomicUsize,
    written: Notify,
    /// One at a time, so that nothing is noted twice.
    settling: tokio::sync::Mutex<()>,
}

impl Looks {
    /// Opens the file, making it where it is missing. Where that fails it is tried again, and until then
    /// nothing can wait.
    pub fn open(file: &Path) -> Self {
        let looks = Self(Arc::new(Inner {
            file: Some(file.to_owned()),
            ..Inner::default()
        }));
        let opened = looks.with(|journal| journal.waiting());
        if let Err(error) = opened {
            tracing::warn!(%error, file = %file.display(), "while the disk is full, no picture can be shown");
        }
        looks
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// The database was written, so it may be worth a try.
    pub(crate) fn database_was_written(&self) {
        if self.waiting() > 0 {
            self.0.written.notify_one();
        }
    }

    /// Does something with the journal, which may touch the disk.
    fn with<T>(&self, run: impl FnOnce(&mut Journal) -> T) -> std::io::Result<T> {
        let mut journal = self
            .0
            .journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let journal = match (journal.as_mut(), &self.0.file) {
            (Some(journal), _) => journal,
            (None, None) => return Err(std::io::ErrorKind::Unsupported.into()),
            (None, Some(file)) => journal.insert(Journal::open(file)?),
        };
        let done = run(journal);
        self.0.waiting.store(journal.waiting(), Ordering::Relaxed);
        Ok(done)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut Journal) -> T + Send + 'static,
    ) -> std::io::Result<T> {
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || this.with(run)).await;
        done.unwrap_or_else(|stopped| Err(std::io::Error::other(stopped)))
    }

    /// Keeps looks that the database has no room for: on disk when it returns. `asker`: the audit log has
    /// to have them too.
    pub(crate) async fn keep(
        &self,
        company_id: CompanyId,
        views: Vec<NewView>,
        asker: Option<Asker>,
    ) -> Result<(), ApiError> {
        let looks = views.into_iter().map(|view| Kept {
            id: Uuid::now_v7(),
            version: 0,
            company_id,
            first_at_ms: view.at_ms,
            view,
            asker: asker.clone(),
        });
        let looks: Vec<_> = looks.collect();
        let kept = self.blocking(|journal| journal.keep(looks)).await;
        kept.map_err(KeepError::from)
            .flatten()
            .map_err(ApiError::storage_full)?;
        self.0.written.notify_one();
        Ok(())
    }

    /// Writes what waits into the database. The error is the first; what it concerns goes on waiting.
    pub async fn settle(&self, state: &AppState) -> Result<(), ApiError> {
        let _alone = self.0.settling.lock().await;
        if self.waiting() == 0 {
            return Ok(());
        }
        let mut failed = Ok(());
        for look in self
            .blocking(|journal| journal.all())
            .await
            .map_err(ApiError::internal)?
        {
            let written = people::write_kept_look(
                state,
                look.company_id,
                (look.id, look.first_at_ms),
                &look.view,
            );
            let written = match &look.asker {
                None => written.await,
                Some(asker) => asker::as_it_was(asker.clone(), written).await,
            };
            match written {
                Ok(()) => {
                    let settled = self.blocking(move |journal| journal.settle(&[look])).await;
                    settled.flatten().map_err(ApiError::internal)?;
                }
                Err(error) if is_full(&error) => return Err(error),
                Err(error) => failed = failed.and(Err(error)),
            }
        }
        failed
    }

    /// Runs until it is cancelled.
    pub(crate) async fn run(state: AppState, cancel: CancellationToken) {
        let looks = state.looks.clone();
        let mut told = false;
        loop {
            let opened = looks.blocking(|journal| journal.waiting()).await;
            let settled = looks.settle(&state).await;
            match settled {
                Ok(()) if told => {
                    tracing::info!("the looks that waited are written down");
                    told = false;
                }
                Err(error) if !told => {
                    error.log();
                    tracing::warn!(waiting = looks.waiting(), "looks wait to be written down");
                    told = true;
                }
                Ok(()) | Err(_) => {}
            }
            let pause = match opened {
                Err(_) => MAKE_EVERY,
                Ok(_) if looks.waiting() > 0 => TRY_EVERY,
                Ok(_) => Duration::MAX,
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = looks.0.written.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// Whether the database has no room, so that a look has to wait.
pub(crate) fn is_full(error: &ApiError) -> bool {
    error.code == glasshour_protocol::code::STORAGE_FULL
}

/// What somebody was seen to do of late is not worth a refusal: goes on where only the disk is full.
pub(crate) fn unless_full(done: Result<(), StoreError>) -> Result<(), StoreError> {
    match done {
        Err(StoreError::DiskFull(_)) => Ok(()),
        done => done,
    }
}
