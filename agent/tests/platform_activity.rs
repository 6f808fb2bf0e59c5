//! Input counts, the foreground and idle time, on a real X server.

mod platform_support;

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use glasshour_agent::platform::{Foreground, Input, Platform as _, Unavailable};
use glasshour_protocol::payload::InputCounts;
use platform_support::{XServer, eventually, license, license_with, set_property};
use serde_json::json;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xinput::{ConnectionExt as _, Device, EventMask, KeyEventFlags, XIEventMask};

fn input(server: &XServer) -> Box<dyn Input> {
    let permit = license()
        .permits()
        .activity()
        .expect("the license permits it");
    server
        .desktop()
        .input(&permit)
        .expect("input can be counted")
}

fn foreground(server: &XServer) -> Box<dyn Foreground> {
    let permit = license()
        .permits()
        .activity()
        .expect("the license permits it");
    server
        .desktop()
        .foreground(&permit)
        .expect("the foreground can be watched")
}

/// Takes counts until they add up to so many actions and motions; then nothing more may come.
fn count(input: &mut dyn Input, expected: InputCounts) {
    let mut sum = InputCounts {
        exact: true,
        ..InputCounts::default()
    };
    eventually("all input is counted", || {
        sum.add(input.take().expect("the server is there"));
        sum.actions() >= expected.actions() && sum.motions >= expected.motions
    });
    sum.add(input.take().expect("the server is there"));
    assert_eq!(sum, expected);
}

#[test]
fn five_hundred_fast_taps_are_five_hundred_keys() {
    let server = XServer::start("640x480x24");
    let mut input = input(&server);
    let mut taps = vec!["key", "--delay", "0"];
    taps.extend(["a", "Return", "shift", "1", "space"].repeat(100));
    server.xdotool(&taps);
    count(
        &mut *input,
        InputCounts {
            keys: 500,
            exact: true,
            ..InputCounts::default()
        },
    );
}

#[test]
fn clicks_wheel_and_motion_are_counted_apart() {
    let server = XServer::start("640x480x24");
    let mut input = input(&server);
    for button in ["1", "2", "3", "8", "9"] {
        server.xdotool(&["click", "--repeat", "20", "--delay", "0", button]);
    }
    for wheel in ["4", "5", "6", "7"] {
        server.xdotool(&["click", "--repeat", "30", "--delay", "0", wheel]);
    }
    for _ in 0..25 {
        server.xdotool(&["mousemove_relative", "3", "2"]);
    }
    let expected = InputCounts {
        keys: 0,
        clicks: 100,
        scrolls: 120,
        motions: 25,
        exact: true,
    };
    count(&mut *input, expected);
}

#[test]
fn a_key_that_is_held_down_counts_once() {
    let server = XServer::start("640x480x24");
    // The test's own ears tell when the server has repeated the key.
    let ears = server.connect();
    let root = ears.setup().roots[0].root;
    let mask = vec![XIEventMask::KEY_PRESS];
    ears.xinput_xi_query_version(2, 2)
        .expect("it is sent")
        .reply()
        .expect("XInput 2.2");
    ears.xinput_xi_select_events(
        root,
        &[EventMask {
            deviceid: Device::ALL_MASTER.into(),
            mask,
        }],
    )
    .expect("it is sent")
    .check()
    .expect("it is selected");

    let mut input = input(&server);
    server.xdotool(&["keydown", "a"]);
    let mut repeats = 0;
    while repeats < 3 {
        if let Event::XinputKeyPress(event) = ears.wait_for_event().expect("the server is there") {
            repeats += u32::from(event.flags.contains(KeyEventFlags::KEY_REPEAT));
        }
    }
    server.xdotool(&["keyup", "a"]);
    count(
        &mut *input,
        InputCounts {
            keys: 1,
            exact: true,
            ..InputCounts::default()
        },
    );
}

#[test]
fn input_is_counted_while_another_program_grabs_the_keyboard() {
    let server = XServer::start("640x480x24");
    let grabber = server.connect();
    let root = grabber.setup().roots[0].root;
    let mode = x11rb::protocol::xproto::GrabMode::ASYNC;
    x11rb::protocol::xproto::grab_keyboard(&grabber, false, root, 0_u32, mode, mode)
        .expect("it is sent")
        .reply()
        .expect("the keyboard is grabbed");
    let mut input = input(&server);
    server.xdotool(&["key", "a", "b", "c"]);
    count(
        &mut *input,
        InputCounts {
            keys: 3,
            exact: true,
            ..InputCounts::default()
        },
    );
}

#[test]
fn counting_ends_when_it_is_dropped() {
    let server = XServer::start("640x480x24");
    let threads = || {
        std::fs::read_dir("/proc/self/task")
            .expect("Linux has /proc")
            .filter_map(Result::ok)
            .filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok())
            .filter(|name| name.trim() == "input-counter")
            .count()
    };
    let first = input(&server);
    let second = input(&server);
    eventually("both count", || threads() == 2);
    drop((first, second));
    eventually("both threads have ended", || threads() == 0);
}

#[test]
fn a_server_that_dies_ends_every_source_but_not_the_program() {
    let mut server = XServer::start("640x480x24");
    let mut input = input(&server);
    let mut foreground = foreground(&server);
    let mut idle = server.desktop().idle().expect("idle time can be told");
    idle.idle().expect("the server is there");
    server.xdotool(&["key", "a"]);
    server.kill();
    let mut keys = 0;
    let mut ended = None;
    eventually("counting has ended", || {
        match input.take() {
            Ok(counts) => keys += counts.keys,
            Err(error) => ended = Some(error),
        }
        ended.is_some()
    });
    assert_eq!(keys, 1, "what was counted before the end is not lost");
    for error in [
        ended.expect("it has ended"),
        foreground.active().expect_err("the server is dead"),
        foreground
            .wait(Duration::from_mins(1))
            .expect_err("the server is dead"),
        idle.idle().expect_err("the server is dead"),
    ] {
        assert!(matches!(error, Unavailable::Gone(_)), "{error:?}");
    }
}

#[test]
fn idle_time_grows_until_there_is_input() {
    let server = XServer::start("640x480x24");
    let mut idle = server.desktop().idle().expect("idle time can be told");
    let mut now = || idle.idle().expect("the server is there");
    let long = Duration::from_millis(400);
    eventually("there was no input for a while", || now() > long);
    server.xdotool(&["mousemove_relative", "5", "5"]);
    assert!(now() < long, "motion is input");
    eventually("there was no input for a while", || now() > long);
    server.xdotool(&["key", "a"]);
    assert!(now() < long, "a key is input");
}

#[test]
fn a_change_of_focus_or_title_ends_the_waiting() {
    const LONG: Duration = Duration::from_mins(1);

    let server = XServer::start("800x600x24").with_window_manager();
    let mut foreground = foreground(&server);
    let first = server.xterm("First", "40x10+20+30");
    let second = server.xterm("Second", "40x10+400+30");
    let mut wait_for = |title: &str| {
        // Each round ends by an event; a missed one would let the test run into its time limit.
        loop {
            let active = foreground.active().expect("the server is there");
            if let Some(active) = active.filter(|active| active.title == title) {
                assert!(active.active);
                return active;
            }
            foreground.wait(LONG).expect("the server is there");
        }
    };

    server.xdotool(&["windowactivate", &first.to_string()]);
    assert_eq!(wait_for("First").application, "XTerm");
    server.xdotool(&["windowactivate", &second.to_string()]);
    assert!(wait_for("Second").area.height > server.place_of(second).height);
    set_property(
        &server.connect(),
        second,
        "_NET_WM_NAME",
        "UTF8_STRING",
        "Drugie – żółć".as_bytes(),
    );
    wait_for("Drugie – żółć");
}

#[test]
fn a_title_that_changes_all_the_time_is_told_ten_times_a_second_at_most() {
    let server = XServer::start("640x480x24").with_window_manager();
    let window = server.xterm("Restless", "40x10+20+30");
    server.xdotool(&["windowactivate", "--sync", &window.to_string()]);
    let mut foreground = foreground(&server);
    let clock = server.desktop().clock();
    let now = || clock.now().mono_ms;
    let end = now() + 1000;
    let (stop, stopped) = mpsc::channel::<()>();
    let connection = server.connect();
    let changes = thread::spawn(move || {
        let mut changes = 0;
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            changes += 1;
            let title = format!("Restless {changes}");
            set_property(
                &connection,
                window,
                "_NET_WM_NAME",
                "UTF8_STRING",
                title.as_bytes(),
            );
        }
        changes
    });
    let mut told = 0;
    while now() < end {
        foreground.active().expect("the server is there");
        foreground
            .wait(Duration::from_mins(1))
            .expect("the server is there");
        told += 1;
    }
    drop(stop);
    let changes = changes.join().expect("it does not panic");
    assert!(changes > 100, "{changes} changes are too few to tell");
    assert!((2..=12).contains(&told), "told {told} times");
}

#[test]
fn waiting_ends_when_the_time_is_over() {
    let server = XServer::start("640x480x24").with_window_manager();
    let mut foreground = foreground(&server);
    let clock = server.desktop().clock();
    foreground.active().expect("the server is there");
    // What the window manager did at its start may still be coming in.
    foreground
        .wait(Duration::from_millis(200))
        .expect("the server is there");
    let before = clock.now();
    let changed = foreground
        .wait(Duration::from_millis(300))
        .expect("the server is there");
    assert!(clock.now().mono_ms - before.mono_ms >= 299);
    assert!(!changed, "nothing to ask for again");
}

#[test]
fn without_a_window_manager_the_focus_tells_the_window() {
    let server = XServer::start("640x480x24");
    let window = server.xterm("Bare", "40x10+20+30");
    server.xdotool(&["windowfocus", "--sync", &window.to_string()]);
    let mut foreground = foreground(&server);
    let active = foreground
        .active()
        .expect("the server is there")
        .expect("there is one");
    assert_eq!(
        (active.application.as_str(), active.title.as_str()),
        ("XTerm", "Bare")
    );
    drop(server.output("xdotool", &["windowunmap", "--sync", &window.to_string()]));
    assert_eq!(foreground.active().expect("the server is there"), None);
}

#[test]
fn a_permit_without_counts_or_names_opens_neither() {
    let server = XServer::start("640x480x24");
    let license = license_with(&json!({"name": "Idle only", "activity": {}}));
    let permit = license.permits().activity().expect("the channel is there");
    let refused =
        |error: Unavailable| assert!(matches!(error, Unavailable::Denied(_)), "{error:?}");
    refused(
        server
            .desktop()
            .input(&permit)
            .map(drop)
            .expect_err("counts are not permitted"),
    );
    refused(
        server
            .desktop()
            .foreground(&permit)
            .map(drop)
            .expect_err("names are not permitted"),
    );
}

#[test]
fn which_key_was_pressed_is_never_read() {
    let source = include_str!("../src/platform/linux/input.rs");
    let reads: Vec<_> = source
        .lines()
        .filter(|line| line.contains("detail"))
        .collect();
    assert_eq!(reads.len(), 1, "{reads:?}");
    assert!(
        reads[0].contains("XinputRawButtonPress(button)"),
        "{reads:?}"
    );
    assert!(reads[0].contains("button.detail"), "{reads:?}");

    // Nowhere else is input looked at, and nothing turns key codes into characters.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/platform/linux");
    let mut paths = vec![PathBuf::from(folder)];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            let listed = std::fs::read_dir(&path).expect("the folder is there");
            paths.extend(listed.map(|file| file.expect("it can be listed").path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("it is text");
        let is_input = path.ends_with("input.rs");
        for word in [
            "XinputRaw",
            "KeyPress",
            "KEY_PRESS",
            "keysym",
            "Keysym",
            "keymap",
            "keycode",
        ] {
            let allowed = is_input && ["XinputRaw", "KeyPress", "KEY_PRESS"].contains(&word);
            assert!(
                allowed || !text.contains(word),
                "{} has {word}",
                path.display()
            );
        }
    }
}
