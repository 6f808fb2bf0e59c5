//! Devices authenticate with short-lived tokens signed by a key that only they hold.

use axum::http::{HeaderMap, StatusCode};
use ed25519_dalek::VerifyingKey;
use glasshour_protocol::device::{TokenError, token_claim, verify_token};
use glasshour_protocol::jws::Jwk;
use glasshour_protocol::{CompanyId, DeviceId, code};

use super::extract::bearer;
use crate::error::ApiError;
use crate::store::{AskerKind, Device, Read};
use crate::{AppState, asker};

/// A device token as it arrived: nothing is verified but that it names a device.
#[derive(Clone, Debug)]
pub struct DeviceToken {
    token: String,
    /// The device it claims to be from.
    pub device_id: DeviceId,
    /// The company it claims to be for: where the device is looked up. A device of one company is
    /// unknown to every other.
    pub company_id: CompanyId,
}

impl DeviceToken {
    /// Finds the token in the request's headers.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, ApiError> {
        let refused = || ApiError::unauthenticated("Send a token signed by the device's key.");
        let token = bearer(headers).ok_or_else(refused)?;
        let (device_id, company_id) =
            token_claim(token).map_err(|error| refused().with_source(error))?;
        Ok(Self {
            token: token.to_owned(),
            device_id,
            company_id,
        })
    }

    /// Checks that the holder of that key signed it for that company just now.
    pub fn verify(&self, state: &AppState, key: &VerifyingKey) -> Result<(), ApiError> {
        let now_s = state.clock.now_ms().div_euclid(1000);
        verify_token(&self.token, key, self.device_id, self.company_id, now_s).map_err(|error| {
            let code = match error {
                TokenError::Expired => code::TOKEN_EXPIRED,
                TokenError::Jws(_) | TokenError::Audience => code::UNAUTHENTICATED,
            };
            ApiError::new(StatusCode::UNAUTHORIZED, code, error.to_string())
        })
    }
}

/// The enrolled, unrevoked device that sent the request, with its key. `read` is bound to the token's
/// company.
pub async fn authenticate_device(
    state: &AppState,
    read: &mut Read,
    token: &DeviceToken,
) -> Result<(Device, VerifyingKey), ApiError> {
    let device = read.device(token.device_id).await?.ok_or_else(|| {
        ApiError::new(
            StatusCode::UNAUTHORIZED,
            code::DEVICE_UNKNOWN,
            "This device is not enrolled here. Enrol it with its license first.",
        )
    })?;
    let jwk = Jwk {
        kty: "OKP".into(),
        crv: "Ed25519".into(),
        x: device.public_key.clone(),
    };
    let key = jwk.to_key().map_err(ApiError::internal)?;
    token.verify(state, &key)?;
    if device.revoked_at.is_some() {
        return Err(revoked());
    }
    asker::is(
        AskerKind::Device,
        device.device_id.to_string(),
        device.host_name.clone(),
    );
    Ok((device, key))
}

/// 403 `device_revoked`.
pub(crate) fn revoked() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        code::DEVICE_REVOKED,
        "This device was revoked. Ask your employer if that is not right.",
    )
}
