//! Employees have no account: their agent asks for a link with its device's key, and the link is exchanged
//! once, by a browser, for an hour of that one person's own days. Nothing else opens with it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use glasshour_protocol::{CompanyId, EmployeeId};

use super::token::{Secret, hash_token};
use super::web::cookie_of;
use crate::AppState;
use crate::error::{ApiError, LINK_EXPIRED};
use crate::store::{DayPass, Device, PassKind};

/// A link is opened at once, by the program that asked for it.
const LINK_MS: i64 = 60_000;
/// How long somebody may look.
const SESSION_MS: i64 = 3_600_000;

/// Makes a link for the person whose device asks; returns its token and until when it lives.
pub(crate) async fn day_link(
    state: &AppState,
    company_id: CompanyId,
    device: &Device,
) -> Result<(Secret, i64), ApiError> {
    let now_ms = state.clock.now_ms();
    let token = Secret::cookie()?;
    let pass = DayPass {
        company_id,
        employee_id: device.employee_id,
        device_id: device.device_id,
        expires_at: now_ms + LINK_MS,
    };
    let mut write = state.write(company_id).await?;
    write
        .insert_day_pass(PassKind::Link, &token.hash(), &pass, now_ms)
        .await?;
    write.commit().await?;
    Ok((token, pass.expires_at))
}

/// Exchanges a link: the value for `Set-Cookie`. A link that is over, used or unknown is worth nothing.
pub(crate) async fn exchange(state: &AppState, token: &str) -> Result<HeaderValue, ApiError> {
    let now_ms = state.clock.now_ms();
    let hash = hash_token(token);
    let found = state.db.find_day_pass(PassKind::Link, &hash).await?;
    let pass = found.filter(|pass| now_ms < pass.expires_at);
    let Some(pass) = pass else {
        return Err(worthless());
    };
    let session = Secret::cookie()?;
    let mut write = state.write(pass.company_id).await?;
    if !write.use_day_link(&hash).await? {
        return Err(worthless());
    }
    let pass = DayPass {
        expires_at: now_ms + SESSION_MS,
        ..pass
    };
    write
        .insert_day_pass(PassKind::Session, &session.hash(), &pass, now_ms)
        .await?;
    write.commit().await?;
    let secure = if state.is_https() { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
        cookie_name(state),
        session.expose(),
        SESSION_MS / 1000
    ))
    .map_err(ApiError::internal)
}

fn worthless() -> ApiError {
    ApiError::new(
        axum::http::StatusCode::GONE,
        LINK_EXPIRED,
        "A link to your day works once and for a minute. Choose \u{201c}Open my day\u{201d} in Glasshour's menu \
         again.",
    )
}

/// The person who looks at their own days.
#[derive(Clone, Debug)]
pub(crate) struct OwnDays {
    pub(crate) company_id: CompanyId,
    pub(crate) employee_id: EmployeeId,
}

impl FromRequestParts<AppState> for OwnDays {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let refused = || {
            ApiError::unauthenticated(
                "Your own day opens from Glasshour's menu (\u{201c}Open my day\u{201d}) or by `glasshour day`, and \
                 stays open for an hour.",
            )
        };
        let pass = living(state, &parts.headers).await?.ok_or_else(refused)?;
        // What opened it must still be trusted.
        let mut read = state.read(pass.company_id).await?;
        let device = read.device(pass.device_id).await?;
        device
            .filter(|device| device.revoked_at.is_none())
            .ok_or_else(refused)?;
        Ok(Self {
            company_id: pass.company_id,
            employee_id: pass.employee_id,
        })
    }
}

async fn living(state: &AppState, headers: &HeaderMap) -> Result<Option<DayPass>, ApiError> {
    let Some(token) = cookie_of(headers, cookie_name(state)) else {
        return Ok(None);
    };
    let hash = hash_token(token);
    let found = state.db.find_day_pass(PassKind::Session, &hash).await?;
    let now_ms = state.clock.now_ms();
    Ok(found.filter(|pass| now_ms < pass.expires_at))
}

fn cookie_name(state: &AppState) -> &'static str {
    if state.is_https() {
        "__Host-glasshour-day"
    } else {
        "glasshour-day"
    }
}
