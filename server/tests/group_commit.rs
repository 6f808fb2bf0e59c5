//! Group commit: what comes at the same time shares flushes, and everything else is as it was.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use common::{Made, Server};
use glasshour_protocol::payload::SessionEventKind;
use glasshour_server::api::Committer;
use glasshour_server::router;
use serde_json::json;

const SENDERS: usize = 32;
const EACH: usize = 8;
const RECORDS: u32 = 256;

/// Sends from many devices at once; the flushes that took, and how long.
#[cfg(test)]
async fn rush(most: usize) -> (u64, Duration) {
    let mut server = Server::start().await;
    server.state.committer = Arc::new(Committer::of_most(most));
    server.router = router(server.state.clone());
    let employee = server.employee().await;
    let mut senders = Vec::new();
    for _ in 0..SENDERS {
        let mut device = server.device(&employee).await;
        let made: Vec<Made> = (0..EACH)
            .map(|number| match number % 2 {
                0 => device.screenshot(),
                _ => device.activity(),
            })
            .collect();
        senders.push((device, made));
    }
    #[expect(clippy::disallowed_methods, reason = "measures the machine")]
    let begun = Instant::now();
    let server = &server;
    let sending = senders.iter().map(|(device, made)| async move {
        for record in made {
            device.put(server, record).await.expect(StatusCode::CREATED);
        }
    });
    futures_util::future::join_all(sending).await;
    let took = begun.elapsed();
    let path = format!("/api/v1/records?limit={}", SENDERS * EACH + 1);
    let stored = server.get(&path).await.json();
    assert_eq!(stored["items"].as_array().unwrap().len(), SENDERS * EACH);
    (server.state.committer.flushes(), took)
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_come_at_once_share_flushes() {
    let (alone, alone_took) = rush(1).await;
    let (together, together_took) = rush(128).await;
    let per_s = |took: Duration| f64::from(RECORDS) / took.as_secs_f64();
    println!(
        "{RECORDS} records from {SENDERS} devices: one a flush: {alone} flushes, {:.0} records/s; \
         together: {together} flushes, {:.0} records/s",
        per_s(alone_took),
        per_s(together_took),
    );
    assert_eq!(alone, u64::from(RECORDS));
    assert!(
        together <= alone / 2,
        "{together} flushes for {alone} records"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_record_a_hundred_times_at_once_is_one_row_and_a_hundred_times_well() {
    let server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    for made in [device.screenshot(), device.activity()] {
        let puts = (0..100).map(|_| device.put(&server, &made));
        let answers = futures_util::future::join_all(puts).await;
        let new = |answer: &&common::Answer| answer.json()["new"] == json!(true);
        assert_eq!(answers.iter().filter(new).count(), 1);
        for answer in &answers {
            let body = answer.json();
            assert!(answer.status.is_success(), "{body}");
            assert_eq!(body["stored_at_ms"], json!(common::START_MS));
        }
    }
    let stored = server.get("/api/v1/records").await.json();
    assert_eq!(stored["items"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_undoes_only_itself() {
    let server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    let good: Vec<Made> = (0..10).map(|_| device.activity()).collect();
    // Each passes every check but the last: its id is another record's by the time it is stored.
    let stopped = device.session(SessionEventKind::Stopped, common::START_MS);
    let clashes = (0..10).map(|_| {
        let mut other = stopped.header.clone();
        other.seq += 100;
        other.record_id = good[0].header.record_id;
        device.sign(other, &stopped.payload)
    });
    let all: Vec<Made> = good.iter().cloned().chain(clashes).collect();
    let puts = all.iter().map(|made| device.put(&server, made));
    let answers = futures_util::future::join_all(puts).await;
    let count = |status| answers.iter().filter(|a| a.status == status).count();
    // Whichever of the eleven with one id came first is stored.
    assert_eq!(count(StatusCode::CONFLICT) + count(StatusCode::OK), 10);
    assert_eq!(count(StatusCode::CREATED), 10);
    let stored = server.get("/api/v1/records").await.json();
    assert_eq!(stored["items"].as_array().unwrap().len(), 10);
}
