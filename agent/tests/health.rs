//! What the agent leans on, said part by part with what to do: to the person and to the employer alike.

#![expect(clippy::panic, reason = "tests")]

#[expect(dead_code, reason = "other tests use the rest of it")]
mod stage;

use glasshour_agent::platform::Unavailable;
use glasshour_agent::platform::fake::Source;
use glasshour_agent::status::Status;
use glasshour_protocol::Kind;
use glasshour_protocol::payload::{HealthReport, PartHealth};
use serde_json::json;
use stage::{ACME, Stage, of, of_kind, until};

fn part(parts: &[PartHealth], name: &str) -> PartHealth {
    let found = parts.iter().find(|part| part.part == name);
    found.unwrap_or_else(|| panic!("{name}: {parts:?}")).clone()
}

#[tokio::test]
async fn each_part_says_whether_it_is_well_and_what_to_do_where_it_is_not() {
    let stage = Stage::new();
    stage.load(ACME, "monitoring", json!({"name": "P"}));
    let tray_is = async |stage: &Stage, wanted: Option<bool>| {
        let tray = |status: &Status| part(&status.parts, "tray").ok;
        until("the tray is told", async || {
            tray(&stage.status().await) == wanted
        })
        .await;
    };
    stage
        .run(async |stage| {
            tray_is(stage, Some(true)).await;
            until("the server was tried", async || {
                part(&of(&stage.status().await, ACME).parts, "server").ok == Some(false)
            })
            .await;
            let status = stage.status().await;
            let of_acme = of(&status, ACME).parts;
            let server = part(&of_acme, "server");
            assert!(server.remedy.unwrap().starts_with("Nothing is lost"));
            assert_eq!(part(&of_acme, "spool").ok, Some(true));
            assert_eq!(part(&of_acme, "license").ok, Some(true));
            assert_eq!(
                part(&of_acme, "clock").ok,
                None,
                "no server to compare with"
            );
            assert_eq!(part(&status.parts, "display").ok, Some(true));
            until("the system is heard", async || {
                part(&stage.status().await.parts, "system").ok == Some(true)
            })
            .await;

            // The panel goes: the indicator stands in, which is no fault, but is told.
            let gone = Unavailable::Gone("no panel; start one".into());
            stage.desktop.fail(Source::Tray, gone);
            stage.desktop.fail(
                Source::Idle,
                Unavailable::Gone("the display is gone".into()),
            );
            until("the display is missed", async || {
                stage.seconds(1).await;
                part(&stage.status().await.parts, "display").ok == Some(false)
            })
            .await;
            let display = part(&stage.status().await.parts, "display");
            assert_eq!(display.remedy.as_deref(), Some("the display is gone"));
        })
        .await;
    let records = stage.records(ACME).await;
    let reports: Vec<HealthReport> = of_kind(&records, Kind::Health)
        .iter()
        .map(|record| serde_json::from_slice(&record.payload).unwrap())
        .collect();
    let last = reports.last().unwrap();
    assert_eq!(
        part(&last.parts, "display").ok,
        Some(false),
        "the employer reads the same"
    );
}
