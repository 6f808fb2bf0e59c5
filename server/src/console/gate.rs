//! The way in and out of every page: only who is logged in and may see it gets through, and what
//! goes wrong behind it becomes a page in the same look.

use askama::Template;
use axum::extract::{Form, FromRequest, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use glasshour_words::{Language, Words};
use serde::de::DeserializeOwned;

use super::fault::FaultView;
use super::layout::Viewer;
use crate::AppState;
use crate::auth::{self, Actor, CurrentUser};
use crate::error::ApiError;

/// What a page answers when it cannot be shown.
#[derive(Debug)]
pub(crate) struct PageError(ApiError);

impl PageError {
    /// What went wrong.
    pub(super) fn into_inner(self) -> ApiError {
        self.0
    }
}

impl<E: Into<ApiError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// What [`PageError`] leaves in the response for [`guard`] to make a page of.
#[derive(Clone, Debug)]
struct Fault {
    message: String,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        self.0.log();
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(Fault {
            message: self.0.message,
        });
        response
    }
}

/// What a page's handler returns.
pub(super) type PageResult<T = Response> = Result<T, PageError>;

/// Renders a page.
pub(super) fn page(view: &impl Template) -> PageResult {
    let html = view.render().map_err(ApiError::internal)?;
    Ok(Html(html).into_response())
}

/// Renders a form that was refused: the same page, with 422.
pub(super) fn refused(view: &impl Template) -> PageResult {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(view)?).into_response())
}

/// Middleware of every page: sends strangers to the log-in page, gives the page its viewer, keeps
/// the answer out of caches, and turns what went wrong into a page.
pub(super) async fn guard(
    State(state): State<AppState>,
    user: Result<Option<CurrentUser>, ApiError>,
    mut request: Request,
    next: Next,
) -> Response {
    let known = match user {
        Ok(None) => return to_login(&request),
        Ok(Some(user)) => known(&state, user, words(request.headers())).await,
        Err(error) => Err(error),
    };
    let (actor, viewer) = match known {
        Ok(known) => known,
        Err(error) => {
            error.log();
            return fault_page(error.status, &FaultView::fault(None));
        }
    };
    let own = request.uri().path() == "/me" || request.uri().path().starts_with("/me/");
    if actor.owes_factor && !own {
        return Redirect::to("/me/security").into_response();
    }
    request.extensions_mut().insert(viewer.clone());
    request.extensions_mut().insert(actor);
    let mut response = next.run(request).await;
    if let Some(Fault { message }) = response.extensions_mut().remove::<Fault>() {
        let status = response.status();
        let view = match status {
            StatusCode::NOT_FOUND => FaultView::not_found(Some(viewer)),
            StatusCode::FORBIDDEN => FaultView::no_permission(Some(viewer)),
            _ if status.is_server_error() => FaultView::fault(Some(viewer)),
            _ => FaultView::refused(Some(viewer), message),
        };
        response = fault_page(status, &view);
    }
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// What somebody may do now, and how pages show them.
async fn known(
    state: &AppState,
    user: CurrentUser,
    words: Option<Words>,
) -> Result<(Actor, Viewer), ApiError> {
    let actor = auth::of_user(state, user).await?;
    let viewer = Viewer::of(state, &actor, words).await?;
    Ok((actor, viewer))
}

/// The language that a browser asks for; `None` where it asks for none.
fn words(headers: &HeaderMap) -> Option<Words> {
    let asked = headers.get(header::ACCEPT_LANGUAGE)?;
    let asked = asked.to_str().ok()?;
    Some(Words::new(Language::accepted(asked)))
}

/// A stranger's request for a page comes back to it after log-in; a form does not, as what was
/// entered is gone.
fn to_login(request: &Request) -> Response {
    let wanted = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    if request.method() != Method::GET || wanted == "/" {
        return Redirect::to("/login").into_response();
    }
    let next: String = form_encode(wanted);
    Redirect::to(&format!("/login?next={next}")).into_response()
}

/// Percent-encodes all but what is plain in a query value (RFC 3986, section 3.4).
pub(super) fn form_encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

pub(super) fn fault_page(status: StatusCode, view: &FaultView) -> Response {
    match view.render() {
        Ok(html) => (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response(),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

/// What no route answers: a page for people, the bare status for the API, which words it itself.
pub(super) async fn not_found(
    user: Result<Option<CurrentUser>, ApiError>,
    State(state): State<AppState>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if uri.path().starts_with("/api/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let viewer = match user {
        Ok(Some(user)) => {
            let known = known(&state, user, words(&headers)).await;
            known.ok().map(|(_, viewer)| viewer)
        }
        _ => None,
    };
    fault_page(StatusCode::NOT_FOUND, &FaultView::not_found(viewer))
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PageError> {
        let viewer = parts.extensions.get::<Self>().cloned();
        viewer.ok_or_else(|| ApiError::internal("a page is not behind the guard").into())
    }
}

/// An id in the path; one that cannot be read names nothing.
pub(super) struct PathId<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathId<T> {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let Path(id) = Path::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::not_found("page"))?;
        Ok(Self(id))
    }
}

/// A form's fields.
pub(super) struct FormOf<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for FormOf<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let Form(form) = Form::from_request(request, state).await.map_err(|rejection| {
            let message = "The form could not be read. Open the page again and repeat the change; \
                           nothing was changed.";
            ApiError::new(rejection.status(), glasshour_protocol::code::INVALID, message)
        })?;
        Ok(Self(form))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_after_log_in_survives_its_encoding() {
        assert_eq!(
            form_encode("/employees/1/day?date=2026-11-20&x=ü"),
            "/employees/1/day%3Fdate%3D2026-11-20%26x%3D%C3%BC"
        );
    }
}
