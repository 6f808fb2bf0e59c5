//! Full disks: under a spool, and under the server's data.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_tests::ledger;
use glasshour_tests::wait::{wait_until, when};
use rusqlite::Connection;

use crate::case::{Case, Run};
use crate::disk::Disk;
use crate::needs::Need;
use crate::stage::{Stage, run_to_end};

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 6,
        name: "agent-disk-full",
        says: "the disk under a spool fills up: what cannot be kept is said so, the rest arrives while it is full",
        needs: &[Need::MemoryDisk],
        tries: (1, 10),
        run: agent,
    },
    Case {
        number: 7,
        name: "server-disk-full",
        says: "the disk under the server's data fills up: 507 or 503, reads go on, nothing half-written",
        needs: &[Need::MemoryDisk],
        tries: (1, 10),
        run: server,
    },
];

const SOON: Duration = Duration::from_mins(1);

fn agent(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let mut seats = Vec::new();
    let mut disks = Vec::new();
    while run.tally.tries < run.wanted {
        let number = run.tally.tries;
        let disk = Disk::memory(run.folder, &format!("disk-{number}"), 6 * 1024)?;
        let seat = stage.seat_at(&disk.path().join("seat"))?;
        // Minutes and pictures, until nothing more fits; nothing is sent meanwhile.
        for words in [
            &["--count", "40", "--picture-bytes", "300000"][..],
            &["--count", "3000"],
        ] {
            let status = run_to_end(seat.pusher("until it is full", words)?, SOON)?;
            ensure!(
                status.success(),
                "on a full disk the pusher ended with {status}"
            );
        }
        let read = ledger::read(&seat.ledger)?;
        let (kept, refused) = (read.pushed.len(), read.failed.len());
        run.promise(refused > 0, || {
            "the disk was never full, so nothing was shown".into()
        });
        let other: BTreeSet<&str> = read
            .failed
            .iter()
            .map(|(_, why)| why.as_str())
            .filter(|why| !why.starts_with("the disk is full"))
            .collect();
        run.promise(other.is_empty(), || {
            format!("a push on a full disk failed with another reason: {other:?}")
        });
        run.note(format!(
            "{kept} records kept, {refused} refused as the disk was full"
        ));
        // It is still full: sending must make room by itself.
        let sent = seat.drain_within(&stage.proxy.url(), SOON);
        let what = "with its disk full, the spool could not be sent";
        if run.promise_ok(sent, what).is_none() {
            disk.resize(64 * 1024)?;
            seat.drain(&stage.proxy.url())?;
        }
        let again = run_to_end(seat.pusher("room again", &["--count", "20"])?, SOON)?;
        ensure!(
            again.success(),
            "with room again the pusher ended with {again}"
        );
        let after = ledger::read(&seat.ledger)?;
        let since = after.pushed.iter().filter(|e| e.after == "room again");
        let count = since.count();
        run.promise(count == 20, || {
            format!("with room again, {count} of 20 records were kept")
        });
        run.tried();
        seats.push(seat);
        disks.push(disk);
    }
    let seats: Vec<_> = seats.iter().collect();
    run.settle_whole(&stage, &seats).map(drop)
}

fn server(run: &mut Run<'_>) -> Result<()> {
    let disk = Disk::memory(run.folder, "disk", 64 * 1024)?;
    let mut stage = Stage::set_at(run.folder, &disk.path().join("data"), |_| ())?;
    let seat = stage.seat()?;
    let url = stage.proxy.url();
    let first = run_to_end(
        seat.pusher(
            "before",
            &["--count", "5", "--picture-bytes", "50000", "--server", &url],
        )?
        .with(["--drain-s", "60"]),
        SOON,
    )?;
    ensure!(first.success(), "with room the pusher ended with {first}");
    let mut looked = 0;
    while run.tally.tries < run.wanted {
        let number = run.tally.tries;
        let ballast = disk.path().join("ballast");
        // As `fallocate` would: every free page is taken but a few.
        let free = 100 * 1024 + run.random.u64(0..400 * 1024);
        fill(&ballast, free)?;
        let words = ["--server", &url, "--pause-ms", "20"];
        let mut pusher = seat
            .pusher(&format!("full {number}"), &words)?
            .with(["--picture-bytes", "50000"])
            .start()?;
        let from = stage.proxy.answered().len();
        let refused = wait_until(SOON, "the server says that it is full", || {
            let answers = stage.proxy.answered();
            let since = answers.get(from..).unwrap_or_default();
            Ok(when(since.iter().any(|a| !(200..300).contains(&a.status))))
        });
        run.promise(refused.is_ok(), || "a full server never said so".into());
        // Reads go on.
        let api = stage.api();
        let known = api.records(&stage.employee)?;
        let record = known
            .iter()
            .find(|r| r.has_picture())
            .context("a picture")?;
        for _ in 0..3 {
            let shown = api.payload(record);
            let what = "with its disk full the server shows no picture";
            looked += i64::from(run.promise_ok(shown, what).is_some());
        }
        std::thread::sleep(Duration::from_millis(500));
        let statuses: BTreeSet<u16> = stage
            .proxy
            .answered()
            .iter()
            .skip(from)
            .map(|answer| answer.status)
            .collect();
        let unexpected: Vec<u16> = statuses
            .iter()
            .copied()
            .filter(|status| ![200, 201, 503, 507].contains(status))
            .collect();
        run.promise(unexpected.is_empty(), || {
            format!("a full server answered with {unexpected:?}")
        });
        run.note(format!(
            "with its disk full the server answered with {statuses:?}"
        ));
        pusher.kill_hard()?;
        run.tally.totals.agent_kills += 1;
        if number % 2 == 1 {
            // It also starts on a full disk, or says why not, and has what it acknowledged.
            stage.server.kill_hard()?;
            run.tally.totals.server_kills += 1;
            let up = stage.server.start_again();
            run.note(format!("started on a full disk: {}", up.is_ok()));
            std::fs::remove_file(&ballast)?;
            if up.is_err() {
                stage.server.start_again()?;
            }
        } else {
            std::fs::remove_file(&ballast)?;
        }
        run.tried();
        let took = seat.drain(&url)?;
        run.tally.recovered.push(took);
    }
    run.settle_whole(&stage, &[&seat])?;
    stage.server.end()?;
    let written = looks(&disk.path().join("data/glasshour.sqlite"))?;
    run.note(format!(
        "{looked} looks at pictures, {written} written down"
    ));
    run.promise(written == looked, || {
        format!("of {looked} looks at pictures {written} are written down")
    });
    Ok(())
}

/// How often pictures were looked at, as the person is shown it.
fn looks(database: &Path) -> Result<i64> {
    let database = Connection::open(database)?;
    let sum = "SELECT COALESCE(SUM(times), 0) FROM views WHERE what = 'pictures'";
    Ok(database.query_row(sum, [], |row| row.get(0))?)
}

/// Takes the whole disk but for some bytes.
fn fill(ballast: &Path, but: u64) -> Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::File::create(ballast)?;
    let block = vec![0_u8; 64 * 1024];
    let mut written = 0_u64;
    while file.write_all(&block).is_ok() {
        written += block.len() as u64;
    }
    file.set_len(written.saturating_sub(but))?;
    Ok(())
}
