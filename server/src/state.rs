//! What every handler has at hand, and the router made of all of them.

use std::net::IpAddr;
use std::sync::Arc;

use axum::{Router, middleware};
use glasshour_protocol::CompanyId;

use crate::api::{Committer, Pace};
use crate::auth::{Oidc, Passwords, Rates, Throttle};
use crate::clock::Clock;
use crate::looks::Looks;
use crate::metrics::Metrics;
use crate::objects::Objects;
use crate::room::Room;
use crate::store::{Db, Read, StoreError, Write};
use crate::{api, asker, console};

/// The server's state. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The database.
    pub db: Db,
    /// The pictures.
    pub objects: Arc<dyn Objects>,
    /// Where agents reach this server: an `http` or `https` origin. Written into licenses.
    pub server_url: Arc<str>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Password hashing, a few at a time.
    pub passwords: Passwords,
    /// Failed log-ins of late.
    pub throttle: Arc<Throttle>,
    /// How many requests a device or an address may send.
    pub rates: Arc<Rates>,
    /// The proxies that are believed about who asks.
    pub trusted_proxies: Arc<[IpAddr]>,
    /// How fast a payload has to come.
    pub pace: Pace,
    /// Memory for what is under way.
    pub room: Room,
    /// Who looked, while the database has no room.
    pub looks: Looks,
    /// Takes records to disk.
    pub committer: Arc<Committer>,
    /// The provider that people log in by, beside the password.
    pub oidc: Option<Arc<Oidc>>,
    /// Who may make an account by themself.
    pub sign_up: SignUp,
    /// Whether queued mail is sent by this server. Where it is not, one-time links are shown to whoever
    /// made them, to be copied.
    pub mail_is_sent: bool,
    /// What has been counted since the start.
    pub metrics: Arc<Metrics>,
    /// Lets a monitoring system read the metrics; without one only this very machine does.
    pub metrics_token: Option<Arc<str>>,
}

/// Who may make an account by themself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SignUp {
    /// Anybody who can read mail at their address.
    Open,
    /// Whoever was invited.
    #[default]
    Invited,
    /// Nobody: users are made by their company.
    Closed,
}

impl AppState {
    /// A state over opened parts; `server_url` without a slash at its end.
    pub fn new(db: Db, objects: Arc<dyn Objects>, server_url: &str, clock: Arc<dyn Clock>) -> Self {
        let room = Room::default();
        Self {
            db,
            objects,
            server_url: server_url.trim_end_matches('/').into(),
            clock,
            passwords: Passwords::within(room.clone()),
            throttle: Arc::default(),
            rates: Arc::default(),
            trusted_proxies: Arc::default(),
            pace: Pace::default(),
            room,
            looks: Looks::default(),
            committer: Arc::default(),
            oidc: None,
            sign_up: SignUp::default(),
            mail_is_sent: false,
            metrics: Arc::default(),
            metrics_token: None,
        }
    }

    /// Begins a consistent view of a company's rows. Which company follows from who asks.
    pub async fn read(&self, company: CompanyId) -> Result<Read, StoreError> {
        self.db.read(company).await
    }

    /// Begins a transaction on a company's rows.
    pub async fn write(&self, company: CompanyId) -> Result<Write, StoreError> {
        self.db.write(company).await
    }

    /// Whether people and agents reach this server over TLS.
    pub fn is_https(&self) -> bool {
        self.server_url.starts_with("https://")
    }
}

/// The whole server: API and console, with what holds for both (limits, headers, origin check).
pub fn router(state: AppState) -> Router {
    let pages = console::router(state.clone());
    let begin = middleware::from_fn_with_state(state.clone(), asker::begin);
    // Within the layers: by then it is known who asks behind a proxy.
    let routes = api::router(state.clone()).merge(pages).layer(begin);
    api::layers(routes, state)
}
