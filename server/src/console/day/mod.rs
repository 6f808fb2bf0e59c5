//! A person's day: what happened, and can it be trusted.

mod sums;
mod view;

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect};
use glasshour_protocol::withdrawal::Reason;
use glasshour_protocol::{EmployeeId, Kind, ProjectId, RecordHeader, RecordId};
use jiff::civil::Date;
use serde::Deserialize;

pub(super) use view::{DayView, DoubtRow, FilmHour, SessionRow, Shot, ending};

use super::chart::{DayChart, Span, SpanKind};
use super::employees::MANY;
use super::gate::{FormOf, PageResult, PathId, page};
use super::layout::{Page, Part, Viewer};
use super::words::{self, Zone};
use super::zone;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, AcceptanceForm, Look, gaps, reach};
use crate::report::{
    Grade, Stretch, Waits, idle_within, tracked_within, uncounted_within, withdrawn_within,
};
use crate::store::{ActivityRow, Doubt, Employee, Project, Read, Screenshot, Session, ViewKind};

/// Most pictures on a page.
const SHOTS: u32 = 1000;
/// More sessions and minutes than a day has, on several devices.
const ROWS: u32 = 10_000;
/// The colour of time on no known project.
const NO_COLOR: &str = "#7f8d89";

/// Which day.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct DayQuery {
    #[serde(default)]
    date: Option<String>,
}

/// The page.
pub(super) async fn show(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
    Query(query): Query<DayQuery>,
) -> PageResult {
    let now_ms = state.clock.now_ms();
    let mut read = state.read(actor.company_id).await?;
    let employee = reach::employee(&mut read, &actor, Verb::Read, Object::Capture, id).await?;
    let seen = Seen {
        day: format!("/employees/{id}/day"),
        captures: "/captures",
        own: false,
        accepts: !reach::is_own(&mut read, &actor, id).await?,
    };
    let day = day_of(&mut read, id, &query, now_ms).await?;
    let look = Look {
        employee_id: id,
        from_ms: day.span.0,
        to_ms: day.span.1 - 1,
        times: 1,
    };
    people::note_looks(&state, &actor, ViewKind::Day, &[look], None).await?;
    let title = |title: String| Page::new(title, Part::Employees, viewer);
    page(&view_of(&mut read, employee, day, seen, title).await?)
}

/// What the form below a gap sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AcceptFields {
    #[serde(default)]
    reason: String,
    /// The day to come back to.
    #[serde(default)]
    date: String,
}

/// Accepts a record in doubt (rule 22).
pub(super) async fn accept(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<RecordId>,
    FormOf(form): FormOf<AcceptFields>,
) -> PageResult {
    let reason = Some(form.reason);
    let (record, _) = people::accept_record(&state, &actor, id, AcceptanceForm { reason }).await?;
    let date: Option<Date> = form.date.parse().ok();
    let date = date.map_or_else(String::new, |date| format!("?date={date}"));
    let day = format!("/employees/{}/day{date}", record.employee_id);
    Ok(Redirect::to(&day).into_response())
}

/// Which day is looked at, and when that is there.
pub(super) struct DayOf {
    now_ms: i64,
    zone: Zone,
    date: Date,
    today: Date,
    /// UTC milliseconds, the end exclusive.
    span: (i64, i64),
}

/// The day that a query asks for; today where it asks for none.
pub(super) async fn day_of(
    read: &mut Read,
    id: EmployeeId,
    query: &DayQuery,
    now_ms: i64,
) -> Result<DayOf, ApiError> {
    let zone = zone::of_employee(read, id).await?;
    let today = zone.date(now_ms);
    let date = match query.date.as_deref() {
        None | Some("") => today,
        Some(text) => text.parse().map_err(|_| ApiError::not_found("day"))?,
    };
    let span = zone.day(date);
    Ok(DayOf {
        now_ms,
        zone,
        date,
        today,
        span,
    })
}

/// Who looks, and where from.
pub(super) struct Seen {
    /// The page's own address.
    pub(super) day: String,
    /// How the addresses of its pictures begin.
    pub(super) captures: &'static str,
    /// Whether it is the person's own.
    pub(super) own: bool,
    /// Whether who looks may accept what is in doubt: nobody their own.
    pub(super) accepts: bool,
}

/// The day of somebody who may be looked at.
pub(super) async fn view_of(
    read: &mut Read,
    employee: Employee,
    day: DayOf,
    seen: Seen,
    title: impl FnOnce(String) -> Page,
) -> Result<DayView, ApiError> {
    let id = employee.employee_id;
    let (from, to) = day.span;
    let (date, today) = (day.date, day.today);
    let facts = Facts {
        now_ms: day.now_ms,
        day: day.span,
        projects: read
            .projects(None, MANY)
            .await?
            .into_iter()
            .map(|p| (p.project_id, p))
            .collect(),
        sessions: read.sessions_of(id, from, to, ROWS).await?,
        minutes: read.activity(id, from, to, ROWS).await?,
        shots: read
            .pictures(Kind::Screenshot, id, from, to, SHOTS + 1)
            .await?,
        camera: read.pictures(Kind::Camera, id, from, to, SHOTS).await?,
        doubts: gaps::doubts(read, Some(id), (from, to), 100, day.now_ms).await?,
        uncounted: people::uncounted(read, Some(id), day.span, day.now_ms).await?,
        zone: day.zone,
        seen,
    };
    let title_text = format!("{}, {}", employee.name, words::long_date(date));
    Ok(facts.view(title(title_text), employee, date, today))
}

/// What the page is made from.
struct Facts {
    now_ms: i64,
    day: (i64, i64),
    zone: Zone,
    projects: HashMap<ProjectId, Project>,
    sessions: Vec<Session>,
    minutes: Vec<ActivityRow>,
    shots: Vec<Screenshot>,
    camera: Vec<Screenshot>,
    doubts: Vec<Doubt>,
    /// Those that time is not counted for; the last may end on the next day.
    uncounted: Vec<Doubt>,
    seen: Seen,
}

impl Facts {
    fn view(mut self, page: Page, employee: Employee, date: Date, today: Date) -> DayView {
        let (id, name) = (employee.employee_id, employee.name);
        let shots_cut = self.shots.len() > SHOTS as usize;
        self.shots.truncate(SHOTS as usize);
        let (from, to) = self.day;
        let stretches = || {
            self.sessions
                .iter()
                .map(|session| session.stretches.as_slice())
        };
        let total = |within: fn(&[Stretch], i64, i64) -> i64| -> i64 {
            stretches().map(|parts| within(parts, from, to)).sum()
        };
        let uncounted: i64 = self
            .sessions
            .iter()
            .map(|session| self.uncounted(session))
            .sum();
        let (tracked, idle) = (total(tracked_within) - uncounted, total(idle_within));
        let withdrawn = total(withdrawn_within);
        let gap_count = self.doubts.iter().filter(|doubt| doubt.is_gap()).count();
        let (applications, other_applications) = sums::applications(&self.minutes);
        let next = date.tomorrow().ok().filter(|next| *next <= today);
        DayView {
            page,
            address: self.seen.day.clone(),
            own: self.seen.own,
            accepts: self.seen.accepts,
            name,
            employee_id: (!self.seen.own).then(|| id.to_string()),
            date_text: words::long_date(date),
            date: date.to_string(),
            previous: date.yesterday().unwrap_or(date).to_string(),
            next: next.map(|next| next.to_string()),
            today: today.to_string(),
            zone: self.zone.name().to_owned(),
            tracked: words::duration(tracked),
            idle: words::duration(idle),
            withdrawn: (withdrawn > 0).then(|| words::duration(withdrawn)),
            uncounted: (uncounted > 0).then(|| words::duration(uncounted)),
            gaps: if gap_count == 0 {
                "no gaps".into()
            } else {
                words::count(gap_count, "gap")
            },
            gap_count,
            doubts: self
                .doubts
                .iter()
                .filter(|doubt| doubt.waits.is_none())
                .map(|doubt| self.doubt(doubt))
                .collect(),
            waiting: self.waiting(),
            chart: self.chart(),
            legend: self.projects_of(&self.sessions),
            sessions: self
                .sessions
                .iter()
                .map(|session| self.session(session))
                .collect(),
            quarters: sums::quarters(&self.zone, &self.minutes),
            hours: self.film(),
            shot_count: self.shots.len(),
            shots_cut,
            camera: self.camera.iter().map(|shot| self.shot(shot)).collect(),
            applications,
            other_applications,
        }
    }

    fn project(&self, id: Option<ProjectId>) -> (String, String) {
        let project = id.and_then(|id| self.projects.get(&id));
        project.map_or_else(
            || ("no project".to_owned(), NO_COLOR.to_owned()),
            |project| (project.name.clone(), project.color.clone()),
        )
    }

    fn doubt(&self, doubt: &Doubt) -> DoubtRow {
        let at = self.zone.clock(doubt.captured_at);
        let text = match (doubt.grade, doubt.before_at) {
            (Grade::GapBefore, Some(before)) => {
                let from = self.zone.clock(before);
                format!("Records are missing between {from} and {at}.")
            }
            (Grade::GapBefore, None) => format!("Records are missing before {at}."),
            _ => format!("The computer's clock was moved at {at}, or is ahead of the server's."),
        };
        let accepted = doubt.accepted_at.map(|ms| {
            format!(
                "Accepted by {} on {}: {}",
                doubt.accepted_by.as_deref().unwrap_or_default(),
                self.zone.date_clock(ms),
                doubt.accepted_reason.as_deref().unwrap_or_default()
            )
        });
        DoubtRow {
            record_id: doubt.record_id.to_string(),
            text,
            at,
            accepted,
        }
    }

    /// Tracked time of a session on this day that does not count.
    fn uncounted(&self, session: &Session) -> i64 {
        let of_device = |doubt: &&Doubt| doubt.device_id == session.device_id;
        let doubts = self.uncounted.iter().filter(of_device);
        let (from, to) = self.day;
        uncounted_within(
            &session.stretches,
            doubts.filter_map(Doubt::uncounted),
            from,
            to,
        )
    }

    /// What the license lets wait on the computer, in one sentence however many there are.
    fn waiting(&self) -> Option<String> {
        let waits = || self.doubts.iter().filter_map(|doubt| doubt.waits);
        let until = waits().filter_map(|waits| match waits {
            Waits::Until(ms) => Some(ms),
            Waits::Silent(_) => None,
        });
        let silent = waits().filter_map(|waits| match waits {
            Waits::Until(_) => None,
            Waits::Silent(ms) => Some(ms),
        });
        let what = "Captures may still wait on the computer for review, as the license gives";
        match (until.max(), silent.max()) {
            (Some(until), _) => {
                let until = self.clock(until);
                Some(format!("{what}, until {until}."))
            }
            (None, Some(seen)) => {
                let seen = self.clock(seen);
                Some(format!("{what}; it was last heard of at {seen}."))
            }
            (None, None) => None,
        }
    }

    /// A time of day, with the date where that is another day.
    fn clock(&self, ms: i64) -> String {
        if (self.day.0..self.day.1).contains(&ms) {
            self.zone.clock(ms)
        } else {
            self.zone.date_clock(ms)
        }
    }

    fn chart(&self) -> Option<DayChart> {
        let mut spans: Vec<Span> = Vec::new();
        for stretch in self.sessions.iter().flat_map(|session| &session.stretches) {
            let (project, color) = self.project(stretch.project_id);
            spans.push(Span {
                from_ms: stretch.from_ms,
                to_ms: stretch.to_ms,
                kind: match (stretch.idle, stretch.withdrawn) {
                    (true, _) => SpanKind::Idle,
                    (false, true) => SpanKind::Withdrawn,
                    (false, false) => SpanKind::Working,
                },
                project,
                color,
            });
        }
        for doubt in self.doubts.iter().filter(|doubt| doubt.is_gap()) {
            spans.push(Span {
                from_ms: doubt
                    .before_at
                    .unwrap_or(doubt.captured_at)
                    .min(doubt.captured_at),
                to_ms: doubt.captured_at,
                kind: SpanKind::Gap,
                project: String::new(),
                color: NO_COLOR.to_owned(),
            });
        }
        let minutes: Vec<(i64, i64)> = self
            .minutes
            .iter()
            .map(|m| (m.from_ms, m.keys + m.clicks + m.scrolls))
            .collect();
        let shots: Vec<i64> = self.shots.iter().map(|shot| shot.captured_at).collect();
        let nothing = spans.is_empty() && minutes.is_empty() && shots.is_empty();
        (!nothing).then(|| DayChart::draw(&self.zone, self.day, &spans, &minutes, &shots))
    }

    /// The projects of some sessions, in the order in which they were worked on.
    fn projects_of(&self, sessions: &[Session]) -> Vec<(String, String)> {
        let mut projects: Vec<(String, String)> = Vec::new();
        for stretch in sessions.iter().flat_map(|session| &session.stretches) {
            let project = self.project(stretch.project_id);
            if !projects.contains(&project) {
                projects.push(project);
            }
        }
        projects
    }

    fn session(&self, session: &Session) -> SessionRow {
        let (from, to) = self.day;
        let end = session.end_as_of(self.now_ms);
        // A session over midnight says so by the date of the other day.
        let clock = |ms: i64| self.clock(ms);
        SessionRow {
            from: clock(session.started_at),
            from_machine: self.zone.machine(session.started_at),
            to: end.map_or_else(|| "now".to_owned(), clock),
            projects: self.projects_of(std::slice::from_ref(session)),
            tracked: words::duration(
                tracked_within(&session.stretches, from, to) - self.uncounted(session),
            ),
            idle: words::duration(idle_within(&session.stretches, from, to)),
            withdrawn: words::duration(withdrawn_within(&session.stretches, from, to)),
            end: ending(session.cause.as_deref(), end.is_none()),
            note: session.note.clone(),
        }
    }

    fn film(&self) -> Vec<FilmHour> {
        let mut hours: Vec<FilmHour> = Vec::new();
        for shot in &self.shots {
            let hour = self.zone.clock(self.zone.hour_start(shot.captured_at));
            if hours.last().is_none_or(|last| last.hour != hour) {
                hours.push(FilmHour {
                    hour,
                    shots: Vec::new(),
                });
            }
            if let Some(last) = hours.last_mut() {
                last.shots.push(self.shot(shot));
            }
        }
        hours
    }

    fn shot(&self, shot: &Screenshot) -> Shot {
        // Stored headers were read before they were stored.
        let frame = serde_json::from_slice::<RecordHeader>(&shot.header)
            .ok()
            .and_then(|header| header.meta.frame);
        let captures = self.seen.captures;
        let unchanged = frame.as_ref().is_some_and(|frame| frame.unchanged);
        Shot {
            href: if self.seen.own {
                shot.image_record_id
                    .map(|id| format!("{captures}/{id}/image"))
            } else {
                Some(format!("{captures}/{}", shot.record_id))
            },
            src: shot
                .image_record_id
                .map(|id| format!("{captures}/{id}/image")),
            time: self.zone.clock(shot.captured_at),
            machine: self.zone.machine(shot.captured_at),
            monitor: shot.monitor.clone().unwrap_or_default(),
            width: frame.as_ref().map_or(16, |frame| frame.width),
            height: frame.as_ref().map_or(10, |frame| frame.height),
            unchanged,
            withdrawn: shot.withdrawn.map(|reason| match reason {
                Reason::Employee => "deleted by the employee",
                Reason::Superseded => "never sent: a newer license does not permit it",
                Reason::Damaged => "lost on the employee's computer",
            }),
        }
    }
}
