//! Payloads of the records that are JSON: activity, sessions, health, notices.
//!
//! What is deliberately absent: which key was pressed, where the pointer was, what was on the
//! clipboard. Input is counted, never read (tenet 3).

use serde::{Deserialize, Serialize};

use crate::ids::{LicenseId, ProjectId, SessionId};

/// Media type of the payloads in this module.
pub const JSON: &str = "application/json";

/// Input, applications and idle time of (at most) one minute of wall-clock time.
///
/// Minutes are aligned to the UTC minute; the first and the last of a session are shorter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityMinute {
    /// Start, UTC milliseconds.
    pub from_ms: i64,
    /// End (exclusive), UTC milliseconds; at most 60,000 after `from_ms`.
    pub to_ms: i64,
    /// Input counts, where the license permits them and the system gives them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<InputCounts>,
    /// How long no input had come at the end of the minute, capped to the minute: idle milliseconds
    /// within it. Absent where the system cannot say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u32>,
    /// Time in the foreground by application, longest first, where the license permits it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<ApplicationTime>,
}

/// How often the input devices were used. Counts only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputCounts {
    /// Key presses, auto-repeat not counted.
    pub keys: u32,
    /// Mouse button presses, wheel not counted.
    pub clicks: u32,
    /// Wheel steps, both axes.
    pub scrolls: u32,
    /// Pointer motion events.
    pub motions: u32,
    /// False where the source only samples (`device_query`) and so may miss some.
    pub exact: bool,
}

impl InputCounts {
    /// Adds another count; the sum is exact only if both are. Saturates.
    pub fn add(&mut self, other: Self) {
        self.keys = self.keys.saturating_add(other.keys);
        self.clicks = self.clicks.saturating_add(other.clicks);
        self.scrolls = self.scrolls.saturating_add(other.scrolls);
        self.motions = self.motions.saturating_add(other.motions);
        self.exact &= other.exact;
    }

    /// Presses, clicks and wheel steps together: what charts draw.
    pub fn actions(&self) -> u32 {
        self.keys
            .saturating_add(self.clicks)
            .saturating_add(self.scrolls)
    }
}

/// Foreground time of one application, or of one window title of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationTime {
    /// The application's name, such as `XTerm`.
    pub name: String,
    /// The window's title; present only where the license permits titles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Milliseconds in the foreground within the minute.
    pub active_ms: u32,
}

/// One event in the life of a session (rules 19 and 20). Sessions are event-sourced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEvent {
    /// The session; a `started` opens it, a `stopped` closes it.
    pub session_id: SessionId,
    /// What happened.
    pub event: SessionEventKind,
    /// Why.
    pub cause: Cause,
    /// When it took effect, UTC milliseconds. May lie before the record's own `captured_at_ms`:
    /// after a sleep, the stop is dated at the moment the machine fell asleep.
    pub at_ms: i64,
    /// The project from here on (`started`, `switched`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// The employee's note (`noted`, and optionally `started`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What the employee says of a stretch without input (`noted`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<IdleAnswer>,
}

/// What the employee says of a stretch of a session in which no input came. Until they say something it
/// is kept apart as idle; what they say last holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleAnswer {
    /// Start, UTC milliseconds.
    pub from_ms: i64,
    /// End (exclusive), UTC milliseconds.
    pub to_ms: i64,
    /// Whether it was work.
    pub says: IdleSays,
    /// For work: what it was on; absent for the project that the session was on then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
}

/// Whether a stretch without input was work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdleSays {
    /// It was: it counts as tracked, by the employee's word.
    Work,
    /// It was not: it stays idle.
    NotWork,
}

/// What happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEventKind {
    /// Tracking began.
    Started,
    /// The project changed.
    Switched,
    /// A note was added, or the employee said what a stretch without input was.
    Noted,
    /// No input for `idle_after_s`; `at_ms` is when the input stopped.
    Idle,
    /// Input came back after `idle`.
    Resumed,
    /// Tracking ended.
    Stopped,
}

/// Why a session event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The employee asked for it.
    User,
    /// Log-in, or the agent's start in monitoring mode.
    Login,
    /// The computer slept.
    Sleep,
    /// The screen was locked.
    Lock,
    /// The employee logged out.
    Logout,
    /// Another user came to the screen.
    UserSwitch,
    /// The licensed hours began or ended.
    Schedule,
    /// The license or the employee's Active box changed.
    License,
    /// The agent or the computer was shut down.
    Shutdown,
    /// The agent had died without a word; found at its next start.
    CrashRecovered,
    /// Input stopped or came back.
    Input,
    /// The wall clock was set while the session ran: it is cut in two, so that the step is in
    /// neither part.
    ClockSet,
}

/// The agent's state, channel by channel (tenet 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthReport {
    /// The agent's version.
    pub agent_version: String,
    /// Operating system and display server, such as `linux x11`.
    pub platform: String,
    /// One entry per channel.
    pub channels: Vec<ChannelHealth>,
    /// Records waiting in the spool.
    pub spool_waiting: u64,
    /// Records set aside because the server refuses them for good.
    pub spool_quarantined: u64,
    /// Pictures that were not kept because the spool was full, or nearly.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub spool_not_kept: u64,
    /// Records that were lost, or their content was, with a damaged spool.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub spool_lost: u64,
    /// What the agent leans on beside its channels. Empty in reports of agents that did not tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartHealth>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Whether something that the agent leans on is well, and what to do where it is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartHealth {
    /// `display`, `tray`, `messages`, `system`, `spool`, `server`, `clock`, `license`, …
    pub part: String,
    /// Absent where it does not apply, or was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok: Option<bool>,
    /// What was found.
    pub message: String,
    /// What to do, where there is something to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The state of one channel: permitted, granted, working, and why not if not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelHealth {
    /// `screenshots`, `camera`, `activity`, …
    pub channel: String,
    /// Whether the license permits it.
    pub permitted: bool,
    /// Whether the operating system grants it; absent where that was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<bool>,
    /// When the last valid capture was made, UTC milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_capture_ms: Option<i64>,
    /// Why it does not work, and what to do, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The notice of what is captured was shown or acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeEvent {
    /// The license that the notice explains.
    pub license_id: LicenseId,
    /// SHA-256 (hex) of the license's payload bytes.
    pub license_sha256: String,
    /// `shown` or `acknowledged`.
    pub event: NoticeKind,
    /// How it was shown: `window`, `notification`, `terminal`, `tray`.
    pub shown_by: String,
    /// The language it was in (BCP 47), such as `fr`. Absent in records of agents that spoke but one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// What happened to the notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// It was put before the employee.
    Shown,
    /// The employee said that they read it.
    Acknowledged,
}
