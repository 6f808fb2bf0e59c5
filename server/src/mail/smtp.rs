//! One conversation with the mail server (RFC 5321), step by step, so that it is known afterwards whether
//! a mail can have been taken.
//!
//! Up to the moment its text goes out, whatever fails has sent nothing. From then on a lost answer means
//! that nobody knows: that is told apart, as only then a second try might arrive twice.

use std::path::Path;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};

use super::config::{Security, SmtpConfig};

/// How long one step may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// The mail server.
#[derive(Clone)]
pub struct Smtp {
    host: String,
    port: u16,
    security: Security,
    tls: TlsParameters,
    hello: ClientId,
    credentials: Option<Credentials>,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// Nothing was sent: the mail server cannot be reached, or refuses us.
    #[error("{0}")]
    Unreachable(String),
    /// Nothing was sent: the mail server says "later".
    #[error("{0}")]
    Later(String),
    /// Nothing was sent: the mail server refuses this mail.
    #[error("{0}")]
    Refused(String),
    /// The text went out and no answer came back.
    #[error("{0}")]
    Unknown(String),
    /// It is not to be sent any more.
    #[error("it was replaced")]
    Replaced,
}

/// A mail, ready to go.
#[derive(Debug)]
pub(super) struct Parcel<'a> {
    pub(super) from: &'a Address,
    pub(super) to: &'a Address,
    pub(super) text: &'a [u8],
}

impl Smtp {
    /// The mail server of a configuration; reads the certificate authority, and connects to nobody.
    pub async fn new(config: &SmtpConfig) -> anyhow::Result<Self> {
        let mut tls = TlsParametersBuilder::new(config.host.clone());
        if let Some(file) = &config.authority {
            tls = tls.add_root_certificate(authority(file).await?);
        }
        Ok(Self {
            host: config.host.clone(),
            port: config.port,
            security: config.security,
            tls: tls.build()?,
            hello: hello(&config.from.email),
            credentials: config
                .credentials
                .clone()
                .map(|(user, password)| Credentials::new(user, password)),
        })
    }

    /// Connects, logs in and says good-bye: what is wrong, in words.
    pub async fn check(&self) -> Result<(), String> {
        let mut connection = self.connect().await.map_err(|error| error.to_string())?;
        let _ = connection.quit().await;
        Ok(())
    }

    /// Connects, secures the connection and logs in.
    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let no = |what: &str| {
            let what = format!("{what} {}:{}", self.host, self.port);
            move |error: Error| SendError::Unreachable(format!("{what}: {}", in_words(&error)))
        };
        let wrapped = (self.security == Security::Tls).then(|| self.tls.clone());
        let place = (self.host.as_str(), self.port);
        let connect = AsyncSmtpConnection::connect_tokio1(
            place,
            Some(STEP_TIMEOUT),
            &self.hello,
            wrapped,
            None,
        );
        let mut connection = step(connect)
            .await?
            .map_err(no("no connection to the mail server"))?;
        if self.security == Security::StartTls {
            step(connection.starttls(self.tls.clone(), &self.hello))
                .await?
                .map_err(no("no STARTTLS with the mail server"))?;
        }
        if let Some(credentials) = &self.credentials {
            const KNOWN: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];
            step(connection.auth(KNOWN, credentials))
                .await?
                .map_err(no("no log-in at the mail server"))?;
        }
        Ok(connection)
    }
}

/// Sends one mail. `hand_over` is asked at the last moment before the text goes out; where it says no,
/// nothing goes out and the connection is of no use any more.
pub(super) async fn send(
    connection: &mut AsyncSmtpConnection,
    parcel: &Parcel<'_>,
    hand_over: impl AsyncFnOnce() -> Result<(), SendError>,
) -> Result<(), SendError> {
    let mut parameters = vec![];
    if !AsRef::<str>::as_ref(parcel.to).is_ascii() {
        if !connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight)
        {
            let why = "the mail server takes no address with letters beyond ASCII";
            return Err(SendError::Refused(why.to_owned()));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    step(connection.command(Mail::new(Some(parcel.from.clone()), parameters)))
        .await?
        .map_err(|error| not_taken(&error))?;
    step(connection.command(Rcpt::new(parcel.to.clone(), vec![])))
        .await?
        .map_err(|error| not_taken(&error))?;
    step(connection.command(Data))
        .await?
        .map_err(|error| not_taken(&error))?;
    hand_over().await?;
    let lost = || SendError::Unknown("no answer came back after the text was sent".to_owned());
    match tokio::time::timeout(STEP_TIMEOUT * 2, connection.message(parcel.text)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if error.status().is_some() => Err(not_taken(&error)),
        Ok(Err(_)) | Err(_) => Err(lost()),
    }
}

/// The time-out of the connection covers reads and writes; this one covers everything.
async fn step<T>(work: impl Future<Output = T>) -> Result<T, SendError> {
    tokio::time::timeout(STEP_TIMEOUT, work)
        .await
        .map_err(|_| SendError::Unreachable("the mail server does not answer".to_owned()))
}

/// What an answer to one mail means (RFC 5321, section 4.2.1): 5yz is final.
fn not_taken(error: &Error) -> SendError {
    let words = in_words(error);
    if error.is_permanent() {
        SendError::Refused(format!("the mail server refuses it: {words}"))
    } else {
        SendError::Later(format!("the mail server did not take it: {words}"))
    }
}

/// What the mail server said, or what went wrong, on one line.
fn in_words(error: &Error) -> String {
    use std::error::Error as _;
    let mut words = match (error.status(), error.source()) {
        (Some(code), Some(said)) => format!("{code} {said}"),
        (_, Some(cause)) => cause.to_string(),
        (_, None) => error.to_string(),
    };
    words.retain(|c| !c.is_control());
    words.truncate(words.floor_char_boundary(300));
    words
}

/// Who we are, to the mail server: the domain that mail comes from.
fn hello(from: &Address) -> ClientId {
    ClientId::Domain(from.domain().to_owned())
}

async fn authority(file: &Path) -> anyhow::Result<Certificate> {
    use anyhow::Context as _;
    let pem = tokio::fs::read(file)
        .await
        .with_context(|| format!("cannot read {}", file.display()))?;
    Certificate::from_pem(&pem)
        .with_context(|| format!("{} is not a PEM certificate", file.display()))
}
