//! Licenses of several employers on one desktop in memory: whom a worklog is for, what each of them gets,
//! and that what is wrong with one leaves the other working.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod stage;

use std::time::Duration;

use glasshour_agent::engine::plain_status;
use glasshour_agent::ipc::{RefusedBy, Request};
use glasshour_agent::license::LicenseStore;
use glasshour_agent::status::StateWord;
use glasshour_agent::tray::Action;
use glasshour_protocol::Kind;
use glasshour_protocol::payload::{Cause, SessionEventKind};
use glasshour_words::Words;
use serde_json::{Value, json};
use stage::{ACME, BETA, Record, Stage, in_short, of, of_kind, start, switch, until};

const STARTED: (SessionEventKind, Cause) = (SessionEventKind::Started, Cause::User);
const STOPPED: (SessionEventKind, Cause) = (SessionEventKind::Stopped, Cause::User);

fn all() -> Value {
    json!({
        "name": "All",
        "screenshots": {"per_hour": 3600},
        "activity": {"input_counts": true, "applications": true},
    })
}

fn two_worklogs() -> Stage {
    let stage = Stage::new();
    stage.load(ACME, "worklog", all());
    stage.load(BETA, "worklog", all());
    stage
}

fn keys(records: &[Record]) -> u64 {
    of_kind(records, Kind::Activity)
        .iter()
        .map(|r| serde_json::from_slice::<Value>(&r.payload).unwrap()["input"]["keys"].as_u64())
        .map(Option::unwrap_or_default)
        .sum()
}

#[tokio::test]
async fn p18_the_employee_picks_whom_a_worklog_is_for_and_the_last_one_is_remembered() {
    let stage = two_worklogs();
    stage
        .run(async |stage| {
            let (reason, message) = stage.refused(start(None)).await;
            assert_eq!(reason, RefusedBy::State);
            assert!(message.contains("There are: Acme, Beta."), "{message}");
            let status = stage.ask(start(Some(BETA))).await;
            assert_eq!(status.company.as_deref(), Some("Beta"));
            stage.until_grabs(2).await;
            stage.ask(Request::Stop).await;
        })
        .await;
    assert_eq!(in_short(&stage.events(BETA).await), [STARTED, STOPPED]);
    let for_acme = stage.records(ACME).await;
    let kinds: Vec<_> = for_acme.iter().map(|record| record.header.kind).collect();
    let of_none = |kind: &Kind| matches!(kind, Kind::Health | Kind::Notice);
    assert!(kinds.iter().all(of_none), "{kinds:?}");
    let for_beta = stage.records(BETA).await;
    assert!(!of_kind(&for_beta, Kind::Screenshot).is_empty());
    assert_ne!(for_acme[0].header.device_id, for_beta[0].header.device_id);

    stage
        .run(async |stage| {
            let status = stage.ask(start(None)).await;
            assert_eq!(
                status.company.as_deref(),
                Some("Beta"),
                "also after a restart"
            );
        })
        .await;
}

#[tokio::test]
async fn p18_going_on_for_another_employer_ends_one_session_and_begins_another() {
    let stage = two_worklogs();
    stage
        .run(async |stage| {
            stage.ask(start(Some(ACME))).await;
            stage.until_capturing(ACME).await;
            stage.desktop.add_keys(3);
            stage.until_grabs(2).await;
            let (_, message) = stage.refused(start(Some(BETA))).await;
            assert!(message.contains("already running for Acme"), "{message}");
            let (_, message) = stage.refused(switch(ACME)).await;
            assert!(message.contains("name the project"), "{message}");

            let status = stage.ask(switch(BETA)).await;
            assert_eq!(of(&status, ACME).state, StateWord::Stopped);
            assert_eq!(of(&status, BETA).state, StateWord::Tracking);
            stage.until_capturing(BETA).await;
            stage.desktop.add_keys(5);
            stage.until_grabs(2).await;
            stage.ask(Request::Stop).await;
        })
        .await;
    let both = [stage.records(ACME).await, stage.records(BETA).await];
    assert_eq!(both.each_ref().map(|records| keys(records)), [3, 5]);
    let events = [stage.events(ACME).await, stage.events(BETA).await];
    for events in &events {
        assert_eq!(in_short(events), [STARTED, STOPPED]);
    }
    let end = events[0].last().unwrap().at_ms;
    assert_eq!(
        end, events[1][0].at_ms,
        "no moment in between, and none twice"
    );
    for (records, events) in both.iter().zip(&events) {
        assert!(!of_kind(records, Kind::Screenshot).is_empty());
        let sessions = records.iter().filter_map(|r| r.header.meta.session_id);
        for session in sessions {
            assert_eq!(
                session, events[0].session_id,
                "no session is of two employers"
            );
        }
    }
}

#[tokio::test]
async fn p04_a_worklog_for_one_runs_beside_the_monitoring_of_another_and_the_person_is_told() {
    let stage = Stage::new();
    stage.load(ACME, "monitoring", all());
    stage.load(BETA, "worklog", all());
    stage
        .run(async |stage| {
            assert_eq!(stage.status().await.company.as_deref(), Some("Acme"));
            let status = stage.ask(start(None)).await;
            assert_eq!(
                status.company.as_deref(),
                Some("Beta"),
                "what the person chose"
            );
            let told = status.monitored_beside(Words::ENGLISH).unwrap();
            assert!(told.contains("Acme monitors this computer"), "{told}");
            until("a message says so", async || {
                let messages = stage.desktop.messages();
                messages.iter().any(|message| message.body == told)
            })
            .await;
            for employer in [ACME, BETA] {
                stage.until_capturing(employer).await;
            }
            stage.desktop.add_keys(4);
            until("a picture is taken for each", async || {
                stage.seconds(1).await;
                let status = stage.status().await;
                [ACME, BETA].iter().all(|employer| {
                    let channels = of(&status, *employer).channels;
                    channels
                        .iter()
                        .any(|c| c.channel == "screenshots" && c.last_capture_ms.is_some())
                })
            })
            .await;
            let text = "for Beta alone".to_owned();
            stage
                .ask(Request::Note {
                    text,
                    employer: None,
                })
                .await;
            stage.desktop.pick(Action::Quit);
            let status = stage.ask(Request::Stop).await;
            assert_eq!(of(&status, ACME).state, StateWord::Tracking);
            assert_eq!(of(&status, BETA).state, StateWord::Stopped);
            let (reason, _) = stage.refused(start(Some(ACME))).await;
            assert_eq!(reason, RefusedBy::License);
            stage.seconds(60).await;
            let status = stage.status().await;
            let on_worklogs = status.worklogs_today_ms();
            assert_eq!(on_worklogs, of(&status, BETA).today_ms);
            assert!(
                status.today_ms > on_worklogs,
                "what is monitored is told apart"
            );
        })
        .await;
    let login = (SessionEventKind::Started, Cause::Login);
    let noted = (SessionEventKind::Noted, Cause::User);
    assert_eq!(in_short(&stage.events(ACME).await), [login]);
    assert_eq!(
        in_short(&stage.events(BETA).await),
        [STARTED, noted, STOPPED]
    );
    for employer in [ACME, BETA] {
        let records = stage.records(employer).await;
        assert_eq!(keys(&records), 4, "each counts for itself: {employer:?}");
        assert!(!of_kind(&records, Kind::Screenshot).is_empty());
    }
}

#[tokio::test]
async fn what_is_wrong_with_one_employers_spool_leaves_the_other_working() {
    let stage = two_worklogs();
    // A damaged file would be mended; a folder in its place is nobody's spool.
    std::fs::create_dir(stage.home().spool(BETA.id())).unwrap();
    stage
        .run(async |stage| {
            let status = stage.status().await;
            assert_eq!(of(&status, BETA).state, StateWord::Blocked);
            let (reason, message) = stage.refused(start(Some(BETA))).await;
            assert_eq!(reason, RefusedBy::License);
            assert!(message.contains("could not be kept"), "{message}");
            stage.ask(start(Some(ACME))).await;
            stage.until_grabs(2).await;
            // What cannot begin ends nothing.
            stage.refused(switch(BETA)).await;
            let status = stage.status().await;
            assert_eq!(of(&status, ACME).state, StateWord::Tracking);
            let problems = status.problems.join(" ");
            assert!(
                problems.contains("Beta: What you do could not be kept"),
                "{problems}"
            );
        })
        .await;
    let records = stage.records(ACME).await;
    assert!(!of_kind(&records, Kind::Screenshot).is_empty());
}

#[tokio::test]
async fn p18_a_license_that_runs_out_or_is_removed_ends_nothing_of_another_employer() {
    let stage = Stage::new();
    stage.load(ACME, "worklog", all());
    // The fake clock begins at nine.
    let soon = |claims: &mut Value| claims["expires_at"] = json!("2026-11-23T09:01:00Z");
    stage.load_changed(BETA, ("worklog", all()), 1, soon);
    stage
        .run(async |stage| {
            stage.ask(start(Some(ACME))).await;
            let session = stage.status().await.session_id;
            stage.seconds(65).await;
            let status = stage.status().await;
            let beta = of(&status, BETA);
            assert_eq!(beta.blocked.unwrap().code, "license_expired");
            assert_eq!(
                (status.state, status.session_id),
                (StateWord::Tracking, session)
            );

            let store = LicenseStore::new(stage.home());
            assert_eq!(store.remove(BETA.id()).unwrap(), 1);
            let status = stage.ask(Request::Reload).await;
            assert_eq!(
                (status.state, status.session_id),
                (StateWord::Tracking, session)
            );
            // Its health record still waits for its server.
            assert_eq!(of(&status, BETA).state, StateWord::NoLicense);
            assert!(of(&status, BETA).spool.waiting >= 1);
        })
        .await;
    assert_eq!(in_short(&stage.events(ACME).await), [STARTED]);
}

#[tokio::test]
async fn a_worklog_that_was_cut_off_does_not_go_on_once_the_person_works_for_another() {
    let stage = Stage::new();
    let soon = |claims: &mut Value| claims["expires_at"] = json!("2026-11-23T09:01:00Z");
    stage.load_changed(ACME, ("worklog", all()), 1, soon);
    stage.load(BETA, "worklog", all());
    stage
        .run(async |stage| {
            stage.ask(start(Some(ACME))).await;
            stage.seconds(65).await;
            assert_eq!(stage.status().await.state, StateWord::Blocked);
            stage.ask(start(Some(BETA))).await;
            stage.load_changed(ACME, ("worklog", all()), 2, |_| {});
            glasshour_agent::license::Notices::open(stage.home())
                .set(
                    ACME.license(2),
                    glasshour_protocol::payload::NoticeKind::Acknowledged,
                    glasshour_agent::license::Showing {
                        by: "--yes",
                        language: glasshour_words::Language::English,
                    },
                )
                .unwrap();
            let status = stage.ask(Request::Reload).await;
            assert_eq!(of(&status, ACME).state, StateWord::Stopped);
            assert_eq!(of(&status, BETA).state, StateWord::Tracking);
        })
        .await;
    let blocked = (SessionEventKind::Stopped, Cause::License);
    assert_eq!(in_short(&stage.events(ACME).await), [STARTED, blocked]);
}

#[tokio::test]
async fn p03_a_worklog_license_after_a_monitoring_one_starts_nothing_that_nobody_started() {
    let stage = Stage::new();
    stage.load(ACME, "monitoring", all());
    stage
        .run(async |stage| {
            stage.until_capturing(ACME).await;
            stage.load_changed(ACME, ("worklog", all()), 2, |_| {});
            let status = stage.ask(Request::Reload).await;
            assert_eq!(of(&status, ACME).state, StateWord::Stopped);
            assert_eq!(status.session_id, None);
            stage.seconds(30).await;
            assert!(!stage.status().await.capturing);

            // What the person starts then is theirs.
            stage.ask(start(None)).await;
            stage.until_capturing(ACME).await;
        })
        .await;
    let login = (SessionEventKind::Started, Cause::Login);
    let ended = (SessionEventKind::Stopped, Cause::License);
    assert_eq!(in_short(&stage.events(ACME).await), [login, ended, STARTED]);
}

#[tokio::test]
async fn a_worklog_does_not_go_on_under_a_license_for_somebody_else() {
    let stage = Stage::new();
    stage.load(ACME, "worklog", all());
    stage
        .run(async |stage| {
            stage.ask(start(None)).await;
            stage.until_capturing(ACME).await;
            stage.load_by_hand(ACME, ("worklog", all()), 2, |claims| {
                claims["employee"]["employee_id"] = json!(uuid::Uuid::from_u128(99));
            });
            let status = stage.ask(Request::Reload).await;
            assert!(!status.capturing, "{status:?}");
            assert_eq!(status.session_id, None);
        })
        .await;
    let ended = (SessionEventKind::Stopped, Cause::License);
    assert_eq!(in_short(&stage.events(ACME).await), [STARTED, ended]);
}

#[tokio::test]
async fn p17_a_newer_license_of_the_same_extent_cuts_no_session() {
    let stage = two_worklogs();
    stage
        .run(async |stage| {
            stage.ask(start(Some(ACME))).await;
            let session = stage.status().await.session_id;
            // One more than what is under way when something changes.
            stage.until_grabs(4).await;
            let mut renamed = all();
            renamed["name"] = json!("Another name for the same");
            stage.load_changed(ACME, ("worklog", renamed), 2, |claims| {
                claims["notice"] = json!("In other words.");
                claims["employee"]["name"] = json!("Jo Roe");
            });
            let status = stage.ask(Request::Reload).await;
            assert_eq!(status.session_id, session);
            assert_eq!(status.license.unwrap().serial, 2);
            stage.until_grabs(4).await;
            stage.ask(Request::Stop).await;
        })
        .await;
    assert_eq!(in_short(&stage.events(ACME).await), [STARTED, STOPPED]);
    let records = stage.records(ACME).await;
    let shots = of_kind(&records, Kind::Screenshot);
    let under = |serial| {
        let license = ACME.license(serial);
        shots.iter().any(|shot| shot.header.license_id == license)
    };
    assert!(
        under(1) && under(2),
        "each is recorded under the license of its time"
    );
}

#[tokio::test]
async fn p19_a_crash_ends_the_sessions_of_both_employers_at_their_last_sign_of_life() {
    let stage = Stage::new();
    stage.load(ACME, "monitoring", json!({"name": "Time only"}));
    stage.load(BETA, "worklog", json!({"name": "Time only"}));
    stage
        .run(async |stage| {
            stage.ask(start(None)).await;
            stage.seconds(100).await;
        })
        .await;
    stage.desktop.time().advance(Duration::from_hours(1));
    for employer in [ACME, BETA] {
        stage.records(employer).await;
    }
    stage.run(async |stage| stage.seconds(1).await).await;
    for employer in [ACME, BETA] {
        let events = stage.events(employer).await;
        let (begin, end) = (&events[0], &events[1]);
        assert_eq!(end.cause, Cause::CrashRecovered);
        let length = end.at_ms - begin.at_ms;
        assert!(
            (65_000..=101_000).contains(&length),
            "{employer:?}: {length} ms"
        );
    }
}

#[tokio::test]
async fn p19_a_session_that_a_crash_cut_at_once_ends_no_earlier_than_its_last_picture() {
    let stage = Stage::new();
    stage.load(ACME, "worklog", all());
    stage
        .run(async |stage| {
            stage.ask(start(None)).await;
            stage.until_grabs(3).await;
        })
        .await;
    stage.desktop.time().advance(Duration::from_hours(1));
    stage.records(ACME).await;
    stage.run(async |stage| stage.seconds(1).await).await;
    let records = stage.records(ACME).await;
    let pictures = of_kind(&records, Kind::Screenshot).into_iter();
    let last = pictures.map(|picture| picture.header.captured_at_ms).max();
    let end = &stage.events(ACME).await[1];
    assert_eq!(end.cause, Cause::CrashRecovered);
    assert!(
        last.is_some_and(|last| end.at_ms >= last),
        "{end:?}, {last:?}"
    );
}

#[tokio::test]
async fn outside_the_licensed_hours_a_worklog_is_told_that_its_time_alone_is_tracked() {
    // The test's clock begins on a Monday at nine.
    let schedule = json!({
        "time_zone": "UTC", "days": ["wed"], "from": "08:00", "to": "09:00",
    });
    let profile = json!({
        "name": "Wednesday", "screenshots": {"per_hour": 3600}, "schedule": schedule,
    });
    let stage = Stage::new();
    stage.load(ACME, "worklog", profile);
    stage
        .run(async |stage| {
            stage.ask(start(None)).await;
            stage.seconds(5).await;
            let status = stage.status().await;
            assert_eq!(
                (status.state, status.capturing),
                (StateWord::Tracking, false)
            );
            let begin: jiff::Timestamp = "2026-11-25T08:00:00Z".parse().unwrap();
            let until = status.outside_hours.unwrap().until_ms;
            assert_eq!(until, Some(begin.as_millisecond()));
            let lines = plain_status(&status, Words::ENGLISH);
            let said = lines.join("\n");
            assert!(
                said.contains("your time is tracked, and nothing is captured until"),
                "{said}"
            );
            assert!(
                said.contains("screenshots: permitted, but not now: it is outside"),
                "{said}"
            );
        })
        .await;
    assert_eq!(stage.desktop.grabs(), 0);
}
