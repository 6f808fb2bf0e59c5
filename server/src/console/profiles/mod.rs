//! The list of profiles.

mod view;

use axum::extract::{Query, State};

pub(super) use view::{ProfilesView, Row, Summary};

use super::employees::MANY;
use super::form::Said;
use super::gate::{PageResult, page};
use super::layout::{Page, Part, Viewer};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};

/// The list.
pub(super) async fn list(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<Said>,
) -> PageResult {
    actor.may(Verb::Read, Object::Profile)?;
    let profiles = state.read(actor.company_id).await?.profiles(MANY).await?;
    let rows = profiles
        .into_iter()
        .map(|profile| Row {
            summary: Summary::of(&profile.settings),
            profile_id: profile.profile_id,
            name: profile.name,
            is_default: profile.is_default,
        })
        .collect();
    let said = match query.said.as_str() {
        "made" => Some("The profile is made. Choose it in the form of an employee."),
        "saved" => Some("The profile is saved. Every active employee on it has a new license."),
        _ => None,
    };
    page(&ProfilesView {
        page: Page::new("Profiles", Part::Profiles, viewer).said(said),
        rows,
    })
}
