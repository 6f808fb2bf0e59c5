//! The stage itself: if it does not work, no story on it means anything.

use std::time::Duration;

use anyhow::Result;
use glasshour_tests::desktop::LINE;
use glasshour_tests::wait::when;
use glasshour_tests::{Desktop, wait_until};

#[test]
fn keys_typed_on_a_desktop_reach_its_windows_each_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let desktop = Desktop::start(folder.path(), (1280, 800))?;
    let two_lines = u32::try_from(LINE.len() * 2)?;
    assert_eq!(desktop.input().type_keys(two_lines)?, two_lines);
    wait_until(Duration::from_secs(10), "both lines in the draft", || {
        let text = std::fs::read_to_string(Desktop::draft(folder.path()))?;
        Ok(when(text == LINE.repeat(2)))
    })?;
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
