//! The real agent where the display itself changes: two monitors, and an X server that dies and comes back.

use std::time::Duration;

use anyhow::Result;
use glasshour_protocol::payload::{HealthReport, SessionEventKind};
use glasshour_protocol::{Kind, payload::ChannelHealth};
use glasshour_tests::desktop::{LEFT, RIGHT};
use glasshour_tests::story::SCREEN;
use glasshour_tests::wait::{wait_until, when};
use glasshour_tests::{Seen, Worker, profiles, tell};
use serde_json::Value;

const SOON: Duration = Duration::from_mins(1);

/// What the agent says of its screenshots, where they do not work.
fn reason(worker: &Worker) -> Result<Option<String>> {
    let status = worker.agent.status()?;
    let channels = status.0.get("channels").and_then(Value::as_array).cloned();
    let screenshots = channels.into_iter().flatten().find_map(|channel| {
        let channel: ChannelHealth = serde_json::from_value(channel).ok()?;
        (channel.channel == "screenshots").then_some(channel)
    });
    Ok(screenshots.and_then(|channel| channel.reason))
}

/// What the server was told of them, in order.
fn told(seen: &Seen) -> Result<Vec<Option<String>>> {
    let mut told = Vec::new();
    for text in seen.texts(Kind::Health)? {
        let report: HealthReport = serde_json::from_str(&text)?;
        let of = |channel: &ChannelHealth| channel.channel == "screenshots";
        told.extend(report.channels.into_iter().find(of).map(|c| c.reason));
    }
    Ok(told)
}

#[test]
fn two_monitors_give_two_pictures_each_of_its_own_place_and_size() -> Result<()> {
    tell(|story| {
        story.desktop.split_in_two()?;
        let mut worker = Worker::at_work(story, "Jo Doe", &profiles::eager())?;
        worker.seen_when("pictures of both", |seen| Ok(seen.pictures() >= 2))?;
        let seen = worker.finish()?;
        seen.check_pictures_against_their_frames()?;
        let (width, height) = (SCREEN.0 / 2, SCREEN.1);
        for shot in seen.shots()? {
            let frame = &shot.frame;
            let size = (frame.screen_width, frame.screen_height);
            assert_eq!(size, (width, height), "{frame:?}");
            let left = match frame.monitor.as_str() {
                LEFT => 0,
                RIGHT => i32::try_from(width)?,
                other => anyhow::bail!("there is no monitor {other}"),
            };
            assert_eq!((frame.x, frame.y), (left, 0), "{frame:?}");
        }
        Ok(())
    })
}

#[test]
fn a_display_that_dies_is_a_gap_with_a_reason_and_pictures_go_on_when_it_is_back() -> Result<()> {
    tell(|story| {
        let mut worker = Worker::at_work(story, "Jo Doe", &profiles::eager())?;
        worker.seen_when("a first picture", |seen| Ok(seen.pictures() >= 1))?;

        story.desktop.lose_display()?;
        let lost = wait_until(SOON, "the reason in status", || reason(&worker))?;
        assert!(lost.contains("display") || lost.contains('X'), "{lost}");
        let before = worker.seen()?.moments();
        story.desktop.regain_display()?;
        wait_until(SOON, "the reason to go", || {
            Ok(when(reason(&worker)?.is_none()))
        })?;
        let more = |seen: &Seen| Ok(seen.moments().len() > before.len());
        worker.seen_when("pictures of the new display", more)?;

        let seen = worker.finish()?;
        let told = told(&seen)?;
        let gap = told.iter().position(Option::is_some);
        let mended = told.iter().rposition(Option::is_none);
        assert!(
            gap.is_some() && mended > gap,
            "the employer is told: {told:?}"
        );
        let events = seen.session_events()?;
        let kinds: Vec<_> = events.iter().map(|event| event.event).collect();
        let whole = [SessionEventKind::Started, SessionEventKind::Stopped];
        assert_eq!(kinds, whole, "one session, in which pictures are missing");
        Ok(())
    })
}
