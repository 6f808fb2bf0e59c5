//! The agent's cost in each state it spends a day in: stopped, tracking while nobody is there, tracking
//! somebody at work. Activity is on and a picture is taken each minute.

use std::time::Duration;

use anyhow::Result;
use glasshour_tests::desktop::Input;
use glasshour_tests::wait::now;
use serde::Serialize;
use serde_json::json;

use crate::meter::{Cost, Reading};
use crate::stage::{Measured, Stage};

/// Left alone this long before it is measured: what a start costs is no state.
const SETTLE: Duration = Duration::from_secs(5);

/// Cost by state.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct States {
    /// No worklog runs.
    pub(crate) stopped: Cost,
    /// A worklog runs and nobody touches anything.
    pub(crate) idle: Cost,
    /// A worklog runs and somebody types, clicks, scrolls and moves about.
    pub(crate) active: Cost,
}

/// Watches each state for as long.
pub(crate) fn watch(stage: &mut Stage, time: Duration) -> Result<States> {
    let profile = json!({
        "screenshots": {"per_hour": 60, "random_moment": false, "skip_unchanged": true},
        "activity": {"input_counts": true, "applications": true, "window_titles": true},
        // Whether somebody is idle changes little, but the question itself would be a change.
        "idle_after_s": 86_400,
    });
    let measured = stage.hire("states", &profile, None)?;
    let stopped = quiet(&measured, "stopped", time)?;
    measured.start()?;
    let idle = quiet(&measured, "idle", time)?;
    let active = busy(&measured, &stage.desktop.input(), time)?;
    measured.stop()?;
    Ok(States {
        stopped,
        idle,
        active,
    })
}

fn quiet(measured: &Measured, state: &str, time: Duration) -> Result<Cost> {
    eprintln!("watch it {state} for {} s", time.as_secs());
    std::thread::sleep(SETTLE);
    let begin = Reading::of(measured.pid)?;
    std::thread::sleep(time);
    begin.cost_until_now(measured.pid)
}

fn busy(measured: &Measured, input: &Input, time: Duration) -> Result<Cost> {
    eprintln!("watch it at work for {} s", time.as_secs());
    let begin = Reading::of(measured.pid)?;
    let from = now();
    while from.elapsed() < time {
        input.type_keys(20)?;
        input.wander()?;
        input.click(2)?;
        input.scroll(3)?;
        input.activate("Text")?;
    }
    begin.cost_until_now(measured.pid)
}
