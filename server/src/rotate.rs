//! `rotate-key`: asks, and replaces a company's signing key, beside a running server or without one.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use glasshour_protocol::CompanyId;
use glasshour_protocol::jws::thumbprint;

use crate::clock::Clock;
use crate::people::{self, Rotated};
use crate::setup;
use crate::store::{Company, Db};

/// What `rotate-key` is told.
#[derive(Args, Debug)]
pub(crate) struct RotateKey {
    /// The data folder
    #[arg(long, value_name = "DIR", env = "GLASSHOUR_DATA")]
    data: PathBuf,
    /// The database, where it is PostgreSQL: `postgres://user@host/name`
    #[arg(
        long,
        value_name = "URL",
        env = "GLASSHOUR_DATABASE",
        hide_env_values = true
    )]
    database: Option<String>,
    /// The company's name or id, where the server holds several
    #[arg(long, value_name = "NAME")]
    company: Option<String>,
    /// You know what it does: do not ask
    #[arg(long)]
    yes: bool,
    /// Print JSON: `{"company_id", "company", "former_key", "key", "announcement", "licenses"}`
    #[arg(long)]
    json: bool,
}

/// Does it, unless whoever is asked says no.
pub(crate) async fn rotate(asked: RotateKey, clock: &dyn Clock) -> anyhow::Result<()> {
    let db = setup::open(&asked.data, asked.database.as_deref()).await?;
    let done = with(&db, &asked, clock).await;
    db.close().await;
    done
}

async fn with(db: &Db, asked: &RotateKey, clock: &dyn Clock) -> anyhow::Result<()> {
    let company = choose(db, asked.company.as_deref()).await?;
    if !asked.yes {
        let active = db
            .read(company.company_id)
            .await?
            .active_employees()
            .await?;
        confirm(&company, active.len())?;
    }
    let rotated = people::rotate_key(db, company.company_id, clock.now_ms())
        .await
        .map_err(|error| anyhow::anyhow!("nothing was changed: {}", error.message))?;
    tell(&rotated, asked.json)
}

async fn choose(db: &Db, wanted: Option<&str>) -> anyhow::Result<Company> {
    let mut found: Vec<Company> = Vec::new();
    for id in db.companies(u32::MAX).await? {
        let company = db.read(id).await?.company().await?;
        found.extend(company.filter(|company| {
            wanted.is_none_or(|wanted| {
                company.name.eq_ignore_ascii_case(wanted)
                    || wanted.parse::<CompanyId>().ok() == Some(company.company_id)
            })
        }));
    }
    let several = found.len() > 1;
    match (found.pop(), wanted) {
        (Some(company), _) if !several => Ok(company),
        (None, Some(wanted)) => anyhow::bail!(
            "the server holds no company {wanted:?}; `glasshour-server doctor` lists them"
        ),
        _ => anyhow::bail!(
            "the server holds several companies: name one with --company and its id, which \
             `glasshour-server doctor` shows"
        ),
    }
}

fn confirm(company: &Company, active: usize) -> anyhow::Result<()> {
    let stdin = std::io::stdin();
    let mut out = std::io::stderr();
    writeln!(
        out,
        "The key that signs the licenses of {} is\n  {}\n\
         A new one takes its place for good. It is announced by the old one, and {} a license that says \
         what the present one says; running agents fetch it by themselves. Computers whose administrator \
         lists keys in policy.json (\"trusted_keys\") need the new one added there.",
        company.name,
        thumbprint(&company.signing_key.verifying_key()),
        match active {
            1 => "1 active employee gets".to_owned(),
            many => format!("{many} active employees get"),
        }
    )?;
    anyhow::ensure!(
        stdin.is_terminal(),
        "nothing was changed: there is nobody to ask. Add --yes if that is what you want"
    );
    write!(out, "Replace the signing key of {}? [y/N] ", company.name)?;
    out.flush()?;
    let mut answer = String::new();
    stdin
        .lock()
        .read_line(&mut answer)
        .context("no answer could be read")?;
    anyhow::ensure!(
        matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"),
        "nothing was changed"
    );
    Ok(())
}

fn tell(rotated: &Rotated, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    if json {
        writeln!(out, "{}", serde_json::to_string(rotated)?)?;
        return Ok(());
    }
    writeln!(out, "The signing key of {} has changed.", rotated.company)?;
    writeln!(out, "Former key  {}", rotated.former_key)?;
    writeln!(out, "New key     {}", rotated.key)?;
    writeln!(out, "Licenses    {} issued anew", rotated.licenses)?;
    writeln!(
        out,
        "Running agents follow within a minute, others when they next reach the server. Backups made \
         before this hold the former key: make a new one."
    )?;
    Ok(())
}
