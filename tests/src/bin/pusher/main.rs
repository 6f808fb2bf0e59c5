//! Pushes records through the real spool and sends them with the real sender, as the agent does, and notes
//! each push that returned in a ledger (`glasshour_tests::ledger`).
//!
//! It is what `./dev faults` kills, starves and cuts off where thousands of records and hundreds of deaths are
//! wanted: the library code between a capture and the server, without a desktop. Everything else it takes from
//! its folder: `device.json` (id and key), `license.gz`, `spool.sqlite`.
//!
//! It says on standard output what the harness waits for: `opened`, `pushed N`, `empty`, `stats …`.

#![forbid(unsafe_code)]

mod draft;
mod home;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use glasshour_protocol::RecordHeader;
use glasshour_protocol::jws::sha256_hex;
use glasshour_tests::ledger::{Entry, Ledger};
use glasshour_tests::wait::now;
use glasshour_uploader::send::{Line, Rhythm, Sender};
use glasshour_uploader::spool::Draft;
use glasshour_uploader::{Spool, runtime};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use home::Home;

/// Exit code where something still waits in the spool when the time is over.
const NOT_EMPTY: u8 = 2;

/// Pushes and sends synthetic records with the agent's own spool and sender
#[derive(Debug, Parser)]
#[command(name = "glasshour-pusher", max_term_width = 100)]
struct Args {
    /// Folder with `device.json` and `license.gz`; the spool is made there
    #[arg(long)]
    home: PathBuf,
    /// Where each push that returned is noted
    #[arg(long)]
    ledger: PathBuf,
    /// Noted in the ledger before anything is done
    #[arg(long, default_value = "start")]
    mark: String,
    /// Origin of the server; without it nothing is sent
    #[arg(long)]
    server: Option<String>,
    /// Certificates (PEM) of authorities that are trusted beside the system's
    #[arg(long)]
    authorities: Option<PathBuf>,
    /// The proxy to reach it by, instead of what the environment says
    #[arg(long)]
    proxy: Option<String>,
    /// How many records are pushed; without it, until the process is ended
    #[arg(long)]
    count: Option<u64>,
    /// Pushes under way at the same time
    #[arg(long, default_value_t = 1)]
    parallel: usize,
    /// Wait between two pushes of one line of work
    #[arg(long, default_value_t = 0)]
    pause_ms: u64,
    /// Bytes of each picture, about; without it minutes of activity are pushed
    #[arg(long)]
    picture_bytes: Option<usize>,
    /// Every so-many-th picture is none, and the server refuses it
    #[arg(long)]
    poison_every: Option<u64>,
    /// The first record was captured so long ago
    #[arg(long, default_value_t = 0)]
    age_ms: i64,
    /// The next one so much later
    #[arg(long, default_value_t = 0)]
    step_ms: i64,
    /// After the last push, wait so many seconds for the spool to be empty; exit code 2 where it is not
    #[arg(long)]
    drain_s: Option<u64>,
    /// Push and send nothing: print what is in the spool, one record a line
    #[arg(long)]
    list: bool,
    /// Seconds between two requests for news of the device
    #[arg(long, default_value_t = 5)]
    heartbeat_s: u64,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("glasshour-pusher: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<ExitCode> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .init();
    let mut ledger = Ledger::open(&args.ledger)?;
    ledger.mark(&args.mark)?;
    let home = Home::open(&args.home)?;
    let spool = home.spool()?;
    println!("opened");
    if args.list {
        let listed = runtime()?.block_on(list(&spool));
        return listed.map(|()| ExitCode::SUCCESS);
    }
    // As the agent: one thread, and the spool's own.
    runtime()?.block_on(work(args, &home, spool, ledger))
}

async fn work(args: &Args, home: &Home, spool: Spool, mut ledger: Ledger) -> Result<ExitCode> {
    let cancel = CancellationToken::new();
    let sending = match &args.server {
        None => None,
        Some(server) => {
            let (sender, status) =
                Sender::new(spool.clone(), home.sender_config(server, line(args)?)?)?;
            let rhythm = Rhythm {
                heartbeat: Duration::from_secs(args.heartbeat_s),
                ..Rhythm::default()
            };
            let sender = sender.with_rhythm(rhythm);
            Some((tokio::spawn(sender.run(cancel.clone())), status))
        }
    };
    push_all(args, home, &spool, &mut ledger).await?;
    let mut code = ExitCode::SUCCESS;
    if let Some(seconds) = args.drain_s
        && !drain(&spool, Duration::from_secs(seconds)).await?
    {
        code = ExitCode::from(NOT_EMPTY);
    }
    cancel.cancel();
    if let Some((task, status)) = sending {
        let _ = task.await;
        let status = status.borrow().clone();
        println!("trouble {:?} blocked {:?}", status.trouble, status.blocked);
    }
    let stats = spool.stats().await?;
    println!(
        "stats waiting {} quarantined {} delivered {}",
        stats.waiting, stats.quarantined, stats.delivered
    );
    Ok(code)
}

fn line(args: &Args) -> Result<Line> {
    let authorities = args.authorities.as_ref().map(std::fs::read).transpose()?;
    Ok(Line {
        authorities: authorities.map(Into::into),
        proxy: args.proxy.clone(),
        ..Line::default()
    })
}

/// Prints `waiting ID SEQ KIND SHA256` for what is to be sent, by the bytes that are there now, `refused ID KIND
/// CODE` for what is set aside, and `missing N` for what the spool has counted as lost with a damaged file.
async fn list(spool: &Spool) -> Result<()> {
    const AT_ONCE: usize = 100;
    loop {
        // What is lent stays lent, so each turn sees others.
        let lent = spool.lease(AT_ONCE, i64::MAX).await?;
        if lent.is_empty() {
            break;
        }
        for record in lent {
            let header: RecordHeader = serde_json::from_slice(&record.header.bytes)?;
            let sha256 = sha256_hex(&record.payload);
            let (id, seq, kind) = (record.record_id, header.seq, record.kind);
            println!("waiting {id} {seq} {kind} {sha256}");
        }
    }
    for refusal in spool.refusals(usize::MAX).await? {
        println!(
            "refused {} {} {}",
            refusal.record_id, refusal.kind, refusal.code
        );
    }
    println!("missing {}", spool.report().await?.missing);
    Ok(())
}

/// Pushes what is asked for; each push that returned is in the ledger before the next takes its place.
async fn push_all(args: &Args, home: &Home, spool: &Spool, ledger: &mut Ledger) -> Result<()> {
    let begin = now();
    let mut under_way = JoinSet::new();
    let mut made = 0_u64;
    let total = args.count.unwrap_or(u64::MAX);
    let pause = Duration::from_millis(args.pause_ms);
    while made < total || !under_way.is_empty() {
        while made < total && under_way.len() < args.parallel.max(1) {
            let draft = draft::make(args, home.license_id(), made, begin.elapsed())?;
            made += 1;
            under_way.spawn(push(spool.clone(), draft, pause));
        }
        let Some(done) = under_way.join_next().await else {
            break;
        };
        note(ledger, done.context("a push panicked")?)?;
    }
    println!("pushed {made}");
    Ok(())
}

type Pushed = (Draft, Result<Entry, glasshour_uploader::spool::SpoolError>);

async fn push(spool: Spool, draft: Draft, pause: Duration) -> Pushed {
    let pushed = spool.push(draft.clone()).await.map(|pushed| Entry {
        record_id: pushed.record_id,
        seq: pushed.seq,
        kind: draft.kind,
        sha256: sha256_hex(&draft.payload),
        after: String::new(),
    });
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    (draft, pushed)
}

fn note(ledger: &mut Ledger, (draft, pushed): Pushed) -> Result<()> {
    match pushed {
        Ok(entry) => ledger.pushed(&entry),
        Err(error) => {
            let mut why = error.to_string();
            let mut cause: &dyn std::error::Error = &error;
            while let Some(deeper) = cause.source() {
                cause = deeper;
                why = format!("{why}: {cause}");
            }
            ledger.failed(draft.kind, &why)
        }
    }
}

/// Waits until nothing is to be sent any more; false where the time is over first.
async fn drain(spool: &Spool, patience: Duration) -> Result<bool> {
    let begin = now();
    while begin.elapsed() < patience {
        if spool.stats().await?.waiting == 0 {
            println!("empty");
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(false)
}
