//! Bytes that are not what was written: in a spool's database, in its log, in a picture at the server.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_tests::{ledger, programs};

use crate::case::{Case, Run};
use crate::oracle;
use crate::stage::{Seat, Stage, last_line, run_to_end};
use crate::strace;

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 11,
        name: "spool-overwritten",
        says: "4 KB of noise at a random place of a spool with a backlog: capture goes on, the rest arrives",
        needs: &[],
        tries: (4, 60),
        run: overwritten,
    },
    Case {
        number: 12,
        name: "spool-truncated",
        says: "a spool's log or database is cut off at a random place: capture goes on, the rest arrives",
        needs: &[],
        tries: (4, 60),
        run: truncated,
    },
    Case {
        number: 13,
        name: "bit-rot-of-a-picture",
        says: "one bit of a stored picture: never shown, named by doctor, the others are",
        needs: &[],
        tries: (3, 30),
        run: bit_rot,
    },
];

const SOON: Duration = Duration::from_mins(1);
const BACKLOG: usize = 60;

fn overwritten(run: &mut Run<'_>) -> Result<()> {
    let mut turn = 0;
    damaged(run, move |random, seat| {
        turn += 1;
        if turn % 2 == 1 {
            // Everything is in the database then, nothing in the log.
            let database = rusqlite::Connection::open(seat.spool())?;
            database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        let mut files = strace::database_files(&seat.spool());
        files.retain(|path| path.is_file() && !path.to_string_lossy().ends_with("-shm"));
        // Every page of either is as likely as any other.
        let pages = |path: &PathBuf| std::fs::metadata(path).map_or(0, |m| m.len() / 4096);
        let all: u64 = files.iter().map(pages).sum();
        let mut page = random.u64(0..all.max(1));
        for path in files {
            let here = pages(&path);
            if page >= here {
                page -= here;
                continue;
            }
            let mut noise = vec![0; 4096];
            random.fill(&mut noise);
            let file = File::options().write(true).open(&path)?;
            file.write_all_at(&noise, page * 4096)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            return Ok(format!("page {page} of {here} of {name} is noise"));
        }
        anyhow::bail!("the spool has no pages")
    })
}

fn truncated(run: &mut Run<'_>) -> Result<()> {
    let mut turn = 0;
    damaged(run, move |random, seat| {
        turn += 1;
        let log = seat.home.join("spool.sqlite-wal");
        let path = if turn % 2 == 1 { log } else { seat.spool() };
        let file = File::options().write(true).open(&path)?;
        let len = file.metadata()?.len();
        let to = random.u64(0..len.max(1));
        file.set_len(to)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(format!("{name} is cut from {len} to {to} bytes"))
    })
}

/// A backlog, damage, and a new start: it must go on, and what was not hit must arrive.
fn damaged(
    run: &mut Run<'_>,
    mut damage: impl FnMut(&mut fastrand::Rng, &Seat) -> Result<String>,
) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let mut hurt = Vec::new();
    let (mut stuck, mut destroyed, mut counted) = (0, 0, 0);
    while run.tally.tries < run.wanted {
        let seat = stage.seat()?;
        // Killed, so that the log is there as well, with what no checkpoint has carried over.
        let mut pusher = seat
            .pusher("backlog", &["--pause-ms", "1", "--picture-bytes", "3000"])?
            .start()?;
        glasshour_tests::wait_until(SOON, "a backlog", || {
            let read = ledger::read(&seat.ledger)?;
            Ok((read.pushed.len() >= BACKLOG).then_some(()))
        })?;
        pusher.kill_hard()?;
        run.tally.totals.agent_kills += 1;
        let what = damage(&mut run.random, &seat)?;
        let url = stage.proxy.url();
        let words = ["--count", "10", "--server", &url, "--drain-s", "60"];
        let plan = seat.pusher("after the damage", &words)?;
        let (out, err) = (plan.out_file(), plan.err_file());
        let status = run_to_end(plan, SOON * 2)?;
        run.tried();
        let read = ledger::read(&seat.ledger)?;
        let since = read.pushed.iter().filter(|e| e.after == "after the damage");
        let kept = since.count();
        run.promise(status.success() && kept == 10, || {
            format!(
                "{what}: capture does not go on ({status}, {kept} of 10 kept): {} {}",
                last_line(&out),
                last_line(&err)
            )
        });
        if !status.success() {
            // It lies there as it is; whether anything of it is lost is for whoever can read it.
            stuck += read.pushed.len();
            continue;
        }
        // What the disk destroyed cannot arrive; what is gone without being counted by the spool is lost.
        let found = oracle::audit(&stage, &[&seat])?;
        let gone = found.lost.len() as u64;
        let lost = gone.saturating_sub(found.counted_missing);
        destroyed += gone;
        counted += found.counted_missing;
        run.tally.lost += lost;
        run.tally.records += read.pushed.len() as u64;
        if lost > 0 {
            hurt.push(format!("{what}: {lost} of {}", read.pushed.len()));
        }
    }
    let stored = stage.api().records(&stage.employee)?;
    let payloads: BTreeSet<_> = stored.iter().map(|r| &r.payload_sha256).collect();
    run.tally.duplicated += (stored.len() - payloads.len()) as u64;
    run.note(format!(
        "{destroyed} records were destroyed altogether; the spools say of {counted} that they are missing"
    ));
    if !hurt.is_empty() {
        run.note(format!("gone, and counted nowhere: {}", hurt.join("; ")));
    }
    if stuck > 0 {
        run.note(format!("{stuck} records lie in spools that are not opened"));
    }
    Ok(())
}

fn bit_rot(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let seat = stage.seat()?;
    let url = stage.proxy.url();
    let count = (run.wanted + 2).to_string();
    let words = [
        "--count",
        &count,
        "--picture-bytes",
        "8000",
        "--server",
        &url,
    ];
    let plan = seat.pusher("pictures", &words)?.with(["--drain-s", "60"]);
    ensure!(
        run_to_end(plan, SOON * 2)?.success(),
        "the pictures did not arrive"
    );
    run.settle_whole(&stage, &[&seat])?;
    let api = stage.api();
    let mut records = api.records(&stage.employee)?;
    run.random.shuffle(&mut records);
    let (rotten, sound) = records
        .split_at_checked(usize::try_from(run.wanted)?)
        .context("fewer pictures than were pushed")?;
    for record in rotten {
        let path = object(&stage.server.data().join("objects"), &record.payload_sha256)?;
        let file = File::options().read(true).write(true).open(&path)?;
        let at = run.random.u64(0..record.payload_len);
        let mut byte = [0];
        file.read_exact_at(&mut byte, at)?;
        let [byte] = byte;
        file.write_all_at(&[byte ^ (1 << run.random.u8(0..8))], at)?;
        let shown = api.payload(record);
        run.promise(shown.is_err(), || {
            "a picture that is not what was stored was shown".into()
        });
        run.tried();
    }
    for record in sound {
        run.promise_ok(api.payload(record), "a sound picture is not shown");
    }
    let output = Command::new(programs::ours("glasshour-server")?)
        .args(["doctor", "--data"])
        .arg(stage.server.data())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let named = rotten
        .iter()
        .filter(|record| said.contains(&record.payload_sha256) || said.contains(&record.record_id))
        .count();
    run.promise(!output.status.success(), || "doctor finds nothing".into());
    // It counts them all, and names the first five.
    let counted = said.contains(&format!("{} are not as they were stored", rotten.len()));
    run.promise(counted && named == rotten.len().min(5), || {
        format!(
            "doctor names {named} of {} damaged pictures: {said}",
            rotten.len()
        )
    });
    Ok(())
}

/// The file of an object, wherever below the folder it lies.
fn object(folder: &Path, sha256: &str) -> Result<PathBuf> {
    let (fan, rest) = sha256.split_at_checked(2).context("a hash")?;
    for company in std::fs::read_dir(folder)? {
        let path = company?.path().join(fan).join(rest);
        if path.is_file() {
            return Ok(path);
        }
    }
    anyhow::bail!("the object {sha256} is not there")
}
