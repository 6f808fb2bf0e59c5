//! The keys that sign a company's licenses: the present one, and what is left of those before it.
//!
//! Of a key that went there is the announcement that it signed, which names it and the key that came;
//! its secret is gone. Whoever issues a license holds the key for the length of the transaction, so
//! that no license is signed by a key that another transaction is about to replace.

use ed25519_dalek::SigningKey;
use glasshour_license_format::succession::{Announcement, MAX_ANNOUNCEMENTS};
use glasshour_protocol::jws::thumbprint;
use sqlx::FromRow;

use super::{Read, StoreError, Write, on};

/// A signing key, and how long it was in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPeriod {
    /// RFC 7638 thumbprint.
    pub fingerprint: String,
    /// UTC milliseconds.
    pub created_at: i64,
    /// When another took its place, UTC milliseconds.
    pub retired_at: Option<i64>,
    /// What it signed then: the announcement of the next one.
    pub announcement: Option<String>,
}

#[derive(FromRow)]
struct Row {
    secret: Option<Vec<u8>>,
    created_at: i64,
    retired_at: Option<i64>,
    announcement: Option<String>,
}

/// A key from its 32 secret bytes.
pub(super) fn key(secret: &[u8]) -> Result<SigningKey, StoreError> {
    let seed: [u8; 32] = secret.try_into().map_err(|_| corrupt_secret())?;
    Ok(SigningKey::from_bytes(&seed))
}

fn corrupt_secret() -> StoreError {
    StoreError::Corrupt {
        what: "signing_keys.secret",
    }
}

impl TryFrom<Row> for KeyPeriod {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let fingerprint = match (&row.secret, &row.announcement) {
            (Some(secret), _) => thumbprint(&key(secret)?.verifying_key()),
            (None, Some(text)) => {
                let read = Announcement::read(text).map_err(|_| StoreError::Corrupt {
                    what: "signing_keys.announcement",
                })?;
                read.former
            }
            (None, None) => return Err(corrupt_secret()),
        };
        Ok(Self {
            fingerprint,
            created_at: row.created_at,
            retired_at: row.retired_at,
            announcement: row.announcement,
        })
    }
}

impl Read {
    /// Every key that the company ever had, oldest first; the last one is in use.
    pub async fn signing_keys(&mut self) -> Result<Vec<KeyPeriod>, StoreError> {
        // The limit only bounds memory: nobody changes a key so often.
        const SQL: &str = "SELECT secret, created_at, retired_at, announcement FROM signing_keys \
            WHERE company_id = $1 ORDER BY generation LIMIT 10000";
        let rows: Vec<Row> =
            on!(self, c => sqlx::query_as(SQL).bind(&self.company).fetch_all(c).await)?;
        rows.into_iter().map(KeyPeriod::try_from).collect()
    }

    /// The announcements that lead to the key in use, oldest first: as many as a license may carry.
    pub async fn key_history(&mut self) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "SELECT announcement FROM signing_keys \
            WHERE company_id = $1 AND announcement IS NOT NULL ORDER BY generation DESC LIMIT $2";
        let most = i64::try_from(MAX_ANNOUNCEMENTS).unwrap_or(i64::MAX);
        let rows: Vec<(String,)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(most).fetch_all(c).await)?;
        Ok(rows.into_iter().rev().map(|(text,)| text).collect())
    }
}

impl Write {
    /// Holds the company's key as it is until this transaction ends: nobody replaces it meanwhile, and
    /// what is read of it behind this call is what counts.
    pub async fn hold_signing_key(&mut self) -> Result<(), StoreError> {
        // A lock on the company's row that both databases know. SQLite has one writer in any case.
        const SQL: &str = "UPDATE companies SET created_at = created_at WHERE company_id = $1";
        on!(self.0, c => sqlx::query(SQL).bind(&self.0.company).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Puts a key in the place of the one in use, of which only that announcement is kept.
    pub async fn replace_signing_key(
        &mut self,
        announcement: &str,
        next: &SigningKey,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const RETIRE: &str = "UPDATE signing_keys SET secret = NULL, announcement = $2, \
            retired_at = $3 WHERE company_id = $1 AND retired_at IS NULL";
        const LAST: &str = "SELECT COALESCE(MAX(generation), 0) FROM signing_keys \
            WHERE company_id = $1";
        on!(self.0, c => sqlx::query(RETIRE).bind(&self.0.company).bind(announcement).bind(now_ms)
            .execute(c).await.map(drop))?;
        let (last,): (i64,) =
            on!(self.0, c => sqlx::query_as(LAST).bind(&self.0.company).fetch_one(c).await)?;
        self.insert_signing_key(last + 1, next, now_ms).await
    }

    /// Makes a key the one in use.
    pub(super) async fn insert_signing_key(
        &mut self,
        generation: i64,
        key: &SigningKey,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO signing_keys (company_id, generation, secret, created_at) \
            VALUES ($1, $2, $3, $4)";
        on!(self.0, c => sqlx::query(SQL).bind(&self.0.company).bind(generation)
            .bind(key.to_bytes().to_vec()).bind(now_ms).execute(c).await.map(drop))?;
        Ok(())
    }
}
