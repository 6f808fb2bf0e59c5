//! Servers that run short: of file descriptors, of memory.

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use glasshour_tests::wait::{wait_until, when};

use crate::case::{Case, Run};
use crate::needs::Need;
use crate::stage::{Seat, Stage, run_to_end, wait_for_end};

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 27,
        name: "no-file-descriptors",
        says: "a server with 64 file descriptors and 100 idle connections; a pusher with few: both come through",
        needs: &[Need::Prlimit],
        tries: (2, 10),
        run: descriptors,
    },
    Case {
        number: 28,
        name: "64-mb-of-memory",
        says: "a server with 64 MB of memory and 100 uploads of a megabyte at once: it lives, and all arrive",
        needs: &[Need::MemoryLimit],
        tries: (1, 5),
        run: memory,
    },
];

const SOON: Duration = Duration::from_mins(2);

fn descriptors(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set_at(run.folder, &run.folder.join("server"), |server| {
        server.wrapper = vec!["prlimit".into(), "--nofile=64".into()];
    })?;
    let seat = stage.seat()?;
    let url = stage.proxy.url();
    let address = stage.server.url().trim_start_matches("http://").to_owned();
    while run.tally.tries < run.wanted {
        if run.tally.tries.is_multiple_of(2) {
            let words = ["--server", &url, "--pause-ms", "20"];
            let mut pusher = seat
                .pusher("the server has no descriptors", &words)?
                .with(["--picture-bytes", "10000"])
                .start()?;
            let idle: Vec<TcpStream> = (0..100)
                .filter_map(|_| TcpStream::connect(&address).ok())
                .collect();
            std::thread::sleep(Duration::from_secs(4));
            run.promise(stage.server.is_running()?, || {
                "without descriptors the server ended".into()
            });
            drop(idle);
            let from = stage.proxy.acknowledgements();
            let again = wait_until(SOON, "the server takes records again", || {
                Ok(when(stage.proxy.acknowledgements() > from + 5))
            });
            run.promise(again.is_ok(), || {
                "the server did not recover when descriptors were free again".into()
            });
            pusher.kill_hard()?;
            run.tally.totals.agent_kills += 1;
        } else {
            // Enough to open the spool, not enough for all of it and connections too.
            let words = ["--count", "30", "--server", &url, "--drain-s", "3"];
            let few = 9 + run.random.u32(0..8);
            let wrapper = ["prlimit".into(), format!("--nofile={few}").into()];
            let plan = seat.through(&wrapper, &format!("{few} descriptors"), &words)?;
            let mut pusher = plan.start()?;
            let status = wait_for_end(&mut pusher, &seat.name, SOON)?;
            run.note(format!(
                "a pusher with {few} descriptors ended with {status}"
            ));
            // Of a Rust program that panicked.
            run.promise(status.code() != Some(101), || {
                format!("a pusher with {few} descriptors panicked")
            });
        }
        run.tried();
    }
    run.settle_whole(&stage, &[&seat]).map(drop)
}

/// A memory cgroup (version 1) of our own. Dropping it removes it.
struct Group(PathBuf);

impl Group {
    fn new(limit: u64) -> Result<Self> {
        let name = format!("glasshour-faults-{}", std::process::id());
        let path = Path::new("/sys/fs/cgroup/memory").join(name);
        std::fs::create_dir(&path)?;
        let group = Self(path);
        std::fs::write(group.0.join("memory.limit_in_bytes"), limit.to_string())?;
        Ok(group)
    }

    fn add(&self, process: u32) -> Result<()> {
        Ok(std::fs::write(
            self.0.join("cgroup.procs"),
            process.to_string(),
        )?)
    }

    fn most(&self) -> Result<u64> {
        let text = std::fs::read_to_string(self.0.join("memory.max_usage_in_bytes"))?;
        Ok(text.trim().parse()?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

const MIB: u64 = 1024 * 1024;

fn memory(run: &mut Run<'_>) -> Result<()> {
    const SEATS: usize = 25;
    let mut stage = Stage::set(run.folder)?;
    let url = stage.proxy.url();
    let group = Group::new(64 * MIB)?;
    let mut seats = Vec::new();
    for _ in 0..SEATS {
        let seat = stage.seat()?;
        // Four at a time, as every sender does: a hundred uploads.
        let plan = seat.pusher("a backlog", &["--count", "4", "--picture-bytes", "1000000"])?;
        ensure!(
            run_to_end(plan, SOON)?.success(),
            "the backlog was not pushed"
        );
        seats.push(seat);
    }
    while run.tally.tries < run.wanted {
        if let Some(server) = stage.server.process_id() {
            group.add(server)?;
        }
        let mut pushers = Vec::new();
        for seat in &seats {
            let words = ["--count", "4", "--server", &url, "--drain-s", "500"];
            let plan = seat
                .pusher("a hundred at once", &words)?
                .with(["--picture-bytes", "1000000"]);
            pushers.push(plan.start()?);
        }
        for (seat, pusher) in seats.iter().zip(&mut pushers) {
            // That all arrive is what counts, however often they are told to come back.
            wait_for_end(pusher, &seat.name, SOON * 5)?;
            if !stage.server.is_running()? {
                break;
            }
        }
        let alive = stage.server.is_running()?;
        run.promise(alive, || {
            "the server was killed for its memory: 64 MB, 100 uploads of 1 MB".into()
        });
        let statuses: BTreeSet<u16> = stage.proxy.answered().iter().map(|a| a.status).collect();
        let most = group.most()? / MIB;
        run.note(format!("answers {statuses:?}, at most {most} MiB"));
        run.tried();
        if !alive {
            run.tally.totals.server_kills += 1;
            stage.server.start_again()?;
            break;
        }
    }
    // Out of the group, so that the audit is not held up.
    stage.server.kill_hard()?;
    run.tally.totals.server_kills += 1;
    stage.server.start_again()?;
    drop(group);
    let seats: Vec<&Seat> = seats.iter().collect();
    run.settle_whole(&stage, &seats).map(drop)
}
