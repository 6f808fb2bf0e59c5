//! Gate 2 of "the license is a contract": a record is held against its license once more before it is
//! sent, in every detail, by the rule that the server has too (`license-format/src/excess.rs`).
//!
//! The rate is held against the pictures that were delivered. It cannot set aside what an honest agent
//! made: see `license-format/src/rate.rs`.

use std::collections::HashMap;
use std::collections::VecDeque;

use glasshour_license_format::{Claims, Excess, Others, Payload};
use glasshour_protocol::{Kind, LicenseId, RecordHeader, RecordId, withdrawal};

use crate::spool::{Leased, MOST_SHOTS, Settlement, Shot};

/// Which pictures have been let through.
#[derive(Debug, Default)]
pub(super) struct Sent {
    shots: HashMap<(LicenseId, Kind), VecDeque<Shot>>,
}

impl Sent {
    /// Those of before, from the spool.
    pub(super) fn new(shots: Vec<Shot>) -> Self {
        let mut sent = Self::default();
        for shot in shots {
            sent.add(shot);
        }
        sent
    }

    /// Judges a record and, where it may be sent, counts it among those that are.
    pub(super) fn let_through(&mut self, record: &Leased, claims: &Claims) -> Result<(), Excess> {
        let header = record.header.parse().map_err(|_| Excess::Unreadable)?;
        // The row's own copies are what the spool orders by, not what the device has signed.
        if (header.kind, header.license_id) != (record.kind, record.license_id) {
            return Err(Excess::Unreadable);
        }
        let profile = &claims.profile;
        claims.permits_date(&header, Payload::Unread)?;
        if let Some(signed) = &record.withdrawn {
            // Without its payload it is no picture more, and shows nothing.
            let withdrawal = withdrawal::parse(signed).map_err(|_| Excess::Unreadable)?;
            return profile.permits_withdrawn(&header, withdrawal.reason);
        }
        claims.permits_payload(&header, &record.payload)?;
        let Some(shot) = Shot::of(&header) else {
            return Ok(());
        };
        profile.permits_among(&header, &self.others(&header, &shot))?;
        self.add(shot);
        Ok(())
    }

    /// It was not delivered after all.
    pub(super) fn take_back(&mut self, id: RecordId) {
        for shots in self.shots.values_mut() {
            shots.retain(|shot| shot.record_id != id);
        }
    }

    fn others(&self, header: &RecordHeader, shot: &Shot) -> Others {
        let others = || {
            self.shots
                .get(&(header.license_id, header.kind))
                .into_iter()
                .flatten()
                .filter(|other| other.record_id != shot.record_id)
        };
        Others {
            moments: others()
                .map(|other| &other.moment)
                .filter(|moment| moment.boot_id == shot.moment.boot_id)
                .cloned()
                .collect(),
            places: others()
                .filter(|other| other.moment == shot.moment)
                .map(|other| other.place.clone())
                .collect(),
        }
    }

    fn add(&mut self, shot: Shot) {
        let shots = self.shots.entry((shot.license_id, shot.kind)).or_default();
        shots.retain(|known| known.record_id != shot.record_id);
        shots.push_back(shot);
        if shots.len() > MOST_SHOTS {
            shots.pop_front();
        }
    }
}

/// What becomes of a record that exceeds its license: it stays here, apart, and is never sent.
pub(super) fn set_aside(excess: Excess) -> Settlement {
    Settlement::Quarantined {
        code: excess.code().into(),
        message: format!("{excess} It was not sent."),
    }
}
