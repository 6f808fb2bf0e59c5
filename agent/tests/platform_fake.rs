//! The fake desktop behaves as a real one would, so that tests above it can be believed.

mod platform_support;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use glasshour_agent::platform::fake::{FakeDesktop, Source, picture};
use glasshour_agent::platform::{Message, Monitor, Platform, Rect, Screens, Unavailable, Window};
use glasshour_agent::tray::{Action, Icon, View};
use glasshour_license_format::License;
use glasshour_protocol::payload::InputCounts;
use platform_support::{license, license_with};
use serde_json::json;

fn screens(desktop: &FakeDesktop, license: &License) -> Result<Box<dyn Screens>, Unavailable> {
    desktop.screens(
        &license
            .permits()
            .screenshots()
            .expect("the license permits it"),
    )
}

fn view(icon: Icon) -> View {
    View {
        icon,
        tooltip: "Glasshour".to_owned(),
        label: "Glasshour".to_owned(),
        menu: Vec::new(),
        running: icon == Icon::Tracking,
    }
}

#[test]
fn queued_pictures_are_taken_in_turn_and_the_last_one_stays() {
    let desktop = FakeDesktop::new();
    let mut screens = screens(&desktop, &license()).expect("nothing was made to fail");
    let monitor = screens
        .monitors()
        .expect("nothing was made to fail")
        .remove(0);
    assert_eq!(screens.grab(&monitor), Ok(picture(64, 48, 0)));
    for number in [1, 2] {
        desktop.queue_frame("Fake-1", picture(64, 48, number));
    }
    let numbers = [1, 2, 2].map(|number| Ok(picture(64, 48, number)));
    assert_eq!([(); 3].map(|()| screens.grab(&monitor)), numbers);
    assert_eq!(desktop.grabs(), 4);
}

#[test]
fn an_unplugged_monitor_gives_no_picture() {
    let desktop = FakeDesktop::new();
    let mut screens = screens(&desktop, &license()).expect("nothing was made to fail");
    let monitor = screens
        .monitors()
        .expect("nothing was made to fail")
        .remove(0);
    let other = Monitor {
        name: "Fake-2".to_owned(),
        area: Rect {
            x: 64,
            y: 0,
            width: 8,
            height: 8,
        },
        primary: false,
    };
    desktop.set_monitors(vec![other.clone()]);
    assert!(matches!(screens.grab(&monitor), Err(Unavailable::Gone(_))));
    assert_eq!(screens.grab(&other), Ok(picture(8, 8, 0)));
}

#[test]
fn a_failing_source_fails_open_or_not_until_it_is_healed() {
    let desktop = FakeDesktop::new();
    let license = license();
    let mut open = screens(&desktop, &license).expect("nothing was made to fail");
    for error in [
        Unavailable::Gone("asleep".to_owned()),
        Unavailable::Denied("not granted".to_owned()),
        Unavailable::Unsupported("never".to_owned()),
    ] {
        desktop.fail(Source::Screens, error.clone());
        assert_eq!(open.monitors(), Err(error.clone()));
        assert_eq!(open.windows(), Err(error.clone()));
        assert_eq!(
            screens(&desktop, &license).map(drop).expect_err("it fails"),
            error
        );
    }
    desktop.heal(Source::Screens);
    assert!(open.monitors().is_ok());
    assert_eq!(desktop.opened(Source::Screens), 1);

    desktop.fail(
        Source::Windows,
        Unavailable::Gone("no window manager".to_owned()),
    );
    assert!(open.windows().is_err());
    let monitor = open
        .monitors()
        .expect("monitors are told all the same")
        .remove(0);
    assert!(open.grab(&monitor).is_ok());
}

#[test]
fn input_is_counted_from_opening_and_ends_idle_time() {
    let desktop = FakeDesktop::new();
    let license = license();
    desktop.add_keys(9);
    let permit = license
        .permits()
        .activity()
        .expect("the license permits it");
    let mut input = desktop.input(&permit).expect("nothing was made to fail");
    let mut idle = desktop.idle().expect("nothing was made to fail");

    desktop.time().advance(Duration::from_secs(40));
    desktop.time().sleep(Duration::from_mins(10));
    assert_eq!(
        idle.idle(),
        Ok(Duration::from_secs(40)),
        "sleep does not count"
    );
    desktop.add_keys(2);
    desktop.add_input(InputCounts {
        clicks: 1,
        scrolls: 3,
        exact: true,
        ..InputCounts::default()
    });
    assert_eq!(idle.idle(), Ok(Duration::ZERO));
    let expected = InputCounts {
        keys: 2,
        clicks: 1,
        scrolls: 3,
        motions: 0,
        exact: true,
    };
    assert_eq!(input.take(), Ok(expected));
    assert_eq!(
        input.take(),
        Ok(InputCounts {
            exact: true,
            ..InputCounts::default()
        })
    );
    desktop.set_idle(Duration::from_secs(7));
    assert_eq!(idle.idle(), Ok(Duration::from_secs(7)));
}

#[test]
fn a_new_foreground_ends_the_waiting() {
    let desktop = FakeDesktop::new();
    let permit = license()
        .permits()
        .activity()
        .expect("the license permits it");
    let mut foreground = desktop
        .foreground(&permit)
        .expect("nothing was made to fail");
    let seen = foreground
        .active()
        .expect("nothing was made to fail")
        .expect("there is a window");
    assert_eq!(
        (seen.application.as_str(), seen.title.as_str()),
        ("Editor", "Notes")
    );

    let next = Window {
        application: "Browser".to_owned(),
        ..seen
    };
    let setter = thread::spawn({
        let (desktop, next) = (desktop.clone(), next.clone());
        move || desktop.set_foreground(Some(next))
    });
    while foreground
        .active()
        .expect("nothing was made to fail")
        .as_ref()
        != Some(&next)
    {
        foreground
            .wait(Duration::from_mins(1))
            .expect("nothing was made to fail");
    }
    setter.join().expect("it does not panic");
    desktop.fail(Source::Foreground, Unavailable::Gone("asleep".to_owned()));
    assert!(foreground.wait(Duration::from_mins(1)).is_err());
}

#[test]
fn permits_are_asked_for_as_on_a_real_desktop() {
    let desktop = FakeDesktop::new();
    let license = license_with(&json!({"name": "Idle only", "activity": {}}));
    let permit = license.permits().activity().expect("the channel is there");
    assert!(matches!(
        desktop.input(&permit).map(drop),
        Err(Unavailable::Denied(_))
    ));
    assert!(matches!(
        desktop.foreground(&permit).map(drop),
        Err(Unavailable::Denied(_))
    ));
    assert_eq!(
        desktop.opened(Source::Input) + desktop.opened(Source::Foreground),
        0
    );
}

#[test]
fn the_tray_and_messages_are_kept_for_the_test_to_see() {
    let desktop = FakeDesktop::new();
    assert!(!desktop.pick(Action::Stop), "there is no tray yet");
    let (sender, picks) = mpsc::channel();
    let picked = move |action| sender.send(action).expect("the test listens");
    let mut tray = desktop
        .tray(&view(Icon::Off), Box::new(picked))
        .expect("nothing fails");
    assert!(desktop.pick(Action::Stop));
    assert_eq!(picks.recv(), Ok(Action::Stop));
    tray.show(&view(Icon::Tracking))
        .expect("nothing was made to fail");
    assert_eq!(desktop.views(), [view(Icon::Off), view(Icon::Tracking)]);
    assert_eq!(tray.is_shown(), Ok(true));
    desktop.set_tray_is_shown(false);
    assert_eq!(tray.is_shown(), Ok(false));
    drop(tray);
    assert!(!desktop.has_tray());

    let message = Message {
        title: "Hello".to_owned(),
        body: "There".to_owned(),
        important: false,
    };
    desktop
        .notifier()
        .expect("nothing fails")
        .notify(&message)
        .expect("nothing fails");
    assert_eq!(desktop.messages(), [message]);
}

#[test]
fn the_indicator_is_kept_apart_from_the_tray() {
    let desktop = FakeDesktop::new();
    let lost = Unavailable::Gone("no display".to_owned());
    desktop.fail(Source::Indicator, lost.clone());
    let refused = desktop.indicator(&view(Icon::Tracking)).map(drop);
    assert_eq!(refused, Err(lost.clone()));
    assert!(!desktop.has_indicator());

    desktop.heal(Source::Indicator);
    let mut indicator = desktop
        .indicator(&view(Icon::Tracking))
        .expect("it is healed");
    assert!(desktop.has_indicator() && !desktop.has_tray());
    assert_eq!(indicator.is_shown(), Ok(true));
    desktop.set_indicator_is_shown(false);
    assert_eq!(indicator.is_shown(), Ok(false));
    indicator
        .show(&view(Icon::Paused))
        .expect("nothing was made to fail");
    let shown = [view(Icon::Tracking), view(Icon::Paused)];
    assert_eq!(desktop.indicator_views(), shown);
    assert_eq!(desktop.views(), [], "the tray has shown nothing");

    desktop.fail(Source::Indicator, lost.clone());
    assert_eq!(indicator.show(&view(Icon::Off)), Err(lost.clone()));
    assert_eq!(indicator.is_shown(), Err(lost));
    drop(indicator);
    assert!(!desktop.has_indicator());
}

#[test]
fn a_desktop_can_be_shared_between_threads() {
    fn shareable<T: Platform + Send + Sync + Clone + 'static>(_: &T) {}
    let desktop = FakeDesktop::new();
    shareable(&desktop);
    assert!(desktop.is_user("jo") && !desktop.is_user("root"));
    desktop.add_user("root");
    assert!(
        desktop.clone().is_user("root"),
        "a clone is the same desktop"
    );
    assert_eq!(desktop.identity().os_user, "jo");
}
