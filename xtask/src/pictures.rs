//! `./dev pictures`: the story that picks in the tray's menu under a real panel, with its pictures kept.

use anyhow::Result;

use crate::progress::Steps;
use crate::{root, run};

/// Builds what the story drives, and tells it.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::new(2);
    let build = ["build", "--workspace", "--bins"];
    steps.loud(
        "build the programs the story drives",
        &mut run::cargo(&build),
    )?;
    let mut story = run::cargo(&["test", "--package", "glasshour-tests", "--test", "tray"]);
    story.env("GLASSHOUR_PICTURES", root::root().join("docs/pictures"));
    steps.loud(
        "pick in the tray's menu, and look at each state",
        &mut story,
    )
}
