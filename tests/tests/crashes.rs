//! Nothing is lost: the agent and the server are killed in the middle of their work, and in the end
//! the server has everything that was pushed, once.

use std::time::Duration;

use anyhow::Result;
use glasshour_protocol::payload::{Cause, SessionEventKind};
use glasshour_tests::chain::pushed;
use glasshour_tests::{Seen, profiles, tell, wait_until};

const SOON: Duration = Duration::from_secs(30);
const ROUNDS: usize = 2;

#[test]
fn an_agent_killed_in_mid_run_sends_everything_it_had_pushed_once() -> Result<()> {
    tell(|story| {
        let (employee, file) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&file)?;
        let api = story.api();
        for round in 1..=ROUNDS {
            story.agent.run()?;
            story.agent.call(["start"])?.ok()?;
            let before = Seen::now(&api, &employee)?.pictures();
            let enough = (SOON, "two more screenshots at the server");
            Seen::when(&api, &employee, enough, |seen| {
                Ok(seen.pictures() >= before + 2)
            })?;
            // With the server away, a backlog grows: that is what a crash must not lose.
            story.server.kill_hard()?;
            let had: u64 = pushed(story.agent.home())?.values().sum();
            wait_until(SOON, "a backlog of two records in the spool", || {
                let has: u64 = pushed(story.agent.home())?.values().sum();
                Ok((has >= had + 2).then_some(()))
            })?;
            story.agent.kill_hard()?;
            story.server.start_again()?;
            assert!(
                !story.balance(&employee)?.lost.is_empty(),
                "round {round}: no backlog"
            );
        }
        story.agent.run()?;
        story.agent.wait_for_state("stopped", SOON)?;
        story.agent.wait_for_empty_spool(SOON)?;

        let events = Seen::now(&api, &employee)?.session_events()?;
        let recovered = events
            .iter()
            .filter(|event| event.event == SessionEventKind::Stopped)
            .filter(|event| event.cause == Cause::CrashRecovered);
        assert_eq!(recovered.count(), ROUNDS, "{events:?}");
        let sessions = api.sessions(&employee)?;
        assert_eq!(sessions.len(), ROUNDS);
        assert!(
            sessions
                .iter()
                .all(|session| session["ended_at"].is_string()),
            "{sessions:?}"
        );
        story.balance(&employee)?.check()?;
        story.agent.end()
    })
}

#[test]
fn a_server_killed_under_upload_has_everything_it_acknowledged() -> Result<()> {
    tell(|story| {
        let (employee, file) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&file)?;
        story.agent.run()?;
        story.agent.call(["start"])?.ok()?;
        let api = story.api();
        let mut stored = 0;
        for _ in 0..3 {
            let enough = (Duration::from_secs(90), "more screenshots at the server");
            let seen = Seen::when(&api, &employee, enough, |seen| {
                Ok(seen.pictures() >= stored + 2)
            })?;
            stored = seen.pictures();
            story.server.kill_hard()?;
            story.server.start_again()?;
            let after = Seen::now(&api, &employee)?;
            assert!(after.pictures() >= stored, "what was acknowledged survives");
            after.check_pictures(story.desktop.size())?;
        }
        story.agent.call(["stop"])?.ok()?;
        story.agent.wait_for_state("stopped", SOON)?;
        story.agent.wait_for_empty_spool(Duration::from_secs(90))?;
        Seen::now(&api, &employee)?.check_pictures(story.desktop.size())?;
        story.balance(&employee)?.check()?;
        story.agent.end()
    })
}
