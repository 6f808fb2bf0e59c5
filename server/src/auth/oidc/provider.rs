//! The provider as it describes itself, and the four requests that a log-in makes to it.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::id_token::Keys;
use crate::error::ApiError;

const CONNECT: Duration = Duration::from_secs(5);
const REQUEST: Duration = Duration::from_secs(15);
/// Largest answer of a provider.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Which provider, and as what this server is known to it.
#[derive(Clone, PartialEq, Eq)]
pub struct OidcConfig {
    /// The issuer's address, exactly as its tokens name it.
    pub issuer: String,
    /// The client's id there.
    pub client_id: String,
    /// The client's secret there; `None`: a public client.
    pub client_secret: Option<String>,
}

impl std::fmt::Debug for OidcConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OidcConfig({})", self.issuer)
    }
}

/// The provider cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// Not an address that may be trusted.
    #[error("--oidc-issuer must be an https address, or http on this computer: {0}")]
    Issuer(String),
    /// TLS cannot be set up.
    #[error("cannot set up TLS for the log-in provider")]
    Tls(#[source] reqwest::Error),
}

/// The provider that people log in by.
#[derive(Debug)]
pub struct Oidc {
    config: OidcConfig,
    http: reqwest::Client,
}

/// What the provider says of itself (OpenID Connect Discovery, section 3).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Provider {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
}

/// What a code is worth.
#[derive(Clone, Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    #[serde(default)]
    pub(super) access_token: String,
}

/// What the provider tells of a person when it is asked.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Person {
    pub(super) sub: String,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) email_verified: Option<bool>,
}

impl Oidc {
    /// Checks the configuration. Nothing is asked of the provider before somebody logs in, so that this
    /// server starts without it.
    pub fn new(config: OidcConfig) -> Result<Self, OidcError> {
        let bad = || OidcError::Issuer(config.issuer.clone());
        let url = Url::parse(&config.issuer).map_err(|_| bad())?;
        if !may_be_trusted(&url) {
            return Err(bad());
        }
        // A second provider of the same process is not an error: the first one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder();
        if url.scheme() == "http" {
            http = http.no_proxy();
        }
        let http = http
            .user_agent(concat!("glasshour-server/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(REQUEST)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .build()
            .map_err(OidcError::Tls)?;
        Ok(Self { config, http })
    }

    /// The issuer, as its tokens name it.
    pub(super) fn issuer(&self) -> &str {
        &self.config.issuer
    }

    pub(super) fn client_id(&self) -> &str {
        &self.config.client_id
    }

    /// Asks the provider where its parts are.
    pub(super) async fn discover(&self) -> Result<Provider, ApiError> {
        let base = self.config.issuer.trim_end_matches('/');
        let address = format!("{base}/.well-known/openid-configuration");
        let provider: Provider = self.ask(self.http.get(address)).await?;
        if provider.issuer != self.config.issuer {
            return Err(away(format!(
                "the provider calls itself {:?}, not {:?}",
                provider.issuer, self.config.issuer
            )));
        }
        let parts = [
            &provider.authorization_endpoint,
            &provider.token_endpoint,
            &provider.jwks_uri,
        ];
        let trusted = |address: &String| Url::parse(address).is_ok_and(|url| may_be_trusted(&url));
        if !parts
            .into_iter()
            .chain(&provider.userinfo_endpoint)
            .all(trusted)
        {
            return Err(away("a part of the provider is not on https"));
        }
        Ok(provider)
    }

    /// Changes an authorization code for tokens (RFC 6749, section 4.1.3, with RFC 7636, section 4.5).
    pub(super) async fn redeem(
        &self,
        provider: &Provider,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<Tokens, ApiError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut request = self.http.post(&provider.token_endpoint);
        match &self.config.client_secret {
            Some(secret) => {
                // RFC 6749, section 2.3.1: both are encoded as in a form first.
                request =
                    request.basic_auth(encoded(&self.config.client_id), Some(encoded(secret)));
            }
            None => form.push(("client_id", &self.config.client_id)),
        }
        let body: Vec<String> = form
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"));
        self.ask(request).await
    }

    /// The provider's keys, as they are now.
    pub(super) async fn keys(&self, provider: &Provider) -> Result<Keys, ApiError> {
        self.ask(self.http.get(&provider.jwks_uri)).await
    }

    /// Asks who the person is, where the token does not say.
    pub(super) async fn person(
        &self,
        provider: &Provider,
        access_token: &str,
    ) -> Result<Person, ApiError> {
        let address = provider.userinfo_endpoint.as_deref();
        let address = address.ok_or_else(|| away("the provider tells no address"))?;
        self.ask(self.http.get(address).bearer_auth(access_token))
            .await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, ApiError> {
        let mut answer = request
            .send()
            .await
            .map_err(|error| away(error.without_url()))?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| away(error.without_url()))?
        {
            if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(away("an answer without end"));
            }
            bytes.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(away(format!("the provider answered {status}")));
        }
        serde_json::from_slice(&bytes).map_err(away)
    }
}

impl Provider {
    /// Where people log in, with what goes along.
    pub(super) fn authorization(&self, with: &[(&str, &str)]) -> Result<String, ApiError> {
        let mut url = Url::parse(&self.authorization_endpoint).map_err(away)?;
        url.query_pairs_mut().extend_pairs(with);
        Ok(url.into())
    }
}

/// Over TLS, or on this very computer.
fn may_be_trusted(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")),
        _ => false,
    }
}

/// Percent-encodes all but what is plain (RFC 3986, section 2.3).
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// 503: the provider is not to be had, or does not answer as one.
fn away(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ApiError {
    let mut error = ApiError::busy();
    error.message = "Your organisation's log-in cannot be reached. Try again in a moment, or log in with a password.".into();
    error.with_source(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oidc(issuer: &str) -> Result<Oidc, OidcError> {
        Oidc::new(OidcConfig {
            issuer: issuer.into(),
            client_id: "glasshour".into(),
            client_secret: Some("secret".into()),
        })
    }

    #[test]
    fn a_provider_is_on_https_or_on_this_computer() {
        for good in [
            "https://id.example",
            "http://127.0.0.1:4000/x",
            "http://localhost",
        ] {
            assert!(oidc(good).is_ok(), "{good}");
        }
        for bad in ["http://id.example", "ftp://id.example", "id.example", ""] {
            assert!(matches!(oidc(bad), Err(OidcError::Issuer(_))), "{bad}");
        }
        assert!(!format!("{:?}", oidc("https://id.example").unwrap()).contains("secret"));
    }
}
