//! Clocks: a day ahead and a day behind, changes of zone and of summer time, eight hours of sleep.
//!
//! The pusher reads the clock through the C library, so that libfaketime can put another one before it. The agent
//! reads the kernel's by itself and cannot be deceived so; what it does at these moments is told on a simulated clock
//! (`agent/tests/week.rs`, `agent/tests/clock_set_back.rs`).

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_tests::process::Plan;
use glasshour_tests::wait::{now, wait_until, when};

use crate::case::{Case, Run};
use crate::needs::{self, Need};
use crate::stage::{Stage, run_to_end};

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 14,
        name: "clock-a-day-off",
        says: "the device's clock is a day ahead, a day behind, and jumps between: all arrives, and is graded",
        needs: &[Need::Faketime],
        tries: (2, 20),
        run: a_day_off,
    },
    Case {
        number: 15,
        name: "summer-time-and-zones",
        says: "the hour that comes twice, the hour that never is, and a flight across zones",
        needs: &[Need::Faketime],
        tries: (4, 20),
        run: zones,
    },
    Case {
        number: 16,
        name: "eight-hours-of-sleep",
        says: "frozen in the midst of sending, and eight hours later by the clocks of both sides",
        needs: &[Need::Faketime],
        tries: (1, 10),
        run: sleep,
    },
];

const SOON: Duration = Duration::from_mins(1);

/// What puts another clock before a program: by these words, or by what a file says at each look.
fn environment(clock: &str) -> Result<Vec<(String, OsString)>> {
    let library = needs::faketime().context("libfaketime is gone")?;
    Ok(vec![
        ("LD_PRELOAD".into(), library.into_os_string()),
        ("FAKETIME".into(), clock.into()),
        // Only the wall clock: waits and time-outs stay as they are.
        ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
    ])
}

fn from_file(file: &Path) -> Result<Vec<(String, OsString)>> {
    let mut all = environment("+0")?;
    all.retain(|(name, _)| name != "FAKETIME");
    all.push(("FAKETIME_TIMESTAMP_FILE".into(), file.into()));
    all.push(("FAKETIME_NO_CACHE".into(), "1".into()));
    Ok(all)
}

fn a_day_off(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let url = stage.proxy.url();
    let seat = stage.seat()?;
    for clock in ["+1d", "-1d", "+0", "+1d"].iter().cycle() {
        if run.tally.tries >= run.wanted {
            break;
        }
        let words = ["--count", "6", "--server", &url, "--drain-s", "40"];
        let plan = seat
            .pusher(&format!("clock {clock}"), &words)?
            .within(&environment(clock)?);
        let status = run_to_end(plan, SOON)?;
        run.promise(status.success(), || {
            format!("with the clock at {clock} not all was sent: {status}")
        });
        run.tried();
    }
    run.settle_whole(&stage, &[&seat])?;
    let mut grades = std::collections::BTreeMap::new();
    for record in stage.api().records(&stage.employee)? {
        *grades.entry(record.grade).or_insert(0_u32) += 1;
    }
    run.note(format!("graded {grades:?}"));
    Ok(())
}

/// Zone and moment (UTC) at which a pusher begins: half an hour before the change. Its records are ten minutes apart.
const MOMENTS: [(&str, &str); 4] = [
    ("Europe/Paris", "2026-10-25 00:30:00"),
    ("Europe/Paris", "2026-03-29 00:30:00"),
    ("America/New_York", "2026-11-01 05:30:00"),
    ("Pacific/Auckland", "2026-04-04 13:30:00"),
];

fn zones(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let url = stage.proxy.url();
    let seat = stage.seat()?;
    for (zone, moment) in MOMENTS.iter().cycle() {
        if run.tally.tries >= run.wanted {
            break;
        }
        let words = ["--count", "12", "--step-ms", "600000", "--server", &url];
        let plan: Plan = seat
            .pusher(&format!("{zone} at {moment}"), &words)?
            .with(["--drain-s", "40"])
            .within(&environment(&format!("@{moment}"))?)
            .within(&[("TZ".into(), (*zone).into())]);
        let status = run_to_end(plan, SOON)?;
        run.promise(status.success(), || {
            format!("in {zone} at {moment} not all was sent: {status}")
        });
        run.tried();
    }
    let found = run.settle_whole(&stage, &[&seat])?;
    run.promise(found.refused == 0, || {
        format!("{} records were set aside", found.refused)
    });
    Ok(())
}

fn sleep(run: &mut Run<'_>) -> Result<()> {
    let clock = run.folder.join("clock");
    std::fs::write(&clock, "+0")?;
    let fake = from_file(&clock)?;
    let mut stage = Stage::set_at(run.folder, &run.folder.join("server"), |server| {
        server.environment.clone_from(&fake);
    })?;
    let url = stage.proxy.url();
    let seat = stage.seat()?;
    let words = ["--server", &url, "--pause-ms", "100"];
    let mut pusher = seat.pusher("asleep", &words)?.within(&fake).start()?;
    let mut hours = 0;
    while run.tally.tries < run.wanted {
        let from = stage.proxy.acknowledgements();
        wait_until(SOON, "records at the server", || {
            Ok(when(stage.proxy.acknowledgements() >= from + 10))
        })?;
        std::thread::sleep(run.below_ms(100));
        pusher.freeze()?;
        hours += 8;
        std::fs::write(&clock, format!("+{hours}h"))?;
        let before = stage.proxy.acknowledgements();
        pusher.thaw()?;
        let begin = now();
        let again = wait_until(SOON, "records after the sleep", || {
            Ok(when(stage.proxy.acknowledgements() > before + 5))
        });
        run.promise(again.is_ok(), || "after the sleep nothing came".into());
        run.tally.recovered.push(begin.elapsed());
        run.tried();
    }
    ensure!(pusher.status()?.is_none(), "it ended by itself");
    pusher.kill_hard()?;
    run.tally.totals.agent_kills += 1;
    // Sent by a clock that is still ahead, as the server's is.
    let drain = ["--count", "0", "--server", &url, "--drain-s", "60"];
    let plan = seat.pusher("drain", &drain)?.within(&fake);
    ensure!(run_to_end(plan, SOON * 2)?.success(), "it did not drain");
    run.settle_whole(&stage, &[&seat]).map(drop)
}
