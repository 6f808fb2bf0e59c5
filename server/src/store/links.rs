//! One-time links, by the hash of their token, and the mail that carries them.

use glasshour_protocol::CompanyId;
use sqlx::FromRow;

use super::column::{Text, to_json, word_enum};
use super::{Db, Read, StoreError, Write, on, on_pool};

word_enum! {
    /// What a link is for.
    LinkPurpose, "`welcome`, `invitation` or `sign_up`" {
        /// A new user chooses a password.
        Welcome => "welcome",
        /// Somebody invited joins.
        Invitation => "invitation",
        /// Somebody who signs up proves their address.
        SignUp => "sign_up",
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

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct Mail<'a> {
    /// Its id.
    pub mail_id: &'a str,
    /// To whom.
    pub to: &'a str,
    /// Which text: `welcome`, `invitation`, `invitation_account`, `sign_up`, `sign_up_known`.
    pub template: &'static str,
    /// What it is about, so that a later mail about the same takes its place.
    pub subject_id: &'a str,
    /// What the text needs.
    pub params: &'a serde_json::Value,
    /// The one-time link, in clear.
    pub link: Option<&'a str>,
}

impl Db {
    /// The link with that token hash, expired or not.
    pub async fn find_link(&self, hash: &str) -> Result<Option<Link>, StoreError> {
        const SQL: &str = "SELECT company_id, token_hash, purpose, subject_id, expires_at \
            FROM links WHERE token_hash = $1";
        Ok(on_pool!(self, pool => sqlx::query_as(SQL).bind(hash).fetch_optional(pool).await)?)
    }
}

impl Read {
    /// The link of the last mail about something, while that mail waits to be sent.
    pub async fn waiting_link(&mut self, subject_id: &str) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT link FROM outbox WHERE company_id = $1 AND subject_id = $2 \
            AND state IN ('queued', 'failed') ORDER BY created_at DESC, mail_id DESC LIMIT 1";
        let row: Option<(Option<String>,)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(subject_id).fetch_optional(c).await)?;
        Ok(row.and_then(|(link,)| link))
    }

    /// Addresses and templates of the mail that waits to be sent, the oldest first.
    pub async fn waiting_mail(&mut self, limit: u32) -> Result<Vec<(String, String)>, StoreError> {
        const SQL: &str = "SELECT to_address, template FROM outbox WHERE company_id = $1 \
            AND state = 'queued' ORDER BY created_at, mail_id LIMIT $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(i64::from(limit)).fetch_all(c).await)?)
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

    /// Queues a mail; what still waits about the same subject is not sent any more.
    pub async fn queue_mail(&mut self, mail: &Mail<'_>, now_ms: i64) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO outbox (company_id, mail_id, to_address, template, \
            subject_id, params, link, state, attempts, next_at, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', 0, $8, $8)";
        self.drop_mail(mail.subject_id).await?;
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(mail.mail_id).bind(mail.to).bind(mail.template)
            .bind(mail.subject_id).bind(to_json(mail.params)).bind(mail.link).bind(now_ms)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes mail about something out of the queue.
    pub async fn drop_mail(&mut self, subject_id: &str) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE outbox SET state = 'replaced', link = NULL \
            WHERE company_id = $1 AND subject_id = $2 AND state IN ('queued', 'failed')";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(subject_id).execute(c).await.map(drop))?;
        Ok(())
    }
}
