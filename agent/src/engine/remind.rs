//! A reminder where working hours run and no time is tracked: at most once a day for each employer, and only
//! while somebody is at the computer.

use std::collections::BTreeMap;
use std::time::Duration;

use glasshour_protocol::CompanyId;
use glasshour_words::{Message as Say, Outside};

use super::tracking::Tracking;
use super::{Engine, message, millis};
use crate::clock::Moment;
use crate::platform::Idle;
use crate::session::State;

/// How long nothing is tracked before it is said.
const PATIENCE_MS: u64 = 10 * 60_000;
/// Who has done nothing for so long is not there to be reminded.
const THERE: Duration = Duration::from_mins(2);
const DAY_MS: i64 = 86_400_000;

/// What was noticed, by employer.
#[derive(Default)]
pub(super) struct Reminders {
    /// Since when (monotonic) hours run without tracking.
    since: BTreeMap<CompanyId, u64>,
    /// The local day on which it was said last.
    said: BTreeMap<CompanyId, i64>,
    idle: Option<Box<dyn Idle>>,
}

impl Engine {
    /// Looks whether somebody has forgotten to start.
    pub(super) fn remind(&mut self, now: Moment) {
        let busy = self.trackings.values().any(|tracking| {
            let state = tracking.machine.state();
            !tracking.is_monitoring() && !matches!(state, State::Stopped)
        });
        let today = (now.wall_ms + i64::from(now.utc_offset_min) * 60_000).div_euclid(DAY_MS);
        let forgotten: Vec<CompanyId> = self
            .trackings
            .values()
            .filter(|tracking| !busy && is_due(tracking, now))
            .map(Tracking::company)
            .collect();
        self.reminders
            .since
            .retain(|company, _| forgotten.contains(company));
        for company in forgotten {
            let since = *self.reminders.since.entry(company).or_insert(now.mono_ms);
            let waited = now.mono_ms.saturating_sub(since) >= PATIENCE_MS;
            if waited
                && self.reminders.said.get(&company) != Some(&today)
                && self.is_somebody_there()
            {
                self.reminders.said.insert(company, today);
                let name = self.name(company);
                let text = self.config.words.say(Say::ToldRemind {
                    company: Outside(&name),
                });
                self.desktop.notify(message("Glasshour", text));
            }
        }
    }

    fn is_somebody_there(&mut self) -> bool {
        let source = match self.reminders.idle.take() {
            Some(source) => Ok(source),
            None => self.platform.idle(),
        };
        let asked = source.and_then(|mut source| {
            let idle = source.idle()?;
            self.reminders.idle = Some(source);
            Ok(idle)
        });
        asked.is_ok_and(|idle| millis(idle) < millis(THERE))
    }
}

/// Only where the license names hours, and they run.
fn is_due(tracking: &Tracking, now: Moment) -> bool {
    let profile = tracking.license().profile();
    !tracking.is_monitoring()
        && profile.schedule.is_some()
        && tracking.machine.state() == &State::Stopped
        && tracking.machine.is_within_hours(now.wall_ms)
}
