//! What the server's answers do on the way, and answers that are none of success: replies that are lost after the
//! record was stored, 500, 503 and 429 with `Retry-After`, records that are refused for good.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;

use crate::case::{Case, Run};
use crate::proxy::Fault;
use crate::stage::{Seat, Stage, wait_for_end};

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 17,
        name: "busy-with-retry-after",
        says: "500, 503, 429 and 507, with Retry-After in seconds, as a date, and without: nobody comes back sooner",
        needs: &[],
        tries: (3, 10),
        run: retry_after,
    },
    Case {
        number: 18,
        name: "reply-lost",
        says: "replies cut at random after the record was stored; counted in records",
        needs: &[],
        tries: (300, 100_000),
        run: reply_lost,
    },
    Case {
        number: 22,
        name: "poison-record",
        says: "some pictures are none: set aside with their reason, and the others arrive",
        needs: &[],
        tries: (2, 20),
        run: poison,
    },
];

const MINUTE: Duration = Duration::from_mins(1);

/// An answer, and how long it asks to stay away.
struct Busy {
    status: u16,
    code: Option<&'static str>,
    seconds: Option<u64>,
    as_date: bool,
}

const fn busy(
    status: u16,
    code: Option<&'static str>,
    seconds: Option<u64>,
    as_date: bool,
) -> Busy {
    Busy {
        status,
        code,
        seconds,
        as_date,
    }
}

const ANSWERS: [Busy; 5] = [
    busy(503, Some("busy"), Some(3), false),
    busy(429, Some("busy"), Some(4), true),
    busy(500, Some("internal"), None, false),
    busy(502, None, Some(3), false),
    busy(507, Some("storage_full"), Some(3), false),
];

fn retry_after(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let mut seats = Vec::new();
    for answer in ANSWERS.iter().cycle() {
        if run.tally.tries >= run.wanted {
            break;
        }
        let seat = stage.seat()?;
        seat.drain(&stage.proxy.url())?;
        let from = stage.proxy.answered().len();
        let mut refused = false;
        let (status, code, seconds, as_date) =
            (answer.status, answer.code, answer.seconds, answer.as_date);
        stage.proxy.decide(move |request| {
            if request.record.is_none() || refused {
                return Fault::Pass;
            }
            refused = true;
            let retry_after = seconds.map(|seconds| {
                if as_date {
                    http_date(seconds)
                } else {
                    seconds.to_string()
                }
            });
            Fault::Answer {
                status,
                retry_after,
                code,
            }
        });
        let url = stage.proxy.url();
        let words = ["--count", "12", "--server", &url, "--drain-s", "60"];
        let plan = seat.pusher(&format!("answer {status}"), &words)?;
        let mut process = plan.start()?;
        let ended = wait_for_end(&mut process, &seat.name, MINUTE * 2)?;
        ensure!(
            ended.success(),
            "after {status} the pusher ended with {ended}"
        );
        stage.proxy.heal();

        let answers = stage.proxy.answered();
        let since = answers.get(from..).unwrap_or_default();
        let told = since
            .iter()
            .find(|answer| !answer.by_server)
            .context("the answer on purpose was not given")?;
        // Those that were on their way at that instant may still come; the next batch may not.
        let next = since
            .iter()
            .map(|answer| answer.asked)
            .filter(|asked| *asked > told.at + Duration::from_millis(500))
            .min();
        let stayed = next.map(|next: Instant| next - told.at);
        // A date has whole seconds.
        let least = Duration::from_secs(seconds.unwrap_or(0).saturating_sub(u64::from(as_date)));
        run.promise(stayed.is_none_or(|stayed| stayed >= least), || {
            format!("after {status}, Retry-After {seconds:?}, it came back after {stayed:?}")
        });
        run.promise(stayed.is_some(), || {
            format!("after {status} it never came back")
        });
        run.tally.recovered.extend(stayed);
        run.tried();
        seats.push(seat);
    }
    let seats: Vec<&Seat> = seats.iter().collect();
    run.settle_whole(&stage, &seats).map(drop)
}

/// RFC 9110, section 5.6.7, so many seconds from now.
fn http_date(seconds: u64) -> String {
    let then = Timestamp::now() + Duration::from_secs(seconds);
    then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// One reply of so many is cut, by thousandths.
const CUT_PER_MILLE: u64 = 10;

fn reply_lost(run: &mut Run<'_>) -> Result<()> {
    const SEATS: u64 = 8;
    let mut stage = Stage::set(run.folder)?;
    let cut = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&cut);
    let mut random = run.random.fork();
    // A quick run has few records, so it cuts more of their replies.
    let per_mille = if run.wanted < 10_000 {
        100
    } else {
        CUT_PER_MILLE
    };
    stage.proxy.decide(move |request| {
        if request.record.is_none() || random.u64(0..1000) >= per_mille {
            return Fault::Pass;
        }
        counter.fetch_add(1, Ordering::Relaxed);
        if random.bool() {
            Fault::LoseReply
        } else {
            Fault::CutReply
        }
    });
    let count = run.wanted.div_ceil(SEATS).to_string();
    let url = stage.proxy.url();
    let mut working = Vec::new();
    for _ in 0..SEATS {
        let seat = stage.seat()?;
        let words = ["--count", &count, "--parallel", "8", "--server", &url];
        let plan = seat
            .pusher("replies cut", &words)?
            .with(["--drain-s", "3000"]);
        working.push((seat, plan.start()?));
    }
    for (seat, process) in &mut working {
        let deadline = Duration::from_mins(50);
        loop {
            let acknowledged = stage.proxy.acknowledgements() as u64;
            run.bar.set_position(acknowledged.min(run.wanted));
            match wait_for_end(process, &seat.name, Duration::from_secs(5)) {
                Ok(status) => {
                    ensure!(status.success(), "{} ended with {status}", seat.name);
                    break;
                }
                Err(error) if deadline < Duration::from_secs(1) => return Err(error),
                Err(_) => {}
            }
        }
    }
    stage.proxy.heal();
    let again = stage.proxy.acknowledgements() - stage.proxy.acknowledged().len();
    run.tally.tries = cut.load(Ordering::Relaxed);
    run.tally.totals.replies_cut = run.tally.tries;
    run.note(format!(
        "{} replies were cut, and the server acknowledged {again} records again",
        run.tally.tries
    ));
    let seats: Vec<&Seat> = working.iter().map(|(seat, _)| seat).collect();
    run.settle_whole(&stage, &seats).map(drop)
}

fn poison(run: &mut Run<'_>) -> Result<()> {
    const EVERY: u64 = 4;
    let mut stage = Stage::set(run.folder)?;
    let seat = stage.seat()?;
    let url = stage.proxy.url();
    let count = (run.wanted * EVERY).to_string();
    let every = EVERY.to_string();
    let words = [
        "--count",
        &count,
        "--poison-every",
        &every,
        "--server",
        &url,
    ];
    let plan = seat
        .pusher("poison", &words)?
        .with(["--picture-bytes", "5000", "--drain-s", "60"]);
    let status = crate::stage::run_to_end(plan, MINUTE * 2)?;
    ensure!(status.success(), "the pusher ended with {status}");
    let found = run.settle(&stage, &[&seat])?;
    run.tally.tries = run.wanted;
    let wanted = usize::try_from(run.wanted)?;
    run.promise(found.refused == wanted, || {
        format!("{wanted} poisoned records, and {} set aside", found.refused)
    });
    run.promise(found.stored + wanted == found.pushed, || {
        format!("{} pushed, {} stored", found.pushed, found.stored)
    });
    let refused = seat.spooled()?.refused;
    let codes: std::collections::BTreeSet<&str> =
        refused.iter().map(|(_, code)| code.as_str()).collect();
    run.note(format!("set aside with the code {codes:?}"));
    Ok(())
}
