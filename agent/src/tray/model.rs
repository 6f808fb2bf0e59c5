//! From [`Status`] to [`View`]: pure, so that every state of the tray can be read in a test.

use glasshour_license_format::WorkMode;

use super::{Action, Icon, Item, View};
use crate::status::{StateWord, Status, duration};

/// Most projects that the menu lists.
const MOST_PROJECTS: usize = 20;

/// The tray for a state.
pub fn view(status: &Status) -> View {
    let state = state_line(status);
    let mut menu = vec![Item::Label(state.clone())];
    if status.today_ms > 0 {
        menu.push(Item::Label(format!("Today: {}", duration(status.today_ms))));
    }
    for problem in &status.problems {
        menu.push(Item::Label(format!("! {problem}")));
    }
    menu.push(Item::Separator);
    if status.mode == Some(WorkMode::Worklog) {
        worklog_items(status, &mut menu);
        menu.push(Item::Separator);
    }
    let command = |action, label: &str| Item::Command {
        action,
        label: label.into(),
        enabled: true,
    };
    menu.push(command(Action::ShowStatus, "Status"));
    if status.license.is_some() {
        menu.push(command(Action::ShowLicense, "What is captured"));
    }
    // Rule 4: in monitoring mode nobody stops it by hand.
    if status.mode != Some(WorkMode::Monitoring) {
        menu.push(command(Action::Quit, "Quit Glasshour"));
    }
    View {
        icon: icon(status),
        tooltip: format!("Glasshour: {state}"),
        label: label(status),
        menu,
        running: status.state == StateWord::Tracking,
    }
}

fn icon(status: &Status) -> Icon {
    match status.state {
        _ if !status.problems.is_empty() => Icon::Problem,
        StateWord::Blocked => Icon::Problem,
        StateWord::Tracking => Icon::Tracking,
        StateWord::Paused => Icon::Paused,
        StateWord::Stopped | StateWord::NoLicense => Icon::Off,
    }
}

fn state_line(status: &Status) -> String {
    let project = status
        .project
        .as_ref()
        .map_or("no project", |project| project.name.as_str());
    match status.state {
        StateWord::Tracking => {
            let time = duration(status.session_ms.unwrap_or(0));
            let idle = if status.idle_since_ms.is_some() {
                ", idle"
            } else {
                ""
            };
            format!("Tracking {project} for {time}{idle}")
        }
        StateWord::Stopped => "Not tracking".into(),
        StateWord::Paused => "Paused: outside the licensed hours".into(),
        StateWord::Blocked => status.blocked.as_ref().map_or_else(
            || "Nothing is captured".into(),
            |blocked| blocked.message.clone(),
        ),
        StateWord::NoLicense => {
            "No license is loaded. Ask your employer for the file that ends in .license.gz".into()
        }
    }
}

fn label(status: &Status) -> String {
    let state = match status.state {
        StateWord::Tracking => match &status.project {
            Some(project) => format!("tracking {}", project.name),
            None => "tracking".into(),
        },
        StateWord::Stopped | StateWord::NoLicense => "not tracking".into(),
        StateWord::Paused => "paused".into(),
        StateWord::Blocked => "nothing is captured".into(),
    };
    format!("Glasshour: {state}")
}

fn worklog_items(status: &Status, menu: &mut Vec<Item>) {
    let tracking = status.state == StateWord::Tracking;
    let blocked = status.state == StateWord::Blocked;
    if tracking {
        menu.push(Item::Command {
            action: Action::Stop,
            label: "Stop".into(),
            enabled: true,
        });
    } else {
        menu.push(Item::Command {
            action: Action::Start(None),
            label: "Start".into(),
            enabled: !blocked,
        });
    }
    if status.projects.is_empty() || blocked {
        return;
    }
    let current = status.project.as_ref().map(|project| project.project_id);
    let items = status
        .projects
        .iter()
        .take(MOST_PROJECTS)
        .map(|project| Item::Choice {
            action: if tracking {
                Action::Switch(project.project_id)
            } else {
                Action::Start(Some(project.project_id))
            },
            label: project.name.clone(),
            checked: tracking && current == Some(project.project_id),
        })
        .collect();
    let label = if tracking { "Switch to" } else { "Start on" };
    menu.push(Item::Submenu {
        label: label.into(),
        items,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{Blocked, LicenseStatus, ServerStatus, SpoolStatus};
    use glasshour_protocol::device::Project;
    use glasshour_protocol::{LicenseId, ProjectId};
    use uuid::Uuid;

    fn status(mode: WorkMode, state: StateWord) -> Status {
        let project = Project {
            project_id: ProjectId(Uuid::from_u128(1)),
            name: "Apollo".into(),
            color: "#0f766e".into(),
        };
        Status {
            running: true,
            state,
            capturing: state == StateWord::Tracking,
            mode: Some(mode),
            company: Some("Acme".into()),
            employee: Some("Jo Doe".into()),
            license: Some(LicenseStatus {
                license_id: LicenseId(Uuid::nil()),
                serial: 1,
                superseded: false,
            }),
            session_id: None,
            session_started_ms: None,
            session_ms: Some(4_320_000),
            idle_since_ms: None,
            project: (state == StateWord::Tracking).then(|| project.clone()),
            projects: vec![project],
            blocked: None,
            channels: vec![],
            spool: SpoolStatus::default(),
            refusals: vec![],
            server: ServerStatus::default(),
            problems: vec![],
            today_ms: 0,
            version: "0".into(),
            platform: "test".into(),
        }
    }

    fn actions(items: &[Item]) -> Vec<&Action> {
        items
            .iter()
            .flat_map(|item| match item {
                Item::Command {
                    action,
                    enabled: true,
                    ..
                }
                | Item::Choice { action, .. } => {
                    vec![action]
                }
                Item::Submenu { items, .. } => actions(items),
                _ => vec![],
            })
            .collect()
    }

    #[test]
    fn p04_in_monitoring_mode_nothing_can_be_started_stopped_or_quit() {
        for state in [StateWord::Tracking, StateWord::Paused, StateWord::Blocked] {
            let view = view(&status(WorkMode::Monitoring, state));
            assert_eq!(
                actions(&view.menu),
                [&Action::ShowStatus, &Action::ShowLicense]
            );
        }
    }

    #[test]
    fn p03_in_worklog_mode_the_menu_starts_switches_and_stops() {
        let project = ProjectId(Uuid::from_u128(1));
        let tracking = view(&status(WorkMode::Worklog, StateWord::Tracking));
        assert_eq!(tracking.icon, Icon::Tracking);
        assert_eq!(tracking.tooltip, "Glasshour: Tracking Apollo for 1 h 12 m");
        assert_eq!(
            tracking.label, "Glasshour: tracking Apollo",
            "no time that goes on"
        );
        let picks = actions(&tracking.menu);
        assert!(picks.contains(&&Action::Stop) && picks.contains(&&Action::Switch(project)));
        assert!(!picks.contains(&&Action::Start(None)));

        let stopped = view(&status(WorkMode::Worklog, StateWord::Stopped));
        let picks = actions(&stopped.menu);
        assert!(picks.contains(&&Action::Start(None)));
        assert!(picks.contains(&&Action::Start(Some(project))));
        assert!(!picks.contains(&&Action::Stop));
    }

    #[test]
    fn a_block_says_why_and_offers_no_start() {
        let mut status = status(WorkMode::Worklog, StateWord::Blocked);
        status.blocked = Some(Blocked {
            code: "c".into(),
            message: "You are inactive.".into(),
        });
        let view = view(&status);
        assert_eq!(view.icon, Icon::Problem);
        assert_eq!(
            view.menu.first(),
            Some(&Item::Label("You are inactive.".into()))
        );
        assert!(!actions(&view.menu).contains(&&Action::Start(None)));
    }

    #[test]
    fn every_state_has_an_icon_that_tells_it() {
        let mut problem = status(WorkMode::Worklog, StateWord::Tracking);
        problem.problems.push("the disk is full".into());
        let icons = [
            status(WorkMode::Worklog, StateWord::Stopped),
            status(WorkMode::Worklog, StateWord::Tracking),
            status(WorkMode::Monitoring, StateWord::Paused),
            problem,
        ]
        .map(|status| view(&status).icon);
        assert_eq!(
            icons,
            [Icon::Off, Icon::Tracking, Icon::Paused, Icon::Problem]
        );
    }
}
