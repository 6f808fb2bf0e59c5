//! From the log to the sessions of a day and what they add up to. Pure.

use std::collections::BTreeMap;

use glasshour_license_format::License;
use glasshour_protocol::payload::Cause;
use glasshour_protocol::session::RollUp;
use glasshour_protocol::{CompanyId, LicenseId, ProjectId, SessionId};
use serde::Serialize;

use crate::day::{self, Log, Open, Sums, Withdrawn};
use crate::status::Status;

/// Whose license is whose, and what projects are called.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    companies: BTreeMap<LicenseId, (CompanyId, String)>,
    projects: BTreeMap<ProjectId, String>,
}

impl Names {
    /// Projects are known where the agent runs and has reached the server.
    pub(super) fn new(licenses: &[License], status: Option<&Status>) -> Self {
        let company = |license: &License| {
            let claims = license.claims();
            let issuer = &claims.issuer;
            (
                claims.license_id,
                (issuer.company_id, issuer.company.clone()),
            )
        };
        let employers = status.map(|status| status.employers.as_slice());
        let projects = employers
            .unwrap_or_default()
            .iter()
            .flat_map(|employer| &employer.projects);
        Self {
            companies: licenses.iter().map(company).collect(),
            projects: projects
                .map(|project| (project.project_id, project.name.clone()))
                .collect(),
        }
    }

    /// A project as a person knows it.
    pub(super) fn project(&self, id: Option<ProjectId>) -> String {
        let Some(id) = id else {
            return "no project".into();
        };
        self.projects.get(&id).cloned().unwrap_or(id.to_string())
    }

    fn company(&self, id: LicenseId) -> (Option<CompanyId>, String) {
        match self.companies.get(&id) {
            Some((company, name)) => (Some(*company), name.clone()),
            None => (None, "another employer".into()),
        }
    }
}

/// One session of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Worked {
    pub(super) session_id: SessionId,
    /// `None`: no license of it is on this computer any more.
    pub(super) company_id: Option<CompanyId>,
    pub(super) company: String,
    /// The project at its end.
    pub(super) project_id: Option<ProjectId>,
    pub(super) started_ms: i64,
    /// `None` while it runs.
    pub(super) ended_ms: Option<i64>,
    pub(super) cause: Option<Cause>,
    pub(super) note: Option<String>,
    /// What it holds of the day.
    #[serde(flatten)]
    pub(super) sums: Sums,
    #[serde(skip)]
    rolled: RollUp,
}

/// What the day's sessions for one employer add up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Total {
    pub(super) company_id: Option<CompanyId>,
    pub(super) company: String,
    pub(super) ms: u64,
    /// The same by project, longest first.
    pub(super) projects: Vec<ProjectTotal>,
}

/// Time on one project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ProjectTotal {
    pub(super) project_id: Option<ProjectId>,
    pub(super) name: String,
    pub(super) ms: u64,
}

/// Sessions that ran after that moment, oldest first.
pub(super) fn sessions_since(
    log: &Log,
    since_ms: i64,
    open: Open<'_>,
    withdrawn: &Withdrawn,
    names: &Names,
) -> Vec<Worked> {
    let session = |(id, rolled): (SessionId, RollUp)| {
        let (company_id, company) = names.company(log.license(id)?);
        let ended_ms = rolled.ended_at.or_else(|| {
            let last = rolled.stretches.last().map(|part| part.to_ms);
            // One that a crash left open ends where it was last heard of.
            (!open.running.contains(&id)).then(|| last.unwrap_or(rolled.started_at))
        });
        Some(Worked {
            session_id: id,
            company_id,
            company,
            project_id: rolled.project_id,
            started_ms: rolled.started_at,
            ended_ms,
            cause: rolled.cause,
            note: rolled.note.clone(),
            sums: day::sums([&rolled], since_ms, open.now_ms),
            rolled,
        })
    };
    let rolled = log.rolled(|_| true, open, withdrawn);
    let mut sessions: Vec<_> = rolled
        .into_iter()
        .filter_map(session)
        .filter(|session| session.ended_ms.is_none_or(|end| end > since_ms))
        .collect();
    sessions.sort_by_key(|session| session.started_ms);
    sessions
}

/// Adds up the tracked time between those moments by employer and project. By name of the employer.
pub(super) fn totals(sessions: &[Worked], since_ms: i64, now_ms: i64, names: &Names) -> Vec<Total> {
    let mut of: BTreeMap<_, Vec<&RollUp>> = BTreeMap::new();
    for session in sessions {
        let key = (session.company.as_str(), session.company_id);
        of.entry(key).or_default().push(&session.rolled);
    }
    of.into_iter()
        .map(|((company, company_id), rolled)| {
            let times = day::by_project(rolled, since_ms, now_ms);
            let projects: Vec<_> = times
                .into_iter()
                .map(|(project_id, ms)| ProjectTotal {
                    project_id,
                    name: names.project(project_id),
                    ms: ms.unsigned_abs(),
                })
                .collect();
            Total {
                company_id,
                company: company.to_owned(),
                ms: projects.iter().map(|project| project.ms).sum(),
                projects,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::journal::Entry;
    use glasshour_protocol::payload::{SessionEvent, SessionEventKind};
    use uuid::Uuid;

    const ACME: u128 = 1;
    const BETA: u128 = 2;

    fn names() -> Names {
        let company = |id: u128, name: &str| {
            let license = LicenseId(Uuid::from_u128(id));
            (license, (CompanyId(Uuid::from_u128(id)), name.to_owned()))
        };
        Names {
            companies: BTreeMap::from([company(ACME, "Acme"), company(BETA, "Beta")]),
            projects: BTreeMap::from([(ProjectId(Uuid::from_u128(7)), "Apollo".into())]),
        }
    }

    fn entry(employer: u128, session: u128, event: SessionEventKind, at_ms: i64) -> Entry {
        Entry {
            license_id: LicenseId(Uuid::from_u128(employer)),
            event: SessionEvent {
                session_id: SessionId(Uuid::from_u128(session)),
                event,
                cause: Cause::User,
                at_ms,
                project_id: None,
                note: None,
                idle: None,
            },
        }
    }

    #[test]
    fn a_session_over_midnight_belongs_to_the_day_and_an_older_one_does_not() {
        let entries = [
            entry(ACME, 1, SessionEventKind::Started, 0),
            entry(ACME, 1, SessionEventKind::Stopped, 100),
            entry(ACME, 2, SessionEventKind::Started, 200),
            entry(ACME, 2, SessionEventKind::Stopped, 400),
            entry(ACME, 3, SessionEventKind::Started, 500),
        ];
        let running = BTreeSet::from([SessionId(Uuid::from_u128(3))]);
        let open = Open {
            now_ms: 600,
            running: &running,
        };
        let log = Log::of(entries);
        let days = sessions_since(&log, 300, open, &Withdrawn::new(), &names());
        let ends: Vec<_> = days.iter().map(|session| session.ended_ms).collect();
        assert_eq!(ends, [Some(400), None]);
        let tracked: Vec<_> = days.iter().map(|session| session.sums.tracked_ms).collect();
        assert_eq!(tracked, [100, 100], "of this day");
    }

    #[test]
    fn p18_the_day_adds_up_for_each_employer_and_project() {
        let apollo = Some(ProjectId(Uuid::from_u128(7)));
        let mut switched = entry(ACME, 1, SessionEventKind::Switched, 400);
        switched.event.project_id = apollo;
        let entries = [
            entry(ACME, 1, SessionEventKind::Started, 100),
            switched,
            entry(ACME, 1, SessionEventKind::Stopped, 1_000),
            entry(BETA, 2, SessionEventKind::Started, 1_000),
            entry(9, 3, SessionEventKind::Started, 900),
            entry(9, 3, SessionEventKind::Stopped, 1_000),
        ];
        let names = names();
        let running = BTreeSet::from([SessionId(Uuid::from_u128(2))]);
        let open = Open {
            now_ms: 1_500,
            running: &running,
        };
        let log = Log::of(entries);
        let sessions = sessions_since(&log, 200, open, &Withdrawn::new(), &names);
        let totals = totals(&sessions, 200, 1_500, &names);
        let told: Vec<_> = totals
            .iter()
            .map(|total| {
                let projects: Vec<_> = total
                    .projects
                    .iter()
                    .map(|project| (project.name.as_str(), project.ms))
                    .collect();
                (total.company.as_str(), total.ms, projects)
            })
            .collect();
        let none = "no project";
        assert_eq!(
            told,
            [
                ("Acme", 800, vec![("Apollo", 600), (none, 200)]),
                ("Beta", 500, vec![(none, 500)]),
                ("another employer", 100, vec![(none, 100)]),
            ]
        );
    }
}
