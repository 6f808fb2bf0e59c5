//! The tray and messages, on a real session bus with a panel and a notification service in it.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints' exception for tests does not reach helpers of integration tests"
)]
#![allow(
    clippy::used_underscore_binding,
    reason = "zbus's macro uses what a service ignores"
)]

mod platform_support;

use std::collections::HashMap;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use glasshour_agent::platform::{Message, Platform as _, Unavailable};
use glasshour_agent::tray::{Action, Icon, Item, Pick, View};
use platform_support::bus::{ON_BUS, on_own_bus, run_again};
use platform_support::{desktop, eventually, processor_ticks};
use rustix::process::{Pid, Signal, kill_process};
use zbus::blocking::{Connection, connection};
use zbus::zvariant::{OwnedValue, Structure, Value};

const PATIENCE: Duration = Duration::from_secs(10);

/// A panel's watcher: what tray icons register with.
struct Watcher {
    registered: mpsc::Sender<String>,
}

#[expect(clippy::unused_self, reason = "a property needs it")]
#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: &str) {
        self.registered
            .send(service.to_owned())
            .expect("the test listens");
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }
}

fn watcher() -> (Connection, Receiver<String>) {
    let (registered, registrations) = mpsc::channel();
    let connection = connection::Builder::session()
        .and_then(|builder| builder.name("org.kde.StatusNotifierWatcher"))
        .and_then(|builder| builder.serve_at("/StatusNotifierWatcher", Watcher { registered }))
        .and_then(connection::Builder::build)
        .expect("the watcher is on the bus");
    (connection, registrations)
}

/// The icon as a panel sees it.
struct Seen<'b> {
    bus: &'b Connection,
    item: String,
}

impl Seen<'_> {
    fn property(&self, name: &str) -> OwnedValue {
        let interface = "org.kde.StatusNotifierItem";
        self.bus
            .call_method(
                Some(self.item.as_str()),
                "/StatusNotifierItem",
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &(interface, name),
            )
            .expect("the icon answers")
            .body()
            .deserialize()
            .expect("it is a value")
    }

    fn text(&self, name: &str) -> String {
        self.property(name).try_into().expect("it is text")
    }

    fn tooltip(&self) -> String {
        let tooltip = Structure::try_from(self.property("ToolTip")).expect("it is a structure");
        let text = tooltip.fields().get(3).expect("it has four fields");
        text.try_clone()
            .expect("no descriptor")
            .try_into()
            .expect("it is text")
    }

    /// Side and ARGB pixels.
    fn picture(&self) -> (i32, Vec<u8>) {
        let pictures: Vec<(i32, i32, Vec<u8>)> = self
            .property("IconPixmap")
            .try_into()
            .expect("they are pixels");
        let (width, height, pixels) = pictures.into_iter().next().expect("there is one");
        assert_eq!(width, height);
        (width, pixels)
    }

    fn menu(
        &self,
        method: &str,
        body: &(impl serde::Serialize + zbus::zvariant::DynamicType),
    ) -> zbus::Message {
        let path = zbus::zvariant::OwnedObjectPath::try_from(self.property("Menu"));
        self.bus
            .call_method(
                Some(self.item.as_str()),
                path.expect("it is a path"),
                Some("com.canonical.dbusmenu"),
                method,
                body,
            )
            .expect("the menu answers")
    }

    /// The menu's rows, submenus flattened.
    fn rows(&self) -> Vec<Row> {
        type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);
        fn flatten(layout: Layout, rows: &mut Vec<Row>) {
            let (id, mut properties, children) = layout;
            rows.push(Row {
                id,
                label: take(&mut properties, "label").unwrap_or_default(),
                enabled: take(&mut properties, "enabled").unwrap_or(true),
                checked: take(&mut properties, "toggle-state") == Some(1),
                separator: take::<String>(&mut properties, "type").as_deref() == Some("separator"),
            });
            for child in children {
                flatten(child.try_into().expect("a child is a layout"), rows);
            }
        }
        fn take<T: TryFrom<OwnedValue>>(
            from: &mut HashMap<String, OwnedValue>,
            name: &str,
        ) -> Option<T> {
            T::try_from(from.remove(name)?).ok()
        }
        let answer = self.menu("GetLayout", &(0, -1, Vec::<String>::new()));
        let (_, layout): (u32, Layout) = answer.body().deserialize().expect("it is a layout");
        let mut rows = Vec::new();
        flatten(layout, &mut rows);
        rows.remove(0);
        rows
    }

    fn row(&self, label: &str) -> Row {
        let rows = self.rows();
        let found = rows.iter().find(|row| row.label == label);
        found
            .cloned()
            .unwrap_or_else(|| panic!("no row {label} in {rows:?}"))
    }

    fn click(&self, label: &str) {
        self.menu(
            "Event",
            &(self.row(label).id, "clicked", Value::from(0), 0_u32),
        );
    }
}

#[derive(Clone, Debug)]
struct Row {
    id: i32,
    label: String,
    enabled: bool,
    checked: bool,
    separator: bool,
}

fn on(number: u8) -> Pick {
    let project = format!("0193a7a0-0000-7000-8000-0000000000{number:02}");
    Pick {
        employer: None,
        project: Some(project.parse().expect("it is an id")),
    }
}

fn running(checked: u8) -> View {
    let choice = |number: u8, label: &str| Item::Choice {
        action: Action::Switch(on(number)),
        label: label.to_owned(),
        checked: number == checked,
    };
    View {
        icon: Icon::Tracking,
        tooltip: "Glasshour: tracking R&D, 1:23 today".to_owned(),
        label: "Glasshour: tracking R&D".to_owned(),
        menu: vec![
            Item::Label("Tracking".to_owned()),
            Item::Command {
                action: Action::Stop,
                label: "Stop".to_owned(),
                enabled: true,
            },
            Item::Command {
                action: Action::Quit,
                label: "Quit".to_owned(),
                enabled: false,
            },
            Item::Separator,
            Item::Submenu {
                label: "Project".to_owned(),
                items: vec![choice(1, "R&D_x"), choice(2, "Sales\u{202e}\n")],
            },
        ],
        running: true,
    }
}

fn stopped() -> View {
    View {
        icon: Icon::Off,
        tooltip: "Glasshour: stopped".to_owned(),
        label: "Glasshour: not tracking".to_owned(),
        menu: vec![Item::Command {
            action: Action::Start(Pick::default()),
            label: "Start".to_owned(),
            enabled: true,
        }],
        running: false,
    }
}

fn argb(picture: glasshour_assets::TrayIcon) -> (i32, Vec<u8>) {
    let mut pixels = glasshour_assets::tray(picture, 48);
    for pixel in pixels.chunks_exact_mut(4) {
        pixel.rotate_right(1);
    }
    (48, pixels)
}

#[test]
fn the_icon_shows_its_view_and_reports_what_is_picked() {
    if !on_own_bus("the_icon_shows_its_view_and_reports_what_is_picked") {
        return;
    }
    let (sender, picks) = mpsc::channel();
    let picked = move |action| sender.send(action).expect("the test listens");
    let mut tray = desktop(":0")
        .tray(&running(1), Box::new(picked))
        .expect("there is a bus");
    assert_eq!(tray.is_shown(), Ok(false), "no panel yet");

    // The panel comes later, and the icon finds it.
    let (bus, registrations) = watcher();
    let item = registrations
        .recv_timeout(PATIENCE)
        .expect("the icon registers");
    assert_eq!(tray.is_shown(), Ok(true));
    let seen = Seen { bus: &bus, item };
    assert_eq!(seen.text("Id"), "glasshour");
    assert_eq!(seen.text("Title"), "Glasshour");
    assert_eq!(seen.text("Status"), "Active");
    assert_eq!(seen.tooltip(), "Glasshour: tracking R&D, 1:23 today");
    assert_eq!(seen.picture(), argb(glasshour_assets::TrayIcon::Tracking));

    // A `_` in a menu marks the key that picks the row; twice it is itself.
    let labels: Vec<_> = seen.rows().into_iter().map(|row| row.label).collect();
    assert_eq!(
        labels,
        ["Tracking", "Stop", "Quit", "", "Project", "R&D__x", "Sales"]
    );
    assert!(!seen.row("Tracking").enabled && !seen.row("Quit").enabled);
    assert!(seen.row("Stop").enabled);
    assert!(seen.rows()[3].separator);
    assert!(seen.row("R&D__x").checked && !seen.row("Sales").checked);

    seen.click("Stop");
    assert_eq!(picks.recv_timeout(PATIENCE), Ok(Action::Stop));

    // A click checks the row in the desktop's own mind; what holds is what the view says.
    seen.click("Sales");
    assert_eq!(picks.recv_timeout(PATIENCE), Ok(Action::Switch(on(2))));
    eventually("the first project is checked", || {
        seen.row("R&D__x").checked && !seen.row("Sales").checked
    });
    tray.show(&running(2)).expect("it is drawn");
    eventually("the second project is checked", || {
        !seen.row("R&D__x").checked && seen.row("Sales").checked
    });

    tray.show(&stopped()).expect("it is drawn");
    eventually("the icon is another", || {
        seen.picture() == argb(glasshour_assets::TrayIcon::Off)
    });
    eventually("the tooltip is another", || {
        seen.tooltip() == "Glasshour: stopped"
    });
    eventually("the menu is another", || seen.rows().len() == 1);
    seen.click("Start");
    assert_eq!(
        picks.recv_timeout(PATIENCE),
        Ok(Action::Start(Pick::default()))
    );

    drop(tray);
    let owned = || {
        zbus::blocking::fdo::DBusProxy::new(&bus)
            .and_then(|proxy| Ok(proxy.name_has_owner(seen.item.as_str().try_into()?)?))
            .expect("the bus answers")
    };
    eventually("the icon is gone", || !owned());
}

/// A notification service that keeps what it is told.
struct Notifications {
    shown: mpsc::Sender<Shown>,
}

/// Application, summary, body, hints and timeout.
type Shown = (String, String, String, HashMap<String, OwnedValue>, i32);

#[expect(
    clippy::unused_self,
    clippy::too_many_arguments,
    reason = "the desktop's specification and the macro have it so"
)]
#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".to_owned(), "body-markup".to_owned()]
    }

    fn notify(
        &self,
        application: String,
        _replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        _actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        timeout: i32,
    ) -> u32 {
        self.shown
            .send((application, summary, body, hints, timeout))
            .expect("the test listens");
        1
    }
}

#[test]
fn messages_are_shown_as_text_and_important_ones_stay() {
    if !on_own_bus("messages_are_shown_as_text_and_important_ones_stay") {
        return;
    }
    let error = desktop(":0")
        .notifier()
        .map(drop)
        .expect_err("there is no service");
    assert!(
        matches!(&error, Unavailable::Gone(why) if why.contains("notification")),
        "{error:?}"
    );

    let (sender, shown) = mpsc::channel();
    let _service = connection::Builder::session()
        .and_then(|builder| builder.name("org.freedesktop.Notifications"))
        .and_then(|builder| {
            builder.serve_at(
                "/org/freedesktop/Notifications",
                Notifications { shown: sender },
            )
        })
        .and_then(connection::Builder::build)
        .expect("the service is on the bus");
    let mut notifier = desktop(":0").notifier().expect("there is a service");
    let mut message = Message {
        title: "Acme captures this screen".to_owned(),
        body: "Six times an hour <b>at most</b> & only at work".to_owned(),
        important: true,
    };
    notifier.notify(&message).expect("it is shown");
    let (application, summary, body, hints, timeout) = shown.recv_timeout(PATIENCE).expect("it is");
    assert_eq!(application, "Glasshour");
    assert_eq!(summary, "Acme captures this screen");
    assert_eq!(
        body,
        "Six times an hour &lt;b&gt;at most&lt;/b&gt; &amp; only at work"
    );
    assert_eq!(u8::try_from(&hints["urgency"]), Ok(2), "critical");
    assert_eq!(timeout, 0, "until it is closed");

    message.important = false;
    notifier.notify(&message).expect("it is shown");
    let (.., hints, timeout) = shown.recv_timeout(PATIENCE).expect("it is");
    assert_eq!(u8::try_from(&hints["urgency"]), Ok(1), "normal");
    assert_eq!(timeout, -1, "as the desktop likes");
}

#[test]
fn when_the_bus_dies_the_tray_says_so_and_nothing_spins() {
    if !on_own_bus("when_the_bus_dies_the_tray_says_so_and_nothing_spins") {
        return;
    }
    let (bus, registrations) = watcher();
    let mut tray = desktop(":0")
        .tray(&running(1), Box::new(drop))
        .expect("there is a bus");
    registrations
        .recv_timeout(PATIENCE)
        .expect("the icon registers");
    assert_eq!(tray.is_shown(), Ok(true));

    let id = zbus::blocking::fdo::DBusProxy::new(&bus)
        .and_then(|proxy| {
            let name = "org.freedesktop.DBus".try_into().expect("it is a name");
            Ok(proxy.get_connection_unix_process_id(name)?)
        })
        .expect("the bus tells its process");
    let id = Pid::from_raw(id.cast_signed()).expect("it is a process");
    kill_process(id, Signal::KILL).expect("it runs");
    drop(bus);
    eventually("the tray says so", || {
        matches!(tray.is_shown(), Err(Unavailable::Gone(_)))
    });

    let before = processor_ticks();
    tray.show(&stopped())
        .expect("a view is taken, though nobody sees it");
    eventually("a second has passed", {
        let clock = desktop(":0").clock();
        let end = clock.now().mono_ms + 1000;
        move || clock.now().mono_ms > end
    });
    let spent = processor_ticks() - before;
    assert!(
        spent < 30,
        "{spent} hundredths of a second were spent on nothing"
    );
}

#[test]
fn without_a_session_bus_tray_and_messages_are_gone() {
    const TEST: &str = "without_a_session_bus_tray_and_messages_are_gone";
    if std::env::var_os(ON_BUS).is_none() {
        assert!(run_again(TEST, "unix:path=/nonexistent/bus"));
        return;
    }
    let desktop = desktop(":0");
    let tray = desktop
        .tray(&stopped(), Box::new(drop))
        .map(drop)
        .expect_err("there is no bus");
    assert!(
        matches!(&tray, Unavailable::Gone(why) if why.contains("session bus")),
        "{tray:?}"
    );
    let notifier = desktop.notifier().map(drop).expect_err("there is no bus");
    assert!(matches!(&notifier, Unavailable::Gone(_)), "{notifier:?}");
}
