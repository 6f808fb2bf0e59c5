//! What the server does by itself: pictures that no record names are removed, never one that is about
//! to be named; pictures that are not what was stored are found and marked.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Bytes;
use axum::http::StatusCode;
use common::{Made, Server};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use glasshour_protocol::CompanyId;
use glasshour_protocol::jws::sha256_hex;
use glasshour_server::objects::{ObjectError, ObjectKey, Objects};
use glasshour_server::router;
use glasshour_server::upkeep::{self, Scrubbed};
use tokio::sync::Notify;

#[cfg(test)]
fn file(server: &Server, sha256: &str) -> PathBuf {
    let objects = server.folder.path().join("data/objects");
    let company = std::fs::read_dir(&objects).unwrap().next().unwrap();
    let (fan, rest) = sha256.split_at(2);
    company.unwrap().path().join(fan).join(rest)
}

/// As if it had been written before the server's clock stood where it stands, by that much.
#[cfg(test)]
fn date_back(path: &Path, ms: i64) {
    let at = u64::try_from(common::START_MS - ms).unwrap();
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_millis(at))
        .unwrap();
}

#[tokio::test]
async fn pictures_without_a_record_are_removed_when_they_are_old_and_no_others() {
    let server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    let named = device.screenshot();
    device
        .put(&server, &named)
        .await
        .expect(StatusCode::CREATED);
    // What a crash between the picture and its row leaves; and a write that was cut short.
    let company = device.license.claims().issuer.company_id;
    let orphan = |text: &'static str| {
        let bytes = Bytes::from_static(text.as_bytes());
        let key = ObjectKey::new(company, &sha256_hex(&bytes)).unwrap();
        server.state.objects.put(key, bytes)
    };
    orphan("old").await.unwrap();
    orphan("young").await.unwrap();
    let [old, young] = ["old", "young"].map(|text| file(&server, &sha256_hex(text.as_bytes())));
    let named = file(&server, &named.header.payload_sha256);
    let [cut, cut_now] = ["1-1.tmp", "1-2.tmp"].map(|name| named.with_file_name(name));
    for leftover in [&cut, &cut_now] {
        std::fs::write(leftover, b"half a pict").unwrap();
    }
    for path in [&old, &named, &cut] {
        date_back(path, upkeep::OLD_MS + 1000);
    }
    for path in [&young, &cut_now] {
        date_back(path, upkeep::OLD_MS - 1000);
    }
    assert_eq!(upkeep::sweep(&server.state).await.unwrap(), 2);
    let there = [&old, &cut, &young, &cut_now, &named].map(|path| path.exists());
    assert_eq!(there, [false, false, true, true, true]);
    assert_eq!(upkeep::sweep(&server.state).await.unwrap(), 0);
}

/// Pictures that are on disk, old, and whose rows are yet to come until it is told to go on.
#[derive(Debug)]
struct Waits {
    inner: Arc<dyn Objects>,
    folder: PathBuf,
    written: Notify,
    go_on: Notify,
}

impl Objects for Waits {
    fn put(&self, key: ObjectKey, bytes: Bytes) -> BoxFuture<'_, Result<(), ObjectError>> {
        async move {
            let sha256 = sha256_hex(&bytes);
            self.inner.put(key, bytes).await?;
            let (fan, rest) = sha256.split_at(2);
            date_back(&self.folder.join(fan).join(rest), upkeep::OLD_MS * 2);
            self.written.notify_one();
            self.go_on.notified().await;
            Ok(())
        }
        .boxed()
    }

    fn delete(&self, key: ObjectKey) -> BoxFuture<'_, Result<(), ObjectError>> {
        self.inner.delete(key)
    }

    fn read(&self, key: ObjectKey) -> BoxFuture<'_, Result<Option<Vec<u8>>, ObjectError>> {
        self.inner.read(key)
    }

    fn older_than(
        &self,
        company: CompanyId,
        part: u8,
        before_ms: i64,
    ) -> BoxFuture<'_, Result<Vec<String>, ObjectError>> {
        self.inner.older_than(company, part, before_ms)
    }

    fn remove(&self, key: ObjectKey, before_ms: i64) -> BoxFuture<'_, Result<bool, ObjectError>> {
        self.inner.remove(key, before_ms)
    }

    fn remove_leftovers(
        &self,
        company: CompanyId,
        before_ms: i64,
    ) -> BoxFuture<'_, Result<u64, ObjectError>> {
        self.inner.remove_leftovers(company, before_ms)
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ObjectError>> {
        self.inner.ping()
    }
}

#[tokio::test]
async fn a_picture_whose_row_is_under_way_is_never_removed_however_old_it_looks() {
    let mut server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    let company = device.license.claims().issuer.company_id;
    let objects = Arc::new(Waits {
        inner: Arc::clone(&server.state.objects),
        folder: server
            .folder
            .path()
            .join("data/objects")
            .join(company.to_string()),
        written: Notify::new(),
        go_on: Notify::new(),
    });
    server.state.objects = objects.clone();
    server.router = router(server.state.clone());
    let made = device.screenshot();
    let storing = async { device.put(&server, &made).await.expect(StatusCode::CREATED) };
    let sweeping = async {
        objects.written.notified().await;
        let mut sweep = std::pin::pin!(upkeep::sweep(&server.state));
        // It finds the picture and has to wait for the row.
        let waited = tokio::time::timeout(Duration::from_secs(1), &mut sweep).await;
        assert!(waited.is_err(), "{waited:?}");
        objects.go_on.notify_one();
        assert_eq!(sweep.await.unwrap(), 0);
    };
    tokio::join!(storing, sweeping);
    let path = format!("/api/v1/records/{}/payload", made.header.record_id);
    server.get(&path).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn pictures_that_are_not_what_was_stored_are_marked_until_they_are_restored() {
    let server = Server::start().await;
    let mut device = server.device(&server.employee().await).await;
    let mut made: Vec<Made> = Vec::new();
    for mark in 0..3_u8 {
        let picture = [common::WEBP, &[mark]].concat();
        let record = device.make(glasshour_protocol::Kind::Screenshot, "image/webp", &picture);
        device
            .put(&server, &record)
            .await
            .expect(StatusCode::CREATED);
        made.push(record);
    }
    let hashes: Vec<_> = made
        .iter()
        .map(|made| made.header.payload_sha256.clone())
        .collect();
    let [rotten, lost] = [0, 1].map(|index| file(&server, &hashes[index]));
    let before = std::fs::read(&rotten).unwrap();
    let mut flipped = before.clone();
    flipped[25] ^= 1;
    std::fs::write(&rotten, flipped).unwrap();
    std::fs::rename(&lost, lost.with_extension("aside")).unwrap();

    let found = upkeep::scrub(&server.state, None).await.unwrap();
    let wanted = Scrubbed {
        good: 1,
        damaged: 1,
        missing: 1,
    };
    assert_eq!(found, wanted);
    let company = device.license.claims().issuer.company_id;
    let marks = async || {
        let mut read = server.state.read(company).await.unwrap();
        let mut marks: Vec<_> = read
            .damaged_pictures(10)
            .await
            .unwrap()
            .into_iter()
            .map(|picture| (picture.payload_sha256, picture.what))
            .collect();
        marks.sort_by_key(|(hash, _)| hashes.iter().position(|known| known == hash));
        marks
    };
    let wanted = [
        (hashes[0].clone(), "damaged".to_owned()),
        (hashes[1].clone(), "missing".to_owned()),
    ];
    assert_eq!(marks().await, wanted);

    std::fs::write(&rotten, before).unwrap();
    std::fs::rename(lost.with_extension("aside"), &lost).unwrap();
    let found = upkeep::scrub(&server.state, None).await.unwrap();
    assert_eq!((found.good, found.damaged, found.missing), (3, 0, 0));
    assert_eq!(marks().await, []);
}
