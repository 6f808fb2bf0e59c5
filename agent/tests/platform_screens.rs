//! Pictures and windows, on a real X server.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints' exception for tests does not reach helpers of integration tests"
)]

mod platform_support;

use glasshour_agent::platform::{Monitor, Platform as _, Rect, Screens, Unavailable, Window};
use platform_support::{Patch, XServer, desktop, eventually, license, set_property};

fn screens(server: &XServer) -> Box<dyn Screens> {
    open(&server.display).expect("the screens open")
}

fn open(display: &str) -> Result<Box<dyn Screens>, Unavailable> {
    desktop(display).screens(
        &license()
            .permits()
            .screenshots()
            .expect("the license permits it"),
    )
}

fn pixel(screens: &mut dyn Screens, monitor: &Monitor, x: usize, y: usize) -> [u8; 4] {
    let frame = screens.grab(monitor).expect("a picture is taken");
    assert_eq!(
        (frame.width, frame.height),
        (monitor.area.width, monitor.area.height)
    );
    assert_eq!(
        frame.rgba.len(),
        frame.width as usize * frame.height as usize * 4
    );
    let at = (y * frame.width as usize + x) * 4;
    frame.rgba[at..at + 4].try_into().expect("four bytes")
}

#[test]
fn two_monitors_are_told_apart_and_pictured() {
    let server = XServer::start("1000x480x24");
    let left = Rect {
        x: 0,
        y: 0,
        width: 640,
        height: 480,
    };
    let right = Rect {
        x: 640,
        y: 20,
        width: 360,
        height: 400,
    };
    server.add_monitor("L", left, true);
    server.add_monitor("R", right, false);
    let _left = Patch::show(&server, [0, 0], [100, 100], 0x12_34_56);
    let _right = Patch::show(&server, [990, 410], [10, 10], 0xfe_dc_ba);

    let mut screens = screens(&server);
    let mut monitors = screens.monitors().expect("monitors are told");
    monitors.sort_by(|a, b| a.name.cmp(&b.name));
    let areas: Vec<_> = monitors.iter().map(|m| (m.name.as_str(), m.area)).collect();
    assert_eq!(areas, [("L", left), ("R", right)]);
    assert_eq!(
        pixel(&mut *screens, &monitors[0], 99, 99),
        [0x12, 0x34, 0x56, 255]
    );
    assert_eq!(pixel(&mut *screens, &monitors[0], 100, 99), [0, 0, 0, 255]);
    assert_eq!(
        pixel(&mut *screens, &monitors[1], 359, 399),
        [0xfe, 0xdc, 0xba, 255]
    );
    assert_eq!(pixel(&mut *screens, &monitors[1], 0, 0), [0, 0, 0, 255]);
}

#[test]
fn pictures_are_the_same_with_and_without_shared_memory() {
    let shared = XServer::start("1001x701x24");
    let wire = XServer::start_with("1001x701x24", &["-extension", "MIT-SHM"]);
    let pictures = [&shared, &wire].map(|server| {
        let _a = Patch::show(server, [0, 0], [333, 700], 0x01_80_ff);
        let _b = Patch::show(server, [300, 500], [701, 201], 0xff_00_7f);
        let mut screens = screens(server);
        let monitor = screens.monitors().expect("monitors are told").remove(0);
        screens.grab(&monitor).expect("a picture is taken")
    });
    assert!(pictures[0] == pictures[1]);
    assert_eq!((pictures[0].width, pictures[0].height), (1001, 701));
    assert_eq!(pictures[0].rgba[..4], [0x01, 0x80, 0xff, 255]);
}

#[test]
fn a_screen_of_sixteen_bits_gives_the_same_colours() {
    let server = XServer::start("123x45x16");
    let _patch = Patch::show(&server, [0, 0], [123, 45], 0xf80f);
    let mut screens = screens(&server);
    let monitor = screens.monitors().expect("monitors are told").remove(0);
    assert_eq!(pixel(&mut *screens, &monitor, 122, 44), [255, 0, 123, 255]);
}

#[test]
fn monitors_come_and_go() {
    let server = XServer::start("800x600x24");
    let mut screens = screens(&server);
    let before = screens.monitors().expect("monitors are told");
    assert_eq!(before.len(), 1);
    assert_eq!(
        before[0].area,
        Rect {
            x: 0,
            y: 0,
            width: 800,
            height: 600
        }
    );

    let small = Rect {
        x: 0,
        y: 0,
        width: 400,
        height: 300,
    };
    server.add_monitor("Small", small, true);
    let after = screens.monitors().expect("monitors are told");
    assert_eq!(after.iter().map(|m| &m.name).collect::<Vec<_>>(), ["Small"]);
    screens.grab(&after[0]).expect("a picture is taken");

    // The picture grows beyond the memory that was enough before.
    screens.grab(&before[0]).expect("a picture is taken");

    let mut unplugged = before[0].clone();
    unplugged.area.x = 10;
    let error = screens
        .grab(&unplugged)
        .expect_err("there is no such place");
    assert!(matches!(error, Unavailable::Gone(_)), "{error:?}");
    screens
        .grab(&after[0])
        .expect("an error leaves the source usable");
}

#[test]
fn no_picture_stays_in_memory() {
    use std::os::unix::fs::MetadataExt as _;

    let server = XServer::start("800x600x24");
    let mut screens = screens(&server);
    let monitor = screens.monitors().expect("monitors are told").remove(0);
    screens.grab(&monitor).expect("a picture is taken");
    let shared = std::fs::read_dir("/proc/self/fd")
        .expect("Linux has /proc")
        .filter_map(Result::ok)
        .filter(|fd| {
            std::fs::read_link(fd.path())
                .is_ok_and(|to| to.to_string_lossy().contains("glasshour-screen"))
        })
        .map(|fd| std::fs::metadata(fd.path()).expect("it is open"))
        .collect::<Vec<_>>();
    assert_eq!(shared.len(), 1, "one segment is kept");
    assert_eq!(shared[0].len(), 800 * 600 * 4);
    assert_eq!(shared[0].blocks(), 0, "its pages are given back");
}

#[test]
fn a_server_that_dies_is_gone_until_the_screens_are_opened_anew() {
    let place = tempfile::tempdir().expect("a folder");
    let socket = place.path().join("display");
    let point_to = |server: &XServer| {
        let number = server.display.trim_start_matches(':');
        let _ = std::fs::remove_file(&socket);
        std::os::unix::fs::symlink(format!("/tmp/.X11-unix/X{number}"), &socket).expect("a link");
    };
    let display = format!("unix:{}", socket.display());

    let mut first = XServer::start("640x480x24");
    point_to(&first);
    let mut screens = open(&display).expect("the screens open");
    let monitor = screens.monitors().expect("monitors are told").remove(0);
    screens.grab(&monitor).expect("a picture is taken");
    first.kill();
    // Another test's server may take the number at any moment.
    std::fs::remove_file(&socket).expect("it is there");
    for (what, outcome) in [
        ("grab", screens.grab(&monitor).map(drop)),
        ("monitors", screens.monitors().map(drop)),
        ("windows", screens.windows().map(drop)),
        ("open", open(&display).map(drop)),
    ] {
        assert!(
            matches!(outcome, Err(Unavailable::Gone(_))),
            "{what}: {outcome:?}"
        );
    }

    let second = XServer::start("640x480x24");
    point_to(&second);
    let mut screens = open(&display).expect("the screens open again");
    screens.grab(&monitor).expect("a picture is taken again");
}

fn titles(windows: &[Window]) -> Vec<&str> {
    windows.iter().map(|window| window.title.as_str()).collect()
}

fn named<'w>(windows: &'w [Window], title: &str) -> &'w Window {
    windows
        .iter()
        .find(|window| window.title == title)
        .unwrap_or_else(|| panic!("no window {title} in {windows:?}"))
}

#[test]
fn visible_windows_are_listed_lowest_first_with_their_decorations() {
    let server = XServer::start("1000x700x24").with_window_manager();
    let first = server.xterm("First", "40x10+20+30");
    let second = server.xterm("Second", "40x10+400+300");
    server.xdotool(&["windowactivate", "--sync", &second.to_string()]);

    let mut screens = screens(&server);
    let windows = screens.windows().expect("windows are told");
    assert_eq!(titles(&windows), ["First", "Second"]);
    assert!(
        windows.iter().all(|window| window.application == "XTerm"),
        "{windows:?}"
    );
    assert_eq!(
        windows.iter().map(|w| w.active).collect::<Vec<_>>(),
        [false, true]
    );
    let client = server.place_of(second);
    let area = named(&windows, "Second").area;
    assert!(
        area.y < client.y && area.height > client.height,
        "{area:?} has a title bar"
    );
    assert!(
        area.x <= client.x && area.width >= client.width,
        "{area:?} around {client:?}"
    );
    let bottom = |rect: Rect| i64::from(rect.y) + i64::from(rect.height);
    assert!(bottom(area) >= bottom(client), "{area:?} around {client:?}");

    server.xdotool(&["windowactivate", "--sync", &first.to_string()]);
    eventually("the first window is on top and active", || {
        let windows = screens.windows().expect("windows are told");
        titles(&windows) == ["Second", "First"] && windows[1].active
    });
}

#[test]
fn minimized_windows_and_those_of_other_desktops_are_left_out() {
    let server = XServer::start("1000x700x24").with_window_manager();
    let minimized = server.xterm("Minimized", "40x10+20+30");
    let elsewhere = server.xterm("Elsewhere", "40x10+20+330");
    server.xterm("Present", "40x10+400+300");
    let mut screens = screens(&server);
    assert_eq!(screens.windows().expect("windows are told").len(), 3);

    server.xdotool(&["windowminimize", &minimized.to_string()]);
    server.xdotool(&["set_num_desktops", "2"]);
    server.xdotool(&["set_desktop_for_window", &elsewhere.to_string(), "1"]);
    eventually("only one is left", || {
        titles(&screens.windows().expect("windows are told")) == ["Present"]
    });
}

#[test]
fn a_popup_bears_the_name_of_the_window_it_belongs_to() {
    let server = XServer::start("800x600x24").with_window_manager();
    let owner = server.xterm("Secrets", "40x10+20+30");
    let menu = Patch::show(&server, [300, 300], [50, 80], 0xff_ff_ff);
    menu.belongs_to(owner);
    let nameless = Patch::show(&server, [500, 300], [50, 80], 0xff_ff_ff);

    let windows = screens(&server).windows().expect("windows are told");
    let area = Rect {
        x: 300,
        y: 300,
        width: 50,
        height: 80,
    };
    let popup = windows
        .iter()
        .find(|window| window.area == area)
        .expect("it is listed");
    assert_eq!(
        (popup.application.as_str(), popup.title.as_str()),
        ("XTerm", "Secrets")
    );
    assert!(!popup.active);
    let area = Rect { x: 500, ..area };
    let popup = windows
        .iter()
        .find(|window| window.area == area)
        .expect("it is listed too");
    assert_eq!((popup.application.as_str(), popup.title.as_str()), ("", ""));
    drop(nameless);
}

#[test]
fn a_nameless_popup_bears_the_name_of_the_program_that_made_it() {
    let server = XServer::start("800x600x24");
    let safe = Patch::show(&server, [0, 0], [100, 100], 0);
    safe.set("WM_CLASS", "STRING", b"safe\0Safe\0");
    safe.show_another([300, 300], [50, 80], 0xff_ff_ff);
    let _stranger = Patch::show(&server, [500, 300], [50, 80], 0xff_ff_ff);
    let windows = screens(&server).windows().expect("windows are told");
    let applications: Vec<_> = windows.iter().map(|w| w.application.as_str()).collect();
    assert_eq!(applications, ["Safe", "Safe", ""]);
}

#[test]
fn without_a_window_manager_windows_are_still_told_apart() {
    let server = XServer::start("800x600x24");
    server.xterm("Bare", "40x10+20+30");
    let windows = screens(&server).windows().expect("windows are told");
    assert_eq!(titles(&windows), ["Bare"]);
    assert_eq!(windows[0].application, "XTerm");
    assert_eq!((windows[0].area.x, windows[0].area.y), (20, 30));
}

#[test]
fn a_hostile_title_is_cleaned_and_cut() {
    let server = XServer::start("800x600x24");
    let patch = Patch::show(&server, [0, 0], [50, 50], 0);
    patch.set("WM_CLASS", "STRING", b"evil\0Ev\x1bil\0");
    let long = format!("a\u{1b}]0;b\u{7}\n\u{202e}{}", "ż".repeat(5000));
    patch.set("_NET_WM_NAME", "UTF8_STRING", long.as_bytes());
    let mut screens = screens(&server);
    let windows = screens.windows().expect("windows are told");
    assert_eq!(windows[0].application, "Evil");
    assert!(
        windows[0].title.starts_with("a]0;b żżż"),
        "{}",
        windows[0].title
    );
    assert_eq!(windows[0].title.chars().count(), 512);

    // Older programs set a Latin-1 name alone.
    let connection = server.connect();
    set_property(&connection, patch.id, "_NET_WM_NAME", "UTF8_STRING", b"");
    set_property(&connection, patch.id, "WM_NAME", "STRING", b"caf\xe9");
    assert_eq!(
        titles(&screens.windows().expect("windows are told")),
        ["café"]
    );
}
