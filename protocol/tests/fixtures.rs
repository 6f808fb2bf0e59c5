//! Everything that is stored or sent, as it was first released: today's readers read it, and what
//! today's writers write reads back the same. Fixtures are added to, never edited.

#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be read fails the test"
)]

use glasshour_protocol::device::{DeviceState, EnrollRequest};
use glasshour_protocol::payload::{ActivityMinute, HealthReport, NoticeEvent, SessionEvent};
use glasshour_protocol::withdrawal::{Reason, Withdrawal};
use glasshour_protocol::{ErrorBody, Kind, Receipt, RecordHeader};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a fixture, writes it, and compares the two as JSON.
fn reads_and_writes<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let value: T = serde_json::from_str(text).unwrap();
    let written = serde_json::to_value(&value).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(text).unwrap());
    value
}

#[test]
fn a_screenshot_header_of_version_1() {
    let header: RecordHeader =
        reads_and_writes(include_str!("../fixtures/v1/screenshot_header.json"));
    assert_eq!(
        (header.version, header.kind, header.seq),
        (1, Kind::Screenshot, 42)
    );
    let frame = header.meta.frame.unwrap();
    assert_eq!((frame.monitor.as_str(), frame.width), ("HDMI-1", 1920));
    assert_eq!(
        header.meta.other["of_a_later_version"], true,
        "unknown members are kept"
    );
}

#[test]
fn the_first_header_of_a_chain_has_no_previous() {
    let header: RecordHeader = reads_and_writes(include_str!("../fixtures/v1/first_header.json"));
    assert_eq!((header.seq, header.prev), (1, None));
}

#[test]
fn payloads_of_version_1() {
    let minute: ActivityMinute =
        reads_and_writes(include_str!("../fixtures/v1/activity_minute.json"));
    assert_eq!(minute.input.unwrap().keys, 212);
    let _: SessionEvent = reads_and_writes(include_str!("../fixtures/v1/session_started.json"));
    let _: HealthReport = reads_and_writes(include_str!("../fixtures/v1/health_parts.json"));
    let _: SessionEvent = reads_and_writes(include_str!("../fixtures/v1/session_idle_answer.json"));
    let _: HealthReport = reads_and_writes(include_str!("../fixtures/v1/health.json"));
    let notice: NoticeEvent = reads_and_writes(include_str!("../fixtures/v1/notice.json"));
    assert_eq!(notice.language, None);
    let notice: NoticeEvent = reads_and_writes(include_str!("../fixtures/v1/notice_language.json"));
    assert_eq!(notice.language.as_deref(), Some("fr"));
}

#[test]
fn messages_of_version_1() {
    let _: EnrollRequest = reads_and_writes(include_str!("../fixtures/v1/enroll.json"));
    let state: DeviceState = reads_and_writes(include_str!("../fixtures/v1/device_state.json"));
    assert!(state.employee_active);
    let receipt: Receipt = reads_and_writes(include_str!("../fixtures/v1/receipt.json"));
    assert!(receipt.new);
    let withdrawal: Withdrawal = reads_and_writes(include_str!("../fixtures/v1/withdrawal.json"));
    assert_eq!(withdrawal.reason, Reason::Employee);
    let error: ErrorBody = reads_and_writes(include_str!("../fixtures/v1/error.json"));
    assert_eq!(error.field.as_deref(), Some("name"));
}

#[test]
fn a_minute_has_room_for_counts_and_for_nothing_that_was_typed() {
    let minute: Value =
        serde_json::from_str(include_str!("../fixtures/v1/activity_minute.json")).unwrap();
    let input = minute["input"].as_object().unwrap();
    let names: Vec<_> = input.keys().map(String::as_str).collect();
    assert_eq!(names, ["clicks", "exact", "keys", "motions", "scrolls"]);
    assert!(
        input
            .values()
            .all(|value| value.is_u64() || value.is_boolean())
    );
}
