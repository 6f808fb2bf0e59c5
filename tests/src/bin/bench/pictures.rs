//! The agent's own pictures: of the text screen, of the same screen again, of the busy one, and of one
//! that changes all the time; how large they are, how alike, and how long until each is on disk.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_protocol::Kind;
use glasshour_tests::api::Record;
use glasshour_tests::{Seen, wait_until};
use serde::Serialize;
use serde_json::json;

use crate::meter::Reading;
use crate::screens::{self, Photo};
use crate::ssim::{Pixels, ssim};
use crate::stage::{Measured, Stage};

const PATIENCE: Duration = Duration::from_mins(1);
/// Pictures of a changing screen from which times are taken.
const TIMED: usize = 20;

/// What was found out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Pictures {
    pub(crate) text: Picture,
    pub(crate) busy: Picture,
    /// Bytes of the picture of a screen that had not changed.
    pub(crate) unchanged_bytes: u64,
    /// From the question to the X server until the record is on disk, milliseconds.
    pub(crate) grab_to_durable_ms: Spread,
    /// Processor time for one picture of a changing screen, milliseconds.
    pub(crate) cpu_ms: f64,
    /// Most memory that was ever resident, megabytes.
    pub(crate) peak_rss_mb: f64,
    /// The two screens, to the pixel.
    #[serde(skip)]
    pub(crate) screens: [Pixels; 2],
}

/// One picture against its screen.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Picture {
    pub(crate) bytes: u64,
    pub(crate) ssim: f64,
}

/// Middle and upper end of many times.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) count: usize,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Result<Self> {
        values.sort_by(f64::total_cmp);
        let at = |percent: usize| values.get((values.len() * percent / 100).min(values.len() - 1));
        ensure!(!values.is_empty(), "nothing was timed");
        Ok(Self {
            p50: *at(50).context("there is a middle")?,
            p95: *at(95).context("there is an end")?,
            count: values.len(),
        })
    }
}

/// Takes them. The agent is licensed for one each second.
pub(crate) fn take(stage: &mut Stage) -> Result<Pictures> {
    eprintln!("let it take pictures of a text screen, a busy one and a changing one");
    let profile = json!({
        "screenshots": {"per_hour": 3600, "random_moment": false, "skip_unchanged": true},
    });
    let log = "glasshour_agent::engine=debug";
    let measured = stage.hire("pictures", &profile, Some(log))?;
    stage.desktop.input().activate("Text")?;
    let text_screen = {
        measured.start()?;
        let first = after(stage, &measured, 0)?;
        screens::grab(&stage.desktop).map(|screen| (first, screen))?
    };
    let text = compare(stage, &text_screen.0, &text_screen.1)?;
    let again = nth(stage, &measured, 2, |_| true)?;
    let photo = Photo::show(&stage.desktop)?;
    let seen = shots(stage, &measured)?.len();
    let first = nth(stage, &measured, seen + 1, Record::has_picture)?;
    let busy_screen = screens::grab(&stage.desktop)?;
    let busy = compare(stage, &first, &busy_screen)?;
    drop(photo);

    // The terminal in which lines keep coming goes to the front: no two pictures are the same.
    stage
        .desktop
        .input()
        .activate(glasshour_tests::desktop::windows::BUILD)?;
    let begin = Reading::of(measured.pid)?;
    let before = shots(stage, &measured)?.len();
    nth(stage, &measured, before + TIMED, |_| true)?;
    let cpu = Reading::of(measured.pid)?.cpu_since(&begin);
    let timed = shots(stage, &measured)?.len() - before;
    let cost = begin.cost_until_now(measured.pid)?;
    measured.stop()?;

    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let cpu_ms = cpu.as_secs_f64() * 1000.0 / timed as f64;
    Ok(Pictures {
        text,
        busy,
        unchanged_bytes: again.payload_len,
        grab_to_durable_ms: Spread::of(times(stage, timed)?)?,
        cpu_ms,
        peak_rss_mb: cost.peak_rss_mb,
        screens: [text_screen.1, busy_screen],
    })
}

/// The first picture that comes after so many records.
fn after(stage: &Stage, measured: &Measured, count: usize) -> Result<Record> {
    nth(stage, measured, count + 1, Record::has_picture)
}

/// Waits for so many records of pictures; gives the first wanted one from there on.
fn nth(
    stage: &Stage,
    measured: &Measured,
    count: usize,
    wanted: impl Fn(&Record) -> bool,
) -> Result<Record> {
    wait_until(PATIENCE, "the agent's next picture", || {
        let shots = shots(stage, measured)?;
        Ok(shots.into_iter().skip(count - 1).find(&wanted))
    })
}

/// Its records of pictures, in order.
fn shots(stage: &Stage, measured: &Measured) -> Result<Vec<Record>> {
    let seen = Seen::now(&stage.api(), &measured.employee)?;
    let mut shots: Vec<Record> = seen.of(Kind::Screenshot).cloned().collect();
    shots.sort_by_key(|record| record.seq);
    Ok(shots)
}

fn compare(stage: &Stage, record: &Record, screen: &Pixels) -> Result<Picture> {
    let file = stage.folder().join("ours.webp");
    std::fs::write(&file, stage.api().payload(record)?)?;
    let ours = screens::decode(&file)?;
    Ok(Picture {
        bytes: record.payload_len,
        ssim: ssim(screen, &ours).context("the picture is not as large as the screen")?,
    })
}

/// How long the last pictures took to be on disk, as the agent logs it.
fn times(stage: &Stage, last: usize) -> Result<Vec<f64>> {
    let log = std::fs::read_to_string(stage.folder().join("pictures/logs/agent.err"))?;
    let times = log.lines().filter_map(|line| {
        let (_, rest) = line.split_once("grab_to_durable_ms=")?;
        rest.split_whitespace().next()?.parse::<f64>().ok()
    });
    let mut times: Vec<f64> = times.collect();
    Ok(times.split_off(times.len().saturating_sub(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_many_times_is_not_moved_by_one_slow_one() {
        let mut values: Vec<f64> = (1..=99).map(f64::from).collect();
        values.push(10_000.0);
        let spread = Spread::of(values).unwrap();
        assert!((spread.p50 - 51.0).abs() < 1e-9 && (spread.p95 - 96.0).abs() < 1e-9);
        assert!(Spread::of(Vec::new()).is_err());
    }
}
