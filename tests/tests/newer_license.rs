//! The employer changes what is captured while a worklog runs: the agent follows by itself, as far as
//! that needs nobody's consent.

use std::time::Duration;

use anyhow::Result;
use glasshour_tests::wait::{wait_until, when};
use glasshour_tests::{Seen, profiles, tell};

const SOON: Duration = Duration::from_secs(30);
/// The server is asked for news every half minute.
const NEWS: Duration = Duration::from_mins(1);

#[test]
fn p17_what_a_newer_license_narrows_holds_at_once_and_what_it_widens_waits() -> Result<()> {
    tell(|story| {
        let api = story.api();
        let narrow = api.create_profile("Narrow", &profiles::activity_only())?;
        let wide = api.create_profile("Wide", &profiles::eager())?;
        let (employee, license) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&license)?.ok()?;
        story.agent.run()?;
        story.agent.call(["start"])?.ok()?;
        let enough = (SOON, "two screenshots at the server");
        Seen::when(&api, &employee, enough, |seen| Ok(seen.pictures() >= 2))?;

        // Narrower: obeyed without a hand, and the worklog goes on.
        api.set_profile(&employee, &narrow)?;
        let permitted = |agent: &glasshour_tests::Agent| -> Result<(u64, bool)> {
            let status = agent.wait_for_state("tracking", SOON)?;
            let serial = status.0["license"]["serial"].as_u64().unwrap_or(0);
            let shots = status.channel("screenshots").cloned().unwrap_or_default();
            Ok((serial, shots["permitted"] == true))
        };
        wait_until(NEWS, "the narrower license to be in force", || {
            Ok(when(permitted(&story.agent)? == (2, false)))
        })?;
        story.agent.wait_for_empty_spool(SOON)?;
        let before = Seen::now(&api, &employee)?.pictures();

        // Wider: fetched, and not in force before the employee agrees.
        api.set_profile(&employee, &wide)?;
        wait_until(NEWS, "the wider license to wait for the employee", || {
            let problems = story.agent.status()?.0["problems"].to_string();
            Ok(when(problems.contains("license agree")))
        })?;
        assert_eq!(permitted(&story.agent)?, (2, false));
        let seen = Seen::now(&api, &employee)?;
        assert_eq!(seen.pictures(), before, "not one picture more");

        story.agent.call(["license", "agree", "--yes"])?.ok()?;
        assert_eq!(permitted(&story.agent)?, (3, true));
        let more = (SOON, "pictures under the license that was agreed to");
        Seen::when(&api, &employee, more, |seen| Ok(seen.pictures() > before))?;
        story.agent.call(["stop"])?.ok()?;
        story.agent.wait_for_empty_spool(SOON)?;
        // What was captured before the agent had heard of the narrower license was refused; it has kept
        // its place without its picture, and so every chain is whole.
        story.balance(&employee)?.check()?;
        assert_eq!(story.agent.status()?.quarantined(), 0);
        let records = api.records(&employee)?;
        let bare = records.iter().filter(|record| record.withdrawn.is_some());
        let bare = bare
            .inspect(|record| assert_eq!(record.withdrawn.as_deref(), Some("superseded")))
            .count();
        assert!(
            bare <= 12,
            "it fetches the license at the first refusal: {bare}"
        );
        assert!(records.iter().all(|record| record.grade == "verified"));
        Ok(())
    })
}
