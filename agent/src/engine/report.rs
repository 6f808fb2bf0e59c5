//! From the engine's state to words and numbers: status, health, the day so far.

use std::collections::HashMap;

use glasshour_license_format::WorkMode;
use glasshour_protocol::payload::{HealthReport, SessionEventKind};
use glasshour_protocol::{SessionId, code};

use super::tracking::Tracking;
use super::{Engine, no_license};
use crate::clock::Moment;
use crate::journal::Journal;
use crate::license::agreement;
use crate::session::State;
use crate::status::{
    Blocked, LicenseStatus, RefusedRecord, ServerStatus, SpoolStatus, StateWord, Status, duration,
};

const DAY_MS: i64 = 86_400_000;
/// How many refusals of each employer's server are told; the newest.
const MOST_REFUSALS: usize = 5;

/// Time tracked on one local day by sessions that have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Today {
    day: i64,
    ms: u64,
}

impl Today {
    /// Adds up the log's sessions of the local day that `now` lies in. A session that began on the day
    /// before counts from midnight.
    pub(super) fn read(journal: &Journal, now: Moment) -> Self {
        let mut today = Self {
            day: local_day(now.wall_ms, now),
            ms: 0,
        };
        let midnight = today.day * DAY_MS - offset_ms(now);
        let mut open: HashMap<SessionId, i64> = HashMap::new();
        for entry in journal.read().unwrap_or_default() {
            let event = entry.event;
            match event.event {
                SessionEventKind::Started => {
                    open.insert(event.session_id, event.at_ms);
                }
                SessionEventKind::Stopped => {
                    if let Some(from) = open.remove(&event.session_id) {
                        let length = event.at_ms.saturating_sub(from.max(midnight));
                        today.ms += u64::try_from(length).unwrap_or(0);
                    }
                }
                _ => {}
            }
        }
        today
    }

    /// A session has ended that ran between those moments: the part of it that lies on the day of
    /// `now` counts.
    pub(super) fn add(&mut self, from_ms: i64, to_ms: i64, now: Moment) {
        let day = local_day(now.wall_ms, now);
        if day != self.day {
            *self = Self { day, ms: 0 };
        }
        let midnight = day * DAY_MS - offset_ms(now);
        let length = to_ms.saturating_sub(from_ms.max(midnight));
        self.ms += u64::try_from(length).unwrap_or(0);
    }

    fn total(self, running_ms: u64, now: Moment) -> u64 {
        let ended = if self.day == local_day(now.wall_ms, now) {
            self.ms
        } else {
            0
        };
        ended + running_ms.min(since_midnight(now))
    }
}

fn offset_ms(now: Moment) -> i64 {
    i64::from(now.utc_offset_min) * 60_000
}

fn local_day(wall_ms: i64, now: Moment) -> i64 {
    (wall_ms + offset_ms(now)).div_euclid(DAY_MS)
}

fn since_midnight(now: Moment) -> u64 {
    (now.wall_ms + offset_ms(now))
        .rem_euclid(DAY_MS)
        .unsigned_abs()
}

/// Everything there is to say.
pub(super) async fn status(engine: &Engine, now: Moment) -> Status {
    let tracking = engine.tracking.as_ref();
    let running = tracking.and_then(|tracking| tracking.machine.running());
    let claims = tracking.map(|tracking| tracking.license().claims());
    let sent = tracking
        .and_then(|t| engine.accounts.send_status(t.company()))
        .unwrap_or_default();
    let projects = sent
        .device
        .as_ref()
        .map(|d| d.projects.clone())
        .unwrap_or_default();
    let superseded = claims
        .zip(sent.device.as_ref())
        .is_some_and(|(claims, device)| device.current_serial > claims.serial);
    let project_id = running.and_then(|running| running.project_id);
    let mut spool = SpoolStatus::default();
    let mut refusals: Vec<RefusedRecord> = Vec::new();
    for account in engine.accounts.iter() {
        if let Ok(stats) = account.spool.stats().await {
            spool.waiting += stats.waiting;
            spool.quarantined += stats.quarantined;
            spool.delivered += stats.delivered;
            if stats.quarantined > 0 {
                let newest = account.spool.refusals(MOST_REFUSALS).await;
                refusals.extend(newest.unwrap_or_default().into_iter().map(Into::into));
            }
        }
    }
    spool.waiting += engine.unpushed.len() as u64;
    let channels = tracking.map(Tracking::health).unwrap_or_default();
    let problems = problems(engine, &channels, superseded, &refusals);
    Status {
        running: true,
        state: state_word(tracking),
        capturing: tracking.is_some_and(Tracking::is_capturing),
        mode: tracking.map(|tracking| tracking.license().work_mode()),
        company: claims.map(|claims| claims.issuer.company.clone()),
        employee: claims.map(|claims| claims.employee.name.clone()),
        license: claims.map(|claims| LicenseStatus {
            license_id: claims.license_id,
            serial: claims.serial,
            superseded,
        }),
        session_id: running.map(|running| running.session_id),
        session_started_ms: running.map(|running| running.started_ms),
        session_ms: running.map(|running| running.running_ms),
        idle_since_ms: running.and_then(|running| running.idle_since_ms),
        project: projects
            .iter()
            .find(|p| Some(p.project_id) == project_id)
            .cloned(),
        projects,
        blocked: tracking.and_then(|tracking| match tracking.machine.state() {
            State::Blocked { block, .. } => Some(Blocked {
                code: block.code.clone(),
                message: block.message.clone(),
            }),
            _ => None,
        }),
        channels,
        spool,
        refusals,
        server: ServerStatus {
            url: claims.map(|claims| claims.issuer.server_url.clone()),
            reachable: sent.trouble.is_none() && sent.last_ok_ms.is_some(),
            last_ok_ms: sent.last_ok_ms,
            message: sent.trouble,
        },
        problems,
        today_ms: engine
            .ended_today
            .total(running.map_or(0, |r| r.running_ms), now),
        version: env!("CARGO_PKG_VERSION").into(),
        platform: engine.platform.describe(),
    }
}

fn state_word(tracking: Option<&Tracking>) -> StateWord {
    match tracking.map(|tracking| tracking.machine.state()) {
        None => StateWord::NoLicense,
        Some(State::Stopped) => StateWord::Stopped,
        Some(State::Running(_)) => StateWord::Tracking,
        Some(State::Blocked { .. }) => StateWord::Blocked,
        Some(State::OffHours) => StateWord::Paused,
    }
}

fn problems(
    engine: &Engine,
    channels: &[glasshour_protocol::payload::ChannelHealth],
    superseded: bool,
    refusals: &[RefusedRecord],
) -> Vec<String> {
    let tracking = engine.tracking.as_ref();
    let mut problems = engine.license_problems.clone();
    problems.extend(engine.refresh_problem.clone());
    problems.extend(engine.spool_trouble.clone());
    for channel in channels.iter().filter(|channel| channel.permitted) {
        if let Some(reason) = &channel.reason {
            problems.push(format!("{}: {reason}", channel.channel));
        }
    }
    if let Some(waiting) = tracking
        .map(Tracking::license)
        .filter(|l| agreement::waits(l))
    {
        problems.push(match waiting.claims().work_mode {
            WorkMode::Worklog => "Your employer's newer license would capture more than you have \
                agreed to. Until you agree, only what both permit is captured. Read it with \
                `glasshour license show`, agree with `glasshour license agree`."
                .into(),
            WorkMode::Monitoring => "Your employer's newer license captures more. It holds once \
                its notice has been shown to you; until then only what both permit is captured."
                .into(),
        });
    }
    if superseded {
        problems.push(
            "Your employer has issued a newer license; it is fetched as soon as the server gives it."
                .into(),
        );
    }
    // What was captured before a narrower license was heard of is refused as it should be.
    if refusals
        .iter()
        .any(|refused| refused.code != code::LICENSE_SUPERSEDED)
    {
        problems.push(
            "The server refuses some records for good; they are kept on this computer. See \
             `glasshour doctor`."
                .into(),
        );
    }
    if tracking_runs(engine) {
        problems.extend(engine.desktop.hidden());
    }
    problems
}

/// Whether a session runs, so that the person must be able to see it.
fn tracking_runs(engine: &Engine) -> bool {
    engine
        .tracking
        .as_ref()
        .is_some_and(|tracking| tracking.machine.running().is_some())
}

/// The health record for a state.
pub(super) fn health(status: &Status) -> HealthReport {
    HealthReport {
        agent_version: status.version.clone(),
        platform: status.platform.clone(),
        channels: status.channels.clone(),
        spool_waiting: status.spool.waiting,
        spool_quarantined: status.spool.quarantined,
    }
}

/// Whether two health reports say different things, apart from counters and times.
pub(super) fn differs(a: &HealthReport, b: &HealthReport) -> bool {
    let essence = |report: &HealthReport| {
        report
            .channels
            .iter()
            .map(|c| (c.channel.clone(), c.permitted, c.granted, c.reason.clone()))
            .collect::<Vec<_>>()
    };
    (&a.agent_version, &a.platform) != (&b.agent_version, &b.platform) || essence(a) != essence(b)
}

/// The state as a person reads it.
pub(super) fn plain(status: &Status) -> String {
    plain_status(status).join("\n")
}

/// The same lines for the terminal and for the tray's message.
pub fn plain_status(status: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    let project = status
        .project
        .as_ref()
        .map_or("no project", |p| p.name.as_str());
    lines.push(match status.state {
        StateWord::Tracking => format!(
            "Tracking {project} for {}{}.",
            duration(status.session_ms.unwrap_or(0)),
            if status.idle_since_ms.is_some() {
                " (idle)"
            } else {
                ""
            }
        ),
        StateWord::Stopped => "Not tracking.".into(),
        StateWord::Paused => "Paused: outside the licensed hours. Nothing is captured.".into(),
        StateWord::Blocked => status.blocked.as_ref().map_or_else(
            || "Nothing is captured.".to_owned(),
            |blocked| blocked.message.clone(),
        ),
        StateWord::NoLicense => no_license(&[]),
    });
    if let (Some(employee), Some(company)) = (&status.employee, &status.company) {
        lines.push(format!("Licensed to {employee} by {company}."));
    }
    lines.push(format!("Tracked today: {}.", duration(status.today_ms)));
    for channel in &status.channels {
        let state = match (channel.permitted, channel.granted, &channel.reason) {
            (false, ..) => "not permitted by the license".to_owned(),
            (true, _, Some(reason)) => reason.clone(),
            (true, Some(true), None) => "works".into(),
            (true, _, None) => "permitted".into(),
        };
        lines.push(format!("{}: {state}", channel.channel));
    }
    lines.push(format!(
        "Records: {} delivered, {} waiting, {} refused.",
        status.spool.delivered, status.spool.waiting, status.spool.quarantined
    ));
    if let Some(url) = &status.server.url {
        lines.push(match (&status.server.message, status.server.reachable) {
            (Some(message), _) => format!("Server {url}: {message}"),
            (None, true) => format!("Server {url}: reached."),
            (None, false) => format!("Server {url}: not tried yet."),
        });
    }
    lines.extend(status.problems.iter().map(|problem| format!("! {problem}")));
    lines
}
