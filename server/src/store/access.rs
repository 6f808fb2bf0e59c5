//! Log-ins, cookie sessions and API tokens. Of cookies and tokens only the SHA-256 is kept.

use glasshour_protocol::CompanyId;
use sqlx::FromRow;

use super::column::Text;
use super::{Db, Read, StoreError, Write, on, on_pool};

/// One login.
#[derive(Clone, Debug, FromRow)]
pub struct User {
    /// Its id.
    pub user_id: String,
    /// Lower case; unique across the server.
    pub email: String,
    /// As the console greets.
    pub name: String,
    /// Argon2id, PHC string.
    pub password_hash: String,
    /// `owner`, `admin`, `manager` or `employee`.
    pub role: String,
    /// False: blocked.
    pub active: bool,
    /// UTC milliseconds.
    pub created_at: i64,
}

/// A cookie session, by the hash of its token.
#[derive(Clone, Debug, FromRow)]
pub struct WebSession {
    /// Whose.
    pub user_id: String,
    /// UTC milliseconds.
    pub created_at: i64,
    /// UTC milliseconds, exact to a minute.
    pub last_used_at: i64,
    /// UTC milliseconds; over from then on whatever happens.
    pub expires_at: i64,
}

/// An unrevoked API token.
#[derive(Clone, Debug, FromRow)]
pub struct ApiToken {
    /// Whose rows it may see.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// What it was named when it was made.
    pub name: String,
    /// SHA-256, hex.
    pub token_hash: String,
}

/// A cookie session with the company whose user it is.
#[derive(Clone, Debug, FromRow)]
pub struct FoundSession {
    /// The user's home.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// The session.
    #[sqlx(flatten)]
    pub session: WebSession,
}

#[derive(FromRow)]
struct HomeRow {
    #[sqlx(try_from = "Text<CompanyId>")]
    company_id: CompanyId,
}

const USER: &str = "SELECT user_id, email, name, password_hash, role, active, created_at \
    FROM users WHERE company_id = $1 AND user_id = $2";
const USER_BY_EMAIL: &str = "SELECT user_id, email, name, password_hash, role, active, created_at \
    FROM users WHERE company_id = $1 AND email = $2";

impl Db {
    /// The home company of the user with that e-mail address, which must be lower case already.
    pub async fn find_home(&self, email: &str) -> Result<Option<CompanyId>, StoreError> {
        const SQL: &str = "SELECT company_id FROM users WHERE email = $1";
        let row: Option<HomeRow> =
            on_pool!(self, pool => sqlx::query_as(SQL).bind(email).fetch_optional(pool).await)?;
        Ok(row.map(|row| row.company_id))
    }

    /// The cookie session with that token hash, expired or not.
    pub async fn find_web_session(&self, hash: &str) -> Result<Option<FoundSession>, StoreError> {
        const SQL: &str = "SELECT company_id, user_id, created_at, last_used_at, expires_at \
            FROM web_sessions WHERE token_hash = $1";
        Ok(on_pool!(self, pool => sqlx::query_as(SQL).bind(hash).fetch_optional(pool).await)?)
    }

    /// The unrevoked API token with that hash.
    pub async fn find_api_token(&self, hash: &str) -> Result<Option<ApiToken>, StoreError> {
        const SQL: &str = "SELECT company_id, name, token_hash FROM api_tokens \
            WHERE token_hash = $1 AND revoked_at IS NULL";
        Ok(on_pool!(self, pool => sqlx::query_as(SQL).bind(hash).fetch_optional(pool).await)?)
    }
}

impl Read {
    /// A user by id.
    pub async fn user(&mut self, user_id: &str) -> Result<Option<User>, StoreError> {
        Ok(on!(self, c => sqlx::query_as(USER)
            .bind(&self.company).bind(user_id).fetch_optional(c).await)?)
    }

    /// A user by e-mail address, which must be lower case already.
    pub async fn user_by_email(&mut self, email: &str) -> Result<Option<User>, StoreError> {
        Ok(on!(self, c => sqlx::query_as(USER_BY_EMAIL)
            .bind(&self.company).bind(email).fetch_optional(c).await)?)
    }
}

impl Write {
    /// Makes a user.
    pub async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO users \
            (company_id, user_id, email, name, password_hash, role, active, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&user.user_id).bind(&user.email).bind(&user.name)
            .bind(&user.password_hash).bind(&user.role).bind(user.active).bind(user.created_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Replaces a user's password hash.
    pub async fn set_password(&mut self, user_id: &str, hash: &str) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE users SET password_hash = $3 WHERE company_id = $1 AND user_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(user_id).bind(hash).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Opens a cookie session.
    pub async fn insert_web_session(
        &mut self,
        hash: &str,
        session: &WebSession,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO web_sessions \
            (company_id, token_hash, user_id, created_at, last_used_at, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(hash).bind(&session.user_id).bind(session.created_at)
            .bind(session.last_used_at).bind(session.expires_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that a cookie session was used.
    pub async fn touch_web_session(&mut self, hash: &str, now_ms: i64) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE web_sessions SET last_used_at = $3 WHERE company_id = $1 AND token_hash = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(hash).bind(now_ms).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Ends a cookie session.
    pub async fn delete_web_session(&mut self, hash: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM web_sessions WHERE company_id = $1 AND token_hash = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(hash).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Forgets cookie sessions that are over.
    pub async fn delete_expired_web_sessions(
        &mut self,
        expired_before_ms: i64,
        idle_before_ms: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM web_sessions \
            WHERE company_id = $1 AND (expires_at <= $2 OR last_used_at <= $3)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(expired_before_ms).bind(idle_before_ms)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Keeps an API token's hash.
    pub async fn insert_api_token(
        &mut self,
        hash: &str,
        name: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO api_tokens (company_id, token_hash, name, created_at) \
            VALUES ($1, $2, $3, $4)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(hash).bind(name).bind(now_ms)
            .execute(c).await.map(drop))?;
        Ok(())
    }
}
