//! An employee's own days, without an account: the link from the agent, the page, and its pictures. Only
//! ever that person's, and nothing to change.

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use glasshour_protocol::RecordId;

use super::day::{self, DayQuery, Seen};
use super::fault::FaultView;
use super::gate::{PageResult, fault_page, page};
use super::layout::Page;
use crate::AppState;
use crate::api::payload_response;
use crate::auth::{self, OwnDays};
use crate::error::ApiError;

/// Where the page is.
const ADDRESS: &str = "/my/day";

/// The link that the agent has asked for: exchanged once, and gone from the address bar at once.
pub(super) async fn open(State(state): State<AppState>, Path(token): Path<String>) -> Response {
    match auth::exchange(&state, &token).await {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to(ADDRESS)).into_response(),
        Err(error) => refused(error),
    }
}

/// The page.
pub(super) async fn show(
    own: Result<OwnDays, ApiError>,
    State(state): State<AppState>,
    Query(query): Query<DayQuery>,
) -> Response {
    let own = match own {
        Ok(own) => own,
        Err(error) => return refused(error),
    };
    match view(&state, &own, &query).await {
        Ok(page) => private(page),
        Err(error) => refused(error.into_inner()),
    }
}

async fn view(state: &AppState, own: &OwnDays, query: &DayQuery) -> PageResult {
    let mut read = state.read(own.company_id).await?;
    let employee = read.employee(own.employee_id).await?;
    let employee = employee.ok_or_else(|| ApiError::not_found("employee"))?;
    let seen = Seen {
        day: ADDRESS.to_owned(),
        captures: "/my/captures",
        own: true,
        accepts: false,
    };
    let day = day::day_of(&mut read, own.employee_id, query, state.clock.now_ms()).await?;
    // The person's own look is nobody's news: it is not written down.
    let title = |title: String| Page::outside(title);
    page(&day::view_of(&mut read, employee, day, seen, title).await?)
}

/// One of the person's own pictures.
pub(super) async fn image(
    own: Result<OwnDays, ApiError>,
    State(state): State<AppState>,
    Path(id): Path<String>,
) -> Response {
    let answer = async {
        let own = own?;
        let gone = || ApiError::not_found("picture");
        let id: RecordId = id.parse().map(RecordId).map_err(|_| gone())?;
        let mut read = state.read(own.company_id).await?;
        let record = read.record(id).await?;
        let mine = record.filter(|record| record.employee_id == own.employee_id);
        let record = mine.ok_or_else(gone)?;
        drop(read);
        if !super::capture::is_picture(record.kind) || record.payload_len == 0 {
            return Err(gone());
        }
        payload_response(&state, own.company_id, id).await
    };
    match answer.await {
        Ok(picture) => picture,
        Err(error) => refused(error),
    }
}

fn private(mut response: Response) -> Response {
    let no_store = axum::http::HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

fn refused(error: ApiError) -> Response {
    error.log();
    let (status, message) = (error.status, error.message);
    let view = if status.is_server_error() {
        FaultView::fault(None)
    } else {
        FaultView::own_day(message)
    };
    fault_page(status, &view)
}
