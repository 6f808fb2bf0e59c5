//! Which mail server, as typed and as checked.
//!
//! `smtps://` is TLS from the first byte (port 465). `smtp://` is STARTTLS (port 587), without which
//! nothing is sent; only to this very machine it is plain (port 25), unless `?tls=required` is added.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use glasshour_words::Language;
use lettre::message::Mailbox;

/// The flags about mail, as typed.
#[derive(Args, Clone, Default)]
pub struct SmtpFlags {
    /// The mail server: `smtps://user@host` (TLS), `smtp://user@host` (STARTTLS) or `smtp://localhost`.
    /// Without it no mail is sent, and links are shown to be copied
    #[arg(
        long = "smtp",
        value_name = "URL",
        env = "GLASSHOUR_SMTP",
        hide_env_values = true
    )]
    pub url: Option<String>,
    /// A file with the password for the mail server; or set `GLASSHOUR_SMTP_PASSWORD`
    #[arg(
        long = "smtp-password-file",
        value_name = "FILE",
        env = "GLASSHOUR_SMTP_PASSWORD_FILE"
    )]
    pub password_file: Option<PathBuf>,
    /// Not for the command line, where others can read it.
    #[arg(
        long = "smtp-password",
        env = "GLASSHOUR_SMTP_PASSWORD",
        hide = true,
        hide_env_values = true
    )]
    pub password: Option<String>,
    /// Who the mail is from: `glasshour@acme.example` or `"Acme time" <time@acme.example>`
    #[arg(
        long = "mail-from",
        value_name = "ADDRESS",
        env = "GLASSHOUR_MAIL_FROM"
    )]
    pub from: Option<String>,
    /// One more certificate authority (PEM) that the mail server's certificate may come from
    #[arg(long = "smtp-ca", value_name = "FILE", env = "GLASSHOUR_SMTP_CA")]
    pub authority: Option<PathBuf>,
    /// The language of mail: `en` or `fr`
    #[arg(
        long = "mail-lang",
        value_name = "LANG",
        env = "GLASSHOUR_MAIL_LANG",
        default_value = "en"
    )]
    pub language: Language,
}

impl std::fmt::Debug for SmtpFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpFlags").finish_non_exhaustive()
    }
}

/// How the connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte.
    Tls,
    /// STARTTLS, or nothing is sent.
    StartTls,
    /// None: to this very machine alone.
    Plain,
}

/// The same, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpConfig {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<(String, String)>,
    pub(super) authority: Option<PathBuf>,
    pub(super) from: Mailbox,
    pub(super) language: Language,
}

impl std::fmt::Debug for SmtpConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

/// A flag about mail has a value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpConfigError {
    /// Not of a form that is known. What was typed may hold a password, so it is not repeated.
    #[error(
        "--smtp must be smtps://user@host[:port] (TLS), smtp://user@host[:port] (STARTTLS), or \
         smtp://localhost[:port]"
    )]
    Url,
    /// `?tls=none` to another machine.
    #[error(
        "--smtp would send mail and its links unencrypted to another machine: use smtps:// or smtp:// \
         with STARTTLS"
    )]
    Unencrypted,
    /// A password without a name, or a name without a password.
    #[error(
        "--smtp names a user and there is no password: give it with --smtp-password-file or \
         GLASSHOUR_SMTP_PASSWORD"
    )]
    NoPassword,
    /// A password for nobody.
    #[error("there is a password for the mail server and no user: write smtps://user@host")]
    NoUser,
    /// The file cannot be read.
    #[error("cannot read the password file {file}: {reason}")]
    PasswordFile {
        /// Which.
        file: String,
        /// Why.
        reason: String,
    },
    /// `--mail-from` is missing.
    #[error("--smtp needs --mail-from: the address that mail comes from")]
    NoSender,
    /// `--mail-from` is not an address.
    #[error("--mail-from must be an e-mail address, such as glasshour@acme.example")]
    Sender,
}

impl SmtpFlags {
    /// Checks the flags: `None` where no mail server is named.
    pub fn check(self) -> Result<Option<SmtpConfig>, SmtpConfigError> {
        let Some(url) = self.url else {
            return Ok(None);
        };
        let place = Place::parse(&url)?;
        let from = self.from.ok_or(SmtpConfigError::NoSender)?;
        let from = from.parse().map_err(|_| SmtpConfigError::Sender)?;
        let password = match (self.password_file, self.password) {
            (Some(file), _) => Some(read_password(&file)?),
            (None, password) => password.or(place.password),
        };
        let credentials = match (place.user, password) {
            (Some(user), Some(password)) => Some((user, password)),
            (Some(_), None) => return Err(SmtpConfigError::NoPassword),
            (None, Some(_)) => return Err(SmtpConfigError::NoUser),
            (None, None) => None,
        };
        Ok(Some(SmtpConfig {
            host: place.host,
            port: place.port,
            security: place.security,
            credentials,
            authority: self.authority,
            from,
            language: self.language,
        }))
    }
}

fn read_password(file: &std::path::Path) -> Result<String, SmtpConfigError> {
    let text = std::fs::read_to_string(file).map_err(|error| SmtpConfigError::PasswordFile {
        file: file.display().to_string(),
        reason: error.to_string(),
    })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// What the URL says.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    host: String,
    port: u16,
    security: Security,
    user: Option<String>,
    password: Option<String>,
}

impl Place {
    fn parse(url: &str) -> Result<Self, SmtpConfigError> {
        let wrong = || SmtpConfigError::Url;
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let (host, port) = host_and_port(place).ok_or_else(wrong)?;
        let is_here = host == "localhost"
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        let security = match (scheme, query) {
            ("smtps", "") => Security::Tls,
            ("smtp", "tls=required") => Security::StartTls,
            ("smtp", "") if !is_here => Security::StartTls,
            ("smtp", "" | "tls=none") if is_here => Security::Plain,
            ("smtp", "tls=none") => return Err(SmtpConfigError::Unencrypted),
            _ => return Err(wrong()),
        };
        let usual = match security {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::Plain => 25,
        };
        let (user, password) = match user {
            None => (None, None),
            Some(text) => match text.split_once(':') {
                None => (Some(text), None),
                Some((user, password)) => (Some(user), Some(password)),
            },
        };
        let decoded = |text: &str| decode(text).ok_or_else(wrong);
        Ok(Self {
            port: port.unwrap_or(usual),
            host,
            security,
            user: user.map(decoded).transpose()?,
            password: password.map(decoded).transpose()?,
        })
    }
}

fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        // An IPv6 address.
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            match port.strip_prefix(':') {
                None if port.is_empty() => (host, None),
                None => return None,
                port => (host, port),
            }
        }
        None => match text.split_once(':') {
            None => (text, None),
            Some((host, port)) => (host, Some(port)),
        },
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return None;
    }
    let port = port.map(str::parse).transpose().ok()?;
    Some((host.to_owned(), port.filter(|port| *port != 0)))
}

/// Undoes percent-encoding (RFC 3986, section 2.1).
fn decode(text: &str) -> Option<String> {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(url: &str) -> SmtpFlags {
        SmtpFlags {
            url: Some(url.into()),
            from: Some("\"Acme, time\" <time@acme.example>".into()),
            ..SmtpFlags::default()
        }
    }

    fn checked(url: &str) -> Result<SmtpConfig, SmtpConfigError> {
        flags(url).check().map(Option::unwrap)
    }

    #[test]
    fn the_scheme_says_how_the_connection_is_secured_and_only_here_it_may_be_plain() {
        let of = |url| {
            let config = checked(url)?;
            Ok((config.host, config.port, config.security))
        };
        let place = |host: &str, port, security| Ok((host.to_owned(), port, security));
        assert_eq!(
            of("smtps://a.example"),
            place("a.example", 465, Security::Tls)
        );
        assert_eq!(
            of("smtp://a.example"),
            place("a.example", 587, Security::StartTls)
        );
        assert_eq!(
            of("smtp://a.example:2525/"),
            place("a.example", 2525, Security::StartTls)
        );
        assert_eq!(
            of("smtp://localhost"),
            place("localhost", 25, Security::Plain)
        );
        assert_eq!(
            of("smtp://127.0.0.1:1025?tls=required"),
            place("127.0.0.1", 1025, Security::StartTls)
        );
        assert_eq!(
            of("smtp://[::1]:1025?tls=none"),
            place("::1", 1025, Security::Plain)
        );
        assert_eq!(
            of("smtp://a.example?tls=none"),
            Err(SmtpConfigError::Unencrypted)
        );
        for bad in [
            "a.example",
            "http://a.example",
            "smtp://",
            "smtp://a b",
            "smtp://a.example?tls=opportunistic",
            "smtps://a.example:0x",
            "smtp://[::1",
            "smtp://[::1]1",
        ] {
            assert_eq!(of(bad), Err(SmtpConfigError::Url), "{bad}");
        }
    }

    #[test]
    fn a_password_comes_from_a_file_the_environment_or_the_url_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "from the file\n").unwrap();
        let with = |url: &str, change: &dyn Fn(&mut SmtpFlags)| {
            let mut flags = flags(url);
            change(&mut flags);
            flags.check().map(|config| config.unwrap().credentials)
        };
        let jo = |password: &str| Ok(Some(("jo@x".to_owned(), password.to_owned())));
        assert_eq!(
            with("smtps://jo%40x@a.example", &|flags| {
                flags.password_file = Some(file.clone());
            }),
            jo("from the file")
        );
        assert_eq!(
            with("smtps://jo%40x@a.example", &|flags| {
                flags.password = Some("set".into());
            }),
            jo("set")
        );
        assert_eq!(
            with("smtps://jo%40x:in%3Aurl@a.example", &|_| {}),
            jo("in:url")
        );
        assert_eq!(
            with("smtps://jo@a.example", &|_| {}),
            Err(SmtpConfigError::NoPassword)
        );
        assert_eq!(
            with("smtps://a.example", &|flags| flags.password =
                Some("x".into())),
            Err(SmtpConfigError::NoUser)
        );
        let shown = format!("{:?}", checked("smtps://jo:secret@a.example").unwrap());
        assert!(!shown.contains("secret"), "{shown}");
        assert!(!format!("{:?}", flags("smtps://jo:secret@a.example")).contains("secret"));
    }

    #[test]
    fn mail_has_a_sender() {
        let with = |from: Option<&str>| {
            SmtpFlags {
                from: from.map(Into::into),
                ..flags("smtp://localhost")
            }
            .check()
        };
        assert_eq!(with(None), Err(SmtpConfigError::NoSender));
        assert_eq!(with(Some("acme")), Err(SmtpConfigError::Sender));
        assert!(with(Some("time@acme.example")).is_ok());
        assert_eq!(SmtpFlags::default().check(), Ok(None));
    }
}
