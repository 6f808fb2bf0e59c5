//! What `serve` was told, as typed and as checked.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use crate::mail::{SmtpConfig, SmtpConfigError, SmtpFlags};
use crate::setup;
use crate::state::SignUp;

/// The flags of `serve`, as typed.
#[derive(Args, Clone, Debug)]
pub struct RawConfig {
    /// The data folder that `init` made
    #[arg(long, value_name = "DIR", env = "GLASSHOUR_DATA")]
    data: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDR",
        env = "GLASSHOUR_LISTEN",
        default_value = "127.0.0.1:8080"
    )]
    listen: SocketAddr,
    /// PostgreSQL instead of the file in the data folder: `postgres://user@host/name`
    #[arg(
        long,
        value_name = "URL",
        env = "GLASSHOUR_DATABASE",
        hide_env_values = true
    )]
    database: Option<String>,
    /// Where the pictures lie: `file:///folder`; by default in the data folder
    #[arg(long, value_name = "URL", env = "GLASSHOUR_OBJECTS")]
    objects: Option<String>,
    /// Where agents and people reach this server: `https://host[:port]`. Needed where `--listen`
    /// does not tell, as 0.0.0.0
    #[arg(long, value_name = "URL", env = "GLASSHOUR_PUBLIC_URL")]
    public_url: Option<String>,
    /// A reverse proxy that is believed about who asks (`X-Forwarded-For`); may be given several times
    #[arg(
        long,
        value_name = "ADDR",
        env = "GLASSHOUR_TRUSTED_PROXY",
        value_delimiter = ','
    )]
    trusted_proxy: Vec<IpAddr>,
    /// Records a second that one device may send, ten seconds' worth at once; 0: no limit
    #[arg(
        long,
        value_name = "N",
        env = "GLASSHOUR_DEVICE_RATE",
        default_value_t = 300
    )]
    device_rate: u32,
    /// Requests a second that one address may send, ten seconds' worth at once; 0: no limit. This
    /// computer itself has none
    #[arg(
        long,
        value_name = "N",
        env = "GLASSHOUR_ADDRESS_RATE",
        default_value_t = 1000
    )]
    address_rate: u32,
    /// Certificate chain (PEM): the server then talks TLS itself
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        env = "GLASSHOUR_TLS_CERT"
    )]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_cert",
        env = "GLASSHOUR_TLS_KEY"
    )]
    tls_key: Option<PathBuf>,
    /// Who may make an account by themself. Users that a company makes, and people who follow an
    /// invitation's link, need no sign-up
    #[arg(long, value_enum, default_value_t = SignUp::Invited, env = "GLASSHOUR_SIGN_UP")]
    sign_up: SignUp,
    #[command(flatten)]
    smtp: SmtpFlags,
    /// Let people log in by this provider too (OpenID Connect): its issuer, exactly as it names itself
    #[arg(
        long,
        value_name = "URL",
        requires = "oidc_client_id",
        env = "GLASSHOUR_OIDC_ISSUER"
    )]
    oidc_issuer: Option<String>,
    /// What this server is called there. Its redirect address is `/login/sign-on/callback` behind
    /// `--public-url`
    #[arg(
        long,
        value_name = "ID",
        requires = "oidc_issuer",
        env = "GLASSHOUR_OIDC_CLIENT_ID"
    )]
    oidc_client_id: Option<String>,
    /// A file with the client's secret; without it the client is a public one
    #[arg(
        long,
        value_name = "FILE",
        requires = "oidc_issuer",
        env = "GLASSHOUR_OIDC_CLIENT_SECRET_FILE"
    )]
    oidc_client_secret_file: Option<PathBuf>,
    /// A file with the token by which a monitoring system reads `/metrics`. Without it only this very machine
    /// may, where no proxy stands in between
    #[arg(long, value_name = "FILE", env = "GLASSHOUR_METRICS_TOKEN_FILE")]
    metrics_token_file: Option<PathBuf>,
}

/// The same, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// PostgreSQL, where it is not the file.
    pub database: Option<String>,
    /// The folder of pictures.
    pub objects: PathBuf,
    /// The origin written into licenses, where it was given.
    pub public_url: Option<String>,
    /// The proxies that are believed about who asks.
    pub trusted_proxies: Vec<IpAddr>,
    /// Records a second of one device.
    pub device_rate: u32,
    /// Requests a second of one address.
    pub address_rate: u32,
    /// Certificate and key files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Who may make an account by themself.
    pub sign_up: SignUp,
    /// Who carries the mail; `None`: no mail is sent.
    pub smtp: Option<SmtpConfig>,
    /// The provider that people log in by: issuer, client id, and the file of its secret.
    pub oidc: Option<(String, String, Option<PathBuf>)>,
    /// By what a monitoring system may read the metrics.
    pub metrics_token: Option<String>,
}

/// A flag has a value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// `--public-url`.
    #[error(
        "--public-url must be an origin such as https://time.acme.example, without a path: {0}"
    )]
    PublicUrl(String),
    /// `--listen` without `--public-url`.
    #[error(
        "agents cannot reach {0}: say with --public-url where they find this server, such as https://time.acme.example"
    )]
    Unreachable(SocketAddr),
    /// `--database`.
    #[error("--database must begin with postgres://")]
    Database,
    /// `--objects`.
    #[error("--objects must be file:/// and an absolute folder")]
    Objects,
    /// `--metrics-token-file`.
    #[error("--metrics-token-file {file}: {reason}")]
    MetricsToken {
        /// Which.
        file: String,
        /// Why not.
        reason: String,
    },
    /// The flags about mail.
    #[error(transparent)]
    Smtp(#[from] SmtpConfigError),
}

impl TryFrom<RawConfig> for Config {
    type Error = ConfigError;

    fn try_from(raw: RawConfig) -> Result<Self, ConfigError> {
        if raw.listen.ip().is_unspecified() && raw.public_url.is_none() {
            return Err(ConfigError::Unreachable(raw.listen));
        }
        let postgres =
            |url: &str| url.starts_with("postgres://") || url.starts_with("postgresql://");
        if raw.database.as_deref().is_some_and(|url| !postgres(url)) {
            return Err(ConfigError::Database);
        }
        let objects = match raw.objects {
            None => setup::objects_folder(&raw.data),
            Some(url) => objects_folder(&url)?,
        };
        Ok(Self {
            objects,
            data: raw.data,
            listen: raw.listen,
            database: raw.database,
            public_url: raw.public_url.map(origin).transpose()?,
            trusted_proxies: raw.trusted_proxy,
            device_rate: raw.device_rate,
            address_rate: raw.address_rate,
            tls: raw.tls_cert.zip(raw.tls_key),
            sign_up: raw.sign_up,
            smtp: raw.smtp.check()?,
            oidc: raw
                .oidc_issuer
                .zip(raw.oidc_client_id)
                .map(|(issuer, id)| (issuer, id, raw.oidc_client_secret_file)),
            metrics_token: raw.metrics_token_file.as_deref().map(token).transpose()?,
        })
    }
}

/// The token in a file: one line of at least 16 characters.
fn token(file: &std::path::Path) -> Result<String, ConfigError> {
    let wrong = |reason: String| ConfigError::MetricsToken {
        file: file.display().to_string(),
        reason,
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let token = text.trim();
    let plain = token.len() >= 16 && token.bytes().all(|byte| byte.is_ascii_graphic());
    if plain {
        Ok(token.to_owned())
    } else {
        Err(wrong(
            "a token is one line of at least 16 characters".to_owned(),
        ))
    }
}

/// The folder that `--objects` names.
pub(crate) fn objects_folder(url: &str) -> Result<PathBuf, ConfigError> {
    match url.strip_prefix("file://") {
        Some(folder) if folder.starts_with('/') => Ok(PathBuf::from(folder)),
        _ => Err(ConfigError::Objects),
    }
}

impl Config {
    /// The origin written into licenses, for the address that was bound.
    pub fn server_url(&self, bound: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("{scheme}://{bound}"))
    }
}

fn origin(url: String) -> Result<String, ConfigError> {
    let origin = url.trim_end_matches('/');
    let host = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    let plain = host.is_some_and(|host| {
        !host.is_empty()
            && !host.contains(|c: char| "/?#@\\".contains(c) || c.is_whitespace() || c.is_control())
    });
    if plain {
        Ok(origin.to_owned())
    } else {
        Err(ConfigError::PublicUrl(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> RawConfig {
        RawConfig {
            data: "/data".into(),
            listen: "127.0.0.1:8080".parse().unwrap(),
            database: None,
            objects: None,
            public_url: None,
            trusted_proxy: Vec::new(),
            device_rate: 300,
            address_rate: 1000,
            tls_cert: None,
            tls_key: None,
            sign_up: SignUp::Invited,
            smtp: SmtpFlags::default(),
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret_file: None,
            metrics_token_file: None,
        }
    }

    #[test]
    fn the_url_in_licenses_follows_from_the_address_unless_nobody_could_reach_it() {
        let config = Config::try_from(raw()).unwrap();
        assert_eq!(
            config.server_url("127.0.0.1:4711".parse().unwrap()),
            "http://127.0.0.1:4711"
        );
        let any = RawConfig {
            listen: "0.0.0.0:80".parse().unwrap(),
            ..raw()
        };
        assert!(matches!(
            Config::try_from(any.clone()),
            Err(ConfigError::Unreachable(_))
        ));
        let named = RawConfig {
            public_url: Some("https://time.acme.example/".into()),
            ..any
        };
        let config = Config::try_from(named).unwrap();
        assert_eq!(
            config.server_url("0.0.0.0:80".parse().unwrap()),
            "https://time.acme.example"
        );
    }

    #[test]
    fn a_public_url_is_an_origin() {
        for bad in [
            "time.acme.example",
            "ftp://x",
            "https://",
            "https://x/y",
            "https://a@b",
        ] {
            let raw = RawConfig {
                public_url: Some(bad.into()),
                ..raw()
            };
            assert!(
                matches!(Config::try_from(raw), Err(ConfigError::PublicUrl(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn pictures_lie_in_the_data_folder_unless_told_otherwise() {
        assert_eq!(
            Config::try_from(raw()).unwrap().objects,
            PathBuf::from("/data/objects")
        );
        let elsewhere = RawConfig {
            objects: Some("file:///pictures".into()),
            ..raw()
        };
        assert_eq!(
            Config::try_from(elsewhere).unwrap().objects,
            PathBuf::from("/pictures")
        );
        let bad = RawConfig {
            objects: Some("ftp://x".into()),
            ..raw()
        };
        assert_eq!(Config::try_from(bad), Err(ConfigError::Objects));
    }
}
