//! A real desktop panel (xfce4-panel) with a place for tray icons, and the icon's menu as the panel sees it.
//!
//! Heavy for every machine (it brings GTK), so a story asks [`Panel::is_installed`] first and says loudly
//! that it left something out. `./dev pictures` puts it in place.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use zbus::blocking::{Connection, connection};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use crate::desktop::Desktop;
use crate::process::{Plan, Process};
use crate::programs;
use crate::wait::{wait_until, when};

const START: Duration = Duration::from_secs(30);
/// Height of the panel, pixels; its only icon sits at its right end.
pub const HEIGHT: u32 = 32;
/// Width of a picture: what is left of the icon shows where it stands.
const PICTURE_WIDTH: u32 = 480;
/// The menu of the panel itself is lower than this, the icon's is higher, pixels.
const PANELS_OWN: u32 = 160;
const PICTURE: Duration = Duration::from_secs(20);
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";

/// One panel along the upper edge, with nothing but the place for icons, at the right.
const CONFIGURATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="2"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
"#;

/// A running panel.
#[derive(Debug)]
pub struct Panel {
    bus: Connection,
    environment: Vec<(String, OsString)>,
    width: u32,
    _program: Process,
    _settings: Process,
}

/// A row of the icon's menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    id: i32,
    /// What it says.
    pub label: String,
    /// Whether it can be picked.
    pub enabled: bool,
}

type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

impl Panel {
    /// Whether this machine has the panel.
    pub fn is_installed() -> bool {
        programs::systems("xfce4-panel").is_ok() && settings_service().is_some()
    }

    /// Starts it on a desktop.
    ///
    /// # Errors
    /// It does not come up.
    pub fn start(folder: &Path, desktop: &Desktop) -> Result<Self> {
        let channel = folder.join(".config/xfce4/xfconf/xfce-perchannel-xml");
        std::fs::create_dir_all(&channel)?;
        std::fs::write(channel.join("xfce4-panel.xml"), CONFIGURATION)?;
        let logs = folder.join("logs");
        let environment = desktop.environment().to_vec();
        let service = settings_service().context("xfconfd is not installed")?;
        let settings = Plan::new("xfconfd", service, &logs)
            .within(&environment)
            .start()?;
        let bus = connect(&environment)?;
        wait_until(START, "the panel's settings", || {
            Ok(when(has_owner(&bus, "org.xfce.Xfconf")?))
        })?;
        let mut panel = Plan::new("xfce4-panel", "xfce4-panel", &logs)
            .with(["--disable-wm-check", "--sm-client-disable"])
            .within(&environment)
            .start()?;
        wait_until(START, "a place for tray icons", || {
            if let Some(status) = panel.status()? {
                bail!("xfce4-panel ended with {status}");
            }
            Ok(when(has_owner(&bus, WATCHER)?))
        })?;
        Ok(Self {
            bus,
            environment,
            width: desktop.size().0,
            _program: panel,
            _settings: settings,
        })
    }

    /// The menu of the only icon, submenus flattened; empty before there is one.
    ///
    /// # Errors
    /// The panel or the agent does not answer as it should.
    pub fn menu(&self) -> Result<Vec<Row>> {
        let Some(item) = self.item()? else {
            return Ok(Vec::new());
        };
        let menu = self.menu_of(&item)?;
        let body = (0_i32, -1_i32, Vec::<String>::new());
        let answer = self.bus.call_method(
            Some(item.as_str()),
            &menu,
            Some("com.canonical.dbusmenu"),
            "GetLayout",
            &body,
        )?;
        let (_, layout): (u32, Layout) = answer.body().deserialize()?;
        let mut rows = Vec::new();
        flatten(layout, &mut rows)?;
        Ok(rows)
    }

    /// Waits for a row that can be picked.
    ///
    /// # Errors
    /// There is none in time.
    pub fn wait_for_row(&self, label: &str, deadline: Duration) -> Result<Row> {
        wait_until(deadline, &format!("the row {label:?} in the menu"), || {
            let rows = self.menu()?;
            Ok(rows
                .into_iter()
                .find(|row| row.label == label && row.enabled))
        })
    }

    /// Waits until a text begins like that and does not go on with `0 s`: some time was tracked.
    ///
    /// # Errors
    /// None does in time.
    pub fn wait_for_time(&self, begin: &str, deadline: Duration) -> Result<()> {
        wait_until(deadline, &format!("the time behind {begin:?}"), || {
            let rows = self.menu()?;
            let mut times = rows.iter().filter_map(|row| row.label.strip_prefix(begin));
            Ok(when(times.any(|time| !time.trim().starts_with("0 "))))
        })
    }

    /// Clicks a row as the panel does: by the menu's own D-Bus call.
    ///
    /// # Errors
    /// There is no such row in time.
    pub fn click(&self, label: &str, deadline: Duration) -> Result<()> {
        let row = self.wait_for_row(label, deadline)?;
        let item = self.item()?.context("the icon has gone")?;
        let menu = self.menu_of(&item)?;
        self.bus.call_method(
            Some(item.as_str()),
            &menu,
            Some("com.canonical.dbusmenu"),
            "Event",
            &(row.id, "clicked", Value::from(0), 0_u32),
        )?;
        Ok(())
    }

    /// The pixels of the icon as the panel shows it.
    ///
    /// # Errors
    /// The screen cannot be read.
    pub fn icon(&self) -> Result<Vec<u8>> {
        use x11rb::connection::Connection as _;
        use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};
        let display = self.variable("DISPLAY")?;
        let (x, screen) = x11rb::connect(Some(&display))?;
        let root = x.setup().roots.get(screen).context("a screen")?.root;
        let side = u16::try_from(HEIGHT)?;
        let left = i16::try_from(self.width - HEIGHT)?;
        let image = x.get_image(ImageFormat::Z_PIXMAP, root, left, 0, side, side, u32::MAX)?;
        Ok(image.reply()?.data)
    }

    /// Takes a picture of the icon with its menu open, and closes the menu again.
    ///
    /// # Errors
    /// `maim` or `xdotool` is missing, or the menu does not open.
    pub fn picture(&self, file: &Path) -> Result<()> {
        // Messages would lie over half of it.
        self.run("dunstctl", &["close-all"])?;
        let opened = wait_until(PICTURE, "the menu to open", || self.open_menu());
        // It is drawn a moment after it is there.
        let drawn = opened.and_then(|(_, height)| {
            let place = format!(
                "{PICTURE_WIDTH}x{}+{}+0",
                HEIGHT + height + 8,
                self.width - PICTURE_WIDTH
            );
            let file = file.to_str().context("the file's path is not text")?;
            let mut last = Vec::new();
            wait_until(PICTURE, "the menu to be drawn", || {
                self.run("maim", &["-u", "-g", &place, file])?;
                let now = std::fs::read(file)?;
                let same = now == last;
                last = now;
                Ok(when(same))
            })
        });
        self.close_menu()?;
        drawn
    }

    /// Clicks the icon; gives the size of the menu that opened, if that was the icon's. A panel that has not
    /// fetched it yet opens one of its own, which is lower.
    fn open_menu(&self) -> Result<Option<(u32, u32)>> {
        let (x, y) = (
            (self.width - HEIGHT / 2).to_string(),
            (HEIGHT / 2).to_string(),
        );
        self.run("xdotool", &["mousemove", &x, &y, "click", "3"])?;
        let opened = wait_until(Duration::from_secs(2), "a menu", || Ok(self.open_window()));
        let found = opened.ok().filter(|(_, height)| *height > PANELS_OWN);
        if found.is_none() {
            self.close_menu()?;
        }
        Ok(found)
    }

    fn close_menu(&self) -> Result<()> {
        self.run("xdotool", &["key", "Escape", "mousemove", "10", "200"])?;
        wait_until(PICTURE, "the menu to close", || {
            Ok(when(self.open_window().is_none()))
        })
    }

    /// The size of the menu that is open: of all windows the panel has, the one that is not a bar.
    fn open_window(&self) -> Option<(u32, u32)> {
        let find = ["search", "--onlyvisible", "--class", "wrapper-2.0"];
        let found = self.run("xdotool", &find).ok()?;
        found.lines().find_map(|window| {
            let size = self
                .run("xdotool", &["getwindowgeometry", "--shell", window])
                .ok()?;
            let of = |name: &str| {
                let line = size.lines().find_map(|line| line.strip_prefix(name));
                line?.parse::<u32>().ok()
            };
            let size = (of("WIDTH=")?, of("HEIGHT=")?);
            (size.1 > HEIGHT * 2).then_some(size)
        })
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let output = Command::new(programs::systems(program)?)
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()?;
        if !output.status.success() {
            bail!("{program}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn variable(&self, name: &str) -> Result<String> {
        variable(&self.environment, name)
    }

    fn item(&self) -> Result<Option<String>> {
        let items: Vec<String> = self.property(
            (WATCHER, "/StatusNotifierWatcher"),
            WATCHER,
            "RegisteredStatusNotifierItems",
        )?;
        // `bus name/object path`
        let item = items.first().map(|item| {
            let name = item.split_once('/').map_or(item.as_str(), |(name, _)| name);
            name.to_owned()
        });
        Ok(item)
    }

    fn menu_of(&self, item: &str) -> Result<OwnedObjectPath> {
        self.property((item, "/StatusNotifierItem"), ITEM, "Menu")
    }

    fn property<T: TryFrom<OwnedValue>>(
        &self,
        (service, path): (&str, &str),
        interface: &str,
        name: &str,
    ) -> Result<T> {
        let answer = self.bus.call_method(
            Some(service),
            path,
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &(interface, name),
        )?;
        let value: OwnedValue = answer.body().deserialize()?;
        T::try_from(value)
            .ok()
            .with_context(|| format!("{name} is of another kind"))
    }
}

/// Where Debian keeps the panel's settings service.
fn settings_service() -> Option<PathBuf> {
    let folders = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib",
    ];
    folders
        .iter()
        .map(|folder| Path::new(folder).join("xfce4/xfconf/xfconfd"))
        .find(|program| program.is_file())
}

fn connect(environment: &[(String, OsString)]) -> Result<Connection> {
    let address = variable(environment, "DBUS_SESSION_BUS_ADDRESS")?;
    Ok(connection::Builder::address(address.as_str())?
        .method_timeout(Duration::from_secs(10))
        .build()?)
}

fn variable(environment: &[(String, OsString)], name: &str) -> Result<String> {
    let found = environment.iter().find(|(known, _)| known == name);
    let (_, value) = found.with_context(|| format!("{name} is not set"))?;
    Ok(value.to_str().context("it is not text")?.to_owned())
}

fn has_owner(bus: &Connection, name: &str) -> Result<bool> {
    let answer = bus.call_method(
        Some("org.freedesktop.DBus"),
        "/org/freedesktop/DBus",
        Some("org.freedesktop.DBus"),
        "NameHasOwner",
        &(name,),
    )?;
    Ok(answer.body().deserialize()?)
}

fn flatten(layout: Layout, rows: &mut Vec<Row>) -> Result<()> {
    fn take<T: TryFrom<OwnedValue>>(
        from: &mut HashMap<String, OwnedValue>,
        name: &str,
    ) -> Option<T> {
        T::try_from(from.remove(name)?).ok()
    }
    let (id, mut properties, children) = layout;
    rows.push(Row {
        id,
        label: take(&mut properties, "label").unwrap_or_default(),
        enabled: take(&mut properties, "enabled").unwrap_or(true),
    });
    for child in children {
        flatten(child.try_into()?, rows)?;
    }
    Ok(())
}
