//! `glasshour run`.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use glasshour_words::Words;

use crate::config;
use crate::engine::{self, RunConfig, RunError};
use crate::exit::Exit;
use crate::home::Home;
use crate::platform;

/// Runs the agent in the foreground. Its log goes to standard error; `RUST_LOG` says how much.
pub(super) fn run(home: Home, words: Words, tray: bool) -> anyhow::Result<Exit> {
    let filter = config::environment("RUST_LOG").unwrap_or_else(|| "glasshour=info".into());
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        // Colours are for people: a log that goes to a file or to the journal has none.
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let policy = config::policy()?;
    let config = RunConfig {
        home,
        license_dir: config::license_dir(),
        spool_quota_bytes: policy.spool_quota_bytes(),
        line: policy.line()?,
        allow_plain_http: policy.allow_plain_http,
        trusted_keys: policy.trusted_keys,
        words,
        tray,
    };
    let desktop = platform::detect();
    let runtime = glasshour_uploader::runtime()
        .context("the system gives the agent too few files and threads to run (see `ulimit -n`)")?;
    match platform::beside_desktop(move || runtime.block_on(engine::run(config, desktop))) {
        Ok(()) => Ok(Exit::Ok),
        Err(error @ RunError::AlreadyRunning(_)) => {
            super::out::complain(error.to_string());
            Ok(Exit::Refused)
        }
        Err(error) => Err(error.into()),
    }
}
