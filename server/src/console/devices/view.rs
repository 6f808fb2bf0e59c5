//! Devices, as values: where the agent runs, and how it is.

use askama::Template;
use glasshour_protocol::payload::HealthReport;

use crate::auth::{Object, Verb};
use crate::console::layout::{MARK, Page, State};
use crate::console::words;
use crate::refusal;
use crate::store::{REFUSALS_TOLD_DAYS, Refusals};

/// The page.
#[derive(Debug, Template)]
#[template(path = "devices/page.html")]
pub(crate) struct DevicesView {
    pub(crate) page: Page,
    pub(crate) rows: Vec<Row>,
    /// Address of the next page of the list.
    pub(crate) next: Option<String>,
}

/// One device.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) device_id: String,
    pub(crate) host: String,
    pub(crate) os_user: String,
    pub(crate) employee_id: String,
    pub(crate) employee: String,
    pub(crate) platform: String,
    pub(crate) version: String,
    /// How long ago it was heard.
    pub(crate) seen: String,
    pub(crate) seen_machine: String,
    pub(crate) seen_full: String,
    pub(crate) revoked: bool,
    /// Nobody has approved it yet.
    pub(crate) waits: bool,
    pub(crate) health: Vec<Health>,
}

/// One thing about a device's health, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) state: State,
    /// In two or three words.
    pub(crate) short: String,
    /// With what to do about it.
    pub(crate) text: String,
}

/// A device that was not heard for so long is called silent.
pub(crate) const SILENT_AFTER_MS: i64 = 15 * 60_000;

/// What a device said about itself, in words: every problem, or that all is well.
pub(crate) fn health(report: Option<&HealthReport>) -> Vec<Health> {
    let line = |state, short: String, text: String| Health { state, short, text };
    let Some(report) = report else {
        let text = "has not reported yet".to_owned();
        return vec![line(State::Off, text.clone(), text)];
    };
    let mut lines: Vec<Health> = Vec::new();
    for channel in report.channels.iter().filter(|channel| channel.permitted) {
        let reason = channel
            .reason
            .as_deref()
            .filter(|reason| !reason.is_empty());
        let name = &channel.channel;
        let (short, what) = match (channel.granted, reason) {
            (_, Some(reason)) => (format!("{name} not working"), reason),
            (Some(false), None) => (format!("{name} denied"), "denied by the operating system"),
            _ => continue,
        };
        lines.push(line(State::Problem, short, format!("{name}: {what}")));
    }
    if report.spool_quarantined > 0 {
        let refused = records(report.spool_quarantined);
        let text = format!("{refused} refused, kept on the device");
        lines.push(line(State::Problem, "records refused".into(), text));
    }
    if lines.is_empty() {
        lines.push(line(State::Done, "ok".into(), "ok".into()));
    }
    if report.spool_waiting > 20 {
        let text = format!("{} waiting to be sent", records(report.spool_waiting));
        lines.push(line(State::Paused, "records waiting".into(), text));
    }
    lines
}

/// What the server refused of a device for what the license says (gate 3), in words.
pub(crate) fn refused<'a>(
    refusals: impl IntoIterator<Item = &'a Refusals>,
) -> impl Iterator<Item = Health> {
    refusals.into_iter().map(|one| Health {
        state: State::Problem,
        short: "records not licensed".into(),
        text: format!(
            "{} refused in the last {REFUSALS_TOLD_DAYS} days: {}",
            records(one.refused),
            refusal::words(&one.code)
        ),
    })
}

fn records(number: u64) -> String {
    words::count(usize::try_from(number).unwrap_or(usize::MAX), "record")
}

#[cfg(test)]
impl DevicesView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;

        let row = |id: &str, host: &str, employee: &str, revoked, health: &str| Row {
            device_id: id.into(),
            host: host.into(),
            os_user: "jo".into(),
            employee_id: "1".into(),
            employee: employee.into(),
            platform: "linux x11".into(),
            version: "0.1.0".into(),
            seen: "12\u{a0}s".into(),
            seen_machine: "2026-11-22T14:03:00Z".into(),
            seen_full: "2026-11-22 14:03 UTC".into(),
            revoked,
            waits: id == "2",
            health: super::view::health(serde_json::from_str(health).ok().as_ref()),
        };
        let good = r#"{"agent_version":"0.1.0","platform":"linux x11","channels":[{"channel":"screenshots","permitted":true,"granted":true}],"spool_waiting":0,"spool_quarantined":0}"#;
        let bad = r#"{"agent_version":"0.1.0","platform":"linux x11","channels":[{"channel":"camera","permitted":true,"granted":false,"reason":"no camera was found; plug one in, or take the camera out of the profile"}],"spool_waiting":412,"spool_quarantined":1}"#;
        let page = || Page::sample("Devices", Part::Devices);
        let rows = vec![
            row("1", "studio-7", "Jo Doe", false, good),
            row("2", "<script>alert(1)</script>", "Ann Lee", false, bad),
            row("3", "old-laptop", "Sam Roe", true, "null"),
        ];
        vec![
            (
                "full",
                Self {
                    page: page(),
                    rows,
                    next: None,
                },
            ),
            (
                "empty",
                Self {
                    page: page(),
                    rows: vec![],
                    next: None,
                },
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshour_protocol::payload::ChannelHealth;

    fn report(channel: ChannelHealth, quarantined: u64) -> HealthReport {
        HealthReport {
            agent_version: "0.1.0".into(),
            platform: "linux x11".into(),
            channels: vec![channel],
            spool_waiting: 0,
            spool_quarantined: quarantined,
            spool_not_kept: 0,
            spool_lost: 0,
            parts: vec![],
        }
    }

    #[test]
    fn p12_what_was_refused_for_its_license_is_told_with_the_reason() {
        let one = Refusals {
            device_id: glasshour_protocol::DeviceId(uuid::Uuid::nil()),
            code: glasshour_protocol::code::TITLES_NOT_LICENSED.into(),
            refused: 2,
            last_at: 0,
        };
        let told: Vec<_> = refused([&one]).map(|line| line.text).collect();
        assert_eq!(
            told,
            ["2\u{a0}records refused in the last 30 days: window titles are not licensed"]
        );
    }

    #[test]
    fn health_is_told_in_the_agents_own_words() {
        let mut camera = ChannelHealth {
            channel: "camera".into(),
            permitted: true,
            granted: Some(false),
            last_capture_ms: None,
            reason: Some("no camera was found".into()),
        };
        let told = health(Some(&report(camera.clone(), 0)));
        assert_eq!(
            (told[0].state, told[0].short.as_str()),
            (State::Problem, "camera not working")
        );
        assert_eq!(told[0].text, "camera: no camera was found");
        camera.reason = None;
        assert_eq!(
            health(Some(&report(camera.clone(), 0)))[0].short,
            "camera denied"
        );
        camera.permitted = false;
        assert_eq!(
            health(Some(&report(camera.clone(), 0)))[0].text,
            "ok",
            "not permitted is not a fault"
        );
        assert_eq!(health(Some(&report(camera, 2)))[0].state, State::Problem);
        assert_eq!(health(None)[0].state, State::Off);
    }
}
