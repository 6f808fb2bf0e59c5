//! One-time links, by the hash of their token.

use glasshour_protocol::CompanyId;
use sqlx::FromRow;

use super::column::{Text, word_enum};
use super::{Db, StoreError, Write, on, on_pool};

word_enum! {
    /// What a link is for.
    LinkPurpose, "`welcome`, `invitation`, `sign_up` or `reset`" {
        /// A new user chooses a password.
        Welcome => "welcome",
        /// Somebody invited joins.
        Invitation => "invitation",
        /// Somebody who signs up proves their address.
        SignUp => "sign_up",
        /// A user who has forgotten the password sets another.
        Reset => "reset",
    }
}

/// A link that was not used and not replaced; perhaps expired.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Link {
    /// Whose.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// SHA-256 of its token, hex.
    pub token_hash: String,
    /// What for.
    #[sqlx(try_from = "Text<LinkPurpose>")]
    pub purpose: LinkPurpose,
    /// A user, a member or an address.
    pub subject_id: String,
    /// UTC milliseconds.
    pub expires_at: i64,
}

impl Db {
    /// The link with that token hash, expired or not.
    pub async fn find_link(&self, hash: &str) -> Result<Option<Link>, StoreError> {
        const SQL: &str = "SELECT company_id, token_hash, purpose, subject_id, expires_at \
            FROM links WHERE token_hash = $1";
        Ok(on_pool!(self, pool => sqlx::query_as(SQL).bind(hash).fetch_optional(pool).await)?)
    }
}

impl Write {
    /// Makes a link; earlier ones for the same are worth nothing from now on.
    pub async fn replace_link(&mut self, link: &Link, now_ms: i64) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO links \
            (company_id, token_hash, purpose, subject_id, created_at, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6)";
        self.delete_links(link.purpose, &link.subject_id).await?;
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&link.token_hash).bind(link.purpose.as_str())
            .bind(&link.subject_id).bind(now_ms).bind(link.expires_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Makes links worth nothing.
    pub async fn delete_links(
        &mut self,
        purpose: LinkPurpose,
        subject_id: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "DELETE FROM links WHERE company_id = $1 AND purpose = $2 AND subject_id = $3";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(purpose.as_str()).bind(subject_id)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Uses a link up; false where somebody else was faster.
    pub async fn use_link(&mut self, hash: &str) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM links WHERE company_id = $1 AND token_hash = $2";
        let used = on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(hash).execute(c).await.map(|done| done.rows_affected()))?;
        Ok(used == 1)
    }
}
