//! The fields of a profile that say when: `schedule`, `idle_after_s` and `review_hold_s`; and `camera`,
//! which says that none is looked through.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_protocol::Kind;
use glasshour_protocol::payload::{Cause, SessionEventKind};
use glasshour_tests::wait::{wait_until, wall_ms, when};
use glasshour_tests::{Seen, Worker, tell};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_mins(1);
/// Far from UTC and from each other: in one of them it is neither early nor late now.
const ZONES: [&str; 3] = ["Pacific/Kiritimati", "Asia/Kolkata", "America/Noronha"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Where it is between eight and sixteen o'clock now.
fn by_day() -> Result<(&'static str, Zoned)> {
    let now = Timestamp::from_millisecond(wall_ms())?;
    for zone in ZONES {
        let there = now.to_zoned(TimeZone::get(zone)?);
        if (8..17).contains(&there.hour()) {
            return Ok((zone, there));
        }
    }
    anyhow::bail!("the zones lie eight hours apart, or less")
}

fn captures(seen: &Seen) -> usize {
    seen.count(Kind::Screenshot) + seen.count(Kind::Activity)
}

#[test]
fn nothing_is_captured_outside_the_licensed_hours_of_the_licensed_zone() -> Result<()> {
    tell(|story| {
        let (zone, there) = by_day()?;
        let hour = |hours: i8| format!("{:02}:{:02}", there.hour() + hours, there.minute());
        let today = DAYS[usize::from(there.weekday().to_monday_zero_offset().unsigned_abs())];
        let other_days: Vec<_> = DAYS.into_iter().filter(|day| *day != today).collect();
        let settings = |days: &Value, from: &str, to: &str| {
            json!({
                "screenshots": {"per_hour": 3600},
                "activity": {"applications": true},
                "schedule": {"time_zone": zone, "days": days, "from": from, "to": to},
            })
        };
        let now = settings(&json!([today]), &hour(-1), &hour(1));
        let later = settings(&json!([today]), &hour(1), &hour(6));
        let earlier = settings(&json!([today]), "00:00", &hour(-1));
        let tomorrow = settings(&json!(other_days), "00:00", "24:00");

        let outside = [
            Worker::hire(story, "later", "monitoring", &later)?,
            Worker::hire(story, "earlier", "monitoring", &earlier)?,
            Worker::hire(story, "tomorrow", "monitoring", &tomorrow)?,
        ];
        for worker in &outside {
            worker.agent.wait_for_state("paused", SOON)?;
        }
        // By hand a worklog can run at any time; only that nothing is captured in it.
        let mut by_hand = Worker::hire(story, "by-hand", "worklog", &later)?;
        by_hand.agent.call(["start"])?.ok()?;
        let inside = Worker::hire(story, "inside", "monitoring", &now)?;
        inside.agent.wait_for_state("tracking", SOON)?;
        story.desktop.input().type_keys(60)?;
        inside.seen_when("four moments", |seen| Ok(seen.moments().len() >= 4))?;

        for worker in &outside {
            let status = worker.agent.wait_for_state("paused", SOON)?;
            assert!(!status.is_capturing(), "{}", status.0);
            let said = worker.agent.call(["status"])?.ok()?.text().to_lowercase();
            assert!(said.contains("outside the licensed hours"), "{said}");
            worker.agent.wait_for_empty_spool(SOON)?;
            let seen = worker.seen()?;
            assert_eq!(captures(&seen), 0, "{:?}", seen.by_kind());
            assert_eq!(seen.count(Kind::Session), 0, "no session began");
        }
        let status = by_hand.agent.status()?;
        assert_eq!((status.state(), status.is_capturing()), ("tracking", false));
        let seen = by_hand.finish()?;
        assert_eq!(captures(&seen), 0, "{:?}", seen.by_kind());
        assert_eq!(seen.count(Kind::Session), 2, "the session itself is told");
        Ok(())
    })
}

#[test]
fn idle_begins_where_input_stopped_and_is_not_tracked() -> Result<()> {
    tell(|story| {
        let settings = |idle_after_s: u32| json!({"activity": {"input_counts": true}, "idle_after_s": idle_after_s});
        let mut short = Worker::at_work(story, "short", &settings(10))?;
        let mut long = Worker::at_work(story, "long", &settings(300))?;
        let input = story.desktop.input();
        input.type_keys(40)?;
        let stopped_ms = wall_ms();
        let is = |kind: SessionEventKind| {
            move |seen: &Seen| -> Result<bool> {
                Ok(seen
                    .session_events()?
                    .iter()
                    .any(|event| event.event == kind))
            }
        };
        short.seen_when("the idle event", is(SessionEventKind::Idle))?;
        let told_ms = wall_ms();
        ensure!(
            told_ms - stopped_ms >= 10_000,
            "told before ten seconds were over"
        );
        input.type_keys(20)?;
        short.seen_when("the end of idleness", is(SessionEventKind::Resumed))?;

        let seen = short.finish()?;
        let events = seen.session_events()?;
        let told: Vec<_> = events
            .iter()
            .map(|event| (event.event, event.cause))
            .collect();
        let wanted = [
            (SessionEventKind::Started, Cause::User),
            (SessionEventKind::Idle, Cause::Input),
            (SessionEventKind::Resumed, Cause::Input),
            (SessionEventKind::Stopped, Cause::User),
        ];
        assert_eq!(told, wanted);
        let [started, idle, resumed, stopped] = [0, 1, 2, 3].map(|n| events[n].at_ms);
        assert!((idle - stopped_ms).abs() < 2_000, "{idle} {stopped_ms}");
        assert!(resumed >= told_ms && stopped >= resumed, "{events:?}");

        let sessions = story.api().sessions(&short.employee)?;
        let session = sessions.first().context("the session is there")?;
        let idle_ms = resumed - idle;
        assert!(idle_ms >= 10_000, "{events:?}");
        assert_eq!(session["idle_ms"], json!(idle_ms));
        assert_eq!(session["tracked_ms"], json!(stopped - started - idle_ms));

        // The same still hands, under a license that waits longer.
        let events = long.finish()?.session_events()?;
        assert_eq!(events.len(), 2, "started and stopped: {events:?}");
        Ok(())
    })
}

#[test]
fn what_is_captured_waits_as_long_as_licensed_and_then_all_of_it_arrives() -> Result<()> {
    const HOLD_S: i64 = 8;
    tell(|story| {
        let settings = |hold_s: i64| {
            json!({
                "screenshots": {"per_hour": 3600, "max_width_px": 320},
                "activity": {"input_counts": true},
                "review_hold_s": hold_s,
            })
        };
        let held = Worker::at_work(story, "held", &settings(HOLD_S))?;
        let mut free = Worker::at_work(story, "free", &settings(0))?;
        let begun = held.seen_when("the start of the session", |seen| {
            Ok(seen.count(Kind::Session) >= 1)
        })?;
        assert_eq!(captures(&begun), 0, "{:?}", begun.by_kind());
        story.desktop.input().type_keys(30)?;
        free.seen_when("two moments without a hold", |seen| {
            Ok(seen.moments().len() >= 2)
        })?;
        held.seen_when("a moment after its hold", |seen| {
            Ok(!seen.moments().is_empty())
        })?;

        held.agent.call(["stop"])?.ok()?;
        let stop = held.seen_when("the stop", |seen| Ok(seen.count(Kind::Session) >= 2))?;
        let waiting = held.agent.status()?.waiting();
        assert!(waiting > 0, "the last minute at least is not over its hold");
        assert_eq!(stop.count(Kind::Activity), 0);

        wait_until(SOON, "all that was held to be sent", || {
            Ok(when(held.agent.status()?.waiting() == 0))
        })?;
        let seen = held.seen()?;
        assert!(seen.count(Kind::Activity) >= 1 && seen.moments().len() >= 2);
        assert_eq!(seen.input()?.keys, 30, "nothing was lost");
        for record in &seen.records {
            let waited = record
                .received_at
                .duration_since(record.captured_at)
                .as_millis();
            let is_capture = matches!(record.kind, Kind::Screenshot | Kind::Activity);
            if is_capture {
                assert!(
                    waited >= i128::from(HOLD_S) * 1_000,
                    "{record:?}: {waited} ms"
                );
            }
        }
        // Without a hold the first ones were there before any held one could be.
        let at_once = free.finish()?;
        let quickest = at_once.of(Kind::Screenshot).map(|record| {
            record
                .received_at
                .duration_since(record.captured_at)
                .as_millis()
        });
        let quickest = quickest.min().context("pictures came")?;
        assert!(quickest < i128::from(HOLD_S) * 1_000, "{quickest} ms");
        Ok(())
    })
}

#[test]
fn no_camera_record_is_made_and_a_licensed_camera_that_does_not_work_says_why() -> Result<()> {
    tell(|story| {
        let mut without = Worker::at_work(
            story,
            "without",
            &json!({"screenshots": {"per_hour": 3600}}),
        )?;
        let with = json!({"screenshots": {"per_hour": 3600}, "camera": {"per_hour": 3600}});
        let mut with = Worker::at_work(story, "with", &with)?;
        for worker in [&with, &without] {
            worker.seen_when("two pictures", |seen| Ok(seen.pictures() >= 2))?;
        }
        let camera = |worker: &Worker| -> Result<Value> {
            let status = worker.agent.status()?;
            Ok(status.channel("camera").cloned().unwrap_or_default())
        };
        assert_eq!(camera(&without)?["permitted"], json!(false));
        with.seen_when("the camera was looked for", |_| {
            Ok(camera(&with)?["granted"] == json!(false))
        })?;
        let said = camera(&with)?;
        assert_eq!(said["permitted"], json!(true), "{said}");
        // The stage has no camera.
        assert_eq!(said["granted"], json!(false), "{said}");
        assert!(
            said["reason"].as_str().is_some_and(|why| why.len() > 10),
            "{said}"
        );
        for worker in [&mut with, &mut without] {
            assert_eq!(worker.finish()?.count(Kind::Camera), 0);
        }
        Ok(())
    })
}
