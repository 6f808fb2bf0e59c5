//! Idle time of a worklog: kept apart, asked about once, and counted as the person says.

#[expect(dead_code, reason = "other tests use the rest of it")]
mod stage;

use glasshour_agent::ipc::{IdleReply, RefusedBy, Request};
use glasshour_agent::status::{IdleQuestion, StateWord, Status};
use glasshour_protocol::Kind;
use glasshour_protocol::payload::{IdleSays, SessionEvent, SessionEventKind};
use glasshour_protocol::session::roll_up;
use serde_json::json;
use stage::{ACME, Stage, start, until};

const MINUTE: u32 = 60;

/// Works for ten minutes, is away for twenty, and is back.
async fn away_and_back(stage: &Stage) {
    stage.ask(start(None)).await;
    work(stage, 10).await;
    stage.desktop.add_keys(1);
    stage.seconds(20 * MINUTE).await;
    stage.desktop.add_keys(1);
    stage.seconds(2).await;
}

async fn work(stage: &Stage, minutes: u32) {
    for _ in 0..minutes {
        stage.desktop.add_keys(1);
        stage.seconds(MINUTE).await;
    }
}

fn answer(question: &IdleQuestion, reply: IdleReply) -> Request {
    Request::AnswerIdle {
        session_id: question.session_id,
        from_ms: question.from_ms,
        reply,
    }
}

fn minutes(status: &Status) -> u64 {
    status.today_ms / 60_000
}

/// Minutes tracked and idle, as the server will count them.
fn counted(events: &[SessionEvent]) -> (i64, i64) {
    let events: Vec<_> = (0..).zip(events.iter().cloned()).collect();
    let rolled = roll_up(&events, 0, 0);
    (rolled.tracked_ms / 60_000, rolled.idle_ms / 60_000)
}

/// With a worklog license whose idle time begins after five minutes.
fn at_a_worklog() -> Stage {
    let stage = Stage::new();
    stage.load(ACME, "worklog", json!({"name": "P", "idle_after_s": 300}));
    stage
}

#[tokio::test]
async fn idle_time_is_asked_about_once_and_kept_apart_without_an_answer() {
    let stage = at_a_worklog();
    stage
        .run(async |stage| {
            away_and_back(stage).await;
            until("the question is asked", async || {
                stage.desktop.questions().len() == 1
            })
            .await;
            let (question, choices) = stage.desktop.questions().remove(0);
            assert!(question.body.contains("(20 m)"), "{}", question.body);
            assert_eq!(
                choices.len(),
                2,
                "keep and discard; no other project is known"
            );
            let status = stage.status().await;
            assert_eq!(minutes(&status), 10, "not tracked");
            assert_eq!(status.idle_questions.len(), 1);
            // More work, and no second question of the same.
            work(stage, 5).await;
            assert_eq!(stage.desktop.questions().len(), 1);
            stage.ask(Request::Stop).await;
        })
        .await;
    let events = stage.events(ACME).await;
    assert_eq!(counted(&events), (15, 20));
    assert!(events.iter().all(|event| event.idle.is_none()));
}

#[tokio::test]
async fn what_was_work_by_the_persons_word_counts_and_the_rest_does_not() {
    let stage = at_a_worklog();
    stage
        .run(async |stage| {
            away_and_back(stage).await;
            let open = stage.status().await.idle_questions;
            let kept = stage.ask(answer(&open[0], IdleReply::Keep)).await;
            assert_eq!(minutes(&kept), 30);
            assert_eq!(kept.idle_questions, []);
            // It is answered: there is nothing to say twice.
            let (reason, _) = stage.refused(answer(&open[0], IdleReply::Discard)).await;
            assert_eq!(reason, RefusedBy::State);

            stage.seconds(10 * MINUTE).await;
            stage.desktop.add_keys(1);
            stage.seconds(2).await;
            let open = stage.status().await.idle_questions;
            let other = IdleReply::Assign {
                project: "nowhere".into(),
            };
            stage.refused(answer(&open[0], other)).await;
            let discarded = stage.ask(answer(&open[0], IdleReply::Discard)).await;
            assert_eq!(minutes(&discarded), 30);
            stage.ask(Request::Stop).await;
        })
        .await;
    let events = stage.events(ACME).await;
    assert_eq!(counted(&events), (30, 10));
    let said: Vec<_> = events
        .iter()
        .filter_map(|event| event.idle)
        .map(|said| said.says)
        .collect();
    assert_eq!(said, [IdleSays::Work, IdleSays::NotWork]);
}

#[tokio::test]
async fn idle_time_before_a_lock_is_asked_about_when_the_person_is_back() {
    use glasshour_agent::session::Absence;
    let stage = at_a_worklog();
    stage
        .run(async |stage| {
            stage.ask(start(None)).await;
            stage.desktop.add_keys(1);
            until("the system is heard", async || {
                stage.desktop.leave(Absence::OtherUser).is_some()
            })
            .await;
            stage
                .desktop
                .tell(glasshour_agent::platform::SystemEvent::Returns(
                    Absence::OtherUser,
                ));
            until("a session runs", async || {
                stage.status().await.state == StateWord::Tracking
            })
            .await;
            stage.desktop.add_keys(1);
            stage.seconds(10 * MINUTE).await;
            stage.desktop.leave(Absence::Locked).unwrap();
            until("it is away", async || {
                stage.status().await.state == StateWord::Away
            })
            .await;
            assert_eq!(stage.desktop.questions(), [], "nobody is there to answer");
            stage
                .desktop
                .tell(glasshour_agent::platform::SystemEvent::Returns(
                    Absence::Locked,
                ));
            until("the question is asked", async || {
                stage.desktop.questions().len() == 1
            })
            .await;
        })
        .await;
}

#[tokio::test]
async fn p04_in_monitoring_mode_nobody_is_asked_and_idle_time_is_idle_time() {
    let stage = Stage::new();
    stage.load(
        ACME,
        "monitoring",
        json!({"name": "P", "idle_after_s": 300}),
    );
    stage
        .run(async |stage| {
            until("a session runs", async || {
                stage.status().await.state == StateWord::Tracking
            })
            .await;
            stage.desktop.add_keys(1);
            stage.seconds(10 * MINUTE).await;
            stage.desktop.add_keys(1);
            stage.seconds(2).await;
            assert_eq!(stage.status().await.idle_questions, []);
            assert_eq!(stage.desktop.questions(), []);
        })
        .await;
    let resumed = |event: &SessionEvent| event.event == SessionEventKind::Resumed;
    assert!(stage.events(ACME).await.iter().any(resumed));
}

#[tokio::test]
async fn a_call_is_no_idle_time() {
    let stage = at_a_worklog();
    stage
        .run(async |stage| {
            stage.ask(start(None)).await;
            stage.desktop.add_keys(1);
            stage.desktop.set_call(true);
            stage.seconds(40 * MINUTE).await;
            stage.desktop.set_call(false);
            stage.desktop.add_keys(1);
            stage.seconds(2).await;
            assert_eq!(minutes(&stage.status().await), 40);
        })
        .await;
    let idle = |event: &SessionEvent| event.event == SessionEventKind::Idle;
    assert!(!stage.events(ACME).await.iter().any(idle));
}

#[tokio::test]
async fn a_pause_captures_nothing_and_goes_on_with_its_project() {
    let stage = Stage::new();
    let profile = json!({"name": "P", "idle_after_s": 300, "activity": {"input_counts": true}});
    stage.load(ACME, "worklog", profile);
    stage
        .run(async |stage| {
            stage.refused(Request::Pause).await;
            stage.ask(start(None)).await;
            stage.until_capturing(ACME).await;
            work(stage, 2).await;
            let paused = stage.ask(Request::Pause).await;
            assert_eq!(paused.state, StateWord::OnPause);
            assert!(!paused.capturing);
            stage.seconds(10 * MINUTE).await;
            stage.desktop.add_keys(1);
            let back = stage.ask(Request::Resume).await;
            assert_eq!(back.state, StateWord::Tracking);
            stage.refused(Request::Resume).await;
            work(stage, 1).await;
            assert_eq!(minutes(&stage.status().await), 3);
            stage.ask(Request::Pause).await;
            assert_eq!(stage.ask(Request::Stop).await.state, StateWord::Stopped);
        })
        .await;
    let records = stage.records(ACME).await;
    let minutes = stage::of_kind(&records, Kind::Activity).len();
    assert!((3..=6).contains(&minutes), "{minutes}");
}

#[tokio::test]
async fn a_reminder_comes_once_a_day_where_working_hours_run_without_tracking() {
    let stage = Stage::new();
    let every_day = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    let schedule = json!({"time_zone": "UTC", "days": every_day, "from": "00:00", "to": "23:59"});
    stage.load(ACME, "worklog", json!({"name": "P", "schedule": schedule}));
    let said = |stage: &Stage| {
        let messages = stage.desktop.messages();
        let of_it = messages
            .iter()
            .filter(|m| m.body.contains("no time is tracked"));
        of_it.count()
    };
    stage
        .run(async |stage| {
            stage.seconds(12 * MINUTE).await;
            assert_eq!(said(stage), 0, "nobody is there");
            stage.desktop.add_keys(1);
            stage.seconds(MINUTE).await;
            until("it is said", async || said(stage) == 1).await;
            work(stage, 30).await;
            assert_eq!(said(stage), 1);
        })
        .await;
    // Where no hours are agreed there is nothing to be reminded of; nor while time is tracked.
    let stage = Stage::new();
    stage.load(ACME, "worklog", json!({"name": "P"}));
    stage
        .run(async |stage| {
            work(stage, 12).await;
            assert_eq!(said(stage), 0);
        })
        .await;
}
