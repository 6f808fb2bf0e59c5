//! HTTP to one server: the requests an agent makes, with time-outs on everything.
//!
//! Tokens are signed by the server's clock as far as its `Date` header lets us know it, so that a
//! machine whose clock is wrong can still deliver.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use glasshour_protocol::device::{self, DeviceState, EnrollRequest};
use glasshour_protocol::limits::MAX_DEVICE_TOKEN_SECONDS;
use glasshour_protocol::record::{HEADER_RECORD, HEADER_SIGNATURE};
use glasshour_protocol::withdrawal::HEADER_WITHDRAWN;
use glasshour_protocol::{CompanyId, ErrorBody, code};
use reqwest::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use reqwest::{Certificate, Proxy, RequestBuilder, Response};

use super::verdict::{Verdict, sort};
use super::{SenderConfig, pace};
use crate::spool::{DeviceIdentity, Leased};

const CONNECT: Duration = Duration::from_secs(10);
/// For a whole request; a 16 MiB record over 1.2 Mbit/s fits.
const REQUEST: Duration = Duration::from_mins(2);
/// Largest answer that is read.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// The wall clock, injected.
pub trait Wall: Send + Sync {
    /// UTC milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// The same for holds, by a clock that nobody sets where there is one.
    fn holds_ms(&self) -> i64 {
        self.now_ms()
    }
}

/// Why a sender could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The license's server address cannot be used.
    #[error("the server address {0:?} in the license cannot be used")]
    Url(String),
    /// What the administrator says of a proxy.
    #[error("the proxy {0:?} cannot be used: it is to look like http://proxy.acme.example:3128")]
    Proxy(String),
    /// What the administrator says of further authorities.
    #[error("the file of certificate authorities is not PEM, or has no certificate in it")]
    Authorities,
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls(#[source] reqwest::Error),
}

/// Cheap to clone: clones share connections and what is known of the server's clock.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    origin: Arc<str>,
    identity: DeviceIdentity,
    company: CompanyId,
    wall: Arc<dyn Wall>,
    /// Server's clock minus ours, milliseconds.
    clock_offset_ms: Arc<AtomicI64>,
    clock_is_known: Arc<AtomicBool>,
}

impl Client {
    pub(super) fn new(config: &SenderConfig) -> Result<Self, BuildError> {
        let origin = config.server_url.trim_end_matches('/');
        let bad_url = || BuildError::Url(config.server_url.clone());
        let url = reqwest::Url::parse(origin).map_err(|_| bad_url())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(bad_url());
        }
        // A second provider of the same process is not an error: the first one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder();
        // Without TLS every proxy could read along, and a proxy's loopback is not this computer's.
        if url.scheme() == "http" {
            http = http.no_proxy();
        } else if let Some(proxy) = &config.line.proxy {
            let proxy = Proxy::https(proxy).map_err(|_| BuildError::Proxy(proxy.clone()))?;
            http = http.no_proxy().proxy(proxy);
        }
        if let Some(pem) = &config.line.authorities {
            let authorities = Certificate::from_pem_bundle(pem);
            let authorities = authorities.ok().filter(|found| !found.is_empty());
            http = http.tls_certs_merge(authorities.ok_or(BuildError::Authorities)?);
        }
        let http = http
            .user_agent(&config.user_agent)
            .connect_timeout(CONNECT)
            .timeout(REQUEST)
            .pool_max_idle_per_host(pace::MOST)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .build()
            .map_err(BuildError::Tls)?;
        Ok(Self {
            http,
            origin: origin.into(),
            identity: config.identity.clone(),
            company: config.company_id,
            wall: config.wall.clone(),
            clock_offset_ms: Arc::new(AtomicI64::new(0)),
            clock_is_known: Arc::default(),
        })
    }

    /// `POST /api/v1/devices`.
    pub(super) async fn enroll(&self, body: &EnrollRequest) -> Result<DeviceState, Verdict> {
        let answer = self
            .send(|| {
                self.http
                    .post(format!("{}/api/v1/devices", self.origin))
                    .json(body)
            })
            .await?;
        read_json(answer).await
    }

    /// `GET /api/v1/device`.
    pub(super) async fn device_state(&self) -> Result<DeviceState, Verdict> {
        let answer = self
            .send(|| self.http.get(format!("{}/api/v1/device", self.origin)))
            .await?;
        read_json(answer).await
    }

    /// `GET /api/v1/license`: the file of the employee's current license.
    pub(super) async fn license(&self) -> Result<Vec<u8>, Verdict> {
        let answer = self
            .send(|| self.http.get(format!("{}/api/v1/license", self.origin)))
            .await?;
        read_capped(answer).await
    }

    /// `POST /api/v1/device/day-link`: an address on this very server, to be opened in a browser.
    pub(super) async fn day_link(&self) -> Result<String, Verdict> {
        #[derive(serde::Deserialize)]
        struct DayLink {
            url: String,
        }
        let asked = format!("{}/api/v1/device/day-link", self.origin);
        let answer = self.send(|| self.http.post(&asked)).await?;
        let DayLink { url } = read_json(answer).await?;
        // Whatever is opened on this computer is the employer's own server, and nothing else.
        if !url.starts_with(&format!("{}/", self.origin)) {
            return Err(Verdict::Retry {
                after: None,
                why: "The server answered with an address that is not its own.".into(),
            });
        }
        Ok(url)
    }

    /// `PUT /api/v1/records/{record_id}`: `Ok` once the server has it durably.
    pub(super) async fn put(&self, record: &Leased) -> Result<(), Verdict> {
        let url = format!("{}/api/v1/records/{}", self.origin, record.record_id);
        let answer = self
            .send(|| {
                let request = self
                    .http
                    .put(&url)
                    .header(HEADER_RECORD, record.header.to_wire())
                    .header(HEADER_SIGNATURE, &record.header.signature)
                    .header(CONTENT_TYPE, &record.content_type)
                    .body(record.payload.clone());
                match &record.withdrawn {
                    Some(withdrawal) => request.header(HEADER_WITHDRAWN, withdrawal),
                    None => request,
                }
            })
            .await?;
        let receipt: glasshour_protocol::Receipt = read_json(answer).await?;
        if receipt.record_id != record.record_id {
            return Err(Verdict::Retry {
                after: None,
                why: "The server answered with the receipt of another record.".into(),
            });
        }
        Ok(())
    }

    /// Sends a request with a fresh token; once more if the token's time was off.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, Verdict> {
        let mut second_try = false;
        loop {
            let answer = request()
                .bearer_auth(self.token())
                .send()
                .await
                .map_err(|error| Verdict::Retry {
                    after: None,
                    why: explain(&error),
                })?;
            self.learn_clock(&answer);
            if answer.status().is_success() {
                return Ok(answer);
            }
            let status = answer.status().as_u16();
            let retry_after = answer
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned);
            let body = read_capped(answer).await?;
            let token_expired = serde_json::from_slice::<ErrorBody>(&body)
                .is_ok_and(|error| error.code == code::TOKEN_EXPIRED);
            if token_expired && !second_try {
                second_try = true;
                continue;
            }
            return Err(sort(
                status,
                retry_after.as_deref(),
                &body,
                self.server_now_ms() / 1000,
            ));
        }
    }

    fn token(&self) -> String {
        // A few seconds in the past, so that a clock that is slightly ahead does no harm.
        let now_s = self.server_now_ms() / 1000 - 5;
        device::sign_token(
            &self.identity.key,
            self.identity.device_id,
            self.company,
            now_s,
        )
    }

    fn server_now_ms(&self) -> i64 {
        self.wall
            .now_ms()
            .saturating_add(self.clock_offset_ms.load(Ordering::Relaxed))
    }

    /// Small differences are noise of the second-grained `Date`; large ones would break tokens.
    fn learn_clock(&self, answer: &Response) {
        let date = answer
            .headers()
            .get(DATE)
            .and_then(|value| value.to_str().ok());
        let Some(server) = date.and_then(|value| httpdate::parse_http_date(value).ok()) else {
            return;
        };
        let Ok(server) = server.duration_since(std::time::UNIX_EPOCH) else {
            return;
        };
        let server_ms = i64::try_from(server.as_millis()).unwrap_or(i64::MAX);
        let offset = server_ms.saturating_sub(self.wall.now_ms());
        let large = offset.abs() > MAX_DEVICE_TOKEN_SECONDS * 1000 / 10;
        self.clock_offset_ms
            .store(if large { offset } else { 0 }, Ordering::Relaxed);
        self.clock_is_known.store(true, Ordering::Relaxed);
    }

    /// What is known of the server's clock.
    pub(super) fn clock_offset_ms(&self) -> Option<i64> {
        let known = self.clock_is_known.load(Ordering::Relaxed);
        known.then(|| self.clock_offset_ms.load(Ordering::Relaxed))
    }
}

async fn read_json<T: serde::de::DeserializeOwned>(answer: Response) -> Result<T, Verdict> {
    let body = read_capped(answer).await?;
    serde_json::from_slice(&body).map_err(|_| Verdict::Retry {
        after: None,
        why: "The server's answer is not that of a Glasshour server. Is the address right, and \
              does a proxy or a log-in page stand in between?"
            .into(),
    })
}

async fn read_capped(mut answer: Response) -> Result<Vec<u8>, Verdict> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => {
                return Err(Verdict::Retry {
                    after: None,
                    why: "The server's answer is too long to be that of a Glasshour server.".into(),
                });
            }
            Err(error) => {
                return Err(Verdict::Retry {
                    after: None,
                    why: explain(&error),
                });
            }
        }
    }
}

/// A network error in a sentence, without the URL (it names the record).
fn explain(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "The server did not answer in time."
    } else if error.is_connect() {
        "The server cannot be reached."
    } else {
        "The connection to the server broke."
    };
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("{what} ({cause})")
}
