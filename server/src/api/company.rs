//! The company of who asks: what it says of itself, and its plan.

use axum::Json;
use axum::extract::State;
use glasshour_protocol::CompanyId;
use glasshour_protocol::jws::thumbprint;
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::JsonBody;
use super::openapi::ErrorBodySchema;
use super::wire;
use crate::AppState;
use crate::auth::Actor;
use crate::error::ApiError;
use crate::people::{self, CompanyForm, PlanForm, PlanState, RetentionForm};
use crate::store::{Company, SeatsBy};

/// A company, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Company)]
pub(super) struct CompanyView {
    #[schema(value_type = uuid::Uuid)]
    company_id: CompanyId,
    /// As licenses and reports show it.
    name: String,
    /// Whom employees ask about their data.
    privacy_contact: Option<String>,
    /// IANA time zone; `null`: where the records come from.
    time_zone: Option<String>,
    /// `en` or `fr`.
    language: String,
    /// Words of its own in the notice.
    notice: Option<String>,
    /// True: nothing is taken from a new device before somebody approves it.
    approve_devices: bool,
    /// RFC 7638 thumbprint of the key that signs its licenses: agents show the same.
    key_fingerprint: String,
    /// How long what is kept, in days; a kind that is `null` is kept without end.
    retention_days: RetentionForm,
    /// Whether everybody who logs in needs a second factor.
    require_second_factor: bool,
}

impl CompanyView {
    async fn of(state: &AppState, company: Company) -> Result<Self, ApiError> {
        let mut read = state.read(company.company_id).await?;
        let settings = people::company_settings(&mut read).await?;
        Ok(Self {
            time_zone: settings.time_zone,
            language: settings.language,
            notice: settings.notice,
            approve_devices: settings.approve_devices,
            retention_days: read.retention().await?.into(),
            require_second_factor: read.requires_second_factor().await?,
            company_id: company.company_id,
            name: company.name,
            privacy_contact: company.privacy_contact,
            key_fingerprint: thumbprint(&company.signing_key.verifying_key()),
        })
    }
}

/// A plan, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
pub(super) struct PlanView {
    /// Its name; `null`: none.
    plan: Option<String>,
    /// How many users may be active; `null`: any number.
    seats: Option<i64>,
    seats_used: u64,
    /// Who may change the number: `operator` or `company`.
    seats_by: SeatsBy,
    /// How many addresses go in one invitation; `null`: any number.
    invitations_at_once: Option<i64>,
    /// RFC 3339; `null`: no trial.
    trial_ends_at: Option<String>,
    /// True: nothing is taken from agents any more. Nothing is deleted.
    trial_over: bool,
}

impl PlanView {
    fn of(state: &AppState, of: PlanState) -> Self {
        Self {
            trial_over: of.plan.trial_is_over(state.clock.now_ms()),
            plan: of.plan.plan,
            seats: of.plan.seats,
            seats_used: of.seats_used,
            seats_by: of.plan.seats_by,
            invitations_at_once: of.plan.invitations_at_once,
            trial_ends_at: of.plan.trial_ends_at.map(wire::time),
        }
    }
}

/// Shows the company.
#[utoipa::path(get, path = "/api/v1/company", tag = "company",
    responses((status = 200, body = CompanyView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn read(
    actor: Actor,
    State(state): State<AppState>,
) -> Result<Json<CompanyView>, ApiError> {
    let company = people::read_company(&state, &actor).await?;
    Ok(Json(CompanyView::of(&state, company).await?))
}

/// Changes what the company says of itself. Licenses issued from now on say the new.
#[utoipa::path(patch, path = "/api/v1/company", tag = "company", request_body = CompanyForm,
    responses((status = 200, body = CompanyView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn update(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<CompanyForm>,
) -> Result<Json<CompanyView>, ApiError> {
    let company = people::update_company(&state, &actor, form).await?;
    Ok(Json(CompanyView::of(&state, company).await?))
}

/// Shows the plan and what is used of it.
#[utoipa::path(get, path = "/api/v1/company/plan", tag = "company",
    responses((status = 200, body = PlanView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn plan(
    actor: Actor,
    State(state): State<AppState>,
) -> Result<Json<PlanView>, ApiError> {
    let plan = people::read_plan(&state, &actor).await?;
    Ok(Json(PlanView::of(&state, plan)))
}

/// Changes the number of seats, where the operator leaves that to the company.
#[utoipa::path(patch, path = "/api/v1/company/plan", tag = "company", request_body = PlanForm,
    responses((status = 200, body = PlanView), (status = 401, body = ErrorBodySchema),
        (status = 403, description = "`operator_only` or `forbidden`", body = ErrorBodySchema),
        (status = 409, description = "`no_seat`: more are in use", body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn update_plan(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<PlanForm>,
) -> Result<Json<PlanView>, ApiError> {
    let plan = people::update_plan(&state, &actor, form).await?;
    Ok(Json(PlanView::of(&state, plan)))
}
