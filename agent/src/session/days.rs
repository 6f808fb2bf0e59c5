//! The machine while people come and go, and the sum of all time over random days.

use glasshour_license_format::WorkMode;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use glasshour_protocol::payload::{Cause, IdleSays, SessionEvent, SessionEventKind as Kind};
use glasshour_protocol::session::roll_up;
use glasshour_protocol::{LicenseId, ProjectId, SessionId};
use proptest::prelude::*;
use uuid::Uuid;

use super::idle::{self, Unanswered};
use super::tests::{APOLLO, MINUTE, absence, at, awake, block, machine, short};
use super::{Absence, Machine, Refused, State};
use crate::clock::Moment;
use crate::journal::Entry;

#[test]
fn a_lock_pauses_and_its_end_goes_on_with_the_same_project() {
    for mode in [WorkMode::Worklog, WorkMode::Monitoring] {
        let mut machine = machine(mode);
        machine.begin(at(0), Some(APOLLO));
        if mode == WorkMode::Worklog {
            machine.start(at(0), Some(APOLLO), None).unwrap();
        }
        let locked = machine.leave(at(10), Absence::Locked);
        assert_eq!(short(&locked), [(Kind::Stopped, Cause::Lock, 10)]);
        assert!(!machine.may_capture(at(11).wall_ms));
        assert_eq!(machine.tick(at(20), Some(600_000), None), []);
        let back = machine.come_back(at(55), Absence::Locked, None);
        assert_eq!(short(&back), [(Kind::Started, Cause::Lock, 55)]);
        assert_eq!(back[0].project_id, Some(APOLLO));
    }
}

#[test]
fn p20_switching_users_stops_tracking_and_coming_back_resumes_it() {
    let mut machine = machine(WorkMode::Monitoring);
    machine.begin(at(0), Some(APOLLO));
    let left = machine.leave(at(5), Absence::OtherUser);
    assert_eq!(short(&left), [(Kind::Stopped, Cause::UserSwitch, 5)]);
    // A desktop locks the screen of the one who leaves; only the last of both brings them back.
    assert_eq!(machine.leave(at(5), Absence::Locked), []);
    assert_eq!(machine.come_back(at(30), Absence::OtherUser, None), []);
    let back = machine.come_back(at(31), Absence::Locked, None);
    assert_eq!(short(&back), [(Kind::Started, Cause::UserSwitch, 31)]);
    assert_eq!(back[0].project_id, Some(APOLLO));
}

#[test]
fn p19_a_sleep_that_is_told_ends_the_session_at_that_moment() {
    let mut worklog = machine(WorkMode::Worklog);
    worklog.start(at(0), None, None).unwrap();
    assert_eq!(
        short(&worklog.leave(at(7), Absence::Asleep)),
        [(Kind::Stopped, Cause::Sleep, 7)]
    );
    let slept = 8 * 3_600_000_u64;
    let woke = awake(8 * MINUTE + 8 * 60 * MINUTE, slept);
    assert_eq!(
        worklog.come_back(woke, Absence::Asleep, None),
        [],
        "the employee says when work goes on"
    );
    assert_eq!(worklog.state(), &State::Stopped);

    let mut monitoring = machine(WorkMode::Monitoring);
    monitoring.begin(at(0), None);
    monitoring.leave(at(7), Absence::Asleep);
    assert_eq!(
        short(&monitoring.come_back(woke, Absence::Asleep, None)),
        [(Kind::Started, Cause::Sleep, 488)]
    );
}

#[test]
fn a_wake_that_is_never_told_is_found_by_the_clock() {
    let mut machine = machine(WorkMode::Monitoring);
    machine.begin(at(0), None);
    machine.leave(at(1), Absence::Asleep);
    assert_eq!(machine.tick(at(2), None, None), []);
    assert_eq!(
        short(&machine.tick(at(3), None, None)),
        [(Kind::Started, Cause::Sleep, 3)]
    );
}

#[test]
fn a_shutdown_that_is_called_off_costs_no_tracking() {
    let mut machine = machine(WorkMode::Worklog);
    machine.start(at(0), Some(APOLLO), None).unwrap();
    assert_eq!(
        short(&machine.leave(at(4), Absence::ShuttingDown)),
        [(Kind::Stopped, Cause::Shutdown, 4)]
    );
    assert_eq!(
        short(&machine.come_back(at(5), Absence::ShuttingDown, None)),
        [(Kind::Started, Cause::Shutdown, 5)]
    );
}

#[test]
fn a_worklog_does_not_go_on_by_itself_on_another_day_nor_when_it_was_stopped() {
    let mut overnight = machine(WorkMode::Worklog);
    overnight.start(at(0), None, None).unwrap();
    overnight.leave(at(1), Absence::Locked);
    assert_eq!(overnight.come_back(at(14 * 60), Absence::Locked, None), []);
    assert_eq!(overnight.state(), &State::Stopped);

    let mut stopped = machine(WorkMode::Worklog);
    stopped.start(at(0), None, None).unwrap();
    stopped.leave(at(1), Absence::Locked);
    assert_eq!(stopped.start(at(2), None, None), Err(Refused::Away));
    assert_eq!(stopped.stop(at(3)), Ok(vec![]));
    assert_eq!(stopped.come_back(at(4), Absence::Locked, None), []);
}

#[test]
fn a_pause_ends_the_session_and_goes_on_with_its_project() {
    let mut machine = machine(WorkMode::Worklog);
    assert_eq!(machine.pause(at(0)), Err(Refused::NotRunning));
    assert_eq!(machine.resume(at(0)), Err(Refused::NotPaused));
    machine.start(at(0), Some(APOLLO), None).unwrap();
    assert_eq!(machine.resume(at(1)), Err(Refused::AlreadyRunning));
    let paused = machine.pause(at(10)).unwrap();
    assert_eq!(short(&paused), [(Kind::Stopped, Cause::User, 10)]);
    assert!(!machine.may_capture(at(11).wall_ms));
    // Whoever locks the screen for the pause finds it as it was.
    assert_eq!(machine.leave(at(11), Absence::Locked), []);
    assert_eq!(machine.resume(at(12)), Err(Refused::Away));
    assert_eq!(machine.come_back(at(20), Absence::Locked, None), []);
    let back = machine.resume(at(21)).unwrap();
    assert_eq!(short(&back), [(Kind::Started, Cause::User, 21)]);
    assert_eq!(back[0].project_id, Some(APOLLO));
    machine.pause(at(30)).unwrap();
    assert_eq!(machine.stop(at(31)), Ok(vec![]));
    assert_eq!(machine.resume(at(32)), Err(Refused::NotPaused));
}

#[test]
fn p04_in_monitoring_mode_there_is_no_pause() {
    let mut machine = machine(WorkMode::Monitoring);
    machine.begin(at(0), None);
    assert_eq!(machine.pause(at(1)), Err(Refused::Monitoring));
    assert_eq!(machine.resume(at(1)), Err(Refused::Monitoring));
}

#[test]
fn nothing_begins_while_nobody_is_there() {
    let mut blocked = machine(WorkMode::Monitoring);
    blocked.begin(at(0), Some(APOLLO));
    blocked.block(at(1), block());
    blocked.leave(at(2), Absence::Locked);
    assert_eq!(blocked.unblock(at(3), None), []);
    let back = blocked.come_back(at(4), Absence::Locked, None);
    assert_eq!(short(&back), [(Kind::Started, Cause::Lock, 4)]);

    let mut newer = machine(WorkMode::Monitoring);
    assert_eq!(newer.leave(at(0), Absence::OtherUser), []);
    assert_eq!(newer.begin(at(1), Some(APOLLO)), []);
    let back = newer.come_back(at(2), Absence::OtherUser, None);
    assert_eq!(short(&back), [(Kind::Started, Cause::UserSwitch, 2)]);
}

/// What can happen on a day, each after some time awake.
#[derive(Clone, Debug)]
enum Happens {
    Nothing,
    Start,
    Stop,
    Switch(u8),
    Pause,
    Resume,
    Idle(u32),
    Leave(Absence),
    ComeBack(Absence),
    Block,
    Unblock,
    /// A sleep that nobody tells; one shorter than the clocks can tell from nothing is none.
    Sleep(u32),
    /// The same for a clock that is set.
    ClockSet(i32),
    /// The agent dies and is there again at once.
    Crash,
}

fn happens() -> impl Strategy<Value = Happens> {
    let step = prop_oneof![5_000i32..50_000_000, -50_000_000i32..=-5_000];
    prop_oneof![
        Just(Happens::Nothing),
        Just(Happens::Start),
        Just(Happens::Stop),
        any::<u8>().prop_map(Happens::Switch),
        Just(Happens::Pause),
        Just(Happens::Resume),
        (0u32..2_000_000).prop_map(Happens::Idle),
        absence().prop_map(Happens::Leave),
        absence().prop_map(Happens::ComeBack),
        Just(Happens::Block),
        Just(Happens::Unblock),
        (5_000u32..100_000_000).prop_map(Happens::Sleep),
        step.prop_map(Happens::ClockSet),
        Just(Happens::Crash),
    ]
}

/// All time of a day, milliseconds of the boot clock.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    tracked: i64,
    idle: i64,
    /// After the employee's pause, a lock, a change of users, the licensed hours' end, a block.
    paused: i64,
    /// After a sleep, a crash, a shutdown.
    gaps: i64,
    /// Before the first start, and after the employee stopped.
    off: i64,
}

impl Sums {
    fn all(&self) -> i64 {
        self.tracked + self.idle + self.paused + self.gaps + self.off
    }
}

/// A day as it is told by events alone, each with the true time that it is dated to.
struct Day {
    now: Moment,
    told: Vec<(i64, SessionEvent)>,
    /// Those that began a pause.
    pauses: BTreeSet<usize>,
}

impl Day {
    fn true_ms(&self) -> i64 {
        i64::try_from(self.now.boot_ms).unwrap()
    }

    fn pass(&mut self, awake_ms: u32) {
        self.now.wall_ms += i64::from(awake_ms);
        self.now.mono_ms += u64::from(awake_ms);
        self.now.boot_ms += u64::from(awake_ms);
    }

    /// Events are dated by the wall clock as it was: one that was set says nothing of true time.
    fn tell(&mut self, events: Vec<SessionEvent>) {
        for event in events {
            let back = if event.cause == Cause::ClockSet {
                0
            } else {
                self.now.wall_ms - event.at_ms
            };
            self.told.push((self.true_ms() - back, event));
        }
    }

    /// Adds up everything between the first moment and the last; `Err`: events lie out of order.
    fn sums(&self, from: i64) -> Result<Sums, String> {
        let mut sums = Sums::default();
        let mut since = from;
        let mut now: fn(&mut Sums) -> &mut i64 = |sums| &mut sums.off;
        for (place, (at, event)) in self.told.iter().enumerate() {
            if matches!(event.event, Kind::Switched | Kind::Noted) {
                continue;
            }
            if *at < since {
                return Err(format!("{event:?} lies {} ms back", since - at));
            }
            *now(&mut sums) += at - since;
            since = *at;
            now = match (event.event, event.cause) {
                (Kind::Started | Kind::Resumed, _) => |sums| &mut sums.tracked,
                (Kind::Idle, _) => |sums| &mut sums.idle,
                _ if self.pauses.contains(&place) => |sums| &mut sums.paused,
                (_, Cause::User) => |sums| &mut sums.off,
                (_, Cause::Sleep | Cause::Shutdown | Cause::CrashRecovered) => {
                    |sums| &mut sums.gaps
                }
                _ => |sums| &mut sums.paused,
            };
        }
        *now(&mut sums) += self.true_ms() - since;
        Ok(sums)
    }
}

/// No two sessions are the same, also where they begin at one moment.
fn numbered(_: Moment) -> SessionId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    SessionId(Uuid::from_u128(number.into()))
}

fn entry(event: SessionEvent) -> Entry {
    let license_id = LicenseId(Uuid::nil());
    Entry { license_id, event }
}

/// Tracked and idle time of all sessions of a log.
fn counted(log: &[Entry]) -> (i64, i64) {
    let mut sessions: BTreeMap<SessionId, Vec<(u64, SessionEvent)>> = BTreeMap::new();
    for (seq, entry) in (0..).zip(log) {
        let of = sessions.entry(entry.event.session_id).or_default();
        of.push((seq, entry.event.clone()));
    }
    let rolled = sessions.values().map(|events| roll_up(events, 0, 0));
    rolled.fold((0, 0), |(tracked, idle), one| {
        (tracked + one.tracked_ms, idle + one.idle_ms)
    })
}

proptest! {
    #[test]
    fn tracked_and_idle_time_pauses_and_gaps_are_all_the_time_there_is(
        monitoring in any::<bool>(),
        day in prop::collection::vec((happens(), 0u32..600_000), 0..80),
        says in prop::collection::vec(prop::option::of(any::<bool>()), 8),
    ) {
        let mode = if monitoring { WorkMode::Monitoring } else { WorkMode::Worklog };
        let new = |now| Machine::new(mode, 300, None, now, numbered);
        let mut story = Day { now: at(0), told: Vec::new(), pauses: BTreeSet::new() };
        let began = story.true_ms();
        let mut machine = new(story.now);
        story.tell(machine.begin(at(0), None));
        // The same day as seen from outside: how long a session ran, by the clock that sleeps.
        let mut ran = 0_i64;
        for (happens, awake_ms) in day {
            if machine.running().is_some() {
                ran += i64::from(awake_ms);
            }
            story.pass(awake_ms);
            story.tell(machine.tick(story.now, None, None));
            let now = story.now;
            let events = match happens {
                Happens::Nothing => Vec::new(),
                Happens::Start => machine.start(now, None, None).unwrap_or_default(),
                Happens::Stop => machine.stop(now).unwrap_or_default(),
                Happens::Switch(n) => {
                    let project = ProjectId(Uuid::from_u128(n.into()));
                    machine.switch(now, project).unwrap_or_default()
                }
                Happens::Pause => {
                    let paused = machine.pause(now).unwrap_or_default();
                    if !paused.is_empty() {
                        story.pauses.insert(story.told.len() + paused.len() - 1);
                    }
                    paused
                }
                Happens::Resume => machine.resume(now).unwrap_or_default(),
                Happens::Idle(ms) => machine.tick(now, Some(ms.into()), None),
                Happens::Leave(absence) => machine.leave(now, absence),
                Happens::ComeBack(absence) => machine.come_back(now, absence, None),
                Happens::Block => machine.block(now, block()),
                Happens::Unblock => machine.unblock(now, None),
                Happens::Sleep(ms) => {
                    story.now.wall_ms += i64::from(ms);
                    story.now.boot_ms += u64::from(ms);
                    machine.tick(story.now, None, None)
                }
                Happens::ClockSet(ms) => {
                    story.now.wall_ms += i64::from(ms);
                    machine.tick(story.now, None, None)
                }
                Happens::Crash => {
                    // As the next agent finds it in the log: its last sign of life was just now.
                    let found = machine.end(now, Cause::CrashRecovered);
                    machine = new(now);
                    let mut events = found;
                    events.extend(machine.begin(now, None));
                    events
                }
            };
            story.tell(events);
        }
        story.tell(machine.end(story.now, Cause::User));
        let sums = story.sums(began).map_err(TestCaseError::fail)?;
        prop_assert_eq!(sums.all(), story.true_ms() - began);
        prop_assert_eq!(sums.tracked + sums.idle, ran, "{:?}", sums);

        // As reports count it, before and after the employee has spoken of some of the idle time.
        let mut log: Vec<Entry> = story.told.into_iter().map(|(_, event)| entry(event)).collect();
        let (tracked, idle) = counted(&log);
        prop_assert_eq!((tracked, idle), (sums.tracked, sums.idle));
        let open = idle::unanswered(&log);
        prop_assert_eq!(open.iter().map(Unanswered::length_ms).sum::<i64>(), idle);
        let mut work = 0;
        for (stretch, says) in open.iter().zip(says) {
            let Some(is_work) = says else { continue };
            work += if is_work { stretch.length_ms() } else { 0 };
            let says = if is_work { IdleSays::Work } else { IdleSays::NotWork };
            log.push(entry(stretch.said(story.now.wall_ms, says, Some(APOLLO))));
        }
        prop_assert_eq!(counted(&log), (tracked + work, idle - work));
    }
}
