//! Room in memory for what is under way: payloads on their way to disk, passwords that are hashed. Nobody
//! begins before there is room for it; whoever finds none within a few seconds is told to come back (503), so
//! that a rush costs time and not memory.
//!
//! A payload takes room for its first bytes once some are here, and for the rest when those are: a crowd of
//! senders that drip, or never come to it, leaves that room to others. The two are apart, so that those that have
//! begun never hold what they all need to end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// What all that is under way may take together: a password, or the largest payload, fits once.
const DEFAULT_BYTES: usize = 20 * 1024 * 1024;
/// And beside that, what has begun: its first bytes.
const LEAST_FIRST_BYTES: usize = 512 * 1024;
/// What a connection may have read ahead: what a request takes beside its payload.
pub(crate) const BESIDE_BYTES: u32 = 32 * 1024;
/// How much of a payload comes before any room is taken: what a connection costs by itself.
pub(crate) const AWAITED_BYTES: usize = 1024;
/// How much of a payload comes before room for all of it is taken.
pub(crate) const FIRST_BYTES: usize = 16 * 1024;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);
const UNIT: u64 = 1024;

/// The room that is left. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Room {
    first: Arc<Semaphore>,
    rest: Arc<Semaphore>,
    patience: Duration,
}

/// Room that was taken, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    room: Room,
    _first: Option<OwnedSemaphorePermit>,
    rest: Option<OwnedSemaphorePermit>,
}

impl Default for Room {
    fn default() -> Self {
        Self::new(DEFAULT_BYTES, PATIENCE)
    }
}

impl Room {
    /// So many bytes, nearly a third more for what has just begun, and how long a request waits for its
    /// turn.
    pub fn new(bytes: usize, patience: Duration) -> Self {
        let first = (bytes * 3 / 10).max(LEAST_FIRST_BYTES);
        let units = |bytes: usize| Arc::new(Semaphore::new(bytes / 1024));
        Self {
            first: units(first),
            rest: units(bytes),
            patience,
        }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        (self.first.available_permits() + self.rest.available_permits()) * 1024
    }

    /// Room for the first bytes of a payload, and what its connection reads ahead; first come, first
    /// served.
    pub(crate) async fn begin(&self) -> Result<Share, ApiError> {
        let bytes = FIRST_BYTES as u64 + u64::from(BESIDE_BYTES);
        Ok(Share {
            _first: Some(self.acquire(&self.first, bytes).await?),
            rest: None,
            room: self.clone(),
        })
    }

    /// Room for so many bytes of anything else.
    pub(crate) async fn take(&self, bytes: u64) -> Result<Share, ApiError> {
        let mut share = Share {
            _first: None,
            rest: None,
            room: self.clone(),
        };
        share.grow(bytes).await?;
        Ok(share)
    }

    async fn acquire(
        &self,
        from: &Arc<Semaphore>,
        bytes: u64,
    ) -> Result<OwnedSemaphorePermit, ApiError> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).map_err(|_| ApiError::busy())?;
        let turn = Arc::clone(from).acquire_many_owned(units);
        match tokio::time::timeout(self.patience, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(ApiError::busy()),
        }
    }
}

impl Share {
    /// Takes so many bytes, where it has none beside its first.
    pub(crate) async fn grow(&mut self, bytes: u64) -> Result<(), ApiError> {
        self.rest = Some(self.room.acquire(&self.room.rest, bytes).await?);
        Ok(())
    }
}
