//! Messages through the desktop's own notification service.
//!
//! The service may be missing, may start on demand, and may hang: each call is given
//! [`PATIENCE`], on a thread of its own. Text is shown as text: where the service reads markup, it is
//! escaped.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use notify_rust::{Hint, Notification, Timeout, Urgency};

use super::question::Question;
use crate::platform::{Message, Notifier, Picked, Unavailable};
use crate::tray::Action;

/// How long the service may take to start and to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the desktop calls us: the name of the program, of its icon and of its desktop entry.
const APPLICATION: &str = "Glasshour";
const ICON: &str = "glasshour";

/// The notification service of this session.
pub(super) struct DesktopNotifier {
    reads_markup: bool,
    offers_answers: bool,
    question: Option<Question>,
}

impl DesktopNotifier {
    /// Asks the service what it can do, which also tells whether there is one.
    pub(super) fn open() -> Result<Self, Unavailable> {
        let capabilities = patiently(notify_rust::get_capabilities)?;
        Ok(Self {
            reads_markup: capabilities.iter().any(|c| c == "body-markup"),
            offers_answers: capabilities.iter().any(|c| c == "actions"),
            question: None,
        })
    }
}

impl DesktopNotifier {
    fn body(&self, message: &Message) -> String {
        if self.reads_markup {
            escape(&message.body)
        } else {
            message.body.clone()
        }
    }
}

impl Notifier for DesktopNotifier {
    fn ask(
        &mut self,
        message: &Message,
        choices: Vec<(Action, String)>,
        picked: Picked,
    ) -> Result<(), Unavailable> {
        if !self.offers_answers {
            return self.notify(message);
        }
        // The one before goes first.
        self.question = None;
        let body = self.body(message);
        let names = (APPLICATION, ICON);
        self.question = Some(Question::put(
            names,
            (&message.title, &body),
            choices,
            picked,
        )?);
        Ok(())
    }

    fn notify(&mut self, message: &Message) -> Result<(), Unavailable> {
        let body = self.body(message);
        let (urgency, timeout) = if message.important {
            (Urgency::Critical, Timeout::Never)
        } else {
            (Urgency::Normal, Timeout::Default)
        };
        let mut notification = Notification::new();
        notification
            .appname(APPLICATION)
            .icon(ICON)
            .hint(Hint::DesktopEntry(ICON.to_owned()))
            .summary(&message.title)
            .body(&body)
            .urgency(urgency)
            .timeout(timeout);
        patiently(move || notification.show().map(drop))
    }
}

/// Runs a call to the service, but does not wait for it for ever.
fn patiently<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, notify_rust::error::Error> + Send + 'static,
) -> Result<T, Unavailable> {
    let (answer, answered) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("notification".to_owned())
        .spawn(move || {
            // Nobody listens any more where the answer comes too late.
            let _ = answer.send(call());
        })
        .map_err(|cause| no_service(&cause.to_string()))?;
    match answered.recv_timeout(PATIENCE) {
        Ok(outcome) => outcome.map_err(|cause| no_service(&cause.to_string())),
        Err(RecvTimeoutError::Timeout) => Err(no_service("no answer in ten seconds")),
        Err(RecvTimeoutError::Disconnected) => Err(no_service("the call broke off")),
    }
}

fn no_service(cause: &str) -> Unavailable {
    Unavailable::Gone(format!(
        "the desktop shows no notifications ({cause}); start a notification service such as \
         xfce4-notifyd or dunst in this session"
    ))
}

/// The markup of notification bodies is a small subset of HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
