//! What a profile excludes is in no picture and in no minute, wherever its window lies: the fields
//! `exclude.applications` and `exclude.title_contains`.

use anyhow::Result;
use glasshour_protocol::Kind;
use glasshour_tests::desktop::{Prop, RIGHT, windows};
use glasshour_tests::wait::wall_ms;
use glasshour_tests::{Seen, Worker, tell};
use serde_json::{Value, json};

/// Nothing else on the stage is of this colour, nor anything between two others.
const SECRET: [u8; 3] = [255, 0, 255];
const VAULT: Prop = Prop {
    application: "Vault",
    title: "Salaries 7731",
    colour: SECRET,
    geometry: "24x12+980+500",
};
/// What the vault is later half hidden under.
const COVER: Prop = Prop {
    application: "Cover",
    title: "Lunch menu",
    colour: [0, 96, 32],
    geometry: "24x12+760+200",
};

fn settings(exclude: &Value) -> Value {
    json!({
        // Every three seconds: three agents look at once.
        "screenshots": {"per_hour": 1200, "monitors": "all"},
        "activity": {"applications": true, "window_titles": true},
        "exclude": exclude,
    })
}

/// Pixels of the secret colour on the right monitor's newest picture; `None` before there is one after
/// that moment.
fn shown(seen: &Seen, after_ms: i64) -> Result<Option<usize>> {
    let shots = seen.shots()?;
    let newest = shots
        .iter()
        .rfind(|shot| shot.frame.monitor == RIGHT && shot.at_ms > after_ms);
    let picture = newest.and_then(|shot| shot.picture.as_ref());
    Ok(picture.map(|picture| picture.count_near(SECRET)))
}

#[test]
fn an_excluded_window_is_in_no_picture_and_no_minute() -> Result<()> {
    tell(|story| {
        story.desktop.split_in_two()?;
        story.desktop.open(&VAULT)?;
        story.desktop.open(&COVER)?;
        let input = story.desktop.input();
        input.activate(windows::EDITOR)?;

        let by_name = json!({"applications": ["vAULT"]});
        let by_title = json!({"title_contains": ["salarIES"]});
        let mut workers = [
            Worker::at_work(story, "by-name", &settings(&by_name))?,
            Worker::at_work(story, "by-title", &settings(&by_title))?,
            Worker::at_work(story, "free", &settings(&json!({})))?,
        ];
        let [name, title, free] = &workers;

        // Unfocused on the second monitor; then half under another window there; then in front.
        for step in ["unfocused", "half covered", "in front"] {
            match step {
                "half covered" => {
                    input.activate(COVER.title)?;
                    input.move_window(COVER.title, 1080, 500)?;
                }
                "in front" => input.activate(VAULT.title)?,
                _ => {}
            }
            let from = wall_ms();
            free.seen_when(&format!("the vault {step} on a picture"), |seen| {
                let pixels = shown(seen, from)?.unwrap_or(0);
                Ok(match step {
                    "half covered" => (5_000..25_000).contains(&pixels),
                    _ => pixels > 30_000,
                })
            })?;
            for other in [name, title] {
                let what = format!("a picture with the vault {step}");
                other.seen_when(&what, |seen| Ok(shown(seen, from)?.is_some()))?;
            }
        }

        let [name, title, free] = &mut workers;
        for worker in [name, title] {
            let seen = worker.finish()?;
            let mut masked = 0;
            for shot in seen.shots()? {
                assert!(!shot.frame.windows_unknown, "{:?}", shot.frame);
                let picture = shot.picture.as_ref();
                let pixels = picture.map_or(0, |picture| picture.count_near(SECRET));
                assert_eq!(pixels, 0, "{:?}", shot.frame);
                masked += usize::from(shot.frame.monitor == RIGHT);
                let windows = u32::from(shot.frame.monitor == RIGHT);
                assert_eq!(shot.frame.masked_windows, windows, "{:?}", shot.frame);
            }
            assert!(masked >= 3, "{masked} pictures of the monitor it is on");
            let minutes = seen.texts(Kind::Activity)?.concat().to_lowercase();
            assert!(minutes.contains("lunch menu"), "{minutes}");
            assert!(
                !minutes.contains("vault") && !minutes.contains("7731"),
                "{minutes}"
            );
        }
        // The same windows at the same time, with nothing excluded: so it was the exclusion.
        let minutes = free.finish()?.texts(Kind::Activity)?.concat();
        assert!(
            minutes.contains("Vault") && minutes.contains("7731"),
            "{minutes}"
        );
        Ok(())
    })
}
