//! `glasshour license`: show, load, list, remove.

mod show;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use glasshour_license_format::{Issuer, License, SignedLicense, WorkMode};
use glasshour_protocol::CompanyId;
use glasshour_protocol::payload::NoticeKind;
use glasshour_words::{Message, Outside, Words, changes};
use serde_json::json;

use self::show::{list, notice_lines, show_file, show_loaded};
use super::out::Reader;
use super::{control, out};
use crate::config;
use crate::exit::Exit;
use crate::home::Home;
use crate::license::system_folder::check_owner;
use crate::license::{
    LatestTime, LicenseStore, LoadError, LoadOptions, Notices, Showing, looks_like,
    mixes_alphabets, read_file,
};
use crate::platform;

/// What can be done with licenses.
#[derive(Debug, Subcommand)]
pub(super) enum LicenseCommand {
    /// Say in plain words what a license permits; without FILE, the loaded ones
    Show {
        /// A file that ends in .license.gz
        file: Option<PathBuf>,
    },
    /// Load a license, after showing what it permits
    Load {
        /// A file that ends in .license.gz
        file: PathBuf,
        /// You have read what the license permits: do not ask
        #[arg(long)]
        yes: bool,
        /// Accept that the employer signs with another key than before
        #[arg(long)]
        trust_new_key: bool,
    },
    /// Agree to a newer license that would capture more, after showing what it permits; in
    /// monitoring mode nobody is asked, and to show it is what it waits for
    Agree {
        /// You have read what the license permits: do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List the loaded licenses
    List,
    /// Take the licenses of a company out of use; what was captured is still delivered
    Remove {
        /// The company's name or id, as `license list` shows it
        company: String,
        /// Also one for monitoring mode: for who may write to the system's configuration
        #[arg(long)]
        as_administrator: bool,
    },
}

pub(super) fn license(
    command: LicenseCommand,
    home: &Home,
    reader: Reader,
) -> anyhow::Result<Exit> {
    match command {
        LicenseCommand::Show { file: Some(file) } => show_file(home, &read(&file)?, reader),
        LicenseCommand::Show { file: None } => show_loaded(home, reader),
        LicenseCommand::Load {
            file,
            yes,
            trust_new_key,
        } => load(home, &file, yes, trust_new_key, reader),
        LicenseCommand::Agree { yes } => agree(home, yes, reader),
        LicenseCommand::List => list(home, reader),
        LicenseCommand::Remove {
            company,
            as_administrator,
        } => remove(home, &company, as_administrator, reader),
    }
}

/// The licenses that may count here, as the administrator's policy says.
fn store(home: &Home) -> anyhow::Result<LicenseStore> {
    let store = LicenseStore::new(home.clone());
    Ok(store.with_trusted_keys(config::policy()?.trusted_keys))
}

fn read(file: &Path) -> anyhow::Result<SignedLicense> {
    Ok(verify(&read_file(file)?, file)?)
}

fn verify(bytes: &[u8], file: &Path) -> Result<SignedLicense, LoadError> {
    glasshour_license_format::read(bytes).map_err(|source| LoadError::Read {
        path: file.to_owned(),
        source,
    })
}

fn no_license(reader: Reader) -> anyhow::Result<Exit> {
    let message = reader.words.say(Message::NoLicense {});
    if reader.json {
        out::json(&json!({ "code": "no_license", "message": message }))?;
    } else {
        out::error_line(message);
    }
    Ok(Exit::NoLicense)
}

fn load(
    home: &Home,
    file: &Path,
    yes: bool,
    trust_new_key: bool,
    reader: Reader,
) -> anyhow::Result<Exit> {
    let Reader { json, words } = reader;
    let platform = platform::detect();
    check_owner(file, &config::license_dir(), &*platform)?;
    let store = store(home)?;
    let bytes = read_file(file)?;
    let signed = verify(&bytes, file)?;
    let policy = config::policy()?;
    let now = platform.clock().now();
    let company = signed.claims().issuer.company_id;
    let options = LoadOptions {
        trust_new_key,
        allow_plain_http: &policy.allow_plain_http,
        even_expired: false,
        now: LatestTime::open(home.clone()).now_for_validity(company, now.wall_ms),
    };
    let notices = Notices::open(home.clone());
    // One whose notice was not acknowledged, for whatever reason, is gone through once more.
    let acknowledged_before =
        notices.event(signed.claims().license_id) == Some(NoticeKind::Acknowledged);
    let settled = signed.claims().work_mode == WorkMode::Monitoring || acknowledged_before;
    if settled && store.is_in_use(&signed)? {
        return already_loaded(&signed, reader);
    }
    if let Err(error) = store.check(&signed, &options) {
        return match error {
            LoadError::Expired(end) => {
                let when = words.moment(end);
                out::complain(words.say(Message::LicenseFileRanOut { when }));
                Ok(Exit::Failure)
            }
            other => Err(other.into()),
        };
    }
    let first = store.pin(company)?.is_none();
    let loaded = store.read()?;
    let mut lines = Vec::new();
    let before = loaded
        .current
        .iter()
        .find(|one| one.claims().issuer.company_id == company);
    if let Some(before) = before {
        let standing = loaded.agreement(before);
        lines = changes::lines(words, &standing.claims(), signed.claims());
        lines.push(String::new());
    }
    lines.extend(notice_lines(&signed, words));
    lines.extend(key_lines(
        &store,
        &signed,
        &loaded.current,
        &options,
        words,
    )?);
    // Whatever is acknowledged was shown; in JSON mode beside the answer, which is for a script.
    let show = if json { out::error_line } else { out::line };
    lines.into_iter().for_each(show);
    if !yes && !out::confirmed(words, Message::LicenseAskLoad {}, Message::LicenseNobody {})? {
        out::complain(words.say(Message::LicenseNotLoaded {}));
        return Ok(Exit::Failure);
    }
    let license = store.load(&bytes, signed, &options)?;
    let claims = license.claims();
    // In monitoring mode the employee may not be who loads it: the notice is shown when the license is
    // put to work.
    if claims.work_mode == WorkMode::Worklog {
        let showing = showing(yes, words);
        notices.set(claims.license_id, NoticeKind::Acknowledged, showing)?;
    }
    let running = control::tell_to_reload(home)?;
    if json {
        out::json(&json!({
            "loaded": claims.license_id,
            "serial": claims.serial,
            "company": claims.issuer.company,
            "employee": claims.employee.name,
            "fingerprint": license.signed().thumbprint(),
            "first_of_company": first,
            "agent_running": running,
        }))?;
    } else {
        out::line(words.say(Message::LicenseLoaded {}));
        if !running {
            out::line(words.say(Message::LicenseStartAgent {}));
        }
    }
    Ok(Exit::Ok)
}

/// What is to be said of the key that signed, before it is trusted.
fn key_lines(
    store: &LicenseStore,
    signed: &SignedLicense,
    loaded: &[License],
    options: &LoadOptions<'_>,
    words: Words,
) -> anyhow::Result<Vec<String>> {
    let issuer = &signed.claims().issuer;
    let company = Outside(&issuer.company);
    let mut lines = Vec::new();
    if store.pin(issuer.company_id)?.is_none() {
        lines.push(words.say(Message::LicenseFirstKey { company }));
    }
    lines.extend(name_lines(issuer, loaded, words));
    let employee = &signed.claims().employee;
    let is_other = |license: &&License| {
        let loaded = license.claims();
        loaded.issuer.company_id == issuer.company_id
            && loaded.employee.employee_id != employee.employee_id
    };
    if let Some(other) = loaded.iter().find(is_other) {
        lines.push(words.say(Message::LicenseOtherPerson {
            employee: Outside(&employee.name),
            company,
            loaded: Outside(&other.claims().employee.name),
        }));
    }
    if let Some(change) = store.key_change(signed, options.now)? {
        lines.push(change.said(words));
    }
    if let Some(former) = store.key_replaced(signed)? {
        lines.push(words.say(Message::LicenseKeyByHand {
            company,
            former: Outside(&former),
            key: Outside(signed.thumbprint()),
        }));
    }
    Ok(lines)
}

/// What is to be said of an employer's name that could be taken for another's.
fn name_lines(issuer: &Issuer, loaded: &[License], words: Words) -> Vec<String> {
    let company = Outside(&issuer.company);
    let id = issuer.company_id.to_string();
    let id = Outside(&id);
    let mut lines = Vec::new();
    if mixes_alphabets(&issuer.company) {
        lines.push(words.say(Message::LicenseMixedLetters { company }));
    }
    let others = loaded.iter().map(|license| &license.claims().issuer);
    let mut others = others.filter(|other| other.company_id != issuer.company_id);
    if let Some(other) = others.find(|other| looks_like(&other.company, &issuer.company)) {
        let name = |issuer: &Issuer| issuer.company.trim().to_lowercase();
        lines.push(words.say(if name(other) == name(issuer) {
            Message::LicenseSameName { company, id }
        } else {
            let other = Outside(&other.company);
            Message::LicenseLookalike { company, other, id }
        }));
    }
    lines
}

/// Acknowledges the notices of licenses of which something waits for that.
fn agree(home: &Home, yes: bool, reader: Reader) -> anyhow::Result<Exit> {
    let Reader { json, words } = reader;
    let store = store(home)?;
    let notices = Notices::open(home.clone());
    let loaded = store.read()?;
    let (mut agreed, mut shown) = (Vec::new(), Vec::new());
    for newest in &loaded.current {
        let standing = loaded.agreement(newest);
        let id = newest.claims().license_id;
        if !standing.waits() {
            continue;
        }
        let mut lines = changes::lines(words, &standing.claims(), newest.claims());
        lines.push(String::new());
        lines.extend(notice_lines(newest.signed(), words));
        let show = if json { out::error_line } else { out::line };
        lines.into_iter().for_each(show);
        if newest.claims().work_mode == WorkMode::Monitoring {
            // Nobody is asked in that mode: it holds once its notice was shown, which it was now.
            anyhow::ensure!(
                yes || out::is_read(),
                words.say(Message::LicenseNotShown {})
            );
            notices.set(id, NoticeKind::Shown, showing(yes, words))?;
            shown.push(id);
            continue;
        }
        if !yes
            && !out::confirmed(
                words,
                Message::LicenseAskAgree {},
                Message::LicenseNobody {},
            )?
        {
            out::complain(words.say(Message::LicenseNotAgreed {}));
            control::tell_to_reload(home)?;
            return Ok(Exit::Failure);
        }
        notices.set(id, NoticeKind::Acknowledged, showing(yes, words))?;
        agreed.push(id);
    }
    control::tell_to_reload(home)?;
    if json {
        out::json(&json!({ "agreed": agreed, "shown": shown }))?;
        return Ok(Exit::Ok);
    }
    if agreed.is_empty() && shown.is_empty() {
        out::line(words.say(Message::LicenseNothingWaits {}));
    }
    if !agreed.is_empty() {
        out::line(words.say(Message::LicenseAgreed {}));
    }
    if !shown.is_empty() {
        out::line(words.say(Message::LicenseShown {}));
    }
    Ok(Exit::Ok)
}

fn already_loaded(signed: &SignedLicense, reader: Reader) -> anyhow::Result<Exit> {
    let claims = signed.claims();
    if reader.json {
        out::json(&json!({
            "loaded": claims.license_id,
            "serial": claims.serial,
            "company": claims.issuer.company,
            "employee": claims.employee.name,
            "fingerprint": signed.thumbprint(),
            "already_loaded": true,
        }))?;
    } else {
        out::line(reader.words.say(Message::LicenseLoadedAlready {}));
    }
    Ok(Exit::Ok)
}

/// How the notice above was shown.
fn showing(yes: bool, words: Words) -> Showing {
    Showing {
        by: if yes { "--yes" } else { "terminal" },
        language: words.language(),
    }
}

fn remove(
    home: &Home,
    company: &str,
    as_administrator: bool,
    reader: Reader,
) -> anyhow::Result<Exit> {
    let store = LicenseStore::new(home.clone());
    let loaded = store.current()?;
    let by_id = company.parse::<CompanyId>().ok();
    let wanted = company.trim().to_lowercase();
    let fits = |license: &&License| {
        let issuer = &license.claims().issuer;
        Some(issuer.company_id) == by_id || issuer.company.to_lowercase() == wanted
    };
    let found: Vec<_> = loaded.iter().filter(fits).collect();
    let license = match found.as_slice() {
        [license] => *license,
        [] => anyhow::bail!("no license of {company:?} is loaded; see `glasshour license list`"),
        _ => anyhow::bail!(
            "licenses of several employers called {company:?} are loaded; say which with the \
             company's id, as `glasshour license list` shows it"
        ),
    };
    let claims = license.claims();
    if claims.work_mode == WorkMode::Monitoring {
        let from = store.adopted_from(claims.license_id)?;
        if let Some(file) = from.map(|file| config::license_dir().join(file)) {
            out::complain(format!(
                "the license is for monitoring mode and comes from {0}; the administrator takes it \
                 out of use by removing {0}, and the agent follows within half a minute",
                file.display()
            ));
            return Ok(Exit::Refused);
        }
        if !as_administrator {
            out::complain(format!(
                "the license is for monitoring mode: not the employee but the administrator takes \
                 it out of use, as a user who may write to {}, with: glasshour --home {} license \
                 remove {} --as-administrator",
                config::SYSTEM_DIR,
                home.root().display(),
                claims.issuer.company_id,
            ));
            return Ok(Exit::Refused);
        }
        if !config::may_administer() {
            out::complain(format!(
                "this user may not write to {}, so it is not the administrator",
                config::SYSTEM_DIR
            ));
            return Ok(Exit::Refused);
        }
    }
    let removed = store.remove(claims.issuer.company_id)?;
    control::tell_to_reload(home)?;
    if reader.json {
        out::json(&json!({ "removed": removed }))?;
    } else {
        let company = Outside(&claims.issuer.company);
        out::line(reader.words.say(Message::LicenseRemoved { company }));
        let others: Vec<_> = loaded
            .iter()
            .map(|license| &license.claims().issuer)
            .filter(|issuer| issuer.company_id != claims.issuer.company_id)
            .map(|issuer| issuer.company.as_str())
            .collect();
        if !others.is_empty() {
            let companies = others.join(", ");
            let companies = Outside(&companies);
            out::line(reader.words.say(Message::LicenseStillLoaded { companies }));
        }
    }
    Ok(Exit::Ok)
}
