//! The license is a contract: what it lacks is not captured, and would not be stored if it were.

use std::time::Duration;

use anyhow::{Context as _, Result};
use glasshour_protocol::{Kind, code};
use glasshour_tests::chain::pushed;
use glasshour_tests::device::Device;
use glasshour_tests::{Seen, profiles, tell};
use serde_json::json;

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_license_with_only_activity_yields_no_screenshot_and_the_server_takes_none() -> Result<()> {
    tell(|story| {
        let (employee, file) = story.hire("Sam Roe", "worklog", &profiles::activity_only())?;
        story.agent.load(&file)?;
        story.agent.run()?;
        story.agent.call(["start"])?.ok()?;
        let status = story.agent.wait_for_state("tracking", SOON)?;
        let screenshots = status.channel("screenshots").cloned().unwrap_or_default();
        assert_ne!(screenshots["permitted"], json!(true), "{}", status.0);

        let keys = story.desktop.input().type_keys(300)?;
        story.agent.call(["stop"])?.ok()?;
        let api = story.api();
        let all = (SOON, "the activity at the server");
        let seen = Seen::when(&api, &employee, all, |seen| Ok(seen.input()?.keys >= keys))?;
        story.agent.wait_for_empty_spool(SOON)?;
        assert_eq!(seen.input()?.keys, keys);
        assert_eq!(Seen::now(&api, &employee)?.count(Kind::Screenshot), 0);
        story.agent.end()?;

        // Now with the device's own key, as a tampered agent would.
        let device = Device::of_agent(story.agent.home(), &story.server.init.company_id)?;
        let license = glasshour_license_format::read(&std::fs::read(&file)?)?
            .claims()
            .license_id;
        let chains = pushed(story.agent.home())?;
        let last = *chains
            .get(&license.to_string())
            .context("a chain for the license")?;

        let picture = ("image/webp", b"RIFF\x04\0\0\0WEBP".as_slice());
        let (status, error) =
            api.put_record(&device.sign(license, last + 1, Kind::Screenshot, picture))?;
        let error = error.context("a refusal says why")?;
        assert_eq!(
            (status, error.code.as_str()),
            (403, code::CHANNEL_NOT_LICENSED)
        );

        // The same hand, the same key, a kind that is permitted: so it was the kind.
        let minute = json!({"from_ms": 1_795_000_000_000_i64, "to_ms": 1_795_000_001_000_i64});
        let activity = ("application/json", minute.to_string().into_bytes());
        let put = device.sign(license, last + 1, Kind::Activity, (activity.0, &activity.1));
        assert_eq!(api.put_record(&put)?.0, 201);
        Ok(())
    })
}
