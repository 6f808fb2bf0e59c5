//! Notices from the first showing to the signed record: bound to the license, and saying in which
//! language they were read.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use glasshour_agent::engine::{self, RunConfig};
use glasshour_agent::home::Home;
use glasshour_agent::ipc::{Request, call};
use glasshour_agent::license::{LicenseStore, LoadOptions, Notices, Showing, TrustedKeys};
use glasshour_agent::platform::fake::FakeDesktop;
use glasshour_agent::seal_key::spool_config;
use glasshour_protocol::payload::NoticeKind;
use glasshour_protocol::{CompanyId, Kind, LicenseId, RecordHeader};
use glasshour_uploader::Spool;
use glasshour_uploader::spool::OpenError;
use glasshour_words::{Language, Words};
use serde_json::{Value, json};
use uuid::Uuid;

const COMPANY: CompanyId = CompanyId(Uuid::from_u128(1));
const LICENSE: LicenseId = LicenseId(Uuid::from_u128(2));

/// An agent's home with one license.
struct Stage {
    dir: tempfile::TempDir,
    desktop: FakeDesktop,
    sha256: String,
}

impl Stage {
    fn new(mode: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let claims = serde_json::from_value(json!({
            "version": 1,
            "license_id": LICENSE,
            "serial": 1,
            "issued_at": "2026-11-21T09:00:00Z",
            // Nothing listens on the discard port: the server cannot be reached.
            "issuer": {"company": "Acme", "company_id": COMPANY, "server_url": "http://127.0.0.1:9"},
            "employee": {"employee_id": Uuid::from_u128(3), "name": "Jo Doe"},
            "work_mode": mode,
            "profile": {"name": "Time only"},
        }));
        let key = SigningKey::from_bytes(&[8; 32]);
        let file = glasshour_license_format::sign(&claims.unwrap(), &key).unwrap();
        let signed = glasshour_license_format::read(&file).unwrap();
        let sha256 = signed.payload_sha256().to_owned();
        let options = LoadOptions::strict(jiff::Timestamp::MIN);
        let store = LicenseStore::new(Home::open(dir.path()).unwrap());
        store.load(&file, signed, &options).unwrap();
        Self {
            dir,
            desktop: FakeDesktop::new(),
            sha256,
        }
    }

    fn home(&self) -> Home {
        Home::open(self.dir.path()).unwrap()
    }

    /// Runs the agent in French until its notices are recorded.
    async fn run(&self) {
        let config = RunConfig {
            home: self.home(),
            license_dir: self.dir.path().join("license.d"),
            allow_plain_http: vec![],
            trusted_keys: TrustedKeys::default(),
            spool_quota_bytes: glasshour_uploader::spool::DEFAULT_QUOTA_BYTES,
            line: glasshour_uploader::send::Line::default(),
            words: Words::new(Language::French),
            tray: true,
        };
        let recorded = async {
            loop {
                // What is asked makes the agent take a turn.
                let _ = call(&self.home().socket(), &Request::Status).await;
                let notices = Notices::open(self.home());
                if notices.was_shown(LICENSE) && notices.unrecorded().is_empty() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        let limit = tokio::time::timeout(Duration::from_mins(1), recorded);
        tokio::select! {
            ended = engine::run(config, Arc::new(self.desktop.clone())) => ended.unwrap(),
            recorded = limit => recorded.unwrap(),
        }
    }
}

impl Stage {
    /// What the agent has recorded of notices, once it is gone: signed by its device.
    async fn recorded(&self) -> Vec<(RecordHeader, Value)> {
        let config = spool_config(&self.home(), COMPANY, u64::MAX).unwrap();
        let spool = loop {
            match Spool::open(&self.home().spool(COMPANY), config.clone()) {
                Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
                opened => break opened.unwrap(),
            }
        };
        let key = config.identity.key.verifying_key();
        let leased = spool.lease(1_000, i64::MAX).await.unwrap();
        leased
            .into_iter()
            .map(|record| (record.header.verify(&key).unwrap(), record.payload))
            .filter(|(header, _)| header.kind == Kind::Notice)
            .map(|(header, payload)| (header, serde_json::from_slice(&payload).unwrap()))
            .collect()
    }
}

#[tokio::test]
async fn an_acknowledgement_becomes_a_signed_record_bound_to_the_license_that_says_the_language() {
    let stage = Stage::new("worklog");
    let showing = Showing {
        by: "terminal",
        language: Language::English,
    };
    Notices::open(stage.home())
        .set(LICENSE, NoticeKind::Acknowledged, showing)
        .unwrap();
    stage.run().await;
    let recorded = stage.recorded().await;
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].0.license_id, LICENSE);
    let expected = json!({
        "license_id": LICENSE,
        "license_sha256": stage.sha256,
        "event": "acknowledged",
        "shown_by": "terminal",
        // As it was read, whatever the agent speaks now.
        "language": "en",
    });
    assert_eq!(recorded[0].1, expected);
    let messages = stage.desktop.messages();
    assert!(
        messages.is_empty(),
        "it is not shown once more: {messages:?}"
    );
}

#[tokio::test]
async fn p13_after_an_unattended_install_the_notice_is_shown_in_the_sessions_language() {
    let stage = Stage::new("monitoring");
    stage.run().await;
    let messages = stage.desktop.messages();
    let notice = messages.iter().find(|message| message.important).unwrap();
    assert_eq!(
        notice.title,
        "Ce qui est enregistré par Acme concernant Jo Doe"
    );
    for words in [
        "Ce qui n’est jamais enregistré",
        "Vous ne pouvez pas l’arrêter",
    ] {
        assert!(notice.body.contains(words), "{}", notice.body);
    }
    let views = stage.desktop.views();
    assert!(
        views
            .iter()
            .any(|view| view.tooltip.contains("Suivi en cours")),
        "{views:?}"
    );
    let recorded = stage.recorded().await;
    let expected = json!({
        "license_id": LICENSE,
        "license_sha256": stage.sha256,
        "event": "shown",
        "shown_by": "notification",
        "language": "fr",
    });
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].1, expected);
}
