//! What a deletion takes off the tracked time: the difference that it makes to each session, as the
//! server will count it.
//!
//! Time that an earlier deletion has taken off already is not taken off twice, so that too goes in, also
//! where it was delivered long ago. Idleness that has only begun is not known yet on either side: where
//! it comes to be known later, less is taken off than was told, never more.

use std::collections::BTreeSet;

use glasshour_protocol::SessionId;
use glasshour_protocol::payload::SessionEvent;
use glasshour_protocol::session::{RollUp, Span, Stretch, roll_up, withdrawn_within};
use glasshour_uploader::send::LicenseBook as _;
use glasshour_uploader::spool::SpoolError;

use super::{Consequence, Desk, Found, TimeOff};
use crate::day::Withdrawn;

impl Desk {
    pub(super) async fn consequence(
        &self,
        chosen: &[&Found<'_>],
    ) -> Result<Consequence, SpoolError> {
        let sessions: BTreeSet<SessionId> = chosen
            .iter()
            .filter_map(|one| one.held.header.meta.session_id)
            .collect();
        let mut consequence = Consequence {
            captures: chosen.iter().map(|one| one.capture()).collect(),
            time_off: Vec::new(),
            total_ms: 0,
        };
        consequence
            .captures
            .sort_by_key(|capture| capture.captured_at_ms);
        let mut off_already = self.withdrawn().await?;
        for session in sessions {
            let before = off_already.remove(&session).unwrap_or_default();
            let of_session: Vec<_> = chosen
                .iter()
                .filter(|one| one.held.header.meta.session_id == Some(session))
                .collect();
            let mut after = before.clone();
            after.extend(of_session.iter().filter_map(|one| {
                let header = &one.held.header;
                let profile = &one.claims.profile;
                profile.stands_for(header.kind, header.captured_at_ms)
            }));
            let rolled = self.rolled(session, &after);
            let (before, after) = (
                rolled.clone().without(&before).stretches,
                rolled.without(&after).stretches,
            );
            for stretch in after.iter().filter(|stretch| stretch.withdrawn) {
                for (from_ms, to_ms) in difference(stretch, &before) {
                    let project = of_session.iter();
                    let mut project = project.map(|one| one.project(stretch.project_id));
                    consequence.total_ms += to_ms - from_ms;
                    consequence.time_off.push(TimeOff {
                        from_ms,
                        to_ms,
                        project: project.next().flatten(),
                    });
                }
            }
        }
        consequence.time_off.sort_by_key(|part| part.from_ms);
        Ok(consequence)
    }

    /// What the employee withdrew before, of each session.
    pub async fn withdrawn(&self) -> Result<Withdrawn, SpoolError> {
        let mut spans = Withdrawn::new();
        for source in &self.sources {
            for withdrawn in source.spool.withdrawn(0).await? {
                let license = self.licenses.claims(withdrawn.license_id);
                if let (Some(claims), Some(session)) = (license, withdrawn.session_id) {
                    let (kind, at_ms) = (withdrawn.kind, withdrawn.captured_at_ms);
                    let stands_for = claims.profile.stands_for(kind, at_ms);
                    spans.entry(session).or_default().extend(stands_for);
                }
            }
        }
        Ok(spans)
    }

    /// The session as it is known here: from its own log, to its end or to now.
    fn rolled(&self, session: SessionId, spans: &[Span]) -> RollUp {
        let events: Vec<(u64, SessionEvent)> = (0_u64..)
            .zip(self.journal.read().unwrap_or_default())
            .map(|(place, entry)| (place, entry.event))
            .filter(|(_, event)| event.session_id == session)
            .collect();
        // Where the log is lost, the captures themselves are what is known of it.
        let first_ms = spans.iter().map(|span| span.from_ms).min();
        roll_up(&events, first_ms.unwrap_or(self.now_ms), self.now_ms)
    }
}

/// The parts of a withdrawn stretch that were not withdrawn before.
fn difference(stretch: &Stretch, before: &[Stretch]) -> Vec<(i64, i64)> {
    let still_there = before.iter().filter(|part| part.is_tracked());
    let parts: Vec<(i64, i64)> = still_there
        .map(|part| {
            (
                part.from_ms.max(stretch.from_ms),
                part.to_ms.min(stretch.to_ms),
            )
        })
        .filter(|(from, to)| from < to)
        .collect();
    debug_assert!(
        parts.iter().map(|(from, to)| to - from).sum::<i64>()
            + withdrawn_within(before, stretch.from_ms, stretch.to_ms)
            == stretch.to_ms - stretch.from_ms,
        "a stretch that is withdrawn now was tracked or withdrawn before"
    );
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_off_before_is_not_told_again() {
        let stretch = |from_ms, to_ms, withdrawn| Stretch {
            from_ms,
            to_ms,
            project_id: None,
            idle: false,
            kept: false,
            withdrawn,
        };
        let before = [
            stretch(0, 40, false),
            stretch(40, 60, true),
            stretch(60, 100, false),
        ];
        let now = stretch(30, 80, true);
        assert_eq!(difference(&now, &before), [(30, 40), (60, 80)]);
    }
}
