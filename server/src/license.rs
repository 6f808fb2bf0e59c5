//! Issuing licenses: the next serial, signed and kept in the transaction that made it necessary.

use ed25519_dalek::SigningKey;
use glasshour_license_format::{
    Claims, Employee as Licensee, Issuer, RetentionDays, SignError, sign,
};
use glasshour_protocol::LicenseId;
use jiff::Timestamp;
use uuid::Uuid;

use crate::AppState;
use crate::error::ApiError;
use crate::people;
use crate::store::{Company, Employee, License, Profile, Write};

/// What licenses are signed with: the company and its key, as they are in one transaction.
#[derive(Debug)]
pub(crate) struct Signing {
    company: Company,
    key_history: Vec<String>,
    notice: Option<String>,
    retention_days: Option<RetentionDays>,
}

impl Signing {
    /// Holds the key for the rest of the transaction.
    pub(crate) async fn begin(write: &mut Write) -> Result<Self, ApiError> {
        write.hold_signing_key().await?;
        Ok(Self {
            company: people::company(write).await?,
            key_history: write.key_history().await?,
            notice: people::company_settings(write).await?.notice,
            retention_days: retention(write).await?,
        })
    }
}

/// Issues an employee's next license, which supersedes the one before (rules 9 and 17).
///
/// What it says of the company, and the key, are those of this very transaction. Raises
/// `employee.serial` and stores the license; storing the employee is left to the caller.
pub(crate) async fn issue(
    state: &AppState,
    write: &mut Write,
    employee: &mut Employee,
    profile: &Profile,
    now_ms: i64,
) -> Result<(), ApiError> {
    let signing = Signing::begin(write).await?;
    let license = make(state, &signing, employee, profile, now_ms)?;
    write.insert_license(&license).await?;
    Ok(())
}

/// Makes an employee's next license and raises `employee.serial`; storing both is left to the caller.
pub(crate) fn make(
    state: &AppState,
    signing: &Signing,
    employee: &mut Employee,
    profile: &Profile,
    now_ms: i64,
) -> Result<License, ApiError> {
    let company = &signing.company;
    let claims = Claims {
        version: 1,
        license_id: LicenseId(Uuid::now_v7()),
        serial: employee.serial + 1,
        issued_at: Timestamp::from_millisecond(now_ms).map_err(ApiError::internal)?,
        not_before: None,
        expires_at: None,
        issuer: Issuer {
            company: company.name.clone(),
            company_id: company.company_id,
            server_url: state.server_url.to_string(),
            retention_days: signing.retention_days.clone(),
            privacy_contact: company.privacy_contact.clone(),
            key_history: signing.key_history.clone(),
        },
        employee: Licensee {
            employee_id: employee.employee_id,
            name: employee.name.clone(),
        },
        work_mode: employee.work_mode,
        default_project_id: Some(employee.project_id),
        notice: signing.notice.clone(),
        profile: profile.settings.clone(),
        unknown: std::collections::BTreeMap::new(),
    };
    signed(employee, claims, &company.signing_key)
}

/// Issues an employee's next license by the company's present key, which says what the last one said.
/// Returns false where there was none.
pub(crate) async fn renew(
    write: &mut Write,
    employee: &mut Employee,
    now_ms: i64,
) -> Result<bool, ApiError> {
    let Some(last) = write.current_license(employee.employee_id).await? else {
        return Ok(false);
    };
    let company = people::company(write).await?;
    let mut claims = last.claims;
    claims.license_id = LicenseId(Uuid::now_v7());
    claims.serial = employee.serial + 1;
    claims.issued_at = Timestamp::from_millisecond(now_ms).map_err(ApiError::internal)?;
    claims.issuer.key_history = write.key_history().await?;
    claims.issuer.retention_days = retention(write).await?;
    let license = signed(employee, claims, &company.signing_key).map_err(|mut error| {
        error.message = format!("The license of {}: {}", employee.name, error.message);
        error
    })?;
    write.insert_license(&license).await?;
    Ok(true)
}

/// How long the company keeps what; `None` where it sets no end to anything.
async fn retention(write: &mut Write) -> Result<Option<RetentionDays>, ApiError> {
    let days = write.retention().await?;
    Ok((days != RetentionDays::default()).then_some(days))
}

/// The claims as the employee's current license.
fn signed(employee: &mut Employee, claims: Claims, key: &SigningKey) -> Result<License, ApiError> {
    let file = sign(&claims, key).map_err(|error| refused(&error))?;
    employee.serial = claims.serial;
    Ok(License {
        license_id: claims.license_id,
        employee_id: employee.employee_id,
        serial: claims.serial,
        issued_at: claims.issued_at.as_millisecond(),
        claims,
        file,
        superseded_at: None,
    })
}

fn refused(error: &SignError) -> ApiError {
    match error {
        SignError::Invalid(invalid) => {
            let message = format!("No license can say this: {error}.");
            ApiError::invalid(invalid.field, message)
        }
        SignError::TooLarge => ApiError::invalid("profile", format!("{error}.")),
        SignError::KeyHistory(error) => ApiError::internal(error.to_string()),
    }
}
