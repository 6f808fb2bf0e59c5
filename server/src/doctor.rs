//! `doctor`: looks at a data folder and says what is wrong with it. Changes nothing but the schema,
//! which opening the database brings up to date.

use std::path::Path;

use glasshour_protocol::CompanyId;

use crate::backup;
use crate::mail::{Smtp, SmtpConfig};
use crate::objects::{LocalFolder, ObjectError, ObjectKey, Objects as _};
use crate::refusal;
use crate::setup;
use crate::store::{Db, KeyPeriod, REFUSALS_TOLD_DAYS};

/// How long mail that failed is told.
const MAIL_TOLD_DAYS: i64 = 7;
const MAIL_TOLD_MS: i64 = MAIL_TOLD_DAYS * 24 * 3_600_000;

/// Checks a data folder, and the mail server where one is named; an error where anything is wrong. `progress` hears how many pictures were
/// compared with their hashes so far.
pub(crate) async fn doctor(
    data: &Path,
    objects: &Path,
    smtp: Option<&SmtpConfig>,
    now_ms: i64,
    progress: impl Fn(u64),
) -> anyhow::Result<()> {
    let mut problems = 0_u32;
    let mut tell = |what: &str, problem: Option<String>| {
        if let Some(problem) = problem {
            println!("problem  {what}: {problem}");
            problems += 1;
        } else {
            println!("ok       {what}");
        }
    };
    let db = setup::open(data, None).await?;
    tell("folder", open_to_others(data));
    tell("database file", open_to_others(&setup::database_file(data)));
    tell("database integrity", db.integrity_problem().await?);
    let companies = db.companies(u32::MAX).await?;
    for id in &companies {
        let mut read = db.read(*id).await?;
        let Some(company) = read.company().await? else {
            continue;
        };
        println!("ok       company {} ({})", company.name, company.company_id);
        for line in key_lines(&read.signing_keys().await?) {
            println!("         {line}");
        }
        tell_refusals(&db, *id, now_ms).await?;
        let failed = read.failed_mail(now_ms - MAIL_TOLD_MS).await?;
        tell(
            "mail",
            failed.map(|(count, last)| {
                format!(
                    "{count} failed in the last {MAIL_TOLD_DAYS} days, the last because: {last} The \
                     list is at GET /api/v1/mail; send again what is still needed."
                )
            }),
        );
    }
    let counts = db.mail_counts(now_ms).await?;
    println!(
        "         {} mails wait to be sent, {} of them were tried in vain",
        counts.queued, counts.retried
    );
    if let Some(smtp) = smtp {
        let smtp = Smtp::new(smtp).await?;
        tell("mail server", smtp.check().await.err());
    }
    let pictures = match LocalFolder::open(objects) {
        Ok(folder) => folder.ping().await.err(),
        Err(error) => Some(error),
    };
    tell(
        "folder of pictures",
        pictures.map(|error| error.to_string()),
    );
    let scrubbed = scrub(&db, &companies, objects, progress).await?;
    println!(
        "         {} pictures were compared with their hashes",
        scrubbed.good
    );
    tell("pictures", scrubbed.problem());
    db.close().await;
    anyhow::ensure!(problems == 0, "{problems} problem(s) found");
    Ok(())
}

/// What gate 3 refused of a company's devices. It held, so that nothing is wrong with the server.
async fn tell_refusals(db: &Db, company: CompanyId, now_ms: i64) -> anyhow::Result<()> {
    const MOST: u32 = 100;
    let refused = db
        .read(company)
        .await?
        .refusals_by_code(now_ms, MOST)
        .await?;
    for (code, count) in refused {
        println!(
            "refused  {count} in the last {REFUSALS_TOLD_DAYS} days: {} ({code}); Devices in the \
             console says whose",
            refusal::words(&code)
        );
    }
    Ok(())
}

/// The key in use with when it came, and how many there were before it.
fn key_lines(keys: &[KeyPeriod]) -> Vec<String> {
    let Some((now, former)) = keys.split_last() else {
        return Vec::new();
    };
    let since = since(now.created_at);
    let mut lines = vec![format!(
        "license key {}, in use since {since}",
        now.fingerprint
    )];
    lines.extend(former.iter().rev().map(|key| {
        let until = key.retired_at.map(crate::doctor::since);
        format!(
            "former key  {}, until {}",
            key.fingerprint,
            until.unwrap_or_default()
        )
    }));
    lines
}

/// A moment, for a person at a terminal.
fn since(at_ms: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// What a comparison of all pictures with their hashes has found.
#[derive(Debug, Default)]
struct Scrubbed {
    good: u64,
    missing: Vec<String>,
    damaged: Vec<String>,
}

impl Scrubbed {
    fn problem(&self) -> Option<String> {
        let named = |what: &str, hashes: &[String]| {
            (!hashes.is_empty()).then(|| {
                let first: Vec<_> = hashes.iter().take(5).map(String::as_str).collect();
                format!("{} {what}, the first: {}", hashes.len(), first.join(", "))
            })
        };
        let found: Vec<_> = [
            named("are not there", &self.missing),
            named(
                "are not as they were stored, and are never shown",
                &self.damaged,
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!found.is_empty()).then(|| format!("{}. Restore them from a backup.", found.join("; ")))
    }
}

/// Reads every picture that a row names.
async fn scrub(
    db: &Db,
    companies: &[CompanyId],
    objects: &Path,
    progress: impl Fn(u64),
) -> anyhow::Result<Scrubbed> {
    let folder = LocalFolder::open(objects)?;
    let mut scrubbed = Scrubbed::default();
    for (company, hash) in backup::pictures(db, companies).await? {
        match folder.read(ObjectKey::new(company, &hash)?).await {
            Ok(Some(_)) => {
                scrubbed.good += 1;
                progress(scrubbed.good);
            }
            Ok(None) => scrubbed.missing.push(hash),
            Err(ObjectError::Damaged { .. }) => scrubbed.damaged.push(hash),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(scrubbed)
}

/// Whether anybody but the owner may look into it.
fn open_to_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match std::fs::metadata(path) {
        Ok(found) => found.permissions().mode() & 0o777,
        Err(error) => return Some(error.to_string()),
    };
    (mode & 0o077 != 0).then(|| {
        format!(
            "others may look into it (mode {mode:o}): chmod go-rwx {}",
            path.display()
        )
    })
}
