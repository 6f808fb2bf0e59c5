//! Which gaps in the chains of records are gaps, and which may still be filled: the license lets captures
//! wait on the computer first, and nobody is blamed for what it gives.

use std::collections::HashMap;

use glasshour_protocol::{DeviceId, EmployeeId, LicenseId};

use crate::error::ApiError;
use crate::report::{Behind, Grade, Waits};
use crate::store::{Doubt, Read, Record};

/// Answers for many records of the same few licenses and devices.
#[derive(Debug)]
pub(crate) struct Gaps {
    now_ms: i64,
    holds: HashMap<LicenseId, i64>,
    seen: HashMap<DeviceId, i64>,
}

impl Gaps {
    /// As of that moment, UTC milliseconds.
    pub(crate) fn new(now_ms: i64) -> Self {
        Self {
            now_ms,
            holds: HashMap::new(),
            seen: HashMap::new(),
        }
    }

    /// Whether what is missing before a record captured then may still wait; `None`: it is a gap.
    pub(crate) async fn waits(
        &mut self,
        read: &mut Read,
        (device, license): (DeviceId, LicenseId),
        captured_at: i64,
    ) -> Result<Option<Waits>, ApiError> {
        let hold_ms = match self.holds.get(&license) {
            Some(hold) => *hold,
            None => {
                let hold = read.longest_hold_ms(license).await?;
                self.holds.insert(license, hold);
                hold
            }
        };
        if hold_ms == 0 {
            return Ok(None);
        }
        let device_seen_at = match self.seen.get(&device) {
            Some(seen) => *seen,
            None => {
                let seen = read.device(device).await?;
                let seen = seen.map_or(i64::MAX, |device| device.last_seen_at);
                self.seen.insert(device, seen);
                seen
            }
        };
        let behind = Behind {
            captured_at,
            hold_ms,
            device_seen_at,
        };
        Ok(behind.waits(self.now_ms))
    }

    /// The same of a record: `None` also where nothing is missing before it.
    pub(crate) async fn before(
        &mut self,
        read: &mut Read,
        record: &Record,
    ) -> Result<Option<Waits>, ApiError> {
        if record.grade != Grade::GapBefore {
            return Ok(None);
        }
        let chain = (record.device_id, record.license_id);
        self.waits(read, chain, record.captured_at).await
    }
}

/// Doubtful records captured in `[from_ms, to_ms)`, each with what may still wait before it.
pub(crate) async fn doubts(
    read: &mut Read,
    employee: Option<EmployeeId>,
    (from_ms, to_ms): (i64, i64),
    limit: u32,
    now_ms: i64,
) -> Result<Vec<Doubt>, ApiError> {
    let mut doubts = read.doubts(employee, from_ms, to_ms, limit).await?;
    let mut gaps = Gaps::new(now_ms);
    for doubt in &mut doubts {
        if doubt.grade == Grade::GapBefore {
            let chain = (doubt.device_id, doubt.license_id);
            doubt.waits = gaps.waits(read, chain, doubt.captured_at).await?;
        }
    }
    Ok(doubts)
}
