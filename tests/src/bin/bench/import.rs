//! What an import of many employees costs the server: 5,000 rows of CSV, 20 of them bad, looked at and then
//! imported, over HTTP, with the database on this machine's disk.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_tests::server::Owner;
use glasshour_tests::{Server, wait};
use serde_json::{Value, json};
use ureq::Agent;

const ROWS: u64 = 5_000;
/// Every 250th row has no mode.
const BAD_EVERY: u64 = 250;

/// Measures and prints.
pub(crate) fn measure(as_json: bool) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("glasshour-").tempdir()?;
    let owner = Owner {
        email: "owner@acme.example".into(),
        password: "correct horse 1".into(),
    };
    let server = Server::start(folder.path(), "Acme", owner)?;
    let mut file = String::from("name;email;mode\r\n");
    for row in 1..=ROWS {
        let mode = if row % BAD_EVERY == 0 { "" } else { "worklog" };
        write!(file, "Person {row};person{row}@acme.example;{mode}\r\n")?;
    }
    let dry = post(&server, "?dry_run=true", &file)?;
    let done = post(&server, "", &file)?;
    let (good, bad) = (ROWS - ROWS / BAD_EVERY, ROWS / BAD_EVERY);
    for (_, answer) in [&dry, &done] {
        let counted = (&answer["good"], &answer["bad"]);
        ensure!(counted == (&json!(good), &json!(bad)), "{counted:?}");
    }
    let seconds = |spent: Duration| spent.as_secs_f64();
    if as_json {
        let told = json!({"rows": ROWS, "good": good, "bad": bad,
            "dry_run_s": seconds(dry.0), "import_s": seconds(done.0)});
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        println!("Import of {ROWS} employees, {bad} rows bad, each good one with a license:");
        println!("  dry run  {:6.2} s", seconds(dry.0));
        println!("  import   {:6.2} s", seconds(done.0));
    }
    Ok(())
}

fn post(server: &Server, query: &str, file: &str) -> Result<(Duration, Value)> {
    let http: Agent = Agent::config_builder()
        .timeout_global(Some(Duration::from_mins(1)))
        .proxy(None)
        .build()
        .into();
    let begun = wait::now();
    let mut answer = http
        .post(format!("{}/api/v1/employees/import{query}", server.url()))
        .header("authorization", format!("Bearer {}", server.init.api_token))
        .header("content-type", "text/csv")
        .send(file)
        .context("POST /api/v1/employees/import")?;
    let body = answer.body_mut().read_json()?;
    Ok((begun.elapsed(), body))
}
