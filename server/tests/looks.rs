//! Looks at captures while the database has no room: pictures are shown, and no look stays unwritten.

mod common;

use axum::http::StatusCode;
use common::{Made, OWNER, Server};
use glasshour_server::AppState;
use glasshour_server::looks::Looks;
use glasshour_server::store::{AskerKind, Db, NewView, StoreError, ViewKind};
use serde_json::json;
use std::path::PathBuf;
use uuid::Uuid;

/// A server with a file for looks, and a picture.
struct Full {
    server: Server,
    employee: String,
    shot: Made,
}

#[cfg(test)]
impl Full {
    async fn make() -> Self {
        let mut server = Server::start().await;
        server.state.looks = Looks::open(&server.folder.path().join("data/looks"));
        server.router = glasshour_server::router(server.state.clone());
        let employee = server.employee().await;
        let mut device = server.device(&employee).await;
        let shot = device.screenshot();
        device.put(&server, &shot).await.expect(StatusCode::CREATED);
        Self {
            server,
            employee,
            shot,
        }
    }

    fn file(&self) -> PathBuf {
        self.server.folder.path().join("data/looks")
    }

    /// Lets the database grow no more, and fills what is left of it with looks that are shorter than any real
    /// one: not at the first refusal, as a page of one index may be full where there is room in all others.
    async fn fill(&self) {
        self.limit_pages("1").await;
        let mut refused = 0;
        while refused < 50 {
            match self.add_view().await {
                Ok(()) => refused = 0,
                Err(StoreError::DiskFull(_)) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
    }

    async fn add_view(&self) -> Result<(), StoreError> {
        let mut write = self.server.state.write(self.server.company_id).await?;
        let anybody = Uuid::new_v4().to_string();
        let view = NewView {
            employee_id: self.employee.parse().unwrap(),
            viewer_kind: AskerKind::Person,
            viewer_id: anybody.chars().take(8).collect(),
            viewer_name: String::new(),
            what: ViewKind::Day,
            reason: String::new(),
            at_ms: 0,
            from_ms: 0,
            to_ms: 0,
            times: 1,
        };
        write.add_view(&view).await?;
        write.commit().await
    }

    async fn make_room(&self) {
        self.limit_pages("1000000").await;
    }

    /// Of every connection from now on: one that met a full disk is closed.
    async fn limit_pages(&self, most: &'static str) {
        let Db::Sqlite { writer, .. } = &self.server.state.db else {
            unreachable!("it was opened as SQLite")
        };
        let options = (*writer.connect_options()).clone();
        writer.set_connect_options(options.pragma("max_page_count", most));
        self.server.state.db.reopen_writer().await;
    }

    fn picture(&self) -> String {
        format!("/api/v1/records/{}/payload", self.shot.header.record_id)
    }

    /// Looks at pictures, as `(viewer, times)`.
    async fn looks(&self) -> Vec<(String, i64)> {
        let employee = self.employee.parse().unwrap();
        let mut read = self.server.read().await;
        let views = read.views_of(employee, 1, i64::MAX, 100).await.unwrap();
        let pictures = views.into_iter().filter(|v| v.what != ViewKind::Day);
        let mut looks: Vec<_> = pictures.map(|v| (v.viewer_name, v.times)).collect();
        looks.sort();
        looks
    }

    /// As after a crash: what is known is what the file says.
    fn started_again(&self) -> AppState {
        AppState {
            looks: Looks::open(&self.file()),
            ..self.server.state.clone()
        }
    }
}

#[tokio::test]
async fn on_a_full_disk_pictures_are_shown_and_each_look_is_written_down_when_there_is_room() {
    let full = Full::make().await;
    let owner = full.server.log_in(OWNER).await;
    full.fill().await;
    // Its last use was so long ago that each of these would note it.
    full.server.clock.advance(120_000);
    for _ in 0..3 {
        full.server
            .get(&full.picture())
            .await
            .expect(StatusCode::OK);
    }
    let image = format!("/captures/{}/image", full.shot.header.record_id);
    owner.get(&image).await.expect(StatusCode::OK);
    assert_eq!(
        (full.server.state.looks.waiting(), full.looks().await),
        (2, vec![])
    );
    assert!(
        full.server
            .state
            .looks
            .settle(&full.server.state)
            .await
            .is_err()
    );
    assert_eq!(full.server.state.looks.waiting(), 2);

    full.make_room().await;
    full.server
        .state
        .looks
        .settle(&full.server.state)
        .await
        .unwrap();
    assert_eq!(full.server.state.looks.waiting(), 0);
    assert_eq!(
        full.looks().await,
        [("init".to_owned(), 3), ("me@acme.example".to_owned(), 1)]
    );
    // And the next ones are rows as ever.
    full.server
        .get(&full.picture())
        .await
        .expect(StatusCode::OK);
    assert_eq!(full.looks().await.len(), 3);
}

#[tokio::test]
async fn a_crash_between_the_database_and_the_file_writes_no_look_twice() {
    let full = Full::make().await;
    full.fill().await;
    for _ in 0..2 {
        full.server
            .get(&full.picture())
            .await
            .expect(StatusCode::OK);
    }
    let before = std::fs::read(full.file()).unwrap();
    full.make_room().await;
    // Killed before anything is written down: a start does it.
    let state = full.started_again();
    assert_eq!(state.looks.waiting(), 1);
    state.looks.settle(&state).await.unwrap();
    assert_eq!(full.looks().await, [("init".to_owned(), 2)]);
    // Killed after the commit and before the slot was emptied: the next start finds it there again.
    std::fs::write(full.file(), before).unwrap();
    let state = full.started_again();
    assert_eq!(state.looks.waiting(), 1);
    state.looks.settle(&state).await.unwrap();
    assert_eq!(full.looks().await, [("init".to_owned(), 2)]);
    assert_eq!(full.started_again().looks.waiting(), 0);
}

#[tokio::test]
async fn where_neither_database_nor_file_has_room_nothing_is_shown() {
    let mut full = Full::make().await;
    full.fill().await;
    full.server.state.looks = Looks::open(&full.server.folder.path().join("none/looks"));
    full.server.router = glasshour_server::router(full.server.state.clone());
    let refused = full.server.get(&full.picture()).await;
    refused.refused(507, "storage_full");
}

#[tokio::test]
async fn what_was_looked_at_for_a_reason_is_in_the_audit_log_once_with_who_asked_and_when() {
    let full = Full::make().await;
    full.fill().await;
    let at_ms = full.server.clock_ms();
    let export = format!(
        "/api/v1/export?employee_id={}&reason=a+dispute",
        full.employee
    );
    full.server.get(&export).await.expect(StatusCode::OK);
    assert_eq!(full.server.state.looks.waiting(), 1);
    full.server.clock.advance(3_600_000);
    full.make_room().await;
    let file = std::fs::read(full.file()).unwrap();
    for _ in 0..2 {
        std::fs::write(full.file(), &file).unwrap();
        let state = full.started_again();
        state.looks.settle(&state).await.unwrap();
    }
    let log = full.server.get("/api/v1/audit").await.json();
    let entries: Vec<_> = log["items"].as_array().unwrap().iter().collect();
    let exports: Vec<_> = entries.iter().filter(|e| e["action"] == "export").collect();
    assert_eq!(exports.len(), 1, "{log:#}");
    assert_eq!(exports[0]["reason"], json!("a dispute"));
    assert_eq!(exports[0]["actor_name"], json!("init"));
    let at: jiff::Timestamp = exports[0]["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(at.as_millisecond(), at_ms);
}

#[tokio::test]
async fn somebody_erased_meanwhile_is_not_written_down_again() {
    let full = Full::make().await;
    full.fill().await;
    full.server
        .get(&full.picture())
        .await
        .expect(StatusCode::OK);
    let file = std::fs::read(full.file()).unwrap();
    full.make_room().await;
    let path = format!("/api/v1/employees/{}/erase", full.employee);
    full.server
        .post(&path, json!({"confirm": true}))
        .await
        .expect(StatusCode::OK);
    assert_eq!(full.server.state.looks.waiting(), 0);
    // As if the disk had brought the slot back.
    std::fs::write(full.file(), file).unwrap();
    let state = full.started_again();
    state.looks.settle(&state).await.unwrap();
    assert_eq!((state.looks.waiting(), full.looks().await), (0, vec![]));
}
