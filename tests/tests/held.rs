//! Captures wait on the employee's computer; the employee looks at them and deletes one before it is
//! sent. What was told of it beforehand is what the employer sees, and the picture is nowhere.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use glasshour_protocol::Kind;
use glasshour_tests::agent::exit;
use glasshour_tests::chain;
use glasshour_tests::device::Device;
use glasshour_tests::picture::Picture;
use glasshour_tests::wait::{wait_until, when};
use glasshour_tests::{Story, Worker, tell};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_mins(1);
const EACH_MS: i64 = 5_000;

/// A picture each five seconds, that waits for so long.
fn settings(hold_s: u32, may_delete: bool) -> Value {
    json!({
        "screenshots": {"per_hour": 720, "max_width_px": 640},
        "review_hold_s": hold_s,
        "employee_may_delete": may_delete,
    })
}

fn held(worker: &Worker) -> Result<Vec<Value>> {
    let answer = worker.agent.call(["held", "--json"])?.ok()?;
    Ok(serde_json::from_str(&answer.out)?)
}

fn id(capture: &Value) -> Result<String> {
    let id = capture["record_id"].as_str().context("an id")?;
    Ok(id.to_owned())
}

/// Waits until so many pictures are held. Something is typed all the while, so
/// that each is another one.
fn until_held(story: &Story, worker: &Worker, wanted: usize) -> Result<Vec<Value>> {
    let input = story.desktop.input();
    wait_until(SOON, "captures that are held", || {
        input.type_keys(7)?;
        let all = held(worker)?;
        Ok((all.len() >= wanted).then_some(all))
    })
}

/// The picture of a held capture, as `glasshour held show` writes it.
fn picture(story: &Story, worker: &Worker, id: &str) -> Result<Vec<u8>> {
    let file = story.folder().join("shown.webp");
    let to = file.to_string_lossy().into_owned();
    worker.agent.call(["held", "show", id, "--to", &to])?.ok()?;
    let bytes = std::fs::read(&file)?;
    std::fs::remove_file(&file)?;
    Picture::decode(&bytes)?;
    Ok(bytes)
}

/// Bytes of the one picture that are in none of the others.
fn piece_of_its_own<'a>(picture: &'a [u8], others: &[Vec<u8>]) -> Result<&'a [u8]> {
    let is_in = |piece: &[u8], other: &Vec<u8>| other.windows(piece.len()).any(|w| w == piece);
    let mut pieces = picture.chunks_exact(64).rev();
    pieces
        .find(|piece| !others.iter().any(|other| is_in(piece, other)))
        .context("the picture is like the others")
}

/// Whether a file below the folder has these bytes in it.
fn is_below(folder: &Path, bytes: &[u8]) -> Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let found = if kind.is_dir() {
            is_below(&entry.path(), bytes)?
        } else if kind.is_file() {
            // A temporary file may be gone before it is read.
            let content = std::fs::read(entry.path()).unwrap_or_default();
            content.windows(bytes.len()).any(|window| window == bytes)
        } else {
            false
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

#[test]
fn a_held_capture_that_the_employee_deletes_is_never_sent_and_costs_what_was_told() -> Result<()> {
    tell(|story| {
        let worker = Worker::at_work(story, "jo", &settings(25, true))?;
        let waiting = until_held(story, &worker, 3)?;
        // They are looked at first.
        let mut others = Vec::new();
        let mut unwanted = (String::new(), Vec::new());
        for (n, capture) in waiting.iter().enumerate() {
            let id = id(capture)?;
            let bytes = picture(story, &worker, &id)?;
            match n {
                1 => unwanted = (id, bytes),
                _ => others.push(bytes),
            }
        }
        let (unwanted, bytes) = unwanted;
        let piece = piece_of_its_own(&bytes, &others)?;
        ensure!(
            !is_below(worker.agent.home(), piece)?,
            "what waits in the spool is sealed"
        );
        let sealed = chain::stored(worker.agent.home(), &unwanted)?;
        // Several pieces: one may lie across the end of a page of the database.
        let pieces: Vec<_> = sealed.chunks_exact(64).skip(1).take(8).collect();
        let in_the_spool = || -> Result<bool> {
            for piece in &pieces {
                if is_below(worker.agent.home(), piece)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        ensure!(in_the_spool()?, "it is in the spool");

        // Nobody answers for the employee.
        let unasked = worker.agent.call(["held", "delete", &unwanted])?;
        assert_ne!(unasked.code, 0, "{}", unasked.text());
        assert!(
            unasked.out.contains("Deleting this screenshot takes"),
            "the consequence is told first: {}",
            unasked.text()
        );
        let delete = ["held", "delete", &unwanted, "--yes", "--json"];
        let told: Value = serde_json::from_str(&worker.agent.call(delete)?.ok()?.out)?;
        let told_ms = told["total_ms"].as_i64().context("told")?;
        assert!((1..=EACH_MS).contains(&told_ms), "{told}");
        ensure!(
            !in_the_spool()?,
            "the deleted picture is still in a file of the agent's"
        );
        let again = worker.agent.call(["held", "delete", &unwanted, "--yes"])?;
        assert_ne!(again.code, 0, "{}", again.text());

        worker.agent.call(["stop"])?.ok()?;
        wait_until(SOON, "all that was held to be sent", || {
            Ok(when(worker.agent.status()?.waiting() == 0))
        })?;
        let api = story.api();
        let records = api.records(&worker.employee)?;
        let [gone] = records
            .iter()
            .filter(|record| record.withdrawn.is_some())
            .collect::<Vec<_>>()[..]
        else {
            bail!("one record was withdrawn: {records:?}")
        };
        assert_eq!(gone.record_id, unwanted);
        assert_eq!(gone.withdrawn.as_deref(), Some("employee"));
        assert!(api.payload(gone).is_err(), "it has no payload");
        assert!(
            records.iter().all(|record| record.grade == "verified"),
            "no gap: {records:?}"
        );
        let kept = records.iter().filter(|record| record.has_picture());
        assert!(kept.count() >= others.len(), "the others arrived");
        ensure!(
            !is_below(story.server.data(), piece)?,
            "the deleted picture is at the server"
        );

        let sessions = api.sessions(&worker.employee)?;
        let session = sessions.first().context("a session")?;
        assert_eq!(session["withdrawn_ms"], json!(told_ms), "{session}");
        let events = worker.seen()?.session_events()?;
        let span_ms = events[1].at_ms - events[0].at_ms;
        let sum = ["tracked_ms", "idle_ms", "withdrawn_ms"]
            .iter()
            .filter_map(|name| session[*name].as_i64())
            .sum::<i64>();
        assert_eq!(sum, span_ms, "{session}");

        // And anybody can check it without the server.
        let export = story.folder().join("export.jsonl");
        api.export(&worker.employee, &export)?;
        let file = export.to_string_lossy().into_owned();
        let verified = worker.agent.call(["verify", &file])?.ok()?;
        assert!(
            verified.out.contains("Whole and unaltered"),
            "{}",
            verified.out
        );
        assert!(
            verified
                .out
                .contains("the employee deleted them before they were sent"),
            "{}",
            verified.out
        );

        // A seal says no more than that somebody has sealed it, where nobody knows whose the key is.
        let nobody = story.folder().join("nobody").to_string_lossy().into_owned();
        let elsewhere = ["--home", nobody.as_str(), "verify", file.as_str()];
        let unvouched = worker.agent.call(elsewhere)?;
        assert_eq!(unvouched.code, exit::UNPROVEN, "{}", unvouched.text());
        assert!(!unvouched.out.contains("Whole"), "{}", unvouched.out);
        assert!(unvouched.out.contains("--key"), "{}", unvouched.out);
        let json = worker.agent.call(elsewhere.into_iter().chain(["--json"]))?;
        let json: Value = serde_json::from_str(&json.out)?;
        assert_eq!(
            (&json["verdict"], &json["whole"]),
            (&json!("unvouched"), &json!(false))
        );
        let key = json["verified"]["sealed"]["key"]
            .as_str()
            .context("the seal's key")?;
        let given = elsewhere.into_iter().chain(["--key", key]);
        let vouched = worker.agent.call(given)?.ok()?;
        assert!(
            vouched.out.contains("Whole and unaltered"),
            "{}",
            vouched.out
        );
        Ok(())
    })
}

#[test]
fn held_captures_can_be_seen_and_deleted_while_the_agent_does_not_run() -> Result<()> {
    tell(|story| {
        let mut worker = Worker::at_work(story, "jo", &settings(3600, true))?;
        until_held(story, &worker, 2)?;
        worker.agent.call(["stop"])?.ok()?;
        worker.agent.end()?;
        let waiting = held(&worker)?;
        assert!(waiting.len() >= 2, "{waiting:?}");
        let delete = ["held", "delete", "--all", "--yes", "--json"];
        let told: Value = serde_json::from_str(&worker.agent.call(delete)?.ok()?.out)?;
        assert!(told["total_ms"].as_i64() > Some(0), "{told}");
        assert_eq!(held(&worker)?, Vec::<Value>::new());
        Ok(())
    })
}

#[test]
fn the_server_takes_deleted_time_off_at_once_and_not_when_the_hold_would_have_ended() -> Result<()>
{
    tell(|story| {
        let worker = Worker::at_work(story, "jo", &settings(3600, true))?;
        let waiting = until_held(story, &worker, 2)?;
        let unwanted = id(&waiting[1])?;
        let delete = ["held", "delete", &unwanted, "--yes", "--json"];
        let told: Value = serde_json::from_str(&worker.agent.call(delete)?.ok()?.out)?;
        let api = story.api();
        let session = wait_until(SOON, "the server takes the time off", || {
            let sessions = api.sessions(&worker.employee)?;
            Ok(sessions
                .into_iter()
                .find(|session| session["withdrawn_ms"].as_i64() > Some(0)))
        })?;
        assert_eq!(session["withdrawn_ms"], told["total_ms"], "{session}");
        let left = held(&worker)?;
        assert!(!left.is_empty(), "the others still wait");
        assert!(left.iter().all(|one| one["record_id"] != json!(unwanted)));
        Ok(())
    })
}

#[test]
fn p12_without_the_right_to_delete_the_agent_refuses_and_so_does_the_server() -> Result<()> {
    tell(|story| {
        let worker = Worker::at_work(story, "jo", &settings(3600, false))?;
        let waiting = until_held(story, &worker, 1)?;
        let capture = id(&waiting[0])?;
        let refused = worker.agent.call(["held", "delete", &capture, "--yes"])?;
        assert_eq!(refused.code, exit::REFUSED, "{}", refused.text());
        assert!(
            refused.err.contains("does not let you delete captures"),
            "{}",
            refused.text()
        );
        assert_eq!(id(&held(&worker)?[0])?, capture);

        // A tampered agent sends its withdrawal all the same.
        let device = Device::of_agent(worker.agent.home(), &story.server.init.company_id)?;
        let license = worker.agent.status()?.0["license"]["license_id"]
            .as_str()
            .context("a license")?
            .parse()?;
        let shot = ("image/webp", b"RIFF....WEBP".as_slice());
        let mut header = device.header(license, 900, Kind::Screenshot, shot);
        header.meta.frame = Some(serde_json::from_value(json!({
            "monitor": "screen", "x": 0, "y": 0, "screen_width": 640, "screen_height": 480,
            "width": 640, "height": 480, "blur": "none",
        }))?);
        let put = device.withdraw(device.sign_header(&header, shot.1))?;
        let (status, error) = story.api().put_record(&put)?;
        let code = error.map(|error| error.code);
        assert_eq!(
            (status, code.as_deref()),
            (403, Some("deletion_not_licensed"))
        );
        Ok(())
    })
}
