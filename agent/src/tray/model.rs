//! From [`Status`] to [`View`]: pure, so that every state of the tray can be read in a test.

use glasshour_license_format::WorkMode;
use glasshour_protocol::ProjectId;
use glasshour_words::{Message, Outside, Words};

use super::rows::{MOST_PROJECTS, day_items, idle_question, lines, project_lines};
use super::{Action, Icon, Item, Pick, View};
use crate::status::{EmployerStatus, StateWord, Status};

/// The tray for a state.
pub fn view(status: &Status, words: Words) -> View {
    let state = state_line(status, words);
    let mut menu: Vec<Item> = lines(&state).collect();
    menu.extend(
        beside_lines(status, words)
            .iter()
            .flat_map(|line| lines(line)),
    );
    if status.today_ms >= 1000 {
        let time = words.short_duration(status.today_ms);
        menu.push(Item::Label(words.say(Message::TrayToday { time })));
    }
    menu.extend(project_lines(status, words).into_iter().map(Item::Label));
    for problem in &status.problems {
        menu.extend(lines(&format!("! {problem}")));
    }
    menu.extend(idle_question(status, words));
    menu.push(Item::Separator);
    let worklogs: Vec<&EmployerStatus> = status
        .employers
        .iter()
        .filter(|employer| employer.mode == Some(WorkMode::Worklog))
        .collect();
    if !worklogs.is_empty() {
        worklog_items(&worklogs, status, words, &mut menu);
        menu.push(Item::Separator);
    }
    let command = |action, label| Item::Command {
        action,
        label: words.say(label),
        enabled: true,
    };
    menu.extend(day_items(status, words));
    menu.push(command(Action::ShowStatus, Message::MenuStatus {}));
    if status.spool.held > 0 {
        menu.push(command(Action::ShowHeld, Message::MenuHeld {}));
    }
    if status.license.is_some() {
        menu.push(command(Action::ShowLicense, Message::MenuLicense {}));
    }
    // Rule 4: in monitoring mode nobody stops it by hand.
    if !status.employers.iter().any(EmployerStatus::monitors) {
        menu.push(command(Action::Quit, Message::MenuQuit {}));
    }
    let tooltip = words.say(Message::TrayTooltip {
        state: Outside(&state),
    });
    // What is seen without a click names everybody who captures.
    let tooltip = match monitors_beside(status) {
        Some(company) => {
            let company = Outside(company);
            let other = words.say(Message::TrayMonitoredBeside { company });
            format!("{tooltip}. {other}")
        }
        None => tooltip,
    };
    View {
        icon: icon(status),
        tooltip,
        label: label(status, words),
        menu,
        running: status.employers.iter().any(EmployerStatus::tracks),
    }
}

fn icon(status: &Status) -> Icon {
    match status.state {
        _ if !status.problems.is_empty() => Icon::Problem,
        StateWord::Blocked => Icon::Problem,
        StateWord::Tracking => Icon::Tracking,
        StateWord::OnPause | StateWord::Paused | StateWord::Away => Icon::Paused,
        StateWord::Stopped | StateWord::NoLicense => Icon::Off,
    }
}

fn state_line(status: &Status, words: Words) -> String {
    let project = match &status.project {
        Some(project) => project.name.clone(),
        None => words.say(Message::TrayNoProject {}),
    };
    let project = format!("{project}{}", of_whom(status));
    let project = Outside(&project);
    let time = words.short_duration(status.session_ms.unwrap_or(0));
    match (status.state, &status.blocked) {
        (StateWord::Blocked, Some(blocked)) => blocked.message.clone(),
        (state, _) => words.say(match state {
            StateWord::Tracking if status.idle_since_ms.is_some() => {
                Message::TrayIdle { project, time }
            }
            StateWord::Tracking => Message::TrayTracking { project, time },
            StateWord::Stopped => Message::TrayStopped {},
            StateWord::OnPause => Message::TrayOnPause {},
            StateWord::Paused => Message::TrayPaused {},
            StateWord::Away => Message::TrayAway {},
            StateWord::Blocked => Message::TrayBlocked {},
            StateWord::NoLicense => Message::TrayNoLicense {},
        }),
    }
}

/// ` (Acme)` where there is more than one employer.
fn of_whom(status: &Status) -> String {
    match &status.company {
        Some(company) if status.several_employers() => format!(" ({company})"),
        _ => String::new(),
    }
}

/// The employer that monitors now beside the one of the state line.
fn monitors_beside(status: &Status) -> Option<&str> {
    let mut others = status.employers.iter().filter(|employer| {
        employer.license != status.license && employer.monitors() && employer.tracks()
    });
    Some(&others.next()?.company)
}

/// So much of a name that the label has room for another one beside it.
fn in_brief(name: &str) -> String {
    const ROOM: usize = 22;
    match name.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or(name)),
        None => name.to_owned(),
    }
}

/// What the other employers' licenses do meanwhile, where they do something.
fn beside_lines(status: &Status, words: Words) -> Vec<String> {
    let foremost = |employer: &&EmployerStatus| employer.license == status.license;
    let others = status.employers.iter().filter(|e| !foremost(e));
    others
        .filter_map(|employer| {
            let name = status.name_of(employer);
            let company = Outside(&name);
            match employer.state {
                StateWord::Tracking if employer.monitors() => {
                    Some(words.say(Message::TrayMonitoredBeside { company }))
                }
                StateWord::Blocked => Some(words.say(Message::TrayBlockedBeside { company })),
                _ => None,
            }
        })
        .collect()
}

fn label(status: &Status, words: Words) -> String {
    if let Some(company) = monitors_beside(status) {
        let monitors = in_brief(company);
        let works_for = in_brief(status.company.as_deref().unwrap_or_default());
        return words.say(match status.state {
            StateWord::Tracking => Message::LabelBoth {
                monitors: Outside(&monitors),
                works_for: Outside(&works_for),
            },
            _ => Message::LabelMonitored {
                monitors: Outside(&monitors),
            },
        });
    }
    words.say(match (status.state, &status.project) {
        (StateWord::Tracking, Some(project)) => {
            let project = format!("{}{}", project.name, of_whom(status));
            let project = Outside(&project);
            return words.say(Message::LabelTrackingProject { project });
        }
        (StateWord::Tracking, None) => {
            let of_whom = of_whom(status);
            return words.say(Message::LabelTracking {}) + &of_whom;
        }
        (StateWord::Stopped | StateWord::NoLicense, _) => Message::LabelStopped {},
        (StateWord::OnPause | StateWord::Paused | StateWord::Away, _) => Message::LabelPaused {},
        (StateWord::Blocked, _) => Message::LabelBlocked {},
    })
}

/// Start, stop, switch. With several employers each has a row that opens its projects.
fn worklog_items(
    employers: &[&EmployerStatus],
    status: &Status,
    words: Words,
    menu: &mut Vec<Item>,
) {
    let working = employers.iter().find(|employer| employer.tracks());
    let command = |action, label: String, enabled| Item::Command {
        action,
        label,
        enabled,
    };
    match (working, employers) {
        (Some(_), _) => {
            menu.push(command(
                Action::Pause,
                words.say(Message::MenuPause {}),
                true,
            ));
            menu.push(command(Action::Stop, words.say(Message::MenuStop {}), true));
        }
        (None, several) if several.iter().any(|e| e.state == StateWord::OnPause) => {
            menu.push(command(
                Action::Resume,
                words.say(Message::MenuResume {}),
                true,
            ));
            menu.push(command(Action::Stop, words.say(Message::MenuStop {}), true));
        }
        (None, [one]) => {
            let enabled = one.state != StateWord::Blocked;
            let label = if status.several_employers() {
                words.say(Message::MenuStartFor {
                    company: Outside(&status.name_of(one)),
                })
            } else {
                words.say(Message::MenuStart {})
            };
            menu.push(command(Action::Start(Pick::default()), label, enabled));
        }
        (None, several) => {
            // Where nobody was worked for yet, an employer is picked below.
            if let Some(chosen) = several.iter().find(|employer| employer.chosen) {
                let label = words.say(Message::MenuStartFor {
                    company: Outside(&status.name_of(chosen)),
                });
                let enabled = chosen.state != StateWord::Blocked;
                menu.push(command(Action::Start(pick(chosen, None)), label, enabled));
            }
        }
    }
    if let [one] = employers {
        let items = projects(one, working.copied());
        if !items.is_empty() && one.state != StateWord::Blocked {
            let label = words.say(if working.is_some() {
                Message::MenuSwitchTo {}
            } else {
                Message::MenuStartOn {}
            });
            menu.push(Item::Submenu { label, items });
        }
        return;
    }
    for employer in employers.iter().filter(|e| e.state != StateWord::Blocked) {
        let mut items = Vec::new();
        let name = status.name_of(employer);
        // Its default project; where it is worked for already there is nothing to change.
        if !employer.tracks() {
            let company = Outside(&name);
            let label = words.say(if working.is_some() {
                Message::MenuSwitchToEmployer { company }
            } else {
                Message::MenuStartFor { company }
            });
            items.push(command(
                work(pick(employer, None), working.copied()),
                label,
                true,
            ));
        }
        items.extend(projects(employer, working.copied()));
        if !items.is_empty() {
            menu.push(Item::Submenu { label: name, items });
        }
    }
}

fn projects(employer: &EmployerStatus, working: Option<&EmployerStatus>) -> Vec<Item> {
    let current = employer.project.as_ref().map(|project| project.project_id);
    let listed = employer.projects.iter().take(MOST_PROJECTS);
    listed
        .map(|project| Item::Choice {
            action: work(pick(employer, Some(project.project_id)), working),
            label: project.name.clone(),
            checked: employer.tracks() && current == Some(project.project_id),
        })
        .collect()
}

fn work(pick: Pick, working: Option<&EmployerStatus>) -> Action {
    match working {
        Some(_) => Action::Switch(pick),
        None => Action::Start(pick),
    }
}

fn pick(employer: &EmployerStatus, project: Option<ProjectId>) -> Pick {
    Pick {
        employer: Some(employer.company_id),
        project,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{Blocked, LicenseStatus, ServerStatus, SpoolStatus};
    use glasshour_protocol::device::Project;
    use glasshour_protocol::{CompanyId, LicenseId};
    use uuid::Uuid;

    const ENGLISH: Words = Words::ENGLISH;
    const ACME: u128 = 1;
    const BETA: u128 = 2;

    fn employer(id: u128, name: &str, mode: WorkMode, state: StateWord) -> EmployerStatus {
        let project = Project {
            project_id: ProjectId(Uuid::from_u128(id)),
            name: if id == ACME { "Apollo" } else { "Borealis" }.into(),
            color: "#0f766e".into(),
        };
        EmployerStatus {
            company_id: CompanyId(Uuid::from_u128(id)),
            company: name.into(),
            employee: "Jo Doe".into(),
            mode: Some(mode),
            state,
            capturing: state == StateWord::Tracking,
            chosen: id == ACME && mode == WorkMode::Worklog,
            license: Some(LicenseStatus {
                license_id: LicenseId(Uuid::from_u128(id)),
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
            outside_hours: None,
            channels: vec![],
            parts: vec![],
            spool: SpoolStatus::default(),
            server: ServerStatus::default(),
            problems: vec![],
            today_ms: 0,
            today_projects: vec![],
        }
    }

    /// The status of several; the first is the one that the person sees first.
    fn status_of(employers: Vec<EmployerStatus>) -> Status {
        let first = employers.first().unwrap().clone();
        Status {
            running: true,
            state: first.state,
            capturing: first.capturing,
            mode: first.mode,
            company: Some(first.company),
            employee: Some(first.employee),
            license: first.license,
            session_id: None,
            session_started_ms: None,
            session_ms: first.session_ms,
            idle_since_ms: None,
            project: first.project,
            projects: first.projects,
            blocked: None,
            outside_hours: None,
            channels: vec![],
            parts: vec![],
            spool: SpoolStatus::default(),
            refusals: vec![],
            server: ServerStatus::default(),
            news: Vec::new(),
            problems: vec![],
            today_ms: 0,
            withdrawn: Vec::new(),
            idle_questions: Vec::new(),
            employers,
            version: "0".into(),
            platform: "test".into(),
        }
    }

    fn status(mode: WorkMode, state: StateWord) -> Status {
        status_of(vec![employer(ACME, "Acme", mode, state)])
    }

    fn of(employer: u128, project: Option<u128>) -> Pick {
        Pick {
            employer: Some(CompanyId(Uuid::from_u128(employer))),
            project: project.map(|id| ProjectId(Uuid::from_u128(id))),
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
            let view = view(&status(WorkMode::Monitoring, state), ENGLISH);
            assert_eq!(
                actions(&view.menu),
                [
                    &Action::OpenDay(CompanyId(Uuid::from_u128(ACME))),
                    &Action::ShowStatus,
                    &Action::ShowLicense
                ]
            );
        }
    }

    #[test]
    fn p03_in_worklog_mode_the_menu_starts_switches_and_stops() {
        let start = Action::Start(Pick::default());
        let tracking = view(&status(WorkMode::Worklog, StateWord::Tracking), ENGLISH);
        assert_eq!(tracking.icon, Icon::Tracking);
        assert_eq!(tracking.tooltip, "Glasshour: Tracking Apollo for 1 h 12 m");
        assert_eq!(
            tracking.label, "Glasshour: tracking Apollo",
            "no time that goes on"
        );
        let picks = actions(&tracking.menu);
        assert!(
            picks.contains(&&Action::Stop)
                && picks.contains(&&Action::Switch(of(ACME, Some(ACME))))
        );
        assert!(!picks.contains(&&start));

        let stopped = view(&status(WorkMode::Worklog, StateWord::Stopped), ENGLISH);
        let picks = actions(&stopped.menu);
        assert!(picks.contains(&&start));
        assert!(picks.contains(&&Action::Start(of(ACME, Some(ACME)))));
        assert!(!picks.contains(&&Action::Stop));
    }

    #[test]
    fn what_waits_is_offered_in_both_modes_while_something_does() {
        for mode in [WorkMode::Worklog, WorkMode::Monitoring] {
            let mut status = status(mode, StateWord::Tracking);
            assert!(!actions(&view(&status, ENGLISH).menu).contains(&&Action::ShowHeld));
            status.spool.held = 1;
            assert!(actions(&view(&status, ENGLISH).menu).contains(&&Action::ShowHeld));
        }
    }

    #[test]
    fn a_block_says_why_and_offers_no_start() {
        let mut status = status(WorkMode::Worklog, StateWord::Blocked);
        status.blocked = Some(Blocked {
            code: "c".into(),
            message: "You are inactive.".into(),
        });
        let view = view(&status, ENGLISH);
        assert_eq!(view.icon, Icon::Problem);
        assert_eq!(
            view.menu.first(),
            Some(&Item::Label("You are inactive.".into()))
        );
        assert!(!actions(&view.menu).contains(&&Action::Start(Pick::default())));
    }

    #[test]
    fn a_long_text_takes_several_rows_so_that_the_menu_fits_the_screen() {
        let mut status = status(WorkMode::Worklog, StateWord::Tracking);
        let problem = "The server was not reached since 09:12. What is captured waits on this \
                       computer; ask your employer whether their server runs.";
        status.problems.push(problem.into());
        let view = view(&status, ENGLISH);
        let rows: Vec<&str> = view
            .menu
            .iter()
            .filter_map(|item| match item {
                Item::Label(label) => Some(label.as_str()),
                _ => None,
            })
            .collect();
        assert!(rows.iter().all(|row| row.chars().count() <= 60), "{rows:?}");
        assert!(rows.join(" ").contains(problem), "nothing is cut: {rows:?}");
    }

    #[test]
    fn p18_with_several_employers_the_menu_groups_projects_by_whom_they_are_of() {
        let (acme, beta) = ("Acme", "Beta");
        let stopped = |id, name| employer(id, name, WorkMode::Worklog, StateWord::Stopped);
        let idle = view(
            &status_of(vec![stopped(ACME, acme), stopped(BETA, beta)]),
            ENGLISH,
        );
        let picks = [
            Action::Start(of(ACME, None)),
            Action::Start(of(ACME, None)),
            Action::Start(of(ACME, Some(ACME))),
            Action::Start(of(BETA, None)),
            Action::Start(of(BETA, Some(BETA))),
        ];
        assert!(
            actions(&idle.menu).starts_with(&picks.each_ref()),
            "{idle:?}"
        );
        let submenus: Vec<_> = idle
            .menu
            .iter()
            .filter_map(|item| match item {
                Item::Submenu { label, .. } => Some(label.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(submenus, [acme, beta]);

        // Two of one name are told apart by where their servers are.
        let mut first = stopped(ACME, acme);
        let mut other = stopped(BETA, acme);
        first.server.url = Some("https://time.acme.example".into());
        other.server.url = Some("https://elsewhere.example".into());
        let status = status_of(vec![first, other, stopped(3, beta)]);
        let names: Vec<_> = status
            .employers
            .iter()
            .map(|one| status.name_of(one))
            .collect();
        let [first, other] = [
            "Acme (https://time.acme.example)",
            "Acme (https://elsewhere.example)",
        ];
        assert_eq!(names, [first, other, beta]);
        let menu = format!("{:?}", view(&status, ENGLISH).menu);
        assert!(menu.contains(first) && menu.contains(other), "{menu}");

        let tracking = employer(ACME, acme, WorkMode::Worklog, StateWord::Tracking);
        let at_work = view(&status_of(vec![tracking, stopped(BETA, beta)]), ENGLISH);
        assert_eq!(
            at_work.tooltip,
            "Glasshour: Tracking Apollo (Acme) for 1 h 12 m"
        );
        assert_eq!(at_work.label, "Glasshour: tracking Apollo (Acme)");

        // Who monitors meanwhile is named where one looks first.
        let tracking = employer(ACME, acme, WorkMode::Worklog, StateWord::Tracking);
        let monitoring = employer(BETA, beta, WorkMode::Monitoring, StateWord::Tracking);
        let both = view(&status_of(vec![tracking, monitoring.clone()]), ENGLISH);
        assert_eq!(
            both.tooltip,
            "Glasshour: Tracking Apollo (Acme) for 1 h 12 m. Beta monitors by its own license"
        );
        assert_eq!(both.label, "Glasshour: Beta monitors; tracking for Acme");
        let paused = employer(ACME, acme, WorkMode::Worklog, StateWord::Away);
        let one = view(&status_of(vec![paused, monitoring.clone()]), ENGLISH);
        assert_eq!(one.label, "Glasshour: Beta monitors");
        // However long a name is, the other one stays in sight.
        let long = "A company of a very long name that goes on and on";
        let tracking = employer(ACME, long, WorkMode::Worklog, StateWord::Tracking);
        let both = view(&status_of(vec![tracking, monitoring]), ENGLISH);
        assert_eq!(
            both.label,
            "Glasshour: Beta monitors; tracking for A company of a very lo…"
        );
        let picks = [
            Action::Pause,
            Action::Stop,
            Action::Switch(of(ACME, Some(ACME))),
            Action::Switch(of(BETA, None)),
            Action::Switch(of(BETA, Some(BETA))),
        ];
        assert!(
            actions(&at_work.menu).starts_with(&picks.each_ref()),
            "{at_work:?}"
        );
    }

    #[test]
    fn p04_who_works_for_one_while_another_monitors_is_told_so_and_cannot_quit() {
        let work = employer(BETA, "Beta", WorkMode::Worklog, StateWord::Tracking);
        let monitor = employer(ACME, "Acme", WorkMode::Monitoring, StateWord::Tracking);
        let view = view(&status_of(vec![work, monitor.clone()]), ENGLISH);
        let told = Item::Label("Acme monitors by its own license".into());
        assert_eq!(view.menu.get(1), Some(&told));
        let picks = actions(&view.menu);
        assert!(
            picks.contains(&&Action::Stop),
            "the worklog is the person's own"
        );
        assert!(!picks.contains(&&Action::Quit));
        // At rest the other way round: the worklog can be started, the monitoring is seen.
        let rest = employer(BETA, "Beta", WorkMode::Worklog, StateWord::Stopped);
        let at_rest = super::view(&status_of(vec![monitor, rest]), ENGLISH);
        assert!(at_rest.running && at_rest.icon == Icon::Tracking);
        assert!(actions(&at_rest.menu).contains(&&Action::Start(Pick::default())));
        assert!(!actions(&at_rest.menu).contains(&&Action::Stop));
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
        .map(|status| view(&status, ENGLISH).icon);
        assert_eq!(
            icons,
            [Icon::Off, Icon::Tracking, Icon::Paused, Icon::Problem]
        );
    }

    #[test]
    fn the_tray_speaks_the_readers_language() {
        let mut tracking = status(WorkMode::Worklog, StateWord::Tracking);
        tracking.today_ms = 27_120_000;
        let view = view(&tracking, Words::new(glasshour_words::Language::French));
        let loose = |text: &str| text.replace('\u{a0}', " ");
        assert_eq!(
            loose(&view.tooltip),
            "Glasshour : Suivi en cours : Apollo, 1 h 12 min"
        );
        let labels: Vec<_> = view
            .menu
            .iter()
            .map(|item| match item {
                Item::Label(label)
                | Item::Command { label, .. }
                | Item::Choice { label, .. }
                | Item::Submenu { label, .. } => loose(label),
                Item::Separator => String::new(),
            })
            .collect();
        assert_eq!(
            labels,
            [
                "Suivi en cours : Apollo, 1 h 12 min",
                "Aujourd’hui : 7 h 32 min",
                "",
                "Faire une pause",
                "Arrêter",
                "Passer à",
                "",
                "Ouvrir ma journée",
                "État",
                "Ce qui est enregistré",
                "Quitter Glasshour",
            ]
        );
    }
}
