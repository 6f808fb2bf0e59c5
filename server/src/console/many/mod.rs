//! Many employees at once: a file of them looked at first and then imported, their licenses sent or carried
//! away together.

mod view;

use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect};
use serde::Deserialize;

pub(super) use view::{ImportView, ManyView};

use super::employees::MANY;
use super::form::Choice;
use super::gate::{FormOf, PageResult, page, refused};
use super::layout::{Page, Part, Viewer};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, ImportOptions, SelectionForm};

/// What was just done.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    /// Licenses on their way.
    #[serde(default)]
    sent: Option<usize>,
    /// Employees without an address or a license.
    #[serde(default)]
    left: usize,
}

/// The page with its three forms.
pub(super) async fn show(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<Said>,
) -> PageResult {
    let said = query.sent.map(|sent| {
        let left = match query.left {
            0 => String::new(),
            left => format!(" {left} have no e-mail address or no license and got none."),
        };
        format!("Licenses on their way: {sent}.{left}")
    });
    let mut view = view(&state, &actor, viewer, String::new(), None).await?;
    view.page.said = said;
    page(&view)
}

/// A file of employees.
#[derive(Debug, Deserialize)]
pub(super) struct FileForm {
    #[serde(default)]
    csv: String,
    /// Sent by the button below the preview.
    #[serde(default)]
    import: bool,
}

/// Shows what would become of a file; with `import`, does it.
pub(super) async fn import(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<FileForm>,
) -> PageResult {
    let options = ImportOptions {
        dry_run: !form.import,
        workspace_id: None,
    };
    let imported = people::import_employees(&state, &actor, form.csv.as_bytes(), options).await;
    match imported {
        Ok(rows) => page(&ImportView::new(
            Page::new("Import", Part::Employees, viewer),
            &rows,
            form.csv,
            form.import,
        )),
        Err(error) if error.field.as_deref() == Some("file") => {
            let wrong = Some(error.message);
            refused(&view(&state, &actor, viewer, form.csv, wrong).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Whose licenses, as the forms say it: empty fields stand for everybody.
#[derive(Debug, Default, Deserialize)]
pub(super) struct WhoForm {
    #[serde(default)]
    project_id: String,
    #[serde(default)]
    group_id: String,
    #[serde(default, deserialize_with = "super::form::ticked")]
    without_device: bool,
}

impl From<WhoForm> for SelectionForm {
    fn from(form: WhoForm) -> Self {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            all: Some(true),
            workspace_id: None,
            project_id: some(form.project_id),
            profile_id: None,
            group_id: some(form.group_id),
            without_device: Some(form.without_device),
        }
    }
}

/// Sends licenses to all of them.
pub(super) async fn send(
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<WhoForm>,
) -> PageResult {
    let results = people::send_licenses(&state, &actor, form.into()).await?;
    let sent = results.iter().filter(|one| one.result == "queued").count();
    let left = results.len() - sent;
    Ok(Redirect::to(&format!("/employees/many?sent={sent}&left={left}")).into_response())
}

/// All of their licenses in one zip.
pub(super) async fn bundle(
    actor: Actor,
    State(state): State<AppState>,
    Query(form): Query<WhoForm>,
) -> PageResult {
    let zip = people::bundle_licenses(&state, &actor, form.into()).await?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/zip"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"licenses.zip\""),
        ),
    ];
    Ok((headers, zip).into_response())
}

async fn view(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    csv: String,
    wrong: Option<String>,
) -> Result<ManyView, ApiError> {
    actor.may(Verb::Create, Object::Employee)?;
    let scope = actor.scope(None)?;
    let mut read = state.read(actor.company_id).await?;
    let projects = read.projects(scope.as_deref(), MANY).await?;
    let groups = read.groups(scope.as_deref(), None, MANY).await?;
    Ok(ManyView {
        page: Page::new("Many employees", Part::Employees, viewer),
        csv,
        wrong,
        projects: projects
            .into_iter()
            .map(|one| Choice {
                value: one.project_id.to_string(),
                label: one.name,
            })
            .collect(),
        groups: groups
            .into_iter()
            .map(|one| Choice {
                value: one.group_id,
                label: one.name,
            })
            .collect(),
        mail_is_sent: state.mail_is_sent,
    })
}
