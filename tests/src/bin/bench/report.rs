//! The numbers side by side: tables with ratios for people, one object for scripts.

use serde::Serialize;

use crate::meter::{Cost, count};
use crate::peers::{LEAST_SSIM, Peer};
use crate::pictures::{Picture, Pictures};
use crate::states::States;

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    states: States,
    pictures: Pictures,
    peers: Vec<Peer>,
    goals: Vec<Goal>,
}

/// What was measured against what was aimed at.
#[derive(Clone, Debug, Serialize)]
struct Goal {
    name: &'static str,
    value: f64,
    at_most: f64,
    met: bool,
}

impl Report {
    pub(crate) fn new(states: States, pictures: Pictures, peers: Vec<Peer>) -> Self {
        let kilobytes = |picture: Picture| count(picture.bytes) / 1000.0;
        let peak = pictures.peak_rss_mb.max(states.active.peak_rss_mb);
        let goals = [
            ("resident memory, idle, MB", states.idle.rss_mb, 12.0),
            ("resident memory, most ever, MB", peak, 40.0),
            ("processor, idle, % of a core", states.idle.cpu_percent, 0.1),
            ("wake-ups a second, idle", states.idle.wakeups_per_s, 3.0),
            (
                "grab to durable, middle, ms",
                pictures.grab_to_durable_ms.p50,
                120.0,
            ),
            ("picture of text, KB", kilobytes(pictures.text), 60.0),
            (
                "picture of a busy screen, KB",
                kilobytes(pictures.busy),
                330.0,
            ),
            (
                "1 - SSIM of the worse of both",
                1.0 - pictures.text.ssim.min(pictures.busy.ssim),
                1.0 - LEAST_SSIM,
            ),
            (
                "unchanged screen, bytes",
                count(pictures.unchanged_bytes),
                0.0,
            ),
        ]
        .into_iter()
        .map(|(name, value, at_most)| Goal {
            name,
            value,
            at_most,
            met: value <= at_most,
        })
        .collect();
        Self {
            states,
            pictures,
            peers,
            goals,
        }
    }

    /// Prints the tables.
    pub(crate) fn print(&self) {
        println!("\nThe agent, activity and one picture a minute, 1920x1080");
        println!(
            "{:9}{:>9}{:>9}{:>9}{:>12}{:>12}",
            "", "RSS MB", "PSS MB", "CPU %", "wake-ups/s", "disk MB/h"
        );
        let States {
            stopped,
            idle,
            active,
        } = &self.states;
        for (name, cost) in [("stopped", stopped), ("idle", idle), ("at work", active)] {
            let Cost {
                rss_mb,
                pss_mb,
                cpu_percent,
                wakeups_per_s,
                written_mb_per_h,
                ..
            } = cost;
            println!(
                "{name:9}{rss_mb:9.1}{pss_mb:9.1}{cpu_percent:9.3}{wakeups_per_s:12.2}{written_mb_per_h:12.1}"
            );
        }

        let ours = &self.pictures;
        println!("\nOne picture, at an SSIM of at least {LEAST_SSIM} (x: times the agent's)");
        println!(
            "{:16}{:>15}{:>15}{:>16}{:>16}{:>9}",
            "", "text KB", "busy KB", "wall ms", "CPU ms", "peak MB"
        );
        let own = |picture: Picture| format!("{:.0}", count(picture.bytes) / 1000.0);
        println!(
            "{:16}{:>15}{:>15}{:>16.0}{:>16.0}{:>9.1}",
            "agent (WebP)",
            own(ours.text),
            own(ours.busy),
            ours.grab_to_durable_ms.p50,
            ours.cpu_ms,
            ours.peak_rss_mb
        );
        for peer in &self.peers {
            let against = |theirs: Option<Picture>, ours: Picture| match theirs {
                Some(theirs) => {
                    let ratio = count(theirs.bytes) / count(ours.bytes);
                    format!("{:.0} ({ratio:.1}x)", count(theirs.bytes) / 1000.0)
                }
                None => "not reached".to_owned(),
            };
            let times = |theirs: f64, ours: f64| format!("{theirs:.0} ({:.1}x)", theirs / ours);
            println!(
                "{:16}{:>15}{:>15}{:>16}{:>16}{:>9.1}",
                peer.name,
                against(peer.text, ours.text),
                against(peer.busy, ours.busy),
                times(peer.wall_ms.p50, ours.grab_to_durable_ms.p50),
                times(peer.cpu_ms, ours.cpu_ms),
                peer.peak_rss_mb,
            );
        }
        println!(
            "The agent's time ends when the record is signed and flushed to disk; the others' when a file is written."
        );

        println!("\nGoals");
        for Goal {
            name,
            value,
            at_most,
            met,
        } in &self.goals
        {
            let word = if *met { "met" } else { "MISSED" };
            println!("{name:34}{value:10.3}  of at most {at_most:7.2}  {word}");
        }
    }
}
