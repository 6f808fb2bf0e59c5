//! A worklog by the Windows agent, end to end: the license is loaded, work is started, keys are typed into
//! a window of Windows, the screen is pictured, work is stopped, everything is uploaded, and the employer sees exactly that.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_protocol::Kind;
use glasshour_protocol::payload::{Cause, SessionEventKind};
use glasshour_tests::agent::{Agent, exit};
use glasshour_tests::process::Plan;
use glasshour_tests::story::SCREEN;
use glasshour_tests::{Seen, Story, profiles, tell};

use crate::wine::Wine;

/// The window that is typed into.
const NOTEPAD: &str = "Untitled - Notepad";
/// Wine takes its time.
const SOON: Duration = Duration::from_secs(90);

/// Plays it, and shows the logs if it fails.
pub(crate) fn tell_it(wine: &Wine, program: &Path) -> Result<()> {
    tell(|story| play(story, wine, program))
}

fn play(story: &mut Story, wine: &Wine, program: &Path) -> Result<()> {
    let environment = wine.environment(Some(&story.desktop));
    story.agent = Agent::on_display(story.folder(), &environment)?;
    story.agent.command = wine.command(program);

    let (employee, license) = story.hire("Jo Doe", "worklog", &profiles::eager())?;
    let asleep = story.agent.call(["status", "--json"])?;
    ensure!(asleep.code == exit::NOT_RUNNING, "{}", asleep.text());
    story.agent.load(&license)?;
    story.agent.run()?;
    story.agent.wait_for_state("stopped", SOON)?;
    let second = story.agent.call(["run"])?;
    ensure!(
        second.code == exit::REFUSED,
        "two agents run: {}",
        second.text()
    );

    let start = ["start", "--note", "a worklog on Windows"];
    story.agent.call(start)?.ok()?;
    story.agent.wait_for_state("tracking", SOON)?;
    let notepad = wine.command(Path::new("notepad"));
    let (first, rest) = notepad.split_first().context("no program is named")?;
    let _notepad = Plan::new("notepad", first, &story.folder().join("logs"))
        .with(rest)
        .within(&environment)
        .start()?;
    let input = story.desktop.input();
    input.wait_for_window(NOTEPAD, SOON)?;
    let keys = input.type_keys_into(NOTEPAD, 60)?;
    let api = story.api();
    // Wine tells nobody that another window is in front; the agent looks after five seconds.
    let enough = (SOON, "twelve screenshots at the server");
    Seen::when(&api, &employee, enough, |seen| Ok(seen.pictures() >= 12))?;

    story.agent.call(["stop"])?.ok()?;
    story.agent.wait_for_state("stopped", SOON)?;
    story.agent.wait_for_empty_spool(SOON)?;
    let all = (SOON, "start, stop and activity at the server");
    let seen = Seen::when(&api, &employee, all, |seen| {
        Ok(seen.count(Kind::Session) >= 2 && seen.count(Kind::Activity) >= 1)
    })?;

    ensure!(seen.check_pictures(SCREEN)? >= 12, "pictures are missing");
    let counted = seen.input()?;
    ensure!(
        counted.exact && counted.keys == keys,
        "of {keys} keys: {counted:?}"
    );
    let activity = seen.activity()?;
    let mut applications = activity.iter().flat_map(|minute| &minute.applications);
    let is_named = applications.any(|application| {
        let title = application.title.as_deref().unwrap_or_default();
        application.name == "notepad" && title.ends_with("Notepad")
    });
    ensure!(is_named, "the window in front is not named: {activity:?}");
    let events = seen.session_events()?;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.event, event.cause))
        .collect();
    ensure!(
        told.first() == Some(&(SessionEventKind::Started, Cause::User))
            && told.last() == Some(&(SessionEventKind::Stopped, Cause::User)),
        "{told:?}"
    );
    ensure!(
        seen.records.iter().all(|record| record.grade == "verified"),
        "{:?}",
        seen.records
    );
    story.balance(&employee)?.check()?;
    let doctor = story.agent.call(["doctor"])?;
    println!("{}", doctor.text());
    story
        .agent
        .kill_hard()
        .context("the agent has ended by itself")
}
