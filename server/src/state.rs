//! What every handler has at hand, and the router made of all of them.

use std::sync::Arc;

use axum::Router;

use crate::auth::{Passwords, Throttle};
use crate::clock::Clock;
use crate::objects::Objects;
use crate::store::{Company, Db, Read, StoreError, Write};
use crate::{api, console};

/// The server's state. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The database.
    pub db: Db,
    /// The pictures.
    pub objects: Arc<dyn Objects>,
    /// The company that this server is for, with its signing key.
    pub company: Arc<Company>,
    /// Where agents reach this server: an `http` or `https` origin. Written into licenses.
    pub server_url: Arc<str>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Password hashing, a few at a time.
    pub passwords: Passwords,
    /// Failed log-ins of late.
    pub throttle: Arc<Throttle>,
}

impl AppState {
    /// A state over opened parts; `server_url` without a slash at its end.
    pub fn new(
        db: Db,
        objects: Arc<dyn Objects>,
        company: Company,
        server_url: &str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            db,
            objects,
            company: Arc::new(company),
            server_url: server_url.trim_end_matches('/').into(),
            clock,
            passwords: Passwords::default(),
            throttle: Arc::default(),
        }
    }

    /// Begins a consistent view of the company's rows.
    pub async fn read(&self) -> Result<Read, StoreError> {
        self.db.read(self.company.company_id).await
    }

    /// Begins a transaction on the company's rows.
    pub async fn write(&self) -> Result<Write, StoreError> {
        self.db.write(self.company.company_id).await
    }

    /// Whether people and agents reach this server over TLS.
    pub fn is_https(&self) -> bool {
        self.server_url.starts_with("https://")
    }
}

/// The whole server: API and console, with what holds for both (limits, headers, origin check).
pub fn router(state: AppState) -> Router {
    let pages = console::router(state.clone());
    api::layers(api::router(state).merge(pages))
}
