//! `glasshour doctor`: every part that the agent needs, whether it works, and what to do if not.

mod way_out;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use glasshour_license_format::WorkMode;
use glasshour_protocol::payload::PartHealth;
use glasshour_words::{Message, Words};
use serde::Serialize;

use super::{block_on, out};
use crate::config::{self, Policy};
use crate::exit::Exit;
use crate::home::Home;
use crate::ipc::{Answer, CallError, Request, call};
use crate::license::system_folder::{SUFFIX, is_anothers, user_of};
use crate::license::{LatestTime, LicenseStore, LoadError, invalid, read_file};
use crate::platform::{self, Platform, Unavailable};
use crate::sentence::with_causes;
use crate::status::{SpoolStatus, Status};

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
    let policy = config::policy();
    let mut store = LicenseStore::new(home.clone());
    match policy {
        Ok(policy) => {
            findings.push(Finding::good("policy", policy_words(&policy)));
            store = store.with_trusted_keys(policy.trusted_keys.clone());
            findings.extend(way_out::way_out(&policy, &servers(&store)));
        }
        Err(error) => findings.push(Finding::bad("policy", with_causes(&error))),
    }
    findings.extend(system_licenses(&store, &config::license_dir(), &*platform));
    findings.extend(licenses(&store, &LatestTime::open(home.clone()), &platform));
    match block_on(call(&home.socket(), &Request::Status))? {
        Ok(Answer::Done { status }) => findings.extend(running(&status)),
        Ok(Answer::Refused { message, .. }) => findings.push(Finding::bad("agent", message)),
        Ok(Answer::Held(_) | Answer::Link { .. }) => {
            findings.push(Finding::bad(
                "agent",
                "answers another question than it was asked",
            ));
        }
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

fn policy_words(policy: &Policy) -> String {
    let mut words = if policy.allow_plain_http.is_empty() {
        "captures leave this computer encrypted (https) only".to_owned()
    } else {
        format!(
            "captures may be sent without encryption (http) to {}; everywhere else encrypted only",
            policy.allow_plain_http.join(", ")
        )
    };
    if policy.trusted_keys.in_force() {
        words.push_str("; only licenses signed with a key that the administrator lists count");
    }
    words
}

/// Where captures go, by the licenses that are loaded, each once.
fn servers(store: &LicenseStore) -> Vec<String> {
    let Ok(loaded) = store.read() else {
        return Vec::new();
    };
    let servers = loaded.current.iter().map(|license| {
        let issuer = &license.claims().issuer;
        issuer.server_url.trim_end_matches('/').to_owned()
    });
    let servers: BTreeSet<String> = servers.collect();
    servers.into_iter().collect()
}

/// What lies in the administrator's folder for this user, and what became of it.
fn system_licenses(store: &LicenseStore, folder: &Path, platform: &dyn Platform) -> Vec<Finding> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            let text = format!("{} cannot be read: {error}", folder.display());
            return vec![Finding::bad("license.d", text)];
        }
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| user_of(name).is_some_and(|user| !user.starts_with('.')))
        .collect();
    names.sort();
    let all = names.len();
    names.retain(|name| user_of(name).is_none_or(|user| !is_anothers(user, platform)));
    let others = all - names.len();
    let own = format!("{}{SUFFIX}", platform.identity().os_user);
    if names.contains(&own) {
        // What bears this user's name stands in for what is for whoever logs in.
        names = vec![own];
    }
    let mut findings: Vec<Finding> = names
        .iter()
        .map(|name| system_license(store, &folder.join(name)))
        .collect();
    if others > 0 {
        // Whose they are, and at which employer, is nothing to this user.
        let text = format!("{others} more for other users of this computer");
        findings.push(Finding::neutral("license.d", text));
    }
    findings
}

fn system_license(store: &LicenseStore, path: &Path) -> Finding {
    let read = read_file(path).and_then(|bytes| {
        glasshour_license_format::read(&bytes).map_err(|source| LoadError::Read {
            path: path.to_owned(),
            source,
        })
    });
    let signed = match read {
        Ok(signed) => signed,
        Err(error) => return Finding::bad("license.d", with_causes(&error)),
    };
    let (issuer, employee) = (&signed.claims().issuer, &signed.claims().employee);
    let what = format!(
        "{}: {} for {}",
        path.display(),
        issuer.company,
        employee.name
    );
    match store.is_in_use(&signed) {
        Ok(true) => Finding::good("license.d", format!("{what}, in use")),
        Ok(false) if store.has(signed.claims().license_id) => Finding::neutral(
            "license.d",
            format!("{what}; a newer one has taken its place"),
        ),
        Ok(false) if signed.claims().work_mode == WorkMode::Worklog => Finding::neutral(
            "license.d",
            format!("{what}, not loaded: the employee loads it with `glasshour license load`"),
        ),
        Ok(false) => Finding::neutral(
            "license.d",
            format!("{what}, not loaded; where it is for this user, the running agent says why"),
        ),
        Err(error) => Finding::bad("license.d", with_causes(&error)),
    }
}

/// The licenses, and each channel that they permit, tried for real.
fn licenses(
    store: &LicenseStore,
    latest: &LatestTime,
    platform: &Arc<dyn Platform>,
) -> Vec<Finding> {
    let loaded = match store.read() {
        Ok(loaded) => loaded,
        Err(error) => return vec![Finding::bad("license", format!("{error:#}"))],
    };
    let mut findings = vec![Finding::good("desktop", platform.describe())];
    let problems = loaded.problems.iter();
    findings.extend(problems.map(|p| Finding::bad("license", p)));
    if loaded.current.is_empty() {
        findings.push(Finding::bad(
            "license",
            Words::ENGLISH.say(Message::NoLicense {}),
        ));
    }
    for newest in &loaded.current {
        // Nothing is opened that nobody has agreed to.
        let license = loaded.agreement(newest).in_force;
        let claims = license.claims();
        let what = format!(
            "{} for {}, {} mode, serial {}",
            claims.issuer.company,
            claims.employee.name,
            license.work_mode().as_str(),
            claims.serial
        );
        let wall_ms = platform.clock().now().wall_ms;
        let now = latest.now_for_validity(claims.issuer.company_id, wall_ms);
        findings.push(match invalid(&license, now, wall_ms, Words::ENGLISH) {
            None => Finding::good("license", what),
            Some(why) => Finding::bad("license", format!("{what}: {why}")),
        });
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
        findings.push(match permits.camera() {
            None => not_permitted("camera"),
            // Not opened: its light would go on for nothing.
            Some(permit) => match platform.camera(&permit).look() {
                Ok(()) => Finding::good("camera", "there is one; each picture is announced"),
                Err(why) => Finding::bad("camera", why.to_string()),
            },
        });
    }
    let idle = platform.idle().and_then(|mut idle| idle.idle());
    findings.push(tried("idle", idle.map(|_| "can be told".to_owned())));
    let notifier = platform
        .notifier()
        .map(|_| "messages can be shown".to_owned());
    findings.push(tried("messages", notifier));
    findings.push(match platform.system_events(Box::new(|_| {})) {
        Ok(source) => Finding::good("sleep, locks", source.describe()),
        Err(without) => Finding::neutral("sleep, locks", without.to_string()),
    });
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

/// How captures are kept while they wait, and what had to be given up.
fn given_up(spool: SpoolStatus) -> Vec<(bool, String)> {
    let mut said = vec![(
        true,
        "captures that wait are sealed; the key lies in a file that only you can read, in the same \
         folder: it protects copies of the spool, not the folder itself"
            .to_owned(),
    )];
    if spool.superseded > 0 {
        said.push((
            true,
            format!(
                "{} records were sent without their content, which a newer license does not permit",
                spool.superseded
            ),
        ));
    }
    if spool.not_kept > 0 {
        said.push((
            false,
            format!(
                "{} pictures were not kept because too much waits to be sent: sessions and activity \
                 are kept. Let this computer reach the server, or let the administrator raise \
                 spool_quota_mib in policy.json",
                spool.not_kept
            ),
        ));
    }
    if spool.lost > 0 {
        said.push((
            false,
            format!(
                "the disk damaged what waited here: {} records or their contents are lost. The damaged \
                 file is kept beside the new one (.damaged-…); check this disk",
                spool.lost
            ),
        ));
    }
    said
}

/// What the running agent says of itself.
fn running(status: &Status) -> Vec<Finding> {
    let mut findings = vec![Finding::good(
        "agent",
        format!("runs, version {}", status.version),
    )];
    findings.extend(status.parts.iter().map(|part| of_part(part, None)));
    if status.employers.is_empty() {
        let unknown = "not known before a license is loaded";
        findings.push(Finding::neutral("server", unknown));
    }
    for employer in &status.employers {
        let named = |text: String| {
            if status.several_employers() {
                format!("{}: {text}", employer.company)
            } else {
                text
            }
        };
        if let Some(blocked) = &employer.blocked {
            findings.push(Finding::bad("tracking", named(blocked.message.clone())));
        }
        let company = status.several_employers().then_some(&*employer.company);
        let server = &employer.server;
        let url = server.url.as_deref().unwrap_or_default();
        findings.push(match &server.message {
            Some(message) => Finding::bad("server", named(format!("{url}: {message}"))),
            None if server.reachable => Finding::good("server", named(format!("{url} answers"))),
            None => Finding::neutral("server", named(format!("{url}: not tried yet"))),
        });
        // The server with its address, and the records with their counts, stand here already.
        let told = |part: &&PartHealth| !matches!(&*part.part, "server" | "spool");
        let parts = employer.parts.iter().filter(told);
        findings.extend(parts.map(|part| of_part(part, company)));
        let spool = employer.spool;
        let counts = named(format!(
            "{} delivered, {} waiting, {} refused for good",
            spool.delivered, spool.waiting, spool.quarantined
        ));
        findings.push(if spool.quarantined == 0 {
            Finding::good("records", counts)
        } else {
            Finding::bad("records", format!("{counts}; tell your administrator"))
        });
        if spool.of_strangers > 0 {
            let text = format!(
                "{} more were captured under a license by a key that is not trusted any more; its \
                 server did not take them, and they stay here",
                spool.of_strangers
            );
            findings.push(Finding::neutral("records", named(text)));
        }
        findings.extend(given_up(spool).into_iter().map(|(ok, text)| Finding {
            part: "spool",
            ok: Some(ok),
            message: named(text),
        }));
    }
    findings.extend(status.refusals.iter().map(|refused| {
        let text = format!(
            "{} {}: {} ({})",
            refused.kind, refused.record_id, refused.message, refused.code
        );
        Finding::bad("refused", text)
    }));
    findings.extend(
        status
            .problems
            .iter()
            .map(|p| Finding::bad("problem", p.clone())),
    );
    findings
}

/// What the running agent leans on.
fn of_part(part: &PartHealth, company: Option<&str>) -> Finding {
    let name = match &*part.part {
        "display" => "display",
        "tray" => "tray",
        "messages" => "shown",
        "system" => "system",
        "clock" => "clock",
        "license" => "in force",
        _ => "part",
    };
    let mut message = part.message.clone();
    if let Some(remedy) = &part.remedy {
        message = format!("{message}: {remedy}");
    }
    if let Some(company) = company {
        message = format!("{company}: {message}");
    }
    Finding {
        part: name,
        ok: part.ok,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake::FakeDesktop;

    #[test]
    fn each_file_of_the_administrator_is_told_with_what_became_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = LicenseStore::new(Home::open(&dir.path().join("home")).unwrap());
        let folder = dir.path().join("license.d");
        let platform = FakeDesktop::new();
        let system_licenses = |folder: &Path| system_licenses(&store, folder, &platform);
        assert_eq!(system_licenses(&folder), []);
        std::fs::create_dir(&folder).unwrap();
        let golden = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../license-format/fixtures/v1/golden.license.gz"
        );
        std::fs::copy(golden, folder.join("a.license.gz")).unwrap();
        std::fs::write(folder.join("b.license.gz"), b"no license").unwrap();
        let found = system_licenses(&folder);
        let ok: Vec<_> = found.iter().map(|finding| finding.ok).collect();
        assert_eq!(ok, [None, Some(false)]);
        let first = found.first().unwrap();
        assert!(
            first.message.contains("Acme for Jo Doe, not loaded"),
            "{first:?}"
        );
        // What is for another user is neither read nor named.
        platform.add_user("b");
        let found = system_licenses(&folder);
        let told: Vec<_> = found.iter().map(|f| (f.ok, f.message.as_str())).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(
            told.last().unwrap(),
            &(None, "1 more for other users of this computer")
        );
        platform.add_user("a");
        let found = system_licenses(&folder);
        assert!(
            found.iter().all(|f| !f.message.contains("Jo Doe")),
            "{found:?}"
        );
        // A file of one's own is alone: what is for whoever logs in is not taken beside it.
        std::fs::copy(golden, folder.join("jo.license.gz")).unwrap();
        std::fs::copy(golden, folder.join("shared.license.gz")).unwrap();
        let found = system_licenses(&folder);
        let of_own = &found.first().unwrap().message;
        assert!(
            of_own.contains("jo.license.gz: Acme for Jo Doe"),
            "{of_own}"
        );
        assert_eq!(found.len(), 2, "{found:?}");
        // A file in the folder's place is not an empty folder.
        let odd = system_licenses(&folder.join("a.license.gz"));
        assert_eq!(odd.first().unwrap().ok, Some(false));
    }

    #[test]
    fn the_policy_is_told_in_words() {
        let policy = Policy {
            allow_plain_http: vec!["time.acme.example".into()],
            ..Policy::default()
        };
        assert!(policy_words(&policy).contains("(http) to time.acme.example;"));
        assert!(policy_words(&Policy::default()).ends_with("(https) only"));
        let pins = serde_json::json!([{
            "company_id": uuid::Uuid::nil(),
            "key": "a".repeat(43),
        }]);
        let pinned: Policy =
            serde_json::from_value(serde_json::json!({"trusted_keys": pins})).unwrap();
        assert!(policy_words(&pinned).contains("only licenses signed with a key"));
    }
}
