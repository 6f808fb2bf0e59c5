//! `plan set` and `plan show`: what the operator grants a company (rules 16, 33 and 48).

use anyhow::Context as _;
use clap::Args;
use glasshour_protocol::CompanyId;

use crate::clock::Clock;
use crate::store::{Db, Plan, SeatsBy};

const DAY_MS: i64 = 24 * 3_600_000;
/// Addresses in one invitation on a plan of that name, unless told otherwise (rule 48).
const FREE: &str = "free";
const FREE_INVITATIONS: i64 = 5;

/// What is granted; what is not named stays. `none` takes a limit away.
#[derive(Args, Clone, Debug, Default)]
pub struct PlanChange {
    /// The plan's name. On `free`, 5 addresses go in one invitation unless `--invitations` says otherwise
    #[arg(long, value_name = "NAME|none")]
    pub plan: Option<String>,
    /// How many users may be active
    #[arg(long, value_name = "N|none")]
    pub seats: Option<String>,
    /// Who may change that number later: `operator` (this command), or `company` (its plan page)
    #[arg(long, value_name = "operator|company")]
    pub seats_by: Option<String>,
    /// How many addresses go in one invitation
    #[arg(long, value_name = "N|none")]
    pub invitations: Option<String>,
    /// The trial ends so many days from now (rule 16: 15 where no number is given); 0 ends it at once
    #[arg(long, value_name = "DAYS|none", num_args = 0..=1, default_missing_value = "15")]
    pub trial: Option<String>,
}

/// Changes a company's plan: the one named, or the only one there is.
pub async fn set(
    db: &Db,
    company: Option<CompanyId>,
    change: &PlanChange,
    clock: &dyn Clock,
) -> anyhow::Result<Plan> {
    let mut write = db.write(chosen(db, company).await?).await?;
    let mut plan = write.plan().await?.context("there is no such company")?;
    if let Some(name) = &change.plan {
        plan.plan = Some(name.clone()).filter(|name| name != "none");
        let free = name == FREE;
        plan.invitations_at_once = free.then_some(FREE_INVITATIONS);
    }
    if let Some(text) = &change.seats {
        plan.seats = limit("--seats", text)?;
    }
    if let Some(text) = &change.seats_by {
        plan.seats_by = text
            .parse::<SeatsBy>()
            .map_err(|error| anyhow::anyhow!("--seats-by {error}"))?;
    }
    if let Some(text) = &change.invitations {
        plan.invitations_at_once = limit("--invitations", text)?;
    }
    if let Some(text) = &change.trial {
        let days = limit("--trial", text)?;
        plan.trial_ends_at = days.map(|days| clock.now_ms() + days * DAY_MS);
    }
    write.set_plan(&plan).await?;
    write.commit().await?;
    Ok(plan)
}

/// A company's plan: of the one named, or the only one there is.
pub async fn show(db: &Db, company: Option<CompanyId>) -> anyhow::Result<(Plan, u64)> {
    let mut read = db.read(chosen(db, company).await?).await?;
    let plan = read.plan().await?.context("there is no such company")?;
    Ok((plan, read.seats_used().await?))
}

async fn chosen(db: &Db, asked: Option<CompanyId>) -> anyhow::Result<CompanyId> {
    if let Some(company) = asked {
        return Ok(company);
    }
    match db.companies(2).await?.as_slice() {
        [only] => Ok(*only),
        _ => anyhow::bail!("this server holds several companies: say which with --company ID"),
    }
}

fn limit(flag: &str, text: &str) -> anyhow::Result<Option<i64>> {
    if text == "none" {
        return Ok(None);
    }
    let number = text
        .parse::<u32>()
        .ok()
        .filter(|number| *number <= 1_000_000);
    let number = number.with_context(|| format!("{flag} must be a number, or none"))?;
    Ok(Some(i64::from(number)))
}

/// The plan in words.
pub(crate) fn words(plan: &Plan, seats_used: u64, now_ms: i64) -> String {
    let number = |limit: Option<i64>| limit.map_or_else(|| "any number".into(), |n| n.to_string());
    let trial = match plan.trial_ends_at {
        None => "none".to_owned(),
        Some(end) if now_ms >= end => "over: nothing is taken from agents".to_owned(),
        Some(end) => format!("{} day(s) left", (end - now_ms).div_euclid(DAY_MS) + 1),
    };
    format!(
        "Plan         {}\nSeats        {} ({seats_used} in use), set by the {}\nInvitations  {} at \
         once\nTrial        {trial}",
        plan.plan.as_deref().unwrap_or("none"),
        number(plan.seats),
        plan.seats_by,
        number(plan.invitations_at_once),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_none() {
        assert_eq!(limit("--seats", "none").unwrap(), None);
        assert_eq!(limit("--seats", "12").unwrap(), Some(12));
        for bad in ["", "-1", "all", "1.5", "9999999999"] {
            assert!(limit("--seats", bad).is_err(), "{bad:?}");
        }
    }
}
