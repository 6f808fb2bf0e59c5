//! What the company keeps and for how long, and the receipts of what went.

mod view;

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect};
use serde::Deserialize;
use serde_json::Value;

pub(super) use view::{KeptView, ReceiptRow, RetentionFields};

use super::form::{Errors, plainly};
use super::gate::{FormOf, PageResult, page, refused};
use super::layout::{Page, Part, Viewer};
use super::words;
use super::zone;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, CompanyForm, RetentionForm};
use crate::store::PurgeReceipt;

/// Receipts on a page.
const ROWS: u32 = 50;

/// Which part of the list, and what was just done.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    /// The time and id of the last receipt of the page before.
    #[serde(default)]
    at: Option<i64>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    said: String,
}

/// The page.
pub(super) async fn show(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> PageResult {
    let said = match query.said.as_str() {
        "saved" => Some(
            "It is saved. Every active employee has a license that says so, and agents tell them.",
        ),
        _ => None,
    };
    let mut view = view(&state, &actor, viewer, &query, None, Errors::default()).await?;
    view.page.said = said.map(str::to_owned);
    page(&view)
}

/// Saves how long what is kept.
pub(super) async fn save(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<RetentionFields>,
) -> PageResult {
    let saved = match days(&form) {
        Ok(days) => {
            let filled = CompanyForm {
                retention_days: Some(days),
                ..CompanyForm::default()
            };
            people::update_company(&state, &actor, filled)
                .await
                .map(drop)
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(()) => Ok(Redirect::to("/company/kept?said=saved").into_response()),
        Err(error) => {
            let Some(field) = error.field.clone() else {
                return Err(error.into());
            };
            let mut errors = Errors::default();
            errors.add(field, plainly(&error));
            let first = ListQuery::default();
            refused(&view(&state, &actor, viewer, &first, Some(form), errors).await?)
        }
    }
}

/// Days as entered; empty: without end.
fn days(form: &RetentionFields) -> Result<RetentionForm, ApiError> {
    let of = |field: &str, text: &str| match text.trim() {
        "" => Ok(None),
        text => match text.parse::<u32>() {
            Ok(days) if (1..=36_500).contains(&days) => Ok(Some(days)),
            _ => {
                let message = "Enter a whole number of days from 1 to 36500, or nothing.";
                Err(ApiError::invalid(field, message))
            }
        },
    };
    Ok(RetentionForm {
        screenshot: of("screenshot", &form.screenshot)?,
        camera: of("camera", &form.camera)?,
        activity: of("activity", &form.activity)?,
        session: of("session", &form.session)?,
    })
}

async fn view(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    query: &ListQuery,
    form: Option<RetentionFields>,
    errors: Errors,
) -> PageResult<KeptView> {
    actor.may(Verb::Read, Object::Company)?;
    actor.may(Verb::Read, Object::PurgeReceipt)?;
    let mut read = state.read(actor.company_id).await?;
    let kept: RetentionForm = read.retention().await?.into();
    let before = query.at.zip(query.id.as_deref());
    let mut receipts = read.purge_receipts(before, ROWS + 1).await?;
    let zone = zone::of_company(&mut read).await?;
    let more = receipts.len() > ROWS as usize;
    receipts.truncate(ROWS as usize);
    let next = receipts
        .last()
        .filter(|_| more)
        .map(|last| format!("/company/kept?at={}&id={}", last.at_ms, last.receipt_id));
    let text = |days: Option<u32>| days.map_or_else(String::new, |days| days.to_string());
    Ok(KeptView {
        page: Page::new("What is kept", Part::Company, viewer),
        form: form.unwrap_or_else(|| RetentionFields {
            screenshot: text(kept.screenshot),
            camera: text(kept.camera),
            activity: text(kept.activity),
            session: text(kept.session),
        }),
        errors,
        rows: receipts
            .into_iter()
            .map(|receipt| ReceiptRow {
                at: zone.date_clock(receipt.at_ms),
                machine: zone.machine(receipt.at_ms),
                what: what(&receipt),
                counts: counts(&receipt.counts),
                reason: receipt.reason.unwrap_or_default(),
                receipt_id: receipt.receipt_id,
            })
            .collect(),
        zone: zone.name().to_owned(),
        next,
    })
}

fn what(receipt: &PurgeReceipt) -> &'static str {
    match receipt.kind.as_str() {
        "erasure" => "a person was erased",
        _ => "the time was over",
    }
}

/// How much went, the kinds in their order.
fn counts(counts: &Value) -> Vec<String> {
    let kinds = counts.as_object().into_iter().flatten();
    kinds
        .filter_map(|(kind, count)| {
            let count = usize::try_from(count.as_u64()?)
                .ok()
                .filter(|count| *count > 0)?;
            Some(format!(
                "{} {}",
                words::grouped(i64::try_from(count).unwrap_or(i64::MAX)),
                kind.replace('_', " ")
            ))
        })
        .collect()
}
