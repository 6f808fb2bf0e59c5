//! Starts: a second agent on one spool, a kill while an old spool is brought up to date, a backlog of a month.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use glasshour_protocol::Kind;
use glasshour_protocol::jws::sha256_hex;
use glasshour_tests::ledger::{self, Entry, Ledger};
use glasshour_tests::wait::{now, wait_until, when};
use rusqlite::{Connection, params};

use crate::case::{Case, Run};
use crate::needs::Need;
use crate::stage::{Seat, Stage, last_line, run_to_end};
use crate::strace::{self, Inject, WRITES};

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 29,
        name: "second-agent-on-one-spool",
        says: "a second program on a spool in use ends at once and says so; the first is not disturbed",
        needs: &[],
        tries: (2, 20),
        run: second,
    },
    Case {
        number: 30,
        name: "killed-during-migration",
        says: "SIGKILL at each write while a spool of the first schema is brought up to date",
        needs: &[Need::Strace],
        tries: (6, 60),
        run: during_migration,
    },
    Case {
        number: 31,
        name: "month-of-backlog",
        says: "a backlog of 30 days: first upload within two seconds of a start, live captures go first",
        needs: &[],
        tries: (500, 50_000),
        run: backlog,
    },
];

const SOON: Duration = Duration::from_mins(1);

fn second(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let seat = stage.seat()?;
    let url = stage.proxy.url();
    let words = ["--server", &url, "--pause-ms", "20"];
    let mut first = seat.pusher("first", &words)?.start()?;
    first.line(SOON, |line| (line == "opened").then(String::new))?;
    while run.tally.tries < run.wanted {
        let plan = seat.pusher("second", &["--count", "5"])?;
        let err = plan.err_file();
        let status = run_to_end(plan, Duration::from_secs(10))?;
        let words = last_line(&err);
        run.promise(
            !status.success() && words.contains("another Glasshour agent is running"),
            || format!("a second one ended with {status}: {words}"),
        );
        run.promise(first.status()?.is_none(), || "the first one ended".into());
        run.tried();
    }
    first.kill_hard()?;
    run.tally.totals.agent_kills += 1;
    run.settle_whole(&stage, &[&seat]).map(drop)
}

/// The first schema that was released, as text; the spool's own tests hold it as well.
const FIRST_SCHEMA: &str = include_str!("../../../../../uploader/tests/spool-v1.sql");

fn during_migration(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let mut seats = Vec::new();
    while run.tally.tries < run.wanted {
        let seat = stage.seat()?;
        old_spool(&stage, &seat)?;
        let files = strace::database_files(&seat.spool());
        for at in 1..=200_u32 {
            if run.tally.tries >= run.wanted {
                break;
            }
            let inject = Inject {
                calls: WRITES,
                what: "signal=KILL",
                when: Some(at.to_string()),
            };
            let wrapper = strace::wrapper(&inject, &files, &run.folder.join("strace.log"));
            // Opening is all it does: what it writes is the migration.
            let plan = seat.through(&wrapper, &format!("killed at write {at}"), &["--list"])?;
            let err = plan.err_file();
            let status = run_to_end(plan, SOON)?;
            if status.signal() != Some(9) {
                ensure!(
                    status.success(),
                    "the old spool was not opened: {status}: {}",
                    last_line(&err)
                );
                break;
            }
            run.tally.totals.agent_kills += 1;
            run.tried();
        }
        seats.push(seat);
    }
    let seats: Vec<&Seat> = seats.iter().collect();
    run.settle_whole(&stage, &seats).map(drop)
}

/// Makes a spool as the first version wrote it, with ten records of the seat's own device, and notes them in the
/// ledger.
fn old_spool(stage: &Stage, seat: &Seat) -> Result<()> {
    let device = seat.device(stage.company)?;
    let license = glasshour_license_format::read(stage.license())?
        .claims()
        .license_id;
    let made = seat.home.join("made.sqlite");
    let database = Connection::open(&made)?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.execute_batch(&schema_of(FIRST_SCHEMA))?;
    let mut ledger = Ledger::open(&seat.ledger)?;
    ledger.mark("an old version")?;
    let mut prev = None;
    for seq in 1..=10_u32 {
        let to_ms = glasshour_tests::wait::wall_ms() - i64::from(seq) * 60_000;
        let name = format!("{} {seq}", device.id());
        let payload = serde_json::to_vec(&serde_json::json!({
            "from_ms": to_ms - 60_000, "to_ms": to_ms,
            "applications": [{"name": name, "active_ms": 1}],
        }))?;
        let mut header = device.header(
            license,
            u64::from(seq),
            Kind::Activity,
            ("application/json", &payload),
        );
        header.prev = prev;
        let put = device.sign_header(&header, &payload);
        let bytes = glasshour_protocol::jws::from_base64url(&put.record)?;
        database.execute(
            "INSERT INTO records (record_id, license_id, seq, kind, captured_at_ms, hold_until_ms, header,
                 signature, content_type, payload)
             VALUES (?1, ?2, ?3, 'activity', ?4, 0, ?5, ?6, 'application/json', ?7)",
            params![
                put.record_id.to_string(),
                license.to_string(),
                seq,
                header.captured_at_ms,
                bytes,
                put.signature,
                payload
            ],
        )?;
        let hash = sha256_hex(&bytes);
        database.execute(
            "INSERT INTO chains (license_id, last_seq, last_hash) VALUES (?1, ?2, ?3)
             ON CONFLICT (license_id) DO UPDATE SET last_seq = ?2, last_hash = ?3",
            params![license.to_string(), seq, hash],
        )?;
        prev = Some(hash);
        ledger.pushed(&Entry {
            record_id: put.record_id,
            seq: u64::from(seq),
            kind: Kind::Activity,
            sha256: sha256_hex(&payload),
            after: String::new(),
        })?;
    }
    // Copied while it is open, so that the log is there as after a crash.
    for (from, to) in strace::database_files(&made)
        .iter()
        .zip(strace::database_files(&seat.spool()))
        .take(2)
    {
        std::fs::copy(from, to)?;
    }
    Ok(())
}

/// The tables and the version of the file, without the rows that it brings for the spool's own tests.
fn schema_of(text: &str) -> String {
    let statements = text.split_inclusive(';');
    let kept = statements.filter(|one| !one.contains("INSERT INTO"));
    kept.collect()
}

fn backlog(run: &mut Run<'_>) -> Result<()> {
    const MONTH_MS: i64 = 30 * 24 * 3600 * 1000;
    const LIVE: usize = 20;
    let mut stage = Stage::set(run.folder)?;
    let seat = stage.seat()?;
    seat.drain(&stage.proxy.url())?;
    let count = i64::try_from(run.wanted)?;
    let (age, step) = (MONTH_MS.to_string(), (MONTH_MS / count).to_string());
    let number = run.wanted.to_string();
    let words = ["--count", &number, "--parallel", "64", "--age-ms", &age];
    let plan = seat
        .pusher("a month without a network", &words)?
        .with(["--step-ms", &step]);
    ensure!(
        run_to_end(plan, SOON * 20)?.success(),
        "the backlog was not pushed"
    );

    let url = stage.proxy.url();
    let begin = now();
    let from = stage.proxy.answered().len();
    let live_words = ["--server", &url, "--pause-ms", "500"];
    let mut pusher = seat.pusher("live", &live_words)?.start()?;
    let first = first_answer(&stage, from)?;
    let took = first - begin;
    run.promise(took <= Duration::from_secs(2), || {
        format!("the first upload came {took:?} after the start, with {count} records waiting")
    });
    run.note(format!("first upload {took:.2?} after the start"));
    // Live captures overtake: each is at the server soon, while the backlog still drains.
    wait_until(SOON * 5, "live captures are pushed", || {
        Ok(when(live(&seat)?.len() >= LIVE))
    })?;
    let pushed = live(&seat)?;
    std::thread::sleep(Duration::from_secs(2));
    let acknowledged = stage.proxy.acknowledged();
    let all = ledger::read(&seat.ledger)?.pushed;
    let still = all
        .iter()
        .filter(|entry| !acknowledged.contains_key(&entry.record_id))
        .count();
    let arrived = pushed
        .iter()
        .filter(|entry| acknowledged.contains_key(&entry.record_id))
        .count();
    let whole = arrived == pushed.len();
    run.promise(whole || still < LIVE, || {
        format!(
            "with {still} records waiting, {arrived} of {} live captures had arrived after two seconds",
            pushed.len()
        )
    });
    run.note(format!(
        "{arrived} of {} live captures had arrived while {still} records still waited",
        pushed.len()
    ));
    pusher.kill_hard()?;
    run.tally.totals.agent_kills += 1;
    drain_while_counting(run, &stage, &seat)?;
    run.tally.tries = run.wanted;
    run.settle_whole(&stage, &[&seat]).map(drop)
}

/// The backlog is larger than what `drain` waits for.
fn drain_while_counting(run: &mut Run<'_>, stage: &Stage, seat: &Seat) -> Result<()> {
    let url = stage.proxy.url();
    let words = ["--count", "0", "--server", &url, "--drain-s", "3000"];
    let begin = now();
    let mut pusher = seat.pusher("drain the backlog", &words)?.start()?;
    let status = wait_until(Duration::from_mins(50), "the backlog drains", || {
        let acknowledged = stage.proxy.acknowledgements() as u64;
        run.bar.set_position(acknowledged.min(run.wanted));
        pusher.status()
    })?;
    ensure!(status.success(), "the backlog did not drain: {status}");
    run.note(format!("drained in {:.0?}", begin.elapsed()));
    Ok(())
}

fn live(seat: &Seat) -> Result<Vec<Entry>> {
    let mut pushed = ledger::read(&seat.ledger)?.pushed;
    pushed.retain(|entry| entry.after == "live");
    Ok(pushed)
}

fn first_answer(stage: &Stage, from: usize) -> Result<Instant> {
    wait_until(SOON, "the first upload", || {
        Ok(stage.proxy.answered().get(from).map(|answer| answer.asked))
    })
    .context("nothing was uploaded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_schema_is_without_rows() {
        let schema = schema_of(FIRST_SCHEMA);
        assert!(schema.contains("CREATE TABLE records"));
        assert!(!schema.contains("INSERT INTO"));
    }
}
