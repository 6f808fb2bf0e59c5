//! A whole server in the process: a fresh data folder, a clock that stands still, the real router.

#![cfg(test)]
#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base64::Engine as _;
use ed25519_dalek::SigningKey;
use glasshour_license_format::SignedLicense;
use glasshour_protocol::device::sign_token;
use glasshour_protocol::jws::{Jwk, sha256_hex};
use glasshour_protocol::payload::{
    ActivityMinute, ApplicationTime, Cause, InputCounts, SessionEvent, SessionEventKind,
};
use glasshour_protocol::record::{FrameMeta, HEADER_RECORD, HEADER_SIGNATURE};
use glasshour_protocol::withdrawal::{self, HEADER_WITHDRAWN, Reason};
use glasshour_protocol::{
    CompanyId, DeviceId, Kind, LicenseId, RecordHeader, RecordId, RecordMeta, SessionId,
    SignedHeader,
};
use glasshour_server::clock::{Clock, ManualClock};
use glasshour_server::objects::LocalFolder;
use glasshour_server::setup::{self, NewCompany};
use glasshour_server::store::{Company, Read};
use glasshour_server::{AppState, router};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use uuid::Uuid;

/// 2026-11-18T11:06:40Z.
pub(crate) const START_MS: i64 = 1_795_000_000_000;
pub(crate) const OWNER: &str = "me@acme.example";
pub(crate) const NEIGHBOUR: &str = "me@bolt.example";
pub(crate) const PASSWORD: &str = "a long password";

pub(crate) struct Server {
    pub(crate) state: AppState,
    pub(crate) router: Router,
    pub(crate) token: String,
    pub(crate) company_id: CompanyId,
    pub(crate) clock: Arc<ManualClock>,
    // Kept until the server is dropped.
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Panics with the body where the status is another.
    pub(crate) fn expect(self, status: StatusCode) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self
    }

    /// Asserts a refusal: its status and its code.
    pub(crate) fn refused(&self, status: u16, code: &str) {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(
            (self.status.as_u16(), self.code().as_str()),
            (status, code),
            "{body}"
        );
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(START_MS));
        let company = NewCompany {
            name: "Acme".into(),
            owner_email: OWNER.into(),
            owner_password: PASSWORD.into(),
        };
        let data = folder.path().join("data");
        let made = setup::init(&data, None, company, &*clock).await.unwrap();
        let db = setup::open(&data, None).await.unwrap();
        let objects = Arc::new(LocalFolder::open(&data.join("objects")).unwrap());
        let url = "http://127.0.0.1:8080";
        let state = AppState::new(db, objects, url, clock.clone());
        let token = made.api_token.expose().to_owned();
        Self {
            router: router(state.clone()),
            state,
            token,
            company_id: made.company_id,
            clock,
            folder,
        }
    }

    pub(crate) fn clock_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// A view of the company's rows.
    pub(crate) async fn read(&self) -> Read {
        self.state.read(self.company_id).await.unwrap()
    }

    /// The company with its signing key.
    pub(crate) async fn company(&self) -> Company {
        self.read().await.company().await.unwrap().unwrap()
    }

    /// One more company on the same server, as its own owner sees it.
    pub(crate) async fn another_company(&self) -> Neighbour<'_> {
        let company = NewCompany {
            name: "Bolt".into(),
            owner_email: NEIGHBOUR.into(),
            owner_password: PASSWORD.into(),
        };
        let made = setup::add_company(&self.state.db, company, &*self.clock)
            .await
            .unwrap();
        Neighbour {
            server: self,
            token: made.api_token.expose().to_owned(),
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX)
            .await
            .unwrap()
            .to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// A request with the API token.
    pub(crate) async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.api_as(&self.token, method, path, body).await
    }

    /// A request with some token.
    pub(crate) async fn api_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = match body {
            None => request.body(Body::empty()),
            Some(json) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(json.to_string())),
        };
        self.send(request.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.api(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.api(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.api(Method::PATCH, path, Some(body)).await
    }

    /// An active worklog employee on the default profile; returns the id.
    pub(crate) async fn employee(&self) -> String {
        let body = json!({"name": "Jo Doe", "work_mode": "worklog", "active": true});
        let made = self
            .post("/api/v1/employees", body)
            .await
            .expect(StatusCode::CREATED);
        made.json()["employee_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn license_gz(&self, employee: &str) -> Vec<u8> {
        let path = format!("/api/v1/employees/{employee}/license.gz");
        self.get(&path).await.expect(StatusCode::OK).body
    }

    pub(crate) async fn license(&self, employee: &str) -> SignedLicense {
        glasshour_license_format::read(&self.license_gz(employee).await).unwrap()
    }

    /// Sets the Active box.
    pub(crate) async fn set_active(&self, employee: &str, active: bool) {
        let path = format!("/api/v1/employees/{employee}");
        self.patch(&path, json!({"active": active}))
            .await
            .expect(StatusCode::OK);
    }

    /// An enrolled device of that employee.
    pub(crate) async fn device(&self, employee: &str) -> Device {
        let device = Device::new(self, self.license(employee).await);
        let file = self.license_gz(employee).await;
        device.enroll(self, &file).await.expect(StatusCode::CREATED);
        device
    }
}

pub(crate) mod person;

/// A second company on a server.
pub(crate) struct Neighbour<'a> {
    server: &'a Server,
    pub(crate) token: String,
}

impl Neighbour<'_> {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.server
            .api_as(&self.token, Method::GET, path, None)
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let body = Some(body);
        self.server
            .api_as(&self.token, Method::POST, path, body)
            .await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        let body = Some(body);
        self.server
            .api_as(&self.token, Method::PATCH, path, body)
            .await
    }
}

/// A hand-made agent: keys, a chain, and records of any kind.
pub(crate) struct Device {
    pub(crate) id: DeviceId,
    pub(crate) key: SigningKey,
    pub(crate) license: SignedLicense,
    pub(crate) seq: u64,
    pub(crate) prev: Option<String>,
    pub(crate) session: SessionId,
    clock: Arc<ManualClock>,
}

/// A record ready to be sent.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) header: RecordHeader,
    pub(crate) signed: SignedHeader,
    pub(crate) payload: Vec<u8>,
}

/// The smallest thing that begins as a WebP does.
pub(crate) const WEBP: &[u8] =
    b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0";

impl Device {
    pub(crate) fn new(server: &Server, license: SignedLicense) -> Self {
        let id = DeviceId(Uuid::now_v7());
        let mut seed = [0; 32];
        seed[..16].copy_from_slice(id.0.as_bytes());
        Self {
            id,
            key: SigningKey::from_bytes(&seed),
            license,
            seq: 0,
            prev: None,
            session: SessionId(Uuid::now_v7()),
            clock: Arc::clone(&server.clock),
        }
    }

    pub(crate) fn token(&self) -> String {
        let company = self.license.claims().issuer.company_id;
        sign_token(&self.key, self.id, company, self.clock.now_ms() / 1000)
    }

    pub(crate) async fn enroll(&self, server: &Server, license_gz: &[u8]) -> Answer {
        let body = json!({
            "device_id": self.id,
            "public_key": Jwk::from_key(&self.key.verifying_key()),
            "license_gz": base64::engine::general_purpose::STANDARD.encode(license_gz),
            "host_name": "desk", "os_user": "jo", "platform": "linux x11", "agent_version": "0.1.0",
        });
        let request = Request::post("/api/v1/devices")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token()))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        server.send(request.unwrap()).await
    }

    pub(crate) async fn state(&self, server: &Server) -> Answer {
        let request = Request::get("/api/v1/device")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token()))
            .body(Body::empty());
        server.send(request.unwrap()).await
    }

    /// Asks for the current license; `known`: the id of the one that the device has.
    pub(crate) async fn refresh(&self, server: &Server, known: Option<LicenseId>) -> Answer {
        let mut request = Request::get("/api/v1/license")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token()));
        if let Some(id) = known {
            request = request.header(header::IF_NONE_MATCH, format!("\"{id}\""));
        }
        server.send(request.body(Body::empty()).unwrap()).await
    }

    /// Signs a record with the next place in the chain.
    pub(crate) fn make(&mut self, kind: Kind, content_type: &str, payload: &[u8]) -> Made {
        self.seq += 1;
        let now_ms = self.clock.now_ms();
        let frame = (kind == Kind::Screenshot).then(|| FrameMeta {
            monitor: "HDMI-1".into(),
            // One moment has one picture of each place: each of these is of its own.
            x: i32::try_from(self.seq).unwrap(),
            y: 0,
            screen_width: 1,
            screen_height: 1,
            width: 1,
            height: 1,
            blur: "none".into(),
            masked_windows: 0,
            windows_unknown: false,
            unchanged: payload.is_empty(),
        });
        let in_session = !matches!(kind, Kind::Health | Kind::Notice);
        let header = RecordHeader {
            version: 1,
            record_id: RecordId(Uuid::now_v7()),
            device_id: self.id,
            license_id: self.license_id(),
            seq: self.seq,
            prev: self.prev.take(),
            kind,
            captured_at_ms: now_ms,
            mono_ms: u64::try_from(now_ms - START_MS).unwrap() + 1,
            boot_id: "boot".into(),
            utc_offset_min: 60,
            payload_sha256: sha256_hex(payload),
            payload_len: payload.len() as u64,
            content_type: content_type.into(),
            meta: RecordMeta {
                session_id: in_session.then_some(self.session),
                project_id: self.license.claims().default_project_id,
                frame,
                ..RecordMeta::default()
            },
        };
        let made = self.sign(header, payload);
        self.prev = Some(made.signed.hash());
        made
    }

    pub(crate) fn sign(&self, header: RecordHeader, payload: &[u8]) -> Made {
        let signed = SignedHeader::sign(&header, &self.key);
        Made {
            header,
            signed,
            payload: payload.to_vec(),
        }
    }

    pub(crate) fn license_id(&self) -> LicenseId {
        self.license.claims().license_id
    }

    pub(crate) fn screenshot(&mut self) -> Made {
        self.make(Kind::Screenshot, "image/webp", WEBP)
    }

    pub(crate) fn activity(&mut self) -> Made {
        let minute = ActivityMinute {
            from_ms: self.clock.now_ms(),
            to_ms: self.clock.now_ms() + 60_000,
            input: Some(InputCounts {
                keys: 40,
                clicks: 3,
                scrolls: 2,
                motions: 90,
                exact: true,
            }),
            idle_ms: Some(0),
            applications: vec![ApplicationTime {
                name: "XTerm".into(),
                title: None,
                active_ms: 60_000,
            }],
        };
        self.make(
            Kind::Activity,
            "application/json",
            &serde_json::to_vec(&minute).unwrap(),
        )
    }

    pub(crate) fn session(&mut self, event: SessionEventKind, at_ms: i64) -> Made {
        let event = SessionEvent {
            session_id: self.session,
            event,
            cause: Cause::User,
            at_ms,
            project_id: self.license.claims().default_project_id,
            note: None,
            idle: None,
        };
        self.make(
            Kind::Session,
            "application/json",
            &serde_json::to_vec(&event).unwrap(),
        )
    }

    pub(crate) async fn put(&self, server: &Server, made: &Made) -> Answer {
        self.put_with_token(server, made, &self.token()).await
    }

    /// Puts a record without its payload, with what the device signed for that.
    pub(crate) async fn put_withdrawn(
        &self,
        server: &Server,
        made: &Made,
        withdrawal: &str,
    ) -> Answer {
        let request = Request::put(format!("/api/v1/records/{}", made.header.record_id))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token()))
            .header(HEADER_RECORD, made.signed.to_wire())
            .header(HEADER_SIGNATURE, &made.signed.signature)
            .header(HEADER_WITHDRAWN, withdrawal)
            .body(Body::empty());
        server.send(request.unwrap()).await
    }

    /// What the device signs where a record goes without its payload.
    pub(crate) fn withdraw(&self, made: &Made, reason: Reason) -> String {
        let why = (reason, self.clock.now_ms());
        withdrawal::sign(made.header.record_id, &made.signed, why, &self.key)
    }

    pub(crate) async fn put_with_token(&self, server: &Server, made: &Made, token: &str) -> Answer {
        let request = Request::put(format!("/api/v1/records/{}", made.header.record_id))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(HEADER_RECORD, made.signed.to_wire())
            .header(HEADER_SIGNATURE, &made.signed.signature)
            .body(Body::from(made.payload.clone()));
        server.send(request.unwrap()).await
    }
}
