//! The main job, end to end: an employee starts a worklog, works, stops; the employer sees it.

use std::time::Duration;

use anyhow::Result;
use glasshour_protocol::Kind;
use glasshour_protocol::payload::{Cause, SessionEventKind};
use glasshour_tests::story::SCREEN;
use glasshour_tests::{Seen, profiles, tell};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_worklog_is_recorded_for_real_and_the_employer_sees_exactly_what_happened() -> Result<()> {
    tell(|story| {
        let (employee, license) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&license)?;
        story.agent.run()?;
        story.agent.wait_for_state("stopped", SOON)?;

        story
            .agent
            .call(["start", "--note", "the first worklog"])?
            .ok()?;
        story.agent.wait_for_state("tracking", SOON)?;
        let input = story.desktop.input();
        let mut keys = input.type_keys(150)?;
        let clicks = input.click(7)?;
        let scrolls = input.scroll(9)?;
        input.wander()?;
        let api = story.api();
        let enough = (SOON, "three screenshots at the server");
        Seen::when(&api, &employee, enough, |seen| Ok(seen.pictures() >= 3))?;
        keys += input.type_keys(75)?;

        story.agent.call(["stop"])?.ok()?;
        story.agent.wait_for_state("stopped", SOON)?;
        story.agent.wait_for_empty_spool(SOON)?;
        let all = (SOON, "the stop and the last activity at the server");
        let seen = Seen::when(&api, &employee, all, |seen| {
            Ok(seen.count(Kind::Session) >= 2 && seen.count(Kind::Activity) >= 1)
        })?;

        assert!(seen.check_pictures(SCREEN)? >= 3);
        let counted = seen.input()?;
        assert_eq!(
            (counted.keys, counted.clicks, counted.scrolls),
            (keys, clicks, scrolls)
        );
        assert!(counted.exact && counted.motions > 0, "{counted:?}");
        let activity = seen.activity()?;
        let named = |name: &str| {
            activity
                .iter()
                .flat_map(|minute| &minute.applications)
                .any(|application| {
                    application.name.eq_ignore_ascii_case(name)
                        && application.title.as_deref() == Some("Draft")
                })
        };
        assert!(named("xterm"), "the window in front is named: {activity:?}");

        let events = seen.session_events()?;
        let told: Vec<_> = events
            .iter()
            .map(|event| (event.event, event.cause))
            .collect();
        assert_eq!(
            told.first(),
            Some(&(SessionEventKind::Started, Cause::User))
        );
        assert_eq!(told.last(), Some(&(SessionEventKind::Stopped, Cause::User)));
        assert_eq!(
            events.first().map(|e| e.note.as_deref()),
            Some(Some("the first worklog"))
        );

        let sessions = api.sessions(&employee)?;
        assert_eq!(sessions.len(), 1, "{sessions:?}");
        assert!(
            sessions
                .iter()
                .all(|session| session["ended_at"].is_string()),
            "{sessions:?}"
        );
        assert!(
            sessions
                .iter()
                .all(|session| session["tracked_ms"].as_i64() > Some(2000))
        );
        assert!(seen.records.iter().all(|record| record.grade == "verified"));
        story.balance(&employee)?.check()?;
        story.agent.end()
    })
}

#[test]
fn before_the_start_and_after_the_stop_nothing_is_captured() -> Result<()> {
    tell(|story| {
        let (employee, license) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&license)?;
        story.agent.run()?;
        let api = story.api();
        let captures = |seen: &Seen| seen.count(Kind::Screenshot) + seen.count(Kind::Activity);
        // Long enough for several pictures, had any been permitted to be taken.
        story.desktop.input().type_keys(200)?;
        assert_eq!(captures(&Seen::now(&api, &employee)?), 0);

        story.agent.call(["start"])?.ok()?;
        let one = (SOON, "a screenshot at the server");
        Seen::when(&api, &employee, one, |seen| Ok(seen.pictures() >= 1))?;
        story.agent.call(["stop"])?.ok()?;
        story.agent.wait_for_state("stopped", SOON)?;
        story.agent.wait_for_empty_spool(SOON)?;
        let at_stop = captures(&Seen::now(&api, &employee)?);
        story.desktop.input().type_keys(200)?;
        story.agent.wait_for_empty_spool(SOON)?;
        let seen = Seen::now(&api, &employee)?;
        assert!(
            captures(&seen) <= at_stop + 1,
            "at most what was under way: {:?}",
            seen.by_kind()
        );
        assert_eq!(seen.input()?.keys, 0, "no key was typed while tracking");
        story.balance(&employee)?.check()
    })
}
