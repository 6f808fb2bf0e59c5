//! The local day so far, kept from the log: what the tray and `status` say was tracked today.

use std::collections::BTreeSet;

use glasshour_protocol::payload::SessionEvent;
use glasshour_protocol::session::RollUp;
use glasshour_protocol::{LicenseId, ProjectId, SessionId};

use super::Engine;
use super::tracking::Tracking;
use crate::clock::Moment;
use crate::day::{self, Log, Open, Sums, Withdrawn};
use crate::journal::Journal;
use crate::status::WithdrawnTime;

const DAY_MS: i64 = 86_400_000;

/// The sessions of one local day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Today {
    midnight_ms: i64,
    log: Log,
    /// What the employee deleted; as of so many spools.
    withdrawn: Withdrawn,
    spools: Option<usize>,
}

impl Today {
    /// The log's sessions of the local day that `now` lies in. A session that began on the day before
    /// counts from midnight.
    pub(super) fn read(journal: &Journal, now: Moment) -> Self {
        let midnight_ms = midnight(now);
        let mut log = Log::of(journal.read().unwrap_or_default());
        log.forget_before(midnight_ms);
        Self {
            midnight_ms,
            log,
            withdrawn: Withdrawn::new(),
            spools: None,
        }
    }

    /// One more event of a session.
    pub(super) fn add(&mut self, license: LicenseId, event: &SessionEvent, now: Moment) {
        if midnight(now) != self.midnight_ms {
            self.midnight_ms = midnight(now);
            self.log.forget_before(self.midnight_ms);
        }
        self.log.add(license, event.clone());
    }
}

/// What was done today under some licenses.
pub(super) struct Done {
    rolled: Vec<(SessionId, RollUp)>,
    from_ms: i64,
    to_ms: i64,
}

impl Done {
    pub(super) fn sums(&self) -> Sums {
        let rolled = self.rolled.iter().map(|(_, one)| one);
        day::sums(rolled, self.from_ms, self.to_ms)
    }

    pub(super) fn by_project(&self) -> Vec<(Option<ProjectId>, i64)> {
        let rolled = self.rolled.iter().map(|(_, one)| one);
        day::by_project(rolled, self.from_ms, self.to_ms)
    }
}

impl Engine {
    /// The day so far.
    pub(super) fn done_today(&self, counts: impl Fn(LicenseId) -> bool, now: Moment) -> Done {
        let running: BTreeSet<SessionId> = self
            .trackings
            .values()
            .filter_map(|tracking: &Tracking| Some(tracking.machine.running()?.session_id))
            .collect();
        let open = Open {
            now_ms: now.wall_ms,
            running: &running,
        };
        let Today { log, withdrawn, .. } = &self.today;
        Done {
            rolled: log.rolled(counts, open, withdrawn),
            from_ms: midnight(now),
            to_ms: now.wall_ms,
        }
    }

    /// Looks what the employee has deleted, where more spools are open than when it was last looked.
    pub(super) async fn look_for_withdrawn(&mut self) {
        let spools = self.accounts.iter().count();
        if self.today.spools == Some(spools) {
            return;
        }
        match self.desk().withdrawn().await {
            Ok(withdrawn) => {
                self.today.withdrawn = withdrawn;
                self.today.spools = Some(spools);
            }
            Err(error) => tracing::warn!(%error, "what was deleted cannot be read"),
        }
    }

    /// Something was deleted.
    pub(super) async fn captures_were_deleted(&mut self) {
        self.today.spools = None;
        self.look_for_withdrawn().await;
    }

    /// Time that was deleted, for whoever counts by themselves.
    pub(super) fn withdrawn_times(&self) -> Vec<WithdrawnTime> {
        let of = |(session, spans): (&SessionId, &Vec<glasshour_protocol::session::Span>)| {
            let session_id = *session;
            spans
                .iter()
                .filter(|span| span.to_ms > self.today.midnight_ms)
                .map(move |span| WithdrawnTime {
                    session_id,
                    span: *span,
                })
                .collect::<Vec<_>>()
        };
        self.today.withdrawn.iter().flat_map(of).collect()
    }
}

fn midnight(now: Moment) -> i64 {
    let offset_ms = i64::from(now.utc_offset_min) * 60_000;
    (now.wall_ms + offset_ms).div_euclid(DAY_MS) * DAY_MS - offset_ms
}
