//! The stage itself: if it does not work, no story on it means anything.

use std::time::Duration;

use anyhow::Result;
use glasshour_tests::desktop::TEXT;
use glasshour_tests::wait::when;
use glasshour_tests::{Desktop, wait_until};

#[test]
fn keys_typed_on_a_desktop_reach_its_windows_each_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let desktop = Desktop::start(folder.path(), (1280, 800))?;
    let keys = u32::try_from(TEXT.len())?;
    // In two goes: the second goes on where the first ended.
    let input = desktop.input();
    assert_eq!(input.type_keys(100)? + input.type_keys(keys - 100)?, keys);
    wait_until(
        Duration::from_secs(10),
        "the whole text in the draft",
        || {
            let text = std::fs::read_to_string(Desktop::draft(folder.path()))?;
            Ok(when(text == TEXT))
        },
    )?;
    desktop.input().click(2)?;
    desktop.input().scroll(3)?;
    desktop.input().wander()
}

#[test]
fn two_desktops_at_once_do_not_meet() -> Result<()> {
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    let [one, other] = folders
        .each_ref()
        .map(|f| Desktop::start(f.path(), (800, 600)));
    assert_ne!(one?.environment(), other?.environment());
    Ok(())
}
