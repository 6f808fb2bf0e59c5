//! What a server takes in when much comes at once, too slowly, or onto a full disk.

mod common;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use common::{Answer, Device, Made, Server};
use futures_util::{StreamExt as _, stream};
use glasshour_protocol::Kind;
use glasshour_protocol::record::{HEADER_RECORD, HEADER_SIGNATURE};
use glasshour_server::api::Pace;
use glasshour_server::auth::{Passwords, Rates};
use glasshour_server::room::Room;
use glasshour_server::router;
use glasshour_server::store::Db;
use serde_json::Value;

#[cfg(test)]
fn put(device: &Device, made: &Made, body: Body) -> Request<Body> {
    Request::put(format!("/api/v1/records/{}", made.header.record_id))
        .header(header::AUTHORIZATION, format!("Bearer {}", device.token()))
        .header(HEADER_RECORD, made.signed.to_wire())
        .header(HEADER_SIGNATURE, &made.signed.signature)
        .body(body)
        .unwrap()
}

/// The bytes, and then nothing for ever.
#[cfg(test)]
fn stalled(bytes: &[u8]) -> Body {
    let begun = stream::iter([Ok::<_, std::io::Error>(Bytes::copy_from_slice(bytes))]);
    Body::from_stream(begun.chain(stream::pending()))
}

/// A picture of that many bytes.
#[cfg(test)]
fn large(device: &mut Device, bytes: usize) -> Made {
    let mut picture = common::WEBP.to_vec();
    picture.resize(bytes, 7);
    device.make(Kind::Screenshot, "image/webp", &picture)
}

#[cfg(test)]
async fn count(server: &Server) -> usize {
    let records = server.get("/api/v1/records?limit=1000").await.json();
    records["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn whoever_sends_too_slowly_is_cut_off_and_the_others_are_not_concerned() {
    let mut server = Server::start().await;
    server.state.pace = Pace {
        grace: Duration::from_millis(300),
        least_bytes_per_s: 4096,
    };
    server.router = router(server.state.clone());
    let employee = server.employee().await;
    let (mut slow, mut quick) = (
        server.device(&employee).await,
        server.device(&employee).await,
    );
    let late = large(&mut slow, 100_000);
    let answer = server.send(put(&slow, &late, stalled(&late.payload[..40])));
    let others = async {
        for _ in 0..20 {
            let made = quick.screenshot();
            quick.put(&server, &made).await.expect(StatusCode::CREATED);
        }
    };
    let (answer, ()) = tokio::join!(answer, others);
    answer.refused(408, "busy");
    assert_eq!(count(&server).await, 20);
    // Taken when it comes as it should.
    slow.put(&server, &late).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_rush_is_told_to_come_back_before_memory_is_taken() {
    let mut server = Server::start().await;
    server.state.room = Room::new(200 * 1024, Duration::from_millis(200));
    server.router = router(server.state.clone());
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    // Both announce 100 kB, send enough to hold room for it, and no more.
    let holding: Vec<Made> = (0..2).map(|_| large(&mut device, 100_000)).collect();
    let next = large(&mut device, 100_000);
    let small = device.activity();
    let (holder, other) = (&server, &server);
    let held = async {
        let puts = holding
            .iter()
            .map(|made| holder.send(put(&device, made, stalled(&made.payload[..20_000]))));
        futures_util::future::join_all(puts).await
    };
    let rush = async {
        // Not before both of them hold theirs.
        while other.state.room.left() > 480_000 {
            tokio::task::yield_now().await;
        }
        let answer = device.put(other, &next).await;
        answer.refused(503, "busy");
        assert!(answer.headers.contains_key("retry-after"));
        device.put(other, &small).await.expect(StatusCode::CREATED);
    };
    tokio::select! {
        _ = held => panic!("nobody sends the rest"),
        () = rush => {}
    }
    // Whoever goes away gives its room back.
    device.put(&server, &next).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_crowd_that_announces_much_and_sends_nothing_leaves_the_room_to_others() {
    let mut server = Server::start().await;
    server.state.room = Room::new(300 * 1024, Duration::from_millis(200));
    server.router = router(server.state.clone());
    let employee = server.employee().await;
    let (mut crowd, mut other) = (
        server.device(&employee).await,
        server.device(&employee).await,
    );
    // More of them than there is room for first bytes.
    let waiting: Vec<Made> = (0..20).map(|_| large(&mut crowd, 10_000_000)).collect();
    let whole = server.state.room.left();
    let awaited = Arc::new(AtomicUsize::new(0));
    let drip = |made: &Made| {
        let awaited = Arc::clone(&awaited);
        let begun = stream::iter([Ok::<_, std::io::Error>(Bytes::copy_from_slice(
            &made.payload[..40],
        ))]);
        let end = stream::once(async move {
            awaited.fetch_add(1, Ordering::Relaxed);
            std::future::pending().await
        });
        Body::from_stream(begun.chain(end))
    };
    let held = async {
        let puts = waiting
            .iter()
            .map(|made| server.send(put(&crowd, made, drip(made))));
        futures_util::future::join_all(puts).await
    };
    let others = async {
        while awaited.load(Ordering::Relaxed) < waiting.len() {
            tokio::task::yield_now().await;
        }
        assert_eq!(server.state.room.left(), whole, "who drips holds nothing");
        let made = large(&mut other, 100_000);
        other.put(&server, &made).await.expect(StatusCode::CREATED);
    };
    tokio::select! {
        _ = held => panic!("nobody sends the rest"),
        () = others => {}
    }
}

#[tokio::test]
async fn a_password_is_hashed_when_there_is_memory_for_it() {
    let room = Room::new(25 * 1024 * 1024, Duration::from_mins(1));
    let whole = room.left();
    let passwords = Passwords::within(room.clone());
    let (first, second) = tokio::join!(
        passwords.hash("a long password"),
        passwords.hash("another long password"),
    );
    assert!(first.is_ok() && second.is_ok(), "one after the other");
    let none = Passwords::within(Room::new(1024 * 1024, Duration::from_millis(20)));
    let refused = none.hash("a long password").await.unwrap_err();
    assert_eq!((refused.status.as_u16(), refused.code), (503, "busy"));
    assert_eq!(room.left(), whole);
}

#[tokio::test]
async fn a_device_that_sends_too_much_is_told_when_to_come_back() {
    let mut server = Server::start().await;
    server.state.rates = Arc::new(Rates::per_second(1, 0));
    server.router = router(server.state.clone());
    let employee = server.employee().await;
    let (mut device, mut other) = (
        server.device(&employee).await,
        server.device(&employee).await,
    );
    for _ in 0..10 {
        let made = device.activity();
        device.put(&server, &made).await.expect(StatusCode::CREATED);
    }
    let made = device.activity();
    let answer = device.put(&server, &made).await;
    answer.refused(429, "busy");
    assert_eq!(answer.headers["retry-after"], "1");
    let others = other.activity();
    other
        .put(&server, &others)
        .await
        .expect(StatusCode::CREATED);
    server.clock.advance(1000);
    device.put(&server, &made).await.expect(StatusCode::CREATED);
}

#[cfg(test)]
async fn ask(server: &Server, peer: &str, forwarded: Option<&str>) -> Answer {
    let mut request = Request::get("/healthz");
    if let Some(forwarded) = forwarded {
        request = request.header("x-forwarded-for", forwarded);
    }
    let mut request = request.body(Body::empty()).unwrap();
    let peer = SocketAddr::new(peer.parse().unwrap(), 1);
    request.extensions_mut().insert(ConnectInfo(peer));
    server.send(request).await
}

#[tokio::test]
async fn an_address_has_its_rate_and_a_named_proxy_is_not_taken_for_its_clients() {
    let mut server = Server::start().await;
    server.state.rates = Arc::new(Rates::per_second(0, 1));
    let proxy: IpAddr = "10.0.0.1".parse().unwrap();
    server.state.trusted_proxies = Arc::new([proxy]);
    server.router = router(server.state.clone());
    for _ in 0..10 {
        ask(&server, "192.0.2.1", None).await.expect(StatusCode::OK);
    }
    ask(&server, "192.0.2.1", None).await.refused(429, "busy");
    // Nobody else's word is taken for another address.
    ask(&server, "192.0.2.1", Some("192.0.2.9"))
        .await
        .refused(429, "busy");
    for client in 1..30 {
        let client = format!("198.51.100.{client}");
        ask(&server, "10.0.0.1", Some(&client))
            .await
            .expect(StatusCode::OK);
    }
    ask(&server, "10.0.0.1", Some("192.0.2.1"))
        .await
        .refused(429, "busy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_grow_stores_nothing_half_and_reads_go_on() {
    let server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    let made: Vec<Made> = (0..400).map(|_| device.activity()).collect();
    let Db::Sqlite { writer, .. } = &server.state.db else {
        panic!("the tests' server has a file");
    };
    let pages = |most: &str| format!("PRAGMA max_page_count = {most}");
    let (now,): (i64,) = sqlx::query_as("PRAGMA page_count")
        .fetch_one(writer)
        .await
        .unwrap();
    sqlx::query(sqlx::AssertSqlSafe(pages(&(now + 20).to_string())))
        .execute(writer)
        .await
        .unwrap();
    let puts = made.iter().map(|made| device.put(&server, made));
    // So many share a flush, and none waits so long that it is told that the server is busy.
    let answers: Vec<Answer> = stream::iter(puts).buffered(32).collect().await;
    let acknowledged = answers.iter().filter(|a| a.status.is_success()).count();
    let full = answers.iter().filter(|a| a.status.as_u16() == 507);
    assert!(full.clone().count() > 0, "the disk never filled up");
    assert!(
        full.clone().all(|a| a.headers.contains_key("retry-after")),
        "whoever is refused is told to come back"
    );
    let others = answers
        .iter()
        .find(|a| !a.status.is_success() && a.status.as_u16() != 507);
    let others = others.map(|answer| String::from_utf8_lossy(&answer.body));
    assert_eq!(others, None);
    assert_eq!(
        count(&server).await,
        acknowledged,
        "exactly what was acknowledged"
    );

    sqlx::query(sqlx::AssertSqlSafe(pages("1000000")))
        .execute(writer)
        .await
        .unwrap();
    for made in &made {
        let answer = device.put(&server, made).await;
        assert!(answer.status.is_success());
    }
    assert_eq!(count(&server).await, made.len());
    let session: Vec<Value> = server.get("/api/v1/sessions").await.json()["items"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(session.len(), 1);
}
