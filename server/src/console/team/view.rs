//! Team today, as values: who is working, and is anything wrong.

use askama::Template;

use crate::console::chart::Spark;
use crate::console::layout::{MARK, Page, State};

/// The page.
#[derive(Debug, Template)]
#[template(path = "team/page.html")]
pub(crate) struct TeamView {
    pub(crate) page: Page,
    /// `Sunday 22 November 2026`.
    pub(crate) date: String,
    /// The zone that today is counted in.
    pub(crate) zone: String,
    /// The page's question, answered in a sentence.
    pub(crate) answer: String,
    pub(crate) problems: Vec<Problem>,
    pub(crate) rows: Vec<Row>,
    /// What is left to do before the first record; absent once all is done.
    pub(crate) steps: Option<Vec<Step>>,
}

/// Something that needs a person.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) text: String,
    pub(crate) href: String,
}

/// One employee.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) employee_id: String,
    pub(crate) name: String,
    pub(crate) now: State,
    /// `Apollo · 1 h 12 m`, `not tracking`.
    pub(crate) now_text: String,
    pub(crate) today: String,
    pub(crate) spark: Spark,
    /// How long ago; absent where nothing was ever heard.
    pub(crate) seen: Option<Seen>,
    pub(crate) health: State,
    pub(crate) health_text: String,
}

/// When an employee's device was last heard.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) ago: String,
    pub(crate) machine: String,
    /// The full moment with its zone.
    pub(crate) full: String,
}

/// One step of a first run.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) done: bool,
    /// The first one that is not done.
    pub(crate) next: bool,
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    pub(crate) link: Option<(String, &'static str)>,
}

/// How far a company has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress<'a> {
    /// An employee to open, the first one.
    pub(crate) employee: Option<&'a str>,
    /// That employee has a license.
    pub(crate) license: bool,
    pub(crate) device: bool,
    pub(crate) record: bool,
}

/// The five steps of a first run; `None` once the first record is here.
pub(crate) fn steps(progress: Progress<'_>) -> Option<Vec<Step>> {
    if progress.record {
        return None;
    }
    let license = progress
        .employee
        .map(|id| format!("/employees/{id}/license.gz"));
    let mut steps = vec![
        Step {
            done: true,
            next: false,
            title: "Set up the company",
            text: "The server runs, and you are logged in.",
            link: None,
        },
        Step {
            done: progress.employee.is_some(),
            next: false,
            title: "Make the first employee",
            text: "A name, a work mode, a profile. Making an active employee makes the license.",
            link: Some(("/employees/new".into(), "New employee")),
        },
        Step {
            done: progress.device,
            next: false,
            title: "Hand over the license",
            text: "Save the file and give it to the employee, with the agent to load it into.",
            link: license
                .filter(|_| progress.license)
                .map(|address| (address, "Save license")),
        },
        Step {
            done: progress.device,
            next: false,
            title: "Load it into the agent",
            text: "On the employee's computer: glasshour license load FILE, then glasshour run.",
            link: None,
        },
        Step {
            done: progress.record,
            next: false,
            title: "Wait for the first record",
            text: "It arrives by itself as soon as tracking runs. This page looks for it.",
            link: None,
        },
    ];
    if let Some(step) = steps.iter_mut().find(|step| !step.done) {
        step.next = true;
    }
    Some(steps)
}

#[cfg(test)]
impl TeamView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::chart::Slot;
        use crate::console::layout::Part;

        let spark = |seed: i64, until: usize| {
            let slots: Vec<Slot> = (0..48_i64)
                .map(|i| {
                    let on = (i % 17 > 2) && usize::try_from(i).unwrap() < until;
                    let actions = if on {
                        (i * seed * 37 + i * i * 11) % 400
                    } else {
                        0
                    };
                    Slot {
                        tracked_ms: if on { 600_000 } else { 0 },
                        actions,
                    }
                })
                .collect();
            Spark::draw(&slots)
        };
        let row =
            |id: &str, name: &str, now, now_text: &str, today: &str, spark, health, text: &str| {
                Row {
                    employee_id: id.into(),
                    name: name.into(),
                    now,
                    now_text: now_text.into(),
                    today: today.into(),
                    spark,
                    seen: Some(Seen {
                        ago: "12\u{a0}s".into(),
                        machine: "2026-11-22T14:03:00+01:00".into(),
                        full: "2026-11-22 14:03 Europe/Paris".into(),
                    }),
                    health,
                    health_text: text.into(),
                }
            };
        let page = || Page::sample("Team today", Part::Team);
        let full = Self {
            page: page(),
            date: "Sunday 22 November 2026".into(),
            zone: "Europe/Paris".into(),
            answer: "2 people are working, 1 is paused, 2 are not tracking.".into(),
            problems: vec![
                Problem { text: "Ann Lee: the camera is denied by the operating system. Allow it in the system's settings.".into(), href: "/devices".into() },
                Problem { text: "Sam Roe: records are missing in today's chain.".into(), href: "/employees/3/day".into() },
            ],
            rows: vec![
                row("1", "Jo Doe", State::Working, "Apollo · 1 h 12 m", "5 h 40 m", spark(3, 48), State::Done, "ok"),
                row("2", "Ann Lee", State::Paused, "paused", "2 h 03 m", spark(5, 30), State::Problem, "camera denied"),
                row("3", "Sam Roe", State::Idle, "Support · idle for 7 m", "4 h 12 m", spark(7, 48), State::Gap, "records missing"),
                row("4", "<script>alert(1)</script>", State::Off, "not tracking", "0 m", spark(1, 0), State::Done, "ok"),
                Row { seen: None, ..row("5", "Maximiliane von und zu Hohenstein-Wolkenkuckucksheim", State::Off, "not tracking", "0 m", spark(1, 0), State::Off, "no device yet") },
            ],
            steps: None,
        };
        let empty = Self {
            page: page(),
            date: "Sunday 22 November 2026".into(),
            zone: "UTC".into(),
            answer: "Nobody is tracked yet.".into(),
            problems: vec![],
            rows: vec![],
            steps: steps(Progress::default()),
        };
        vec![("full", full), ("first-run", empty)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_run_has_five_steps_and_points_at_the_next() {
        let ticks = |progress| {
            steps(progress).map(|steps| {
                let done: Vec<bool> = steps.iter().map(|step| step.done).collect();
                (done, steps.iter().position(|step| step.next))
            })
        };
        let mut progress = Progress::default();
        assert_eq!(
            ticks(progress),
            Some((vec![true, false, false, false, false], Some(1)))
        );
        progress.employee = Some("e");
        progress.license = true;
        assert_eq!(
            ticks(progress),
            Some((vec![true, true, false, false, false], Some(2)))
        );
        progress.device = true;
        assert_eq!(
            ticks(progress),
            Some((vec![true, true, true, true, false], Some(4)))
        );
        progress.record = true;
        assert_eq!(ticks(progress), None);
    }
}
