//! Enrolment and authentication of devices.
//!
//! A device makes its own Ed25519 key and id on first load of a license, so that it can record
//! before it has ever reached the server. `POST /api/v1/devices` (idempotent) makes the server know
//! both. From then on every request carries `Authorization: Bearer` + a short-lived JWT (RFC 7519)
//! signed by that key: the server keeps no secret of any device.

use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::ids::{CompanyId, DeviceId, EmployeeId, ProjectId};
use crate::jws::{self, ALG, Jwk, JwsError};
use crate::limits::{CLOCK_LEEWAY_SECONDS, MAX_DEVICE_TOKEN_SECONDS};

/// Body of `POST /api/v1/devices`. The request carries a device token signed by the new key: proof
/// that the sender holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollRequest {
    /// Chosen by the device.
    pub device_id: DeviceId,
    /// The device's public key.
    pub public_key: Jwk,
    /// The whole `.license.gz`, standard base64.
    pub license_gz: String,
    /// The machine's name, as the administrator knows it.
    pub host_name: String,
    /// The operating-system user.
    pub os_user: String,
    /// `linux`, `windows` or `macos`, and what it is in detail.
    pub platform: String,
    /// The agent's version.
    pub agent_version: String,
}

/// Answer to enrolment and to `GET /api/v1/device`: what the agent needs to know to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceState {
    /// The device.
    pub device_id: DeviceId,
    /// Its company.
    pub company_id: CompanyId,
    /// Its employee.
    pub employee_id: EmployeeId,
    /// Whether the employee is Active (rule 8).
    pub employee_active: bool,
    /// Serial of the employee's current license; above the loaded one's: it was superseded.
    pub current_serial: u64,
    /// What the employee can track on, by name.
    pub projects: Vec<Project>,
    /// The server's clock, UTC milliseconds.
    pub server_time_ms: i64,
}

/// A project or department, as the agent's menu shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its id.
    pub project_id: ProjectId,
    /// Its name.
    pub name: String,
    /// `#rrggbb`.
    pub color: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenHeader {
    alg: String,
    typ: String,
    kid: DeviceId,
}

#[derive(Serialize, Deserialize)]
struct TokenClaims {
    iss: DeviceId,
    aud: CompanyId,
    iat: i64,
    exp: i64,
}

/// Why a device token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Malformed, or not signed by that device.
    #[error("the device token: {0}")]
    Jws(#[from] JwsError),
    /// Too old, from the future, or made to live too long.
    #[error("the device token has expired, or the device's clock is wrong")]
    Expired,
    /// For another company.
    #[error("the device token is for another company")]
    Audience,
}

/// Makes a token that lives for [`MAX_DEVICE_TOKEN_SECONDS`] from `now_s` (seconds since 1970, by
/// the server's clock as far as the device knows it).
pub fn sign_token(key: &SigningKey, device: DeviceId, company: CompanyId, now_s: i64) -> String {
    let header = encode(&TokenHeader {
        alg: ALG.into(),
        typ: "JWT".into(),
        kid: device,
    });
    let claims = encode(&TokenClaims {
        iss: device,
        aud: company,
        iat: now_s,
        exp: now_s + MAX_DEVICE_TOKEN_SECONDS,
    });
    let signature = jws::sign(key, &jws::signing_input(&header, &claims));
    format!("{header}.{claims}.{signature}")
}

fn encode(part: &impl Serialize) -> String {
    jws::base64url(&serde_json::to_vec(part).expect("plain data with string keys"))
}

/// Which device a token claims to be from, and for which company. Nothing is verified: it only tells
/// where to look up whose key.
pub fn token_claim(token: &str) -> Result<(DeviceId, CompanyId), TokenError> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims)) = (parts.next(), parts.next()) else {
        return Err(JwsError::Structure.into());
    };
    let device = read_header(header)?.kid;
    Ok((device, read_claims(claims)?.aud))
}

fn read_claims(part: &str) -> Result<TokenClaims, JwsError> {
    serde_json::from_slice(&jws::from_base64url(part)?).map_err(|_| JwsError::Structure)
}

fn read_header(part: &str) -> Result<TokenHeader, JwsError> {
    let header: TokenHeader =
        serde_json::from_slice(&jws::from_base64url(part)?).map_err(|_| JwsError::Structure)?;
    if header.alg != ALG {
        return Err(JwsError::Algorithm);
    }
    Ok(header)
}

/// Verifies a token: signature, device, company, and that `now_s` lies within its short life.
pub fn verify_token(
    token: &str,
    key: &VerifyingKey,
    device: DeviceId,
    company: CompanyId,
    now_s: i64,
) -> Result<(), TokenError> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(JwsError::Structure.into());
    };
    let read = read_header(header)?;
    jws::verify(key, &jws::signing_input(header, claims), signature)?;
    let claims = read_claims(claims)?;
    if read.kid != device || claims.iss != device {
        return Err(JwsError::Signature.into());
    }
    if claims.aud != company {
        return Err(TokenError::Audience);
    }
    let alive = claims.iat <= now_s.saturating_add(CLOCK_LEEWAY_SECONDS)
        && now_s < claims.exp
        && claims.exp.saturating_sub(claims.iat) <= MAX_DEVICE_TOKEN_SECONDS;
    if alive {
        Ok(())
    } else {
        Err(TokenError::Expired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const DEVICE: DeviceId = DeviceId(Uuid::from_u128(1));
    const COMPANY: CompanyId = CompanyId(Uuid::from_u128(2));

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[3; 32])
    }

    #[test]
    fn a_token_is_good_for_five_minutes_and_not_before() {
        let token = sign_token(&key(), DEVICE, COMPANY, 1000);
        let verify = |now| verify_token(&token, &key().verifying_key(), DEVICE, COMPANY, now);
        assert_eq!(token_claim(&token), Ok((DEVICE, COMPANY)));
        assert_eq!(verify(1000), Ok(()));
        assert_eq!(verify(1299), Ok(()));
        assert_eq!(verify(1300), Err(TokenError::Expired));
        assert_eq!(verify(1000 - CLOCK_LEEWAY_SECONDS), Ok(()));
        assert_eq!(verify(999 - CLOCK_LEEWAY_SECONDS), Err(TokenError::Expired));
    }

    #[test]
    fn a_token_is_for_one_device_company_and_key() {
        let token = sign_token(&key(), DEVICE, COMPANY, 1000);
        let good = key().verifying_key();
        let other_key = SigningKey::from_bytes(&[4; 32]).verifying_key();
        let other_device = DeviceId(Uuid::from_u128(9));
        let other_company = CompanyId(Uuid::from_u128(9));
        assert_eq!(
            verify_token(&token, &other_key, DEVICE, COMPANY, 1000),
            Err(TokenError::Jws(JwsError::Signature))
        );
        assert_eq!(
            verify_token(&token, &good, other_device, COMPANY, 1000),
            Err(TokenError::Jws(JwsError::Signature))
        );
        assert_eq!(
            verify_token(&token, &good, DEVICE, other_company, 1000),
            Err(TokenError::Audience)
        );
    }

    #[test]
    fn the_algorithms_none_and_hs256_are_refused() {
        for alg in ["none", "HS256"] {
            let header = jws::base64url(
                format!(r#"{{"alg":"{alg}","typ":"JWT","kid":"{DEVICE}"}}"#).as_bytes(),
            );
            let token = format!("{header}.e30.");
            assert_eq!(
                token_claim(&token),
                Err(TokenError::Jws(JwsError::Algorithm))
            );
        }
    }
}
