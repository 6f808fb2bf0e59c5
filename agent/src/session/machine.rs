//! The machine itself. One `match` arm per thing that can happen.

use std::collections::BTreeSet;

use glasshour_license_format::{LicensedHours, WorkMode};
use glasshour_protocol::limits::MAX_NOTE_CHARS;
use glasshour_protocol::payload::{Cause, SessionEvent, SessionEventKind};
use glasshour_protocol::{ProjectId, SessionId};
use glasshour_words::{Message, Outside, Words};

use crate::clock::Moment;

/// A boot clock that ran this much further than the monotonic one means that the machine slept.
const SLEEP_MS: u64 = 5_000;
/// A wall clock that moved this much more or less than the boot clock was set by somebody.
const CLOCK_STEP_MS: i64 = 5_000;

/// A clock that has run this long shows a machine that is awake, whatever was heard of its sleep.
const AWAKE_MS: u64 = 60_000;
/// How long the employee may have been away for a worklog to go on by itself: longer than a break,
/// shorter than a night.
const BREAK_MS: u64 = 4 * 3_600_000;

/// Why nobody can be at work here, as the system tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Absence {
    /// The machine is about to sleep, or has just woken.
    Asleep,
    /// The screen is locked.
    Locked,
    /// Another user is at the screen.
    OtherUser,
    /// The machine is shutting down.
    ShuttingDown,
}

impl Absence {
    fn cause(self) -> Cause {
        match self {
            Self::Asleep => Cause::Sleep,
            Self::Locked => Cause::Lock,
            Self::OtherUser => Cause::UserSwitch,
            Self::ShuttingDown => Cause::Shutdown,
        }
    }
}

/// What a session is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The session.
    pub session_id: SessionId,
    /// What time is tracked on.
    pub project_id: Option<ProjectId>,
    /// When it began, UTC milliseconds.
    pub started_ms: i64,
    /// Since when there is no input, if that is long enough to say so.
    pub idle_since_ms: Option<i64>,
    /// Time the session has run so far, without sleep, milliseconds of the monotonic clock.
    pub running_ms: u64,
}

/// Why nothing may be tracked at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Stable code, such as `employee_inactive`.
    pub code: String,
    /// In a sentence.
    pub message: String,
}

/// Where the machine stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is tracked.
    Stopped,
    /// A session runs.
    Running(Running),
    /// The server registers nothing; tracking goes on by itself when it does again.
    Blocked {
        /// Why.
        block: Block,
        /// The project that was tracked when it began; `None`: nothing was.
        resume: Option<Option<ProjectId>>,
    },
    /// Nothing is tracked until the employee goes on with the same project.
    OnPause {
        /// What was tracked.
        project_id: Option<ProjectId>,
    },
    /// Monitoring, outside the licensed hours; tracking goes on by itself when they begin.
    OffHours,
    /// Nobody can be at work here; tracking may go on by itself when that ends.
    Away {
        /// What began it.
        cause: Cause,
        /// The project to go on with; `None`: it does not go on by itself.
        resume: Option<Option<ProjectId>>,
    },
}

/// Why a command was not obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Rule 4.
    Monitoring,
    /// Start while running.
    AlreadyRunning,
    /// Stop, switch or note while stopped.
    NotRunning,
    /// Resume without a pause.
    NotPaused,
    /// The server registers nothing (rule 8).
    Blocked(String),
    /// Start while nobody can be at work.
    Away,
    /// Too long.
    NoteTooLong,
}

impl Refused {
    /// Why, for the person who gave the command.
    pub fn said(&self, words: Words) -> String {
        words.say(match self {
            Self::Monitoring => Message::RefusedMonitoring {},
            Self::AlreadyRunning => Message::RefusedRunning {},
            Self::NotRunning => Message::RefusedNotRunning {},
            Self::NotPaused => Message::RefusedNotPaused {},
            Self::Blocked(why) => Message::RefusedBlocked { why: Outside(why) },
            Self::Away => Message::RefusedAway {},
            Self::NoteTooLong => Message::RefusedNote {
                count: u32::try_from(MAX_NOTE_CHARS).unwrap_or(u32::MAX),
            },
        })
    }
}

/// The session machine of one license.
#[derive(Clone, Debug)]
pub struct Machine {
    mode: WorkMode,
    idle_after_ms: u64,
    hours: Option<LicensedHours>,
    state: State,
    /// What keeps the person from being here; tracking runs only while there is nothing.
    absences: BTreeSet<Absence>,
    /// When the first of them began, and the last sleep.
    left: Moment,
    fell_asleep: Moment,
    /// The last moment that is told already as tracked or as idle, wall clock: nothing is dated before.
    told_to_ms: i64,
    last: Moment,
    /// Events that no caller has been handed yet: a refused command leaves what it found (a sleep)
    /// for the next call.
    unsaid: Vec<SessionEvent>,
    next_id: fn(Moment) -> SessionId,
}

impl Machine {
    /// A machine at rest. `next_id` names new sessions; it is injected so that tests can tell them.
    pub fn new(
        mode: WorkMode,
        idle_after_s: u32,
        hours: Option<LicensedHours>,
        now: Moment,
        next_id: fn(Moment) -> SessionId,
    ) -> Self {
        let idle_after_ms = u64::from(idle_after_s) * 1000;
        Self {
            mode,
            idle_after_ms,
            hours,
            state: State::Stopped,
            absences: BTreeSet::new(),
            left: now,
            fell_asleep: now,
            told_to_ms: i64::MIN,
            last: now,
            unsaid: Vec::new(),
            next_id,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The session that runs, if one does.
    pub fn running(&self) -> Option<&Running> {
        match &self.state {
            State::Running(running) => Some(running),
            _ => None,
        }
    }

    /// The one gate of all capture channels: a session runs and the schedule says now.
    pub fn may_capture(&self, wall_ms: i64) -> bool {
        self.running().is_some() && self.within_hours(wall_ms)
    }

    /// Who starts and stops.
    pub fn mode(&self) -> WorkMode {
        self.mode
    }

    /// Outside the licensed hours: when they begin next, UTC milliseconds, where that is known. `None`:
    /// within them.
    pub fn outside_hours(&self, wall_ms: i64) -> Option<Option<i64>> {
        let hours = self.hours.as_ref()?;
        (!hours.contains(wall_ms)).then(|| hours.next_begin(wall_ms))
    }

    /// Whether the licensed hours say so, at that moment.
    pub fn is_within_hours(&self, wall_ms: i64) -> bool {
        self.within_hours(wall_ms)
    }

    fn within_hours(&self, wall_ms: i64) -> bool {
        self.hours
            .as_ref()
            .is_none_or(|hours| hours.contains(wall_ms))
    }

    /// The employee starts tracking (rule 3).
    pub fn start(
        &mut self,
        now: Moment,
        project_id: Option<ProjectId>,
        note: Option<String>,
    ) -> Result<Vec<SessionEvent>, Refused> {
        check_note(note.as_deref())?;
        self.observe(now);
        self.by_hand()?;
        match &self.state {
            State::Running(_) => Err(Refused::AlreadyRunning),
            State::Blocked { block, .. } => Err(Refused::Blocked(block.message.clone())),
            _ if !self.absences.is_empty() => Err(Refused::Away),
            State::Stopped | State::OnPause { .. } | State::OffHours | State::Away { .. } => {
                self.open(now, project_id, Cause::User, note);
                Ok(self.say())
            }
        }
    }

    /// The employee takes a pause: the session ends, and what it was on is kept in mind.
    pub fn pause(&mut self, now: Moment) -> Result<Vec<SessionEvent>, Refused> {
        self.observe(now);
        self.by_hand()?;
        let State::Running(running) = &self.state else {
            return Err(Refused::NotRunning);
        };
        let project_id = running.project_id;
        self.close(now.wall_ms, Cause::User);
        self.state = State::OnPause { project_id };
        Ok(self.say())
    }

    /// The employee's pause is over: a new session on the same project.
    pub fn resume(&mut self, now: Moment) -> Result<Vec<SessionEvent>, Refused> {
        self.observe(now);
        self.by_hand()?;
        match self.state {
            State::OnPause { .. } if !self.absences.is_empty() => Err(Refused::Away),
            State::OnPause { project_id } => {
                self.open(now, project_id, Cause::User, None);
                Ok(self.say())
            }
            State::Running(_) => Err(Refused::AlreadyRunning),
            _ => Err(Refused::NotPaused),
        }
    }

    /// The employee stops tracking (rule 3). While blocked or away it means: do not go on by yourself.
    pub fn stop(&mut self, now: Moment) -> Result<Vec<SessionEvent>, Refused> {
        self.observe(now);
        self.by_hand()?;
        match &mut self.state {
            State::Running(_) => self.close(now.wall_ms, Cause::User),
            State::Blocked {
                resume: resume @ Some(_),
                ..
            }
            | State::Away {
                resume: resume @ Some(_),
                ..
            } => *resume = None,
            State::OnPause { .. } => self.state = State::Stopped,
            // The sleep that `observe` has just found ended it: that is what was asked for.
            State::Stopped if !self.unsaid.is_empty() => {}
            _ => return Err(Refused::NotRunning),
        }
        Ok(self.say())
    }

    /// The employee goes on with another project.
    pub fn switch(
        &mut self,
        now: Moment,
        project_id: ProjectId,
    ) -> Result<Vec<SessionEvent>, Refused> {
        self.observe(now);
        self.by_hand()?;
        let State::Running(running) = &mut self.state else {
            return Err(Refused::NotRunning);
        };
        if running.project_id != Some(project_id) {
            running.project_id = Some(project_id);
            let mut event = event(
                running,
                SessionEventKind::Switched,
                Cause::User,
                now.wall_ms,
            );
            event.project_id = Some(project_id);
            self.unsaid.push(event);
        }
        Ok(self.say())
    }

    /// The employee adds a note to the running session; allowed in both modes.
    pub fn note(&mut self, now: Moment, text: String) -> Result<Vec<SessionEvent>, Refused> {
        check_note(Some(&text))?;
        self.observe(now);
        let State::Running(running) = &self.state else {
            return Err(Refused::NotRunning);
        };
        let mut event = event(running, SessionEventKind::Noted, Cause::User, now.wall_ms);
        event.note = Some(text);
        self.unsaid.push(event);
        Ok(self.say())
    }

    /// The agent is up. Monitoring begins by itself (rule 4); a worklog waits for its employee.
    pub fn begin(&mut self, now: Moment, project_id: Option<ProjectId>) -> Vec<SessionEvent> {
        self.observe(now);
        if self.mode == WorkMode::Monitoring && self.state == State::Stopped {
            self.open_within_hours(now, project_id, Cause::Login);
        }
        self.say()
    }

    /// What is to go on under a newer license of the same employer: `None`, nothing; `Some`, a session
    /// on that project.
    pub fn to_go_on(&self) -> Option<Option<ProjectId>> {
        match &self.state {
            State::Running(running) => Some(running.project_id),
            State::Blocked { resume, .. } | State::Away { resume, .. } => *resume,
            State::Stopped | State::OffHours | State::OnPause { .. } => None,
        }
    }

    /// The license was replaced by a newer one: what ran goes on at once, or when the block ends.
    pub fn go_on(&mut self, now: Moment, what: Option<Option<ProjectId>>) -> Vec<SessionEvent> {
        self.observe(now);
        match (&mut self.state, what) {
            (State::Stopped, Some(project_id)) => self.open(now, project_id, Cause::License, None),
            (State::Blocked { resume, .. } | State::Away { resume, .. }, Some(project_id)) => {
                *resume = Some(project_id);
            }
            _ => {}
        }
        self.say()
    }

    /// The agent is about to end, by log-out, shutdown or a person.
    pub fn end(&mut self, now: Moment, cause: Cause) -> Vec<SessionEvent> {
        self.observe(now);
        self.close(now.wall_ms, cause);
        self.state = State::Stopped;
        self.say()
    }

    /// The server registers nothing (rule 8): tracking ends, and is to go on when it can.
    pub fn block(&mut self, now: Moment, block: Block) -> Vec<SessionEvent> {
        self.observe(now);
        let resume = match &self.state {
            State::Running(running) => Some(running.project_id),
            State::Blocked { resume, .. } | State::Away { resume, .. } => *resume,
            State::OffHours => Some(None),
            State::Stopped | State::OnPause { .. } => None,
        };
        self.close(now.wall_ms, Cause::License);
        self.state = State::Blocked { block, resume };
        self.say()
    }

    /// The server registers again: what ran goes on as a new session.
    pub fn unblock(&mut self, now: Moment, default: Option<ProjectId>) -> Vec<SessionEvent> {
        self.observe(now);
        if let State::Blocked { resume, .. } = &self.state {
            let resume = *resume;
            self.state = State::Stopped;
            match (self.mode, resume) {
                (WorkMode::Monitoring, resume) => {
                    self.open_within_hours(now, resume.flatten().or(default), Cause::License);
                }
                (WorkMode::Worklog, Some(project)) => {
                    self.open(now, project, Cause::License, None);
                }
                (WorkMode::Worklog, None) => {}
            }
        }
        self.say()
    }

    /// The system tells that nobody can be at work here: tracking ends at once (rules 19 and 20).
    pub fn leave(&mut self, now: Moment, absence: Absence) -> Vec<SessionEvent> {
        self.observe(now);
        if self.absences.is_empty() {
            self.left = now;
        }
        self.absences.insert(absence);
        if let State::Running(running) = &self.state {
            let resume = Some(running.project_id);
            let cause = absence.cause();
            self.close(now.wall_ms, cause);
            self.state = State::Away { cause, resume };
        }
        if absence == Absence::Asleep {
            self.fell_asleep = now;
            self.forget_after_sleep();
        }
        self.say()
    }

    /// What [`leave`](Self::leave) was told has ended. When nothing else keeps the person away,
    /// monitoring goes on; a worklog does after a break, but not after a sleep, nor on another day.
    pub fn come_back(
        &mut self,
        now: Moment,
        absence: Absence,
        default: Option<ProjectId>,
    ) -> Vec<SessionEvent> {
        self.observe(now);
        if !self.absences.remove(&absence) || !self.absences.is_empty() {
            return self.say();
        }
        if let State::Away { cause, resume } = self.state {
            self.state = State::Stopped;
            let away_ms = now.boot_ms.saturating_sub(self.left.boot_ms);
            match (self.mode, resume) {
                (WorkMode::Monitoring, resume) => {
                    self.open_within_hours(now, resume.flatten().or(default), cause);
                }
                (WorkMode::Worklog, Some(project)) if away_ms <= BREAK_MS => {
                    self.open(now, project, cause, None);
                }
                (WorkMode::Worklog, _) => {}
            }
        }
        self.say()
    }

    /// Time has passed. `idle_ms`: how long there has been no input, where the system can tell.
    pub fn tick(
        &mut self,
        now: Moment,
        idle_ms: Option<u64>,
        default: Option<ProjectId>,
    ) -> Vec<SessionEvent> {
        self.observe(now);
        let awake_ms = now.mono_ms.saturating_sub(self.fell_asleep.mono_ms);
        if awake_ms > AWAKE_MS && self.absences.contains(&Absence::Asleep) {
            // It was not told that the sleep is over, or was given up.
            let mut events = self.come_back(now, Absence::Asleep, default);
            self.unsaid.append(&mut events);
        }
        if self.mode == WorkMode::Monitoring {
            match &self.state {
                State::Running(_) if !self.within_hours(now.wall_ms) => {
                    self.close(now.wall_ms, Cause::Schedule);
                    self.state = State::OffHours;
                }
                State::OffHours => self.open_within_hours(now, default, Cause::Schedule),
                // Sleep ended it, whichever call found that out; nothing else stops monitoring.
                State::Stopped => self.open_within_hours(now, default, Cause::Sleep),
                _ => {}
            }
        }
        if let Some(idle_ms) = idle_ms {
            self.idle(now, idle_ms);
        }
        self.say()
    }

    fn idle(&mut self, now: Moment, idle_ms: u64) {
        let State::Running(running) = &mut self.state else {
            return;
        };
        let since = now
            .wall_ms
            .saturating_sub(i64::try_from(idle_ms).unwrap_or(i64::MAX));
        let said = match running.idle_since_ms {
            None if idle_ms >= self.idle_after_ms => {
                // Input may have stopped before the session began.
                let since = since.max(self.told_to_ms);
                self.told_to_ms = since;
                running.idle_since_ms = Some(since);
                event(running, SessionEventKind::Idle, Cause::Input, since)
            }
            Some(_) if idle_ms < self.idle_after_ms => {
                running.idle_since_ms = None;
                let since = since.max(self.told_to_ms);
                self.told_to_ms = since;
                event(running, SessionEventKind::Resumed, Cause::Input, since)
            }
            _ => return,
        };
        self.unsaid.push(said);
    }

    /// Takes note of the time. A sleep that lies between ends the session where it began (rule 19);
    /// a clock that was set cuts it in two, so that the step counts in neither part.
    fn observe(&mut self, now: Moment) {
        let last = std::mem::replace(&mut self.last, now);
        let with_sleep = now.boot_ms.saturating_sub(last.boot_ms);
        let without_sleep = now.mono_ms.saturating_sub(last.mono_ms);
        if with_sleep.saturating_sub(without_sleep) >= SLEEP_MS {
            self.close(last.wall_ms, Cause::Sleep);
            self.forget_after_sleep();
            return;
        }
        let State::Running(running) = &mut self.state else {
            return;
        };
        running.running_ms += without_sleep;
        let ran_to_ms = last.wall_ms.saturating_add_unsigned(without_sleep);
        if (now.wall_ms - ran_to_ms).abs() >= CLOCK_STEP_MS {
            let project_id = running.project_id;
            self.close(ran_to_ms, Cause::ClockSet);
            self.open(now, project_id, Cause::ClockSet, None);
        }
    }

    /// In worklog mode, work does not go on by itself after a sleep: that may be on another day.
    fn forget_after_sleep(&mut self) {
        if let (WorkMode::Worklog, State::Blocked { resume, .. } | State::Away { resume, .. }) =
            (self.mode, &mut self.state)
        {
            *resume = None;
        }
    }

    /// Hands out what no caller has seen yet.
    fn say(&mut self) -> Vec<SessionEvent> {
        std::mem::take(&mut self.unsaid)
    }

    fn by_hand(&self) -> Result<(), Refused> {
        match self.mode {
            WorkMode::Worklog => Ok(()),
            WorkMode::Monitoring => Err(Refused::Monitoring),
        }
    }

    fn open_within_hours(&mut self, now: Moment, project_id: Option<ProjectId>, cause: Cause) {
        if self.within_hours(now.wall_ms) {
            self.open(now, project_id, cause, None);
        } else {
            self.state = State::OffHours;
        }
    }

    fn open(
        &mut self,
        now: Moment,
        project_id: Option<ProjectId>,
        cause: Cause,
        note: Option<String>,
    ) {
        if let Some(absence) = self.absences.first() {
            self.state = State::Away {
                cause: absence.cause(),
                resume: Some(project_id),
            };
            return;
        }
        // A clock that was corrected by a little, back over the end of the last session, makes no overlap.
        let back_ms = self.told_to_ms.saturating_sub(now.wall_ms);
        let corrected = (0..CLOCK_STEP_MS).contains(&back_ms);
        let started_ms = now.wall_ms + if corrected { back_ms } else { 0 };
        self.told_to_ms = started_ms;
        let running = Running {
            session_id: (self.next_id)(now),
            project_id,
            started_ms,
            idle_since_ms: None,
            running_ms: 0,
        };
        let mut event = event(&running, SessionEventKind::Started, cause, started_ms);
        event.project_id = project_id;
        event.note = note;
        self.state = State::Running(running);
        self.unsaid.push(event);
    }

    /// Ends the running session, if one runs. It never ends before it began, even if the clock was
    /// set back meanwhile.
    fn close(&mut self, at_ms: i64, cause: Cause) {
        let State::Running(running) = &self.state else {
            return;
        };
        let at_ms = at_ms.max(self.told_to_ms);
        self.told_to_ms = at_ms;
        self.unsaid
            .push(event(running, SessionEventKind::Stopped, cause, at_ms));
        self.state = State::Stopped;
    }
}

fn event(running: &Running, kind: SessionEventKind, cause: Cause, at_ms: i64) -> SessionEvent {
    SessionEvent {
        session_id: running.session_id,
        event: kind,
        cause,
        at_ms,
        project_id: None,
        note: None,
        idle: None,
    }
}

fn check_note(note: Option<&str>) -> Result<(), Refused> {
    if note.is_some_and(|text| text.chars().count() > MAX_NOTE_CHARS) {
        return Err(Refused::NoteTooLong);
    }
    Ok(())
}
