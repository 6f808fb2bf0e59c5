//! The Active box: taken away, capture stops within a minute and nothing captured before is lost;
//! given back, it goes on.

use std::time::Duration;

use anyhow::{Context as _, Result};
use glasshour_protocol::{Kind, code};
use glasshour_tests::chain::{pushed, waiting};
use glasshour_tests::device::Device;
use glasshour_tests::{Seen, profiles, tell};

const SOON: Duration = Duration::from_secs(30);
const A_MINUTE: Duration = Duration::from_mins(1);

#[test]
fn an_inactive_employee_is_not_captured_within_a_minute_and_nothing_is_lost() -> Result<()> {
    tell(|story| {
        let (employee, file) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&file)?;
        story.agent.run()?;
        story.agent.call(["start"])?.ok()?;
        let api = story.api();
        let enough = (SOON, "two screenshots at the server");
        Seen::when(&api, &employee, enough, |seen| Ok(seen.pictures() >= 2))?;

        api.set_active(&employee, false)?;
        let status = story.agent.wait_for_state("blocked", A_MINUTE)?;
        assert_eq!(
            status.blocked(),
            Some(code::EMPLOYEE_INACTIVE),
            "{}",
            status.0
        );
        let stored = Seen::now(&api, &employee)?.records.len();

        // The next upload is refused, by the server itself and not only by the agent's manners.
        let device = Device::of_agent(story.agent.home(), &story.server.init.company_id)?;
        let license = glasshour_license_format::read(&std::fs::read(&file)?)?
            .claims()
            .license_id;
        let put = device.sign(
            license,
            1_000_000,
            Kind::Health,
            ("application/json", b"{}"),
        );
        let (status, error) = api.put_record(&put)?;
        let error = error.context("a refusal says why")?;
        assert_eq!(
            (status, error.code.as_str()),
            (403, code::EMPLOYEE_INACTIVE)
        );

        // Work goes on unseen. Typing takes several times as long as the profile's interval.
        let captured = waiting(story.agent.home(), Kind::Screenshot)?;
        story.desktop.input().type_keys(400)?;
        assert_eq!(
            waiting(story.agent.home(), Kind::Screenshot)?,
            captured,
            "capture stopped"
        );
        assert_eq!(
            Seen::now(&api, &employee)?.records.len(),
            stored,
            "the server took nothing"
        );

        api.set_active(&employee, true)?;
        story.agent.wait_for_state("tracking", A_MINUTE)?;
        let resumed = (SOON, "new screenshots after the employee is active again");
        let before = Seen::now(&api, &employee)?.pictures();
        Seen::when(&api, &employee, resumed, |seen| {
            Ok(seen.pictures() > before + 1)
        })?;
        story.agent.call(["stop"])?.ok()?;
        story.agent.wait_for_state("stopped", SOON)?;
        let status = story.agent.wait_for_empty_spool(SOON)?;
        assert_eq!(status.quarantined(), 0, "{}", status.0);
        let seen = Seen::now(&api, &employee)?;
        assert_eq!(
            seen.input()?.keys,
            0,
            "what was typed while inactive was not counted"
        );
        assert!(!pushed(story.agent.home())?.is_empty());
        story.balance(&employee)?.check()
    })
}
