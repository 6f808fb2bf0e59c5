//! The console in a real Chromium, by the rules that a person sees there.
//!
//! Each test starts a server of its own and lets one story of `tests/python/browser.py` play: Playwright
//! clicks, types and reads as a person would, everybody with cookies of their own. What the browser itself
//! objects to (a breach of the content policy, a script that fails) fails the story too.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use glasshour_tests::python::{Environment, run};
use glasshour_tests::server::Owner;
use glasshour_tests::{Server, programs};
use serde_json::{Value, json};

const BROWSER: Environment = Environment {
    name: "python-browser",
    requirements: include_str!("../python/requirements-browser.txt"),
    imports: "playwright.sync_api",
};

/// A server with a company and its owner.
struct Stage {
    server: Server,
    // Kept until the story is over.
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let owner = Owner {
            email: "owner@acme.example".into(),
            password: "correct horse 1".into(),
        };
        let server = Server::start(folder.path(), "Acme", owner)?;
        Ok(Self { server, folder })
    }

    /// Lets a story play; gives what it found.
    fn play(&self, story: &str) -> Result<Value> {
        programs::systems("chromium")?;
        let given = json!({
            "url": self.server.url(),
            "email": self.server.owner.email,
            "password": self.server.owner.password,
            "folder": self.folder.path(),
        });
        let mut python = Command::new(BROWSER.python()?)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/browser.py"))
            .arg(story)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = python.stdin.take().context("no way to tell the story")?;
        stdin.write_all(given.to_string().as_bytes())?;
        drop(stdin);
        let output = python.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{story}:\n{said}");
        serde_json::from_slice(&output.stdout).with_context(|| format!("{story}:\n{said}"))
    }
}

fn play(story: &str) -> Result<()> {
    Stage::new()?.play(story).map(drop)
}

#[test]
fn who_logs_in_comes_to_the_page_they_wanted_and_out_again() -> Result<()> {
    play("logging_in")
}

#[test]
fn p29_p32_p34_p35_p36_a_user_is_made_gets_in_by_the_link_and_the_row_says_what_to_do() -> Result<()>
{
    let stage = Stage::new()?;
    run(Command::new(programs::ours("glasshour-server")?)
        .args(["plan", "set", "--seats", "2", "--data"])
        .arg(stage.server.data()))?;
    stage.play("a_new_user").map(drop)
}

#[test]
fn p46_p47_p50_who_is_invited_gets_in_and_sees_what_the_role_allows() -> Result<()> {
    play("an_invitation")
}

#[test]
fn p54_p55_p56_p60_a_deactivation_ends_the_session_at_its_next_request() -> Result<()> {
    play("a_deactivation")
}

#[test]
fn p09_p11_the_row_of_an_employee_saves_the_license() -> Result<()> {
    let stage = Stage::new()?;
    let name = stage.play("a_license")?;
    let name = name.as_str().context("the file's name")?;
    assert_eq!(name, "jo-doe.license.gz");
    let license = glasshour_license_format::read(&std::fs::read(stage.folder.path().join(name))?)?;
    assert_eq!(license.claims().employee.name, "Jo Doe");
    assert_eq!(license.claims().issuer.company, "Acme");
    Ok(())
}

#[test]
fn p07_the_notice_beside_a_profile_follows_what_is_entered_with_and_without_script() -> Result<()> {
    play("a_preview")
}

#[test]
fn the_owner_replaces_the_signing_key_after_a_tick() -> Result<()> {
    play("a_new_key")
}

#[test]
fn every_page_fits_a_telephone_light_and_dark_and_works_by_keyboard() -> Result<()> {
    play("every_page")
}
