//! Whom a worklog is for (rule 18): from what was asked for to one employer and one project, or to a
//! sentence that lists the choices. Pure.
//!
//! Nothing is guessed: a name that fits several is refused, because time that lands at the wrong
//! employer tells one of them what was done for the other.

use std::cmp::Reverse;

use glasshour_protocol::device::Project;
use glasshour_protocol::{CompanyId, ProjectId};
use glasshour_words::{Message, Outside, Words};

use crate::ipc::{RefusedBy, Work};

/// An employer with a license on this computer.
#[derive(Clone, Debug)]
pub(super) struct Employer {
    pub(super) company: CompanyId,
    pub(super) name: String,
    /// Whether its license is for monitoring: then no worklog can be for it.
    pub(super) monitors: bool,
    /// What it has told us of; empty before its server was reached.
    pub(super) projects: Vec<Project>,
    /// When a worklog was last started for it, UTC milliseconds.
    pub(super) last_used_ms: Option<i64>,
}

/// What a worklog is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) company: CompanyId,
    /// `None`: the license's default.
    pub(super) project: Option<ProjectId>,
}

/// Why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoChoice {
    pub(super) reason: RefusedBy,
    pub(super) message: String,
}

impl NoChoice {
    fn state(message: String) -> Self {
        Self {
            reason: RefusedBy::State,
            message,
        }
    }

    fn license(message: String) -> Self {
        Self {
            reason: RefusedBy::License,
            message,
        }
    }
}

/// Finds what was asked for among the employers, of which there is at least one.
pub(super) fn choose(
    employers: &[Employer],
    work: &Work,
    words: Words,
) -> Result<Choice, NoChoice> {
    let named = work
        .employer
        .as_deref()
        .map(|name| named(employers, name, words))
        .transpose()?;
    let candidates = match named {
        Some(employer) => vec![employer],
        None => for_worklogs(employers),
    };
    let Some(first) = candidates.first() else {
        return Err(NoChoice::license(by_monitoring_alone(employers, words)));
    };
    match (&work.project, candidates.as_slice()) {
        (Some(project), [one]) => {
            let found = find_project(employers, one, project, words);
            let project =
                found.map_err(|no| of_monitoring(employers, project, words).unwrap_or(no))?;
            Ok(Choice {
                company: one.company,
                project: Some(project),
            })
        }
        (Some(project), several) => by_project(several, project, words)
            .map_err(|no| of_monitoring(employers, project, words).unwrap_or(no)),
        (None, several) => {
            let choice = most_recent(several).or((several.len() == 1).then_some(*first));
            let company = choice
                .ok_or_else(|| {
                    let companies = list(several, &[]);
                    let companies = Outside(&companies);
                    NoChoice::state(words.say(Message::NoWhom { companies }))
                })?
                .company;
            Ok(Choice {
                company,
                project: None,
            })
        }
    }
}

/// The employer that a worklog is for where nothing was asked for.
pub(super) fn default(employers: &[Employer]) -> Option<CompanyId> {
    // Why there is none is said to nobody.
    choose(employers, &Work::default(), Words::ENGLISH)
        .ok()
        .map(|choice| choice.company)
}

fn for_worklogs(employers: &[Employer]) -> Vec<&Employer> {
    employers
        .iter()
        .filter(|employer| !employer.monitors)
        .collect()
}

fn most_recent<'a>(employers: &[&'a Employer]) -> Option<&'a Employer> {
    let used = employers.iter().filter(|e| e.last_used_ms.is_some());
    used.min_by_key(|e| Reverse(e.last_used_ms)).copied()
}

fn named<'a>(
    employers: &'a [Employer],
    name: &str,
    words: Words,
) -> Result<&'a Employer, NoChoice> {
    let employer = find_employer(employers, name, words)?;
    if employer.monitors {
        let company = Outside(&employer.name);
        return Err(NoChoice::license(words.say(Message::NoByHand { company })));
    }
    Ok(employer)
}

/// Finds an employer by id or by name, without regard to case.
pub(super) fn find_employer<'a>(
    employers: &'a [Employer],
    name: &str,
    words: Words,
) -> Result<&'a Employer, NoChoice> {
    let wanted = name.trim().to_lowercase();
    let id = wanted.parse::<CompanyId>().ok();
    let fits = |employer: &&Employer| {
        Some(employer.company) == id || employer.name.to_lowercase() == wanted
    };
    let found: Vec<_> = employers.iter().filter(fits).collect();
    let name = Outside(name);
    match found.as_slice() {
        [] => {
            let companies = list(&employers.iter().collect::<Vec<_>>(), employers);
            let companies = Outside(&companies);
            Err(NoChoice::state(
                words.say(Message::NoEmployer { name, companies }),
            ))
        }
        [employer] => Ok(employer),
        several => {
            let companies = list(several, employers);
            let companies = Outside(&companies);
            Err(NoChoice::state(
                words.say(Message::NoOneEmployer { name, companies }),
            ))
        }
    }
}

/// That a project which nobody else has is the monitoring employer's, where that is so.
fn of_monitoring(employers: &[Employer], name: &str, words: Words) -> Option<NoChoice> {
    let monitors = employers.iter().find(|employer| employer.monitors)?;
    let project = monitors.projects.iter().find(|p| is_called(p, name))?;
    let others = employers.iter().filter(|employer| !employer.monitors);
    let mut known = others.flat_map(|employer| &employer.projects);
    if known.any(|project| is_called(project, name)) {
        return None;
    }
    Some(NoChoice::license(words.say(Message::NoTheirProject {
        project: Outside(&project.name),
        company: Outside(&monitors.name),
    })))
}

/// Whether that is the project's id or its name, without regard to case.
fn is_called(project: &Project, name: &str) -> bool {
    let wanted = name.trim();
    wanted.parse().ok() == Some(project.project_id)
        || project.name.to_lowercase() == wanted.to_lowercase()
}

fn by_project(candidates: &[&Employer], name: &str, words: Words) -> Result<Choice, NoChoice> {
    let project_of = |employer: &Employer| {
        let mut projects = employer.projects.iter();
        let project = projects.find(|project| is_called(project, name))?;
        Some(project.project_id)
    };
    let found: Vec<_> = candidates
        .iter()
        .filter_map(|employer| Some((*employer, project_of(employer)?)))
        .collect();
    match found.as_slice() {
        [] => Err(NoChoice::state(no_such_project(candidates, name, words))),
        [(employer, project)] => Ok(Choice {
            company: employer.company,
            project: Some(*project),
        }),
        several => {
            let owners: Vec<_> = several.iter().map(|(employer, _)| *employer).collect();
            let companies = list(&owners, &[]);
            Err(NoChoice::state(words.say(Message::NoOneProject {
                name: Outside(name),
                companies: Outside(&companies),
            })))
        }
    }
}

/// Finds a project of one employer by id or by name, without regard to case. An id that nobody has told
/// of is believed; one that is another employer's goes to none but that one.
fn find_project(
    employers: &[Employer],
    of: &Employer,
    name: &str,
    words: Words,
) -> Result<ProjectId, NoChoice> {
    let found = of.projects.iter().find(|project| is_called(project, name));
    if let (None, Ok(id)) = (found, name.trim().parse::<ProjectId>()) {
        let mut others = employers.iter().flat_map(|employer| &employer.projects);
        if !others.any(|project| project.project_id == id) {
            return Ok(id);
        }
    }
    found.map(|project| project.project_id).ok_or_else(|| {
        NoChoice::state(if of.projects.is_empty() {
            words.say(Message::NoProjectsYet {
                company: Outside(&of.name),
            })
        } else {
            words.say(Message::NoProject {
                name: Outside(name),
                projects: Outside(&names(&of.projects)),
            })
        })
    })
}

fn no_such_project(candidates: &[&Employer], name: &str, words: Words) -> String {
    let name = Outside(name);
    let mut sentences = vec![words.say(Message::NoProjectOfAny { name })];
    for Employer { name, projects, .. } in candidates {
        let company = Outside(name);
        sentences.push(if projects.is_empty() {
            words.say(Message::NoProjectsYet { company })
        } else {
            let projects = names(projects);
            let projects = Outside(&projects);
            words.say(Message::HasProjects { company, projects })
        });
    }
    sentences.join(" ")
}

fn by_monitoring_alone(employers: &[Employer], words: Words) -> String {
    let names: Vec<_> = employers.iter().map(|e| e.name.as_str()).collect();
    let companies = names.join(", ");
    words.say(Message::NoByHandOf {
        companies: Outside(&companies),
    })
}

fn names(projects: &[Project]) -> String {
    let names: Vec<_> = projects.iter().map(|p| p.name.as_str()).collect();
    names.join(", ")
}

/// Employers by name, with their ids where a name is not theirs alone.
fn list(employers: &[&Employer], all: &[Employer]) -> String {
    let alike = |name: &str| {
        let same = |employer: &Employer| employer.name.eq_ignore_ascii_case(name);
        let here = employers.iter().filter(|e| same(e)).count();
        here.max(all.iter().filter(|e| same(e)).count()) > 1
    };
    let words: Vec<_> = employers
        .iter()
        .map(|employer| {
            if alike(&employer.name) {
                format!("{} ({})", employer.name, employer.company)
            } else {
                employer.name.clone()
            }
        })
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ACME: u128 = 1;
    const BETA: u128 = 2;

    fn project(id: u128, name: &str) -> Project {
        Project {
            project_id: ProjectId(Uuid::from_u128(id)),
            name: name.into(),
            color: "#0f766e".into(),
        }
    }

    fn employer(id: u128, name: &str, projects: &[Project]) -> Employer {
        Employer {
            company: CompanyId(Uuid::from_u128(id)),
            name: name.into(),
            monitors: false,
            projects: projects.to_vec(),
            last_used_ms: None,
        }
    }

    fn two() -> Vec<Employer> {
        vec![
            employer(
                ACME,
                "Acme",
                &[project(11, "Apollo"), project(12, "Support")],
            ),
            employer(
                BETA,
                "Beta",
                &[project(21, "Borealis"), project(22, "Support")],
            ),
        ]
    }

    fn ask(employers: &[Employer], employer: &str, project: &str) -> Result<(u128, u128), String> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let work = Work {
            employer: given(employer),
            project: given(project),
        };
        choose(employers, &work, Words::ENGLISH)
            .map(|choice| {
                let project = choice.project.map_or(0, |project| project.0.as_u128());
                (choice.company.0.as_u128(), project)
            })
            .map_err(|no| no.message)
    }

    #[test]
    fn p18_a_project_that_one_employer_alone_has_says_whom_the_work_is_for() {
        assert_eq!(ask(&two(), "", "borealis"), Ok((BETA, 21)));
        assert_eq!(ask(&two(), "ACME", ""), Ok((ACME, 0)));
        assert_eq!(ask(&two(), "beta", "Support"), Ok((BETA, 22)));
        let id = CompanyId(Uuid::from_u128(BETA)).to_string();
        assert_eq!(ask(&two(), &id, ""), Ok((BETA, 0)));
    }

    #[test]
    fn p18_what_several_could_mean_is_refused_with_the_choices() {
        let text = ask(&two(), "", "support").unwrap_err();
        assert!(
            text.contains("--employer. There are: Acme, Beta."),
            "{text}"
        );
        let text = ask(&two(), "", "").unwrap_err();
        assert!(text.contains("There are: Acme, Beta."), "{text}");
        let text = ask(&two(), "", "Nimbus").unwrap_err();
        assert!(
            text.contains("Acme has: Apollo, Support. Beta has: Bor"),
            "{text}"
        );
        let text = ask(&two(), "Gamma", "").unwrap_err();
        assert!(text.contains("There are: Acme, Beta."), "{text}");
        let twins = [employer(ACME, "Acme", &[]), employer(BETA, "acme", &[])];
        let text = ask(&twins, "Acme", "").unwrap_err();
        assert!(text.contains(&Uuid::from_u128(BETA).to_string()), "{text}");
    }

    #[test]
    fn p18_without_a_word_the_last_used_employer_is_taken_and_an_only_one_is() {
        let mut employers = two();
        employers[0].last_used_ms = Some(1);
        employers[1].last_used_ms = Some(2);
        assert_eq!(ask(&employers, "", ""), Ok((BETA, 0)));
        employers[0].last_used_ms = Some(3);
        assert_eq!(ask(&employers, "", ""), Ok((ACME, 0)));
        // A project that both have is not decided by that.
        assert!(ask(&employers, "", "Support").is_err());
        assert_eq!(ask(&two()[..1], "", ""), Ok((ACME, 0)));
    }

    #[test]
    fn p04_no_worklog_is_for_the_employer_that_monitors() {
        let mut employers = two();
        employers[0].monitors = true;
        employers[0].last_used_ms = Some(9);
        assert_eq!(ask(&employers, "", ""), Ok((BETA, 0)));
        assert_eq!(ask(&employers, "", "Support"), Ok((BETA, 22)));
        let refused = |employers: &[Employer], name: &str| {
            let work = Work {
                employer: Some(name.into()),
                project: None,
            };
            choose(employers, &work, Words::ENGLISH).unwrap_err().reason
        };
        assert_eq!(refused(&employers, "Acme"), RefusedBy::License);
        let work = |project: &str| Work {
            employer: None,
            project: Some(project.into()),
        };
        let theirs = choose(&employers, &work("apollo"), Words::ENGLISH).unwrap_err();
        assert_eq!(theirs.reason, RefusedBy::License);
        assert!(
            theirs.message.starts_with("Apollo is a project of Acme"),
            "{}",
            theirs.message
        );
        let nobodys = choose(&employers, &work("Nimbus"), Words::ENGLISH).unwrap_err();
        assert_eq!(nobodys.reason, RefusedBy::State);
        let alone = choose(&employers[..1], &Work::default(), Words::ENGLISH).unwrap_err();
        assert_eq!(alone.reason, RefusedBy::License);
    }

    #[test]
    fn an_id_that_no_employer_has_told_of_goes_to_none_of_several() {
        let id = Uuid::from_u128(99).to_string();
        assert!(ask(&two(), "", &id).is_err());
        assert_eq!(ask(&two(), "Acme", &id), Ok((ACME, 99)));
        assert_eq!(ask(&two()[..1], "", &id), Ok((ACME, 99)));
        let beta_s = Uuid::from_u128(21).to_string();
        assert!(ask(&two(), "Acme", &beta_s).is_err());
        let mut employers = two();
        employers[1].monitors = true;
        assert!(ask(&employers, "", &beta_s).is_err());
    }
}
