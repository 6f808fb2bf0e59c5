//! Looking at all licenses anew, and putting to work what counts.

use glasshour_license_format::License;
use glasshour_protocol::CompanyId;
use glasshour_protocol::payload::Cause;
use tokio::sync::mpsc;

use super::Engine;
use super::shots::ShotDone;
use super::tracking::{self, Tracking};
use crate::clock::Moment;
use crate::sentence::with_causes;

impl Engine {
    /// Looks at all licenses anew: opens accounts, closes a session whose license changed, and begins
    /// where the mode says so.
    pub(super) async fn reload(&mut self, shots: &mpsc::Sender<ShotDone>) {
        let now = self.clock.now();
        self.last_rescan_mono_ms = now.mono_ms;
        self.latest_time.passed(now.wall_ms);
        self.license_problems = self.adopt_system_licenses(now);
        let loaded = match self.store.read() {
            Ok(loaded) => loaded,
            Err(error) => {
                self.license_problems.push(with_causes(&error));
                return;
            }
        };
        self.license_problems
            .extend(loaded.problems.iter().cloned());
        self.key_changes.clone_from(&loaded.key_changes);
        self.strangers.clone_from(&loaded.strangers);
        // What the employee has not agreed to yet does not hold, and nothing goes to another server.
        let server_of = |newest: &License| {
            let holds = loaded.agreement(newest).in_force;
            holds.claims().issuer.server_url.clone()
        };
        let closed = self.accounts.set(&loaded, server_of);
        let mut in_force = Vec::with_capacity(loaded.current.len());
        self.waiting.clear();
        for newest in &loaded.current {
            let standing = loaded.agreement(newest);
            if standing.waits() {
                let company = newest.claims().issuer.company_id;
                self.waiting.insert(company, newest.clone());
                self.show_notice_once(newest);
            }
            in_force.push(standing.in_force);
        }
        self.recover_crashed_sessions(now).await;
        self.remember_last_used();
        self.look_for_idle_time(now);
        self.look_for_withdrawn().await;

        let (mut wanted, second) = tracking::at_most_one_monitors(in_force);
        self.out_of_order = second;
        for (company, problem) in closed {
            if self.accounts.has(company) {
                self.license_problems.push(problem);
            } else if let Some(license) = wanted.remove(&company) {
                // Nothing is captured that could not be kept.
                let why = cannot_be_kept(&problem);
                self.out_of_order.insert(company, (license, why));
            }
        }
        let gone = |company: &CompanyId| !wanted.contains_key(company);
        let gone: Vec<CompanyId> = self.trackings.keys().copied().filter(gone).collect();
        for company in gone {
            if let Some(tracking) = self.trackings.remove(&company) {
                self.end_for_license(tracking, None, now).await;
            }
        }
        for (company, license) in wanted {
            self.put_to_work(company, license, now, shots).await;
        }
    }

    /// Lets a license hold from now on. What ran under an earlier one of the same employer goes on.
    async fn put_to_work(
        &mut self,
        company: CompanyId,
        license: License,
        now: Moment,
        shots: &mpsc::Sender<ShotDone>,
    ) {
        self.show_notice_once(&license);
        let mut going_on = None;
        if let Some(mut old) = self.trackings.remove(&company) {
            let succeeds = old.is_succeeded_by(&license);
            if succeeds && old.has_the_extent_of(&license) {
                old.go_on_under(license);
                // One that has run out may have been prolonged.
                let events = old.check_validity(now, self.latest(company, now));
                self.apply(&mut old, now, events).await;
                self.trackings.insert(company, old);
                return;
            }
            // Nobody but the person starts a worklog: what ran in the other mode, or for another one, has ended.
            going_on = succeeds.then(|| old.machine.to_go_on());
            self.end_for_license(old, Some(&license), now).await;
        }
        let last_shots = self.journal.last_shots(company);
        let made = Tracking::new(
            license.clone(),
            &self.platform,
            now,
            last_shots,
            shots.clone(),
        );
        let mut tracking = match made {
            Ok(tracking) => tracking.speaking(self.config.words),
            Err(error) => {
                self.out_of_order
                    .insert(company, (license, with_causes(&error)));
                return;
            }
        };
        if let Err(error) = self.open_camera(&mut tracking) {
            let problem = format!("No thread for the camera could be had: {error}.");
            self.license_problems.push(problem);
        }
        self.system.brief(&mut tracking, now);
        // What stands in the way is known first: a license that has run out opens nothing.
        let blocked = self.accounts.send_status(company).and_then(|s| s.blocked);
        let mut events = tracking.server_says(now, self.latest(company, now), blocked);
        let default = tracking.default_project();
        events.extend(tracking.machine.begin(now, default));
        if let Some(what) = going_on {
            events.extend(tracking.machine.go_on(now, what));
        }
        self.apply(&mut tracking, now, events).await;
        self.trackings.insert(company, tracking);
    }

    /// Ends what runs under a license that holds no longer.
    async fn end_for_license(&mut self, mut old: Tracking, next: Option<&License>, now: Moment) {
        let activity = |license: &License| license.profile().activity.clone();
        if next.map(activity) != Some(activity(old.license())) {
            // The minute under way may hold what is not permitted any more.
            old.drop_minute(now);
        }
        let events = old.machine.end(now, Cause::License);
        self.apply(&mut old, now, events).await;
    }
}

fn cannot_be_kept(problem: &str) -> String {
    format!("What you do could not be kept, so nothing is captured: {problem}.")
}
