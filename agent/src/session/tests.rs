//! The machine over scripted and over random days.

use glasshour_license_format::{Day, LicensedHours, Schedule, WorkMode};
use glasshour_protocol::payload::{Cause, SessionEvent, SessionEventKind as Kind};
use glasshour_protocol::{ProjectId, SessionId};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Absence, Block, Machine, Refused, State};
use crate::clock::Moment;

/// Monday 23 November 2026, 09:00 UTC.
const NINE: i64 = 1_795_424_400_000;
pub(super) const MINUTE: i64 = 60_000;

pub(super) fn at(minutes: i64) -> Moment {
    awake(minutes * MINUTE, 0)
}

/// A moment that many milliseconds after nine, `slept_ms` of them asleep.
pub(super) fn awake(ms: i64, slept_ms: u64) -> Moment {
    let boot_ms = ms.unsigned_abs() + 1_000_000;
    Moment {
        wall_ms: NINE + ms,
        mono_ms: boot_ms - slept_ms,
        boot_ms,
        utc_offset_min: 0,
    }
}

/// Sessions named after the moment they began, so that tests can tell them.
pub(super) fn id(now: Moment) -> SessionId {
    SessionId(Uuid::from_u128(now.boot_ms.into()))
}

pub(super) fn machine(mode: WorkMode) -> Machine {
    Machine::new(mode, 300, None, at(0), id)
}

pub(super) fn short(events: &[SessionEvent]) -> Vec<(Kind, Cause, i64)> {
    events
        .iter()
        .map(|e| (e.event, e.cause, (e.at_ms - NINE) / MINUTE))
        .collect()
}

pub(super) fn block() -> Block {
    Block {
        code: "employee_inactive".into(),
        message: "inactive".into(),
    }
}

pub(super) const APOLLO: ProjectId = ProjectId(Uuid::from_u128(7));

#[test]
fn p03_in_worklog_mode_the_employee_starts_switches_and_stops() {
    let mut machine = machine(WorkMode::Worklog);
    assert_eq!(machine.begin(at(0), None), []);
    assert_eq!(machine.state(), &State::Stopped);
    let started = machine
        .start(at(1), Some(APOLLO), Some("plan".into()))
        .unwrap();
    assert_eq!(short(&started), [(Kind::Started, Cause::User, 1)]);
    assert_eq!(started[0].project_id, Some(APOLLO));
    assert_eq!(started[0].note.as_deref(), Some("plan"));
    assert_eq!(
        machine.start(at(2), None, None),
        Err(Refused::AlreadyRunning)
    );
    assert_eq!(
        machine.switch(at(3), APOLLO).unwrap(),
        [],
        "it is on that project already"
    );
    let other = ProjectId(Uuid::from_u128(8));
    assert_eq!(
        short(&machine.switch(at(4), other).unwrap()),
        [(Kind::Switched, Cause::User, 4)]
    );
    assert_eq!(
        short(&machine.stop(at(5)).unwrap()),
        [(Kind::Stopped, Cause::User, 5)]
    );
    assert_eq!(machine.stop(at(6)), Err(Refused::NotRunning));
}

#[test]
fn p04_monitoring_begins_by_itself_and_cannot_be_started_or_stopped_by_hand() {
    let mut machine = machine(WorkMode::Monitoring);
    let begun = machine.begin(at(0), Some(APOLLO));
    assert_eq!(short(&begun), [(Kind::Started, Cause::Login, 0)]);
    assert_eq!(machine.stop(at(1)), Err(Refused::Monitoring));
    assert_eq!(machine.start(at(1), None, None), Err(Refused::Monitoring));
    assert_eq!(machine.switch(at(1), APOLLO), Err(Refused::Monitoring));
    assert!(machine.running().is_some());
    assert_eq!(
        short(&machine.end(at(2), Cause::Logout)),
        [(Kind::Stopped, Cause::Logout, 2)]
    );
}

#[test]
fn p19_sleep_ends_a_session_where_it_began_and_is_never_counted() {
    let mut worklog = machine(WorkMode::Worklog);
    worklog.start(at(0), None, None).unwrap();
    worklog.tick(at(10), None, None);
    let eight_hours = 8 * 60 * MINUTE;
    let woke = awake(11 * MINUTE + eight_hours, eight_hours.unsigned_abs());
    assert_eq!(
        short(&worklog.tick(woke, None, None)),
        [(Kind::Stopped, Cause::Sleep, 10)]
    );
    assert_eq!(
        worklog.state(),
        &State::Stopped,
        "the employee says when work goes on"
    );

    let mut monitoring = machine(WorkMode::Monitoring);
    monitoring.begin(at(0), None);
    monitoring.tick(at(10), None, None);
    assert_eq!(
        short(&monitoring.tick(woke, None, None)),
        [
            (Kind::Stopped, Cause::Sleep, 10),
            (Kind::Started, Cause::Sleep, 491)
        ]
    );
}

#[test]
fn p08_a_block_ends_tracking_and_its_end_lets_it_go_on() {
    let mut machine = machine(WorkMode::Worklog);
    machine.start(at(0), Some(APOLLO), None).unwrap();
    assert_eq!(
        short(&machine.block(at(5), block())),
        [(Kind::Stopped, Cause::License, 5)]
    );
    assert!(!machine.may_capture(at(5).wall_ms));
    assert_eq!(
        machine.start(at(6), None, None),
        Err(Refused::Blocked("inactive".into()))
    );
    assert_eq!(
        machine.block(at(7), block()),
        [],
        "the same news again changes nothing"
    );
    let resumed = machine.unblock(at(9), None);
    assert_eq!(short(&resumed), [(Kind::Started, Cause::License, 9)]);
    assert_eq!(resumed[0].project_id, Some(APOLLO));
}

#[test]
fn an_employee_who_stops_while_blocked_is_not_tracked_afterwards() {
    let mut machine = machine(WorkMode::Worklog);
    machine.start(at(0), None, None).unwrap();
    machine.block(at(5), block());
    assert_eq!(machine.stop(at(6)).unwrap(), []);
    assert_eq!(machine.unblock(at(7), None), []);
    assert_eq!(machine.state(), &State::Stopped);
}

#[test]
fn p17_what_ran_goes_on_under_a_newer_license() {
    let mut old = machine(WorkMode::Worklog);
    old.start(at(0), Some(APOLLO), None).unwrap();
    let what = old.to_go_on();
    assert_eq!(
        short(&old.end(at(5), Cause::License)),
        [(Kind::Stopped, Cause::License, 5)]
    );
    let mut newer = machine(WorkMode::Worklog);
    let went_on = newer.go_on(at(5), what);
    assert_eq!(short(&went_on), [(Kind::Started, Cause::License, 5)]);
    assert_eq!(went_on[0].project_id, Some(APOLLO));

    let mut blocked = machine(WorkMode::Worklog);
    blocked.block(at(5), block());
    assert_eq!(blocked.go_on(at(5), what), []);
    assert_eq!(
        short(&blocked.unblock(at(9), None)),
        [(Kind::Started, Cause::License, 9)]
    );
    assert_eq!(machine(WorkMode::Worklog).to_go_on(), None);
}

#[test]
fn idle_is_dated_to_the_last_input_but_not_before_the_session() {
    let mut machine = machine(WorkMode::Worklog);
    machine.start(at(3), None, None).unwrap();
    assert_eq!(machine.tick(at(7), Some(299_999), None), []);
    let idle = machine.tick(at(8), Some(5 * 60_000 + 1), None);
    assert_eq!(short(&idle), [(Kind::Idle, Cause::Input, 3)]);
    assert_eq!(machine.tick(at(9), Some(6 * 60_000), None), [], "said once");
    let back = machine.tick(at(12), Some(60_000), None);
    assert_eq!(short(&back), [(Kind::Resumed, Cause::Input, 11)]);
}

#[test]
fn monitoring_keeps_the_licensed_hours_and_a_worklog_captures_within_them_only() {
    let hours = LicensedHours::new(&Schedule {
        time_zone: "UTC".into(),
        days: vec![Day::Mon],
        from: "09:30".parse().unwrap(),
        to: "10:00".parse().unwrap(),
    })
    .unwrap();
    let mut monitoring = Machine::new(WorkMode::Monitoring, 300, Some(hours.clone()), at(0), id);
    assert_eq!(monitoring.begin(at(0), None), []);
    assert_eq!(monitoring.state(), &State::OffHours);
    assert_eq!(
        short(&monitoring.tick(at(30), None, None)),
        [(Kind::Started, Cause::Schedule, 30)]
    );
    assert_eq!(
        short(&monitoring.tick(at(60), None, None)),
        [(Kind::Stopped, Cause::Schedule, 60)]
    );

    let mut worklog = Machine::new(WorkMode::Worklog, 300, Some(hours), at(0), id);
    worklog.start(at(0), None, None).unwrap();
    assert!(!worklog.may_capture(at(29).wall_ms));
    assert!(worklog.may_capture(at(30).wall_ms));
    assert!(!worklog.may_capture(at(60).wall_ms));
}

#[test]
fn a_refused_command_loses_nothing_that_it_found() {
    let mut machine = machine(WorkMode::Worklog);
    machine.start(at(0), None, None).unwrap();
    let woke = awake(60 * MINUTE, 50 * 60_000);
    assert_eq!(
        machine.switch(woke, APOLLO),
        Err(Refused::NotRunning),
        "sleep ended it"
    );
    let after = awake(61 * MINUTE, 50 * 60_000);
    assert_eq!(
        short(&machine.tick(after, None, None)),
        [(Kind::Stopped, Cause::Sleep, 0)]
    );
}

#[test]
fn a_clock_that_is_set_adds_nothing_and_takes_nothing() {
    for step in [-60 * MINUTE, 24 * 60 * MINUTE] {
        let mut machine = machine(WorkMode::Worklog);
        machine.start(at(60), Some(APOLLO), None).unwrap();
        let mut later = at(70);
        later.wall_ms += step;
        let cut = machine.tick(later, None, None);
        let after = 70 + step / MINUTE;
        assert_eq!(
            short(&cut),
            [
                (Kind::Stopped, Cause::ClockSet, 70),
                (Kind::Started, Cause::ClockSet, after)
            ]
        );
        assert_eq!(cut[1].project_id, Some(APOLLO));
        later.wall_ms += MINUTE;
        later.mono_ms += 60_000;
        later.boot_ms += 60_000;
        let stopped = machine.stop(later).unwrap();
        assert_eq!(short(&stopped), [(Kind::Stopped, Cause::User, after + 1)]);
    }
}

#[test]
fn a_refused_command_right_after_waking_does_not_end_monitoring() {
    let mut machine = machine(WorkMode::Monitoring);
    machine.begin(at(0), None);
    let woke = awake(60 * MINUTE, 50 * 60_000);
    assert_eq!(machine.stop(woke), Err(Refused::Monitoring));
    let after = awake(61 * MINUTE, 50 * 60_000);
    assert_eq!(
        short(&machine.tick(after, None, None)),
        [
            (Kind::Stopped, Cause::Sleep, 0),
            (Kind::Started, Cause::Sleep, 61)
        ]
    );
}

#[test]
fn a_worklog_that_was_blocked_does_not_go_on_after_a_sleep() {
    let mut machine = machine(WorkMode::Worklog);
    machine.start(at(0), None, None).unwrap();
    machine.block(at(1), block());
    machine.tick(awake(60 * MINUTE, 50 * 60_000), None, None);
    assert_eq!(machine.unblock(awake(61 * MINUTE, 50 * 60_000), None), []);
}

#[test]
fn a_note_that_is_too_long_is_refused_and_changes_nothing() {
    let mut machine = machine(WorkMode::Worklog);
    machine.start(at(0), None, None).unwrap();
    assert_eq!(
        machine.note(at(1), "x".repeat(2001)),
        Err(Refused::NoteTooLong)
    );
    assert_eq!(
        short(&machine.note(at(1), "x".into()).unwrap()),
        [(Kind::Noted, Cause::User, 1)]
    );
}

/// Anything that can happen to a machine.
#[derive(Clone, Debug)]
enum Step {
    Start,
    Stop,
    Switch(u8),
    Note,
    Tick(Option<u32>),
    Block,
    Unblock,
    Sleep(u32),
    ClockSet(i32),
    Leave(Absence),
    ComeBack(Absence),
}

pub(super) fn absence() -> impl Strategy<Value = Absence> {
    prop::sample::select(vec![
        Absence::Asleep,
        Absence::Locked,
        Absence::OtherUser,
        Absence::ShuttingDown,
    ])
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Start),
        Just(Step::Stop),
        any::<u8>().prop_map(Step::Switch),
        Just(Step::Note),
        proptest::option::of(0u32..1_000_000).prop_map(Step::Tick),
        Just(Step::Block),
        Just(Step::Unblock),
        (0u32..100_000_000).prop_map(Step::Sleep),
        (-5_000_000i32..5_000_000).prop_map(Step::ClockSet),
        absence().prop_map(Step::Leave),
        absence().prop_map(Step::ComeBack),
    ]
}

proptest! {
    #[test]
    fn sessions_are_well_formed_whatever_happens(
        monitoring in any::<bool>(),
        steps in prop::collection::vec((step(), 0u32..600_000), 0..60),
    ) {
        let mode = if monitoring { WorkMode::Monitoring } else { WorkMode::Worklog };
        let mut now = at(0);
        let mut machine = machine(mode);
        let mut events = machine.begin(now, None);
        let mut awake_ms: u64 = 0;
        for (step, pause) in steps {
            now.wall_ms += i64::from(pause);
            now.mono_ms += u64::from(pause);
            now.boot_ms += u64::from(pause);
            awake_ms += u64::from(pause);
            let out = match step {
                Step::Start => machine.start(now, None, None).unwrap_or_default(),
                Step::Stop => machine.stop(now).unwrap_or_default(),
                Step::Switch(n) => {
                    let project = ProjectId(Uuid::from_u128(n.into()));
                    machine.switch(now, project).unwrap_or_default()
                }
                Step::Note => machine.note(now, "n".into()).unwrap_or_default(),
                Step::Tick(idle) => machine.tick(now, idle.map(u64::from), None),
                Step::Leave(absence) => machine.leave(now, absence),
                Step::ComeBack(absence) => machine.come_back(now, absence, None),
                Step::Block => machine.block(now, block()),
                Step::Unblock => machine.unblock(now, None),
                Step::Sleep(ms) => {
                    now.wall_ms += i64::from(ms);
                    now.boot_ms += u64::from(ms);
                    machine.tick(now, None, None)
                }
                Step::ClockSet(ms) => {
                    now.wall_ms += i64::from(ms);
                    machine.tick(now, None, None)
                }
            };
            events.extend(out);
            if let Some(running) = machine.running() {
                prop_assert!(running.running_ms <= awake_ms, "sleep was counted");
            }
        }
        events.extend(machine.end(now, Cause::Shutdown));
        let mut open: Option<(SessionId, i64)> = None;
        for event in &events {
            match (event.event, open) {
                (Kind::Started, None) => open = Some((event.session_id, event.at_ms)),
                (Kind::Stopped, Some((id, started))) => {
                    prop_assert_eq!(id, event.session_id);
                    prop_assert!(event.at_ms >= started);
                    open = None;
                }
                (_, Some((id, _))) => prop_assert_eq!(id, event.session_id),
                (kind, None) => prop_assert!(false, "{:?} outside a session", kind),
            }
        }
        prop_assert_eq!(open, None);
    }
}
