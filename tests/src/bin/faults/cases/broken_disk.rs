//! Disks that fail: a flush that ends in an error, a file system that takes no writes any more.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_tests::ledger;
use glasshour_tests::wait::now;

use crate::case::{Case, Run};
use crate::disk::{self, Disk};
use crate::needs::Need;
use crate::stage::{Seat, Stage, last_line, run_to_end, wait_for_end};
use crate::strace::{self, Inject};

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 8,
        name: "flush-fails",
        says: "fsync and fdatasync end with EIO, of the spool and of the server: nothing of it is acknowledged",
        needs: &[Need::Strace],
        tries: (4, 60),
        run: flush_fails,
    },
    Case {
        number: 9,
        name: "read-only-file-system",
        says: "the spool's disk takes no writes any more, or never did: said so, without spinning",
        needs: &[Need::Strace, Need::LoopDisk],
        tries: (2, 6),
        run: read_only,
    },
];

const SOON: Duration = Duration::from_mins(1);

fn flush_fails(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let seat = stage.seat()?;
    seat.drain(&stage.proxy.url())?;
    let mut unharmed = 0;
    while run.tally.tries < run.wanted {
        let number = run.tally.tries;
        if number % 4 == 3 {
            server_flush_fails(run, &mut stage, &seat)?;
        } else {
            let failed = spool_flush_fails(run, &seat, number % 4 == 2)?;
            // The log is flushed once for pushes that come together: there may not have been so many.
            unharmed += u64::from(!failed);
            if !failed && unharmed <= run.wanted {
                continue;
            }
        }
        run.tried();
    }
    run.settle_whole(&stage, &[&seat]).map(drop)
}

/// One flush fails, or all from the first one on; whether any did.
fn spool_flush_fails(run: &mut Run<'_>, seat: &Seat, all: bool) -> Result<bool> {
    let at = run.random.u32(1..12);
    let when = if all { "1+".to_owned() } else { at.to_string() };
    let inject = Inject {
        calls: "fsync,fdatasync",
        what: "error=EIO",
        when: Some(when.clone()),
    };
    let log = run.folder.join("strace.log");
    let wrapper = strace::wrapper(&inject, &strace::database_files(&seat.spool()), &log);
    let mark = format!("flush {when} fails, {}", run.tally.tries);
    let plan = seat.through(&wrapper, &mark, &["--count", "8"])?;
    let err = plan.err_file();
    let status = run_to_end(plan, SOON)?;
    let said = std::fs::read_to_string(&err)?;
    // It may be one of opening the spool, which then is not opened, and that is said.
    ensure!(
        status.success() || said.contains("disk I/O error"),
        "with failing flushes the pusher ended with {status}: {}",
        last_line(&err)
    );
    let read = ledger::read(&seat.ledger)?;
    let kept = read.pushed.iter().filter(|e| e.after == mark).count();
    let injected = std::fs::read_to_string(&log)?.matches("(INJECTED)").count();
    if injected == 0 {
        return Ok(false);
    }
    if all {
        run.promise(kept == 0, || {
            format!("no flush succeeded, and {kept} pushes were acknowledged")
        });
    } else {
        // Or it was one of emptying the log, on which nothing depends.
        run.promise(kept < 8 || said.contains("could not be emptied"), || {
            format!("flush {when} failed, and all pushes were acknowledged")
        });
    }
    // Opened again and read: what was acknowledged is there.
    let spooled = seat.spooled()?;
    let there = |entry: &&ledger::Entry| {
        let id = entry.record_id.to_string();
        spooled.waiting.iter().any(|(waiting, _)| *waiting == id)
    };
    let found = read.pushed.iter().filter(|e| e.after == mark);
    let found = found.filter(there).count();
    run.promise(found == kept, || {
        format!("after a failed flush {found} of {kept} acknowledged records are in the spool")
    });
    Ok(true)
}

fn server_flush_fails(run: &mut Run<'_>, stage: &mut Stage, seat: &Seat) -> Result<()> {
    let at = run.random.u32(1..4);
    let inject = Inject {
        calls: "fsync,fdatasync",
        what: "error=EIO",
        when: Some(format!("{at}+3")),
    };
    stage.server.end()?;
    stage.server.wrapper = strace::wrapper(&inject, &[], &run.folder.join("strace.log"));
    let up = stage.server.start_again();
    let url = stage.proxy.url();
    if up.is_ok() {
        let words = [
            "--count",
            "12",
            "--picture-bytes",
            "20000",
            "--server",
            &url,
        ];
        let plan = seat
            .pusher("the server's flushes fail", &words)?
            .with(["--drain-s", "4"]);
        let mut pusher = plan.start()?;
        wait_for_end(&mut pusher, &seat.name, SOON)?;
    }
    stage.server.kill_hard()?;
    run.tally.totals.server_kills += 1;
    stage.server.wrapper.clear();
    stage.server.start_again()
}

/// More of a core than this is spinning; strace itself costs something.
const MOST_CPU: f64 = 0.35;

fn read_only(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let seat = stage.seat()?;
    // The spool is there: it is pushing that meets the disk, not the making of a file.
    run_to_end(seat.pusher("before", &["--count", "5"])?, SOON)?;
    while run.tally.tries < run.wanted {
        if run.tally.tries.is_multiple_of(2) {
            becomes_read_only(run, &stage, &seat)?;
        } else {
            mounted_read_only(run, &mut stage)?;
        }
        run.tried();
    }
    run.settle_whole(&stage, &[&seat]).map(drop)
}

/// Every write from some moment on says EROFS, while the pusher pushes ten times a second and sends.
fn becomes_read_only(run: &mut Run<'_>, stage: &Stage, seat: &Seat) -> Result<()> {
    let inject = Inject {
        calls: "pwrite64,write,ftruncate,fsync,fdatasync",
        what: "error=EROFS",
        when: Some("25+".into()),
    };
    let log = run.folder.join("strace.log");
    let wrapper = strace::wrapper(&inject, &strace::database_files(&seat.spool()), &log);
    let mark = format!("read-only {}", run.tally.tries);
    let url = stage.proxy.url();
    let words = ["--server", &url, "--pause-ms", "100"];
    let mut pusher = seat.through(&wrapper, &mark, &words)?.start()?;
    glasshour_tests::wait_until(SOON, "a push fails", || {
        ensure!(pusher.status()?.is_none(), "on a read-only disk it ended");
        let read = ledger::read(&seat.ledger)?;
        Ok((!read.failed.is_empty()).then_some(()))
    })?;
    let share = cpu_share(pusher.id(), Duration::from_secs(4))?;
    run.promise(share < MOST_CPU, || {
        format!("on a read-only disk it takes {share:.2} of a core")
    });
    run.note(format!("on a read-only disk it takes {share:.2} of a core"));
    run.promise(pusher.status()?.is_none(), || {
        "on a read-only disk it ended".into()
    });
    pusher.kill_hard()?;
    run.tally.totals.agent_kills += 1;
    // The disk takes writes again.
    let plan = seat.pusher("writable again", &["--count", "5"])?;
    ensure!(run_to_end(plan, SOON)?.success(), "it did not recover");
    Ok(())
}

/// A spool on a disk that was mounted read-only: it cannot be opened, and says which file.
fn mounted_read_only(run: &mut Run<'_>, stage: &mut Stage) -> Result<()> {
    let disk = Disk::ext4(run.folder, &format!("disk-{}", run.tally.tries), 16)?;
    let seat = stage.seat_at(&disk.path().join("seat"))?;
    let plan = seat.pusher("before", &["--count", "5"])?;
    ensure!(run_to_end(plan, SOON)?.success(), "it did not push");
    let mount = disk.path().as_os_str();
    disk::run("mount", ["-o".as_ref(), "remount,ro".as_ref(), mount])?;
    let plan = seat.pusher("read-only", &["--count", "5"])?;
    let err = plan.err_file();
    let status = run_to_end(plan, SOON)?;
    let words = last_line(&err);
    run.promise(!status.success() && words.contains("spool"), || {
        format!("on a read-only disk it ended with {status}: {words}")
    });
    run.note(format!("on a read-only disk: {words}"));
    disk::run("mount", ["-o".as_ref(), "remount,rw".as_ref(), mount])?;
    seat.drain(&stage.proxy.url())?;
    run.judge(stage, &[&seat])?;
    Ok(())
}

/// Which part of a core a process takes, over some time.
fn cpu_share(process: u32, over: Duration) -> Result<f64> {
    let before = ticks(process)?;
    let begin = now();
    std::thread::sleep(over);
    let used = ticks(process)?.saturating_sub(before);
    // USER_HZ is 100 on every Linux that we know.
    #[expect(clippy::cast_precision_loss, reason = "some hundreds of ticks")]
    Ok(used as f64 / 100.0 / begin.elapsed().as_secs_f64())
}

fn ticks(process: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let behind = stat.rsplit(')').next().unwrap_or_default();
    // proc(5): utime and stime are the 14th and 15th word, the name being the second.
    let words: Vec<&str> = behind.split_whitespace().collect();
    let word = |at: usize| -> Result<u64> {
        let text = words.get(at).context("a shorter stat than proc(5) says")?;
        Ok(text.parse()?)
    };
    Ok(word(11)? + word(12)?)
}
