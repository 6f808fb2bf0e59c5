//! A company's plan: seats, how many are invited at once, the end of a trial. Without one there is no
//! limit of any kind.

use glasshour_protocol::CompanyId;
use sqlx::FromRow;

use super::column::{Text, word_enum};
use super::{Read, StoreError, Write, on};

word_enum! {
    /// Who may change the number of seats (rule 33).
    SeatsBy, "`operator` or `company`" {
        /// Whoever runs the server: `glasshour-server plan set`.
        Operator => "operator",
        /// The company itself, on its plan page.
        Company => "company",
    }
}

/// What a company may do.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Plan {
    /// Whose.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// Its name, such as `free`.
    pub plan: Option<String>,
    /// How many users may be active; `None`: any number.
    pub seats: Option<i64>,
    /// Who may change that.
    #[sqlx(try_from = "Text<SeatsBy>")]
    pub seats_by: SeatsBy,
    /// How many addresses go in one invitation; `None`: any number (rule 48).
    pub invitations_at_once: Option<i64>,
    /// When the trial ends, UTC milliseconds (rule 16).
    pub trial_ends_at: Option<i64>,
}

impl Plan {
    /// Whether there was a trial and it is over.
    pub fn trial_is_over(&self, now_ms: i64) -> bool {
        self.trial_ends_at.is_some_and(|end| now_ms >= end)
    }
}

impl Read {
    /// The company's plan; `None` where there is no such company.
    pub async fn plan(&mut self) -> Result<Option<Plan>, StoreError> {
        const SQL: &str = "SELECT company_id, plan, seats, seats_by, invitations_at_once, \
            trial_ends_at FROM companies WHERE company_id = $1";
        Ok(on!(self, c => sqlx::query_as(SQL).bind(&self.company).fetch_optional(c).await)?)
    }
}

impl Write {
    /// Changes the company's plan.
    pub async fn set_plan(&mut self, plan: &Plan) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE companies SET plan = $2, seats = $3, seats_by = $4, \
            invitations_at_once = $5, trial_ends_at = $6 WHERE company_id = $1";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&plan.plan).bind(plan.seats).bind(plan.seats_by.as_str())
            .bind(plan.invitations_at_once).bind(plan.trial_ends_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Changes what the company says of itself; licenses issued from now on say it too.
    pub async fn update_company(
        &mut self,
        name: &str,
        privacy_contact: Option<&str>,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE companies SET name = $2, privacy_contact = $3 WHERE company_id = $1";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(name).bind(privacy_contact)
            .execute(c).await.map(drop))?;
        Ok(())
    }
}
