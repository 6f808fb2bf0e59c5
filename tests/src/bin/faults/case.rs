//! A case: one kind of fault, done many times, and what is counted of it.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;

use crate::needs::Need;
use crate::oracle::{self, Found};
use crate::stage::{Seat, Stage, verify_export};

/// One kind of fault.
pub(crate) struct Case {
    /// Its number, by which it can be called as well.
    pub(crate) number: u8,
    /// Its name.
    pub(crate) name: &'static str,
    /// What is done, in a line.
    pub(crate) says: &'static str,
    /// What the machine must have.
    pub(crate) needs: &'static [Need],
    /// How often it is done in a quick run and in a full one.
    pub(crate) tries: (u64, u64),
    /// What is done. An error: the case could not be brought to its end.
    pub(crate) run: fn(&mut Run<'_>) -> Result<()>,
}

/// A running case.
pub(crate) struct Run<'a> {
    /// A folder of its own.
    pub(crate) folder: &'a Path,
    /// All chance comes from here, so that a seed makes it the same again.
    pub(crate) random: fastrand::Rng,
    /// How often it is to be done.
    pub(crate) wanted: u64,
    /// What was counted so far.
    pub(crate) tally: Tally,
    /// Shows how far it is.
    pub(crate) bar: ProgressBar,
}

/// What is counted of a case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Faults done.
    pub(crate) tries: u64,
    /// Records that were acknowledged and are nowhere.
    pub(crate) lost: u64,
    /// Records that are there twice.
    pub(crate) duplicated: u64,
    /// Acknowledged pushes that were held against the server.
    pub(crate) records: u64,
    /// From the end of a fault until everything was well, each time.
    pub(crate) recovered: Vec<Duration>,
    /// What was found besides: measures, and the first of what is lost.
    pub(crate) notes: Vec<String>,
    /// Promises that did not hold, in sentences.
    pub(crate) broken: Vec<String>,
    /// Counted over all cases.
    pub(crate) totals: Totals,
}

/// What the totals ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Deaths of an agent (the pusher or the real one) by SIGKILL.
    pub(crate) agent_kills: u64,
    /// Deaths of the server by SIGKILL.
    pub(crate) server_kills: u64,
    /// Power cuts under a spool.
    pub(crate) agent_power_cuts: u64,
    /// Power cuts under the server's data.
    pub(crate) server_power_cuts: u64,
    /// Replies that were cut off after the server had acknowledged.
    pub(crate) replies_cut: u64,
}

impl Run<'_> {
    /// A fault was done.
    pub(crate) fn tried(&mut self) {
        self.tally.tries += 1;
        self.bar.inc(1);
    }

    /// Random milliseconds below `most`.
    pub(crate) fn below_ms(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.random.u64(0..most.max(1)))
    }

    /// Notes something for the reader.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.tally.notes.push(text.into());
    }

    /// A promise besides "nothing lost, nothing twice": notes it where it does not hold.
    pub(crate) fn promise(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.tally.broken.push(otherwise());
        }
    }

    /// The same for something that was to succeed; its error is told in a line.
    pub(crate) fn promise_ok<T>(&mut self, done: Result<T>, what: &str) -> Option<T> {
        match done {
            Ok(value) => Some(value),
            Err(error) => {
                let why = format!("{error:#}");
                let why = why.lines().next().unwrap_or_default();
                self.tally.broken.push(format!("{what}: {why}"));
                None
            }
        }
    }

    /// Brings everything to the server, which must be well, and asks the oracle.
    pub(crate) fn settle(&mut self, stage: &Stage, seats: &[&Seat]) -> Result<Found> {
        for seat in seats {
            let took = seat.drain(&stage.proxy.url())?;
            self.tally.recovered.push(took);
        }
        let found = self.judge(stage, seats)?;
        let waiting = found.waiting;
        self.promise(waiting == 0, || {
            format!("{waiting} records still wait in the spool")
        });
        Ok(found)
    }

    /// The same; and every chain is whole at the server, every payload is the one that was signed.
    pub(crate) fn settle_whole(&mut self, stage: &Stage, seats: &[&Seat]) -> Result<Found> {
        let found = self.settle(stage, seats)?;
        let gaps = found.behind_gaps;
        self.promise(gaps == 0, || {
            format!("{gaps} records stand behind a gap in their chain")
        });
        let exported = verify_export(stage)?;
        self.promise(exported == found.stored as u64, || {
            format!(
                "the export has {exported} records, the list {}",
                found.stored
            )
        });
        Ok(found)
    }

    /// Asks the oracle as things are.
    pub(crate) fn judge(&mut self, stage: &Stage, seats: &[&Seat]) -> Result<Found> {
        let found = oracle::audit(stage, seats)?;
        self.tally.lost += found.lost.len() as u64;
        self.tally.duplicated += found.duplicated.len() as u64;
        self.tally.records += found.pushed as u64;
        for (what, which) in [("lost", &found.lost), ("duplicated", &found.duplicated)] {
            let mut text = String::new();
            for one in which.iter().take(3) {
                let _ = write!(text, " {one};");
            }
            if !text.is_empty() {
                self.note(format!("{what}:{text}"));
            }
        }
        Ok(found)
    }
}
