//! The command line: what can be asked for, and help that teaches it.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use glasshour_protocol::CompanyId;

use crate::backup::{self, Folders, Report};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, RawConfig, objects_folder};
use crate::log::JsonLines;
use crate::mail::SmtpFlags;
use crate::plan::{self, PlanChange};
use crate::reset::{self, ResetLink};
use crate::rotate::{self, RotateKey};
use crate::setup::{self, Made, NewCompany};
use crate::{api, doctor, serve};

/// Longest password file, in bytes.
const MAX_PASSWORD_FILE: u64 = 4096;

/// The Glasshour server: employees, licenses, captures and the console, in one program.
#[derive(Debug, Parser)]
#[command(
    name = "glasshour-server",
    version,
    about = "The Glasshour server: employees, licenses, captures and the console",
    long_about = "The Glasshour server: employees, licenses, captures and the console.\n\n\
        It issues the signed licenses that say what an agent may capture, takes what the agents \
        send, refuses everything that no license permits, and shows it. By default all of it lies \
        in one folder: an SQLite file and the pictures. No other service is needed.",
    after_help = "\
From nothing to the first license:

  1. Make a data folder with your company and your log-in:
       glasshour-server init --data ./data --company Acme --owner-email me@acme.example \\
           --owner-password-file ./password
     It prints an API token, once. Keep it.

  2. Start the server:
       glasshour-server serve --data ./data --listen 127.0.0.1:8080

  3. Make an employee in the console at http://127.0.0.1:8080/, or by the API:
       curl -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\
         -d '{\"name\":\"Jo Doe\",\"work_mode\":\"worklog\",\"active\":true}' \\
         http://127.0.0.1:8080/api/v1/employees

  4. Save the license from the employee's row, or:
       curl -OJ -H \"Authorization: Bearer $TOKEN\" \\
         http://127.0.0.1:8080/api/v1/employees/ID/license.gz
     and load it on Jo's computer: glasshour license load jo-doe.license.gz

`glasshour-server help COMMAND` tells more about each."
)]
pub struct Cli {
    /// What the log tells, to standard error: `error`, `warn`, `info`, `debug`, or a filter such as
    /// `glasshour_server=debug`. The log never names a person.
    #[arg(long, global = true, env = "GLASSHOUR_LOG", default_value = "info")]
    log: String,
    /// How each line of the log is written: `text` for people, `json` for programs
    #[arg(long, global = true, value_enum, env = "GLASSHOUR_LOG_FORMAT", default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a data folder with a company, its owner's log-in and an API token
    #[command(after_help = "\
Example:
  printf '%s' 'a long password' > ./password
  glasshour-server init --data /var/lib/glasshour --company Acme \\
      --owner-email me@acme.example --owner-password-file ./password --json

An existing folder with anything in it is refused: nothing is ever overwritten.")]
    Init(Init),
    /// Looks after the companies of a server
    #[command(subcommand)]
    Company(CompanyCommand),
    /// Says or sets what a company may do: seats, invitations, trial. Without a plan nothing is limited
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Serves the API and the console
    #[command(after_help = "\
Examples:
  On this computer, for a try:
    glasshour-server serve --data ./data --listen 127.0.0.1:8080
  With TLS of its own:
    glasshour-server serve --data /var/lib/glasshour --listen 0.0.0.0:443 \\
        --public-url https://time.acme.example --tls-cert cert.pem --tls-key key.pem
  Behind a proxy that ends TLS:
    glasshour-server serve --data /var/lib/glasshour --listen 127.0.0.1:8080 \\
        --public-url https://time.acme.example
  With mail, by STARTTLS; the password stands in a file:
    glasshour-server serve --data /var/lib/glasshour --listen 127.0.0.1:8080 \\
        --public-url https://time.acme.example --mail-from time@acme.example \\
        --smtp smtp://glasshour@mail.acme.example --smtp-password-file /etc/glasshour/smtp-password

Once ready it prints `listening on URL` to standard output. SIGTERM and SIGINT end it after the
requests that run. The public URL is written into every license: agents send there.")]
    Serve(Box<RawConfig>),
    /// Prints the OpenAPI 3.1 description of the API
    Openapi,
    /// Writes everything a server holds into one file, while it goes on serving
    #[command(after_help = "\
Example, as the server's own user, every night:
  glasshour-server backup --data /var/lib/glasshour /backup/glasshour-$(date +%F).tar

The file holds the license-signing key and everybody's captures: keep it as safe as the server. It
appears under its name when it is whole. With PostgreSQL take the database with pg_dump and copy the
folder of pictures after that.

Exit code 0: all of it is there. 1: no backup was made, or pictures were missing or damaged; which, is
said, and the rest is in the file.")]
    Backup(Archive),
    /// Makes a data folder from a backup
    #[command(after_help = "\
Example:
  glasshour-server restore --data /var/lib/glasshour-restored /backup/glasshour-2026-11-23.tar
  glasshour-server doctor --data /var/lib/glasshour-restored

The folder must be new or empty. Everything is checked against its hash. What agents delivered after the
backup was made is not in it: they have forgotten it, and it shows as a gap in their chains.")]
    Restore(Archive),
    /// Replaces the key that signs a company's licenses, also while the server runs
    #[command(after_help = "\
Example, as the server's own user:
  glasshour-server rotate-key --data /var/lib/glasshour

The key that goes signs that the new one comes, and every active employee
gets a license of the next serial that says what the last one said. Agents
that trust the former key fetch it and follow without a hand; a file handed
over carries the same proof. From then on they refuse what the former key
signs. All of it happens, or nothing. Where the key was stolen, replace it at
once: whoever has it can announce a key of their own to agents that have not
followed yet.")]
    RotateKey(RotateKey),
    /// Makes the link by which somebody sets a forgotten password, where nobody else can help
    #[command(after_help = "\
Example, as the server's own user, beside a running server or without one:
  glasshour-server reset-link --data /var/lib/glasshour --email me@acme.example \\
      --public-url https://time.acme.example

The link lives an hour and is worth something once. Every log-in of the person ends when it is used.")]
    ResetLink(ResetLink),
    /// Checks a data folder and says what is wrong with it
    #[command(after_help = "\
Example:
  glasshour-server doctor --data /var/lib/glasshour

It looks at the folder's permissions, the database's integrity and the signing key, and compares each
picture with its hash: what the disk has altered is named, and never shown. It says what mail failed, and
with --smtp (or its environment) whether the mail server lets us in. It changes nothing. Exit code 0: all is well.")]
    Doctor {
        /// The data folder
        #[arg(long, value_name = "DIR", env = "GLASSHOUR_DATA")]
        data: PathBuf,
        /// Where the pictures lie, as `serve` was told: `file:///folder`
        #[arg(long, value_name = "URL", env = "GLASSHOUR_OBJECTS", value_parser = objects_folder)]
        objects: Option<PathBuf>,
        #[command(flatten)]
        smtp: SmtpFlags,
    },
}

#[derive(Debug, Subcommand)]
enum CompanyCommand {
    /// Makes one more company, with an owner's log-in and an API token of its own
    #[command(after_help = "\
Example, beside a running server or without one:
  glasshour-server company add --data /var/lib/glasshour --company Bolt \\
      --owner-email me@bolt.example --owner-password-file ./password --json

Companies on one server see nothing of each other.")]
    Add(Init),
}

#[derive(Debug, Subcommand)]
enum PlanCommand {
    /// Changes a plan; what is not named stays
    #[command(after_help = "\
Examples:
  glasshour-server plan set --data /var/lib/glasshour --seats 25
  glasshour-server plan set --data /var/lib/glasshour --company ID --plan free --trial 15
  glasshour-server plan set --data /var/lib/glasshour --plan none --seats none --trial none

It holds at once, beside a running server too.")]
    Set {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        change: PlanChange,
    },
    /// Says what a company may do and what it uses
    Show {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Args, Debug)]
struct Which {
    /// The data folder
    #[arg(long, value_name = "DIR", env = "GLASSHOUR_DATA")]
    data: PathBuf,
    /// The company's id; not needed where there is one company
    #[arg(long, value_name = "ID")]
    company: Option<CompanyId>,
    /// The database, where it is not in the data folder: `postgres://user@host/name`
    #[arg(
        long,
        value_name = "URL",
        env = "GLASSHOUR_DATABASE",
        hide_env_values = true
    )]
    database: Option<String>,
}

#[derive(Args, Debug)]
struct Archive {
    /// The backup: a tar file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The data folder
    #[arg(long, value_name = "DIR", env = "GLASSHOUR_DATA")]
    data: PathBuf,
    /// Where the pictures lie, as `serve` was told: `file:///folder`
    #[arg(long, value_name = "URL", env = "GLASSHOUR_OBJECTS", value_parser = objects_folder)]
    objects: Option<PathBuf>,
    /// Print JSON: `{"manifest", "end"}`
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct Init {
    /// The data folder: a new or empty one for `init`, the server's for `company add`
    #[arg(long, value_name = "DIR", env = "GLASSHOUR_DATA")]
    data: PathBuf,
    /// The company's name, as licenses and reports show it
    #[arg(long, value_name = "NAME")]
    company: String,
    /// The owner's e-mail address: the log-in to the console
    #[arg(long, value_name = "E-MAIL")]
    owner_email: String,
    /// A file with the owner's password (10 characters or more; one line break at its end is ignored)
    #[arg(long, value_name = "FILE")]
    owner_password_file: PathBuf,
    /// Keep the database in PostgreSQL instead of a file: `postgres://user@host/name`
    #[arg(
        long,
        value_name = "URL",
        env = "GLASSHOUR_DATABASE",
        hide_env_values = true
    )]
    database: Option<String>,
    /// Print JSON: `{"company_id", "workspace_id", "api_token"}`
    #[arg(long)]
    json: bool,
}

impl Cli {
    /// Does what was asked.
    pub fn run(self) -> anyhow::Result<()> {
        start_log(&self.log, self.log_format)?;
        match self.command {
            Command::Openapi => {
                std::io::stdout().write_all(api::document().as_bytes())?;
                Ok(())
            }
            Command::Init(asked) => block_on(init(asked)),
            Command::Company(CompanyCommand::Add(asked)) => block_on(add_company(asked)),
            Command::Plan(command) => block_on(plan(command)),
            Command::Serve(raw) => {
                let config = Config::try_from(*raw)?;
                block_on(serve::serve(config))
            }
            Command::Backup(archive) => block_on(async {
                let folders = archive.folders();
                let progress = Progress::new("saved");
                let made =
                    backup::make(folders, &archive.file, &SystemClock, |n| progress.at(n)).await;
                progress.end();
                archive.report(&made?, "Saved")
            }),
            Command::Restore(archive) => block_on(async {
                let progress = Progress::new("restored");
                let made =
                    backup::restore(&archive.file, archive.folders(), |n| progress.at(n)).await;
                progress.end();
                archive.report(&made?, "Restored")
            }),
            Command::ResetLink(asked) => block_on(reset::reset_link(asked, &SystemClock)),
            Command::RotateKey(asked) => block_on(rotate::rotate(asked, &SystemClock)),
            Command::Doctor {
                data,
                objects,
                smtp,
            } => block_on(async {
                let smtp = smtp.check()?;
                let objects = objects.unwrap_or_else(|| setup::objects_folder(&data));
                let progress = Progress::new("compared");
                let now_ms = SystemClock.now_ms();
                doctor::doctor(&data, &objects, smtp.as_ref(), now_ms, |n| progress.at(n)).await
            }),
        }
    }
}

impl Archive {
    fn folders(&self) -> Folders<'_> {
        Folders {
            data: &self.data,
            objects: self.objects.as_deref(),
        }
    }

    fn report(&self, report: &Report, done: &str) -> anyhow::Result<()> {
        let end = &report.end;
        let mut out = std::io::stdout();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(report)?)?;
        } else {
            writeln!(
                out,
                "{done} {}: the database and {} pictures ({} MB).",
                report.manifest.company,
                end.pictures,
                end.picture_bytes.div_ceil(1_000_000)
            )?;
        }
        anyhow::ensure!(
            end.is_complete(),
            "{} pictures were missing when the backup was made, and {} were damaged. Their records \
             are in it without them: {}",
            end.missing.len(),
            end.damaged.len(),
            end.missing
                .iter()
                .chain(&end.damaged)
                .take(10)
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        );
        Ok(())
    }
}

/// Says on a terminal how far a long work has come; silent elsewhere.
struct Progress {
    what: &'static str,
    shown: bool,
}

impl Progress {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            shown: std::io::stderr().is_terminal(),
        }
    }

    fn at(&self, pictures: u64) {
        if self.shown && pictures.is_multiple_of(100) {
            eprint!("\r{pictures} pictures {}", self.what);
        }
    }

    fn end(&self) {
        if self.shown {
            eprint!("\r{:40}\r", "");
        }
    }
}

/// For what waits for the disk or hashes a password. Each has memory of its own that it does not give back.
const BLOCKING_THREADS: usize = 16;

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()?
        .block_on(work)
}

/// How the log is written.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

fn start_log(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .with_context(|| format!("--log {filter:?} is not a log filter"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.event_format(JsonLines).init(),
    }
    Ok(())
}

async fn init(asked: Init) -> anyhow::Result<()> {
    let (data, database) = (&asked.data, asked.database.as_deref());
    let made = setup::init(data, database, asked.company()?, &SystemClock).await?;
    if !asked.json {
        println!("Made {}.", data.display());
    }
    asked.report(&made)?;
    if !asked.json {
        println!("Next: glasshour-server serve --data {}", data.display());
    }
    Ok(())
}

async fn add_company(asked: Init) -> anyhow::Result<()> {
    let db = setup::open(&asked.data, asked.database.as_deref()).await?;
    let made = setup::add_company(&db, asked.company()?, &SystemClock).await;
    db.close().await;
    asked.report(&made?)
}

async fn plan(command: PlanCommand) -> anyhow::Result<()> {
    let (which, change) = match command {
        PlanCommand::Set { which, change } => (which, Some(change)),
        PlanCommand::Show { which } => (which, None),
    };
    let db = setup::open(&which.data, which.database.as_deref()).await?;
    if let Some(change) = change {
        plan::set(&db, which.company, &change, &SystemClock).await?;
    }
    let shown = plan::show(&db, which.company).await;
    db.close().await;
    let (plan, used) = shown?;
    println!("{}", plan::words(&plan, used, SystemClock.now_ms()));
    Ok(())
}

impl Init {
    fn company(&self) -> anyhow::Result<NewCompany> {
        Ok(NewCompany {
            name: self.company.clone(),
            owner_email: self.owner_email.clone(),
            owner_password: read_password(&self.owner_password_file)?,
        })
    }

    fn report(&self, made: &Made) -> anyhow::Result<()> {
        let mut out = std::io::stdout();
        if self.json {
            let json = serde_json::json!({
                "company_id": made.company_id,
                "workspace_id": made.workspace_id,
                "api_token": made.api_token.expose(),
            });
            writeln!(out, "{json}")?;
        } else {
            writeln!(out, "Company    {}", made.company_id)?;
            writeln!(out, "Workspace  {}", made.workspace_id)?;
            writeln!(
                out,
                "API token  {}   (shown this once)",
                made.api_token.expose()
            )?;
        }
        Ok(())
    }
}

fn read_password(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)
        .with_context(|| format!("cannot open the password file {}", file.display()))?
        .take(MAX_PASSWORD_FILE)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read the password file {}", file.display()))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
