//! SIGKILL: of whoever captures, at each of its writes; of the server under load; of the server between a picture
//! and its row.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use anyhow::{Result, ensure};
use glasshour_tests::process::Process;
use glasshour_tests::wait::{wait_until, when};

use crate::case::{Case, Run};
use crate::needs::Need;
use crate::stage::{Seat, Stage, run_to_end};
use crate::strace::{self, Inject, WRITES};

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 1,
        name: "agent-killed-at-each-write",
        says: "SIGKILL at the 1st, 2nd, 3rd … write or flush of pushing and sending, then at random moments",
        needs: &[Need::Strace],
        tries: (12, 260),
        run: agent_at_each_write,
    },
    Case {
        number: 3,
        name: "server-killed-under-load",
        says: "SIGKILL of the server while four devices send; it is started again over the same data",
        needs: &[],
        tries: (5, 220),
        run: server_under_load,
    },
    Case {
        number: 5,
        name: "killed-between-image-and-row",
        says: "SIGKILL of the server at each rename, flush and write on the way of a picture",
        needs: &[Need::Strace],
        tries: (4, 40),
        run: between_image_and_row,
    },
];

const SOON: Duration = Duration::from_mins(1);
const SIGKILL: i32 = 9;

/// What is pushed while a write is counted: few and small, many at once, one that takes many writes.
const WORK: [&[&str]; 3] = [
    &["--count", "3"],
    &["--count", "12", "--parallel", "6"],
    &["--count", "2", "--picture-bytes", "300000"],
];

fn agent_at_each_write(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let swept = run.wanted * 3 / 4;
    let mut seats = Vec::new();
    let mut work = WORK.iter().cycle();
    while run.tally.tries < swept {
        let seat = stage.seat()?;
        // Every other spool is swept from the making of its file on; there, the first kills leave no record.
        if seats.len().is_multiple_of(2) {
            run_to_end(seat.pusher("before", &["--count", "2"])?, SOON)?;
        }
        let words = work.next().copied().unwrap_or_default();
        sweep(run, &stage, &seat, words, swept)?;
        seats.push(seat);
    }
    let seat = stage.seat()?;
    while run.tally.tries < run.wanted {
        let words = ["--server", &stage.proxy.url(), "--parallel", "2"];
        let plan = seat.pusher(&format!("random kill {}", run.tally.tries), &words)?;
        let mut process = plan.start()?;
        process.line(SOON, |line| (line == "opened").then(String::new))?;
        std::thread::sleep(run.below_ms(300));
        process.kill_hard()?;
        run.tally.totals.agent_kills += 1;
        run.tried();
    }
    seats.push(seat);
    let seats: Vec<&Seat> = seats.iter().collect();
    run.settle_whole(&stage, &seats).map(drop)
}

/// Kills at the first, the second, … call, until one run comes to its end unharmed.
fn sweep(run: &mut Run<'_>, stage: &Stage, seat: &Seat, work: &[&str], most: u64) -> Result<()> {
    let files = strace::database_files(&seat.spool());
    for at in 1..=400_u32 {
        if run.tally.tries >= most {
            return Ok(());
        }
        let inject = Inject {
            calls: WRITES,
            what: "signal=KILL",
            when: Some(at.to_string()),
        };
        let wrapper = strace::wrapper(&inject, &files, &run.folder.join("strace.log"));
        let mut words = work.to_vec();
        let url = stage.proxy.url();
        words.extend(["--server", &url, "--drain-s", "20"]);
        let plan = seat.through(&wrapper, &format!("killed at write {at}"), &words)?;
        let status = run_to_end(plan, SOON)?;
        if status.signal() != Some(SIGKILL) {
            ensure!(
                status.success(),
                "a pusher that was not killed ended with {status}"
            );
            return Ok(());
        }
        run.tally.totals.agent_kills += 1;
        run.tried();
    }
    Ok(())
}

fn server_under_load(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let (seats, pushers) = start_load(&mut stage)?;
    while run.tally.tries < run.wanted {
        let enough = stage.proxy.acknowledgements() + run.random.usize(1..20);
        wait_until(SOON, "more records at the server", || {
            Ok(when(stage.proxy.acknowledgements() >= enough))
        })?;
        std::thread::sleep(run.below_ms(60));
        stage.server.kill_hard()?;
        run.tally.totals.server_kills += 1;
        run.tried();
        stage.server.start_again()?;
    }
    end_load(pushers)?;
    let seats: Vec<&Seat> = seats.iter().collect();
    run.settle_whole(&stage, &seats).map(drop)
}

/// Four devices that push and send until they are ended: two with minutes, two with pictures.
pub(crate) fn start_load(stage: &mut Stage) -> Result<(Vec<Seat>, Vec<Process>)> {
    let url = stage.proxy.url();
    let mut seats = Vec::new();
    let mut pushers = Vec::new();
    for number in 0..4 {
        let seat = stage.seat()?;
        let mut words = vec!["--server", &url, "--pause-ms", "40"];
        if number % 2 == 1 {
            words.extend(["--picture-bytes", "20000"]);
        }
        pushers.push(seat.pusher("load", &words)?.start()?);
        seats.push(seat);
    }
    Ok((seats, pushers))
}

/// SIGKILL: what they had pushed is in their ledgers.
pub(crate) fn end_load(pushers: Vec<Process>) -> Result<()> {
    for mut pusher in pushers {
        ensure!(pusher.status()?.is_none(), "a pusher ended by itself");
        pusher.kill_hard()?;
    }
    Ok(())
}

/// The calls on a picture's way to disk, and up to which of them per thread a kill is worth trying.
const WAY: [(&str, u32); 4] = [
    ("rename,renameat,renameat2", 2),
    ("fsync", 5),
    ("fdatasync", 4),
    ("pwrite64", 9),
];

fn between_image_and_row(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let seat = stage.seat()?;
    seat.drain(&stage.proxy.url())?;
    let points: Vec<(&str, u32)> = WAY
        .iter()
        .flat_map(|(calls, most)| (1..=*most).map(|at| (*calls, at)))
        .collect();
    let mut unharmed = 0;
    let mut at_point = points.iter().cycle();
    while run.tally.tries < run.wanted && unharmed < 40 {
        let (calls, at) = at_point.next().copied().unwrap_or(("fsync", 1));
        stage.server.end()?;
        let inject = Inject {
            calls,
            what: "signal=KILL",
            when: Some(at.to_string()),
        };
        let log = run.folder.join("strace.log");
        stage.server.wrapper = strace::wrapper(&inject, &[], &log);
        let up = stage.server.start_again().is_ok();
        let url = stage.proxy.url();
        let words = ["--server", &url, "--picture-bytes", "30000", "--count", "3"];
        let mut pusher = seat.pusher(&format!("{calls} {at}"), &words)?.start()?;
        let died = up
            && wait_until(Duration::from_secs(4), "the server dies", || {
                Ok(when(!stage.server.is_running()?))
            })
            .is_ok();
        pusher.kill_hard()?;
        stage.server.wrapper.clear();
        if died {
            run.tally.totals.server_kills += 1;
            run.tried();
        } else {
            unharmed += 1;
            stage.server.kill_hard()?;
        }
        stage.server.start_again()?;
    }
    run.settle_whole(&stage, &[&seat]).map(drop)
}
