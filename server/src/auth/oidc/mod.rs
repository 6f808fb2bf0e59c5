//! Single sign-on by OpenID Connect: the authorization code flow with PKCE (RFC 7636), `state` and `nonce`.
//!
//! One provider for a server. It stands in for the password and nothing else: a user must exist, be active,
//! and have the address that the provider has verified; a second factor of ours is asked for as ever.
//! What belongs to one log-in on its way lies in a cookie of the browser that began it, so any instance
//! can finish it.

mod id_token;
mod provider;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use glasshour_protocol::jws::{base64url, from_base64url};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::token::Secret;
use super::web::{self, Cookie};
use super::{LogIn, factor};
use crate::AppState;
use crate::error::ApiError;
use crate::store::{StoreError, User};

pub use provider::{Oidc, OidcConfig, OidcError};

/// How long a log-in may be on its way.
const ON_ITS_WAY_S: i64 = 600;
/// Where the provider sends people back to.
pub(crate) const CALLBACK: &str = "/login/sign-on/callback";

/// What the provider sends people back with.
#[derive(Debug, Default, Deserialize)]
pub struct Returned {
    /// The authorization code.
    #[serde(default)]
    code: Option<String>,
    /// As it was sent along.
    #[serde(default)]
    state: Option<String>,
    /// RFC 9207: who sent them back.
    #[serde(default)]
    iss: Option<String>,
    /// Why there is no code.
    #[serde(default)]
    error: Option<String>,
}

/// What a log-in on its way remembers.
struct OnItsWay {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
}

impl OnItsWay {
    fn to_cookie(&self) -> String {
        let next = base64url(self.next.as_bytes());
        format!("{}.{}.{}.{next}", self.state, self.nonce, self.verifier)
    }

    fn from_cookie(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let [state, nonce, verifier, next] = parts.as_slice() else {
            return None;
        };
        Some(Self {
            state: (*state).to_owned(),
            nonce: (*nonce).to_owned(),
            verifier: (*verifier).to_owned(),
            next: String::from_utf8(from_base64url(next).ok()?).ok()?,
        })
    }
}

fn oidc(state: &AppState) -> Result<&Oidc, ApiError> {
    let oidc = state.oidc.as_deref();
    oidc.ok_or_else(|| ApiError::not_found("page"))
}

fn redirect_uri(state: &AppState) -> String {
    format!("{}{CALLBACK}", state.server_url)
}

/// Begins: where to send the browser, and the `Set-Cookie` that goes with it.
pub async fn begin_sign_on(
    state: &AppState,
    next: &str,
) -> Result<(String, HeaderValue), ApiError> {
    let oidc = oidc(state)?;
    let provider = oidc.discover().await?;
    let random = || Secret::cookie().map(|secret| secret.expose().to_owned());
    let way = OnItsWay {
        state: random()?,
        nonce: random()?,
        verifier: random()?,
        next: next.to_owned(),
    };
    let challenge = base64url(&Sha256::digest(way.verifier.as_bytes()));
    let address = provider.authorization(&[
        ("response_type", "code"),
        ("client_id", oidc.client_id()),
        ("redirect_uri", &redirect_uri(state)),
        ("scope", "openid email profile"),
        ("state", &way.state),
        ("nonce", &way.nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ])?;
    let cookie = web::set_cookie(state, Cookie::SignOn, &way.to_cookie(), ON_ITS_WAY_S)?;
    Ok((address, cookie))
}

/// Finishes: checks what the provider sent back, and logs its person in as far as their second factor.
/// Returns also where they wanted to go.
pub async fn finish_sign_on(
    state: &AppState,
    returned: &Returned,
    headers: &HeaderMap,
) -> Result<(LogIn, String), ApiError> {
    let oidc = oidc(state)?;
    let over = || {
        ApiError::unauthenticated("This log-in took too long, or was begun elsewhere. Begin again.")
    };
    let way = web::cookie(state, Cookie::SignOn, headers).and_then(OnItsWay::from_cookie);
    let way = way.ok_or_else(over)?;
    let sent = returned.state.as_deref().unwrap_or_default();
    if !bool::from(sent.as_bytes().ct_eq(way.state.as_bytes())) {
        return Err(over());
    }
    if returned
        .iss
        .as_deref()
        .is_some_and(|iss| iss != oidc.issuer())
    {
        return Err(over());
    }
    let Some(code) = returned.code.as_deref() else {
        let why = returned.error.clone().unwrap_or_default();
        return Err(
            ApiError::unauthenticated("Your organisation's log-in did not let you in.")
                .with_source(format!("the provider answered {why:?}")),
        );
    };
    let provider = oidc.discover().await?;
    let tokens = oidc
        .redeem(&provider, code, &way.verifier, &redirect_uri(state))
        .await?;
    let keys = oidc.keys(&provider).await?;
    let expected = id_token::Expected {
        issuer: oidc.issuer(),
        client_id: oidc.client_id(),
        nonce: &way.nonce,
        now_s: state.clock.now_ms().div_euclid(1000),
    };
    let mut claims = id_token::verify(&tokens.id_token, &keys, &expected)
        .map_err(|error| refused().with_source(error))?;
    if claims.email.is_none() {
        let more = oidc.person(&provider, &tokens.access_token).await?;
        if more.sub != claims.sub {
            return Err(refused().with_source("the person is another than the token's"));
        }
        claims.email = more.email;
        claims.email_verified = more.email_verified;
    }
    let user = find_user(state, oidc.issuer(), &claims).await?;
    let done = if factor::owes(state, &user).await? {
        LogIn::Code(factor::ask(state, &user).await?)
    } else {
        LogIn::Done(Box::new(web::open_session(state, user, headers).await?))
    };
    Ok((done, way.next))
}

fn refused() -> ApiError {
    ApiError::unauthenticated(
        "What your organisation's log-in answered does not hold. Begin again; if it stays, tell whoever runs this server.",
    )
}

/// The active user that an account of the provider is: settled before, or by its verified address now.
async fn find_user(
    state: &AppState,
    issuer: &str,
    claims: &id_token::Claims,
) -> Result<User, ApiError> {
    let nobody = || {
        ApiError::new(
            StatusCode::FORBIDDEN,
            glasshour_protocol::code::FORBIDDEN,
            "Your organisation knows you, and this server does not. Ask your company to make you a user with \
             the same e-mail address.",
        )
    };
    if let Some(known) = state.db.find_sign_on(issuer, &claims.sub).await? {
        let user = state
            .read(known.company_id)
            .await?
            .user(&known.user_id)
            .await?;
        return user.filter(User::is_active).ok_or_else(nobody);
    }
    let email = claims
        .email
        .as_deref()
        .filter(|_| claims.email_verified == Some(true))
        .map(str::to_lowercase)
        .ok_or_else(nobody)?;
    let home = state.db.find_home(&email).await?.ok_or_else(nobody)?;
    let mut write = state.write(home).await?;
    let user = write.user_by_email(&email).await?;
    let user = user.filter(User::is_active).ok_or_else(nobody)?;
    if write.has_sign_on(&user.user_id, issuer).await? {
        // Another account of the provider has the address now.
        return Err(nobody());
    }
    let now_ms = state.clock.now_ms();
    write
        .insert_sign_on(&user.user_id, issuer, &claims.sub, now_ms)
        .await
        .map_err(|error| match error {
            StoreError::Taken { .. } => nobody(),
            other => other.into(),
        })?;
    write.commit().await?;
    Ok(user)
}
