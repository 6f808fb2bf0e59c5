//! What logind tells over the system bus: sleep, lock, the user at the screen, shutdown, log-out.
//!
//! While it is connected it holds two delay inhibitors, so that sleep and shutdown wait until what was
//! tracked is on disk; each is handed on with its event and let go with it. logind itself waits no
//! longer than its `InhibitDelayMaxSec` (five seconds).
//!
//! A lock is believed when the session says that it is locked (`LockedHint`): the signal `Lock` is only
//! a wish, and nothing would end it where no locker obeys it. A user who comes and goes is the session's
//! `Active`. The thread sleeps on the bus; nothing is polled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::message::Type;
use zbus::zvariant::{DynamicType, OwnedFd, OwnedObjectPath, OwnedValue};

use crate::platform::{Hold, SystemEvent, SystemEvents, Told, Unavailable};
use crate::session::Absence;

/// How long logind may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
const LOGIN1: &str = "org.freedesktop.login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const MANAGER_PATH: &str = "/org/freedesktop/login1";
const SESSION: &str = "org.freedesktop.login1.Session";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// Listens until it is dropped.
pub(super) struct Logind {
    bus: Connection,
    session: Session,
    delays: bool,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The session that we belong to.
#[derive(Clone, Debug)]
struct Session {
    id: String,
    path: OwnedObjectPath,
}

impl Logind {
    /// `session_id`: what the environment calls our session, if it does.
    pub(super) fn open(session_id: Option<&str>, told: Told) -> Result<Self, Unavailable> {
        let bus = connection::Builder::system()
            .map(|builder| builder.method_timeout(PATIENCE))
            .and_then(connection::Builder::build)
            .map_err(|cause| no_logind(&cause))?;
        // Before anything is asked for, so that nothing that is told is missed.
        let messages = MessageIterator::from(bus.clone());
        let session = find_session(&bus, session_id)?;
        subscribe(&bus, &session).map_err(|cause| no_logind(&cause))?;
        let mut listener = Listener {
            bus: bus.clone(),
            session: session.clone(),
            told,
            sleep: None,
            shutdown: None,
        };
        listener.take_delays();
        let delays = listener.sleep.is_some() && listener.shutdown.is_some();
        let ended = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new()
            .name("system-events".to_owned())
            .spawn({
                let ended = Arc::clone(&ended);
                move || {
                    listener.tell_how_it_is();
                    let why = listener.listen(messages);
                    if !ended.load(Ordering::Relaxed) {
                        (listener.told)(SystemEvent::Lost(why));
                    }
                }
            })
            .map_err(|cause| Unavailable::Gone(format!("no thread could be had: {cause}")))?;
        Ok(Self {
            bus,
            session,
            delays,
            ended,
            thread: Some(thread),
        })
    }
}

impl SystemEvents for Logind {
    fn describe(&self) -> String {
        let id = &self.session.id;
        if self.delays {
            format!("logind tells of sleep, lock, other users and shutdown (session {id})")
        } else {
            format!(
                "logind tells of sleep, lock, other users and shutdown (session {id}), but does not \
                 let Glasshour delay them: the last seconds before a sleep may be written after it"
            )
        }
    }
}

impl Drop for Logind {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // It ends the stream of messages, and with it the thread.
        let closed = self.bus.clone().close().is_ok();
        if closed && let Some(thread) = self.thread.take() {
            // An error here is a panic of the thread, which its own message has told.
            let _ = thread.join();
        }
    }
}

struct Listener {
    bus: Connection,
    session: Session,
    told: Told,
    sleep: Option<OwnedFd>,
    shutdown: Option<OwnedFd>,
}

impl Listener {
    /// What holds already when we come.
    fn tell_how_it_is(&self) {
        let is = |name: &str| session_property::<bool>(&self.bus, &self.session.path, name);
        if is("LockedHint") == Some(true) {
            (self.told)(SystemEvent::Leaves(Absence::Locked, Hold::default()));
        }
        if is("Active") == Some(false) {
            (self.told)(SystemEvent::Leaves(Absence::OtherUser, Hold::default()));
        }
    }

    /// Returns why it ended.
    fn listen(&mut self, messages: MessageIterator) -> String {
        for message in messages {
            match message {
                Ok(message) => {
                    // What cannot be read is not from logind as we know it.
                    let _ = self.hear(&message);
                }
                Err(cause) => return cause.to_string(),
            }
        }
        "the system bus has ended".to_owned()
    }

    fn hear(&mut self, message: &zbus::Message) -> zbus::Result<()> {
        let header = message.header();
        if header.message_type() != Type::Signal {
            return Ok(());
        }
        let body = message.body();
        match header.member().map(zbus::names::MemberName::as_str) {
            Some("PrepareForSleep") => {
                let held = self.sleep.take();
                self.prepare(Absence::Asleep, body.deserialize()?, held);
            }
            Some("PrepareForShutdown") => {
                let held = self.shutdown.take();
                self.prepare(Absence::ShuttingDown, body.deserialize()?, held);
            }
            Some("SessionRemoved") => {
                let (_, path): (String, OwnedObjectPath) = body.deserialize()?;
                if path == self.session.path {
                    (self.told)(SystemEvent::LoggedOut);
                }
            }
            Some("PropertiesChanged") => {
                let ours = header
                    .path()
                    .is_some_and(|path| *path == *self.session.path);
                if ours {
                    self.session_changed(body.deserialize()?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn prepare(&mut self, absence: Absence, begins: bool, held: Option<OwnedFd>) {
        if begins {
            let hold = held.map_or_else(Hold::default, Hold::of);
            (self.told)(SystemEvent::Leaves(absence, hold));
        } else {
            drop(held);
            self.take_delays();
            (self.told)(SystemEvent::Returns(absence));
        }
    }

    fn session_changed(&self, (interface, changed, invalidated): Changed) {
        if interface != SESSION {
            return;
        }
        let value = |name: &str| match changed.get(name) {
            Some(value) => bool::try_from(value).ok(),
            None if invalidated.iter().any(|n| n == name) => {
                session_property(&self.bus, &self.session.path, name)
            }
            None => None,
        };
        if let Some(locked) = value("LockedHint") {
            self.tell(Absence::Locked, locked);
        }
        if let Some(active) = value("Active") {
            let state: Option<String> = session_property(&self.bus, &self.session.path, "State");
            if !active && state.as_deref() == Some("closing") {
                (self.told)(SystemEvent::LoggedOut);
            } else {
                self.tell(Absence::OtherUser, !active);
            }
        }
    }

    fn tell(&self, absence: Absence, begins: bool) {
        (self.told)(if begins {
            SystemEvent::Leaves(absence, Hold::default())
        } else {
            SystemEvent::Returns(absence)
        });
    }

    /// Where the administrator does not let us delay anything, we go without.
    fn take_delays(&mut self) {
        if self.sleep.is_none() {
            self.sleep = inhibit(&self.bus, "sleep");
        }
        if self.shutdown.is_none() {
            self.shutdown = inhibit(&self.bus, "shutdown");
        }
    }
}

/// Interface, what changed, and what is to be asked for anew.
type Changed = (
    String,
    std::collections::HashMap<String, OwnedValue>,
    Vec<String>,
);

fn inhibit(bus: &Connection, what: &str) -> Option<OwnedFd> {
    let why = "Keeps what was tracked before the computer goes";
    let answer = manager(bus, "Inhibit", &(what, "Glasshour", why, "delay"));
    let taken = answer.and_then(|message| message.body().deserialize());
    taken
        .inspect_err(|cause| tracing::info!(%cause, what, "logind lets nothing be delayed"))
        .ok()
}

/// The session that the environment names, the one this process is in, or the one that the user's
/// display belongs to: the first of them that is a person's.
fn find_session(bus: &Connection, session_id: Option<&str>) -> Result<Session, Unavailable> {
    let path = |answer: zbus::Result<zbus::Message>| -> zbus::Result<OwnedObjectPath> {
        answer?.body().deserialize()
    };
    let named = session_id.map(|id| path(manager(bus, "GetSession", &(id,))));
    // Asked only if it is needed.
    let our_own = || {
        Some(path(manager(
            bus,
            "GetSessionByPID",
            &(std::process::id(),),
        )))
    };
    let displayed = || Some(display_session(bus));
    let mut last = None;
    for found in std::iter::once(named)
        .chain(std::iter::once_with(our_own))
        .chain(std::iter::once_with(displayed))
        .flatten()
    {
        match found {
            Ok(path) => {
                let class: Option<String> = session_property(bus, &path, "Class");
                let id = session_property(bus, &path, "Id");
                if let Some(id) = id
                    && class.is_some_and(|class| class.starts_with("user"))
                {
                    return Ok(Session { id, path });
                }
            }
            Err(cause) => last = Some(cause),
        }
    }
    Err(last.map_or_else(
        || Unavailable::Unsupported("logind knows no session of this user".to_owned()),
        |cause| no_logind(&cause),
    ))
}

fn display_session(bus: &Connection) -> zbus::Result<OwnedObjectPath> {
    let uid = rustix::process::getuid().as_raw();
    let user: OwnedObjectPath = manager(bus, "GetUser", &(uid,))?.body().deserialize()?;
    let answer = bus.call_method(
        Some(LOGIN1),
        user,
        Some(PROPERTIES),
        "Get",
        &("org.freedesktop.login1.User", "Display"),
    )?;
    let value: OwnedValue = answer.body().deserialize()?;
    let (_, path): (String, OwnedObjectPath) = value.try_into()?;
    Ok(path)
}

fn session_property<T: TryFrom<OwnedValue>>(
    bus: &Connection,
    path: &OwnedObjectPath,
    name: &str,
) -> Option<T> {
    let answer = bus.call_method(
        Some(LOGIN1),
        path,
        Some(PROPERTIES),
        "Get",
        &(SESSION, name),
    );
    let value: OwnedValue = answer.ok()?.body().deserialize().ok()?;
    T::try_from(value).ok()
}

fn manager(
    bus: &Connection,
    method: &str,
    body: &(impl serde::Serialize + DynamicType),
) -> zbus::Result<zbus::Message> {
    bus.call_method(Some(LOGIN1), MANAGER_PATH, Some(MANAGER), method, body)
}

fn subscribe(bus: &Connection, session: &Session) -> zbus::Result<()> {
    let from_manager = |member: &str| {
        format!(
            "type='signal',sender='{LOGIN1}',path='{MANAGER_PATH}',interface='{MANAGER}',member='{member}'"
        )
    };
    let of_session = format!(
        "type='signal',sender='{LOGIN1}',path='{}',interface='{PROPERTIES}',member='PropertiesChanged'",
        session.path.as_str()
    );
    let wanted = ["PrepareForSleep", "PrepareForShutdown", "SessionRemoved"]
        .map(from_manager)
        .into_iter()
        .chain([of_session]);
    for rule in wanted {
        bus.call_method(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            Some("org.freedesktop.DBus"),
            "AddMatch",
            &(rule,),
        )?;
    }
    Ok(())
}

fn no_logind(cause: &zbus::Error) -> Unavailable {
    Unavailable::Unsupported(format!(
        "this system does not tell of sleep and locks (no logind session: {cause}). A sleep is found \
         afterwards, by comparing clocks; a locked screen counts as idle time"
    ))
}
