//! The indicator that the agent draws by itself, on a real X server.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints' exception for tests does not reach helpers of integration tests"
)]

mod platform_support;

use glasshour_agent::platform::linux::{Environment, LinuxDesktop};
use glasshour_agent::platform::{Platform as _, Rect, Screens, Tray, Unavailable, Window};
use glasshour_agent::tray::{Icon, View};
use platform_support::{Patch, XServer, eventually, license, processor_ticks};
use x11rb::protocol::xproto::{ConfigureWindowAux, ConnectionExt as _, StackMode};
use x11rb::wrapper::ConnectionExt as _;

const SCREEN: Rect = Rect {
    x: 0,
    y: 0,
    width: 800,
    height: 600,
};

fn view(icon: Icon, text: &str) -> View {
    View {
        icon,
        tooltip: text.to_owned(),
        label: text.to_owned(),
        menu: Vec::new(),
        running: icon == Icon::Tracking,
    }
}

fn tracking() -> View {
    view(Icon::Tracking, "Glasshour: Tracking Apollo")
}

fn show(server: &XServer) -> Box<dyn Tray> {
    let shown = server.desktop().indicator(&tracking());
    let mut indicator = shown.expect("the indicator is shown");
    assert_eq!(indicator.is_shown(), Ok(true));
    indicator
}

/// The screen as the agent itself sees it.
struct Eye(Box<dyn Screens>);

impl Eye {
    fn open(server: &XServer) -> Self {
        let license = license();
        let permit = license.permits().screenshots().expect("it is permitted");
        let screens = server.desktop().screens(&permit);
        Self(screens.expect("the screens open"))
    }

    /// The indicator among the windows, with how many windows lie above it.
    fn find(&mut self) -> Option<(Window, usize)> {
        let windows = self.0.windows().expect("windows are told");
        let at = windows.iter().position(|w| w.application == "Glasshour")?;
        Some((windows[at].clone(), windows.len() - at - 1))
    }

    fn area(&mut self) -> Option<Rect> {
        self.find().map(|(window, _)| window.area)
    }

    /// Its pixels, as RGBA rows.
    fn picture(&mut self, area: Rect) -> Vec<[u8; 4]> {
        let monitor = self.0.monitors().expect("monitors are told").remove(0);
        let frame = self.0.grab(&monitor).expect("a picture is taken");
        let pixels = frame.rgba.as_chunks::<4>().0;
        let side = |value: i32| usize::try_from(value).expect("it lies on the screen");
        let (left, top) = (side(area.x), side(area.y));
        let row = |y: usize| {
            let start = (top + y) * frame.width as usize + left;
            pixels[start..start + area.width as usize].to_vec()
        };
        (0..area.height as usize).flat_map(row).collect()
    }
}

#[test]
fn it_stands_in_the_corner_with_its_mark_and_its_words() {
    let server = XServer::start("800x600x24");
    let mut eye = Eye::open(&server);
    let _indicator = show(&server);
    let (window, above) = eye.find().expect("it is listed");
    assert_eq!(above, 0);
    assert_eq!(window.title, "Glasshour: Tracking Apollo");
    assert!(!window.active);
    let Rect {
        x,
        y,
        height,
        width,
    } = window.area;
    assert_eq!(
        (x + i32::try_from(width).expect("small"), y, height),
        (792, 566, 26)
    );
    assert!(width > 26 + 100, "there is room for the text: {width}");

    let picture = eye.picture(window.area);
    let line = [0x7f, 0x8d, 0x89, 255];
    assert_eq!((picture[0], picture[picture.len() - 1]), (line, line));
    let columns = |from: usize, to: usize, colour: [u8; 3]| {
        picture
            .iter()
            .enumerate()
            .filter(|(at, _)| (from..to).contains(&(at % width as usize)))
            .filter(|(_, pixel)| pixel[..3] == colour)
            .count()
    };
    let (teal, ink) = ([0x0f, 0x94, 0x88], [0x14, 0x20, 0x1e]);
    assert!(columns(0, 26, teal) > 40, "the mark is drawn");
    assert_eq!(columns(26, width as usize, teal), 0);
    assert!(columns(26, width as usize, ink) > 100, "the text is drawn");
}

#[test]
fn each_state_looks_different_and_off_leaves_the_screen() {
    let server = XServer::start("800x600x24");
    let mut eye = Eye::open(&server);
    let mut indicator = show(&server);
    let area = eye.area().expect("it is listed");
    let mut seen = vec![eye.picture(area)];
    for (icon, text) in [
        (Icon::Paused, "Glasshour: Tracking Apollo"),
        (Icon::Paused, "Glasshour: Tracking Saturn"),
        (Icon::Problem, "Glasshour: Tracking Saturn"),
    ] {
        indicator.show(&view(icon, text)).expect("it is shown");
        assert_eq!(indicator.is_shown(), Ok(true));
        let area = eye.area().expect("it is listed");
        let picture = eye.picture(area);
        assert!(!seen.contains(&picture), "{icon:?} {text}");
        seen.push(picture);
    }

    indicator
        .show(&view(Icon::Off, "Glasshour: Not tracking"))
        .expect("it is told");
    assert_eq!(indicator.is_shown(), Ok(true), "it could be shown");
    assert_eq!(eye.area(), None);
    assert!(
        eye.picture(area)
            .iter()
            .all(|&pixel| pixel == [0, 0, 0, 255])
    );

    indicator.show(&tracking()).expect("it is shown");
    assert_eq!(indicator.is_shown(), Ok(true));
    assert_eq!(eye.area(), Some(area));
    assert!(seen[0] == eye.picture(area));
    drop(indicator);
    eventually("the window is gone", || eye.area().is_none());
}

#[test]
fn what_lies_over_it_it_comes_up_again() {
    let server = XServer::start("800x600x24");
    let mut eye = Eye::open(&server);
    let mut indicator = show(&server);
    let area = eye.area().expect("it is listed");
    let picture = eye.picture(area);
    for [place, size] in [[[0_u16, 0], [800, 600]], [[700, 580], [100, 20]]] {
        let place = place.map(|at| i16::try_from(at).expect("small"));
        let _over = Patch::show(&server, place, size, 0xff_00_00);
        eventually("it is on top again", || {
            eye.find().is_some_and(|(_, above)| above == 0)
        });
        assert!(picture == eye.picture(area));
        eventually("it says so", || indicator.is_shown() == Ok(true));
    }
}

#[test]
fn it_does_not_claim_to_be_seen_while_another_program_keeps_it_covered() {
    let server = XServer::start("800x600x24");
    let mut indicator = show(&server);
    let over = Patch::show(&server, [0, 0], [800, 600], 0xff_00_00);
    let connection = server.connect();
    let on_top = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
    eventually("it knows that it is covered", || {
        connection
            .configure_window(over.id, &on_top)
            .expect("the request is sent");
        connection.sync().expect("the server answers");
        indicator.is_shown() == Ok(false)
    });
    drop(over);
    eventually("it is seen again", || indicator.is_shown() == Ok(true));
}

#[test]
fn another_program_can_neither_move_nor_unmap_it_for_long() {
    let server = XServer::start("800x600x24");
    let mut eye = Eye::open(&server);
    let _indicator = show(&server);
    let area = eye.area().expect("it is listed");
    let found = server.output("xdotool", &["search", "--class", "Glasshour"]);
    let id: u32 = found.trim().parse().expect("a window is a number");
    let connection = server.connect();
    connection.unmap_window(id).expect("the request is sent");
    connection.sync().expect("the server answers");
    eventually("it is mapped again", || eye.area() == Some(area));

    let elsewhere = ConfigureWindowAux::new().x(-500).width(1);
    connection
        .configure_window(id, &elsewhere)
        .expect("the request is sent");
    connection.sync().expect("the server answers");
    eventually("it is back", || eye.area() == Some(area));
}

#[test]
fn it_makes_way_for_the_pointer_and_comes_back() {
    let server = XServer::start("800x600x24").with_window_manager();
    let mut eye = Eye::open(&server);
    let mut indicator = show(&server);
    let home = eye.area().expect("it is listed");
    let away = Rect { x: 8, y: 8, ..home };
    server.xdotool(&["mousemove", "700", "580", "click", "1"]);
    eventually("it steps aside", || eye.area() == Some(away));
    assert_eq!(indicator.is_shown(), Ok(true));
    server.xdotool(&["mousemove", "20", "20"]);
    eventually("it goes back at once", || eye.area() == Some(home));

    server.xdotool(&["mousemove", "700", "580"]);
    eventually("it steps aside", || eye.area() == Some(away));
    server.xdotool(&["mousemove", "400", "300"]);
    assert_eq!(eye.area(), Some(away), "for a while");
    // While nothing happens it sleeps.
    let before = processor_ticks();
    eventually("three seconds have passed", {
        let clock = server.desktop().clock();
        let end = clock.now().mono_ms + 3000;
        move || clock.now().mono_ms > end
    });
    let spent = processor_ticks() - before;
    assert!(
        spent < 30,
        "{spent} hundredths of a second were spent on nothing"
    );
    eventually("it comes back by itself", || eye.area() == Some(home));
}

#[test]
fn it_takes_no_focus_and_is_no_application_of_anybody() {
    let server = XServer::start("800x600x24").with_window_manager();
    let license = license();
    let permit = license.permits().activity().expect("it is permitted");
    let mut foreground = server.desktop().foreground(&permit).expect("it opens");
    server.xterm("Work", "40x10+10+10");
    let mut active = || {
        let window = foreground.active().expect("it is told");
        window.map(|window| window.application)
    };
    eventually("the terminal has the focus", || {
        active().as_deref() == Some("XTerm")
    });
    let mut eye = Eye::open(&server);
    let mut indicator = show(&server);
    let home = eye.area();
    // No click: it would reach what is under the indicator once that has made way.
    server.xdotool(&["mousemove", "700", "580"]);
    eventually("it steps aside", || eye.area() != home);
    indicator
        .show(&view(Icon::Paused, "Glasshour: Paused"))
        .expect("it is shown");
    assert_eq!(indicator.is_shown(), Ok(true));
    assert_eq!(active().as_deref(), Some("XTerm"));
}

#[test]
fn it_follows_the_monitors() {
    let server = XServer::start("800x600x24");
    let mut eye = Eye::open(&server);
    let mut indicator = show(&server);
    let home = eye.area().expect("it is listed");
    let left = Rect {
        width: 500,
        ..SCREEN
    };
    server.add_monitor("L", left, true);
    let moved = Rect {
        x: home.x - 300,
        ..home
    };
    // Not every server tells of monitors that are made by hand; the next change is seen all the same.
    indicator
        .show(&view(Icon::Paused, "Glasshour: Tracking Apollo"))
        .expect("it is shown");
    eventually("it is on the left monitor", || {
        eye.area().is_some_and(|area| area == moved)
    });
}

#[test]
fn long_and_foreign_words_are_cut_and_drawn_all_the_same() {
    let server = XServer::start("400x300x24");
    let mut eye = Eye::open(&server);
    let mut indicator = show(&server);
    for text in [
        "W".repeat(5000),
        "日本語 żółć 🦀\u{202e}\n".repeat(20),
        String::new(),
    ] {
        indicator
            .show(&view(Icon::Tracking, &text))
            .expect("it is shown");
        assert_eq!(indicator.is_shown(), Ok(true));
        let area = eye.area().expect("it is listed");
        assert!((30..=192).contains(&area.width), "{area:?}");
    }
}

#[test]
fn shallow_screens_show_it_too() {
    let server = XServer::start("800x600x16");
    let mut eye = Eye::open(&server);
    let _indicator = show(&server);
    let area = eye.area().expect("it is listed");
    let picture = eye.picture(area);
    assert_eq!(picture[area.width as usize + 1], [255; 4], "paper");
}

#[test]
fn without_a_server_it_is_gone_and_on_wayland_it_says_why() {
    let mut server = XServer::start("800x600x24");
    let mut indicator = show(&server);
    server.kill();
    eventually("the loss is noticed", || {
        matches!(indicator.is_shown(), Err(Unavailable::Gone(_)))
    });
    assert!(matches!(
        indicator.show(&view(Icon::Paused, "Glasshour: Paused")),
        Err(Unavailable::Gone(_))
    ));
    let again = server.desktop().indicator(&tracking()).map(drop);
    assert!(matches!(again, Err(Unavailable::Gone(_))));

    let wayland = LinuxDesktop::detect(Environment {
        wayland_display: Some("wayland-0".to_owned()),
        ..Environment::default()
    });
    match wayland.indicator(&tracking()).map(drop) {
        Err(Unavailable::Unsupported(why)) => assert!(why.contains("Wayland"), "{why}"),
        other => panic!("{other:?}"),
    }
}
