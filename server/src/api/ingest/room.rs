//! Room in memory for what is under way: no request begins to read its payload before there is room
//! for all of it. Whoever finds none within a few seconds is told to come back (503), so that a rush
//! of senders costs time and not memory.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// What all payloads under way may take together. The largest payload fits once, with room beside it.
const DEFAULT_BYTES: usize = 24 * 1024 * 1024;
/// What a request takes beside its payload.
const BESIDE_BYTES: u64 = 32 * 1024;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);
const UNIT: u64 = 1024;

/// The room that is left. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Room {
    units: Arc<Semaphore>,
    patience: Duration,
}

impl Default for Room {
    fn default() -> Self {
        Self::new(DEFAULT_BYTES, PATIENCE)
    }
}

impl Room {
    /// So many bytes, and how long a request waits for its turn.
    pub fn new(bytes: usize, patience: Duration) -> Self {
        Self {
            units: Arc::new(Semaphore::new(bytes / 1024)),
            patience,
        }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.units.available_permits() * 1024
    }

    /// Room for a payload until the permit is dropped; first come, first served.
    pub(super) async fn take(&self, payload_len: u64) -> Result<OwnedSemaphorePermit, ApiError> {
        let units = payload_len.saturating_add(BESIDE_BYTES).div_ceil(UNIT);
        let units = u32::try_from(units).map_err(|_| ApiError::busy())?;
        let turn = Arc::clone(&self.units).acquire_many_owned(units);
        match tokio::time::timeout(self.patience, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(ApiError::busy()),
        }
    }
}
