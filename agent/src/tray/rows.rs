//! Rows of the menu beside starting and stopping: today's time, the own day, and what idle time was. Pure.

use glasshour_words::{Message, Outside, Words};

use super::{Action, IdlePick, Item};
use crate::ipc::IdleReply;
use crate::status::{EmployerStatus, Status};

/// Most projects that the menu lists.
pub(super) const MOST_PROJECTS: usize = 20;
/// Most projects whose time of today it lists.
const MOST_TIMES: usize = 5;
/// Longest row of text, characters: a menu is as wide as its widest row, and panels do not wrap.
const WIDEST: usize = 60;

/// A text as rows, broken between words. A word that is longer than a row keeps one to itself.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Item> {
    let mut rows: Vec<String> = Vec::new();
    // Not at no-break spaces: what they join is read as one.
    for word in text.split([' ', '\n']).filter(|word| !word.is_empty()) {
        let room = |row: &String| row.chars().count() + 1 + word.chars().count() <= WIDEST;
        match rows.last_mut().filter(|row| room(row)) {
            Some(row) => {
                row.push(' ');
                row.push_str(word);
            }
            None => rows.push(word.to_owned()),
        }
    }
    rows.into_iter().map(Item::Label)
}

/// Today's time per project, where there is more than one.
pub(super) fn project_lines(status: &Status, words: Words) -> Vec<String> {
    let kind = status.mode;
    let of_kind = status.employers.iter().filter(|e| e.mode == kind);
    let times: Vec<_> = of_kind.flat_map(|e| &e.today_projects).collect();
    if times.len() < 2 {
        return Vec::new();
    }
    let most = times.into_iter().take(MOST_TIMES);
    most.map(|time| {
        let name = match &time.project {
            Some(project) => project.name.clone(),
            None => words.say(Message::TrayNoProject {}),
        };
        words.say(Message::TrayProjectTime {
            project: Outside(&name),
            time: words.short_duration(time.ms),
        })
    })
    .collect()
}

/// The own day, at each employer's server.
pub(super) fn day_items(status: &Status, words: Words) -> Vec<Item> {
    let several = status.several_employers();
    let licensed = status.employers.iter().filter(|e| e.license.is_some());
    licensed
        .map(|employer| {
            let company = Outside(&employer.company);
            Item::Command {
                action: Action::OpenDay(employer.company_id),
                label: words.say(if several {
                    Message::MenuDayAt { company }
                } else {
                    Message::MenuDay {}
                }),
                enabled: true,
            }
        })
        .collect()
}

/// The newest stretch without input that was not spoken of yet, with what can be said of it.
pub(super) fn idle_question(status: &Status, words: Words) -> Option<Item> {
    let question = status.idle_questions.last()?;
    let action = |reply| {
        Action::AnswerIdle(IdlePick {
            session: question.session_id,
            from_ms: question.from_ms,
            reply,
        })
    };
    let command = |reply, label: Message<'_>| Item::Command {
        action: action(reply),
        label: words.say(label),
        enabled: true,
    };
    let mut items = vec![
        command(IdleReply::Keep, Message::IdleKeep {}),
        command(IdleReply::Discard, Message::IdleDiscard {}),
    ];
    let of = |employer: &&EmployerStatus| employer.company_id == question.company_id;
    let projects = status.employers.iter().filter(of).flat_map(|e| &e.projects);
    let others = projects.filter(|project| Some(*project) != question.project.as_ref());
    items.extend(others.take(MOST_PROJECTS).map(|project| {
        let reply = IdleReply::Assign {
            project: project.project_id.to_string(),
        };
        let label = Message::IdleAssign {
            project: Outside(&project.name),
        };
        command(reply, label)
    }));
    let length = question.to_ms.saturating_sub(question.from_ms);
    let label = words.say(Message::TrayIdleQuestion {
        from: Outside(&question.from),
        to: Outside(&question.to),
        time: words.short_duration(length.unsigned_abs()),
    });
    Some(Item::Submenu { label, items })
}
