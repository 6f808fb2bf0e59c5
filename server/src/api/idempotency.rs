//! `Idempotency-Key`: a script that does not know whether its request arrived sends it again under the same
//! key, and nothing is made twice (draft-ietf-httpapi-idempotency-key-header).
//!
//! It holds for every POST of somebody known. The first request runs to its end even where the caller has gone,
//! and its answer is kept for a day if it made something; the same request again gets that answer. What is kept
//! is sealed with the key itself, of which the database has only a hash: an answer may hold a link or a token.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use glasshour_protocol::jws::sha256_hex;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};

use super::extract::too_large;
use crate::AppState;
use crate::asker;
use crate::auth::{Actor, Who};
use crate::error::{ApiError, IDEMPOTENCY_KEY_REUSED, REQUEST_RUNS};
use crate::people::MAX_SHEET_BYTES;
use crate::store::KeyedRequest;

/// The request header.
pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is the one of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long an answer is kept.
const KEPT_MS: i64 = 24 * 3_600_000;
/// After that a request that has not ended never will: longer than any may take.
const LOST_AFTER_MS: i64 = 5 * 60_000;
/// Largest body of a request and of an answer.
const MAX_BYTES: usize = 2 * MAX_SHEET_BYTES;

/// Length of a key: a random UUID has 36.
const KEY_CHARS: std::ops::RangeInclusive<usize> = 16..=255;

/// Middleware of the API.
pub(super) async fn keep(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    match keyed(&state, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn keyed(state: &AppState, request: Request, next: Next) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let actor: Option<Actor> = Option::<Actor>::from_request_parts(&mut parts, state).await?;
    let Some(actor) = actor else {
        // A device or a stranger: the handler says what it thinks of that.
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let key = read_key(&parts)?;
    let body = to_bytes(body, MAX_BYTES).await.map_err(|_| too_large())?;
    let keyed = Keyed {
        state: state.clone(),
        seal: Seal::of(&actor, &key),
        company_id: actor.company_id,
    };
    if let Some(before) = keyed.begin(&request_hash(&parts, &body)).await? {
        return keyed.again(&before, &request_hash(&parts, &body));
    }
    parts.extensions.insert(actor);
    let request = Request::from_parts(parts, Body::from(body));
    // Brought to its end whether anybody still waits for it or not: that is what the key is for.
    let work = tokio::spawn(asker::carry(async move {
        let response = next.run(request).await;
        keyed.end(response).await
    }));
    work.await.map_err(ApiError::internal)?
}

fn read_key(parts: &Parts) -> Result<String, ApiError> {
    let mut all = parts.headers.get_all(KEY).iter();
    let key = all.next().and_then(|value| value.to_str().ok());
    let plain = key.filter(|key| {
        KEY_CHARS.contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    match (plain, all.next()) {
        (Some(key), None) => Ok(key.to_owned()),
        _ => Err(ApiError::invalid(
            "Idempotency-Key",
            "`Idempotency-Key` must be one value of 16 to 255 visible ASCII characters, such as a random UUID.",
        )),
    }
}

fn request_hash(parts: &Parts, body: &Bytes) -> String {
    let query = parts.uri.query().unwrap_or_default();
    sha256_hex(&joined(&[
        parts.uri.path().as_bytes(),
        query.as_bytes(),
        body,
    ]))
}

/// Parts that cannot run into each other: none but the last has a zero in it.
fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&0)
}

/// What a key is worth: where its answer stands, and what opens it.
struct Seal {
    key_hash: String,
    secret: [u8; 32],
}

impl Seal {
    /// Of two people with the same key each has their own.
    fn of(actor: &Actor, key: &str) -> Self {
        let who = match &actor.who {
            Who::Token { id, .. } => format!("token {id}"),
            Who::User { user, .. } => format!("user {} {}", user.company_id, user.user_id),
        };
        let company = actor.company_id.to_string();
        let of = |purpose: &str| {
            joined(&[
                purpose.as_bytes(),
                company.as_bytes(),
                who.as_bytes(),
                key.as_bytes(),
            ])
        };
        Self {
            key_hash: sha256_hex(&of("glasshour idempotency place")),
            secret: Sha256::digest(of("glasshour idempotency seal")).into(),
        }
    }

    fn cipher(&self) -> Result<LessSafeKey, ApiError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.secret);
        key.map(LessSafeKey::new).map_err(|_| broken())
    }

    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, ApiError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|error| ApiError::internal(error.to_string()))?;
        let mut sealed = plain.to_vec();
        self.cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(self.key_hash.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| broken())?;
        Ok([nonce.as_slice(), sealed.as_slice()].concat())
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, ApiError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
        let mut sealed = sealed.to_vec();
        let plain = self
            .cipher()?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(self.key_hash.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| broken())?;
        Ok(plain.to_vec())
    }
}

fn broken() -> ApiError {
    ApiError::internal("an answer that was kept cannot be sealed or opened")
}

struct Keyed {
    state: AppState,
    seal: Seal,
    company_id: glasshour_protocol::CompanyId,
}

impl Keyed {
    async fn begin(&self, request_hash: &str) -> Result<Option<KeyedRequest>, ApiError> {
        let now_ms = self.state.clock.now_ms();
        let mut write = self.state.write(self.company_id).await?;
        let before = write
            .begin_keyed(&self.seal.key_hash, request_hash, now_ms, now_ms - KEPT_MS)
            .await?;
        write.commit().await?;
        Ok(before)
    }

    /// The answer to a request that came before.
    fn again(&self, before: &KeyedRequest, request_hash: &str) -> Result<Response, ApiError> {
        if before.request_hash != request_hash {
            let message = "This `Idempotency-Key` was used for another request. Use a new one.";
            let error = ApiError::invalid("Idempotency-Key", message);
            return Err(ApiError {
                code: IDEMPOTENCY_KEY_REUSED,
                ..error
            });
        }
        let (Some(status), Some(answer)) = (before.status, &before.answer) else {
            let lost = self.state.clock.now_ms() - before.created_at > LOST_AFTER_MS;
            let message = if lost {
                "The first request under this `Idempotency-Key` was cut off, and whether it was done is not \
                 known. Look, and use a new key."
            } else {
                "The first request under this `Idempotency-Key` still runs. Ask again in a few seconds."
            };
            return Err(ApiError::not_now(REQUEST_RUNS, message));
        };
        let plain = self.seal.open(answer)?;
        let (kind, body) = split(&plain).ok_or_else(broken)?;
        let status = u16::try_from(status)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok())
            .ok_or_else(broken)?;
        let mut response = (status, body.to_vec()).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        if !kind.is_empty() {
            let kind = HeaderValue::from_bytes(kind).map_err(ApiError::internal)?;
            headers.insert(header::CONTENT_TYPE, kind);
        }
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(response)
    }

    /// Keeps an answer that made something; forgets the request otherwise, as nothing is to be had twice.
    async fn end(&self, response: Response) -> Result<Response, ApiError> {
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, MAX_BYTES)
            .await
            .map_err(ApiError::internal)?;
        let mut write = self.state.write(self.company_id).await?;
        if parts.status.is_success() {
            let kind = parts.headers.get(header::CONTENT_TYPE);
            let kind = kind.map(HeaderValue::as_bytes).unwrap_or_default();
            let plain = [kind, b"\n".as_slice(), &*body].concat();
            let sealed = self.seal.seal(&plain)?;
            write
                .end_keyed(&self.seal.key_hash, parts.status.as_u16(), &sealed)
                .await?;
        } else {
            write.drop_keyed(&self.seal.key_hash).await?;
        }
        write.commit().await?;
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

/// The content type and the body of what was kept.
fn split(plain: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = plain.iter().position(|byte| *byte == b'\n')?;
    let (kind, rest) = plain.split_at(end);
    Some((kind, rest.get(1..)?))
}
