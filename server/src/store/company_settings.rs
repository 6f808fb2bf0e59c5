//! What a company sets for all of its people: time zone, language, and its own words in the notice.

use sqlx::FromRow;

use super::{Read, StoreError, Write, on};

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct CompanySettings {
    /// IANA name; `None`: where the records come from.
    pub time_zone: Option<String>,
    /// BCP 47 code of a language that Glasshour speaks.
    pub language: String,
    /// What the company adds to the notice of its licenses.
    pub notice: Option<String>,
    /// Whether nothing is taken from a new device before somebody approves it.
    pub approve_devices: bool,
}

impl Read {
    /// The company's settings; `None` where there is no such company.
    pub async fn company_settings(&mut self) -> Result<Option<CompanySettings>, StoreError> {
        const SQL: &str = "SELECT time_zone, language, notice, approve_devices \
            FROM companies WHERE company_id = $1";
        Ok(on!(self, c => sqlx::query_as(SQL).bind(&self.company).fetch_optional(c).await)?)
    }
}

impl Write {
    /// Changes the company's settings.
    pub async fn set_company_settings(
        &mut self,
        settings: &CompanySettings,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE companies SET time_zone = $2, language = $3, notice = $4, \
            approve_devices = $5 \
            WHERE company_id = $1";
        on!(self.0, c => sqlx::query(SQL).bind(&self.0.company)
            .bind(&settings.time_zone).bind(&settings.language).bind(&settings.notice)
            .bind(settings.approve_devices)
            .execute(c).await.map(drop))?;
        Ok(())
    }
}
