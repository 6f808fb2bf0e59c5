//! A few of each fault that needs nothing special of the machine, at every test run: `./dev faults --quick` of these
//! cases. The rest, and the numbers, are `./dev faults`.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use glasshour_tests::programs;
use serde_json::Value;

/// Plays one case in its quick form. One that this machine cannot play is said so, and shows nothing.
fn play(case: &str) -> Result<()> {
    let output = Command::new(programs::ours("glasshour-faults")?)
        .args(["--quick", "--no-namespaces", "--json", "--case", case])
        .output()
        .context("cannot run glasshour-faults")?;
    let said: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let played = said.pointer("/cases/0").context("no case was played")?;
    if played["skipped"] == true {
        eprintln!("!! {case} was SKIPPED: {}", played["skipped_because"]);
        return Ok(());
    }
    ensure!(
        output.status.success() && played["lost"] == 0 && played["duplicated"] == 0,
        "{said:#}"
    );
    ensure!(played["tries"] != 0, "nothing was tried");
    Ok(())
}

#[test]
fn an_agent_killed_at_each_of_its_writes_loses_nothing() -> Result<()> {
    play("agent-killed-at-each-write")
}

#[test]
fn a_server_killed_under_load_has_everything_it_acknowledged() -> Result<()> {
    play("server-killed-under-load")
}

#[test]
fn a_server_killed_between_a_picture_and_its_row_keeps_both_or_acknowledged_neither() -> Result<()>
{
    play("killed-between-image-and-row")
}

#[test]
fn a_lost_reply_sends_again_and_stores_once() -> Result<()> {
    play("reply-lost")
}

#[test]
fn the_same_record_a_hundred_times_at_once_is_one_row() -> Result<()> {
    play("same-record-100-times")
}

#[test]
fn another_body_under_a_taken_id_changes_nothing() -> Result<()> {
    play("same-id-other-body")
}

#[test]
fn records_in_any_order_become_a_whole_chain() -> Result<()> {
    play("out-of-order-and-gaps")
}

#[test]
fn a_poisoned_record_is_set_aside_and_holds_nothing_up() -> Result<()> {
    play("poison-record")
}
