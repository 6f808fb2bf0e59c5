//! Mail that waits, is under way, was sent or failed.
//!
//! A mail is leased by moving its `next_at`: whoever changes the very value they saw has it, on every
//! database and from any number of servers. `handed_at` is set before its text goes out; a mail that has
//! it is never sent by itself again.

use glasshour_protocol::CompanyId;
use serde_json::Value;
use sqlx::FromRow;

use super::column::{Json, Text, to_json, word_enum};
use super::{Db, Read, StoreError, Write, on, on_pool};

/// When mail is due that is only kept to be shown: never.
const NEVER: i64 = i64::MAX;

word_enum! {
    /// What a mail says.
    MailTemplate, "a text that this version has" {
        /// A new user chooses a password (rule 36).
        Welcome => "welcome",
        /// Somebody without an account is invited (rule 47).
        Invitation => "invitation",
        /// Somebody with an account is invited (rule 50).
        InvitationAccount => "invitation_account",
        /// Somebody who signs up proves their address.
        SignUp => "sign_up",
        /// Somebody signs up who has an account.
        SignUpKnown => "sign_up_known",
        /// A user who has forgotten the password sets another.
        Reset => "reset",
        /// An employee gets their license (rule 15).
        License => "license",
    }
}

word_enum! {
    /// How far a mail has come.
    MailState, "`queued`, `sent`, `failed` or `replaced`" {
        /// It waits, or is tried again.
        Queued => "queued",
        /// The mail server has taken it.
        Sent => "sent",
        /// It is not tried any more.
        Failed => "failed",
        /// A later mail about the same took its place, or there is nothing to tell any more.
        Replaced => "replaced",
    }
}

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct Mail<'a> {
    /// Its id.
    pub mail_id: &'a str,
    /// To whom.
    pub to: &'a str,
    /// Which text.
    pub template: MailTemplate,
    /// What it is about, so that a later mail about the same takes its place.
    pub subject_id: &'a str,
    /// What the text needs.
    pub params: &'a Value,
    /// The one-time link, in clear.
    pub link: Option<&'a str>,
    /// False: only kept, so that its link can be shown.
    pub is_sent: bool,
}

/// A mail as it waits.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DueMail {
    /// Whose.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// Its id.
    pub mail_id: String,
    /// To whom.
    pub to_address: String,
    /// Which text.
    #[sqlx(try_from = "Text<MailTemplate>")]
    pub template: MailTemplate,
    /// What it is about.
    pub subject_id: String,
    /// What the text needs.
    #[sqlx(try_from = "Json<Value>")]
    pub params: Value,
    /// The one-time link.
    pub link: Option<String>,
    /// How often it was tried before.
    pub attempts: i64,
    /// Since when it is due; while it is leased: until when.
    pub next_at: i64,
    /// When its text went out, where the answer is not known.
    pub handed_at: Option<i64>,
    /// UTC milliseconds.
    pub created_at: i64,
}

/// A mail, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ListedMail {
    /// Its id.
    pub mail_id: String,
    /// What it is about.
    pub subject_id: String,
    /// To whom.
    pub to_address: String,
    /// Which text.
    #[sqlx(try_from = "Text<MailTemplate>")]
    pub template: MailTemplate,
    /// How far it has come.
    #[sqlx(try_from = "Text<MailState>")]
    pub state: MailState,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it was not sent, last.
    pub error: Option<String>,
    /// UTC milliseconds.
    pub created_at: i64,
    /// UTC milliseconds.
    pub sent_at: Option<i64>,
}

/// How much mail stands how, for whoever looks after a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailCounts {
    /// It waits to be sent.
    pub queued: u64,
    /// Tried at least once in vain, and waiting to be tried again.
    pub retried: u64,
    /// It failed since the moment asked for.
    pub failed: u64,
}

impl Db {
    /// Mail that is due, the longest due first.
    pub async fn due_mail(&self, now_ms: i64, limit: u32) -> Result<Vec<DueMail>, StoreError> {
        const SQL: &str = "SELECT company_id, mail_id, to_address, template, subject_id, params, \
            link, attempts, next_at, handed_at, created_at FROM outbox \
            WHERE state = 'queued' AND next_at <= $1 ORDER BY next_at, mail_id LIMIT $2";
        Ok(on_pool!(self, pool => sqlx::query_as(SQL)
            .bind(now_ms).bind(i64::from(limit)).fetch_all(pool).await)?)
    }

    /// How much mail of all companies stands how.
    pub async fn mail_counts(&self, failed_since_ms: i64) -> Result<MailCounts, StoreError> {
        const SQL: &str = "SELECT state, CASE WHEN attempts > 0 THEN 1 ELSE 0 END, COUNT(*) \
            FROM outbox WHERE (state = 'queued' AND next_at < $2) \
            OR (state = 'failed' AND created_at >= $1) \
            GROUP BY state, CASE WHEN attempts > 0 THEN 1 ELSE 0 END ORDER BY state LIMIT 10";
        let rows: Vec<(String, i64, i64)> = on_pool!(self, pool => sqlx::query_as(SQL)
            .bind(failed_since_ms).bind(NEVER).fetch_all(pool).await)?;
        let mut counts = MailCounts::default();
        for (state, tried, count) in rows {
            let count = u64::try_from(count).unwrap_or(0);
            if state == MailState::Failed.as_str() {
                counts.failed += count;
            } else {
                counts.queued += count;
                counts.retried += if tried > 0 { count } else { 0 };
            }
        }
        Ok(counts)
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

    /// A company's mail, the newest first; what was replaced is left out.
    pub async fn mail(
        &mut self,
        before: Option<(i64, &str)>,
        limit: u32,
    ) -> Result<Vec<ListedMail>, StoreError> {
        const SQL: &str = "SELECT mail_id, subject_id, to_address, template, state, attempts, error, \
            created_at, sent_at FROM outbox WHERE company_id = $1 AND state <> 'replaced' \
            AND (created_at < $2 OR (created_at = $2 AND mail_id < $3)) \
            ORDER BY created_at DESC, mail_id DESC LIMIT $4";
        let (at, id) = before.unwrap_or((i64::MAX, ""));
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(at).bind(id).bind(i64::from(limit)).fetch_all(c).await)?)
    }

    /// A mail by id.
    pub async fn listed_mail(&mut self, mail_id: &str) -> Result<Option<ListedMail>, StoreError> {
        const SQL: &str = "SELECT mail_id, subject_id, to_address, template, state, attempts, error, \
            created_at, sent_at FROM outbox WHERE company_id = $1 AND mail_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(mail_id).fetch_optional(c).await)?)
    }

    /// Why mail failed since a moment: how often, and the last reason.
    pub async fn failed_mail(
        &mut self,
        since_ms: i64,
    ) -> Result<Option<(u64, String)>, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM outbox WHERE company_id = $1 \
            AND state = 'failed' AND created_at >= $2";
        const LAST: &str = "SELECT error FROM outbox WHERE company_id = $1 \
            AND state = 'failed' AND created_at >= $2 \
            ORDER BY created_at DESC, mail_id DESC LIMIT 1";
        let (count,): (i64,) = on!(self, c => sqlx::query_as(COUNT)
            .bind(&self.company).bind(since_ms).fetch_one(c).await)?;
        let last: Option<(Option<String>,)> = on!(self, c => sqlx::query_as(LAST)
            .bind(&self.company).bind(since_ms).fetch_optional(c).await)?;
        let reason = last.and_then(|(error,)| error).unwrap_or_default();
        Ok((count > 0).then(|| (u64::try_from(count).unwrap_or(0), reason)))
    }
}

impl Write {
    /// Queues a mail; what still waits about the same subject is not sent any more.
    pub async fn queue_mail(&mut self, mail: &Mail<'_>, now_ms: i64) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO outbox (company_id, mail_id, to_address, template, \
            subject_id, params, link, state, attempts, next_at, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', 0, $8, $9)";
        self.drop_mail(mail.subject_id).await?;
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(mail.mail_id).bind(mail.to).bind(mail.template.as_str())
            .bind(mail.subject_id).bind(to_json(mail.params)).bind(mail.link)
            .bind(if mail.is_sent { now_ms } else { NEVER }).bind(now_ms)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes mail about something out of the queue. One whose text is on its way is left to its end.
    pub async fn drop_mail(&mut self, subject_id: &str) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE outbox SET state = 'replaced', link = NULL \
            WHERE company_id = $1 AND subject_id = $2 AND handed_at IS NULL \
            AND state IN ('queued', 'failed')";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(subject_id).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Leases a mail that was seen as due; false where somebody else has it by now.
    pub async fn lease_mail(&mut self, mail: &DueMail, until_ms: i64) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE outbox SET next_at = $4, attempts = attempts + 1 \
            WHERE company_id = $1 AND mail_id = $2 AND next_at = $3 AND state = 'queued'";
        let changed = on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&mail.mail_id).bind(mail.next_at).bind(until_ms)
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// Notes that the text of a leased mail goes out now; false where it was replaced meanwhile, or the
    /// lease has run out: then it does not go out.
    pub async fn hand_over_mail(
        &mut self,
        mail_id: &str,
        leased_until_ms: i64,
        now_ms: i64,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE outbox SET handed_at = $4 WHERE company_id = $1 AND mail_id = $2 \
            AND next_at = $3 AND next_at > $4 AND state = 'queued' AND handed_at IS NULL";
        let changed = on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(mail_id).bind(leased_until_ms).bind(now_ms)
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// The mail server has taken it. What was secret in it is forgotten.
    pub async fn mail_was_sent(&mut self, mail_id: &str, now_ms: i64) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE outbox SET state = 'sent', sent_at = $3, handed_at = NULL, \
            link = NULL, params = '{}', error = NULL WHERE company_id = $1 AND mail_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(mail_id).bind(now_ms).execute(c).await.map(drop))?;
        Ok(())
    }

    /// It was not taken, and is tried again from `next_at_ms` on.
    pub async fn retry_mail(
        &mut self,
        mail_id: &str,
        next_at_ms: i64,
        error: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE outbox SET next_at = $3, error = $4, handed_at = NULL \
            WHERE company_id = $1 AND mail_id = $2 AND state = 'queued'";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(mail_id).bind(next_at_ms).bind(error)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// It is not tried any more. Its link is forgotten: whoever sends it again makes a new one.
    pub async fn fail_mail(&mut self, mail_id: &str, error: &str) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE outbox SET state = 'failed', error = $3, link = NULL, \
            params = '{}', handed_at = NULL \
            WHERE company_id = $1 AND mail_id = $2 AND state = 'queued'";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(mail_id).bind(error).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Tells the company's owners of mail that failed, unless a notice of that waits to be seen.
    pub async fn tell_owners_of_mail(
        &mut self,
        notice_id: &str,
        params: &Value,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const OWNERS: &str = "SELECT user_id FROM users WHERE company_id = $1 AND role = 'owner' \
            AND status = 'active' AND NOT EXISTS (SELECT 1 FROM notices n \
                WHERE n.company_id = users.company_id AND n.user_id = users.user_id \
                AND n.kind = 'mail_failed' AND n.read_at IS NULL) \
            ORDER BY user_id LIMIT 100";
        let owners: Vec<(String,)> = on!(self.0, c => sqlx::query_as(OWNERS)
            .bind(&self.0.company).fetch_all(c).await)?;
        for (index, (user_id,)) in owners.into_iter().enumerate() {
            let notice = super::Notice {
                notice_id: if index == 0 {
                    notice_id.to_owned()
                } else {
                    format!("{notice_id}-{index}")
                },
                kind: "mail_failed".into(),
                params: params.clone(),
                created_at: now_ms,
                read_at: None,
            };
            self.insert_notice(&user_id, &notice).await?;
        }
        Ok(())
    }

    /// Forgets mail that was sent, failed or replaced before a moment.
    pub async fn forget_mail(&mut self, before_ms: i64) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM outbox WHERE company_id = $1 AND state <> 'queued' \
            AND created_at < $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(before_ms).execute(c).await.map(drop))?;
        Ok(())
    }
}
