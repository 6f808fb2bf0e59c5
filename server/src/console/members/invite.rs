//! The page that invites: several addresses at once, each with its own result (rules 47 to 49).

use axum::extract::State;
use serde::Deserialize;

use super::view::ResultRow;
use super::{InviteView, at_fields, layout};
use crate::AppState;
use crate::auth::{Actor, Object, Verb, allows};
use crate::console::employees::MANY;
use crate::console::form::{Choice, Errors, ticked};
use crate::console::gate::{FormOf, PageResult, page, refused};
use crate::people::{self, InviteForm, Invited};

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InviteFields {
    workspace_id: String,
    emails: String,
    role: String,
    #[serde(deserialize_with = "ticked")]
    send: bool,
}

/// The empty form.
pub(crate) async fn ask(
    viewer: layout::Viewer,
    actor: Actor,
    State(state): State<AppState>,
) -> PageResult {
    actor.may(Verb::Create, Object::Invitation)?;
    let form = InviteFields {
        send: true,
        ..InviteFields::default()
    };
    page(&view(&state, &actor, viewer, form, Errors::default(), vec![]).await?)
}

/// Invites, and says what became of each address.
pub(crate) async fn submit(
    viewer: layout::Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<InviteFields>,
) -> PageResult {
    let filled = InviteForm {
        workspace_id: Some(form.workspace_id.clone()).filter(|id| !id.is_empty()),
        // One on a line is as good as commas.
        emails: Some(form.emails.replace(['\r', '\n', ';'], ",")),
        role: Some(form.role.clone()),
        send: Some(form.send),
    };
    match people::invite(&state, &actor, filled).await {
        Ok(all) => {
            let results = all.into_iter().map(row).collect::<Vec<_>>();
            let left = results.iter().filter(|one| !one.good);
            let left: Vec<&str> = left.map(|one| one.email.as_str()).collect();
            let form = InviteFields {
                // What is to be corrected stays in the field.
                emails: left.join(", "),
                ..form
            };
            let errors = Errors::default();
            page(&view(&state, &actor, viewer, form, errors, results).await?)
        }
        Err(error) => {
            let errors = at_fields(error)?;
            refused(&view(&state, &actor, viewer, form, errors, vec![]).await?)
        }
    }
}

fn row(one: Invited) -> ResultRow {
    ResultRow {
        good: matches!(one.result, "invited" | "added"),
        message: match (one.result, &one.link) {
            ("invited", Some(_)) => "Invited. Hand the link over.".into(),
            _ => one.message,
        },
        email: one.email,
        link: one.link,
    }
}

async fn view(
    state: &AppState,
    actor: &Actor,
    viewer: layout::Viewer,
    form: InviteFields,
    errors: Errors,
    results: Vec<ResultRow>,
) -> PageResult<InviteView> {
    let workspaces = match &actor.workspace_id {
        Some(_) => Vec::new(),
        None => {
            let mut read = state.read(actor.company_id).await?;
            read.workspaces(None, MANY).await?
        }
    };
    let choice = |one: crate::store::Workspace| Choice {
        value: one.workspace_id,
        label: one.name,
    };
    let into = match (&viewer.workspace, workspaces.as_slice()) {
        (name, _) if !name.is_empty() => format!("Invite into {name}"),
        (_, [only]) => format!("Invite into {}", only.name),
        _ => "Invite".to_owned(),
    };
    Ok(InviteView {
        page: layout::Page::new(into, layout::Part::Members, viewer),
        workspaces: workspaces.into_iter().map(choice).collect(),
        workspace_id: form.workspace_id,
        emails: form.emails,
        role: form.role,
        send: form.send,
        may_admin: allows(actor.role, Verb::Create, Object::AdminRole),
        mail_is_sent: state.mail_is_sent,
        errors,
        results,
    })
}
