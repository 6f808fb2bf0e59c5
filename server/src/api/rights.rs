//! What a person can ask for: to be erased, to delete an own capture; and the receipts of what went.

use axum::Json;
use axum::extract::State;
use glasshour_protocol::{EmployeeId, RecordId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::employees::ListQuery;
use super::extract::{JsonBody, PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, Consequence, ErasureForm};
use crate::store::PurgeReceipt;

/// A receipt, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PurgeReceipt)]
pub(super) struct ReceiptView {
    /// Of an erased person also their pseudonym in the audit log.
    receipt_id: String,
    /// RFC 3339.
    at: String,
    /// `erasure` or `retention`.
    kind: String,
    /// How many rows and pictures went, by kind.
    #[schema(value_type = Object)]
    counts: Value,
    /// On what ground.
    reason: Option<String>,
}

impl From<PurgeReceipt> for ReceiptView {
    fn from(receipt: PurgeReceipt) -> Self {
        Self {
            receipt_id: receipt.receipt_id,
            at: wire::time(receipt.at_ms),
            kind: receipt.kind,
            counts: receipt.counts,
            reason: receipt.reason,
        }
    }
}

/// Erases the person whom an employee is, for good: records, pictures, licenses, devices, places in
/// workspaces, and their account where it is the company's own (GDPR, article 17). Export first what is to
/// be kept. Not erased: backups, and what agents still keep on the person's own computers.
#[utoipa::path(post, path = "/api/v1/employees/{employee_id}/erase", tag = "rights",
    params(("employee_id" = uuid::Uuid, Path)), request_body = ErasureForm,
    responses((status = 200, body = ReceiptView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, description = "`confirm_first` or `owns_workspace`", body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn erase_employee(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
    JsonBody(form): JsonBody<ErasureForm>,
) -> Result<Json<ReceiptView>, ApiError> {
    let receipt = people::erase_employee(&state, &actor, id, form).await?;
    Ok(Json(receipt.into()))
}

/// Erases the person whom a user of the company is, for good.
#[utoipa::path(post, path = "/api/v1/users/{id}/erase", tag = "rights",
    params(("id" = uuid::Uuid, Path)), request_body = ErasureForm,
    responses((status = 200, body = ReceiptView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, description = "`confirm_first` or `owns_workspace`", body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn erase_user(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    JsonBody(form): JsonBody<ErasureForm>,
) -> Result<Json<ReceiptView>, ApiError> {
    let receipt = people::erase_user(&state, &actor, &id, form).await?;
    Ok(Json(receipt.into()))
}

/// Lists the receipts of what was deleted for good, the newest first.
#[utoipa::path(get, path = "/api/v1/purge-receipts", tag = "rights", params(ListQuery),
    responses((status = 200, body = Page<ReceiptView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn receipts(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<ReceiptView>>, ApiError> {
    actor.may(Verb::Read, Object::PurgeReceipt)?;
    let limit = wire::limit(query.limit)?;
    let place = wire::place(query.cursor.as_deref())?;
    let before = match &place {
        None => None,
        Some((at, id)) => Some((wire::part(at)?, id.as_str())),
    };
    let mut read = state.read(actor.company_id).await?;
    let rows = read.purge_receipts(before, limit + 1).await?;
    let cursor = |last: &PurgeReceipt| format!("{} {}", last.at_ms, last.receipt_id);
    Ok(Json(Page::cut(rows, limit, cursor, ReceiptView::from)))
}

/// What deleting a capture takes off.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Consequence)]
pub(super) struct ConsequenceView {
    /// Tracked milliseconds that would be, or were, taken off.
    off_ms: i64,
    /// Tracked milliseconds of the session before it.
    tracked_ms: i64,
}

impl From<Consequence> for ConsequenceView {
    fn from(of: Consequence) -> Self {
        Self {
            off_ms: of.off_ms,
            tracked_ms: of.tracked_ms,
        }
    }
}

/// Whether the consequence was told.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeletionForm {
    confirm: Option<bool>,
}

/// Tells what deleting an own capture would take off the tracked time.
#[utoipa::path(get, path = "/api/v1/me/captures/{record_id}/deletion", tag = "rights",
    params(("record_id" = uuid::Uuid, Path)),
    responses((status = 200, body = ConsequenceView), (status = 401, body = ErrorBodySchema),
        (status = 403, description = "`deletion_not_licensed`", body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema), (status = 410, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn consequence(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<RecordId>,
) -> Result<Json<ConsequenceView>, ApiError> {
    let (_, told) = people::deletion_consequence(&state, &actor, id).await?;
    Ok(Json(told.into()))
}

/// Deletes an own capture, where the license that it was captured under lets the employee. It keeps its
/// place among the records, without what it held.
#[utoipa::path(post, path = "/api/v1/me/captures/{record_id}/deletion", tag = "rights",
    params(("record_id" = uuid::Uuid, Path)), request_body = DeletionForm,
    responses((status = 200, body = ConsequenceView), (status = 401, body = ErrorBodySchema),
        (status = 403, description = "`deletion_not_licensed`", body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema),
        (status = 409, description = "`confirm_first`: says what it takes off", body = ErrorBodySchema),
        (status = 410, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn delete_capture(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<RecordId>,
    JsonBody(form): JsonBody<DeletionForm>,
) -> Result<Json<ConsequenceView>, ApiError> {
    let confirmed = form.confirm == Some(true);
    let done = people::delete_own_capture(&state, &actor, id, confirmed).await?;
    Ok(Json(done.into()))
}
