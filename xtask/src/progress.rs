//! Steps, numbered and timed, so that whoever waits knows for what.
//!
//! Two kinds: [`Steps::loud`] lets a program write to the terminal (a compiler, a test runner);
//! [`Steps::quiet`] keeps its output in memory behind a spinner and shows it only when it fails.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// A run of numbered steps.
pub(crate) struct Steps {
    total: usize,
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// Announces how many there will be.
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            done: Vec::new(),
        }
    }

    fn title(&self, name: &str) -> String {
        format!("[{}/{}] {name}", self.done.len() + 1, self.total)
    }

    fn finish(&mut self, name: &str, from: Instant) {
        let took = from.elapsed();
        eprintln!("      {name}: ok, {}", seconds(took));
        self.done.push((name.to_owned(), took));
    }

    /// Runs a function as one step.
    pub(crate) fn work<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("{}", self.title(name));
        let from = now();
        let value = work().with_context(|| format!("step failed: {name}"))?;
        self.finish(name, from);
        Ok(value)
    }

    /// Runs a program as one step; it writes to the terminal itself.
    pub(crate) fn loud(&mut self, name: &str, command: &mut Command) -> Result<()> {
        self.work(name, || {
            let status = command
                .status()
                .with_context(|| format!("cannot start {}", show(command)))?;
            if !status.success() {
                bail!("{} ended with {status}", show(command));
            }
            Ok(())
        })
    }

    /// Runs a program as one step behind a spinner; gives its standard output.
    pub(crate) fn quiet(&mut self, name: &str, command: &mut Command) -> Result<String> {
        let title = self.title(name);
        let from = now();
        let spinner = ProgressBar::new_spinner().with_message(title.clone());
        spinner.set_style(
            ProgressStyle::with_template("{spinner} {msg}  {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        if spinner.is_hidden() {
            eprintln!("{title}");
        }
        spinner.enable_steady_tick(Duration::from_millis(120));
        let output = capture(command);
        spinner.finish_and_clear();
        let text = output.with_context(|| format!("step failed: {name}"))?;
        if !spinner.is_hidden() {
            eprintln!("{title}");
        }
        self.finish(name, from);
        Ok(text)
    }

    /// Prints how long each step took.
    pub(crate) fn print_times(&self) {
        let all: Duration = self.done.iter().map(|(_, took)| *took).sum();
        eprintln!("\nTime by step");
        for (name, took) in &self.done {
            eprintln!("  {:>8}  {name}", seconds(*took));
        }
        eprintln!("  {:>8}  together", seconds(all));
    }
}

/// Runs a program and gives its standard output; its whole output is the error where it fails.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", show(command)))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    bail!(
        "{} ended with {}\n{text}{errors}",
        show(command),
        output.status
    )
}

fn show(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a step took is told, never decided upon"
    )]
    Instant::now()
}
