//! How things are: one value that the tray, `status`, `doctor` and health records all speak from, so
//! that the employee and the administrator see the same words (tenet 4).

use glasshour_license_format::WorkMode;
use glasshour_protocol::device::Project;
use glasshour_protocol::payload::{ChannelHealth, PartHealth};
use glasshour_protocol::session::Span;
use glasshour_protocol::{CompanyId, Kind, LicenseId, RecordId, SessionId};
use glasshour_uploader::spool::Refusal;
use glasshour_words::{Message, Outside, Words};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The whole state of a running agent.
///
/// Where there are licenses of several employers, what stands here beside `employers` is that of one of
/// them: whom a worklog is for, else who monitors, else whom the next worklog would be for. Records and
/// problems are those of all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Always true in an answer; `status --json` says false where no agent runs.
    pub running: bool,
    /// In one word.
    pub state: StateWord,
    /// Whether what a license permits is being captured now, for any employer: a session runs, the
    /// licensed hours say so, and the person can see it.
    #[serde(default)]
    pub capturing: bool,
    /// Who starts and stops.
    pub mode: Option<WorkMode>,
    /// The employer.
    pub company: Option<String>,
    /// The employee, as the license names them.
    pub employee: Option<String>,
    /// The license that counts.
    pub license: Option<LicenseStatus>,
    /// The running session.
    pub session_id: Option<SessionId>,
    /// When it began, UTC milliseconds.
    pub session_started_ms: Option<i64>,
    /// How long it has run, without sleep, milliseconds.
    pub session_ms: Option<u64>,
    /// Since when there is no input, UTC milliseconds.
    pub idle_since_ms: Option<i64>,
    /// What time is tracked on.
    pub project: Option<Project>,
    /// What it can be tracked on.
    pub projects: Vec<Project>,
    /// Why nothing is tracked although it should be.
    pub blocked: Option<Blocked>,
    /// It is outside the licensed hours: nothing is captured, whatever is tracked.
    #[serde(default)]
    pub outside_hours: Option<OutsideHours>,
    /// Every channel.
    pub channels: Vec<ChannelHealth>,
    /// What the agent leans on at this computer: display, tray, messages, system.
    #[serde(default)]
    pub parts: Vec<PartHealth>,
    /// Records on their way.
    pub spool: SpoolStatus,
    /// The newest records that a server refused for good, and why.
    #[serde(default)]
    pub refusals: Vec<RefusedRecord>,
    /// The server.
    pub server: ServerStatus,
    /// Everything that needs somebody, each in a sentence with what to do.
    pub problems: Vec<String>,
    /// What is worth knowing and needs nobody, each in a sentence.
    #[serde(default)]
    pub news: Vec<String>,
    /// Time tracked since local midnight, milliseconds: that of all worklogs, or of monitoring.
    pub today_ms: u64,
    /// Time of today whose captures the employee deleted: it is not tracked time any more.
    #[serde(default)]
    pub withdrawn: Vec<WithdrawnTime>,
    /// Idle time of the last day that nobody has spoken of yet, the oldest first.
    #[serde(default)]
    pub idle_questions: Vec<IdleQuestion>,
    /// Each employer with a license here, and each that records still wait for; by name.
    #[serde(default)]
    pub employers: Vec<EmployerStatus>,
    /// The agent's version.
    pub version: String,
    /// System and display server.
    pub platform: String,
}

/// How things are with one employer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmployerStatus {
    /// The company.
    pub company_id: CompanyId,
    /// Its name.
    pub company: String,
    /// The employee, as its license names them.
    pub employee: String,
    /// Who starts and stops; `None`: its license is out of use, and what was captured under it is
    /// still delivered.
    pub mode: Option<WorkMode>,
    /// In one word.
    pub state: StateWord,
    /// Whether what its license permits is being captured now.
    pub capturing: bool,
    /// Whether a worklog is for this employer where none is named.
    pub chosen: bool,
    /// The license that counts.
    pub license: Option<LicenseStatus>,
    /// The running session.
    pub session_id: Option<SessionId>,
    /// When it began, UTC milliseconds.
    pub session_started_ms: Option<i64>,
    /// How long it has run, without sleep, milliseconds.
    pub session_ms: Option<u64>,
    /// Since when there is no input, UTC milliseconds.
    pub idle_since_ms: Option<i64>,
    /// What time is tracked on.
    pub project: Option<Project>,
    /// What it can be tracked on.
    pub projects: Vec<Project>,
    /// Why nothing is tracked although it should be.
    pub blocked: Option<Blocked>,
    /// It is outside the hours of its license: nothing is captured, whatever is tracked.
    #[serde(default)]
    pub outside_hours: Option<OutsideHours>,
    /// Every channel.
    pub channels: Vec<ChannelHealth>,
    /// What the agent leans on for it: spool, server, clock, license.
    #[serde(default)]
    pub parts: Vec<PartHealth>,
    /// Records on their way to it, and to no other.
    pub spool: SpoolStatus,
    /// Its server.
    pub server: ServerStatus,
    /// What needs somebody, each in a sentence with what to do.
    pub problems: Vec<String>,
    /// Time tracked since local midnight, milliseconds.
    pub today_ms: u64,
    /// The same by project, the longest first.
    #[serde(default)]
    pub today_projects: Vec<ProjectTime>,
}

/// Time on one project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectTime {
    /// Which; `None`: none, or one that the server has not told of.
    pub project: Option<Project>,
    /// Milliseconds.
    pub ms: u64,
}

/// Time whose captures the employee deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawnTime {
    /// In which session.
    pub session_id: SessionId,
    /// From when to when.
    #[serde(flatten)]
    pub span: Span,
}

impl EmployerStatus {
    /// Whether its license is for monitoring.
    pub fn monitors(&self) -> bool {
        self.mode == Some(WorkMode::Monitoring)
    }

    /// Whether a session runs.
    pub fn tracks(&self) -> bool {
        self.state == StateWord::Tracking
    }
}

impl Status {
    /// Whether the person must be told which employer something is about.
    pub fn several_employers(&self) -> bool {
        self.employers.len() > 1
    }

    /// The employer's name; with where its server is, where another one here bears the same.
    pub fn name_of(&self, employer: &EmployerStatus) -> String {
        let is_namesake = |other: &&EmployerStatus| {
            other.company_id != employer.company_id && other.company == employer.company
        };
        let name = &employer.company;
        match (
            self.employers.iter().find(is_namesake),
            &employer.server.url,
        ) {
            (None, _) => name.clone(),
            (Some(other), Some(url)) if other.server.url.as_ref() != Some(url) => {
                format!("{name} ({url})")
            }
            (Some(_), _) => format!("{name} ({})", employer.company_id),
        }
    }

    /// Time tracked since local midnight on worklogs alone, whatever monitoring counts beside them;
    /// milliseconds.
    pub fn worklogs_today_ms(&self) -> u64 {
        let on_worklog = |one: &&EmployerStatus| one.mode == Some(WorkMode::Worklog);
        let of = self.employers.iter().filter(on_worklog);
        of.map(|employer| employer.today_ms).sum()
    }

    /// Whom what is captured of a worklog goes to, and where.
    pub fn goes_to(&self, words: Words) -> Option<String> {
        let mut employers = self.employers.iter();
        let works_for = employers.find(|one| one.tracks() && !one.monitors())?;
        Some(words.say(Message::ToldGoesTo {
            company: Outside(&works_for.company),
            url: Outside(works_for.server.url.as_deref()?),
        }))
    }

    /// That the worklog has stopped and monitoring has not, where that is so.
    pub fn monitoring_goes_on(&self, words: Words) -> Option<String> {
        let mut employers = self.employers.iter();
        let watching = employers.find(|one| one.tracks() && one.monitors())?;
        let company = Outside(&watching.company);
        Some(words.say(Message::ToldWorklogStopped { company }))
    }

    /// For each worklog that runs outside its licensed hours: that its time is tracked and nothing is
    /// captured (ADR 0004).
    pub fn time_alone(&self, words: Words) -> Vec<String> {
        let works = |employer: &&EmployerStatus| employer.tracks() && !employer.monitors();
        let outside = |employer: &EmployerStatus| {
            let outside = employer.outside_hours?;
            let company = Outside(&employer.company);
            let until = outside
                .until_ms
                .and_then(|ms| Timestamp::from_millisecond(ms).ok());
            Some(words.say(match until {
                Some(at) => Message::StatusOutsideUntil {
                    company,
                    when: words.moment(at),
                },
                None => Message::StatusOutside { company },
            }))
        };
        self.employers
            .iter()
            .filter(works)
            .filter_map(outside)
            .collect()
    }

    /// That one employer monitors while the person works for another, where that is so.
    pub fn monitored_beside(&self, words: Words) -> Option<String> {
        let running = |monitors: bool| {
            self.employers
                .iter()
                .find(|employer| employer.tracks() && employer.monitors() == monitors)
        };
        let (watching, working) = (running(true)?, running(false)?);
        Some(words.say(Message::ToldMonitoredBeside {
            monitors: Outside(&watching.company),
            works_for: Outside(&working.company),
        }))
    }
}

/// A stretch of a worklog without input: was it work?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleQuestion {
    /// For whom it was tracked.
    pub company_id: CompanyId,
    /// In which session.
    pub session_id: SessionId,
    /// Start, UTC milliseconds.
    pub from_ms: i64,
    /// End, UTC milliseconds.
    pub to_ms: i64,
    /// Start, as the clock on the wall shows it.
    pub from: String,
    /// End, likewise.
    pub to: String,
    /// What was tracked then.
    pub project: Option<Project>,
}

/// The state in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateWord {
    /// A session runs.
    Tracking,
    /// None runs.
    Stopped,
    /// The employee takes a pause.
    OnPause,
    /// Outside the licensed hours.
    Paused,
    /// The screen is locked, another user is at it, or the computer is about to sleep.
    Away,
    /// The server registers nothing, or the license does not hold.
    Blocked,
    /// Nothing is loaded.
    NoLicense,
}

/// The license that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseStatus {
    /// Which.
    pub license_id: LicenseId,
    /// Its serial.
    pub serial: u64,
    /// The server has issued a newer one.
    pub superseded: bool,
}

/// Outside the licensed hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideHours {
    /// When they begin again, UTC milliseconds, where that is known.
    pub until_ms: Option<i64>,
}

/// Why nothing is tracked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// Stable code.
    pub code: String,
    /// In a sentence.
    pub message: String,
}

/// Records on their way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolStatus {
    /// To be sent.
    pub waiting: u64,
    /// Refused for good, kept apart.
    pub quarantined: u64,
    /// Delivered since the spool was made.
    pub delivered: u64,
    /// Captures among those to be sent that wait for you to look at them first.
    #[serde(default)]
    pub held: u64,
    /// Pictures that were not kept because the spool was full, or nearly.
    #[serde(default)]
    pub not_kept: u64,
    /// Records of which a newer license does not permit what they held: sent without it.
    #[serde(default)]
    pub superseded: u64,
    /// Records that were lost, or their content was, with a damaged spool.
    #[serde(default)]
    pub lost: u64,
    /// Refused for good of what was captured under a license whose key was taken by mistake. Nothing is
    /// to be done about them, and they are not among `quarantined`.
    #[serde(default)]
    pub of_strangers: u64,
}

/// A record that a server refused for good; it is kept on this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRecord {
    /// Which.
    pub record_id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Stable code.
    pub code: String,
    /// In a sentence.
    pub message: String,
}

impl From<Refusal> for RefusedRecord {
    fn from(refusal: Refusal) -> Self {
        Self {
            record_id: refusal.record_id,
            kind: refusal.kind,
            code: refusal.code,
            message: refusal.message,
        }
    }
}

/// The server, as the sender last found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// Where it is.
    pub url: Option<String>,
    /// Whether the last attempt succeeded.
    pub reachable: bool,
    /// When it last answered as it should, UTC milliseconds.
    pub last_ok_ms: Option<i64>,
    /// Why not, in a sentence.
    pub message: Option<String>,
}
