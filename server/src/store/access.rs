//! Cookie sessions. Of cookies only the SHA-256 is kept.

use glasshour_protocol::CompanyId;
use sqlx::FromRow;

use super::column::{Nullable, Text};
use super::{Db, StoreError, Write, on, on_pool};

/// A cookie session, by the hash of its token.
#[derive(Clone, Debug, FromRow)]
pub struct WebSession {
    /// Whose.
    pub user_id: String,
    /// The company of the workspace that was chosen, where one was.
    #[sqlx(try_from = "Nullable<CompanyId>")]
    pub at_company_id: Option<CompanyId>,
    /// The workspace that was chosen.
    pub at_workspace_id: Option<String>,
    /// UTC milliseconds.
    pub created_at: i64,
    /// UTC milliseconds, exact to a minute.
    pub last_used_at: i64,
    /// UTC milliseconds; over from then on whatever happens.
    pub expires_at: i64,
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

impl Db {
    /// The cookie session with that token hash, expired or not.
    pub async fn find_web_session(&self, hash: &str) -> Result<Option<FoundSession>, StoreError> {
        const SQL: &str = "SELECT company_id, user_id, at_company_id, at_workspace_id, \
            created_at, last_used_at, expires_at \
            FROM web_sessions WHERE token_hash = $1";
        Ok(on_pool!(self, pool => sqlx::query_as(SQL).bind(hash).fetch_optional(pool).await)?)
    }
}

impl Write {
    /// Opens a cookie session.
    pub async fn insert_web_session(
        &mut self,
        hash: &str,
        session: &WebSession,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO web_sessions \
            (company_id, token_hash, user_id, created_at, last_used_at, expires_at, \
            at_company_id, at_workspace_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(hash).bind(&session.user_id).bind(session.created_at)
            .bind(session.last_used_at).bind(session.expires_at)
            .bind(session.at_company_id.map(|id| id.to_string())).bind(&session.at_workspace_id)
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

    /// Chooses the workspace that a cookie session works in; `None`: no one in particular.
    pub async fn choose_workspace(
        &mut self,
        hash: &str,
        at: Option<(CompanyId, &str)>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE web_sessions SET at_company_id = $3, at_workspace_id = $4 \
            WHERE company_id = $1 AND token_hash = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(hash).bind(at.map(|(company, _)| company.to_string()))
            .bind(at.map(|(_, workspace)| workspace))
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Ends every cookie session of a user.
    pub async fn delete_web_sessions_of(&mut self, user_id: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM web_sessions WHERE company_id = $1 AND user_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(user_id).execute(c).await.map(drop))?;
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
}
