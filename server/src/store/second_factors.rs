//! Second factors: the secret of an authenticator app, recovery codes by their hash, and who is half-way
//! through the log-in.

use glasshour_protocol::CompanyId;
use sqlx::FromRow;

use super::column::Text;
use super::{Db, Read, StoreError, Write, on, on_pool};

/// The secret that a person's authenticator app has.
#[derive(Clone, FromRow)]
pub struct SecondFactor {
    /// Shared with the app.
    pub secret: Vec<u8>,
    /// When the person has shown that the app has it, UTC milliseconds; until then nothing asks for it.
    pub confirmed_at: Option<i64>,
    /// The step of the last code that was taken.
    pub last_step: i64,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecondFactor(…)")
    }
}

/// Somebody who has given the password, and owes the second factor.
#[derive(Clone, Debug, FromRow)]
pub struct LogInStep {
    /// The user's home.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// Who.
    pub user_id: String,
    /// UTC milliseconds.
    pub expires_at: i64,
}

impl Db {
    /// The half-way log-in with that token hash, expired or not.
    pub async fn find_log_in_step(&self, hash: &str) -> Result<Option<LogInStep>, StoreError> {
        const SQL: &str =
            "SELECT company_id, user_id, expires_at FROM log_in_steps WHERE token_hash = $1";
        Ok(on_pool!(self, pool => sqlx::query_as(SQL).bind(hash).fetch_optional(pool).await)?)
    }
}

impl Read {
    /// A user's second factor, confirmed or not.
    pub async fn second_factor(
        &mut self,
        user_id: &str,
    ) -> Result<Option<SecondFactor>, StoreError> {
        const SQL: &str = "SELECT secret, confirmed_at, last_step FROM second_factors \
            WHERE company_id = $1 AND user_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(user_id).fetch_optional(c).await)?)
    }

    /// Whether the company that this view is bound to asks for a second factor that a user, of whichever
    /// home, does not have.
    pub async fn owes_second_factor(
        &mut self,
        home: CompanyId,
        user_id: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT c.company_id FROM companies c WHERE c.company_id = $1 \
            AND c.require_second_factor = TRUE AND NOT EXISTS (SELECT 1 FROM second_factors f \
              WHERE f.company_id = $2 AND f.user_id = $3 AND f.confirmed_at IS NOT NULL)";
        let row: Option<(String,)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(home.to_string()).bind(user_id)
            .fetch_optional(c).await)?;
        Ok(row.is_some())
    }

    /// Whether the company asks its people for a second factor.
    pub async fn requires_second_factor(&mut self) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT require_second_factor FROM companies WHERE company_id = $1";
        let row: Option<(bool,)> =
            on!(self, c => sqlx::query_as(SQL).bind(&self.company).fetch_optional(c).await)?;
        Ok(row.is_some_and(|(required,)| required))
    }

    /// How many recovery codes a user has left.
    pub async fn recovery_codes_left(&mut self, user_id: &str) -> Result<i64, StoreError> {
        const SQL: &str =
            "SELECT COUNT(*) FROM recovery_codes WHERE company_id = $1 AND user_id = $2";
        let (count,): (i64,) = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(user_id).fetch_one(c).await)?;
        Ok(count)
    }
}

impl Write {
    /// Keeps a secret that waits to be confirmed, in place of one before.
    pub async fn set_second_factor(
        &mut self,
        user_id: &str,
        secret: &[u8],
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO second_factors (company_id, user_id, secret, last_step) \
            VALUES ($1, $2, $3, 0)";
        self.delete_second_factor(user_id).await?;
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(user_id).bind(secret).execute(c).await.map(drop))?;
        Ok(())
    }

    /// The person has shown that the app has the secret.
    pub async fn confirm_second_factor(
        &mut self,
        user_id: &str,
        now_ms: i64,
        step: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE second_factors SET confirmed_at = $3, last_step = $4 \
            WHERE company_id = $1 AND user_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(user_id).bind(now_ms).bind(step)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Sets whether the company asks its people for a second factor.
    pub async fn require_second_factor(&mut self, required: bool) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE companies SET require_second_factor = $2 WHERE company_id = $1";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(required).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes a code's step; false where it, or a later one, was taken before.
    pub async fn take_step(&mut self, user_id: &str, step: i64) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE second_factors SET last_step = $3 \
            WHERE company_id = $1 AND user_id = $2 AND last_step < $3";
        let taken = on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(user_id).bind(step)
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(taken == 1)
    }

    /// Removes a second factor with its recovery codes.
    pub async fn delete_second_factor(&mut self, user_id: &str) -> Result<(), StoreError> {
        const SECRET: &str = "DELETE FROM second_factors WHERE company_id = $1 AND user_id = $2";
        const CODES: &str = "DELETE FROM recovery_codes WHERE company_id = $1 AND user_id = $2";
        for sql in [SECRET, CODES] {
            on!(self.0, c => sqlx::query(sql)
                .bind(&self.0.company).bind(user_id).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    /// Keeps a recovery code's hash.
    pub async fn insert_recovery_code(
        &mut self,
        user_id: &str,
        hash: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO recovery_codes (company_id, user_id, code_hash) \
            VALUES ($1, $2, $3)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(user_id).bind(hash).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Uses a recovery code up; false where there is none such.
    pub async fn use_recovery_code(
        &mut self,
        user_id: &str,
        hash: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM recovery_codes \
            WHERE company_id = $1 AND user_id = $2 AND code_hash = $3";
        let used = on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(user_id).bind(hash)
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(used == 1)
    }

    /// Keeps a half-way log-in, and forgets those that are too old.
    pub async fn insert_log_in_step(
        &mut self,
        hash: &str,
        step: &LogInStep,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const OLD: &str = "DELETE FROM log_in_steps WHERE company_id = $1 AND expires_at <= $2";
        const SQL: &str = "INSERT INTO log_in_steps (company_id, token_hash, user_id, expires_at) \
            VALUES ($1, $2, $3, $4)";
        on!(self.0, c => sqlx::query(OLD)
            .bind(&self.0.company).bind(now_ms).execute(c).await.map(drop))?;
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(hash).bind(&step.user_id).bind(step.expires_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Ends a half-way log-in.
    pub async fn delete_log_in_step(&mut self, hash: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM log_in_steps WHERE company_id = $1 AND token_hash = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(hash).execute(c).await.map(drop))?;
        Ok(())
    }
}
