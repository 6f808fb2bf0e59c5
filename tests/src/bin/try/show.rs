//! Progress: numbered steps, and a bar that counts down while recording.
//!
//! On a terminal with `indicatif`; anywhere else (a log file, CI) as plain lines.

use std::time::Duration;

use anyhow::{Context as _, Result};
use glasshour_tests::wait::now;
use indicatif::{ProgressBar, ProgressStyle};

/// The steps of one try.
pub(crate) struct Steps {
    number: usize,
    total: usize,
}

impl Steps {
    /// Announces how many there will be.
    pub(crate) fn new(total: usize) -> Self {
        Self { number: 0, total }
    }

    /// The next step's title.
    pub(crate) fn next(&mut self, name: &str) -> String {
        self.number += 1;
        format!("[{}/{}] {name}", self.number, self.total)
    }

    /// Does one step behind a spinner and says how long it took.
    pub(crate) fn run<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let title = self.next(name);
        let from = now();
        let spinner = ProgressBar::new_spinner();
        spinner.set_message(title.clone());
        spinner.enable_steady_tick(Duration::from_millis(120));
        let done = work();
        spinner.finish_and_clear();
        let value = done.with_context(|| format!("this step failed: {name}"))?;
        eprintln!("{title}  ({:.1} s)", from.elapsed().as_secs_f64());
        Ok(value)
    }
}

/// Tells how recording goes.
pub(crate) struct Countdown {
    bar: ProgressBar,
    title: String,
    last_line_s: u64,
}

impl Countdown {
    /// Begins; without a time it counts up.
    pub(crate) fn begin(title: String, time: Option<Duration>) -> Self {
        let bar = match time {
            Some(time) => ProgressBar::new(time.as_secs()),
            None => ProgressBar::new_spinner(),
        };
        let template = if time.is_some() {
            "{prefix}  [{bar:24}] {pos}/{len} s  {msg}"
        } else {
            "{spinner} {prefix}  {elapsed}  {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(title.clone());
        if bar.is_hidden() {
            eprintln!("{title}");
        } else {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self {
            bar,
            title,
            last_line_s: 0,
        }
    }

    /// Shows how far it is and what was recorded so far.
    pub(crate) fn tell(&mut self, elapsed: Duration, words: &str) {
        let seconds = elapsed.as_secs();
        self.bar.set_position(seconds);
        self.bar.set_message(words.to_owned());
        // In a log, a line now and then is enough.
        if self.bar.is_hidden() && seconds >= self.last_line_s + 15 {
            self.last_line_s = seconds;
            eprintln!("      {seconds} s: {words}");
        }
    }

    /// Ends.
    pub(crate) fn finish(&self, words: &str) {
        self.bar.finish_and_clear();
        if self.bar.is_hidden() {
            eprintln!("      {words}");
        } else {
            eprintln!("{}  ({words})", self.title);
        }
    }
}
