//! The key that signs a company's licenses: made, and replaced by the next one.

use ed25519_dalek::SigningKey;
use glasshour_license_format::succession::announce;
use glasshour_protocol::CompanyId;
use glasshour_protocol::jws::thumbprint;
use jiff::Timestamp;
use serde::Serialize;

use super::company;
use crate::AppState;
use crate::auth::{Actor, Object, Verb, forbidden};
use crate::error::ApiError;
use crate::license;
use crate::store::{CompanyRole, Db};

/// What a change of the key has done.
#[derive(Clone, Debug, Serialize)]
pub struct Rotated {
    /// Whose key it is.
    pub company_id: CompanyId,
    /// Its name.
    pub company: String,
    /// Fingerprint of the key that went.
    pub former_key: String,
    /// Fingerprint of the key that came.
    pub key: String,
    /// What the key that went has signed.
    pub announcement: String,
    /// How many licenses were issued anew.
    pub licenses: usize,
}

/// A new signing key.
pub(crate) fn new_key() -> Result<SigningKey, getrandom::Error> {
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed)?;
    Ok(SigningKey::from_bytes(&seed))
}

/// Whether the asker may replace the company's key: its owner alone, as a person.
pub fn may_replace_key(actor: &Actor) -> Result<(), ApiError> {
    actor.may(Verb::Change, Object::Company)?;
    if actor.user()?.role == CompanyRole::Owner {
        Ok(())
    } else {
        Err(forbidden())
    }
}

/// Replaces the key of the asker's company.
pub async fn replace_key(state: &AppState, actor: &Actor) -> Result<Rotated, ApiError> {
    may_replace_key(actor)?;
    rotate_key(&state.db, actor.company_id, state.clock.now_ms()).await
}

/// Replaces a company's signing key. The new one is announced by the one that goes, and every active
/// employee gets a license of the next serial that says what the last one said (as in rule 17), so that
/// agents fetch it by themselves. All of it happens, or none.
pub async fn rotate_key(db: &Db, company_id: CompanyId, now_ms: i64) -> Result<Rotated, ApiError> {
    let next = new_key().map_err(|error| ApiError::internal(error.to_string()))?;
    let mut write = db.write(company_id).await?;
    write.hold_signing_key().await?;
    let company = company(&mut write).await?;
    let former = company.signing_key.verifying_key();
    let now = Timestamp::from_millisecond(now_ms).map_err(ApiError::internal)?;
    let announcement = announce(company_id, &company.signing_key, &next.verifying_key(), now);
    write
        .replace_signing_key(&announcement, &next, now_ms)
        .await?;
    let mut licenses = 0;
    for mut employee in write.active_employees().await? {
        if license::renew(&mut write, &mut employee, now_ms).await? {
            employee.updated_at = now_ms;
            write.update_employee(&employee).await?;
            licenses += 1;
        }
    }
    write.commit().await?;
    Ok(Rotated {
        company_id,
        company: company.name,
        former_key: thumbprint(&former),
        key: thumbprint(&next.verifying_key()),
        announcement,
        licenses,
    })
}
