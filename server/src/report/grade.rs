//! How far a record can be trusted, from what stands around it in its chain.
//!
//! A reboot or a long time offline before the upload lowers nothing by itself (rule 21): the chain
//! tells "complete and in order" from "something is missing". A gap heals when the missing record
//! arrives: the one behind it is graded anew.

use std::str::FromStr;

use glasshour_protocol::RecordHeader;
use glasshour_protocol::limits::CLOCK_LEEWAY_SECONDS;

/// The trust that a stored record has earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grade {
    /// The chain up to it is whole and its clock is plausible.
    Verified,
    /// The same, and it arrived more than [`LATE_AFTER_MS`] after its capture.
    Late,
    /// The record before it has not arrived, or is another one than it names.
    GapBefore,
    /// Its clock runs ahead of the server's, or was put back since the record before it.
    ClockSuspect,
}

impl Grade {
    /// The name in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Late => "late",
            Self::GapBefore => "gap-before",
            Self::ClockSuspect => "clock-suspect",
        }
    }
}

impl FromStr for Grade {
    type Err = UnknownGrade;

    fn from_str(text: &str) -> Result<Self, UnknownGrade> {
        [
            Self::Verified,
            Self::Late,
            Self::GapBefore,
            Self::ClockSuspect,
        ]
        .into_iter()
        .find(|grade| grade.as_str() == text)
        .ok_or(UnknownGrade)
    }
}

/// The text names no grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a record grade")]
pub struct UnknownGrade;

/// From when on a record counts as late: 24 hours after its capture.
pub(crate) const LATE_AFTER_MS: i64 = 24 * 3_600_000;

const CLOCK_TOLERANCE_MS: i64 = CLOCK_LEEWAY_SECONDS * 1000;

/// What of a record the one behind it is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// SHA-256 (hex) of the header's bytes.
    pub hash: String,
    /// Wall clock at the capture, UTC milliseconds.
    pub captured_at_ms: i64,
    /// Monotonic clock at the capture, milliseconds.
    pub mono_ms: i64,
    /// The boot that `mono_ms` counts in.
    pub boot_id: String,
}

/// Grades a record by the one before it (`None`: not here) and by when it was received.
pub fn grade(header: &RecordHeader, before: Option<&Link>, received_at_ms: i64) -> Grade {
    let whole = match (header.seq, &header.prev, before) {
        (1, None, _) => true,
        (2.., Some(prev), Some(before)) => *prev == before.hash,
        _ => false,
    };
    if !whole {
        return Grade::GapBefore;
    }
    if header.captured_at_ms > received_at_ms.saturating_add(CLOCK_TOLERANCE_MS) {
        return Grade::ClockSuspect;
    }
    if let Some(before) = before.filter(|before| before.boot_id == header.boot_id) {
        // In sleep the wall clock runs on and the monotonic one stands still; the other way round
        // only happens when somebody puts the wall clock back.
        let wall = header.captured_at_ms.saturating_sub(before.captured_at_ms);
        let mono = i64::try_from(header.mono_ms)
            .unwrap_or(i64::MAX)
            .saturating_sub(before.mono_ms);
        if wall < mono.saturating_sub(CLOCK_TOLERANCE_MS) {
            return Grade::ClockSuspect;
        }
    }
    if received_at_ms.saturating_sub(header.captured_at_ms) > LATE_AFTER_MS {
        return Grade::Late;
    }
    Grade::Verified
}

#[cfg(test)]
mod tests {
    use glasshour_protocol::{DeviceId, Kind, LicenseId, RecordId, RecordMeta};
    use uuid::Uuid;

    use super::*;

    const NOW: i64 = 1_795_000_000_000;

    fn header(seq: u64, prev: Option<&str>) -> RecordHeader {
        RecordHeader {
            version: 1,
            record_id: RecordId(Uuid::from_u128(1)),
            device_id: DeviceId(Uuid::from_u128(2)),
            license_id: LicenseId(Uuid::from_u128(3)),
            seq,
            prev: prev.map(str::to_owned),
            kind: Kind::Health,
            captured_at_ms: NOW,
            mono_ms: 600_000,
            boot_id: "boot".into(),
            utc_offset_min: 0,
            payload_sha256: String::new(),
            payload_len: 0,
            content_type: String::new(),
            meta: RecordMeta::default(),
        }
    }

    fn before() -> Link {
        Link {
            hash: "h".into(),
            captured_at_ms: NOW - 60_000,
            mono_ms: 540_000,
            boot_id: "boot".into(),
        }
    }

    #[test]
    fn a_whole_chain_is_verified() {
        assert_eq!(grade(&header(1, None), None, NOW), Grade::Verified);
        assert_eq!(
            grade(&header(2, Some("h")), Some(&before()), NOW),
            Grade::Verified
        );
    }

    #[test]
    fn a_missing_or_another_predecessor_is_a_gap() {
        assert_eq!(grade(&header(2, Some("h")), None, NOW), Grade::GapBefore);
        assert_eq!(
            grade(&header(2, Some("x")), Some(&before()), NOW),
            Grade::GapBefore
        );
        assert_eq!(
            grade(&header(2, None), Some(&before()), NOW),
            Grade::GapBefore
        );
        assert_eq!(grade(&header(1, Some("h")), None, NOW), Grade::GapBefore);
    }

    #[test]
    fn p21_an_upload_after_a_reboot_keeps_its_grade_and_one_after_days_is_late() {
        let mut rebooted = header(2, Some("h"));
        rebooted.boot_id = "another".into();
        rebooted.mono_ms = 1;
        assert_eq!(
            grade(&rebooted, Some(&before()), NOW + LATE_AFTER_MS),
            Grade::Verified
        );
        assert_eq!(
            grade(&rebooted, Some(&before()), NOW + LATE_AFTER_MS + 1),
            Grade::Late
        );
    }

    #[test]
    fn a_clock_ahead_of_the_server_or_put_back_is_suspect_and_sleep_is_not() {
        assert_eq!(
            grade(&header(1, None), None, NOW - 60_001),
            Grade::ClockSuspect
        );
        let mut put_back = header(2, Some("h"));
        put_back.captured_at_ms = NOW - 3_600_000;
        assert_eq!(grade(&put_back, Some(&before()), NOW), Grade::ClockSuspect);
        let mut slept = header(2, Some("h"));
        slept.captured_at_ms = NOW + 3_600_000;
        assert_eq!(
            grade(&slept, Some(&before()), NOW + 3_600_000),
            Grade::Verified
        );
    }

    #[test]
    fn every_grade_reads_back_from_its_name() {
        for grade in [
            Grade::Verified,
            Grade::Late,
            Grade::GapBefore,
            Grade::ClockSuspect,
        ] {
            assert_eq!(grade.as_str().parse(), Ok(grade));
        }
    }
}
