//! The rule that both gates hold records against, by itself: every forged record of the table, its
//! permitted twin, and whatever is made within a profile, whichever it is.

#![expect(
    clippy::unwrap_used,
    reason = "the lints' exception for tests does not reach helpers of integration tests"
)]

mod forged;

use forged::{Capture, NOON_MS, cases, picture};
use glasshour_license_format::{
    ActivitySettings, Blur, CameraSettings, Claims, Excess, Exclude, Monitors, Others, Profile,
    Schedule, ScreenshotSettings, ShotMoment, ShotPlace,
};
use glasshour_protocol::jws::sha256_hex;
use glasshour_protocol::payload::{ActivityMinute, ApplicationTime, InputCounts, JSON};
use glasshour_protocol::record::FrameMeta;
use glasshour_protocol::{DeviceId, Kind, LicenseId, RecordHeader, RecordId, RecordMeta};
use proptest::prelude::*;
use uuid::Uuid;

fn header(kind: Kind, (wall_ms, boot_ms): (i64, u64), frame: Option<FrameMeta>) -> RecordHeader {
    RecordHeader {
        version: 1,
        record_id: RecordId(Uuid::from_u128(1)),
        device_id: DeviceId(Uuid::from_u128(2)),
        license_id: LicenseId(Uuid::from_u128(3)),
        seq: 1,
        prev: None,
        kind,
        captured_at_ms: wall_ms,
        mono_ms: boot_ms,
        boot_id: "boot".into(),
        utc_offset_min: 60,
        payload_sha256: sha256_hex(b""),
        payload_len: 0,
        content_type: if kind == Kind::Activity {
            JSON
        } else {
            "image/png"
        }
        .into(),
        meta: RecordMeta {
            frame,
            boot_ms: Some(boot_ms),
            ..RecordMeta::default()
        },
    }
}

fn others_of(record: &RecordHeader, before: &[RecordHeader]) -> Others {
    let of_kind = || before.iter().filter(|other| other.kind == record.kind);
    let at = ShotMoment::of(record);
    Others {
        moments: of_kind().map(ShotMoment::of).collect(),
        places: of_kind()
            .filter(|other| ShotMoment::of(other) == at)
            .map(|other| other.meta.frame.as_ref().map(ShotPlace::of))
            .collect(),
    }
}

fn judge(
    profile: &Profile,
    record: (&RecordHeader, &[u8]),
    before: &[RecordHeader],
) -> Result<(), Excess> {
    let (header, payload) = record;
    profile.permits_payload(header, payload)?;
    profile.permits_among(header, &others_of(header, before))
}

#[test]
fn p12_every_forged_detail_exceeds_the_license_and_its_twin_does_not() {
    let made = |capture: &Capture| {
        let clocks = (capture.wall_ms(), capture.boot_ms());
        header(capture.kind, clocks, capture.frame())
    };
    let mut codes = std::collections::BTreeSet::new();
    for case in cases() {
        let profile = case.profile();
        profile.validate().unwrap();
        let mut before = Vec::new();
        for earlier in &case.before {
            let record = made(earlier);
            let judged = judge(&profile, (&record, &earlier.payload()), &before);
            assert_eq!(judged, Ok(()), "{}: before", case.name);
            before.push(record);
        }
        let (forged, permitted) = (made(&case.forged), made(&case.permitted));
        let judged = judge(&profile, (&permitted, &case.permitted.payload()), &before);
        assert_eq!(judged, Ok(()), "{}: its twin", case.name);
        let judged = judge(&profile, (&forged, &case.forged.payload()), &before);
        let code = judged.map_err(Excess::code);
        assert_eq!(code, Err(case.code.as_str()), "{}", case.name);
        codes.insert(case.code);
    }
    let missing = Excess::EACH.map(Excess::code);
    let missing: Vec<_> = missing
        .iter()
        .filter(|code| !codes.contains(**code))
        .collect();
    // None is about the profile: a test below, `deletion.rs` and the next test hold them.
    let elsewhere = [&"license_expired", &"deletion_not_licensed", &"unreadable"];
    assert_eq!(missing, elsewhere, "what the table does not forge");
}

#[test]
fn p12_what_is_captured_before_a_license_begins_or_after_it_ends_exceeds_it() {
    const HOUR: i64 = 3_600_000;
    let mut claims: Claims =
        serde_json::from_str(include_str!("../fixtures/v1/claims.json")).unwrap();
    claims.profile = serde_json::from_str(
        r#"{"name": "n", "screenshots": {"per_hour": 6}, "camera": {"per_hour": 6},
            "activity": {"applications": true}}"#,
    )
    .unwrap();
    let at = |ms: i64| Some(jiff::Timestamp::from_millisecond(ms).unwrap());
    (claims.not_before, claims.expires_at) = (at(NOON_MS), at(NOON_MS + HOUR));
    let frame = || {
        serde_json::from_str::<Capture>(r#"{"kind": "screenshot"}"#)
            .unwrap()
            .frame()
    };
    let shot = |kind: Kind, ms: i64| {
        let frame = (kind == Kind::Screenshot).then(frame).flatten();
        claims.permits_payload(&header(kind, (ms, 0), frame), &picture(640, 100, ""))
    };
    for kind in [Kind::Screenshot, Kind::Camera] {
        assert_eq!(shot(kind, NOON_MS - 1), Err(Excess::Dates));
        assert_eq!(shot(kind, NOON_MS), Ok(()));
        assert_eq!(shot(kind, NOON_MS + HOUR - 1), Ok(()));
        assert_eq!(shot(kind, NOON_MS + HOUR), Err(Excess::Dates));
    }
    // A minute is dated by its end; the one that was under way comes after.
    let minute = |from: i64, to: i64| {
        let payload = format!(r#"{{"from_ms": {from}, "to_ms": {to}, "applications": []}}"#);
        claims.permits_payload(&header(Kind::Activity, (to, 0), None), payload.as_bytes())
    };
    assert_eq!(minute(NOON_MS - 1, NOON_MS + 59_999), Err(Excess::Dates));
    assert_eq!(minute(NOON_MS, NOON_MS + 60_000), Ok(()));
    assert_eq!(minute(NOON_MS + HOUR - 1, NOON_MS + HOUR + 59_999), Ok(()));
    assert_eq!(
        minute(NOON_MS + HOUR, NOON_MS + HOUR + 60_000),
        Err(Excess::Dates)
    );
    assert_eq!(
        minute(NOON_MS + HOUR - 1, NOON_MS + HOUR + 60_001),
        Err(Excess::Dates)
    );
    // When the agent ran, and why it stopped, comes after the end as well.
    for kind in [Kind::Session, Kind::Health, Kind::Notice] {
        let late = header(kind, (NOON_MS + 9 * HOUR, 0), None);
        assert_eq!(claims.permits_payload(&late, b"{}"), Ok(()));
    }
}

#[test]
fn what_cannot_be_read_is_not_let_through() {
    let json =
        r#"{"name": "n", "screenshots": {"per_hour": 6}, "activity": {"applications": true}}"#;
    let profile: Profile = serde_json::from_str(json).unwrap();
    let minute = header(Kind::Activity, (NOON_MS, 0), None);
    let payload = br#"{"from_ms": "noon", "applications": [{"name": "x"}]}"#;
    let judged = profile.permits_payload(&minute, payload);
    assert_eq!(judged, Err(Excess::Unreadable));
    let frameless = header(Kind::Screenshot, (NOON_MS, 0), None);
    let judged = profile.permits_payload(&frameless, &picture(1, 1, ""));
    assert_eq!(judged, Err(Excess::Unreadable));
}

#[test]
fn every_code_is_told_from_every_other() {
    let mut codes = Excess::EACH.map(Excess::code);
    codes.sort_unstable();
    assert!(codes.windows(2).all(|two| two[0] != two[1]));
    assert!(codes.iter().all(|code| Excess::is_code(code)));
    assert!(!Excess::is_code("busy"));
}

fn profiles() -> impl Strategy<Value = Profile> {
    let monitors = prop_oneof![Just(Monitors::All), Just(Monitors::Active)];
    let width = proptest::option::of(64_u32..4000);
    let blur = proptest::sample::select(Blur::ALL.to_vec());
    let screenshots = (1_u32..8, monitors, blur, width).prop_map(|(n, monitors, blur, width)| {
        ScreenshotSettings {
            per_hour: n,
            monitors,
            blur,
            max_width_px: width,
            ..ScreenshotSettings::default()
        }
    });
    let camera = (1_u32..8).prop_map(|per_hour| CameraSettings { per_hour });
    let activity: [_; 3] = std::array::from_fn(|_| any::<bool>());
    let activity = activity.prop_map(|[input_counts, applications, titles]| ActivitySettings {
        input_counts,
        applications,
        window_titles: applications && titles,
    });
    let schedule: Schedule = serde_json::from_str(
        r#"{"time_zone": "Europe/Paris", "days": ["wed"], "from": "08:00", "to": "19:00"}"#,
    )
    .unwrap();
    (
        proptest::option::of(screenshots),
        proptest::option::of(camera),
        proptest::option::of(activity),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(move |(screenshots, camera, activity, hours, excludes)| {
            let mut profile: Profile = serde_json::from_str(r#"{"name": "any"}"#).unwrap();
            profile.screenshots = screenshots;
            profile.camera = camera;
            profile.activity = activity;
            profile.schedule = hours.then(|| schedule.clone());
            if excludes {
                profile.exclude = Exclude {
                    applications: vec!["KeePassXC".into()],
                    title_contains: vec!["private".into()],
                };
            }
            profile
        })
}

/// What an agent with that license makes at that moment: of each channel as much as it may.
fn made_within(profile: &Profile, minute: u64, unsure: bool) -> Vec<(RecordHeader, Vec<u8>)> {
    let ms = minute * 60_000;
    let clocks = (NOON_MS.saturating_add_unsigned(ms), ms);
    let mut made = Vec::new();
    if let Some(settings) = &profile.screenshots {
        let width = settings.max_width_px.unwrap_or(1920);
        let monitors = match settings.monitors {
            Monitors::All => 3,
            Monitors::Active => 1,
        };
        let unsure = unsure && !profile.exclude.is_empty();
        let blur = if unsure { Blur::Strong } else { settings.blur };
        for place in 0..monitors {
            let frame = FrameMeta {
                monitor: "HDMI".into(),
                x: place * 1920,
                y: 0,
                screen_width: 1920,
                screen_height: 1080,
                width,
                height: 10,
                blur: blur.as_str().into(),
                masked_windows: 0,
                windows_unknown: unsure,
                unchanged: false,
            };
            let header = header(Kind::Screenshot, clocks, Some(frame));
            made.push((header, picture(width, 10, "")));
        }
    }
    if profile.camera.is_some() {
        made.push((header(Kind::Camera, clocks, None), picture(640, 480, "")));
    }
    if let Some(settings) = &profile.activity {
        let part = ApplicationTime {
            name: "XTerm".into(),
            title: settings.window_titles.then(|| "vi".into()),
            active_ms: 60_000,
        };
        let minute = ActivityMinute {
            from_ms: clocks.0,
            to_ms: clocks.0 + 60_000,
            input: settings.input_counts.then(InputCounts::default),
            idle_ms: Some(0),
            applications: if settings.applications {
                vec![part]
            } else {
                vec![]
            },
        };
        let payload = serde_json::to_vec(&minute).unwrap();
        made.push((header(Kind::Activity, clocks, None), payload));
    }
    made
}

proptest! {
    #[test]
    fn p12_whatever_is_made_within_a_profile_is_permitted_by_it(
        profile in profiles(), unsure: bool,
    ) {
        prop_assert_eq!(profile.validate(), Ok(()));
        // As often as both rates allow, from noon to the end of the licensed hours.
        let rates = [
            profile.screenshots.as_ref().map(|settings| settings.per_hour),
            profile.camera.as_ref().map(|settings| settings.per_hour),
        ];
        let per_hour = rates.into_iter().flatten().min().unwrap_or(8);
        let step = 60_u64.div_ceil(per_hour.into());
        let mut before = Vec::new();
        for minute in (0..7 * 60).step_by(usize::try_from(step).unwrap()) {
            for (header, payload) in made_within(&profile, minute, unsure) {
                let judged = judge(&profile, (&header, &payload), &before);
                prop_assert_eq!(judged, Ok(()), "{:?}", header);
                before.push(header);
            }
        }
    }
}
