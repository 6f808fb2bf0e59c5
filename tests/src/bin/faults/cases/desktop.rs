//! The real agent on a real desktop, where the desktop matters: a slow disk must not be felt, and a license may be
//! exchanged under a running worklog.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use glasshour_tests::chain::{Balance, pushed};
use glasshour_tests::wait::{now, wait_until, when};
use glasshour_tests::{Seen, Story, profiles, tell};
use serde_json::{Value, json};

use crate::case::{Case, Run};
use crate::needs::Need;
use crate::strace::{self, Inject};

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 10,
        name: "slow-flushes",
        says: "each flush of the agent takes 200 ms longer: commands are answered, the session runs, all arrives",
        needs: &[Need::Desktop, Need::Strace],
        tries: (3, 20),
        run: slow_flushes,
    },
    Case {
        number: 32,
        name: "license-swapped-while-running",
        says: "the employer changes the license again and again under a running worklog",
        needs: &[Need::Desktop],
        tries: (1, 4),
        run: license_swapped,
    },
];

const SOON: Duration = Duration::from_mins(1);
/// The server is asked for news every half minute.
const NEWS: Duration = Duration::from_secs(90);

/// Longest that a command may take, from the keyboard to the prompt, on a small machine without optimisation.
const PROMPT: Duration = Duration::from_secs(2);

fn slow_flushes(run: &mut Run<'_>) -> Result<()> {
    tell(|story| {
        let (employee, file) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&file)?;
        // What else the machine has to do is in both.
        story.agent.run()?;
        let (alone, _) = slowest(story)?;
        story.agent.end()?;
        let inject = Inject {
            calls: "fsync,fdatasync",
            what: "delay_enter=200000",
            when: None,
        };
        let none: [PathBuf; 0] = [];
        story.agent.wrapper = strace::wrapper(&inject, &none, &run.folder.join("strace.log"));
        story.agent.run()?;
        let mut all = (Duration::ZERO, "none");
        while run.tally.tries < run.wanted {
            all = all.max(slowest(story)?);
            run.tried();
        }
        let (took, command) = all;
        run.promise(took < PROMPT + alone, || {
            format!(
                "with slow flushes `{command}` took {took:.1?}; without, none more than {alone:.1?}"
            )
        });
        run.note(format!(
            "the slowest command, `{command}`, took {took:.2?}; without slow flushes {alone:.2?}"
        ));
        finish(run, story, &employee)
    })
}

/// A worklog from its start to its end; how long the slowest command took, and which it was.
fn slowest(story: &mut Story) -> Result<(Duration, &'static str)> {
    let mut slowest = (Duration::ZERO, "none");
    for words in [
        &["start"][..],
        &["status", "--json"],
        &["note", "hm"],
        &["stop"],
    ] {
        let begin = now();
        story.agent.call(words)?.ok()?;
        slowest = slowest.max((begin.elapsed(), words.first().copied().unwrap_or_default()));
        if words == ["start"] {
            story.agent.wait_for_state("tracking", SOON)?;
            // Pictures and minutes are on their way to the slow disk meanwhile.
            let before = pushed(story.agent.home())?.values().sum::<u64>();
            wait_until(SOON, "captures go on", || {
                let pushed = pushed(story.agent.home())?.values().sum::<u64>();
                Ok(when(pushed >= before + 2))
            })?;
        }
    }
    Ok(slowest)
}

fn license_swapped(run: &mut Run<'_>) -> Result<()> {
    tell(|story| {
        let api = story.api();
        let (employee, file) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
        story.agent.load(&file)?;
        story.agent.run()?;
        story.agent.call(["start"])?.ok()?;
        while run.tally.tries < run.wanted {
            let before = Seen::now(&api, &employee)?.pictures();
            let enough = (SOON, "more pictures at the server");
            Seen::when(&api, &employee, enough, |seen| Ok(seen.pictures() > before))?;
            // Ever fewer pictures an hour, so that it holds without consent; some a second all the same.
            let per_hour = 3600 - 60 * (run.tally.tries + 1);
            let settings = json!({
                "screenshots": {"per_hour": per_hour, "random_moment": false, "monitors": "all"},
                "activity": {"input_counts": true, "applications": true, "window_titles": true},
                "idle_after_s": 300,
            });
            let profile = api.create_profile(&format!("{per_hour} an hour"), &settings)?;
            api.set_profile(&employee, &profile)?;
            let serial = run.tally.tries + 2;
            let begin = now();
            wait_until(NEWS, "the newer license is in force", || {
                let status = story.agent.status()?;
                let found = status.0.pointer("/license/serial").and_then(Value::as_u64);
                Ok(when(found == Some(serial) && status.state() == "tracking"))
            })?;
            run.tally.recovered.push(begin.elapsed());
            run.tried();
        }
        story.agent.call(["stop"])?.ok()?;
        finish(run, story, &employee)
    })
}

/// Everything is sent, and what the agent's spool says it pushed is held against the server.
fn finish(
    run: &mut Run<'_>,
    story: &mut Story,
    employee: &glasshour_tests::api::Employee,
) -> Result<()> {
    let status = story.agent.wait_for_empty_spool(SOON)?;
    let refused = status.quarantined();
    run.promise(refused == 0, || format!("{refused} records were set aside"));
    let all = pushed(story.agent.home())?;
    let balance: Balance = story.balance(employee)?;
    run.tally.records += all.values().sum::<u64>();
    // What is set aside is accounted for.
    run.tally.lost += (balance.lost.len() as u64).saturating_sub(refused);
    run.tally.duplicated += (balance.doubled.len() + balance.unheard_of.len()) as u64;
    story.agent.end().context("the agent did not end in order")
}
