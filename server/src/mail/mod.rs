//! Mail: what waits in the database is sent by SMTP, once.
//!
//! The queue is the `outbox` table; [`run`] looks at it every few seconds, as any number of servers may.
//! A mail is leased, its text made, and handed to the mail server; what the mail server does not take is
//! tried again later and later, for two days (`retry.rs`). Whatever happens, no mail is sent twice by
//! itself: see `worker.rs` and ADR 0016. No address and no text of a mail goes to the log.

mod config;
mod letter;
mod message;
mod retry;
mod smtp;
mod worker;

pub use config::{SmtpConfig, SmtpConfigError, SmtpFlags};
pub use smtp::Smtp;
pub use worker::{Mailer, Sent, run, send_due};
