//! A message with answers to pick from, by the desktop's notification service.
//!
//! It stays until it is answered or closed, and listens on a connection of its own. One at a time: the next
//! question takes the place of the last.

use std::collections::HashMap;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::message::Type;
use zbus::zvariant::Value;

use crate::platform::{Picked, Unavailable};
use crate::tray::Action;

/// How long the service may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// Listens for the answer until it is dropped, which takes the question off the screen.
pub(super) struct Question {
    bus: Connection,
    id: u32,
    thread: Option<JoinHandle<()>>,
}

impl Question {
    /// Shows it. `body` is ready for the service: escaped where it reads markup.
    pub(super) fn put(
        (application, icon): (&str, &str),
        (title, body): (&str, &str),
        choices: Vec<(Action, String)>,
        picked: Picked,
    ) -> Result<Self, Unavailable> {
        let bus = connection::Builder::session()
            .map(|builder| builder.method_timeout(PATIENCE))
            .and_then(connection::Builder::build)
            .map_err(|cause| no_service(&cause))?;
        // Before it is shown, so that no answer is missed.
        let messages = MessageIterator::from(bus.clone());
        listen_for_signals(&bus).map_err(|cause| no_service(&cause))?;
        let names: Vec<String> = (0..choices.len()).map(|place| place.to_string()).collect();
        let actions: Vec<&str> = names
            .iter()
            .zip(&choices)
            .flat_map(|(name, (_, label))| [name.as_str(), label.as_str()])
            .collect();
        let hints = HashMap::from([
            ("urgency", Value::U8(1)),
            ("desktop-entry", Value::from(icon)),
        ]);
        let never = 0_i32;
        let shown = bus.call_method(
            Some(SERVICE),
            PATH,
            Some(SERVICE),
            "Notify",
            &(application, 0_u32, icon, title, body, actions, hints, never),
        );
        let id: u32 = shown
            .and_then(|answer| answer.body().deserialize())
            .map_err(|cause| no_service(&cause))?;
        let thread = thread::Builder::new()
            .name("question".to_owned())
            .spawn(move || {
                if let Some(place) = answer_to(id, messages)
                    && let Some((action, _)) = choices.into_iter().nth(place)
                {
                    picked(action);
                }
            })
            .map_err(|cause| Unavailable::Gone(format!("no thread could be had: {cause}")))?;
        Ok(Self {
            bus,
            id,
            thread: Some(thread),
        })
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        // One that was answered or closed is not there any more, which is as well.
        let _ = self.bus.call_method(
            Some(SERVICE),
            PATH,
            Some(SERVICE),
            "CloseNotification",
            &(self.id,),
        );
        // It ends the stream of messages, and with it the thread.
        let closed = self.bus.clone().close().is_ok();
        if closed && let Some(thread) = self.thread.take() {
            // An error here is a panic of the thread, which its own message has told.
            let _ = thread.join();
        }
    }
}

/// Waits for the person: the place of what they picked; `None` where they closed it.
fn answer_to(id: u32, messages: MessageIterator) -> Option<usize> {
    for message in messages {
        let message = message.ok()?;
        let header = message.header();
        if header.message_type() != Type::Signal {
            continue;
        }
        let body = message.body();
        match header.member().map(zbus::names::MemberName::as_str) {
            Some("ActionInvoked") => {
                if let Ok((of, name)) = body.deserialize::<(u32, String)>()
                    && of == id
                {
                    return name.parse().ok();
                }
            }
            Some("NotificationClosed")
                if body
                    .deserialize::<(u32, u32)>()
                    .is_ok_and(|(of, _)| of == id) =>
            {
                return None;
            }
            _ => {}
        }
    }
    None
}

fn listen_for_signals(bus: &Connection) -> zbus::Result<()> {
    let rule = format!("type='signal',path='{PATH}',interface='{SERVICE}'");
    bus.call_method(
        Some("org.freedesktop.DBus"),
        "/org/freedesktop/DBus",
        Some("org.freedesktop.DBus"),
        "AddMatch",
        &(rule,),
    )
    .map(drop)
}

fn no_service(cause: &zbus::Error) -> Unavailable {
    Unavailable::Gone(format!("the desktop shows no questions ({cause})"))
}
