//! What a process costs, as the kernel counts it: memory, processor time, wake-ups, bytes to disk.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use glasshour_tests::wait::now;
use serde::Serialize;

/// The counters of one process at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    at: Instant,
    /// Nanoseconds on a processor, all threads.
    cpu_ns: u64,
    /// Times that a thread gave the processor up by itself: each is followed by a wake-up.
    wakeups: u64,
    /// Bytes that were caused to be written to the disk.
    written: u64,
}

/// What a process cost over a while.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Cost {
    /// Resident memory at the end, megabytes (10^6 bytes).
    pub(crate) rss_mb: f64,
    /// The same with shared pages split among those who share them.
    pub(crate) pss_mb: f64,
    /// Most that was ever resident.
    pub(crate) peak_rss_mb: f64,
    /// Share of one core, percent.
    pub(crate) cpu_percent: f64,
    pub(crate) wakeups_per_s: f64,
    pub(crate) written_mb_per_h: f64,
    /// How long it was watched.
    pub(crate) seconds: f64,
}

impl Reading {
    /// Reads the counters of a process.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let mut reading = Self {
            at: now(),
            cpu_ns: 0,
            wakeups: 0,
            written: field(&read(pid, "io")?, "write_bytes:")?,
        };
        for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
            let folder = thread?.path();
            // A thread may end between two looks; what it cost until then is lost, a few microseconds.
            let Ok(schedstat) = fs::read_to_string(folder.join("schedstat")) else {
                continue;
            };
            let on_cpu = schedstat.split_whitespace().next().unwrap_or_default();
            reading.cpu_ns += on_cpu.parse::<u64>().context("schedstat is not a number")?;
            let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
            reading.wakeups += field(&status, "voluntary_ctxt_switches:").unwrap_or_default();
        }
        Ok(reading)
    }

    /// Nanoseconds on a processor since an earlier reading.
    pub(crate) fn cpu_since(&self, earlier: &Self) -> Duration {
        Duration::from_nanos(self.cpu_ns.saturating_sub(earlier.cpu_ns))
    }

    /// What the process cost since this reading.
    pub(crate) fn cost_until_now(&self, pid: u32) -> Result<Cost> {
        let end = Self::of(pid)?;
        let seconds = end.at.duration_since(self.at).as_secs_f64();
        let memory = read(pid, "smaps_rollup")?;
        let status = read(pid, "status")?;
        let per_second = |end: u64, begin: u64| count(end.saturating_sub(begin)) / seconds;
        Ok(Cost {
            rss_mb: kilobytes(&memory, "Rss:")?,
            pss_mb: kilobytes(&memory, "Pss:")?,
            peak_rss_mb: kilobytes(&status, "VmHWM:")?,
            cpu_percent: end.cpu_since(self).as_secs_f64() / seconds * 100.0,
            wakeups_per_s: per_second(end.wakeups, self.wakeups),
            written_mb_per_h: per_second(end.written, self.written) * 3600.0 / 1e6,
            seconds,
        })
    }
}

fn read(pid: u32, file: &str) -> Result<String> {
    let path = PathBuf::from(format!("/proc/{pid}/{file}"));
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The number behind a name.
fn field(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .with_context(|| format!("the kernel does not say {name}"))
}

/// Kibibytes as the kernel writes them, in megabytes.
fn kilobytes(text: &str, name: &str) -> Result<f64> {
    Ok(count(field(text, name)?) * 1024.0 / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(crate) fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_costs_something_and_says_so() {
        let pid = std::process::id();
        let begin = Reading::of(pid).unwrap();
        let mut sum = 0_u64;
        while Reading::of(pid).unwrap().cpu_since(&begin) < Duration::from_millis(5) {
            sum = std::hint::black_box((0..100_000).fold(sum, u64::wrapping_add));
        }
        let cost = begin.cost_until_now(pid).unwrap();
        assert!(cost.cpu_percent > 0.0 && cost.rss_mb > 0.5, "{cost:?}");
        assert!(
            cost.peak_rss_mb >= cost.rss_mb && cost.pss_mb <= cost.rss_mb,
            "{cost:?}"
        );
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "nonvoluntary_ctxt_switches:\t7\nvoluntary_ctxt_switches:\t12\n";
        assert_eq!(field(text, "voluntary_ctxt_switches:").unwrap(), 12);
        assert!(field(text, "ctxt_switches:").is_err());
    }
}
