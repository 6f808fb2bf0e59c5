//! `reset-link`: the way back in for whoever nobody else can help, such as a company's owner.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use crate::clock::Clock;
use crate::people;
use crate::setup;

/// What `reset-link` is told.
#[derive(Args, Debug)]
pub(crate) struct ResetLink {
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
    /// Whose password is forgotten
    #[arg(long, value_name = "E-MAIL")]
    email: String,
    /// Where people reach the server, as `serve` was told
    #[arg(long, value_name = "URL", env = "GLASSHOUR_PUBLIC_URL")]
    public_url: String,
    /// The second factor is lost too: remove it
    #[arg(long)]
    remove_second_factor: bool,
}

/// Makes the link and prints it.
pub(crate) async fn reset_link(asked: ResetLink, clock: &dyn Clock) -> anyhow::Result<()> {
    let db = setup::open(&asked.data, asked.database.as_deref()).await?;
    let url = asked.public_url.trim_end_matches('/');
    let made = people::operator_reset(
        &db,
        &asked.email,
        url,
        asked.remove_second_factor,
        clock.now_ms(),
    )
    .await
    .map_err(|error| anyhow::anyhow!("{}", error.message));
    db.close().await;
    writeln!(std::io::stdout(), "{}", made?)?;
    Ok(())
}
