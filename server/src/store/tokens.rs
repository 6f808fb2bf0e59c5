//! API tokens: what each may do, until when, and when it was used last. Of a token only the SHA-256 is
//! kept.

use glasshour_protocol::CompanyId;
use sqlx::FromRow;

use super::column::{Text, word_enum};
use super::{Db, Read, StoreError, Write, on, on_pool};

word_enum! {
    /// What a token may do.
    TokenScope, "`read`, `captures`, `write` or `people`" {
        /// Lists and reports: people, projects, licenses, totals, the audit log. No captures.
        Read => "read",
        /// Records, pictures, sessions and exports.
        Captures => "captures",
        /// Makes and changes employees, projects, profiles, licenses and devices.
        Write => "write",
        /// Makes, changes and erases users, members and what the company says of itself.
        People => "people",
    }
}

/// An API token.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct ApiToken {
    /// Whose rows it may see.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// Its id, which opens nothing.
    pub token_id: String,
    /// What it was named when it was made.
    pub name: String,
    /// SHA-256, hex.
    pub token_hash: String,
    /// What it may do, with commas between.
    #[sqlx(try_from = "String")]
    pub scopes: Scopes,
    /// Who made it, as they were named then; `None`: the command line.
    pub made_by: Option<String>,
    /// UTC milliseconds.
    pub created_at: i64,
    /// From when on it opens nothing, UTC milliseconds; `None`: never.
    pub expires_at: Option<i64>,
    /// When it was used last, UTC milliseconds, exact to a minute.
    pub last_used_at: Option<i64>,
    /// When it was revoked, UTC milliseconds.
    pub revoked_at: Option<i64>,
}

/// What a token may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(pub Vec<TokenScope>);

impl Scopes {
    /// Everything: what `init` makes.
    pub fn all() -> Self {
        Self(TokenScope::ALL.to_vec())
    }

    /// Whether it may do that.
    pub fn has(&self, scope: TokenScope) -> bool {
        self.0.contains(&scope)
    }

    fn words(&self) -> String {
        let words: Vec<&str> = self.0.iter().map(|scope| scope.as_str()).collect();
        words.join(",")
    }
}

impl From<String> for Scopes {
    /// A word that this version does not know is nothing that it lets do.
    fn from(words: String) -> Self {
        Self(
            words
                .split(',')
                .filter_map(|word| word.parse().ok())
                .collect(),
        )
    }
}

impl Db {
    /// The token with that hash that was not revoked; perhaps expired.
    pub async fn find_api_token(&self, hash: &str) -> Result<Option<ApiToken>, StoreError> {
        const SQL: &str = "SELECT company_id, token_id, name, token_hash, scopes, made_by, \
            created_at, expires_at, last_used_at, revoked_at FROM api_tokens \
            WHERE token_hash = $1 AND revoked_at IS NULL";
        Ok(on_pool!(self, pool => sqlx::query_as(SQL).bind(hash).fetch_optional(pool).await)?)
    }
}

impl Read {
    /// The company's tokens, revoked ones too, the newest first.
    pub async fn api_tokens(
        &mut self,
        before: Option<(i64, &str)>,
        limit: u32,
    ) -> Result<Vec<ApiToken>, StoreError> {
        const SQL: &str = "SELECT company_id, token_id, name, token_hash, scopes, made_by, \
            created_at, expires_at, last_used_at, revoked_at FROM api_tokens \
            WHERE company_id = $1 AND (created_at < $2 OR (created_at = $2 AND token_id < $3)) \
            ORDER BY created_at DESC, token_id DESC LIMIT $4";
        let (at, id) = before.unwrap_or((i64::MAX, ""));
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(at).bind(id).bind(i64::from(limit)).fetch_all(c).await)?)
    }
}

impl Write {
    /// Keeps a token.
    pub async fn insert_api_token(&mut self, token: &ApiToken) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO api_tokens (company_id, token_hash, token_id, name, scopes, \
            made_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&token.token_hash).bind(&token.token_id)
            .bind(&token.name).bind(token.scopes.words()).bind(&token.made_by)
            .bind(token.created_at).bind(token.expires_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that a token was used.
    pub async fn touch_api_token(&mut self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE api_tokens SET last_used_at = $3 WHERE company_id = $1 AND token_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id).bind(now_ms).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Revokes a token; false where there is none that was not revoked yet.
    pub async fn revoke_api_token(&mut self, id: &str, now_ms: i64) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE api_tokens SET revoked_at = $3 \
            WHERE company_id = $1 AND token_id = $2 AND revoked_at IS NULL";
        let revoked = on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id).bind(now_ms)
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(revoked == 1)
    }
}
