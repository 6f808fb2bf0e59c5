//! Companies. The signing key is in the database (`signing_keys.rs`), so that any number of server
//! instances can issue licenses; the file is readable by its owner alone.

use ed25519_dalek::SigningKey;
use glasshour_protocol::CompanyId;
use sqlx::FromRow;

use super::column::Text;
use super::signing_keys::key;
use super::{Db, Read, StoreError, Write, on, on_pool};

/// A company with the key that signs its licenses now.
#[derive(Clone, Debug)]
pub struct Company {
    /// Its id.
    pub company_id: CompanyId,
    /// Its name, as licenses and reports show it.
    pub name: String,
    /// Whom employees ask about their data.
    pub privacy_contact: Option<String>,
    /// Signs its licenses. Never leaves the server.
    pub signing_key: SigningKey,
}

#[derive(FromRow)]
struct Row {
    #[sqlx(try_from = "Text<CompanyId>")]
    company_id: CompanyId,
    name: String,
    privacy_contact: Option<String>,
    secret: Vec<u8>,
}

const COMPANY: &str = "SELECT c.company_id, c.name, c.privacy_contact, k.secret \
    FROM companies c JOIN signing_keys k ON k.company_id = c.company_id AND k.retired_at IS NULL \
    WHERE c.company_id = $1";

impl TryFrom<Row> for Company {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            company_id: row.company_id,
            name: row.name,
            privacy_contact: row.privacy_contact,
            signing_key: key(&row.secret)?,
        })
    }
}

impl Db {
    /// The companies that this database holds, the oldest first.
    pub async fn companies(&self, limit: u32) -> Result<Vec<CompanyId>, StoreError> {
        const SQL: &str =
            "SELECT company_id FROM companies ORDER BY created_at, company_id LIMIT $1";
        let rows: Vec<(String,)> = on_pool!(self, pool => sqlx::query_as(SQL)
            .bind(i64::from(limit)).fetch_all(pool).await)?;
        let id = |(text,): (String,)| {
            text.parse().map_err(|_| StoreError::Corrupt {
                what: "companies.company_id",
            })
        };
        rows.into_iter().map(id).collect()
    }

    /// Checks the whole file (SQLite); `None` where all is well. PostgreSQL checks itself.
    pub async fn integrity_problem(&self) -> Result<Option<String>, StoreError> {
        let Self::Sqlite { readers, .. } = self else {
            return Ok(None);
        };
        let (answer,): (String,) = sqlx::query_as("PRAGMA integrity_check(1)")
            .fetch_one(readers)
            .await?;
        Ok((answer != "ok").then_some(answer))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        const SQL: &str = "SELECT 1";
        on_pool!(self, pool => sqlx::query(SQL).execute(pool).await.map(drop))?;
        Ok(())
    }
}

impl Read {
    /// The company that this view is bound to; `None` where there is no such company.
    pub async fn company(&mut self) -> Result<Option<Company>, StoreError> {
        let row: Option<Row> =
            on!(self, c => sqlx::query_as(COMPANY).bind(&self.company).fetch_optional(c).await)?;
        row.map(Company::try_from).transpose()
    }

    /// The company's first workspace that is not deleted.
    pub async fn first_workspace(&mut self) -> Result<Option<String>, StoreError> {
        let first = self.workspaces(None, 1).await?;
        Ok(first.into_iter().next().map(|one| one.workspace_id))
    }
}

impl Write {
    /// Makes the company that this transaction is bound to, with its first signing key.
    pub async fn insert_company(
        &mut self,
        company: &Company,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO companies \
            (company_id, name, privacy_contact, created_at) VALUES ($1, $2, $3, $4)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(company.company_id.to_string())
            .bind(&company.name)
            .bind(&company.privacy_contact)
            .bind(now_ms)
            .execute(c).await.map(drop))?;
        self.insert_signing_key(1, &company.signing_key, now_ms)
            .await
    }
}
