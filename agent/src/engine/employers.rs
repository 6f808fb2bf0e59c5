//! Whom is tracked for: at most one worklog at a time, and beside it the monitoring of one employer.
//!
//! Each license that counts has a [`Tracking`] of its own, also at rest: its session, its channels and
//! permits, its block. Nothing of one passes to another here but what the person sees.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use glasshour_license_format::License;
use glasshour_protocol::device::Project;
use glasshour_protocol::payload::{Cause, SessionEvent, SessionEventKind};
use glasshour_protocol::{CompanyId, LicenseId, ProjectId};

use super::Engine;
use super::choice::{self, Employer};
use super::tracking::{self, Tracking};
use crate::journal::Journal;
use crate::session::State;

impl Engine {
    /// The employers that a worklog could be asked for.
    pub(super) fn employers(&self) -> Vec<Employer> {
        let at_work = self.trackings.values().map(Tracking::license);
        let out_of_order = self.out_of_order.values().map(|(license, _)| license);
        let mut employers: Vec<_> = at_work
            .chain(out_of_order)
            .map(|license| self.employer(license))
            .collect();
        employers.sort_by(|a, b| (&a.name, a.company).cmp(&(&b.name, b.company)));
        employers
    }

    fn employer(&self, license: &License) -> Employer {
        let issuer = &license.claims().issuer;
        Employer {
            company: issuer.company_id,
            name: issuer.company.clone(),
            monitors: tracking::is_monitoring(license),
            projects: self.projects(issuer.company_id),
            last_used_ms: self.last_used.get(&issuer.company_id).copied(),
        }
    }

    /// For whom a worklog runs.
    pub(super) fn works_for(&self) -> Option<CompanyId> {
        let running = |t: &&Tracking| !t.is_monitoring() && t.machine.running().is_some();
        self.trackings.values().find(running).map(Tracking::company)
    }

    /// Whose worklog runs, or is to go on when its block ends.
    pub(super) fn worklog(&self) -> Option<CompanyId> {
        let to_go_on = |t: &&Tracking| !t.is_monitoring() && t.machine.to_go_on().is_some();
        let waits = self.trackings.values().find(to_go_on);
        self.works_for().or(waits.map(Tracking::company))
    }

    /// Whose worklog is on a pause.
    pub(super) fn paused(&self) -> Option<CompanyId> {
        let on_pause = |t: &&Tracking| matches!(t.machine.state(), State::OnPause { .. });
        self.trackings
            .values()
            .find(on_pause)
            .map(Tracking::company)
    }

    /// Whichever worklog there is, to say why it cannot do what was asked.
    pub(super) fn at_rest(&self) -> Option<CompanyId> {
        let mut worklogs = self.trackings.values().filter(|t| !t.is_monitoring());
        worklogs.next().map(Tracking::company)
    }

    /// An employer's projects, those that were worked on last before the others.
    pub(super) fn projects_by_use(&self, company: CompanyId) -> Vec<Project> {
        let mut projects = self.projects(company);
        projects.sort_by_key(|p| Reverse(self.project_used.get(&p.project_id).copied()));
        projects
    }

    /// Takes note of what is worked on.
    pub(super) fn note_project(&mut self, event: &SessionEvent) {
        if let Some(project) = event.project_id {
            self.project_used.insert(project, event.at_ms);
        }
    }

    /// Who monitors, by the license at work.
    pub(super) fn monitored_by(&self) -> Option<&Tracking> {
        self.trackings.values().find(|t| t.is_monitoring())
    }

    /// Every employer with a license or a spool here.
    pub(super) fn known_companies(&self) -> BTreeSet<CompanyId> {
        let spools = self.accounts.iter().map(super::accounts::Account::company);
        let out_of_order = self.out_of_order.keys().copied();
        self.trackings
            .keys()
            .copied()
            .chain(out_of_order)
            .chain(spools)
            .collect()
    }

    /// Whom a worklog is for where nobody is named.
    pub(super) fn default_employer(&self) -> Option<CompanyId> {
        choice::default(&self.employers())
    }

    /// The employer that the person sees first.
    pub(super) fn foremost(&self) -> Option<CompanyId> {
        let monitors =
            |t: &&Tracking| t.is_monitoring() && !matches!(t.machine.state(), State::Stopped);
        let employers = self.employers();
        self.worklog()
            .or_else(|| self.paused())
            .or_else(|| {
                self.trackings
                    .values()
                    .find(monitors)
                    .map(Tracking::company)
            })
            .or_else(|| self.default_employer())
            .or_else(|| employers.first().map(|employer| employer.company))
    }

    /// From the log: when a worklog was last started for whom.
    pub(super) fn remember_last_used(&mut self) {
        for (license, at_ms) in std::mem::take(&mut self.last_started) {
            match self.accounts.company_of(license) {
                Some(company) => self.used(company, at_ms),
                None => self.last_started.push((license, at_ms)),
            }
        }
    }

    pub(super) fn used(&mut self, company: CompanyId, at_ms: i64) {
        let known = self.last_used.entry(company).or_insert(at_ms);
        *known = at_ms.max(*known);
    }
}

/// From the log: when each project was last worked on.
pub(super) fn last_projects(journal: &Journal) -> BTreeMap<ProjectId, i64> {
    let log = journal.read().unwrap_or_default();
    let used = log.iter().filter_map(|entry| {
        let event = &entry.event;
        event.project_id.map(|project| (project, event.at_ms))
    });
    used.collect()
}

/// From the log: when the person last started a worklog under each license.
pub(super) fn last_started(journal: &Journal) -> Vec<(LicenseId, i64)> {
    let mut last = BTreeMap::new();
    for entry in journal.read().unwrap_or_default() {
        let event = entry.event;
        if (event.event, event.cause) == (SessionEventKind::Started, Cause::User) {
            last.insert(entry.license_id, event.at_ms);
        }
    }
    last.into_iter().collect()
}
