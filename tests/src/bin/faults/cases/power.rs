//! Power cuts: the disk under the spool, and the disk under the server's data, stop at an instant; what was not
//! flushed never reached them.
//!
//! The process is frozen first: a computer without power computes no more. Otherwise it could hear, of a flush that
//! was under way at that instant, that all is well, and acknowledge what is not there.

use std::time::Duration;

use anyhow::Result;
use glasshour_tests::wait::{wait_until, when};

use super::kills::{end_load, start_load};
use crate::case::{Case, Run};
use crate::disk::Disk;
use crate::needs::Need;
use crate::stage::{Seat, Stage};

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 2,
        name: "agent-power-cut",
        says: "the disk under a spool loses power at a random moment of pushing, and of pushing and sending",
        needs: &[Need::LoopDisk],
        tries: (4, 60),
        run: agent,
    },
    Case {
        number: 4,
        name: "server-power-cut",
        says: "the disk under the server's data loses power while four devices send",
        needs: &[Need::LoopDisk],
        tries: (3, 60),
        run: server,
    },
];

const SOON: Duration = Duration::from_mins(1);
const DISK_MIB: u64 = 512;

fn agent(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let mut disk = Disk::ext4(run.folder, "disk", DISK_MIB)?;
    let seat = stage.seat_at(&disk.path().join("seat"))?;
    // The folder's own name is durable, as on a machine that was set up yesterday.
    std::fs::File::open(disk.path())?.sync_all()?;
    let url = stage.proxy.url();
    while run.tally.tries < run.wanted {
        let number = run.tally.tries;
        let mut words = vec!["--parallel", "3"];
        if number % 2 == 1 {
            words.extend(["--server", &url]);
        }
        if number % 3 == 2 {
            words.extend(["--picture-bytes", "50000"]);
        }
        let mut pusher = seat
            .pusher(&format!("power cut {number}"), &words)?
            .start()?;
        pusher.line(SOON, |line| (line == "opened").then(String::new))?;
        std::thread::sleep(run.below_ms(250));
        pusher.freeze()?;
        disk.cut_power()?;
        pusher.kill_hard()?;
        disk.power_up()?;
        run.tally.totals.agent_power_cuts += 1;
        run.tried();
    }
    run.settle_whole(&stage, &[&seat]).map(drop)
}

fn server(run: &mut Run<'_>) -> Result<()> {
    let mut disk = Disk::ext4(run.folder, "disk", DISK_MIB)?;
    let mut stage = Stage::set_at(run.folder, &disk.path().join("data"), |_| ())?;
    let (seats, pushers) = start_load(&mut stage)?;
    while run.tally.tries < run.wanted {
        let enough = stage.proxy.acknowledgements() + run.random.usize(1..30);
        wait_until(SOON, "more records at the server", || {
            Ok(when(stage.proxy.acknowledgements() >= enough))
        })?;
        std::thread::sleep(run.below_ms(60));
        stage.server.freeze()?;
        disk.cut_power()?;
        stage.server.kill_hard()?;
        disk.power_up()?;
        run.tally.totals.server_power_cuts += 1;
        run.tried();
        stage.server.start_again()?;
    }
    end_load(pushers)?;
    let seats: Vec<&Seat> = seats.iter().collect();
    run.settle_whole(&stage, &seats)?;
    stage.server.end()
}
