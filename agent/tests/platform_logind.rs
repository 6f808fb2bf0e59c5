//! Word of sleep, locks, other users and shutdown, from a logind on a real bus.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the lints' exception for tests does not reach helpers of integration tests"
)]

mod platform_support;

use std::collections::HashMap;
use std::io::{ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use glasshour_agent::platform::{Platform as _, SystemEvent, SystemEvents, Unavailable};
use glasshour_agent::session::Absence;
use platform_support::bus::on_own_bus;
use platform_support::{desktop, eventually};
use rustix::process::{Pid, Signal, kill_process};
use zbus::blocking::{Connection, connection};
use zbus::zvariant::{self, ObjectPath, OwnedObjectPath, Value};

const PATIENCE: Duration = Duration::from_secs(10);
const MANAGER_PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
const OURS: &str = "/org/freedesktop/login1/session/_32";
const OTHER: &str = "/org/freedesktop/login1/session/_33";
const USER: &str = "/org/freedesktop/login1/user/self";

/// What is inhibited, how, and our end: at its end once the agent lets go.
type Inhibitors = Arc<Mutex<Vec<(String, String, UnixStream)>>>;

struct Manager {
    inhibitors: Inhibitors,
}

#[expect(clippy::unused_self, reason = "a method needs it")]
#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn inhibit(&self, what: String, who: &str, why: &str, mode: String) -> zvariant::OwnedFd {
        assert_eq!((who, why.is_empty()), ("Glasshour", false));
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        self.inhibitors.lock().unwrap().push((what, mode, ours));
        OwnedFd::from(theirs).into()
    }

    #[zbus(name = "GetSessionByPID")]
    fn session_by_pid(&self, pid: u32) -> zbus::fdo::Result<OwnedObjectPath> {
        assert_eq!(pid, std::process::id());
        // A program that the user's own service manager has started is in no session.
        Err(zbus::fdo::Error::Failed("no session".to_owned()))
    }

    #[zbus(name = "GetUser")]
    fn user(&self, uid: u32) -> OwnedObjectPath {
        assert_eq!(uid, rustix::process::getuid().as_raw());
        ObjectPath::try_from(USER).unwrap().into()
    }
}

struct User;

#[expect(clippy::unused_self, reason = "a property needs it")]
#[zbus::interface(name = "org.freedesktop.login1.User")]
impl User {
    #[zbus(property)]
    fn display(&self) -> (String, OwnedObjectPath) {
        ("2".to_owned(), ObjectPath::try_from(OURS).unwrap().into())
    }
}

#[derive(Clone)]
struct Session {
    id: String,
    locked: bool,
    active: bool,
    state: String,
}

#[expect(clippy::unused_self, reason = "a property needs it")]
#[zbus::interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn id(&self) -> String {
        self.id.clone()
    }

    #[zbus(property)]
    fn class(&self) -> String {
        "user".to_owned()
    }

    #[zbus(property)]
    fn state(&self) -> String {
        self.state.clone()
    }

    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        self.locked
    }

    #[zbus(property)]
    fn active(&self) -> bool {
        self.active
    }
}

/// A logind with one session, on the test's own bus.
struct Logind {
    bus: Connection,
    inhibitors: Inhibitors,
}

impl Logind {
    fn start(session: Session) -> Self {
        let inhibitors = Inhibitors::default();
        let manager = Manager {
            inhibitors: Arc::clone(&inhibitors),
        };
        let bus = connection::Builder::system()
            .and_then(|builder| builder.name("org.freedesktop.login1"))
            .and_then(|builder| builder.serve_at(MANAGER_PATH, manager))
            .and_then(|builder| builder.serve_at(USER, User))
            .and_then(|builder| builder.serve_at(OURS, session))
            .and_then(connection::Builder::build)
            .expect("it is on the bus");
        Self { bus, inhibitors }
    }

    fn signal(&self, member: &str, body: &(impl serde::Serialize + zvariant::DynamicType)) {
        self.bus
            .emit_signal(None::<&str>, MANAGER_PATH, MANAGER, member, body)
            .expect("it is told");
    }

    fn property(&self, path: &str, name: &str, value: bool) {
        let changed = HashMap::from([(name, Value::from(value))]);
        let interface = "org.freedesktop.DBus.Properties";
        self.bus
            .emit_signal(
                None::<&str>,
                path,
                interface,
                "PropertiesChanged",
                &(SESSION, changed, Vec::<&str>::new()),
            )
            .expect("it is told");
    }

    /// What is inhibited at present, in the order in which it was asked for.
    fn inhibited(&self) -> Vec<String> {
        let mut inhibitors = self.inhibitors.lock().unwrap();
        inhibitors.retain_mut(|(_, _, ours)| match ours.read(&mut [0]) {
            Ok(0) => false,
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            other => panic!("{other:?}"),
        });
        let mut held: Vec<_> = inhibitors
            .iter()
            .map(|(what, mode, _)| format!("{what} {mode}"))
            .collect();
        held.sort();
        held
    }
}

fn at_work() -> Session {
    Session {
        id: "2".to_owned(),
        locked: false,
        active: true,
        state: "active".to_owned(),
    }
}

fn listen() -> (
    Result<Box<dyn SystemEvents>, Unavailable>,
    Receiver<SystemEvent>,
) {
    let (sender, events) = mpsc::channel();
    let told = move |event| {
        // The test may be over.
        let _ = sender.send(event);
    };
    (desktop(":0").system_events(Box::new(told)), events)
}

fn next(events: &Receiver<SystemEvent>) -> SystemEvent {
    events.recv_timeout(PATIENCE).expect("something is told")
}

fn leaves(event: SystemEvent) -> Absence {
    match event {
        SystemEvent::Leaves(absence, _) => absence,
        other => panic!("{other:?}"),
    }
}

fn returns(event: SystemEvent) -> Absence {
    match event {
        SystemEvent::Returns(absence) => absence,
        other => panic!("{other:?}"),
    }
}

#[test]
fn sleep_and_shutdown_wait_until_they_are_let_go() {
    if !on_own_bus("sleep_and_shutdown_wait_until_they_are_let_go") {
        return;
    }
    let logind = Logind::start(at_work());
    let (source, events) = listen();
    let source = source.expect("there is a logind");
    assert!(
        source.describe().contains("session 2"),
        "{}",
        source.describe()
    );
    let both = ["shutdown delay", "sleep delay"];
    assert_eq!(logind.inhibited(), both);

    logind.signal("PrepareForSleep", &true);
    let SystemEvent::Leaves(Absence::Asleep, hold) = next(&events) else {
        panic!("it goes to sleep");
    };
    assert_eq!(logind.inhibited(), both, "the machine waits");
    drop(hold);
    assert_eq!(logind.inhibited(), ["shutdown delay"], "and no longer");
    logind.signal("PrepareForSleep", &false);
    assert_eq!(returns(next(&events)), Absence::Asleep);
    eventually("the next sleep waits as well", || {
        logind.inhibited() == both
    });

    logind.signal("PrepareForShutdown", &true);
    let SystemEvent::Leaves(Absence::ShuttingDown, hold) = next(&events) else {
        panic!("it shuts down");
    };
    assert_eq!(logind.inhibited(), both);
    drop(hold);
    assert_eq!(logind.inhibited(), ["sleep delay"]);
    logind.signal("PrepareForShutdown", &false);
    assert_eq!(returns(next(&events)), Absence::ShuttingDown);

    drop(source);
    eventually("nothing is left behind", || logind.inhibited().is_empty());
    assert!(
        matches!(
            events.recv_timeout(PATIENCE),
            Err(mpsc::RecvTimeoutError::Disconnected)
        ),
        "its own end is not told as a loss"
    );
}

#[test]
fn p20_a_lock_another_user_and_log_out_are_told_of_our_session_alone() {
    if !on_own_bus("p20_a_lock_another_user_and_log_out_are_told_of_our_session_alone") {
        return;
    }
    let logind = Logind::start(at_work());
    let (source, events) = listen();
    let _source = source.expect("there is a logind");
    logind.property(OTHER, "LockedHint", true);
    logind.property(OURS, "LockedHint", true);
    assert_eq!(leaves(next(&events)), Absence::Locked);
    logind.property(OURS, "LockedHint", false);
    assert_eq!(returns(next(&events)), Absence::Locked);

    logind.property(OURS, "Active", false);
    assert_eq!(leaves(next(&events)), Absence::OtherUser);
    logind.property(OURS, "Active", true);
    assert_eq!(returns(next(&events)), Absence::OtherUser);

    let path = |path: &str| OwnedObjectPath::try_from(path).unwrap();
    logind.signal("SessionRemoved", &("3", path(OTHER)));
    logind.signal("SessionRemoved", &("2", path(OURS)));
    assert!(matches!(next(&events), SystemEvent::LoggedOut));
}

#[test]
fn a_session_that_closes_is_a_log_out_and_what_holds_already_is_told_first() {
    if !on_own_bus("a_session_that_closes_is_a_log_out_and_what_holds_already_is_told_first") {
        return;
    }
    let logind = Logind::start(Session {
        locked: true,
        state: "closing".to_owned(),
        ..at_work()
    });
    let (source, events) = listen();
    let _source = source.expect("there is a logind");
    assert_eq!(leaves(next(&events)), Absence::Locked);
    logind.property(OURS, "Active", false);
    assert!(matches!(next(&events), SystemEvent::LoggedOut));
}

#[test]
fn a_bus_that_dies_is_told_once_and_without_logind_it_is_said() {
    if !on_own_bus("a_bus_that_dies_is_told_once_and_without_logind_it_is_said") {
        return;
    }
    match listen().0.map(drop) {
        Err(Unavailable::Unsupported(why)) => assert!(why.contains("comparing clocks"), "{why}"),
        other => panic!("{other:?}"),
    }
    let logind = Logind::start(at_work());
    let (source, events) = listen();
    let _source = source.expect("there is a logind");
    let id = zbus::blocking::fdo::DBusProxy::new(&logind.bus)
        .and_then(|proxy| {
            let name = "org.freedesktop.DBus".try_into().expect("it is a name");
            Ok(proxy.get_connection_unix_process_id(name)?)
        })
        .expect("the bus tells its process");
    let id = Pid::from_raw(id.cast_signed()).expect("it is a process");
    kill_process(id, Signal::KILL).expect("it runs");
    assert!(matches!(next(&events), SystemEvent::Lost(_)));
    assert!(events.recv_timeout(PATIENCE).is_err(), "once");
}
