//! One story of the store, told on every database: SQLite always, PostgreSQL where
//! `GLASSHOUR_TEST_POSTGRES` names an empty one (`postgres://user@host/name`).

use ed25519_dalek::SigningKey;
use glasshour_license_format::WorkMode;
use glasshour_protocol::jws::sha256_hex;
use glasshour_protocol::payload::{
    ActivityMinute, ApplicationTime, Cause, HealthReport, InputCounts, SessionEvent,
    SessionEventKind,
};
use glasshour_protocol::{
    CompanyId, DeviceId, EmployeeId, Kind, LicenseId, ProjectId, RecordHeader, RecordId,
    RecordMeta, SessionId, SignedHeader,
};
use glasshour_server::people::standard_profile;
use glasshour_server::report::{Grade, roll_up};
use glasshour_server::store::{
    ApiToken, AuditFilter, Company, CompanyRole, Db, Device, Employee, EmployeeFilter, NewRecord,
    Profile, Project, ProjectKind, RecordFilter, Scopes, Session, StoreError, TokenScope, User,
    UserStatus, VALIDATION_OK, WebSession,
};
use uuid::Uuid;

/// The story; each run makes a company of its own, so a database can be used again.
#[cfg(test)]
async fn tell(db: Db) {
    let company_id = CompanyId(Uuid::now_v7());
    let id = || Uuid::now_v7();
    let company = Company {
        company_id,
        name: "Acme".into(),
        privacy_contact: None,
        signing_key: SigningKey::from_bytes(&[5; 32]),
    };
    let project = Project {
        project_id: ProjectId(id()),
        workspace_id: "w".into(),
        name: "General".into(),
        color: "#0f766e".into(),
        kind: ProjectKind::Project,
        is_default: true,
        archived: false,
        created_at: 1,
    };
    let profile = Profile {
        profile_id: id().to_string(),
        name: "Standard".into(),
        settings: standard_profile("Standard"),
        is_default: true,
        created_at: 1,
        updated_at: 1,
    };
    let employee = Employee {
        employee_id: EmployeeId(id()),
        workspace_id: "w".into(),
        name: "Jo Doe".into(),
        email: Some("jo@acme.example".into()),
        work_mode: WorkMode::Monitoring,
        project_id: project.project_id,
        profile_id: profile.profile_id.clone(),
        active: true,
        serial: 0,
        created_at: 1,
        updated_at: 1,
    };
    let user = User {
        user_id: id().to_string(),
        company_id,
        login: format!("me of {company_id}"),
        email: format!("{company_id}@acme.example"),
        first_name: "Me".into(),
        last_name: String::new(),
        password_hash: Some("hash".into()),
        role: CompanyRole::Owner,
        status: UserStatus::Active,
        validation_result: VALIDATION_OK.into(),
        created_at: 1,
        updated_at: 1,
    };

    // Nothing is seen before it is committed, and nothing is left of what is not.
    let mut write = db.write(company_id).await.unwrap();
    write.insert_company(&company, 1).await.unwrap();
    write.insert_workspace("w", "Acme", 1).await.unwrap();
    write.insert_project(&project).await.unwrap();
    write.insert_profile(&profile).await.unwrap();
    write.insert_user(&user).await.unwrap();
    write
        .insert_employees(std::slice::from_ref(&employee))
        .await
        .unwrap();
    let mut read = db.read(company_id).await.unwrap();
    assert_eq!(read.employee(employee.employee_id).await.unwrap(), None);
    drop(read);
    write.commit().await.unwrap();
    let mut write = db.write(company_id).await.unwrap();
    let twin = Employee {
        employee_id: EmployeeId(id()),
        ..employee.clone()
    };
    write
        .insert_employees(std::slice::from_ref(&twin))
        .await
        .unwrap();
    drop(write);
    let mut read = db.read(company_id).await.unwrap();
    let everybody = read
        .employees(&EmployeeFilter {
            workspace_id: None,
            after: None,
            limit: 9,
        })
        .await
        .unwrap();
    assert_eq!(everybody, std::slice::from_ref(&employee));
    assert_eq!(
        read.default_project(None).await.unwrap(),
        Some(project.clone())
    );
    assert_eq!(read.default_profile().await.unwrap(), Some(profile.clone()));
    drop(read);

    // Another company sees none of it.
    let mut other = db.read(CompanyId(id())).await.unwrap();
    assert_eq!(other.employee(employee.employee_id).await.unwrap(), None);
    assert_eq!(other.projects(None, 9).await.unwrap(), []);
    drop(other);

    // A taken name is told from other faults.
    let mut write = db.write(company_id).await.unwrap();
    let same_name = Project {
        project_id: ProjectId(id()),
        ..project.clone()
    };
    let taken = write.insert_project(&same_name).await;
    assert!(matches!(taken, Err(StoreError::Taken { .. })), "{taken:?}");
    drop(write);

    cookies(&db, company_id, &user).await;
    records(&db, company_id, &employee).await;
}

#[cfg(test)]
async fn cookies(db: &Db, company_id: CompanyId, user: &User) {
    let mut write = db.write(company_id).await.unwrap();
    let session = WebSession {
        user_id: user.user_id.clone(),
        at_company_id: None,
        at_workspace_id: None,
        created_at: 5,
        last_used_at: 5,
        expires_at: 50,
    };
    let (cookie, token) = (
        format!("cookie {company_id}"),
        format!("token {company_id}"),
    );
    write.insert_web_session(&cookie, &session).await.unwrap();
    let script = ApiToken {
        company_id,
        token_id: Uuid::now_v7().to_string(),
        name: "script".into(),
        token_hash: token.clone(),
        scopes: Scopes(vec![TokenScope::Read]),
        made_by: None,
        created_at: 5,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    };
    write.insert_api_token(&script).await.unwrap();
    write.touch_web_session(&cookie, 9).await.unwrap();
    write.commit().await.unwrap();
    // Which company is meant follows from the cookie, the token or the address.
    let found = db.find_web_session(&cookie).await.unwrap().unwrap();
    assert_eq!(
        (found.company_id, found.session.last_used_at),
        (company_id, 9)
    );
    let found = db.find_api_token(&token).await.unwrap().unwrap();
    assert_eq!(found, script);
    assert_eq!(db.find_home(&user.email).await.unwrap(), Some(company_id));
    let mut write = db.write(company_id).await.unwrap();
    write.delete_expired_web_sessions(50, 0).await.unwrap();
    write.commit().await.unwrap();
    assert!(db.find_web_session(&cookie).await.unwrap().is_none());
    let mut write = db.write(company_id).await.unwrap();
    let found = write.user_by_email(&user.email).await.unwrap().unwrap();
    assert_eq!(found.user_id, user.user_id);
    write.commit().await.unwrap();
}

#[cfg(test)]
async fn records(db: &Db, company_id: CompanyId, employee: &Employee) {
    let id = || Uuid::now_v7();
    let device = Device {
        device_id: DeviceId(id()),
        employee_id: employee.employee_id,
        public_key: "x".into(),
        host_name: "desk".into(),
        os_user: "jo".into(),
        platform: "linux x11".into(),
        agent_version: "0.1.0".into(),
        enrolled_at: 10,
        last_seen_at: 10,
        approved_at: Some(1_000),
        revoked_at: None,
        health: None,
        health_at: None,
    };
    let session_id = SessionId(id());
    let header = RecordHeader {
        version: 1,
        record_id: RecordId(id()),
        device_id: device.device_id,
        license_id: LicenseId(id()),
        seq: 1,
        prev: None,
        kind: Kind::Activity,
        captured_at_ms: 60_000,
        mono_ms: 7,
        boot_id: "boot".into(),
        utc_offset_min: -90,
        payload_sha256: sha256_hex(b"{}"),
        payload_len: 2,
        content_type: "application/json".into(),
        meta: RecordMeta {
            session_id: Some(session_id),
            ..RecordMeta::default()
        },
    };
    let signed = SignedHeader::sign(&header, &SigningKey::from_bytes(&[6; 32]));
    let new = NewRecord {
        signed: &signed,
        header: &header,
        employee_id: employee.employee_id,
        inline_payload: Some(b"{}"),
        withdrawal: None,
        grade: Grade::GapBefore,
        received_at: 61_000,
    };
    let minute = ActivityMinute {
        from_ms: 0,
        to_ms: 60_000,
        input: Some(InputCounts {
            keys: 3,
            clicks: 2,
            scrolls: 1,
            motions: 9,
            exact: true,
        }),
        idle_ms: None,
        applications: vec![ApplicationTime {
            name: "XTerm".into(),
            title: None,
            active_ms: 9,
        }],
    };
    let event = SessionEvent {
        session_id,
        event: SessionEventKind::Started,
        cause: Cause::Login,
        at_ms: 0,
        project_id: Some(employee.project_id),
        note: None,
        idle: None,
    };
    let health = HealthReport {
        agent_version: "0.2.0".into(),
        platform: "linux x11".into(),
        channels: vec![],
        spool_waiting: 0,
        spool_quarantined: 0,
        spool_not_kept: 0,
        spool_lost: 0,
        parts: vec![],
    };

    let mut write = db.write(company_id).await.unwrap();
    write.insert_device(&device).await.unwrap();
    assert!(write.insert_record(&new).await.unwrap());
    assert!(
        !write.insert_record(&new).await.unwrap(),
        "the same id is stored once"
    );
    write
        .insert_activity(&header, employee.employee_id, &minute)
        .await
        .unwrap();
    write
        .insert_session_event(device.device_id, header.record_id, 1, &event)
        .await
        .unwrap();
    write
        .set_device_health(device.device_id, &health, 60_000)
        .await
        .unwrap();
    let older = HealthReport {
        spool_waiting: 99,
        ..health.clone()
    };
    write
        .set_device_health(device.device_id, &older, 59_999)
        .await
        .unwrap();
    write.touch_device(device.device_id, 61_000).await.unwrap();
    write
        .set_grade(header.record_id, Grade::Verified)
        .await
        .unwrap();
    let events = write
        .session_events(device.device_id, session_id)
        .await
        .unwrap();
    assert_eq!(events, [(1, event)]);
    let rolled = roll_up(&events, 60_000, 60_000);
    let session = Session {
        session_id,
        device_id: device.device_id,
        employee_id: employee.employee_id,
        project_id: rolled.project_id,
        started_at: rolled.started_at,
        ended_at: rolled.ended_at,
        withdrawn_ms: rolled.withdrawn_ms,
        first_record_at: 60_000,
        last_record_at: 60_000,
        tracked_ms: rolled.tracked_ms,
        idle_ms: rolled.idle_ms,
        cause: None,
        note: None,
        stretches: rolled.stretches,
    };
    write
        .upsert_session(&Session {
            tracked_ms: 0,
            ..session.clone()
        })
        .await
        .unwrap();
    write.upsert_session(&session).await.unwrap();
    write.commit().await.unwrap();

    let mut read = db.read(company_id).await.unwrap();
    let stored = read.record(header.record_id).await.unwrap().unwrap();
    assert_eq!(
        (stored.grade, stored.seq, stored.utc_offset_min),
        (Grade::Verified, 1, -90)
    );
    assert_eq!(
        (stored.header, stored.header_sha256),
        (signed.bytes.clone(), signed.hash())
    );
    assert_eq!(
        read.inline_payload(header.record_id)
            .await
            .unwrap()
            .as_deref(),
        Some(&b"{}"[..])
    );
    let filter = |kind, from_ms| RecordFilter {
        workspace_id: None,
        employee_id: Some(employee.employee_id),
        kind,
        from_ms,
        to_ms: i64::MAX,
        after: None,
        limit: 9,
    };
    assert_eq!(read.records(&filter(None, 60_000)).await.unwrap().len(), 1);
    assert_eq!(
        read.records(&filter(Some(Kind::Camera), 0))
            .await
            .unwrap()
            .len(),
        0
    );
    assert_eq!(read.records(&filter(None, 60_001)).await.unwrap().len(), 0);
    let chain = read
        .record_at(header.device_id, header.license_id, 1)
        .await
        .unwrap();
    assert_eq!(chain.unwrap().record_id, header.record_id);
    let minutes = read.activity(employee.employee_id, 0, 1, 9).await.unwrap();
    assert_eq!((minutes[0].keys, minutes[0].idle_ms), (3, None));
    assert_eq!(minutes[0].applications, minute.applications);
    let hours = read.activity_by_hour(0, 1, 9).await.unwrap();
    assert_eq!(
        (hours[0].employee_id, hours[0].hour, hours[0].actions),
        (employee.employee_id, 0, 6)
    );
    let sessions = read
        .sessions_of(employee.employee_id, 60_000, 60_001, 9)
        .await
        .unwrap();
    assert_eq!(sessions, std::slice::from_ref(&session));
    assert_eq!(read.sessions(None, 60_001, 99_999, 9).await.unwrap(), []);
    assert_eq!(
        read.pictures(Kind::Screenshot, employee.employee_id, 0, i64::MAX, 9)
            .await
            .unwrap(),
        []
    );
    let known = read.device(device.device_id).await.unwrap().unwrap();
    assert_eq!((known.last_seen_at, known.health), (61_000, Some(health)));
    drop(read);

    let mut write = db.write(company_id).await.unwrap();
    assert!(write.revoke_device(device.device_id, 70_000).await.unwrap());
    assert!(!write.revoke_device(device.device_id, 80_000).await.unwrap());
    write.commit().await.unwrap();
    let mut read = db.read(company_id).await.unwrap();
    let devices = read.devices_of(employee.employee_id, 9).await.unwrap();
    assert_eq!(devices[0].revoked_at, Some(70_000));
    drop(read);
    audited(db, company_id, employee).await;
}

/// The log was written by the database itself, and the database keeps it.
#[cfg(test)]
async fn audited(db: &Db, company_id: CompanyId, employee: &Employee) {
    let mut read = db.read(company_id).await.unwrap();
    let about = AuditFilter {
        about_id: Some(employee.employee_id.to_string()),
        from_ms: i64::MIN,
        to_ms: i64::MAX,
        limit: 100,
        ..AuditFilter::default()
    };
    let entries = read.audit(&about).await.unwrap();
    let told: Vec<String> = entries
        .iter()
        .map(|entry| format!("{} {}", entry.action, entry.object))
        .collect();
    for wanted in ["create employee", "create device", "change device"] {
        assert!(told.contains(&wanted.to_owned()), "{told:?}");
    }
    let made = entries.last().unwrap();
    assert_eq!(made.after_json.as_ref().unwrap()["active"], true);
    assert_eq!(made.workspace_id.as_deref(), Some("w"));
    drop(read);
    for attempt in [
        "DELETE FROM audit",
        "UPDATE audit SET actor_name = 'nobody'",
        "UPDATE audit SET erased_by = 'r', after_json = NULL",
    ] {
        let refused = match db {
            Db::Sqlite { writer, .. } => sqlx::query(attempt).execute(writer).await.map(drop),
            Db::Postgres(pool) => sqlx::query(attempt).execute(pool).await.map(drop),
        };
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{attempt}: {error}");
    }
}

#[tokio::test]
async fn the_store_keeps_its_word_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite(&folder.path().join("db.sqlite"), true)
        .await
        .unwrap();
    tell(db.clone()).await;
    db.close().await;
}

#[tokio::test]
async fn the_store_keeps_its_word_on_postgresql() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that says where the database is"
    )]
    let Ok(url) = std::env::var("GLASSHOUR_TEST_POSTGRES") else {
        eprintln!("skipped: GLASSHOUR_TEST_POSTGRES does not name a database");
        return;
    };
    let db = Db::open_postgres(&url).await.unwrap();
    tell(db.clone()).await;
    db.close().await;
}
