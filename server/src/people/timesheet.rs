//! Tracked time summed up by person or by project (rule 58).

use std::collections::{BTreeMap, HashMap};

use glasshour_protocol::{DeviceId, EmployeeId, ProjectId};

use super::{acceptance, reach};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::report::{Stretch, uncounted_within};
use crate::store::{Doubt, MemberStatus, Session};

/// Most sessions that one report reads.
const MAX_SESSIONS: u32 = 100_000;
/// More projects than any company has.
const MAX_PROJECTS: u32 = 10_000;

/// What the lines of a report stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// One line a person.
    #[default]
    Employee,
    /// One line a project or department.
    Project,
}

/// Which time.
#[derive(Clone, Debug)]
pub struct TimesheetQuery {
    /// From, UTC milliseconds.
    pub from_ms: i64,
    /// To (exclusive), UTC milliseconds.
    pub to_ms: i64,
    /// What the lines stand for.
    pub group_by: Grouping,
    /// Of this person alone. A person who is inactive or deleted as a member cannot be asked for.
    pub employee_id: Option<EmployeeId>,
    /// Of this workspace alone.
    pub workspace_id: Option<String>,
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose, where it is grouped by person.
    pub employee_id: Option<EmployeeId>,
    /// What on, where it is grouped by project.
    pub project_id: Option<ProjectId>,
    /// The person's or the project's name.
    pub name: String,
    /// Where the person stands as a member, where they are one.
    pub member: Option<MemberStatus>,
    /// Milliseconds worked.
    pub tracked_ms: i64,
    /// Milliseconds worked that do not count: records are missing there, and nobody has accepted that.
    pub uncounted_ms: i64,
    /// Milliseconds idle.
    pub idle_ms: i64,
}

/// Sums up what was tracked. Inactive and deleted members' time is in it (rule 58).
pub async fn timesheet(
    state: &AppState,
    actor: &Actor,
    query: &TimesheetQuery,
) -> Result<Vec<Line>, ApiError> {
    actor.may(Verb::Read, Object::Capture)?;
    let scope = actor.scope(query.workspace_id.as_deref())?;
    let mut read = state.read(actor.company_id).await?;
    let (from, to) = (query.from_ms, query.to_ms);
    let sessions = match query.employee_id {
        None => {
            read.sessions(scope.as_deref(), from, to, MAX_SESSIONS)
                .await?
        }
        Some(id) => {
            reach::employee(&mut read, actor, Verb::Read, Object::Capture, id).await?;
            let member = read.member_of_employee(id).await?;
            let gone = member.is_some_and(|one| {
                matches!(one.status, MemberStatus::Inactive | MemberStatus::Deleted)
            });
            if gone {
                let message = "Reports cannot be narrowed to a member who is inactive or deleted. \
                               Group by employee: their time is in it.";
                return Err(ApiError::invalid("employee_id", message));
            }
            read.sessions_of(id, from, to, MAX_SESSIONS).await?
        }
    };
    let now_ms = state.clock.now_ms();
    let doubts = acceptance::uncounted(&mut read, query.employee_id, (from, to), now_ms).await?;
    let mut lines = Vec::new();
    match query.group_by {
        Grouping::Employee => {
            for (id, sums) in sum(&sessions, &doubts, (from, to), |session, _| {
                session.employee_id
            }) {
                let employee = read.employee(id).await?;
                let member = read.member_of_employee(id).await?;
                lines.push(Line {
                    employee_id: Some(id),
                    project_id: None,
                    name: employee.map_or_else(String::new, |one| one.name),
                    member: member.map(|one| one.status),
                    tracked_ms: sums.tracked,
                    uncounted_ms: sums.uncounted,
                    idle_ms: sums.idle,
                });
            }
        }
        Grouping::Project => {
            let names: HashMap<ProjectId, String> = read
                .projects(None, MAX_PROJECTS)
                .await?
                .into_iter()
                .map(|one| (one.project_id, one.name))
                .collect();
            let by_project = |_: &Session, part: &Stretch| part.project_id;
            for (id, sums) in sum(&sessions, &doubts, (from, to), by_project) {
                lines.push(Line {
                    employee_id: None,
                    project_id: id,
                    name: id
                        .and_then(|id| names.get(&id).cloned())
                        .unwrap_or_default(),
                    member: None,
                    tracked_ms: sums.tracked,
                    uncounted_ms: sums.uncounted,
                    idle_ms: sums.idle,
                });
            }
        }
    }
    lines.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(lines)
}

/// What some stretches come to, milliseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    tracked: i64,
    uncounted: i64,
    idle: i64,
}

/// Sums within `[from, to)`, by a key of each stretch.
fn sum<K: Ord>(
    sessions: &[Session],
    doubts: &[Doubt],
    (from, to): (i64, i64),
    key: impl Fn(&Session, &Stretch) -> K,
) -> BTreeMap<K, Sums> {
    let mut spans: HashMap<DeviceId, Vec<(i64, i64)>> = HashMap::new();
    for doubt in doubts {
        spans
            .entry(doubt.device_id)
            .or_default()
            .extend(doubt.uncounted());
    }
    let mut sums: BTreeMap<K, Sums> = BTreeMap::new();
    for session in sessions {
        let spans = spans.get(&session.device_id).map_or(&[][..], Vec::as_slice);
        for part in &session.stretches {
            let ms = part.to_ms.min(to) - part.from_ms.max(from);
            if ms <= 0 || part.withdrawn {
                continue;
            }
            let sums = sums.entry(key(session, part)).or_default();
            if part.idle {
                sums.idle += ms;
            } else {
                let part = std::slice::from_ref(part);
                let off = uncounted_within(part, spans.iter().copied(), from, to);
                sums.uncounted += off;
                sums.tracked += ms - off;
            }
        }
    }
    sums
}
