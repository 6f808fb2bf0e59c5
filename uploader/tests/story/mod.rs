//! A real HTTP server on loopback that behaves well, badly, and not at all, and a spool and a sender before it.

#![expect(clippy::result_large_err, reason = "an answer is a response")]

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{
    COMPANY, DEVICE, LICENSE, Licenses, NOW_MS, StoppedAt, draft, identity, key, minute,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use glasshour_protocol::device::{self, DeviceState, EnrollRequest};
use glasshour_protocol::jws::Jwk;
use glasshour_protocol::{
    EmployeeId, ErrorBody, Kind, LicenseId, Receipt, RecordId, SignedHeader, code,
};
use glasshour_uploader::send::{Line, Rhythm, SendStatus};
use glasshour_uploader::spool::SpoolStats;
use glasshour_uploader::{Sender, SenderConfig, Spool};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What the server does with the next record, before it goes back to storing.
#[derive(Clone)]
pub(crate) enum Next {
    Answer(StatusCode, &'static str),
    /// Stores it, but the answer is lost.
    LoseTheReply,
    /// Not one of ours: a captive portal.
    Portal,
    Redirect,
    /// Stores it, half a second later.
    Slow,
    /// Takes it and never answers.
    Hang,
}

#[derive(Default)]
pub(crate) struct Server {
    pub(crate) enrolled: usize,
    /// Serial and file of the newest license, where that is not the one enrolled with.
    pub(crate) newer_license: Option<(u64, &'static [u8])>,
    pub(crate) license_fetches: usize,
    pub(crate) inactive: bool,
    /// Asked how the device stands, the server does not know it.
    pub(crate) forgotten: bool,
    pub(crate) next: VecDeque<Next>,
    pub(crate) stored: HashMap<RecordId, (Vec<u8>, usize)>,
    /// Seconds that the server's clock is ahead of the test's.
    pub(crate) ahead_s: i64,
    /// Records are answered so many together: the first so many, then the next. Nobody hears before all of
    /// them are there.
    pub(crate) together: Vec<usize>,
    /// How many were asked to be stored.
    pub(crate) arrived: watch::Sender<usize>,
}

pub(crate) type Shared = Arc<Mutex<Server>>;

pub(crate) fn error(status: StatusCode, code: &str) -> Response {
    let body = ErrorBody {
        code: code.into(),
        message: format!("the server says {code}"),
        field: None,
    };
    (status, axum::Json(body)).into_response()
}

pub(crate) fn dated(server: &Server, response: impl axum::response::IntoResponse) -> Response {
    let mut response = response.into_response();
    let now = u64::try_from(NOW_MS / 1000 + server.ahead_s).unwrap();
    let date = httpdate(std::time::UNIX_EPOCH + Duration::from_secs(now));
    response.headers_mut().insert("date", date.parse().unwrap());
    response
}

pub(crate) fn httpdate(at: std::time::SystemTime) -> String {
    let seconds = at.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let at = jiff::Timestamp::from_second(seconds.cast_signed()).unwrap();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub(crate) fn authenticate(server: &Server, headers: &HeaderMap) -> Result<(), Response> {
    let token = headers["authorization"]
        .to_str()
        .unwrap()
        .strip_prefix("Bearer ")
        .unwrap();
    let now = NOW_MS / 1000 + server.ahead_s;
    device::verify_token(token, &key().verifying_key(), DEVICE, COMPANY, now)
        .map_err(|_| dated(server, error(StatusCode::UNAUTHORIZED, code::TOKEN_EXPIRED)))
}

pub(crate) fn state(server: &Server) -> DeviceState {
    DeviceState {
        device_id: DEVICE,
        company_id: COMPANY,
        employee_id: EmployeeId(Uuid::from_u128(4)),
        employee_active: !server.inactive,
        current_serial: server.newer_license.map_or(1, |(serial, _)| serial),
        projects: vec![],
        server_time_ms: NOW_MS,
    }
}

pub(crate) async fn enroll(
    State(shared): State<Shared>,
    headers: HeaderMap,
    axum::Json(body): axum::Json<EnrollRequest>,
) -> Response {
    let mut server = shared.lock().unwrap();
    if let Err(refusal) = authenticate(&server, &headers) {
        return refusal;
    }
    assert_eq!(body.public_key, Jwk::from_key(&key().verifying_key()));
    server.enrolled += 1;
    server.forgotten = false;
    dated(&server, axum::Json(state(&server)))
}

pub(crate) async fn device_state(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let server = shared.lock().unwrap();
    match authenticate(&server, &headers) {
        Err(refusal) => refusal,
        Ok(()) if server.forgotten => dated(
            &server,
            error(StatusCode::UNAUTHORIZED, code::DEVICE_UNKNOWN),
        ),
        Ok(()) => dated(&server, axum::Json(state(&server))),
    }
}

pub(crate) async fn license(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let mut server = shared.lock().unwrap();
    if let Err(refusal) = authenticate(&server, &headers) {
        return refusal;
    }
    server.license_fetches += 1;
    dated(&server, server.newer_license.unwrap().1.to_vec())
}

pub(crate) async fn store(
    State(shared): State<Shared>,
    Path(id): Path<RecordId>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (end, mut arrived) = {
        let server = shared.lock().unwrap();
        let mut number = 0;
        server.arrived.send_modify(|arrived| {
            *arrived += 1;
            number = *arrived;
        });
        let mut end = 0;
        let ends = server.together.iter().map(|batch| {
            end += batch;
            end
        });
        let end = ends.into_iter().find(|end| *end >= number).unwrap_or(0);
        (end, server.arrived.subscribe())
    };
    arrived.wait_for(|arrived| *arrived >= end).await.unwrap();
    let mut wait = Duration::ZERO;
    let answer = answer(&shared, id, &headers, &body, &mut wait);
    tokio::time::sleep(wait).await;
    answer
}

/// The answer to a record, and how late it comes.
pub(crate) fn answer(
    shared: &Shared,
    id: RecordId,
    headers: &HeaderMap,
    body: &Bytes,
    wait: &mut Duration,
) -> Response {
    let mut server = shared.lock().unwrap();
    if let Err(refusal) = authenticate(&server, headers) {
        return refusal;
    }
    let wire = |name: &str| headers[name].to_str().unwrap();
    let signed = SignedHeader::from_wire(wire("glasshour-record"), wire("glasshour-signature"));
    let header = signed.unwrap().verify(&key().verifying_key()).unwrap();
    assert_eq!(header.record_id, id);
    let whole = glasshour_protocol::jws::sha256_hex(body) == header.payload_sha256;
    let withdrawn = headers.contains_key("glasshour-withdrawn");
    assert!(whole || withdrawn && body.is_empty());
    if server.inactive {
        return dated(
            &server,
            error(StatusCode::FORBIDDEN, code::EMPLOYEE_INACTIVE),
        );
    }
    let next = server.next.pop_front();
    match next {
        Some(Next::Answer(status, code)) => return dated(&server, error(status, code)),
        Some(Next::Portal) => return dated(&server, (StatusCode::OK, "<html>log in</html>")),
        Some(Next::Redirect) => {
            let elsewhere = [("location", "http://127.0.0.1:1/steal")];
            return dated(&server, (StatusCode::TEMPORARY_REDIRECT, elsewhere));
        }
        Some(Next::Slow) => *wait = Duration::from_millis(500),
        Some(Next::Hang) => *wait = Duration::from_hours(1),
        Some(Next::LoseTheReply) | None => {}
    }
    let times = server
        .stored
        .entry(id)
        .or_insert_with(|| (body.to_vec(), 0));
    times.1 += 1;
    let new = times.1 == 1;
    if matches!(next, Some(Next::LoseTheReply)) {
        return dated(&server, error(StatusCode::BAD_GATEWAY, "proxy_gave_up"));
    }
    let status = if new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    dated(
        &server,
        (
            status,
            axum::Json(Receipt {
                record_id: id,
                stored_at_ms: NOW_MS,
                new,
            }),
        ),
    )
}

/// A server, a spool and a sender between them.
pub(crate) struct Story {
    pub(crate) server: Shared,
    pub(crate) spool: Spool,
    pub(crate) licenses: Arc<Licenses>,
    pub(crate) status: watch::Receiver<SendStatus>,
    pub(crate) cancel: CancellationToken,
    pub(crate) sending: tokio::task::JoinHandle<()>,
    pub(crate) _dir: tempfile::TempDir,
}

impl Story {
    pub(crate) async fn begin(server: Server) -> Self {
        Self::begin_with(server, Rhythm::default()).await
    }

    pub(crate) async fn begin_with(server: Server, rhythm: Rhythm) -> Self {
        Self::begin_on(Line::default(), server, rhythm).await
    }

    pub(crate) async fn begin_on(line: Line, server: Server, rhythm: Rhythm) -> Self {
        let server = Arc::new(Mutex::new(server));
        let routes = Router::new()
            .route("/api/v1/devices", post(enroll))
            .route("/api/v1/device", get(device_state))
            .route("/api/v1/license", get(license))
            .route("/api/v1/records/{id}", put(store))
            .with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });

        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(&dir.path().join("spool.sqlite"), identity()).unwrap();
        let licenses = Arc::new(Licenses::default());
        let config = SenderConfig {
            server_url: format!("http://{address}/"),
            company_id: COMPANY,
            identity: identity(),
            enrollment: EnrollRequest {
                device_id: DEVICE,
                public_key: Jwk::from_key(&key().verifying_key()),
                license_gz: String::new(),
                host_name: "desk".into(),
                os_user: "jo".into(),
                platform: "test".into(),
                agent_version: "0".into(),
            },
            serial: 1,
            licenses: licenses.clone(),
            wall: Arc::new(StoppedAt(NOW_MS)),
            user_agent: "glasshour-test".into(),
            line,
        };
        let (sender, status) = Sender::new(spool.clone(), config).unwrap();
        let cancel = CancellationToken::new();
        let sending = tokio::spawn(sender.with_rhythm(rhythm).run(cancel.clone()));
        Self {
            server,
            spool,
            licenses,
            status,
            cancel,
            sending,
            _dir: dir,
        }
    }

    pub(crate) async fn push(&self, kind: Kind) -> RecordId {
        let draft = draft(LICENSE, kind, NOW_MS, &minute());
        self.spool.push(draft).await.unwrap().record_id
    }

    pub(crate) async fn push_for(&self, license: LicenseId, hold_until_ms: i64) {
        let mut draft = draft(license, Kind::Activity, NOW_MS, &minute());
        draft.hold_until_ms = hold_until_ms;
        self.spool.push(draft).await.unwrap();
    }

    /// Waits until the server has been asked to take all that it was told to answer in a way.
    pub(crate) async fn until_asked(&self) {
        while !self.server.lock().unwrap().next.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for the spool to look like that.
    pub(crate) async fn until(&self, wanted: SpoolStats) {
        let reached = async {
            while self.spool.stats().await.unwrap() != wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let stats = || async { self.spool.stats().await.unwrap() };
        if tokio::time::timeout(Duration::from_secs(20), reached)
            .await
            .is_err()
        {
            assert_eq!(stats().await, wanted, "{:?}", self.status.borrow().clone());
        }
    }

    pub(crate) async fn until_status(
        &mut self,
        wanted: impl FnMut(&SendStatus) -> bool,
    ) -> SendStatus {
        let reached = self.status.wait_for(wanted);
        tokio::time::timeout(Duration::from_secs(20), reached)
            .await
            .unwrap()
            .unwrap()
            .clone()
    }

    pub(crate) fn stored(&self, id: RecordId) -> Option<usize> {
        self.server
            .lock()
            .unwrap()
            .stored
            .get(&id)
            .map(|(_, times)| *times)
    }

    pub(crate) async fn end(self) {
        self.cancel.cancel();
        self.sending.await.unwrap();
    }
}
