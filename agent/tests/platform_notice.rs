//! The window that shows a notice whole, on a real X server.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the lints' exception for tests does not reach helpers of integration tests"
)]

mod platform_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use glasshour_agent::platform::{Message, NoticeWindow, Platform as _, Rect, Unavailable};
use glasshour_words::{Language, Words};
use platform_support::{XServer, eventually, license};

const TITLE: &str = "What Glasshour captures for Acme";

fn message(lines: usize) -> Message {
    let lines: Vec<_> = (1..=lines)
        .map(|n| {
            format!("  - line {n} of what is captured, in words that are long enough to break")
        })
        .collect();
    Message {
        title: TITLE.to_owned(),
        body: lines.join("\n"),
        important: true,
    }
}

struct Shown {
    window: Box<dyn NoticeWindow>,
    seen: Arc<AtomicU32>,
}

impl Shown {
    fn open(server: &XServer, message: &Message, words: Words) -> Self {
        let seen = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&seen);
        let counts = Box::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let window = server.desktop().notice_window(message, words, counts);
        Self {
            window: window.expect("the notice opens"),
            seen,
        }
    }

    fn times_seen(&self) -> u32 {
        self.seen.load(Ordering::Relaxed)
    }
}

/// Where the notice is on the screen.
fn place(server: &XServer) -> Option<Rect> {
    let license = license();
    let permit = license.permits().screenshots().expect("it is permitted");
    let screens = server.desktop().screens(&permit);
    let windows = screens.expect("the screens open").windows();
    let windows = windows.expect("windows are told");
    let of_ours = windows.iter().find(|window| window.title == TITLE);
    of_ours.map(|window| window.area)
}

/// The screen's pixels within.
fn picture(server: &XServer, area: Rect) -> Vec<[u8; 4]> {
    let license = license();
    let permit = license.permits().screenshots().expect("it is permitted");
    let screens = server.desktop().screens(&permit);
    let mut screens = screens.expect("the screens open");
    let monitor = screens.monitors().expect("monitors are told").remove(0);
    let frame = screens.grab(&monitor).expect("a picture is taken");
    let pixels = frame.rgba.as_chunks::<4>().0;
    let side = |value: i32| usize::try_from(value).expect("it lies on the screen");
    (0..area.height as usize)
        .flat_map(|y| {
            let start = (side(area.y) + y) * frame.width as usize + side(area.x);
            pixels[start..start + area.width as usize].to_vec()
        })
        .collect()
}

fn click(server: &XServer, (x, y): (i32, i32)) {
    server.xdotool(&["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
}

/// The middle of the lower right button; `left`: pixels to the left of its right edge.
fn button(area: Rect, left: i32) -> (i32, i32) {
    let right = area.x + i32::try_from(area.width).expect("small") - 24;
    let bottom = area.y + i32::try_from(area.height).expect("small") - 24;
    (right - left, bottom - 24)
}

#[test]
fn it_shows_the_notice_whole_page_by_page_until_it_is_closed() {
    let server = XServer::start("1280x800x24");
    let shown = Shown::open(&server, &message(60), Words::ENGLISH);
    eventually("it is seen", || shown.times_seen() == 1);
    let area = place(&server).expect("it is on the screen");
    assert!(area.height <= 800 * 80 / 100, "{area:?}");
    let first = picture(&server, area);
    let ink = |picture: &[[u8; 4]]| {
        let dark = picture
            .iter()
            .filter(|pixel| pixel[..3] == [0x14, 0x20, 0x1e]);
        dark.count()
    };
    assert!(ink(&first) > 5000, "the text is drawn: {}", ink(&first));

    // "Next" has its place beside "Close", and is not there on the last page.
    let next = button(area, 110);
    let has_next = |picture: &[[u8; 4]]| {
        let side = |value: i32| usize::try_from(value).expect("it lies in the window");
        let line = side(next.1 - area.y) * area.width as usize;
        let from = line + side(next.0 - area.x - 40);
        picture[from..from + 80]
            .iter()
            .any(|pixel| pixel[..3] == [0x14, 0x20, 0x1e])
    };
    let mut pages = vec![first];
    while pages.last().is_some_and(|page| has_next(page)) {
        click(&server, next);
        let before = pages.last().cloned().expect("one");
        eventually("the page is turned", || picture(&server, area) != before);
        pages.push(picture(&server, area));
        assert!(pages.len() < 9, "it has an end");
    }
    assert!(
        pages.len() > 2,
        "60 lines take three pages: {}",
        pages.len()
    );

    assert!(shown.window.is_open(), "it stays until it is closed");
    click(&server, button(area, 20));
    eventually("it is closed", || !shown.window.is_open());
    eventually("it is gone", || place(&server).is_none());
    assert_eq!(shown.times_seen(), 1, "seen is said once");
}

#[test]
fn it_leaves_with_its_owner() {
    let server = XServer::start("1024x768x24");
    let shown = Shown::open(&server, &message(3), Words::new(Language::French));
    eventually("it is seen", || shown.times_seen() == 1);
    assert!(place(&server).is_some());
    drop(shown);
    eventually("it is gone", || place(&server).is_none());
}

#[test]
fn without_a_display_it_says_that_there_can_be_none() {
    let mut server = XServer::start("640x480x24");
    let desktop = server.desktop();
    let shown = Shown::open(&server, &message(3), Words::ENGLISH);
    server.kill();
    eventually("its window is gone with the display", || {
        !shown.window.is_open()
    });
    let again = desktop.notice_window(&message(3), Words::ENGLISH, Box::new(|| ()));
    assert!(matches!(again.map(drop), Err(Unavailable::Gone(_))));
}
