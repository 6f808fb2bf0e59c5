//! A day from the own log of sessions: what was tracked on what, what was idle, what was deleted. Pure.
//!
//! Counted by the same function as the server counts ([`roll_up`]), so that what a person sees in the tray and
//! by `glasshour today` is what the reports will say.

use std::collections::{BTreeMap, BTreeSet};

use glasshour_protocol::payload::{SessionEvent, SessionEventKind};
use glasshour_protocol::session::{
    RollUp, Span, idle_within, roll_up, tracked_within, withdrawn_within,
};
use glasshour_protocol::{LicenseId, ProjectId, SessionId};
use serde::{Deserialize, Serialize};

use crate::journal::Entry;

/// Time that the employee deleted the captures of, by session.
pub type Withdrawn = BTreeMap<SessionId, Vec<Span>>;

/// One session of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The license it began under.
    pub license_id: LicenseId,
    events: Vec<(u64, SessionEvent)>,
}

impl Logged {
    fn is_stopped(&self) -> bool {
        let stopped = |(_, event): &(u64, SessionEvent)| event.event == SessionEventKind::Stopped;
        self.events.iter().any(stopped)
    }

    fn last_ms(&self) -> i64 {
        let of_time = self.events.iter().filter(|(_, event)| event.idle.is_none());
        of_time
            .map(|(_, event)| event.at_ms)
            .max()
            .unwrap_or(i64::MIN)
    }
}

/// The sessions of the log, or those of its last days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    sessions: BTreeMap<SessionId, Logged>,
    next: u64,
}

/// What a piece of time holds, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Sums {
    pub tracked_ms: i64,
    pub idle_ms: i64,
    pub withdrawn_ms: i64,
    /// Of what is tracked: without input, and work by the employee's word.
    pub kept_ms: i64,
}

/// Until when a session that no stop is known of is counted.
#[derive(Clone, Copy, Debug)]
pub struct Open<'a> {
    /// Now, UTC milliseconds.
    pub now_ms: i64,
    /// The sessions that run: they count to now, the others to their last event.
    pub running: &'a BTreeSet<SessionId>,
}

impl Log {
    /// Every session of these entries.
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut log = Self::default();
        for entry in entries {
            log.add(entry.license_id, entry.event);
        }
        log
    }

    /// One more event.
    pub fn add(&mut self, license_id: LicenseId, event: SessionEvent) {
        let session = self.sessions.entry(event.session_id).or_insert(Logged {
            license_id,
            events: Vec::new(),
        });
        session.events.push((self.next, event));
        self.next += 1;
    }

    /// Forgets what had ended by then.
    pub fn forget_before(&mut self, ms: i64) {
        self.sessions
            .retain(|_, session| !session.is_stopped() || session.last_ms() > ms);
    }

    /// Each session that counts, as reports see it.
    pub fn rolled(
        &self,
        counts: impl Fn(LicenseId) -> bool,
        open: Open<'_>,
        withdrawn: &Withdrawn,
    ) -> Vec<(SessionId, RollUp)> {
        let of = self.sessions.iter();
        of.filter(|(_, session)| counts(session.license_id))
            .map(|(id, session)| {
                let last = if open.running.contains(id) {
                    open.now_ms
                } else {
                    i64::MIN
                };
                let spans = withdrawn.get(id).map(Vec::as_slice).unwrap_or_default();
                let rolled = roll_up(&session.events, i64::MAX, last);
                (*id, rolled.without(spans))
            })
            .collect()
    }

    /// The license that a session began under.
    pub fn license(&self, session: SessionId) -> Option<LicenseId> {
        self.sessions.get(&session).map(|logged| logged.license_id)
    }
}

/// What sessions hold between those moments.
pub fn sums<'a>(rolled: impl IntoIterator<Item = &'a RollUp>, from_ms: i64, to_ms: i64) -> Sums {
    let mut all = Sums::default();
    for one in rolled {
        let parts = &one.stretches;
        all.tracked_ms += tracked_within(parts, from_ms, to_ms);
        all.idle_ms += idle_within(parts, from_ms, to_ms);
        all.withdrawn_ms += withdrawn_within(parts, from_ms, to_ms);
        let kept = parts.iter().filter(|part| part.kept && part.is_tracked());
        all.kept_ms += kept.map(|part| part.within(from_ms, to_ms)).sum::<i64>();
    }
    all
}

/// Tracked time by project, the longest first.
pub fn by_project<'a>(
    rolled: impl IntoIterator<Item = &'a RollUp>,
    from_ms: i64,
    to_ms: i64,
) -> Vec<(Option<ProjectId>, i64)> {
    let mut times: BTreeMap<Option<ProjectId>, i64> = BTreeMap::new();
    let parts = rolled.into_iter().flat_map(|one| &one.stretches);
    for part in parts.filter(|part| part.is_tracked()) {
        *times.entry(part.project_id).or_default() += part.within(from_ms, to_ms);
    }
    let mut times: Vec<_> = times.into_iter().filter(|(_, ms)| *ms > 0).collect();
    times.sort_by_key(|(_, ms)| std::cmp::Reverse(*ms));
    times
}

#[cfg(test)]
mod tests {
    use glasshour_protocol::payload::Cause;
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> SessionId {
        SessionId(Uuid::from_u128(number))
    }

    fn log(events: &[(u128, SessionEventKind, i64)]) -> Log {
        let entry = |(session, event, at_ms): &(u128, SessionEventKind, i64)| Entry {
            license_id: LicenseId(Uuid::nil()),
            event: SessionEvent {
                session_id: id(*session),
                event: *event,
                cause: Cause::User,
                at_ms: *at_ms,
                project_id: None,
                note: None,
                idle: None,
            },
        };
        Log::of(events.iter().map(entry))
    }

    use SessionEventKind::{Idle, Resumed, Started, Stopped};

    #[test]
    fn idle_and_deleted_time_is_not_tracked_and_what_runs_counts_to_now() {
        let log = log(&[
            (1, Started, 100),
            (1, Idle, 200),
            (1, Resumed, 300),
            (1, Stopped, 500),
            (2, Started, 600),
            // A crash left it open.
            (3, Started, 50),
            (3, Idle, 90),
        ]);
        let running = BTreeSet::from([id(2)]);
        let open = Open {
            now_ms: 900,
            running: &running,
        };
        let span = Span {
            from_ms: 450,
            to_ms: 650,
        };
        let withdrawn = Withdrawn::from([(id(1), vec![span]), (id(2), vec![span])]);
        let rolled = log.rolled(|_| true, open, &withdrawn);
        let all = sums(rolled.iter().map(|(_, one)| one), 0, 1_000);
        assert_eq!(all.tracked_ms, 100 + 150 + 250 + 40);
        assert_eq!((all.idle_ms, all.withdrawn_ms), (100, 100));
        let late = sums(rolled.iter().map(|(_, one)| one), 880, 1_000);
        assert_eq!(late.tracked_ms, 20, "from midnight on");
    }
}
