//! Team today: who is working, and is anything wrong.

mod now;
mod view;

use std::collections::HashMap;

use axum::extract::State;
use glasshour_protocol::payload::SessionEvent;
use glasshour_protocol::{DeviceId, EmployeeId, ProjectId, SessionId};

pub(super) use view::{Problem, Progress, Row, Seen, TeamView, steps};

use super::chart::{Slot, Spark};
use super::devices::{SILENT_AFTER_MS, health};
use super::employees::MANY;
use super::gate::{PageResult, page};
use super::layout::{Page, Part, State as Shape, Viewer};
use super::words::{self, Zone};
use super::zone;
use crate::AppState;
use crate::auth::{Actor, Object, Verb, allows};
use crate::people::gaps;
use crate::report::{Grade, tracked_within, uncounted_within};
use crate::store::{
    ActivitySlot, Device, Doubt, Employee, EmployeeFilter, Session, VANISHED_AFTER_MS,
};

/// The sparkline: eight hours in slots of ten minutes, the last one not over yet.
const SLOT_MS: i64 = 10 * 60_000;
const SLOTS: i64 = 48;

/// The page.
pub(super) async fn show(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
) -> PageResult {
    actor.may(Verb::Read, Object::Employee)?;
    let scope = actor.scope(None)?;
    let now_ms = state.clock.now_ms();
    let mut read = state.read(actor.company_id).await?;
    let zone = zone::of_company(&mut read).await?;
    let day = zone.day(zone.date(now_ms));
    let first_slot = now_ms / SLOT_MS - SLOTS + 1;
    let from_ms = day.0.min(first_slot * SLOT_MS);
    let employees = read
        .employees(&EmployeeFilter {
            workspace_id: scope.clone(),
            after: None,
            limit: MANY,
        })
        .await?;
    let projects = read.projects(None, MANY).await?;
    let facts = Facts {
        now_ms,
        day,
        first_slot,
        projects: projects
            .into_iter()
            .map(|p| (p.project_id, p.name))
            .collect(),
        sessions: by_employee(
            read.sessions(scope.as_deref(), from_ms, now_ms + 1, MANY)
                .await?,
            |s| s.employee_id,
        ),
        events: read
            .last_events(now_ms - VANISHED_AFTER_MS, MANY)
            .await?
            .into_iter()
            .collect(),
        devices: by_employee(read.devices(scope.as_deref(), None, MANY).await?, |d| {
            d.employee_id
        }),
        slots: by_employee(
            read.activity_by_slot(first_slot * SLOT_MS, now_ms + 1, SLOT_MS, 1_000_000)
                .await?,
            |slot| slot.employee_id,
        ),
        doubts: by_employee(
            gaps::doubts(&mut read, None, day, 1000, now_ms).await?,
            |d| d.employee_id,
        ),
        zone,
    };
    let any_record = read.latest_offset(None).await?.is_some();
    let first = employees.iter().find(|employee| employee.active);
    let first_id = first.map(|employee| employee.employee_id.to_string());
    // Who cannot take them has no use for the steps.
    let may_begin = allows(actor.role, Verb::Create, Object::Employee);
    let steps = steps(Progress {
        employee: first_id.as_deref(),
        license: first.is_some_and(|employee| employee.serial > 0),
        device: !facts.devices.is_empty(),
        record: any_record,
    })
    .filter(|_| may_begin);
    let active: Vec<&Employee> = employees
        .iter()
        .filter(|employee| employee.active)
        .collect();
    let problems = active
        .iter()
        .flat_map(|employee| facts.problems(employee))
        .collect();
    let rows: Vec<Row> = active.iter().map(|employee| facts.row(employee)).collect();
    page(&TeamView {
        page: Page::new("Team today", Part::Team, viewer),
        date: words::long_date(facts.zone.date(now_ms)),
        zone: facts.zone.name().to_owned(),
        answer: now::answer(&rows.iter().map(|row| row.now).collect::<Vec<_>>()),
        problems,
        rows,
        steps,
    })
}

fn by_employee<T>(
    items: Vec<T>,
    employee: impl Fn(&T) -> EmployeeId,
) -> HashMap<EmployeeId, Vec<T>> {
    let mut map: HashMap<EmployeeId, Vec<T>> = HashMap::new();
    for item in items {
        map.entry(employee(&item)).or_default().push(item);
    }
    map
}

/// What the rows are made from.
struct Facts {
    now_ms: i64,
    day: (i64, i64),
    first_slot: i64,
    zone: Zone,
    projects: HashMap<ProjectId, String>,
    sessions: HashMap<EmployeeId, Vec<Session>>,
    devices: HashMap<EmployeeId, Vec<Device>>,
    /// The last event of each open session.
    events: HashMap<(DeviceId, SessionId), SessionEvent>,
    slots: HashMap<EmployeeId, Vec<ActivitySlot>>,
    doubts: HashMap<EmployeeId, Vec<Doubt>>,
}

impl Facts {
    fn sessions(&self, employee: &Employee) -> &[Session] {
        self.sessions
            .get(&employee.employee_id)
            .map_or(&[], Vec::as_slice)
    }

    fn doubts(&self, employee: &Employee) -> &[Doubt] {
        self.doubts
            .get(&employee.employee_id)
            .map_or(&[], Vec::as_slice)
    }

    /// Tracked time of today that counts (rule 22).
    fn counted(&self, session: &Session, doubts: &[Doubt]) -> i64 {
        let of_device = |doubt: &&Doubt| doubt.device_id == session.device_id;
        let spans = doubts.iter().filter(of_device).filter_map(Doubt::uncounted);
        let (from, to) = self.day;
        tracked_within(&session.stretches, from, to)
            - uncounted_within(&session.stretches, spans, from, to)
    }

    /// The devices that may still speak.
    fn devices(&self, employee: &Employee) -> impl Iterator<Item = &Device> {
        let devices = self
            .devices
            .get(&employee.employee_id)
            .map_or(&[][..], Vec::as_slice);
        devices.iter().filter(|device| device.revoked_at.is_none())
    }

    fn row(&self, employee: &Employee) -> Row {
        let sessions = self.sessions(employee);
        let project = |id: Option<ProjectId>| {
            id.and_then(|id| self.projects.get(&id))
                .cloned()
                .unwrap_or_default()
        };
        let (now, now_text) = now::of(sessions, &self.events, self.now_ms, project);
        let today: i64 = sessions
            .iter()
            .map(|session| self.counted(session, self.doubts(employee)))
            .sum();
        let seen_ms = self
            .devices(employee)
            .map(|device| device.last_seen_at)
            .max();
        let worst = self
            .devices(employee)
            .flat_map(|device| health(device.health.as_ref()))
            .find(|line| line.state == Shape::Problem);
        let doubted = self.doubts(employee).iter().any(Doubt::is_open);
        let (health, health_text) = match (seen_ms, worst) {
            (None, _) => (Shape::Off, "no device yet".to_owned()),
            (Some(_), Some(line)) => (Shape::Problem, line.short),
            (Some(_), None) if doubted => (Shape::Gap, "records in doubt".to_owned()),
            (Some(_), None) => (Shape::Done, "ok".to_owned()),
        };
        Row {
            employee_id: employee.employee_id.to_string(),
            name: employee.name.clone(),
            now,
            now_text,
            today: words::duration(today),
            spark: Spark::draw(&self.slots(employee)),
            seen: seen_ms.map(|ms| Seen {
                ago: words::ago(self.now_ms - ms),
                machine: self.zone.machine(ms),
                full: format!("{} {}", self.zone.date_clock(ms), self.zone.name()),
            }),
            health,
            health_text,
        }
    }

    fn slots(&self, employee: &Employee) -> Vec<Slot> {
        let actions: HashMap<i64, i64> = self
            .slots
            .get(&employee.employee_id)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(|slot| (slot.slot, slot.actions))
            .collect();
        (self.first_slot..self.first_slot + SLOTS)
            .map(|slot| Slot {
                tracked_ms: self
                    .sessions(employee)
                    .iter()
                    .map(|s| tracked_within(&s.stretches, slot * SLOT_MS, (slot + 1) * SLOT_MS))
                    .sum(),
                actions: actions.get(&slot).copied().unwrap_or(0),
            })
            .collect()
    }

    /// What needs a person, in words, with the page to go to.
    fn problems(&self, employee: &Employee) -> Vec<Problem> {
        let name = &employee.name;
        let day = format!("/employees/{}/day", employee.employee_id);
        let mut problems = Vec::new();
        for device in self.devices(employee) {
            let host = &device.host_name;
            for line in health(device.health.as_ref()) {
                if line.state == Shape::Problem {
                    let text = format!("{name}, {host}: {}", line.text);
                    problems.push(Problem {
                        text,
                        href: "/devices".into(),
                    });
                }
            }
            let open = self
                .sessions(employee)
                .iter()
                .any(|session| session.device_id == device.device_id && session.ended_at.is_none());
            if open && self.now_ms - device.last_seen_at > SILENT_AFTER_MS {
                let since = self.zone.clock(device.last_seen_at);
                let text =
                    format!("{name}, {host}: silent since {since}, in the middle of a session");
                problems.push(Problem {
                    text,
                    href: day.clone(),
                });
            }
        }
        let doubts = self.doubts(employee);
        let open = |grade| move |doubt: &&Doubt| doubt.grade == grade && doubt.is_open();
        let gaps = doubts.iter().filter(open(Grade::GapBefore)).count();
        let clocks = doubts.iter().filter(open(Grade::ClockSuspect)).count();
        if gaps > 0 {
            let gaps = words::count(gaps, "gap");
            let text = format!("{name}: records are missing today ({gaps})");
            problems.push(Problem {
                text,
                href: day.clone(),
            });
        }
        if clocks > 0 {
            let text = format!("{name}: the computer's clock was moved today");
            problems.push(Problem { text, href: day });
        }
        problems
    }
}
