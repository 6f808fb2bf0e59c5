//! Many employees at once, from a CSV file.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use axum::Json;
use axum::extract::State;
use glasshour_protocol::EmployeeId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{QueryOf, RawBody};
use super::openapi::ErrorBodySchema;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, ImportOptions, ImportedRow};

/// How the file is imported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ImportQuery {
    /// True: say what would become of each row, and change nothing.
    dry_run: Option<bool>,
    /// Where to; absent: the chosen workspace, or the company's first.
    workspace_id: Option<String>,
}

/// What became of a file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Import)]
pub(super) struct ImportView {
    dry_run: bool,
    /// Rows that became an employee, or would.
    good: usize,
    /// Rows whose employee is there already.
    exist: usize,
    /// Rows that were not taken.
    bad: usize,
    /// One for each row, in the order of the file.
    rows: Vec<RowView>,
}

/// What became of a row.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedRow)]
pub(super) struct RowView {
    /// The line that it begins on; the header is line 1.
    line: u64,
    /// As it was typed.
    name: String,
    /// `created`, `ok` (in a dry run: would be created), `exists` or `bad`.
    result: &'static str,
    /// What is wrong and what to do; empty where nothing is.
    message: String,
    /// The column at fault.
    field: Option<String>,
    /// The employee that came of it, or was there before.
    #[schema(value_type = Option<uuid::Uuid>)]
    employee_id: Option<EmployeeId>,
}

impl From<ImportedRow> for RowView {
    fn from(row: ImportedRow) -> Self {
        Self {
            line: row.line,
            name: row.name,
            result: row.result,
            message: row.message,
            field: row.field,
            employee_id: row.employee_id,
        }
    }
}

/// Imports employees from a CSV file of at most 10,000 rows and 4 MB: UTF-8, separated by `,` or `;`, the first
/// line naming the columns `name`, `work_mode`, and as wished `email`, `project`, `profile`, `active`. Every
/// good row is imported whatever the others are, and whoever is there already is left as they are, so that the
/// same file can be sent again.
#[utoipa::path(post, path = "/api/v1/employees/import", tag = "employees", params(ImportQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = ImportView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 413, body = ErrorBodySchema),
        (status = 422, description = "the file as a whole cannot be read", body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn import(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ImportQuery>,
    RawBody(file): RawBody,
) -> Result<Json<ImportView>, ApiError> {
    actor.may(Verb::Create, Object::Employee)?;
    let dry_run = query.dry_run.unwrap_or(false);
    let options = ImportOptions {
        dry_run,
        workspace_id: query.workspace_id,
    };
    let rows = people::import_employees(&state, &actor, &file, options).await?;
    Ok(Json(ImportView {
        dry_run,
        good: people::count_imported(&rows, "created") + people::count_imported(&rows, "ok"),
        exist: people::count_imported(&rows, "exists"),
        bad: people::count_imported(&rows, "bad"),
        rows: rows.into_iter().map(Into::into).collect(),
    }))
}
