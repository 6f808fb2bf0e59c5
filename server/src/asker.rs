//! Who the running request acts for: known to whatever it changes, without every function in between
//! handing it on. The audit log is written from it, by the store, at each commit.
//!
//! A request starts as a guest's and is somebody's once they were recognised. What runs outside of a
//! request, the command line, is the operator's; the server's own jobs say so by [`as_server`].

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::AppState;
use crate::auth::Peer;
use crate::store::AskerKind;

/// Who asks, from where, and when.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Asker {
    /// As what.
    pub(crate) kind: AskerKind,
    /// The user's, token's or device's id.
    pub(crate) id: Option<String>,
    /// As the log shows them.
    pub(crate) name: Option<String>,
    /// The address that the request came from.
    pub(crate) address: Option<IpAddr>,
    /// When it came, UTC milliseconds; `None` outside of a request.
    pub(crate) at_ms: Option<i64>,
    /// Why, where they were asked.
    pub(crate) reason: Option<String>,
}

impl Asker {
    const fn without_request(kind: AskerKind) -> Self {
        Self {
            kind,
            id: None,
            name: None,
            address: None,
            at_ms: None,
            reason: None,
        }
    }
}

tokio::task_local! {
    static ASKER: Arc<Mutex<Asker>>;
}

/// Middleware: every request begins as a guest's.
pub(crate) async fn begin(
    State(state): State<AppState>,
    Peer(address): Peer,
    request: Request,
    next: Next,
) -> Response {
    let asker = Asker {
        address: Some(address),
        at_ms: Some(state.clock.now_ms()),
        ..Asker::without_request(AskerKind::Guest)
    };
    let asker = Arc::new(Mutex::new(asker));
    ASKER.scope(asker, next.run(request)).await
}

/// Does for somebody what they asked for earlier.
pub(crate) async fn as_it_was<F: Future>(asker: Asker, job: F) -> F::Output {
    ASKER.scope(Arc::new(Mutex::new(asker)), job).await
}

/// Runs a job of the server's own.
pub(crate) async fn as_server<F: Future>(at_ms: i64, job: F) -> F::Output {
    let asker = Asker {
        at_ms: Some(at_ms),
        ..Asker::without_request(AskerKind::Server)
    };
    as_it_was(asker, job).await
}

/// Work that goes on for whoever asks now, in a task of its own.
pub(crate) fn carry<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let asker = ASKER
        .try_with(Arc::clone)
        .unwrap_or_else(|_| Arc::new(Mutex::new(Asker::without_request(AskerKind::Operator))));
    ASKER.scope(asker, work)
}

/// The request turned out to be somebody's.
pub(crate) fn is(kind: AskerKind, id: String, name: String) {
    change(|asker| {
        asker.kind = kind;
        asker.id = Some(id);
        asker.name = Some(name);
    });
}

/// Why the asker does what follows.
pub(crate) fn because(reason: Option<String>) {
    change(|asker| asker.reason = reason);
}

fn change(how: impl FnOnce(&mut Asker)) {
    // Outside of a request there is nothing to note.
    let _ = ASKER.try_with(|asker| how(&mut asker.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// Who asks now.
pub(crate) fn now() -> Asker {
    ASKER
        .try_with(|asker| asker.lock().unwrap_or_else(PoisonError::into_inner).clone())
        .unwrap_or(Asker::without_request(AskerKind::Operator))
}
