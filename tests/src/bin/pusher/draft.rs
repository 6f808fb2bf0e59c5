//! What is pushed: minutes of activity, or pictures, each with a payload that no other record has.

use std::io::Cursor;
use std::time::Duration;

use anyhow::{Context as _, Result};
use glasshour_protocol::payload::{ActivityMinute, ApplicationTime, JSON};
use glasshour_protocol::record::FrameMeta;
use glasshour_protocol::{Kind, LicenseId, RecordMeta};
use glasshour_tests::wait::wall_ms;
use glasshour_uploader::spool::{CapturedAt, Draft};
use uuid::Uuid;

use crate::Args;

const MINUTE_MS: i64 = 60_000;

/// The record with the number `number` of this run, `running` after it began.
pub(crate) fn make(
    args: &Args,
    license_id: LicenseId,
    number: u64,
    running: Duration,
) -> Result<Draft> {
    let steps = i64::try_from(number).unwrap_or(i64::MAX);
    let wall_ms = wall_ms() - args.age_ms + args.step_ms.saturating_mul(steps);
    let poisoned = args
        .poison_every
        .is_some_and(|every| (number + 1).is_multiple_of(every));
    let (kind, content_type, payload, meta) = match args.picture_bytes {
        None => (
            Kind::Activity,
            JSON,
            minute(wall_ms)?,
            RecordMeta::default(),
        ),
        Some(bytes) => {
            let (width, height, picture) = picture(bytes)?;
            let payload = if poisoned {
                Uuid::new_v4().as_bytes().to_vec()
            } else {
                picture
            };
            let meta = RecordMeta {
                frame: Some(frame(width, height)),
                // One a second, whatever the pace: the most that any license permits.
                boot_ms: Some(number.saturating_mul(1000)),
                ..RecordMeta::default()
            };
            (Kind::Screenshot, "image/webp", payload, meta)
        }
    };
    Ok(Draft {
        license_id,
        kind,
        captured: CapturedAt {
            wall_ms,
            mono_ms: u64::try_from(running.as_millis()).unwrap_or(u64::MAX),
            boot_id: boot_id(),
            utc_offset_min: utc_offset_min(wall_ms)?,
        },
        content_type: content_type.into(),
        payload,
        meta,
        hold_until_ms: 0,
    })
}

fn minute(wall_ms: i64) -> Result<Vec<u8>> {
    let minute = ActivityMinute {
        from_ms: wall_ms - MINUTE_MS,
        to_ms: wall_ms,
        input: None,
        idle_ms: Some(0),
        applications: vec![ApplicationTime {
            name: Uuid::new_v4().to_string(), // makes the payload one of a kind
            title: None,
            active_ms: 1000,
        }],
    };
    serde_json::to_vec(&minute).context("a minute")
}

/// A picture of noise, which no encoder makes smaller, and so of about as many bytes as asked for.
fn picture(bytes: usize) -> Result<(u32, u32, Vec<u8>)> {
    const WIDTH: u32 = 64;
    let rows = u32::try_from(bytes / (3 * WIDTH as usize)).context("the picture's size")?;
    let height = rows.clamp(1, 16_000);
    let mut pixels = vec![0_u8; (WIDTH * height * 3) as usize];
    fastrand::Rng::new().fill(&mut pixels);
    let mut encoded = Vec::with_capacity(bytes);
    image_webp::WebPEncoder::new(Cursor::new(&mut encoded))
        .encode(&pixels, WIDTH, height, image_webp::ColorType::Rgb8)
        .context("the picture")?;
    Ok((WIDTH, height, encoded))
}

fn frame(width: u32, height: u32) -> FrameMeta {
    FrameMeta {
        monitor: "FAULT-1".into(),
        x: 0,
        y: 0,
        screen_width: width,
        screen_height: height,
        width,
        height,
        blur: "none".into(),
        masked_windows: 0,
        windows_unknown: false,
        unchanged: false,
    }
}

fn boot_id() -> String {
    // Every run counts its own milliseconds from its start, so each is a boot of its own.
    static BOOT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    BOOT.get_or_init(|| Uuid::new_v4().to_string()).clone()
}

/// Of the zone of this process (`TZ`), at that moment.
fn utc_offset_min(wall_ms: i64) -> Result<i32> {
    let moment = jiff::Timestamp::from_millisecond(wall_ms).context("the captured time")?;
    let zone = jiff::tz::TimeZone::system();
    Ok(moment.to_zoned(zone).offset().seconds() / 60)
}
