//! The sender against a real HTTP server on loopback that behaves well, badly, and not at all.

#![expect(clippy::unwrap_used, clippy::result_large_err, reason = "tests")]

mod support;

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
use support::{
    COMPANY, DEVICE, LICENSE, Licenses, NOW_MS, StoppedAt, draft, identity, key, minute,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What the server does with the next record, before it goes back to storing.
#[derive(Clone)]
enum Next {
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
struct Server {
    enrolled: usize,
    /// Serial and file of the newest license, where that is not the one enrolled with.
    newer_license: Option<(u64, &'static [u8])>,
    license_fetches: usize,
    inactive: bool,
    /// Asked how the device stands, the server does not know it.
    forgotten: bool,
    next: VecDeque<Next>,
    stored: HashMap<RecordId, (Vec<u8>, usize)>,
    /// Seconds that the server's clock is ahead of the test's.
    ahead_s: i64,
    /// Records are answered so many together: the first so many, then the next. Nobody hears before all of
    /// them are there.
    together: Vec<usize>,
    /// How many were asked to be stored.
    arrived: watch::Sender<usize>,
}

type Shared = Arc<Mutex<Server>>;

fn error(status: StatusCode, code: &str) -> Response {
    let body = ErrorBody {
        code: code.into(),
        message: format!("the server says {code}"),
        field: None,
    };
    (status, axum::Json(body)).into_response()
}

fn dated(server: &Server, response: impl axum::response::IntoResponse) -> Response {
    let mut response = response.into_response();
    let now = u64::try_from(NOW_MS / 1000 + server.ahead_s).unwrap();
    let date = httpdate(std::time::UNIX_EPOCH + Duration::from_secs(now));
    response.headers_mut().insert("date", date.parse().unwrap());
    response
}

fn httpdate(at: std::time::SystemTime) -> String {
    let seconds = at.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let at = jiff::Timestamp::from_second(seconds.cast_signed()).unwrap();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn authenticate(server: &Server, headers: &HeaderMap) -> Result<(), Response> {
    let token = headers["authorization"]
        .to_str()
        .unwrap()
        .strip_prefix("Bearer ")
        .unwrap();
    let now = NOW_MS / 1000 + server.ahead_s;
    device::verify_token(token, &key().verifying_key(), DEVICE, COMPANY, now)
        .map_err(|_| dated(server, error(StatusCode::UNAUTHORIZED, code::TOKEN_EXPIRED)))
}

fn state(server: &Server) -> DeviceState {
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

async fn enroll(
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

async fn device_state(State(shared): State<Shared>, headers: HeaderMap) -> Response {
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

async fn license(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let mut server = shared.lock().unwrap();
    if let Err(refusal) = authenticate(&server, &headers) {
        return refusal;
    }
    server.license_fetches += 1;
    dated(&server, server.newer_license.unwrap().1.to_vec())
}

async fn store(
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
fn answer(
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
struct Story {
    server: Shared,
    spool: Spool,
    licenses: Arc<Licenses>,
    status: watch::Receiver<SendStatus>,
    cancel: CancellationToken,
    sending: tokio::task::JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Story {
    async fn begin(server: Server) -> Self {
        Self::begin_with(server, Rhythm::default()).await
    }

    async fn begin_with(server: Server, rhythm: Rhythm) -> Self {
        Self::begin_on(Line::default(), server, rhythm).await
    }

    async fn begin_on(line: Line, server: Server, rhythm: Rhythm) -> Self {
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

    async fn push(&self, kind: Kind) -> RecordId {
        let draft = draft(LICENSE, kind, NOW_MS, &minute());
        self.spool.push(draft).await.unwrap().record_id
    }

    async fn push_for(&self, license: LicenseId, hold_until_ms: i64) {
        let mut draft = draft(license, Kind::Activity, NOW_MS, &minute());
        draft.hold_until_ms = hold_until_ms;
        self.spool.push(draft).await.unwrap();
    }

    /// Waits until the server has been asked to take all that it was told to answer in a way.
    async fn until_asked(&self) {
        while !self.server.lock().unwrap().next.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for the spool to look like that.
    async fn until(&self, wanted: SpoolStats) {
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

    async fn until_status(&mut self, wanted: impl FnMut(&SendStatus) -> bool) -> SendStatus {
        let reached = self.status.wait_for(wanted);
        tokio::time::timeout(Duration::from_secs(20), reached)
            .await
            .unwrap()
            .unwrap()
            .clone()
    }

    fn stored(&self, id: RecordId) -> Option<usize> {
        self.server
            .lock()
            .unwrap()
            .stored
            .get(&id)
            .map(|(_, times)| *times)
    }

    async fn end(self) {
        self.cancel.cancel();
        self.sending.await.unwrap();
    }
}

fn delivered(delivered: u64) -> SpoolStats {
    SpoolStats {
        delivered,
        ..SpoolStats::default()
    }
}

#[tokio::test]
async fn records_arrive_and_leave_the_spool() {
    let story = Story::begin(Server::default()).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(story.push(Kind::Activity).await);
    }
    story.until(delivered(20)).await;
    assert!(ids.iter().all(|id| story.stored(*id) == Some(1)));
    assert_eq!(story.server.lock().unwrap().enrolled, 1);
    story.end().await;
}

#[tokio::test]
async fn a_lost_reply_sends_again_and_stores_once() {
    let next = VecDeque::from([Next::LoseTheReply]);
    let story = Story::begin(Server {
        next,
        ..Server::default()
    })
    .await;
    let id = story.push(Kind::Activity).await;
    story.until(delivered(1)).await;
    assert_eq!(story.stored(id), Some(2), "sent twice");
    assert_eq!(story.server.lock().unwrap().stored.len(), 1, "stored once");
    story.end().await;
}

#[tokio::test]
async fn trouble_on_the_way_never_gives_up_a_record() {
    let next = VecDeque::from([Next::Portal, Next::Redirect]);
    let mut story = Story::begin(Server {
        next,
        ..Server::default()
    })
    .await;
    story.push(Kind::Activity).await;
    let status = story.until_status(|status| status.trouble.is_some()).await;
    assert!(
        status
            .trouble
            .unwrap()
            .contains("not that of a Glasshour server")
    );
    story.until(delivered(1)).await;
    story.end().await;
}

#[tokio::test]
async fn p12_a_record_that_its_license_does_not_permit_is_never_sent() {
    let story = Story::begin(Server::default()).await;
    let id = story.push(Kind::Screenshot).await;
    story
        .until(SpoolStats {
            quarantined: 1,
            ..SpoolStats::default()
        })
        .await;
    assert_eq!(story.stored(id), None);
    assert_eq!(
        story.spool.refusals(1).await.unwrap()[0].code,
        code::CHANNEL_NOT_LICENSED
    );
    story.end().await;
}

#[tokio::test]
async fn p08_an_inactive_employee_blocks_and_keeps_the_record() {
    let mut story = Story::begin(Server {
        inactive: true,
        ..Server::default()
    })
    .await;
    let id = story.push(Kind::Activity).await;
    let status = story.until_status(|status| status.blocked.is_some()).await;
    assert_eq!(status.blocked.unwrap().code, code::EMPLOYEE_INACTIVE);
    assert_eq!(story.spool.stats().await.unwrap().waiting, 1);
    assert_eq!(story.stored(id), None);
    story.end().await;
}

#[tokio::test]
async fn a_poisoned_record_does_not_stop_the_others() {
    let conflict = Next::Answer(StatusCode::CONFLICT, code::CONFLICT);
    let next = VecDeque::from([conflict]);
    let story = Story::begin(Server {
        next,
        ..Server::default()
    })
    .await;
    for _ in 0..5 {
        story.push(Kind::Activity).await;
    }
    story
        .until(SpoolStats {
            waiting: 0,
            quarantined: 1,
            delivered: 4,
        })
        .await;
    story.end().await;
}

#[tokio::test]
async fn what_a_newer_license_does_not_permit_goes_without_its_payload_and_keeps_its_place() {
    let superseded = Next::Answer(StatusCode::FORBIDDEN, code::LICENSE_SUPERSEDED);
    let story = Story::begin(Server {
        next: [superseded].into(),
        ..Server::default()
    })
    .await;
    let id = story.push(Kind::Activity).await;
    story.until(delivered(1)).await;
    let (stored, times) = story.server.lock().unwrap().stored[&id].clone();
    assert_eq!((stored.len(), times), (0, 1), "its payload was dropped");
    assert_eq!(story.spool.report().await.unwrap().superseded, 1);
    story.end().await;
}

#[tokio::test]
async fn a_record_from_after_the_licenses_end_does_not_hold_up_the_others() {
    let expired = Next::Answer(StatusCode::FORBIDDEN, code::LICENSE_EXPIRED);
    let story = Story::begin(Server {
        next: [expired].into(),
        ..Server::default()
    })
    .await;
    for _ in 0..3 {
        story.push(Kind::Activity).await;
    }
    story
        .until(SpoolStats {
            waiting: 0,
            quarantined: 1,
            delivered: 2,
        })
        .await;
    assert_eq!(story.status.borrow().blocked, None);
    story.end().await;
}

#[tokio::test]
async fn a_device_that_was_forgotten_enrols_again() {
    let unknown = Next::Answer(StatusCode::UNAUTHORIZED, code::DEVICE_UNKNOWN);
    let story = Story::begin(Server {
        next: [unknown].into(),
        ..Server::default()
    })
    .await;
    story.push(Kind::Activity).await;
    story.until(delivered(1)).await;
    assert_eq!(story.server.lock().unwrap().enrolled, 2);
    story.end().await;
}

#[tokio::test]
async fn a_clock_that_is_a_day_off_does_not_keep_records_from_arriving() {
    for ahead_s in [86_400, -86_400] {
        let story = Story::begin(Server {
            ahead_s,
            ..Server::default()
        })
        .await;
        story.push(Kind::Activity).await;
        story.until(delivered(1)).await;
        story.end().await;
    }
}

const HASTY: Rhythm = Rhythm {
    heartbeat: Duration::from_millis(300),
    blocked_heartbeat: Duration::from_millis(300),
    last_words: Duration::from_millis(300),
};

#[tokio::test]
async fn records_without_their_license_wait_for_it_and_hold_up_nobody() {
    let mut story = Story::begin_with(Server::default(), HASTY).await;
    let missing = LicenseId(Uuid::from_u128(98));
    for _ in 0..6 {
        story.push_for(missing, 0).await;
    }
    for _ in 0..6 {
        story.push_for(LICENSE, 0).await;
    }
    let waiting = SpoolStats {
        waiting: 6,
        quarantined: 0,
        delivered: 6,
    };
    story.until(waiting).await;
    let status = story.until_status(|status| status.trouble.is_some()).await;
    assert!(status.trouble.unwrap().contains("license"));

    story.licenses.0.lock().unwrap().push(missing);
    story.until(delivered(12)).await;
    story.until_status(|status| status.trouble.is_none()).await;
    story.end().await;
}

#[tokio::test]
async fn what_was_under_way_is_given_time_when_sending_ends() {
    let story = Story::begin(Server {
        next: [Next::Slow].into(),
        ..Server::default()
    })
    .await;
    story.push(Kind::Activity).await;
    story.until_asked().await;
    let spool = story.spool.clone();
    story.end().await;
    assert_eq!(spool.stats().await.unwrap(), delivered(1));
}

#[tokio::test]
async fn what_was_cut_off_can_be_leased_by_the_next_sender() {
    let next: VecDeque<_> = [Next::Hang].into();
    let server = || Server {
        next: next.clone(),
        ..Server::default()
    };
    let ended = Story::begin_with(server(), HASTY).await;
    let dropped = Story::begin(server()).await;
    for story in [&ended, &dropped] {
        story.push(Kind::Activity).await;
        story.until_asked().await;
        assert_eq!(story.spool.lease(10, NOW_MS).await.unwrap().len(), 0);
    }
    let spools = [ended.spool.clone(), dropped.spool.clone()];
    ended.end().await;
    dropped.sending.abort();
    assert!(dropped.sending.await.unwrap_err().is_cancelled());
    for spool in spools {
        assert_eq!(spool.lease(10, NOW_MS).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn p08_a_server_is_asked_for_news_however_much_is_pushed_and_held() {
    let story = Story::begin_with(Server::default(), HASTY).await;
    let mut status = story.status.clone();
    status.wait_for(|s| s.device.is_some()).await.unwrap();
    story.server.lock().unwrap().inactive = true;
    let pushing = async {
        loop {
            story.push_for(LICENSE, NOW_MS + 600_000).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let blocked = status.wait_for(|status| status.blocked.is_some());
    let heard = async {
        tokio::select! {
            _ = blocked => {}
            () = pushing => {}
        }
    };
    tokio::time::timeout(Duration::from_secs(10), heard)
        .await
        .unwrap();
    story.end().await;
}

#[tokio::test]
async fn p08_an_answer_from_before_the_block_does_not_end_it() {
    let inactive = Next::Answer(StatusCode::FORBIDDEN, code::EMPLOYEE_INACTIVE);
    let mut story = Story::begin_with(
        Server {
            // Until the two records are there nothing is taken.
            inactive: true,
            next: [inactive, Next::Slow].into(),
            ..Server::default()
        },
        HASTY,
    )
    .await;
    story.until_status(|status| status.blocked.is_some()).await;
    story.push(Kind::Activity).await;
    story.push(Kind::Activity).await;
    story.server.lock().unwrap().inactive = false;
    story.until_asked().await;
    story.until_status(|status| status.blocked.is_some()).await;
    // Whether it is asked before or after the late answer: only what it says counts.
    story.server.lock().unwrap().inactive = true;
    story
        .until(SpoolStats {
            waiting: 1,
            delivered: 1,
            ..SpoolStats::default()
        })
        .await;
    assert!(story.status.borrow().blocked.is_some());
    story.end().await;
}

#[tokio::test]
async fn a_device_that_was_forgotten_enrols_again_though_it_has_nothing_to_send() {
    let mut story = Story::begin_with(Server::default(), HASTY).await;
    story.until_status(|status| status.device.is_some()).await;
    story.server.lock().unwrap().forgotten = true;
    let again = async {
        while story.server.lock().unwrap().enrolled < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again)
        .await
        .unwrap();
    story.end().await;
}

#[tokio::test]
async fn while_the_server_takes_them_more_go_at_once() {
    const BATCHES: [usize; 4] = [4, 5, 6, 7];
    let server = Server {
        inactive: true,
        together: BATCHES.to_vec(),
        ..Server::default()
    };
    let rhythm = Rhythm {
        blocked_heartbeat: Duration::from_millis(20),
        ..Rhythm::default()
    };
    let mut story = Story::begin_with(server, rhythm).await;
    story.until_status(|status| status.blocked.is_some()).await;
    for _ in 0..BATCHES.iter().sum() {
        story.push(Kind::Activity).await;
    }
    story.server.lock().unwrap().inactive = false;
    story.until(delivered(22)).await;
    story.end().await;
}

#[tokio::test]
async fn no_more_goes_a_second_than_the_administrator_allows() {
    let bytes = minute().len();
    let line = Line {
        bytes_per_s: NonZeroU32::new(u32::try_from(bytes).unwrap() * 4),
        ..Line::default()
    };
    let begin = tokio::time::Instant::now();
    let story = Story::begin_on(line, Server::default(), Rhythm::default()).await;
    for _ in 0..9 {
        story.push(Kind::Activity).await;
    }
    story.until(delivered(9)).await;
    // The first goes at once.
    assert!(begin.elapsed() >= Duration::from_secs(2));
    story.end().await;
}

/// Runs another test of this file in a process of its own, where a proxy is configured that cannot
/// be reached.
#[test]
fn what_goes_without_tls_goes_past_a_configured_proxy() {
    let dead = "http://127.0.0.1:9";
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "records_arrive_and_leave_the_spool"])
        .envs([
            ("http_proxy", dead),
            ("HTTP_PROXY", dead),
            ("ALL_PROXY", dead),
        ])
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn each_newer_license_is_fetched_once_and_handed_over_as_it_came() {
    let server = Server {
        newer_license: Some((2, b"not read here")),
        ..Server::default()
    };
    let rhythm = Rhythm {
        heartbeat: Duration::from_millis(20),
        ..Rhythm::default()
    };
    let mut story = Story::begin_with(server, rhythm).await;
    let status = story
        .until_status(|status| status.newer_license.is_some())
        .await;
    assert_eq!(status.newer_license.as_deref(), Some(&b"not read here"[..]));
    story.push(Kind::Activity).await;
    story.until(delivered(1)).await;
    assert_eq!(story.server.lock().unwrap().license_fetches, 1);
    // Whatever became of that one.
    story.server.lock().unwrap().newer_license = Some((3, b"one more"));
    let is_next = |status: &SendStatus| status.newer_license.as_deref() == Some(&b"one more"[..]);
    story.until_status(is_next).await;
    assert_eq!(story.server.lock().unwrap().license_fetches, 2);
    story.end().await;
}
