//! What a server does by itself beside its requests: it deletes what has had its time, removes pictures that no
//! record names, and compares every picture with its hash, again and again.
//!
//! A crash between a picture and its row leaves the picture: it is swept at the start and every few
//! hours, when it is old enough that no server can still be about to write its row. The comparison reads
//! at a bounded rate; what it finds is marked and logged, and never shown in any case.

use std::collections::HashSet;
use std::time::Duration;

use glasshour_protocol::CompanyId;
use tokio_util::sync::CancellationToken;

use crate::objects::{ObjectError, ObjectKey};
use crate::store::StoreError;
use crate::{AppState, asker, people};

/// How old a picture without a row is before it is removed, milliseconds.
pub const OLD_MS: i64 = 60 * 60_000;
/// How often what has had its time is deleted.
const RETENTION_EVERY: Duration = Duration::from_hours(1);
const SWEEP_EVERY: Duration = Duration::from_hours(6);
const SCRUB_EVERY: Duration = Duration::from_hours(24);
/// How fast pictures are read to be compared.
const SCRUB_BYTES_PER_S: u32 = 4 * 1024 * 1024;
const COMPANIES: u32 = u32::MAX;
const PAGE: i64 = 200;
const MOST_MARKS: u32 = 10_000;

/// Why a round was not finished; the next one begins anew.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The pictures.
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

/// Runs until it is cancelled.
pub(crate) async fn run(state: AppState, cancel: CancellationToken) {
    let deleting = async {
        loop {
            let now_ms = state.clock.now_ms();
            let done = asker::as_server(now_ms, people::hold_to_retention(&state)).await;
            // What one turn could not do is left to the next.
            if let Err(error) = done {
                error.log();
            }
            tokio::time::sleep(RETENTION_EVERY).await;
        }
    };
    let sweeping = async {
        loop {
            match sweep(&state).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "pictures that no record names are removed"),
                Err(error) => tracing::warn!(%error, "pictures without a record are left for now"),
            }
            tokio::time::sleep(SWEEP_EVERY).await;
        }
    };
    let scrubbing = async {
        loop {
            match scrub(&state, Some(SCRUB_BYTES_PER_S)).await {
                Ok(found) => tracing::info!(?found, "every picture was compared with its hash"),
                Err(error) => tracing::warn!(%error, "the pictures could not all be compared"),
            }
            tokio::time::sleep(SCRUB_EVERY).await;
        }
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = deleting => {}
        () = sweeping => {}
        () = scrubbing => {}
    }
}

/// Removes pictures that no record names and what writes that were cut short have left; returns how
/// many.
pub async fn sweep(state: &AppState) -> Result<u64, UpkeepError> {
    let before_ms = state.clock.now_ms().saturating_sub(OLD_MS);
    let mut removed = 0;
    for company in state.db.companies(COMPANIES).await? {
        for part in 0..=u8::MAX {
            let old = state.objects.older_than(company, part, before_ms).await?;
            let unnamed = unnamed(state, company, old).await?;
            if unnamed.is_empty() {
                continue;
            }
            // From here on no record is stored, so that what is asked again stays true.
            let _alone = state.committer.keep_out().await;
            for sha256 in self::unnamed(state, company, unnamed).await? {
                let key = ObjectKey::new(company, &sha256)?;
                removed += u64::from(state.objects.remove(key, before_ms).await?);
            }
        }
        removed += state.objects.remove_leftovers(company, before_ms).await?;
    }
    Ok(removed)
}

async fn unnamed(
    state: &AppState,
    company: CompanyId,
    hashes: Vec<String>,
) -> Result<Vec<String>, UpkeepError> {
    if hashes.is_empty() {
        return Ok(hashes);
    }
    let mut read = state.read(company).await?;
    let mut unnamed = Vec::new();
    for sha256 in hashes {
        if !read.is_named(&sha256).await? {
            unnamed.push(sha256);
        }
    }
    Ok(unnamed)
}

/// What a comparison has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// As they were stored.
    pub good: u64,
    /// Other bytes than were stored.
    pub damaged: u64,
    /// Not there.
    pub missing: u64,
}

/// Compares every picture that a record names with its hash and marks those that are not as they were
/// stored; `rate`: bytes a second at the most.
pub async fn scrub(state: &AppState, rate: Option<u32>) -> Result<Scrubbed, UpkeepError> {
    let mut found = Scrubbed::default();
    for company in state.db.companies(COMPANIES).await? {
        // From anywhere and around: a server that is restarted often comes to all of them too.
        let begin = uuid::Uuid::new_v4().simple().to_string();
        let mut after = begin.clone();
        let mut around = false;
        loop {
            let mut read = state.read(company).await?;
            let mut page = read.picture_hashes(&after, PAGE).await?;
            let marked: HashSet<_> = read
                .damaged_pictures(MOST_MARKS)
                .await?
                .into_iter()
                .map(|picture| picture.payload_sha256)
                .collect();
            drop(read);
            if around {
                page.retain(|sha256| *sha256 <= begin);
            }
            let Some(last) = page.last().cloned() else {
                if around {
                    break;
                }
                (around, after) = (true, String::new());
                continue;
            };
            for sha256 in page {
                compare(state, company, &sha256, &marked, (&mut found, rate)).await?;
            }
            after = last;
        }
    }
    Ok(found)
}

async fn compare(
    state: &AppState,
    company: CompanyId,
    sha256: &str,
    marked: &HashSet<String>,
    (found, rate): (&mut Scrubbed, Option<u32>),
) -> Result<(), UpkeepError> {
    let key = ObjectKey::new(company, sha256)?;
    let what = match state.objects.read(key).await {
        Ok(Some(bytes)) => {
            found.good += 1;
            if let Some(rate) = rate.filter(|rate| *rate > 0) {
                tokio::time::sleep(Duration::from_secs(bytes.len() as u64) / rate).await;
            }
            None
        }
        Ok(None) => {
            found.missing += 1;
            Some("missing")
        }
        Err(ObjectError::Damaged { .. }) => {
            found.damaged += 1;
            Some("damaged")
        }
        Err(error) => return Err(error.into()),
    };
    if what.is_none() && !marked.contains(sha256) {
        return Ok(());
    }
    let mut write = state.write(company).await?;
    match what {
        None => write.unmark_damaged(sha256).await?,
        Some(what) => {
            tracing::error!(
                sha256,
                what,
                "a picture is not as it was stored; restore it from a backup"
            );
            let now_ms = state.clock.now_ms();
            write.mark_damaged(sha256, what, now_ms).await?;
        }
    }
    write.commit().await?;
    Ok(())
}
