//! The end of a try: stop the worklog, let the spool drain, ask the server what it has, and hold
//! that against what was promised.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use glasshour_protocol::Kind;
use glasshour_tests::chain::{self, Balance};
use glasshour_tests::{Seen, wait_until};
use serde::Serialize;

use crate::show::Steps;
use crate::stage::Stage;
use crate::watch::Recorded;

const SOON: Duration = Duration::from_secs(45);

/// What scripts rely on (`./dev try --report`).
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Records at the server, by kind.
    records: BTreeMap<&'static str, usize>,
    /// Records that still wait at the agent.
    spool_left: u64,
    /// Records that the agent pushed and the server lacks.
    lost: usize,
    /// Records that the server has more than once, or that nobody pushed.
    surplus: usize,
    /// Pictures fetched from the server, decoded and looked at.
    screenshots_checked: usize,
    /// The recorded screen.
    screen: Option<Screen>,
    /// Key presses made by us; null where the display is the user's.
    keys_sent: Option<u32>,
    /// Key presses counted, by the server's records.
    keys_counted: u32,
    license_file: PathBuf,
    console_url: String,
    login: Login,
    duration_s: u64,
    /// Whether there was time enough for the numbers promised.
    #[serde(skip)]
    whole: bool,
    /// What is wrong with the pictures, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    screenshots_wrong: Option<String>,
}

#[derive(Debug, Serialize)]
struct Screen {
    w: u32,
    h: u32,
}

#[derive(Debug, Serialize)]
struct Login {
    email: String,
    password: String,
}

/// Ends the worklog in good order and makes the report.
pub(crate) fn close(stage: &mut Stage, recorded: &Recorded, steps: &mut Steps) -> Result<Report> {
    let api = stage.server.api();
    let spool_left = steps.run("stop the worklog and let everything arrive", || {
        stage.agent.call(["stop"])?.ok()?;
        let status = stage.agent.wait_for_state("stopped", SOON)?;
        // Not empty in time is for the report to tell, not an error of its own.
        let left = stage
            .agent
            .wait_for_empty_spool(SOON)
            .map_or_else(|_| status.waiting(), |status| status.waiting());
        // What was pushed last may have been acknowledged a moment before it can be listed.
        let pushed = || chain::pushed(stage.agent.home());
        let settled = wait_until(Duration::from_secs(5), "all to be listed", || {
            let balance = Balance::of(&pushed()?, &api.records(&stage.employee)?);
            Ok(balance.lost.is_empty().then_some(()))
        });
        if let Err(error) = settled {
            eprintln!("      {error:#}");
        }
        Ok(left)
    })?;

    let seen = Seen::now(&api, &stage.employee)?;
    let balance = Balance::of(&chain::pushed(stage.agent.home())?, &seen.records);
    let frame = seen
        .of(Kind::Screenshot)
        .find_map(|record| record.meta.frame.clone());
    let screen = frame.map(|frame| Screen {
        w: frame.screen_width,
        h: frame.screen_height,
    });
    let pictures = match &stage.desktop {
        Some(desktop) => seen.check_pictures(desktop.size()),
        None => seen.check_pictures_against_their_frames(),
    };
    let report = Report {
        records: seen.by_kind(),
        spool_left,
        lost: balance.lost.len(),
        surplus: balance.doubled.len() + balance.unheard_of.len(),
        screenshots_checked: pictures.as_ref().copied().unwrap_or_default(),
        screen,
        keys_sent: recorded.keys_sent,
        keys_counted: seen.input()?.keys,
        license_file: stage.license.clone(),
        console_url: stage.server.url().to_owned(),
        login: Login {
            email: stage.server.owner.email.clone(),
            password: stage.server.owner.password.clone(),
        },
        duration_s: stage.begun.elapsed().as_secs(),
        whole: recorded.whole,
        screenshots_wrong: pictures.err().map(|error| format!("{error:#}")),
    };
    stage.agent.end()?;
    Ok(report)
}

impl Report {
    /// Each promise that does not hold, in words.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (kind, least) in [
            (Kind::Screenshot, 3),
            (Kind::Activity, 1),
            (Kind::Session, 2),
        ] {
            let found = self.records.get(kind.as_str()).copied().unwrap_or_default();
            if self.whole && found < least {
                wrong.push(format!(
                    "{found} {kind} records at the server, at least {least} expected"
                ));
            }
        }
        let mut none = |count: u64, what: &str| {
            if count > 0 {
                wrong.push(format!("{count} {what}"));
            }
        };
        none(self.spool_left, "records still wait at the agent");
        none(
            self.lost as u64,
            "records are lost: the agent pushed them, the server lacks them",
        );
        none(
            self.surplus as u64,
            "records are at the server twice, or were never pushed",
        );
        if let Some(text) = &self.screenshots_wrong {
            wrong.push(text.clone());
        } else if self.whole && self.screenshots_checked == 0 {
            wrong.push("no screenshot has a picture to look at".to_owned());
        }
        if let Some(sent) = self.keys_sent
            && sent != self.keys_counted
        {
            wrong.push(format!(
                "{sent} keys were pressed, {} counted",
                self.keys_counted
            ));
        }
        wrong
    }

    /// Tells a person.
    pub(crate) fn print(&self) {
        println!("\nRecorded, by the server's own answers:");
        for (kind, count) in self.records.iter().filter(|(_, count)| **count > 0) {
            println!("  {count:>5}  {kind}");
        }
        let size = self
            .screen
            .as_ref()
            .map(|s| format!(", {}x{}", s.w, s.h))
            .unwrap_or_default();
        println!(
            "  {:>5}  pictures decoded and looked at{size}",
            self.screenshots_checked
        );
        match self.keys_sent {
            Some(sent) => println!("  {:>5}  keys counted of {sent} pressed", self.keys_counted),
            None => println!(
                "  {:>5}  keys counted (which ones is never known)",
                self.keys_counted
            ),
        }
        println!(
            "  {:>5}  left in the spool, {} lost",
            self.spool_left, self.lost
        );
        println!();
        println!("Console   {}", self.console_url);
        println!("Log-in    {}   {}", self.login.email, self.login.password);
        println!("License   {}", self.license_file.display());
    }

    /// Writes the JSON.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
        println!("Report    {}", file.display());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Report {
        Report {
            records: BTreeMap::from([("screenshot", 3), ("activity", 1), ("session", 2)]),
            spool_left: 0,
            lost: 0,
            surplus: 0,
            screenshots_checked: 3,
            screen: Some(Screen { w: 1280, h: 800 }),
            keys_sent: Some(100),
            keys_counted: 100,
            license_file: "Jo Doe.license.gz".into(),
            console_url: "http://127.0.0.1:1".into(),
            login: Login {
                email: "a@b.example".into(),
                password: "p".into(),
            },
            duration_s: 50,
            whole: true,
            screenshots_wrong: None,
        }
    }

    #[test]
    fn a_good_report_is_not_complained_about() {
        assert_eq!(good().wrong(), Vec::<String>::new());
        let stopped_early = Report {
            whole: false,
            records: BTreeMap::new(),
            screenshots_checked: 0,
            ..good()
        };
        assert_eq!(stopped_early.wrong(), Vec::<String>::new());
        assert_eq!(
            Report {
                keys_sent: None,
                ..good()
            }
            .wrong(),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_broken_promise_is_named() {
        for (report, word) in [
            (
                Report {
                    records: BTreeMap::new(),
                    ..good()
                },
                "0 screenshot records",
            ),
            (
                Report {
                    spool_left: 1,
                    ..good()
                },
                "still wait",
            ),
            (Report { lost: 2, ..good() }, "2 records are lost"),
            (
                Report {
                    surplus: 1,
                    ..good()
                },
                "twice",
            ),
            (
                Report {
                    screenshots_checked: 0,
                    ..good()
                },
                "no screenshot",
            ),
            (
                Report {
                    screenshots_wrong: Some("flat".into()),
                    ..good()
                },
                "flat",
            ),
            (
                Report {
                    keys_counted: 99,
                    ..good()
                },
                "100 keys were pressed, 99 counted",
            ),
        ] {
            assert!(
                report.wrong().iter().any(|line| line.contains(word)),
                "{word}: {report:?}"
            );
        }
    }
}
