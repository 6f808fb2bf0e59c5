//! Whoever sends the mail that is due.
//!
//! Each mail is leased first, so that several servers on one database share the work. Right before its
//! text goes out that is noted (`hand_over`), and the answer after it. Where the answer is lost, or the
//! server dies between the two, nobody knows whether the mail arrived: it is set aside as failed, and a
//! person may send it again. So nothing is ever sent twice by itself (ADR 0016).

use std::str::FromStr as _;
use std::time::Duration;

use glasshour_protocol::EmployeeId;
use glasshour_words::Words;
use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::config::SmtpConfig;
use super::letter::{Enclosed, Letter};
use super::message::{self, Cover, File};
use super::retry::next_try_ms;
use super::smtp::{self, Parcel, SendError, Smtp};
use crate::AppState;
use crate::error::ApiError;
use crate::people;
use crate::store::{DueMail, MailTemplate, StoreError};

/// How long a mail is leased: longer than all steps of a conversation together.
const LEASE_MS: i64 = 10 * 60_000;
/// Mails in one turn.
const TURN: u32 = 50;
/// How often is looked for mail that is due.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The same while the mail server cannot be reached.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long mail that was sent or failed stays in the list.
const KEEP_MS: i64 = 90 * 24 * 3_600_000;
/// How often older mail is forgotten.
const FORGET_EVERY_MS: i64 = 24 * 3_600_000;

/// What a person reads of a mail whose answer was lost.
const UNKNOWN: &str = "whether it arrived is not known: the connection or the server broke off while \
    it was on its way. Ask the recipient, and send it again if it did not.";

/// The mail server, and how we write.
#[derive(Clone, Debug)]
pub struct Mailer {
    smtp: Smtp,
    from: Mailbox,
    words: Words,
}

impl Mailer {
    /// A mailer of a configuration; connects to nobody.
    pub async fn new(config: &SmtpConfig) -> anyhow::Result<Self> {
        Ok(Self {
            smtp: Smtp::new(config).await?,
            from: config.from.clone(),
            words: Words::new(config.language),
        })
    }

    /// The mail server.
    pub fn smtp(&self) -> &Smtp {
        &self.smtp
    }
}

/// Sends what is due, until it is told to end.
pub async fn run(state: AppState, mailer: Mailer, end: CancellationToken) {
    let mut forgotten_at = 0;
    loop {
        let pause = match send_due(&state, &mailer, &end).await {
            Ok(Sent {
                reachable: true, ..
            }) => LOOK_EVERY,
            Ok(_) => PATIENCE,
            Err(error) => {
                tracing::error!(cause = %error, "mail is not sent: the database does not answer");
                PATIENCE
            }
        };
        let now_ms = state.clock.now_ms();
        if now_ms - forgotten_at >= FORGET_EVERY_MS {
            forgotten_at = now_ms;
            if let Err(error) = forget(&state, now_ms - KEEP_MS).await {
                tracing::error!(cause = %error, "old mail is not forgotten");
            }
        }
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn forget(state: &AppState, before_ms: i64) -> Result<(), StoreError> {
    for company in state.db.companies(u32::MAX).await? {
        let mut write = state.write(company).await?;
        write.forget_mail(before_ms).await?;
        write.commit().await?;
    }
    Ok(())
}

/// What came of a look at the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Mails that the mail server took.
    pub taken: u64,
    /// False: it could not be reached, and the rest of what is due waits.
    pub reachable: bool,
}

/// Sends what is due now. A mail that has begun is brought to its end, whatever `end` says.
pub async fn send_due(
    state: &AppState,
    mailer: &Mailer,
    end: &CancellationToken,
) -> Result<Sent, StoreError> {
    let mut sent = Sent {
        taken: 0,
        reachable: true,
    };
    loop {
        let due = state.db.due_mail(state.clock.now_ms(), TURN).await?;
        if due.is_empty() {
            return Ok(sent);
        }
        let mut connection = None;
        for mail in due {
            if end.is_cancelled() || !sent.reachable {
                return Ok(sent);
            }
            let turn = Turn {
                state,
                mailer,
                mail,
                leased_until: state.clock.now_ms() + LEASE_MS,
            };
            turn.take(&mut connection, &mut sent).await?;
        }
        if let Some(mut connection) = connection {
            let _ = tokio::time::timeout(LOOK_EVERY, connection.quit()).await;
        }
    }
}

/// One mail, this time.
struct Turn<'a> {
    state: &'a AppState,
    mailer: &'a Mailer,
    mail: DueMail,
    leased_until: i64,
}

impl Turn<'_> {
    /// Sends it, and notes what became of it.
    async fn take(
        mut self,
        connection: &mut Option<AsyncSmtpConnection>,
        sent: &mut Sent,
    ) -> Result<(), StoreError> {
        let mut write = self.state.write(self.mail.company_id).await?;
        if !write.lease_mail(&self.mail, self.leased_until).await? {
            return Ok(());
        }
        write.commit().await?;
        self.mail.attempts += 1;
        if self.mail.handed_at.is_some() {
            // Its lease has run out, and nobody noted an answer.
            let lost = SendError::Unknown(UNKNOWN.to_owned());
            return self.settle(Err(lost)).await;
        }
        let result = match self.write_up().await {
            Ok(text) => self.send(connection, &text).await,
            Err(error) => Err(error),
        };
        if result.is_err() {
            // The next mail begins a conversation of its own.
            if let Some(mut broken) = connection.take() {
                let _ = tokio::time::timeout(LOOK_EVERY, broken.abort()).await;
            }
        }
        sent.taken += u64::from(result.is_ok());
        sent.reachable = !matches!(result, Err(SendError::Unreachable(_)));
        self.settle(result).await
    }

    /// The text, as it goes out.
    async fn write_up(&self) -> Result<Vec<u8>, SendError> {
        let to = self.to()?;
        let license = match self.mail.template {
            MailTemplate::License => Some(self.license().await?),
            _ => None,
        };
        let enclosed = license
            .as_ref()
            .map(|(license, file_name)| Enclosed { license, file_name });
        let letter = Letter::of(
            &self.mail,
            enclosed.as_ref(),
            &self.state.server_url,
            self.mailer.words,
        );
        let file = license.as_ref().map(|(license, name)| File {
            name,
            bytes: &license.file,
        });
        let cover = Cover {
            from: &self.mailer.from,
            to: &to,
            mail_id: &self.mail.mail_id,
            created_at_ms: self.mail.created_at,
        };
        message::bytes(&cover, &letter, file.as_ref())
            .map_err(|error| SendError::Refused(format!("it cannot be written: {error}")))
    }

    fn to(&self) -> Result<Address, SendError> {
        Address::from_str(&self.mail.to_address).map_err(|_| {
            SendError::Refused("no mail can go to this address. Correct it.".to_owned())
        })
    }

    /// The license that counts now, which may be a newer one than when the mail was queued.
    async fn license(&self) -> Result<(crate::store::License, String), SendError> {
        let missing = || SendError::Refused("there is no license to send any more.".to_owned());
        let id: EmployeeId = self.mail.subject_id.parse().map_err(|_| missing())?;
        let later = |error: ApiError| {
            if error.status.is_server_error() {
                SendError::Later(error.message)
            } else {
                SendError::Refused(error.message)
            }
        };
        let found = people::license_file(self.state, self.mail.company_id, id).await;
        let (employee, license) = found.map_err(later)?;
        if !employee.active {
            let why = format!("{} is not active any more.", employee.name);
            return Err(SendError::Refused(why));
        }
        Ok((license, people::license_file_name(&employee)))
    }

    async fn send(
        &self,
        connection: &mut Option<AsyncSmtpConnection>,
        text: &[u8],
    ) -> Result<(), SendError> {
        let to = self.to()?;
        let parcel = Parcel {
            from: &self.mailer.from.email,
            to: &to,
            text,
        };
        let open = match connection {
            Some(open) => open,
            None => connection.insert(self.mailer.smtp.connect().await?),
        };
        smtp::send(open, &parcel, async || self.hand_over().await).await
    }

    /// Notes that the text goes out now.
    async fn hand_over(&self) -> Result<(), SendError> {
        let note = async {
            let mut write = self.state.write(self.mail.company_id).await?;
            let now_ms = self.state.clock.now_ms();
            let mine = write
                .hand_over_mail(&self.mail.mail_id, self.leased_until, now_ms)
                .await?;
            write.commit().await?;
            Ok::<bool, StoreError>(mine)
        };
        match note.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(SendError::Replaced),
            Err(error) => Err(SendError::Later(error.to_string())),
        }
    }

    /// Notes what became of it.
    async fn settle(&self, result: Result<(), SendError>) -> Result<(), StoreError> {
        let now_ms = self.state.clock.now_ms();
        let id = &self.mail.mail_id;
        let template = self.mail.template.as_str();
        let tries = self.mail.attempts;
        let mut write = self.state.write(self.mail.company_id).await?;
        let failed = match result {
            Ok(()) => {
                tracing::info!(template, tries, "a mail was sent");
                write.mail_was_sent(id, now_ms).await?;
                None
            }
            Err(SendError::Replaced) => None,
            Err(SendError::Unreachable(why) | SendError::Later(why)) => {
                let next = next_try_ms(tries, self.mail.created_at, now_ms);
                tracing::warn!(template, tries, "a mail is not sent yet");
                match next {
                    Some(next) => {
                        write.retry_mail(id, next, &why).await?;
                        None
                    }
                    None => Some(format!("{why}. It was tried for two days.")),
                }
            }
            Err(SendError::Refused(why)) => Some(why),
            Err(SendError::Unknown(_)) => Some(UNKNOWN.to_owned()),
        };
        if let Some(why) = failed {
            tracing::warn!(template, tries, "a mail failed");
            write.fail_mail(id, &why).await?;
            let params = json!({"to": self.mail.to_address, "template": template, "reason": why});
            let notice = Uuid::now_v7().to_string();
            write.tell_owners_of_mail(&notice, &params, now_ms).await?;
        }
        write.commit().await
    }
}
