//! Monitoring mode, as an administrator rolls it out: a license in the system's folder, no question
//! asked, and nobody who could stop it by hand.

use std::time::Duration;

use anyhow::Result;
use glasshour_protocol::Kind;
use glasshour_protocol::payload::{Cause, SessionEventKind};
use glasshour_tests::agent::exit;
use glasshour_tests::programs::os_user;
use glasshour_tests::story::SCREEN;
use glasshour_tests::{Seen, profiles, tell};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_license_that_the_administrator_put_in_place_starts_by_itself_and_cannot_be_stopped()
-> Result<()> {
    tell(|story| {
        let (employee, license) = story.hire("Kim Lee", "monitoring", &profiles::eager())?;
        let folder = story.agent.system_folder().join("license.d");
        std::fs::copy(&license, folder.join(format!("{}.license.gz", os_user()?)))?;
        story.agent.run()?;
        story.agent.wait_for_state("tracking", SOON)?;
        let keys = story.desktop.input().type_keys(60)?;
        let api = story.api();
        let enough = (SOON, "two screenshots at the server");
        Seen::when(&api, &employee, enough, |seen| Ok(seen.pictures() >= 2))?;

        let refused = story.agent.call(["stop"])?;
        assert_eq!(refused.code, exit::REFUSED, "{refused:?}");
        assert!(!refused.err.trim().is_empty(), "it says why");
        story.agent.wait_for_state("tracking", SOON)?;

        // Log-out: the session is closed, and what could not be sent any more comes later.
        story.agent.end()?;
        story.agent.run()?;
        story.agent.wait_for_state("tracking", SOON)?;
        let closed = (SOON, "the end of the first session at the server");
        let seen = Seen::when(&api, &employee, closed, |seen| {
            let events = seen.session_events()?;
            Ok(events
                .iter()
                .any(|event| event.event == SessionEventKind::Stopped))
        })?;
        let events = seen.session_events()?;
        assert_eq!(
            events.first().map(|event| (event.event, event.cause)),
            Some((SessionEventKind::Started, Cause::Login))
        );
        assert!(
            seen.count(Kind::Notice) >= 1,
            "the notice was shown: {:?}",
            seen.by_kind()
        );
        assert_eq!(seen.input()?.keys, keys);
        assert!(seen.check_pictures(SCREEN)? >= 2);
        story.agent.end()?;
        story.agent.run()?;
        story.agent.wait_for_empty_spool(SOON)?;
        story.agent.kill_hard()?;
        let balance = story.balance(&employee)?;
        assert!(
            balance.doubled.is_empty() && balance.unheard_of.is_empty(),
            "{balance:?}"
        );
        Ok(())
    })
}

#[test]
fn a_license_named_after_another_user_is_not_taken() -> Result<()> {
    tell(|story| {
        let (employee, license) = story.hire("Kim Lee", "monitoring", &profiles::eager())?;
        let folder = story.agent.system_folder().join("license.d");
        // A user that this machine has: `nobody` is one of every Debian.
        std::fs::copy(&license, folder.join("nobody.license.gz"))?;
        story.agent.run()?;
        story.agent.wait_for_state("no_license", SOON)?;
        let refused = story.agent.call(["start"])?;
        assert_eq!(refused.code, exit::NO_LICENSE, "{refused:?}");
        assert_eq!(Seen::now(&story.api(), &employee)?.records.len(), 0);
        story.agent.end()
    })
}
