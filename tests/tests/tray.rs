//! The tray under a real panel: picked in its menu, the session starts; each state is told apart by its picture.
//!
//! With `GLASSHOUR_PICTURES=FOLDER` (`./dev pictures`) a picture of each state is kept there.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use glasshour_protocol::payload::{Cause, SessionEventKind};
use glasshour_tests::panel::Panel;
use glasshour_tests::{Seen, profiles, tell, wait_until};

const SOON: Duration = Duration::from_secs(40);

#[test]
fn start_picked_in_the_menu_of_a_real_panel_starts_the_session() -> Result<()> {
    if !Panel::is_installed() {
        eprintln!(
            "!! LEFT OUT: xfce4-panel is not installed, so nobody has looked at the tray under a real panel."
        );
        eprintln!("!! `./dev pictures` puts it in place and runs this story.");
        return Ok(());
    }
    let pictures = std::env::var_os("GLASSHOUR_PICTURES").map(PathBuf::from);
    tell(|story| {
        let panel = Panel::start(story.folder(), &story.desktop)?;
        let api = story.api();
        for project in ["Apollo", "Borealis"] {
            api.create_project(project)?;
        }
        let (employee, license) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&license)?;
        story.agent.run()?;

        let mut seen: Vec<(&str, Vec<u8>)> = Vec::new();
        let mut look = |state: &'static str, row: &str| -> Result<()> {
            panel.wait_for_row(row, SOON)?;
            // The panel draws a moment after it was told.
            let icon = wait_until(SOON, "an icon that was not seen before", || {
                let icon = panel.icon()?;
                Ok((!seen.iter().any(|(_, known)| *known == icon)).then_some(icon))
            })?;
            seen.push((state, icon));
            if let Some(folder) = &pictures {
                panel.picture(&folder.join(format!("tray-{state}.png")))?;
            }
            Ok(())
        };

        panel.wait_for_row("Apollo", SOON)?;
        look("off", "Start")?;
        panel.click("Start", SOON)?;
        story.agent.wait_for_state("tracking", SOON)?;
        let begun = (SOON, "the session at the server");
        let events = Seen::when(&api, &employee, begun, |seen| {
            Ok(!seen.session_events()?.is_empty())
        })?
        .session_events()?;
        let first = events.first().map(|event| (event.event, event.cause));
        assert_eq!(first, Some((SessionEventKind::Started, Cause::User)));
        panel.wait_for_time("Tracking General for", SOON)?;
        look("tracking", "Stop")?;

        panel.click("Borealis", SOON)?;
        let switched = (SOON, "the switch at the server");
        Seen::when(&api, &employee, switched, |seen| {
            let events = seen.session_events()?;
            let switch = |event: SessionEventKind| event == SessionEventKind::Switched;
            Ok(events.iter().any(|event| switch(event.event)))
        })?;

        panel.wait_for_time("Tracking Borealis for", SOON)?;
        panel.click("Pause", SOON)?;
        story.agent.wait_for_state("on_pause", SOON)?;
        look("paused", "Go on")?;
        panel.click("Go on", SOON)?;
        story.agent.wait_for_state("tracking", SOON)?;

        api.set_active(&employee, false)?;
        story.agent.wait_for_state("blocked", SOON)?;
        look("problem", "Status")?;
        assert_eq!(seen.len(), 4);
        Ok(())
    })
}
