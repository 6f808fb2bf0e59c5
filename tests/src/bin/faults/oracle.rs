//! The oracle of every case: each acknowledged push is at the server exactly once with the same hash, or still in
//! the spool, or set aside with its reason; and what the server acknowledged, it has.
//!
//! Pure: it compares what was read before. [`audit`] reads.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use glasshour_tests::api::Record;
use glasshour_tests::ledger::{self, Entry};

use crate::stage::{Seat, Spooled, Stage};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Acknowledged and nowhere, or nowhere as it was.
    pub(crate) lost: Vec<String>,
    /// At the server more than once.
    pub(crate) duplicated: Vec<String>,
    /// Acknowledged pushes.
    pub(crate) pushed: usize,
    /// Records at the server.
    pub(crate) stored: usize,
    /// Records in the spools.
    pub(crate) waiting: usize,
    /// Records set aside in the spools.
    pub(crate) refused: usize,
    /// Records of which the spools say that they were lost with a damaged file.
    pub(crate) counted_missing: u64,
    /// Pushes that said that nothing was kept.
    pub(crate) failed: usize,
    /// Records at the server behind a gap.
    pub(crate) behind_gaps: usize,
}

/// Reads both sides and compares them. The server must be up, and nobody may have the spools open.
pub(crate) fn audit(stage: &Stage, seats: &[&Seat]) -> Result<Found> {
    let mut pushed = Vec::new();
    let mut failed = 0;
    let mut spooled = Spooled::default();
    for seat in seats {
        let ledger = ledger::read(&seat.ledger)?;
        pushed.extend(ledger.pushed);
        failed += ledger.failed.len();
        let found = seat.spooled()?;
        spooled.waiting.extend(found.waiting);
        spooled.refused.extend(found.refused);
        spooled.missing += found.missing;
    }
    let stored = stage.api().records(&stage.employee)?;
    let acknowledged: BTreeSet<String> = stage
        .proxy
        .acknowledged()
        .keys()
        .map(ToString::to_string)
        .collect();
    let mut found = compare(&pushed, &stored, &spooled, &acknowledged);
    found.failed = failed;
    Ok(found)
}

/// The oracle itself.
pub(crate) fn compare(
    pushed: &[Entry],
    stored: &[Record],
    spooled: &Spooled,
    acknowledged: &BTreeSet<String>,
) -> Found {
    let mut found = Found {
        pushed: pushed.len(),
        stored: stored.len(),
        waiting: spooled.waiting.len(),
        refused: spooled.refused.len(),
        counted_missing: spooled.missing,
        behind_gaps: stored.iter().filter(|r| r.grade == "gap-before").count(),
        ..Found::default()
    };
    let mut at_server: BTreeMap<&str, &str> = BTreeMap::new();
    let mut places = BTreeSet::new();
    let mut payloads = BTreeSet::new();
    for record in stored {
        let known = at_server.insert(&record.record_id, &record.payload_sha256);
        let place = (&record.device_id, &record.license_id, record.seq);
        // Every pusher's payload is one of a kind, so the same one twice is one capture twice.
        if known.is_some() || !places.insert(place) || !payloads.insert(&record.payload_sha256) {
            found
                .duplicated
                .push(format!("{} (seq {})", record.record_id, record.seq));
        }
    }
    let waiting: BTreeMap<&str, &str> = spooled
        .waiting
        .iter()
        .map(|(id, sha256)| (id.as_str(), sha256.as_str()))
        .collect();
    let refused: BTreeSet<&str> = spooled.refused.iter().map(|(id, _)| id.as_str()).collect();
    for entry in pushed {
        let id = entry.record_id.to_string();
        let same = |sha256: &&str| **sha256 == entry.sha256;
        let somewhere = at_server.get(id.as_str()).is_some_and(same)
            || waiting.get(id.as_str()).is_some_and(same)
            || refused.contains(id.as_str());
        if !somewhere {
            let altered = at_server.contains_key(id.as_str()) || waiting.contains_key(id.as_str());
            let how = if altered { ", altered" } else { "" };
            found.lost.push(format!(
                "{id} (seq {}, pushed after \"{}\"{how})",
                entry.seq, entry.after
            ));
        }
    }
    for id in acknowledged {
        if !at_server.contains_key(id.as_str()) {
            found
                .lost
                .push(format!("{id} (acknowledged by the server)"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> String {
        format!("01936f2e-0000-7000-8000-0000000000{number:02x}")
    }

    fn entry(number: u8) -> Entry {
        Entry {
            record_id: id(number).parse().unwrap(),
            seq: u64::from(number),
            kind: glasshour_protocol::Kind::Activity,
            sha256: format!("hash {number}"),
            after: "start".into(),
        }
    }

    fn record(number: u8, hash: &str) -> Record {
        serde_json::from_value(serde_json::json!({
            "record_id": id(number), "device_id": "d", "license_id": "l", "seq": number, "kind": "activity",
            "content_type": "application/json", "payload_len": 2, "payload_sha256": hash, "grade": "verified",
            "captured_at": "2026-11-23T08:00:00Z", "received_at": "2026-11-23T08:00:01Z",
        }))
        .unwrap()
    }

    fn none() -> BTreeSet<String> {
        BTreeSet::new()
    }

    #[test]
    fn what_is_at_the_server_in_the_spool_or_set_aside_is_not_lost() {
        let spooled = Spooled {
            waiting: vec![(id(2), "hash 2".into())],
            refused: vec![(id(3), "invalid".into())],
            missing: 0,
        };
        let pushed = [entry(1), entry(2), entry(3)];
        let found = compare(&pushed, &[record(1, "hash 1")], &spooled, &none());
        assert_eq!((found.lost.len(), found.duplicated.len()), (0, 0));
    }

    #[test]
    fn what_is_nowhere_or_altered_is_lost() {
        let spooled = Spooled {
            waiting: vec![(id(2), "another".into())],
            ..Spooled::default()
        };
        let pushed = [entry(1), entry(2), entry(3)];
        let found = compare(&pushed, &[record(1, "another")], &spooled, &none());
        assert_eq!(found.lost.len(), 3);
        assert!(found.lost[0].contains("altered"), "{:?}", found.lost);
    }

    #[test]
    fn what_the_server_acknowledged_and_lacks_is_lost() {
        let acknowledged = BTreeSet::from([id(1)]);
        let found = compare(&[], &[], &Spooled::default(), &acknowledged);
        assert_eq!(found.lost.len(), 1);
    }

    #[test]
    fn one_capture_twice_is_found_by_its_id_its_place_and_its_payload() {
        let twice = [record(1, "a"), record(1, "b")];
        let found = compare(&[], &twice, &Spooled::default(), &none());
        assert_eq!(found.duplicated.len(), 1);
        let twice = [record(1, "a"), record(2, "a")];
        let found = compare(&[], &twice, &Spooled::default(), &none());
        assert_eq!(found.duplicated.len(), 1);
        let mut other = record(2, "b");
        other.seq = 1;
        let found = compare(&[], &[record(1, "a"), other], &Spooled::default(), &none());
        assert_eq!(found.duplicated.len(), 1);
    }
}
