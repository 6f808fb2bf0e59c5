//! Which account of a provider (OpenID Connect) is which user.

use glasshour_protocol::CompanyId;
use sqlx::FromRow;

use super::column::Text;
use super::{Db, Read, StoreError, Write, on, on_pool};

/// A user, by their home and id.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SignOn {
    /// The user's home.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// Who.
    pub user_id: String,
}

impl Db {
    /// The user that an account of a provider is.
    pub async fn find_sign_on(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<SignOn>, StoreError> {
        const SQL: &str =
            "SELECT company_id, user_id FROM sign_ons WHERE issuer = $1 AND subject = $2";
        Ok(on_pool!(self, pool => sqlx::query_as(SQL)
            .bind(issuer).bind(subject).fetch_optional(pool).await)?)
    }
}

impl Read {
    /// Whether a user is an account of that provider already.
    pub async fn has_sign_on(&mut self, user_id: &str, issuer: &str) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT subject FROM sign_ons \
            WHERE company_id = $1 AND user_id = $2 AND issuer = $3";
        let row: Option<(String,)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(user_id).bind(issuer).fetch_optional(c).await)?;
        Ok(row.is_some())
    }
}

impl Write {
    /// Settles that a user is that account; [`StoreError::Taken`] where either is settled otherwise.
    pub async fn insert_sign_on(
        &mut self,
        user_id: &str,
        issuer: &str,
        subject: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO sign_ons (company_id, user_id, issuer, subject, linked_at) \
            VALUES ($1, $2, $3, $4, $5)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(user_id).bind(issuer).bind(subject).bind(now_ms)
            .execute(c).await.map(drop))?;
        Ok(())
    }
}
