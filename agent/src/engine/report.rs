//! From the engine's state to words and numbers: status, health, the day so far.

use std::collections::VecDeque;

use glasshour_license_format::{License, WorkMode};
use glasshour_protocol::payload::HealthReport;
use glasshour_protocol::{CompanyId, LicenseId, code};
use glasshour_uploader::send::SendStatus;
use glasshour_words::{Key, Message, Outside, Words};

use super::Engine;
use super::accounts::Account;
use super::tracking::Tracking;
use crate::clock::Moment;
use crate::session::State;
use crate::status::{
    Blocked, EmployerStatus, LicenseStatus, OutsideHours, ProjectTime, RefusedRecord, ServerStatus,
    SpoolStatus, StateWord, Status,
};

/// How many refusals of each employer's server are told; the newest.
const MOST_REFUSALS: usize = 5;
/// Code of a license that cannot be put to work on this computer.
const OUT_OF_ORDER: &str = "license_out_of_order";

/// Everything there is to say.
pub(super) async fn status(engine: &Engine, now: Moment) -> Status {
    let mut refusals: Vec<RefusedRecord> = Vec::new();
    let mut employers = Vec::new();
    for company in engine.known_companies() {
        let refused = refusals_of(engine, company).await;
        let employer = employer(engine, company, now, &refused).await;
        employers.extend(employer);
        refusals.extend(refused);
    }
    // Whose license is out of use comes last: above the others it would look like the one that counts.
    let place = |one: &EmployerStatus| (one.mode.is_none(), one.company.clone(), one.company_id);
    employers.sort_by_key(place);
    let mut spool = SpoolStatus::default();
    for employer in &employers {
        spool.waiting += employer.spool.waiting;
        spool.quarantined += employer.spool.quarantined;
        spool.delivered += employer.spool.delivered;
        spool.held += employer.spool.held;
        spool.not_kept += employer.spool.not_kept;
        spool.superseded += employer.spool.superseded;
        spool.lost += employer.spool.lost;
        spool.of_strangers += employer.spool.of_strangers;
    }
    let foremost = engine.foremost();
    let first = employers.iter().find(|e| Some(e.company_id) == foremost);
    let kind = first.and_then(|employer| employer.mode);
    let of_kind = employers.iter().filter(|employer| employer.mode == kind);
    let today_ms = of_kind.map(|employer| employer.today_ms).sum();
    let mut status = Status {
        running: true,
        state: StateWord::NoLicense,
        capturing: engine.trackings.values().any(Tracking::is_capturing),
        mode: kind,
        company: None,
        employee: None,
        license: None,
        session_id: None,
        session_started_ms: None,
        session_ms: None,
        idle_since_ms: None,
        project: None,
        projects: Vec::new(),
        blocked: None,
        outside_hours: None,
        channels: Vec::new(),
        parts: engine.desktop_health(),
        spool,
        refusals,
        server: ServerStatus::default(),
        problems: problems(engine, &employers),
        news: news(engine, now),
        today_ms,
        withdrawn: engine.withdrawn_times(),
        idle_questions: engine.idle_questions(now),
        employers: Vec::new(),
        version: env!("CARGO_PKG_VERSION").into(),
        platform: engine.platform.describe(),
    };
    if let Some(first) = first.cloned() {
        status.state = first.state;
        status.company = Some(first.company);
        status.employee = Some(first.employee);
        status.license = first.license;
        status.session_id = first.session_id;
        status.session_started_ms = first.session_started_ms;
        status.session_ms = first.session_ms;
        status.idle_since_ms = first.idle_since_ms;
        status.project = first.project;
        status.projects = first.projects;
        status.blocked = first.blocked;
        status.outside_hours = first.outside_hours;
        status.channels = first.channels;
        status.server = first.server;
    }
    status.employers = employers;
    status
}

/// A change of an employer's key is told for so long after it was followed.
const NEWS_MS: i64 = 30 * 86_400_000;

fn news(engine: &Engine, now: Moment) -> Vec<String> {
    let changes = engine.key_changes.iter();
    changes
        .filter(|change| now.wall_ms - change.at.as_millisecond() < NEWS_MS)
        .map(|change| change.said(engine.config.words))
        .collect()
}

/// One employer; `None` where there is no license of it and nothing waits for it.
async fn employer(
    engine: &Engine,
    company: CompanyId,
    now: Moment,
    refusals: &[RefusedRecord],
) -> Option<EmployerStatus> {
    let tracking = engine.trackings.get(&company);
    let out_of_order = engine.out_of_order.get(&company);
    let account = engine.accounts.get(company);
    let spool = spool(engine, company, now).await;
    let license = tracking
        .map(Tracking::license)
        .or(out_of_order.map(|(license, _)| license));
    if license.is_none() && spool.waiting == 0 {
        return None;
    }
    let claims = license
        .map(License::claims)
        .or(account.map(Account::claims))?;
    let running = tracking.and_then(|tracking| tracking.machine.running());
    let sent = engine.accounts.send_status(company).unwrap_or_default();
    let device = sent.device.as_ref();
    let waiting = engine.waiting.get(&company).map(License::claims);
    let newest = waiting.map_or(claims.serial, |waiting| waiting.serial);
    let superseded = device.is_some_and(|device| device.current_serial > newest);
    let projects = engine.projects_by_use(company);
    let project_id = running.and_then(|running| running.project_id);
    let running_ms = running.map(|running| running.running_ms);
    let counts = |id: LicenseId| engine.accounts.company_of(id) == Some(company);
    let done = engine.done_today(counts, now);
    let state = match (tracking, out_of_order) {
        (Some(tracking), _) => state_word(tracking),
        (None, Some(_)) => StateWord::Blocked,
        (None, None) => StateWord::NoLicense,
    };
    Some(EmployerStatus {
        company_id: company,
        company: claims.issuer.company.clone(),
        employee: claims.employee.name.clone(),
        mode: license.map(License::work_mode),
        state,
        capturing: tracking.is_some_and(Tracking::is_capturing),
        chosen: engine.default_employer() == Some(company),
        license: license.map(|_| LicenseStatus {
            license_id: claims.license_id,
            serial: claims.serial,
            superseded,
        }),
        session_id: running.map(|running| running.session_id),
        session_started_ms: running.map(|running| running.started_ms),
        session_ms: running_ms,
        idle_since_ms: running.and_then(|running| running.idle_since_ms),
        project: projects
            .iter()
            .find(|p| Some(p.project_id) == project_id)
            .cloned(),
        projects: projects.clone(),
        blocked: blocked(tracking, out_of_order.map(|(_, why)| why)),
        outside_hours: tracking
            .and_then(|tracking| tracking.machine.outside_hours(now.wall_ms))
            .map(|until_ms| OutsideHours { until_ms }),
        channels: tracking.map(Tracking::health).unwrap_or_default(),
        parts: engine.employer_health(company, (spool, &sent), now),
        spool,
        server: server(
            account
                .map_or(&*claims.issuer.server_url, Account::server_url)
                .to_owned(),
            &sent,
        ),
        problems: employer_problems(engine, company, superseded, refusals),
        today_ms: done.sums().tracked_ms.unsigned_abs(),
        today_projects: done
            .by_project()
            .into_iter()
            .map(|(id, ms)| ProjectTime {
                project: projects.iter().find(|p| Some(p.project_id) == id).cloned(),
                ms: ms.unsigned_abs(),
            })
            .collect(),
    })
}

fn server(url: String, sent: &SendStatus) -> ServerStatus {
    ServerStatus {
        url: Some(url),
        reachable: sent.trouble.is_none() && sent.last_ok_ms.is_some(),
        last_ok_ms: sent.last_ok_ms,
        message: sent.trouble.clone(),
    }
}

fn blocked(tracking: Option<&Tracking>, out_of_order: Option<&String>) -> Option<Blocked> {
    let why_not = out_of_order.map(|why| Blocked {
        code: OUT_OF_ORDER.into(),
        message: why.clone(),
    });
    match tracking?.machine.state() {
        State::Blocked { block, .. } => Some(Blocked {
            code: block.code.clone(),
            message: block.message.clone(),
        }),
        _ => why_not,
    }
}

async fn spool(engine: &Engine, company: CompanyId, now: Moment) -> SpoolStatus {
    let mut spool = SpoolStatus::default();
    if let Some(account) = engine.accounts.get(company)
        && let Ok(stats) = account.spool.stats().await
    {
        spool.waiting = stats.waiting;
        spool.of_strangers = of_strangers(engine, account).await;
        spool.quarantined = stats.quarantined.saturating_sub(spool.of_strangers);
        spool.delivered = stats.delivered;
        spool.held = account
            .spool
            .held_count(engine.holds.readings().at(now))
            .await
            .unwrap_or_default();
        let given_up = account.spool.report().await.unwrap_or_default();
        spool.not_kept = given_up.not_kept;
        spool.superseded = given_up.superseded;
        spool.lost = given_up.lost_payloads + given_up.missing;
    }
    let unpushed = engine.unpushed.get(&company).map_or(0, VecDeque::len);
    spool.waiting += unpushed as u64;
    spool
}

/// What was refused of licenses that were loaded by mistake, and undone: no server takes it any more.
async fn of_strangers(engine: &Engine, account: &Account) -> u64 {
    if engine.strangers.is_empty() {
        return 0;
    }
    let refused = account.spool.refused_of(engine.strangers.clone()).await;
    refused.unwrap_or_default()
}

async fn refusals_of(engine: &Engine, company: CompanyId) -> Vec<RefusedRecord> {
    let Some(account) = engine.accounts.get(company) else {
        return Vec::new();
    };
    // As many more as may be those of strangers: they are told by their number alone.
    let others = usize::try_from(of_strangers(engine, account).await).unwrap_or(usize::MAX);
    let newest = account
        .spool
        .refusals(MOST_REFUSALS.saturating_add(others))
        .await;
    newest
        .unwrap_or_default()
        .into_iter()
        .filter(|refusal| {
            let of = refusal.license_id.as_ref();
            of.is_none_or(|license| !engine.strangers.contains(license))
        })
        .take(MOST_REFUSALS)
        .map(Into::into)
        .collect()
}

fn state_word(tracking: &Tracking) -> StateWord {
    match tracking.machine.state() {
        State::Stopped => StateWord::Stopped,
        State::Running(_) => StateWord::Tracking,
        State::Blocked { .. } => StateWord::Blocked,
        State::OnPause { .. } => StateWord::OnPause,
        State::OffHours => StateWord::Paused,
        State::Away { .. } => StateWord::Away,
    }
}

/// What needs somebody, of all employers; each is named where there are several.
fn problems(engine: &Engine, employers: &[EmployerStatus]) -> Vec<String> {
    let mut problems = engine.license_problems.clone();
    for employer in employers {
        problems.extend(employer.problems.iter().map(|problem| {
            if employers.len() > 1 {
                format!("{}: {problem}", employer.company)
            } else {
                problem.clone()
            }
        }));
    }
    if employers.iter().any(EmployerStatus::tracks) {
        problems.extend(engine.desktop.hidden());
    }
    problems
}

fn employer_problems(
    engine: &Engine,
    company: CompanyId,
    superseded: bool,
    refusals: &[RefusedRecord],
) -> Vec<String> {
    let tracking = engine.trackings.get(&company);
    let mut problems: Vec<String> = Vec::new();
    problems.extend(
        engine
            .out_of_order
            .get(&company)
            .map(|(_, why)| why.clone()),
    );
    problems.extend(engine.refresh_problem.get(&company).cloned());
    problems.extend(engine.spool_trouble.get(&company).cloned());
    for channel in tracking.map(Tracking::health).unwrap_or_default() {
        if let Some(reason) = channel.reason.filter(|_| channel.permitted) {
            problems.push(format!("{}: {reason}", channel.channel));
        }
    }
    if let Some(waiting) = engine.waiting.get(&company) {
        problems.push(engine.config.words.say(match waiting.claims().work_mode {
            WorkMode::Worklog => Message::LicenseWiderWorklog {},
            WorkMode::Monitoring => Message::LicenseWiderMonitoring {},
        }));
    }
    if superseded {
        problems.push(engine.config.words.say(Message::LicenseNewer {}));
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
    problems
}

/// The health record for one employer: nothing of another one is in it.
pub(super) fn health(status: &Status, employer: &EmployerStatus) -> HealthReport {
    HealthReport {
        agent_version: status.version.clone(),
        platform: status.platform.clone(),
        channels: employer.channels.clone(),
        spool_waiting: employer.spool.waiting,
        spool_quarantined: employer.spool.quarantined,
        spool_not_kept: employer.spool.not_kept,
        spool_lost: employer.spool.lost,
        parts: [&status.parts[..], &employer.parts[..]].concat(),
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
    // That pictures make way is said when it begins; what was lost, each time.
    let given_up = |report: &HealthReport| (report.spool_not_kept > 0, report.spool_lost);
    (&a.agent_version, &a.platform, &a.parts) != (&b.agent_version, &b.platform, &b.parts)
        || given_up(a) != given_up(b)
        || essence(a) != essence(b)
}

/// The state as a person reads it.
pub(super) fn plain(status: &Status, words: Words) -> String {
    plain_status(status, words).join("\n")
}

/// The same lines for the terminal and for the tray's message. The first one says it in short. Channels,
/// records, servers and most problems are still in English.
pub fn plain_status(status: &Status, words: Words) -> Vec<String> {
    let several = status.several_employers();
    let shown: Vec<&EmployerStatus> = status.employers.iter().collect();
    let of = |employer: &EmployerStatus| several.then(|| status.name_of(employer));
    let foremost = shown
        .iter()
        .find(|employer| employer.license == status.license && status.license.is_some())
        .copied();
    let mut lines = vec![foremost.map_or_else(
        || words.say(Message::NoLicense {}),
        |employer| format!("{}.", in_short(employer, of(employer).as_deref(), words)),
    )];
    lines.extend(status.time_alone(words));
    lines.extend(status.monitored_beside(words));
    if let (Some(employee), Some(company), false) = (&status.employee, &status.company, several) {
        lines.push(words.say(Message::StatusLicensed {
            employee: Outside(employee),
            company: Outside(company),
        }));
    }
    let time = words.short_duration(status.today_ms);
    lines.push(words.say(Message::StatusToday { time }));
    for employer in shown {
        if several {
            lines.push(one_of_several(status, employer, words));
        }
        let indent = if several { "  " } else { "" };
        let details = details(employer).into_iter();
        lines.extend(details.map(|line| format!("{indent}{line}")));
    }
    lines.extend(status.news.iter().cloned());
    lines.extend(status.problems.iter().map(|problem| format!("! {problem}")));
    lines
}

/// `Acme: Not tracking. Worklog license of Jo Doe. Today: 5 m.`
fn one_of_several(status: &Status, employer: &EmployerStatus, words: Words) -> String {
    let state = in_short(employer, None, words);
    let company = status.name_of(employer);
    let Some(mode) = employer.mode else {
        return format!("{company}: {state}.");
    };
    words.say(Message::StatusOf {
        company: Outside(&company),
        state: Outside(&state),
        mode: Key(mode.as_str()),
        employee: Outside(&employer.employee),
        time: words.short_duration(employer.today_ms),
    })
}

/// The state in one sentence, without its full stop. `company`: named where there are several.
fn in_short(employer: &EmployerStatus, company: Option<&str>, words: Words) -> String {
    let project = match &employer.project {
        Some(project) => project.name.clone(),
        None => words.say(Message::TrayNoProject {}),
    };
    let project = company.map_or(project.clone(), |company| format!("{project} ({company})"));
    let project = Outside(&project);
    let time = words.short_duration(employer.session_ms.unwrap_or(0));
    let state = match (employer.state, &employer.blocked) {
        (StateWord::Tracking, _) if employer.idle_since_ms.is_some() => {
            return words.say(Message::StatusIdle { project, time });
        }
        (StateWord::Tracking, _) => return words.say(Message::StatusTracking { project, time }),
        (StateWord::Stopped, _) => return words.say(Message::StatusStopped {}),
        (StateWord::NoLicense, _) => return words.say(Message::StatusOutOfUse {}),
        (StateWord::Away, _) => words.say(Message::StatusAway {}),
        (StateWord::OnPause, _) => words.say(Message::StatusOnPause {}),
        (StateWord::Paused, _) => words.say(Message::StatusPaused {}),
        (StateWord::Blocked, None) => words.say(Message::StatusBlocked {}),
        (StateWord::Blocked, Some(blocked)) => blocked.message.trim_end_matches('.').to_owned(),
    };
    company.map_or(state.clone(), |company| format!("{company}: {state}"))
}

/// Its channels, records and server, a line each.
fn details(employer: &EmployerStatus) -> Vec<String> {
    let mut lines = Vec::new();
    for channel in &employer.channels {
        let state = match (channel.permitted, channel.granted, &channel.reason) {
            (false, ..) => "not permitted by the license".to_owned(),
            (true, _, Some(reason)) => reason.clone(),
            // Idle time is told of whatever is captured.
            (true, ..) if employer.outside_hours.is_some() && channel.channel != "idle" => {
                "permitted, but not now: it is outside the licensed hours".into()
            }
            (true, ..) if employer.blocked.is_some() => {
                "permitted, and nothing is captured now".into()
            }
            (true, Some(true), None) => "works".into(),
            (true, _, None) => "permitted".into(),
        };
        lines.push(format!("{}: {state}", channel.channel));
    }
    let spool = &employer.spool;
    lines.push(format!(
        "Records: {} delivered, {} waiting, {} refused.",
        spool.delivered, spool.waiting, spool.quarantined
    ));
    if let Some(url) = &employer.server.url {
        lines.push(
            match (&employer.server.message, employer.server.reachable) {
                (Some(message), _) => format!("Server {url}: {message}"),
                (None, true) => format!("Server {url}: reached."),
                (None, false) => format!("Server {url}: not tried yet."),
            },
        );
    }
    lines
}
