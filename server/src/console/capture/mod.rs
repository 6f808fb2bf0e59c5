//! One picture, full size, with the way to the ones before and after it on the same day.

mod view;

use axum::extract::State;
use glasshour_protocol::withdrawal::Reason;
use glasshour_protocol::{Kind, RecordHeader, RecordId};

pub(super) use view::CaptureView;

use super::gate::{PageResult, PathId, page};
use super::layout::{Page, Part, Viewer};
use super::words;
use super::zone;
use crate::AppState;
use crate::api::payload_response;
use crate::auth::Actor;
use crate::error::ApiError;
use crate::people::gaps::Gaps;
use crate::people::{self, Look, reach};
use crate::report::{Grade, Waits};
use crate::store::{Record, ViewKind};

/// Pictures of a day that are walked through.
const SHOTS: u32 = 10_000;

/// The page.
pub(super) async fn show(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<RecordId>,
) -> PageResult {
    let gone = || ApiError::not_found("picture");
    let mut read = state.read(actor.company_id).await?;
    let record = reach::record(&mut read, &actor, id).await?;
    if !is_picture(record.kind) {
        return Err(gone().into());
    }
    // The picture itself counts when it is fetched.
    looked(&state, &actor, &record, 0).await?;
    let waits = Gaps::new(state.clock.now_ms())
        .before(&mut read, &record)
        .await?;
    let employee = read.employee(record.employee_id).await?.ok_or_else(gone)?;
    let zone = zone::of_employee(&mut read, employee.employee_id).await?;
    let date = zone.date(record.captured_at);
    let (from, to) = zone.day(date);
    let shots = read
        .pictures(record.kind, employee.employee_id, from, to, SHOTS)
        .await?;
    let index = shots
        .iter()
        .position(|shot| shot.record_id == id)
        .ok_or_else(gone)?;
    let shot = shots.get(index).ok_or_else(gone)?;
    let beside = |at: Option<usize>| {
        at.and_then(|at| shots.get(at))
            .map(|shot| shot.record_id.to_string())
    };
    // Stored headers were read before they were stored.
    let header: RecordHeader = serde_json::from_slice(&shot.header).map_err(ApiError::internal)?;
    let project = match header.meta.project_id {
        Some(project) => read.project(project).await?.map(|project| project.name),
        None => None,
    };
    let frame = header.meta.frame;
    let mut facts = Vec::new();
    let (what, mut width, mut height) = match record.kind {
        Kind::Camera => ("Camera picture", 4, 3),
        _ => ("Screen", 16, 10),
    };
    let mut unchanged = false;
    if let Some(frame) = frame {
        (width, height, unchanged) = (frame.width, frame.height, frame.unchanged);
        facts.push(("Monitor", frame.monitor));
        facts.push((
            "Screen",
            format!("{} × {}", frame.screen_width, frame.screen_height),
        ));
        if frame.width != frame.screen_width {
            facts.push(("Scaled to", format!("{} × {}", frame.width, frame.height)));
        }
        if frame.blur != "none" {
            facts.push(("Blur", frame.blur));
        }
        if frame.windows_unknown {
            facts.push((
                "Windows",
                "could not be listed; the whole picture is blurred".into(),
            ));
        }
        if frame.masked_windows > 0 {
            facts.push(("Windows painted over", frame.masked_windows.to_string()));
        }
    }
    facts.extend(project.map(|name| ("Project", name)));
    facts.push(("Received", zone.date_clock(record.received_at)));
    facts.push(("Record", id.to_string()));
    drop(read);
    let deletable = people::deletion_consequence(&state, &actor, id)
        .await
        .is_ok();
    let time = zone.clock_s(shot.captured_at);
    page(&CaptureView {
        page: Page::new(
            format!("{}, {time}", employee.name),
            Part::Employees,
            viewer,
        ),
        employee_id: employee.employee_id.to_string(),
        name: employee.name,
        date: date.to_string(),
        date_text: words::long_date(date),
        time,
        machine: zone.machine(shot.captured_at),
        zone: zone.name().to_owned(),
        src: shot
            .image_record_id
            .map(|image| format!("/captures/{image}/image")),
        what,
        width,
        height,
        place: format!("{} of {}", index + 1, shots.len()),
        previous: beside(index.checked_sub(1)),
        next: beside(Some(index + 1)),
        unchanged,
        withdrawn: shot.withdrawn.map(gone_because),
        deletable: deletable.then(|| id.to_string()),
        facts,
        doubt: doubt(record.grade, waits),
    })
}

/// The picture itself.
pub(super) async fn image(
    _: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<RecordId>,
) -> PageResult {
    let mut read = state.read(actor.company_id).await?;
    let record = reach::record(&mut read, &actor, id).await?;
    drop(read);
    if !is_picture(record.kind) || record.payload_len == 0 {
        return Err(ApiError::not_found("picture").into());
    }
    looked(&state, &actor, &record, 1).await?;
    Ok(payload_response(&state, actor.company_id, id).await?)
}

/// Writes down who looks.
async fn looked(
    state: &AppState,
    actor: &Actor,
    record: &Record,
    times: i64,
) -> Result<(), ApiError> {
    let look = Look {
        employee_id: record.employee_id,
        from_ms: record.captured_at,
        to_ms: record.captured_at,
        times,
    };
    people::note_looks(state, actor, ViewKind::Pictures, &[look], None).await
}

pub(super) fn is_picture(kind: Kind) -> bool {
    matches!(kind, Kind::Screenshot | Kind::Camera)
}

/// Why there is no picture.
fn gone_because(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::Employee => (
            "Deleted by the employee",
            "The license lets the employee delete a capture before it is sent. The time that it \
             stood for is not counted as tracked.",
        ),
        Reason::Superseded => (
            "Never sent",
            "A newer license does not permit this picture.",
        ),
        Reason::Damaged => (
            "Lost on the employee's computer",
            "The picture could not be read any more and was never sent.",
        ),
    }
}

/// What a grade means to who looks at the picture.
fn doubt(grade: Grade, waits: Option<Waits>) -> Option<&'static str> {
    match (grade, waits) {
        (Grade::Verified, _) => None,
        (Grade::Late, _) => Some("This picture arrived more than a day after it was taken."),
        (Grade::GapBefore, Some(_)) => Some(
            "What was captured before this one may still wait on the computer for review, as the \
             license gives.",
        ),
        (Grade::GapBefore, None) => Some("Records are missing before this one."),
        (Grade::ClockSuspect, _) => {
            Some("The computer's clock was moved, or is ahead of the server's.")
        }
    }
}
