//! The notice, in every language: it says what the license says, all of it, and nothing else.

use super::*;
use glasshour_license_format::{
    ActivitySettings, Blur, CameraSettings, Day, Monitors, ScreenshotSettings,
};

const FRENCH: Words = Words::new(Language::French);

fn profile(json: serde_json::Value) -> Profile {
    let mut json = json;
    json["name"] = "Standard".into();
    serde_json::from_value(json).unwrap()
}

fn input(profile: &Profile, work_mode: WorkMode) -> NoticeInput<'_> {
    NoticeInput {
        company: "Acme",
        employee: "Jo Doe",
        work_mode,
        profile,
        server_url: "https://time.acme.example",
        retention: None,
        privacy_contact: None,
        extra: None,
        not_before: None,
        expires_at: None,
    }
}

fn of(profile: &Profile, work_mode: WorkMode) -> Notice {
    input(profile, work_mode).notice(Words::ENGLISH)
}

fn full() -> Profile {
    profile(serde_json::json!({
        "screenshots": {"per_hour": 6, "random_moment": true, "monitors": "all", "blur": "none",
            "max_width_px": 1920, "skip_unchanged": true},
        "camera": {"per_hour": 1},
        "activity": {"input_counts": true, "applications": true, "window_titles": true},
        "idle_after_s": 300,
        "schedule": {"time_zone": "Europe/Paris", "days": ["mon","tue","wed","thu","fri"],
            "from": "08:00", "to": "19:00"},
        "exclude": {"applications": ["KeePassXC"], "title_contains": ["Private Browsing"]},
        "review_hold_s": 0,
        "employee_may_delete": true
    }))
}

#[test]
fn p07_every_setting_changes_the_text() {
    let base = full();
    let text = |p: &Profile| of(p, WorkMode::Worklog).to_text();
    let mut shots = ScreenshotSettings {
        max_width_px: Some(1920),
        ..Default::default()
    };
    let with = |shots: &ScreenshotSettings| Profile {
        screenshots: Some(shots.clone()),
        ..base.clone()
    };
    assert_eq!(text(&with(&shots)), text(&base));
    let mut changed = Vec::new();
    for change in [
        (|s| s.per_hour = 7) as fn(&mut ScreenshotSettings),
        |s| s.random_moment = false,
        |s| s.monitors = Monitors::Active,
        |s| s.blur = Blur::Light,
        |s| s.blur = Blur::Strong,
        |s| s.max_width_px = None,
        |s| s.skip_unchanged = false,
    ] {
        let kept = shots.clone();
        change(&mut shots);
        changed.push(with(&shots));
        shots = kept;
    }
    for change in [
        (|p| p.screenshots = None) as fn(&mut Profile),
        |p| p.camera = None,
        |p| p.camera = Some(CameraSettings { per_hour: 2 }),
        |p| p.activity = None,
        |p| p.activity.as_mut().unwrap().input_counts = false,
        |p| p.activity.as_mut().unwrap().applications = false,
        |p| p.activity.as_mut().unwrap().window_titles = false,
        |p| p.idle_after_s = 90,
        |p| p.schedule = None,
        |p| p.schedule.as_mut().unwrap().days = vec![Day::Mon],
        |p| p.schedule.as_mut().unwrap().from = "09:00".parse().unwrap(),
        |p| p.schedule.as_mut().unwrap().to = "24:00".parse().unwrap(),
        |p| p.schedule.as_mut().unwrap().time_zone = "Asia/Tokyo".into(),
        |p| p.exclude.applications.clear(),
        |p| p.exclude.title_contains.clear(),
        |p| p.review_hold_s = 3600,
        |p| p.employee_may_delete = false,
    ] {
        let mut other = base.clone();
        change(&mut other);
        changed.push(other);
    }
    changed.push(base.clone());
    let worklog = input(&base, WorkMode::Worklog);
    let days = |screenshot, session| RetentionDays {
        screenshot,
        session,
        ..RetentionDays::default()
    };
    let kept = [
        days(Some(30), None),
        days(Some(31), None),
        days(None, Some(30)),
    ];
    let mut inputs: Vec<_> = changed
        .iter()
        .map(|p| input(p, WorkMode::Worklog))
        .collect();
    inputs.extend(kept.iter().map(|kept| NoticeInput {
        retention: Some(kept),
        ..worklog.clone()
    }));
    let moment = Timestamp::UNIX_EPOCH;
    let change = |change: fn(&mut NoticeInput<'_>)| {
        let mut input = worklog.clone();
        change(&mut input);
        input
    };
    inputs.extend([
        change(|i| i.work_mode = WorkMode::Monitoring),
        change(|i| i.company = "Other"),
        change(|i| i.employee = ""),
        change(|i| i.server_url = "https://other.example"),
        change(|i| i.privacy_contact = Some("dpo@acme.example")),
        change(|i| i.extra = Some("Ask Ann.")),
        NoticeInput {
            not_before: Some(moment),
            ..worklog.clone()
        },
        NoticeInput {
            expires_at: Some(moment),
            ..worklog.clone()
        },
    ]);
    for words in Language::ALL.map(Words::new) {
        let mut texts: Vec<String> = inputs.iter().map(|i| i.notice(words).to_text()).collect();
        let count = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), count, "two different licenses read the same");
    }
}

/// What a channel is called wherever it is captured, by language: pictures, camera, counts, applications,
/// titles.
fn names(language: Language) -> [&'static str; 5] {
    match language {
        Language::English => ["icture", "camera", "keys", "applications you use", "titles"],
        Language::French => ["mage", "caméra", "clavier", "applications que", "titre"],
    }
}

#[test]
fn p12_an_absent_channel_is_never_promised_as_captured() {
    let bare = profile(serde_json::json!({}));
    let mut counts = bare.clone();
    counts.activity = Some(ActivitySettings {
        input_counts: true,
        ..Default::default()
    });
    for language in Language::ALL {
        let words = Words::new(language);
        let lines = |profile: &Profile, topic| {
            let notice = input(profile, WorkMode::Worklog).notice(words);
            notice.lines(topic).join("\n")
        };
        let [pictures, camera, keys, applications, titles] = names(language);
        assert_eq!(
            lines(&bare, Topic::Captured),
            words.say(Message::CapturedNothing {})
        );
        let captured = lines(&counts, Topic::Captured);
        assert!(captured.contains(keys), "{captured}");
        for word in [pictures, camera, applications, titles] {
            assert!(!captured.contains(word), "{word} in:\n{captured}");
        }
        let captured = lines(&full(), Topic::Captured);
        for word in [pictures, camera, keys, applications, titles] {
            assert!(captured.contains(word), "{word} in:\n{captured}");
        }
        let absent = [
            Message::NeverScreen {},
            Message::NeverCamera {},
            Message::NeverInput {},
            Message::NeverApplications {},
            Message::NeverTitles {},
        ];
        let (of_bare, of_full) = (lines(&bare, Topic::Never), lines(&full(), Topic::Never));
        for line in absent.map(|line| words.say(line)) {
            assert!(of_bare.contains(&line), "{line} in:\n{of_bare}");
            assert!(!of_full.contains(&line), "{line} in:\n{of_full}");
        }
        // Nor is anything said to be kept that is not captured.
        let kept = RetentionDays {
            screenshot: Some(1),
            camera: Some(2),
            activity: Some(3),
            session: Some(4),
        };
        let mut bare = input(&bare, WorkMode::Worklog);
        bare.retention = Some(&kept);
        let time = words.part(Message::Days { count: 4 });
        let sessions = words.say(Message::KeptSessions { time });
        assert_eq!(bare.notice(words).lines(Topic::Kept), [sessions]);
    }
}

#[test]
fn how_long_it_is_kept_is_said_where_the_license_says_it_and_never_made_up() {
    let profile = full();
    let mut input = input(&profile, WorkMode::Worklog);
    let lines = |input: &NoticeInput<'_>| input.notice(Words::ENGLISH).lines(Topic::Kept).to_vec();
    let open = "Your employer decides how long it is kept on the server. Ask Acme.";
    assert_eq!(lines(&input), [open]);
    input.privacy_contact = Some("dpo@acme.example");
    assert_eq!(lines(&input), [open.replace("Acme", "dpo@acme.example")]);
    let none = RetentionDays::default();
    input.retention = Some(&none);
    assert_eq!(lines(&input), [open.replace("Acme", "dpo@acme.example")]);
    let some = RetentionDays {
        screenshot: Some(1),
        session: Some(1095),
        ..none.clone()
    };
    input.retention = Some(&some);
    assert_eq!(
        lines(&input),
        [
            "Pictures of your screen: 1 day.",
            "Your work sessions: 1,095 days.",
            "The rest: your employer decides how long. Ask dpo@acme.example.",
        ]
    );
}

#[test]
fn what_is_never_captured_is_said_in_every_notice() {
    for profile in [full(), profile(serde_json::json!({}))] {
        for (words, never) in [
            (
                Words::ENGLISH,
                ["no key is ever", "Passwords", "clipboard", "microphone"],
            ),
            (
                FRENCH,
                [
                    "aucune touche n’est jamais",
                    "mots de passe",
                    "presse-papiers",
                    "microphone",
                ],
            ),
        ] {
            let notice = input(&profile, WorkMode::Monitoring).notice(words);
            let lines = notice.lines(Topic::Never).join("\n");
            for word in never {
                assert!(lines.contains(word), "{word}");
            }
        }
    }
}

#[test]
fn hostile_text_cannot_steer_a_terminal() {
    let mut profile = full();
    profile.exclude.applications = vec!["Key\u{1b}[8mPass".into()];
    profile.exclude.title_contains = vec!["Ba\u{2066}nk".into()];
    profile.schedule.as_mut().unwrap().time_zone = "Eur\u{202e}ope/Paris\n".into();
    for words in Language::ALL.map(Words::new) {
        let mut input = NoticeInput {
            company: "Ac\u{1b}[2Jme\nInc",
            employee: "Jo\u{202e}",
            server_url: "https://x.example/\u{7}",
            privacy_contact: Some("\u{9b}31m dpo@acme.example { $company }"),
            extra: Some("first\r\nsecond"),
            expires_at: Some(Timestamp::UNIX_EPOCH),
            ..input(&profile, WorkMode::Worklog)
        };
        let text = input.notice(words).to_text();
        let bad = |c: &char| *c != '\n' && glasshour_license_format::misleads(*c);
        assert_eq!(text.chars().find(bad), None, "{text:?}");
        for whole in [
            "Ac[2Jme Inc",
            "Key[8mPass",
            "Bank",
            "Europe/Paris",
            "first  second",
        ] {
            assert!(text.contains(whole), "{whole} in {text:?}");
        }
        // What looks like a place for an argument is text as well.
        assert!(text.contains("31m dpo@acme.example { $company }"), "{text}");
        input.extra = Some(" \n ");
        assert!(input.notice(words).lines(Topic::Employer).is_empty());
    }
}

#[test]
fn the_notice_as_it_is_read() {
    let text = include_str!("../../../license-format/fixtures/v1/claims-retention.json");
    let mut rich: Claims = serde_json::from_str(text).unwrap();
    rich.work_mode = WorkMode::Monitoring;
    rich.expires_at = Some("2027-12-31T23:00:00Z".parse().unwrap());
    rich.profile.review_hold_s = 5400;
    rich.profile.exclude.applications.push("Signal".into());
    rich.profile.exclude.title_contains.push("Bank".into());
    rich.profile.activity.as_mut().unwrap().window_titles = true;
    rich.profile.screenshots.as_mut().unwrap().blur = Blur::Light;
    let text = include_str!("../../../license-format/fixtures/v1/claims.json");
    let mut bare: Claims = serde_json::from_str(text).unwrap();
    bare.profile = profile(serde_json::json!({}));
    (bare.notice, bare.issuer.privacy_contact) = (None, None);
    for language in Language::ALL {
        let words = Words::new(language);
        for (name, claims) in [("rich", &rich), ("bare", &bare)] {
            let text = notice(claims, words).to_text();
            insta::assert_snapshot!(format!("{name}_{language}"), text);
        }
    }
}
