//! Of activity, a profile's fields each permit one part: `activity.input_counts`, `activity.applications`,
//! `activity.window_titles`. And what has no field at all is not captured.

use anyhow::Result;
use glasshour_protocol::Kind;
use glasshour_tests::desktop::{Prop, windows};
use glasshour_tests::{Worker, tell};
use serde_json::{Value, json};

const MARKED: Prop = Prop {
    application: "Ledger",
    title: "Zebra 7731",
    colour: [200, 220, 200],
    geometry: "20x6+40+40",
};

/// The stored minutes, as they are.
fn minutes(worker: &mut Worker) -> Result<(Vec<Value>, String)> {
    let seen = worker.finish()?;
    for kind in [Kind::Screenshot, Kind::Camera] {
        assert_eq!(seen.count(kind), 0, "no field permits a {}", kind.as_str());
    }
    let texts = seen.texts(Kind::Activity)?;
    let parsed: Result<_, _> = texts
        .iter()
        .map(|text| serde_json::from_str(text))
        .collect();
    Ok((parsed?, texts.concat()))
}

#[test]
fn each_part_of_activity_is_stored_only_where_its_field_says_so() -> Result<()> {
    tell(|story| {
        story.desktop.open(&MARKED)?;
        let parts = [
            ("counts", json!({"activity": {"input_counts": true}})),
            ("names", json!({"activity": {"applications": true}})),
            (
                "titles",
                json!({"activity": {"applications": true, "window_titles": true}}),
            ),
            ("no-part", json!({"activity": {}})),
            ("nothing", json!({})),
        ];
        let mut workers = Vec::new();
        for (name, settings) in &parts {
            let worker = Worker::hire(story, name, "worklog", settings)?;
            // Without a single channel nothing is ever open, yet the session runs.
            worker.agent.call(["start"])?.ok()?;
            workers.push(worker);
        }
        let [counts, names, titles, no_part, nothing] = workers.as_mut_slice() else {
            anyhow::bail!("five were hired");
        };
        for worker in [&*counts, &*names, &*titles] {
            worker
                .agent
                .wait_for_state("tracking", std::time::Duration::from_mins(1))?;
        }
        let input = story.desktop.input();
        let keys = input.type_keys(120)?;
        let clicks = input.click(3)?;
        input.activate(MARKED.title)?;
        input.activate(windows::EDITOR)?;

        let (stored, text) = minutes(counts)?;
        let sum = |part: &str| -> u64 {
            let of = |minute: &Value| minute["input"][part].as_u64().unwrap_or(0);
            stored.iter().map(of).sum()
        };
        assert_eq!((sum("keys"), sum("clicks")), (keys.into(), clicks.into()));
        assert!(stored.iter().all(|minute| minute["input"].is_object()));
        assert!(!text.contains("applications"), "{text}");
        assert!(!text.contains("Ledger") && !text.contains("7731"), "{text}");

        let (stored, text) = minutes(names)?;
        assert!(text.contains("Ledger"), "{text}");
        assert!(!text.contains("7731") && !text.contains("title"), "{text}");
        assert!(stored.iter().all(|minute| minute.get("input").is_none()));

        let (stored, text) = minutes(titles)?;
        assert!(text.contains("Ledger") && text.contains("Zebra 7731"));
        assert!(stored.iter().all(|minute| minute.get("input").is_none()));

        let (stored, text) = minutes(no_part)?;
        for minute in &stored {
            assert!(minute.get("input").is_none(), "{text}");
            assert!(minute.get("applications").is_none(), "{text}");
        }
        let (stored, _) = minutes(nothing)?;
        assert_eq!(stored.len(), 0, "no activity is licensed");
        Ok(())
    })
}
