//! The company's own page: what it says of itself, its plan and seats (rules 16 and 33), the key that
//! signs its licenses, and its workspaces.

mod view;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

pub(super) use view::{CompanyFields, CompanyView, KeyView, PlanView, WorkspaceRow};

use super::confirm::ConfirmView;
use super::employees::MANY;
use super::form::{Errors, Said, plainly, ticked};
use super::gate::{FormOf, PageResult, page, refused};
use super::layout::{Page, Part, Viewer};
use super::users::Seats;
use super::words;
use crate::AppState;
use crate::auth::Actor;
use crate::error::ApiError;
use crate::people::{self, CompanyForm, PlanForm, PlanState};
use crate::store::{Company, CompanySettings, SeatsBy};

const DAY_MS: i64 = 24 * 3_600_000;

/// The page.
pub(super) async fn show(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<Said>,
) -> PageResult {
    let said = match query.said.as_str() {
        "saved" => Some("It is saved. Licenses made from now on say so."),
        "seats" => Some("The number of seats is changed."),
        "key" => {
            Some("The signing key is replaced. Every active employee has a license by the new one.")
        }
        _ => None,
    };
    let mut view = view(&state, &actor, viewer, None, Errors::default()).await?;
    view.page.said = said.map(str::to_owned);
    page(&view)
}

/// Saves what the company says of itself.
pub(super) async fn save(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<CompanyFields>,
) -> PageResult {
    let filled = CompanyForm {
        name: Some(form.name.clone()),
        privacy_contact: Some(form.privacy_contact.clone()),
        time_zone: Some(form.time_zone.clone()),
        language: Some(form.language.clone()),
        notice: Some(form.notice.clone()),
        approve_devices: Some(form.approve_devices),
        require_second_factor: Some(form.require_second_factor),
        ..CompanyForm::default()
    };
    match people::update_company(&state, &actor, filled).await {
        Ok(_) => Ok(to("saved")),
        Err(error) => {
            let errors = at_fields(error)?;
            refused(&view(&state, &actor, viewer, Some(form), errors).await?)
        }
    }
}

/// What the seats' form sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SeatsFields {
    #[serde(default)]
    seats: String,
}

/// Changes the number of seats, where that is left to the company (rule 33).
pub(super) async fn set_seats(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<SeatsFields>,
) -> PageResult {
    let changed = match form.seats.trim().parse() {
        Ok(seats) => {
            let plan = PlanForm { seats: Some(seats) };
            people::update_plan(&state, &actor, plan).await.map(drop)
        }
        Err(_) => Err(ApiError::invalid("seats", "Enter a whole number.")),
    };
    match changed {
        Ok(()) => Ok(to("seats")),
        Err(mut error) => {
            if error.status == StatusCode::CONFLICT {
                error.field = Some("seats".into());
            }
            let errors = at_fields(error)?;
            let mut view = view(&state, &actor, viewer, None, errors).await?;
            view.plan.seats_field = form.seats;
            refused(&view)
        }
    }
}

/// Asks before the key is replaced.
pub(super) async fn ask_key(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
) -> PageResult {
    page(&key_question(&state, &actor, viewer, None).await?)
}

/// What the answer sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Sure {
    #[serde(default, deserialize_with = "ticked")]
    sure: bool,
}

/// Replaces the key.
pub(super) async fn rotate(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<Sure>,
) -> PageResult {
    if !form.sure {
        let problem = "Tick the box first. Nothing was changed.";
        return refused(&key_question(&state, &actor, viewer, Some(problem)).await?);
    }
    people::replace_key(&state, &actor).await?;
    Ok(to("key"))
}

async fn key_question(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    problem: Option<&str>,
) -> PageResult<ConfirmView> {
    people::may_replace_key(actor)?;
    let mut read = state.read(actor.company_id).await?;
    let company = people::company(&mut read).await?.name;
    let active = read.active_employees().await?.len();
    Ok(ConfirmView {
        page: Page::new("Replace the signing key?", Part::Company, viewer),
        back: ("/company".into(), "Company".into()),
        text: vec![
            "A new key takes the place of the present one, for good. The present one signs that the new \
             one comes, so agents follow by themselves and tell their person."
                .into(),
            format!(
                "{} a license by the new key, which says what the last one says.",
                match active {
                    1 => "1 active employee gets".to_owned(),
                    many => format!("{many} active employees get"),
                }
            ),
            "Computers whose administrator lists keys (trusted_keys in policy.json) take nothing by the \
             new key before it is listed there too."
                .into(),
            "Backups made before hold the former key: make a new one afterwards.".into(),
        ],
        action: "/company/key".into(),
        button: format!("Replace the signing key of {company}"),
        tick: Some("Every administrator who lists our key knows that a new one comes.".into()),
        problem: problem.map(Into::into),
    })
}

fn to(said: &str) -> Response {
    Redirect::to(&format!("/company?said={said}")).into_response()
}

fn at_fields(error: ApiError) -> Result<Errors, ApiError> {
    let Some(field) = error.field.clone() else {
        return Err(error);
    };
    let mut errors = Errors::default();
    errors.add(field, plainly(&error));
    Ok(errors)
}

async fn view(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    form: Option<CompanyFields>,
    errors: Errors,
) -> PageResult<CompanyView> {
    let company = people::read_company(state, actor).await?;
    let plan = people::read_plan(state, actor).await?;
    let mut read = state.read(actor.company_id).await?;
    let settings = people::company_settings(&mut read).await?;
    let require_second_factor = read.requires_second_factor().await?;
    let keys = read.signing_keys().await?;
    let (key, former) = keys
        .split_last()
        .ok_or_else(|| ApiError::internal("the company has no signing key"))?;
    let workspaces = read.workspaces(None, MANY).await?;
    Ok(CompanyView {
        page: Page::new("Company", Part::Company, viewer),
        form: form.unwrap_or_else(|| CompanyFields {
            require_second_factor,
            ..fields(company, settings)
        }),
        errors,
        plan: plan_view(plan, state.clock.now_ms()),
        key: KeyView {
            fingerprint: key.fingerprint.clone(),
            since: words::utc_day(key.created_at),
            former: (!former.is_empty()).then(|| words::count(former.len(), "key")),
            may_rotate: people::may_replace_key(actor).is_ok(),
        },
        workspaces: workspaces
            .into_iter()
            .map(|one| WorkspaceRow {
                workspace_id: one.workspace_id,
                name: one.name,
            })
            .collect(),
    })
}

fn fields(company: Company, settings: CompanySettings) -> CompanyFields {
    CompanyFields {
        name: company.name,
        privacy_contact: company.privacy_contact.unwrap_or_default(),
        time_zone: settings.time_zone.unwrap_or_default(),
        language: settings.language,
        notice: settings.notice.unwrap_or_default(),
        approve_devices: settings.approve_devices,
        require_second_factor: false,
    }
}

fn plan_view(of: PlanState, now_ms: i64) -> PlanView {
    let PlanState { plan, seats_used } = of;
    let over = plan.trial_is_over(now_ms);
    let seats = Seats {
        used: seats_used,
        of: plan.seats.and_then(|seats| u64::try_from(seats).ok()),
    };
    PlanView {
        seats,
        by_company: plan.seats_by == SeatsBy::Company,
        seats_field: plan
            .seats
            .map_or_else(String::new, |seats| seats.to_string()),
        invitations_at_once: plan.invitations_at_once,
        trial: plan.trial_ends_at.map(|end| {
            let words = if over {
                "over: nothing is taken from agents. Nothing is deleted.".to_owned()
            } else {
                let days = (end - now_ms).div_euclid(DAY_MS) + 1;
                format!(
                    "{} left",
                    words::count(usize::try_from(days).unwrap_or(0), "day")
                )
            };
            (words, over)
        }),
        name: plan.plan,
    }
}
