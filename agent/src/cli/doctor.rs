//! `glasshour doctor`: every part that the agent needs, whether it works, and what to do if not.

use std::sync::Arc;

use serde::Serialize;

use super::{block_on, out};
use crate::config;
use crate::exit::Exit;
use crate::home::Home;
use crate::ipc::{Answer, CallError, Request, call};
use crate::license::LicenseStore;
use crate::platform::{self, Platform, Unavailable};
use crate::status::Status;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    /// What was looked at.
    part: &'static str,
    /// `None`: it does not apply here.
    ok: Option<bool>,
    /// What was found and, where it is a problem, what to do.
    message: String,
}

impl Finding {
    fn good(part: &'static str, message: impl Into<String>) -> Self {
        Self {
            part,
            ok: Some(true),
            message: message.into(),
        }
    }

    fn bad(part: &'static str, message: impl Into<String>) -> Self {
        Self {
            part,
            ok: Some(false),
            message: message.into(),
        }
    }

    fn neutral(part: &'static str, message: impl Into<String>) -> Self {
        Self {
            part,
            ok: None,
            message: message.into(),
        }
    }
}

pub(super) fn doctor(home: &Home, json: bool) -> anyhow::Result<Exit> {
    let platform = platform::detect();
    let mut findings = vec![Finding::good("home", home.root().display().to_string())];
    findings.push(match config::policy() {
        Ok(policy) => Finding::good("policy", format!("{policy:?}")),
        Err(error) => Finding::bad("policy", error.to_string()),
    });
    findings.extend(licenses(home, &platform));
    match block_on(call(&home.socket(), &Request::Status))? {
        Ok(Answer::Done { status }) => findings.extend(running(&status)),
        Ok(Answer::Refused { message, .. }) => findings.push(Finding::bad("agent", message)),
        Err(error @ CallError::NotRunning) => {
            findings.push(Finding::bad("agent", error.to_string()));
        }
        Err(error) => findings.push(Finding::bad("agent", format!("{error:#}"))),
    }
    let healthy = findings.iter().all(|finding| finding.ok != Some(false));
    if json {
        out::json(&serde_json::json!({ "healthy": healthy, "findings": findings }))?;
    } else {
        for finding in &findings {
            let mark = match finding.ok {
                Some(true) => "ok",
                Some(false) => "PROBLEM",
                None => "-",
            };
            out::line(format!(
                "{mark:<8} {:<12} {}",
                finding.part, finding.message
            ));
        }
    }
    Ok(if healthy { Exit::Ok } else { Exit::Failure })
}

/// The licenses, and each channel that they permit, tried for real.
fn licenses(home: &Home, platform: &Arc<dyn Platform>) -> Vec<Finding> {
    let loaded = match LicenseStore::new(home.clone()).current() {
        Ok(loaded) => loaded,
        Err(error) => return vec![Finding::bad("license", format!("{error:#}"))],
    };
    let mut findings = vec![Finding::good("desktop", platform.describe())];
    if loaded.is_empty() {
        findings.push(Finding::bad(
            "license",
            "No license is loaded. Ask your employer for the file that ends in .license.gz, then \
             load it with `glasshour license load FILE`.",
        ));
    }
    for license in &loaded {
        let claims = license.claims();
        findings.push(Finding::good(
            "license",
            format!(
                "{} for {}, {} mode, serial {}",
                claims.issuer.company,
                claims.employee.name,
                claims.work_mode.as_str(),
                claims.serial
            ),
        ));
        let permits = license.permits();
        findings.push(match permits.screenshots() {
            None => not_permitted("screenshots"),
            Some(permit) => tried(
                "screenshots",
                platform.screens(&permit).and_then(|mut screens| {
                    let monitors = screens.monitors()?;
                    Ok(format!("{} monitors can be captured", monitors.len()))
                }),
            ),
        });
        match permits.activity() {
            None => findings.push(not_permitted("activity")),
            Some(permit) => {
                let settings = permit.settings();
                if settings.input_counts {
                    let opened = platform.input(&permit).map(|_| "can be counted".to_owned());
                    findings.push(tried("input", opened));
                }
                if settings.applications || settings.window_titles {
                    let active = platform.foreground(&permit).and_then(|mut f| f.active());
                    let told = active.map(|_| "the foreground can be told".to_owned());
                    findings.push(tried("applications", told));
                }
            }
        }
        if permits.camera().is_some() {
            findings.push(Finding::neutral(
                "camera",
                "permitted by the license; this version of Glasshour takes no camera shots",
            ));
        }
    }
    let idle = platform.idle().and_then(|mut idle| idle.idle());
    findings.push(tried("idle", idle.map(|_| "can be told".to_owned())));
    let notifier = platform
        .notifier()
        .map(|_| "messages can be shown".to_owned());
    findings.push(tried("messages", notifier));
    findings
}

fn not_permitted(part: &'static str) -> Finding {
    Finding::neutral(part, "not permitted by the license, so never captured")
}

fn tried(part: &'static str, result: Result<String, Unavailable>) -> Finding {
    match result {
        Ok(message) => Finding::good(part, message),
        Err(error) => Finding::bad(part, error.to_string()),
    }
}

/// What the running agent says of itself.
fn running(status: &Status) -> Vec<Finding> {
    let mut findings = vec![Finding::good(
        "agent",
        format!("runs, version {}", status.version),
    )];
    if let Some(blocked) = &status.blocked {
        findings.push(Finding::bad("tracking", blocked.message.clone()));
    }
    findings.push(match (&status.server.url, &status.server.message) {
        (None, _) => Finding::neutral("server", "not known before a license is loaded"),
        (Some(url), Some(message)) => Finding::bad("server", format!("{url}: {message}")),
        (Some(url), None) if status.server.reachable => {
            Finding::good("server", format!("{url} answers"))
        }
        (Some(url), None) => Finding::neutral("server", format!("{url}: not tried yet")),
    });
    let spool = status.spool;
    let counts = format!(
        "{} delivered, {} waiting, {} refused for good",
        spool.delivered, spool.waiting, spool.quarantined
    );
    findings.push(if spool.quarantined == 0 {
        Finding::good("records", counts)
    } else {
        Finding::bad("records", format!("{counts}; tell your administrator"))
    });
    findings.extend(
        status
            .problems
            .iter()
            .map(|p| Finding::bad("problem", p.clone())),
    );
    findings
}
