//! Each field of a profile's `screenshots`, on two monitors: how often, when, of what, how sharp, how wide.

use anyhow::Result;
use glasshour_protocol::Kind;
use glasshour_tests::desktop::{LEFT, RIGHT, windows};
use glasshour_tests::picture::Picture;
use glasshour_tests::seen::Shot;
use glasshour_tests::story::SCREEN;
use glasshour_tests::{Seen, Worker, tell};
use serde_json::{Value, json};

/// How late a busy machine may ask for a picture, milliseconds.
const LATE_MS: i64 = 900;

fn screenshots(settings: &Value) -> Value {
    json!({ "screenshots": settings })
}

fn of<'a>(shots: &'a [Shot], monitor: &str) -> Vec<&'a Shot> {
    let of = shots.iter().filter(|shot| shot.frame.monitor == monitor);
    of.collect()
}

#[test]
fn blur_makes_text_unreadable_and_strong_takes_more_than_light() -> Result<()> {
    tell(|story| {
        story.desktop.split_in_two()?;
        let mut contrasts = Vec::new();
        let mut workers = Vec::new();
        for blur in ["none", "light", "strong"] {
            let settings = screenshots(&json!({"per_hour": 1200, "blur": blur}));
            workers.push((blur, Worker::at_work(story, blur, &settings)?));
        }
        for (blur, worker) in &mut workers {
            worker.seen_when("two pictures", |seen| Ok(seen.moments().len() >= 2))?;
            let shots = worker.finish()?.shots()?;
            for shot in &shots {
                assert_eq!(shot.frame.blur, *blur);
            }
            // The document stands still: each picture of it shows the same.
            let mut sharpest = 0.0_f64;
            for shot in of(&shots, RIGHT) {
                let picture = shot.picture.as_ref();
                let edges = picture.map_or(0, Picture::edges);
                if *blur == "none" {
                    assert!(edges > 10_000, "letters have edges: {edges}");
                } else {
                    assert!(edges < 2_000, "{blur} left letters: {edges}");
                }
                sharpest = sharpest.max(picture.map_or(0.0, Picture::contrast));
            }
            contrasts.push(sharpest);
        }
        let [none, light, strong] = contrasts[..] else {
            anyhow::bail!("three blurs were asked for");
        };
        assert!(none > 5.0 * light, "{none} {light}");
        assert!(light > strong && strong > 0.0, "{light} {strong}");
        Ok(())
    })
}

#[test]
fn only_the_monitor_with_the_focus_is_pictured_and_no_wider_than_licensed() -> Result<()> {
    tell(|story| {
        story.desktop.split_in_two()?;
        let input = story.desktop.input();
        input.activate(windows::EDITOR)?;
        let active = json!({"per_hour": 3600, "monitors": "active", "max_width_px": 320});
        let mut active = Worker::at_work(story, "active", &screenshots(&active))?;
        let all = json!({"per_hour": 1200, "monitors": "all"});
        let mut all = Worker::at_work(story, "all", &screenshots(&all))?;

        active.seen_when("two of the left monitor", |seen| {
            Ok(seen.moments().len() >= 2)
        })?;
        input.activate(windows::DOCUMENT)?;
        let on_the_right =
            |seen: &Seen| -> Result<bool> { Ok(of(&seen.shots()?, RIGHT).len() >= 2) };
        active.seen_when("two of the right monitor", on_the_right)?;
        all.seen_when("two of both monitors", |seen| Ok(seen.moments().len() >= 2))?;

        let seen = active.finish()?;
        let shots = seen.shots()?;
        assert_eq!(shots.len(), seen.moments().len(), "one monitor at a time");
        let left = of(&shots, LEFT).len();
        let names: Vec<_> = shots.iter().map(|s| s.frame.monitor.as_str()).collect();
        // The focus went over once, and the pictures with it.
        let wanted: Vec<_> = (0..shots.len())
            .map(|n| if n < left { LEFT } else { RIGHT })
            .collect();
        assert!(left >= 2 && names == wanted, "{names:?}");
        for shot in &shots {
            let size = shot.picture.as_ref().map(|p| (p.width, p.height));
            // Half a screen, 640x800, at half its width.
            assert_eq!(size, Some((SCREEN.0 / 4, SCREEN.1 / 2)), "{:?}", shot.frame);
            assert_eq!((shot.frame.width, shot.frame.height), (320, 400));
        }

        let seen = all.finish()?;
        let shots = seen.shots()?;
        let moments = seen.moments().len();
        assert_eq!(of(&shots, LEFT).len(), moments);
        assert_eq!(of(&shots, RIGHT).len(), moments);
        for shot in &shots {
            let size = shot.picture.as_ref().map(|p| (p.width, p.height));
            assert_eq!(size, Some((SCREEN.0 / 2, SCREEN.1)), "as it was captured");
        }
        Ok(())
    })
}

#[test]
fn no_more_moments_than_licensed_on_a_grid_or_at_random() -> Result<()> {
    tell(|story| {
        // One every two seconds; small, so that a busy machine keeps up.
        let rate = |per_hour: u32, random: bool| {
            screenshots(&json!({"per_hour": per_hour, "random_moment": random, "max_width_px": 64}))
        };
        let mut grid = Worker::at_work(story, "grid", &rate(1800, false))?;
        let mut random = Worker::at_work(story, "random", &rate(1801, true))?;
        let mut rare = Worker::at_work(story, "rare", &rate(1, false))?;

        let position = |at: &i64| at.rem_euclid(2_000);
        grid.seen_when("six on the grid", |seen| Ok(seen.moments().len() >= 6))?;
        random.seen_when("six, one of them late in its interval", |seen| {
            let moments = seen.moments();
            Ok(moments.len() >= 6 && moments.iter().any(|at| position(at) >= 1_200))
        })?;

        for (worker, on_grid) in [(&mut grid, true), (&mut random, false)] {
            let moments = worker.finish()?.moments();
            let mut intervals: Vec<_> = moments.iter().map(|at| at.div_euclid(2_000)).collect();
            let positions: Vec<_> = moments.iter().map(position).collect();
            if on_grid {
                let late = positions.iter().find(|at| **at > LATE_MS);
                assert_eq!(late, None, "{positions:?}");
                intervals.dedup();
                assert_eq!(intervals.len(), moments.len(), "{moments:?}");
            }
            // At random too, any run of n intervals holds n at the most, and one that came late.
            let (Some(first), Some(last)) = (intervals.first(), intervals.last()) else {
                anyhow::bail!("there were six");
            };
            let most = usize::try_from(last - first)? + 1 + usize::from(!on_grid);
            assert!(moments.len() <= most, "{moments:?}");
        }
        assert!(rare.finish()?.moments().len() <= 1, "one an hour");
        Ok(())
    })
}

#[test]
fn a_picture_equal_to_the_last_is_skipped_only_where_licensed() -> Result<()> {
    tell(|story| {
        // Lines keep coming on the left monitor; on the right one nothing moves.
        story.desktop.split_in_two()?;
        let skip = |skip: bool| screenshots(&json!({"per_hour": 1200, "skip_unchanged": skip}));
        let mut skips = Worker::at_work(story, "skips", &skip(true))?;
        let mut keeps = Worker::at_work(story, "keeps", &skip(false))?;
        let skipped = |seen: &Seen| seen.of(Kind::Screenshot).count() - seen.pictures();
        skips.seen_when("two pictures skipped", |seen| Ok(skipped(seen) >= 2))?;
        keeps.seen_when("three moments", |seen| Ok(seen.moments().len() >= 3))?;

        let seen = skips.finish()?;
        let shots = seen.shots()?;
        for shot in &shots {
            let whole = shot.picture.is_some();
            assert_eq!(whole, !shot.frame.unchanged);
            assert_eq!(whole, shot.payload_len > 0, "{:?}", shot.frame);
        }
        let still = of(&shots, RIGHT);
        assert!(
            still.first().is_some_and(|shot| shot.picture.is_some()),
            "the first one is whole"
        );
        let moving = of(&shots, LEFT);
        assert!(moving.iter().all(|shot| shot.picture.is_some()), "it moved");
        assert_eq!(moving.len(), still.len(), "a record of each moment");

        let seen = keeps.finish()?;
        assert_eq!(skipped(&seen), 0);
        assert_eq!(seen.shots()?.len(), 2 * seen.moments().len());
        Ok(())
    })
}
