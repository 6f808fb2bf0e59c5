//! Lists that are longer than a page: cut by `limit`, gone on with by `cursor`, nothing twice and nothing left out.

mod common;

use std::collections::BTreeSet;

use axum::http::StatusCode;
use common::Server;
use glasshour_protocol::SessionId;
use glasshour_protocol::payload::SessionEventKind;
use serde_json::json;
use uuid::Uuid;

#[cfg(test)]
impl Server {
    /// Walks through a list two by two; returns the ids in their order.
    async fn walk(&self, path: &str, id: &str) -> Vec<String> {
        let mut all = vec![];
        let mut cursor = String::new();
        loop {
            let asked = format!("{path}?limit=2{cursor}");
            let page = self.get(&asked).await.expect(StatusCode::OK).json();
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 2, "{page}");
            all.extend(items.iter().map(|one| one[id].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                None => return all,
                Some(next) => cursor = format!("&cursor={next}"),
            }
        }
    }

    /// The same list at once.
    async fn whole(&self, path: &str, id: &str) -> Vec<String> {
        let page = self.get(path).await.expect(StatusCode::OK).json();
        assert!(page["next"].is_null(), "{page}");
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|one| one[id].as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test]
async fn projects_profiles_and_sessions_go_on_where_the_page_before_ended() {
    let server = Server::start().await;
    for name in ["Apollo", "\u{c5}sgard & Co", "a b c", "Zeus"] {
        server
            .post("/api/v1/projects", json!({"name": name}))
            .await
            .expect(StatusCode::CREATED);
        let profile = json!({"name": name, "settings": {"activity": {"input_counts": true}}});
        server
            .post("/api/v1/profiles", profile)
            .await
            .expect(StatusCode::CREATED);
    }
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    // Two of them begin at the same moment.
    for step in [0, 0, 60_000, 60_000, 60_000] {
        server.clock.advance(step);
        device.session = SessionId(Uuid::now_v7());
        let at = server.clock_ms();
        let begun = device.session(SessionEventKind::Started, at);
        device
            .put(&server, &begun)
            .await
            .expect(StatusCode::CREATED);
    }
    for (path, id) in [
        ("/api/v1/projects", "project_id"),
        ("/api/v1/profiles", "profile_id"),
        ("/api/v1/sessions", "session_id"),
    ] {
        let whole = server.whole(path, id).await;
        assert_eq!(whole.len(), 5, "{path}");
        assert_eq!(server.walk(path, id).await, whole, "{path}");
        assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 5, "{path}");
        let bad = server.get(&format!("{path}?cursor=!")).await;
        bad.refused(422, "invalid");
        let bad = server.get(&format!("{path}?limit=0")).await;
        bad.refused(422, "invalid");
    }
}
