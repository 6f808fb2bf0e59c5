//! A backup is taken while the server goes on, holds all of it, and is refused when it is not whole.

mod common;

use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use common::Server;
use glasshour_protocol::jws::sha256_hex;
use glasshour_protocol::payload::SessionEventKind::Started;
use glasshour_server::backup::{self, BackupError, Folders, Report};
use glasshour_server::clock::ManualClock;
use glasshour_server::setup;

#[cfg(test)]
struct Filled {
    server: Server,
    device: common::Device,
    picture: String,
}

#[cfg(test)]
impl Filled {
    /// A server with an employee, a session and a picture.
    async fn new() -> Self {
        let server = Server::start().await;
        let employee = server.employee().await;
        let mut device = server.device(&employee).await;
        let started = device.session(Started, common::START_MS);
        let shot = device.screenshot();
        for record in [&started, &shot] {
            device
                .put(&server, record)
                .await
                .expect(StatusCode::CREATED);
        }
        let picture = sha256_hex(&shot.payload);
        Self {
            server,
            device,
            picture,
        }
    }

    fn data(&self) -> PathBuf {
        self.server.folder.path().join("data")
    }

    fn file(&self) -> PathBuf {
        self.server.folder.path().join("backup.tar")
    }

    async fn back_up(&self) -> Result<Report, BackupError> {
        let clock = ManualClock::at(common::START_MS);
        backup::make(folders(&self.data()), &self.file(), &clock, |_| {}).await
    }

    /// Where the picture's entry begins in a backup: with its name. The folder stands in the prefix
    /// (POSIX ustar, bytes 345 to 499). The database names the picture too, before that.
    fn header_in(&self, backup: &[u8]) -> usize {
        let name = self.picture.as_bytes();
        let found = backup.windows(name.len()).rposition(|part| part == name);
        found.unwrap()
    }

    fn stored_picture(&self) -> PathBuf {
        let (fan, rest) = self.picture.split_at(2);
        let company = self.server.company_id.to_string();
        self.data()
            .join("objects")
            .join(company)
            .join(fan)
            .join(rest)
    }
}

#[cfg(test)]
fn folders(data: &Path) -> Folders<'_> {
    Folders {
        data,
        objects: None,
    }
}

#[cfg(test)]
async fn restore(file: &Path, data: &Path) -> Result<Report, BackupError> {
    backup::restore(file, folders(data), |_| {}).await
}

#[tokio::test]
async fn everything_comes_back_as_it_was_and_what_came_later_is_not_in_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut filled = Filled::new().await;
    let report = filled.back_up().await.unwrap();
    assert_eq!(report.end.pictures, 1);
    assert!(report.end.is_complete());
    let mode = std::fs::metadata(filled.file())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    // The server went on.
    filled.server.clock.advance(60_000);
    let later = filled.device.activity();
    filled
        .device
        .put(&filled.server, &later)
        .await
        .expect(StatusCode::CREATED);

    let restored = filled.server.folder.path().join("restored");
    let again = restore(&filled.file(), &restored).await.unwrap();
    assert_eq!(again.end, report.end);
    assert_eq!(again.manifest, report.manifest);
    let db = setup::open(&restored, None).await.unwrap();
    let mut read = db.read(filled.server.company_id).await.unwrap();
    let company = read.company().await.unwrap().unwrap();
    assert_eq!(
        company.signing_key.verifying_key(),
        filled.server.company().await.signing_key.verifying_key()
    );
    assert_eq!(
        read.picture_hashes("", 10).await.unwrap(),
        [filled.picture.clone()]
    );
    assert!(
        read.record(later.header.record_id).await.unwrap().is_none(),
        "it came after the backup"
    );
    drop(read);
    db.close().await;
    let stored = filled.stored_picture();
    let same = restored.join(stored.strip_prefix(filled.data()).unwrap());
    assert_eq!(std::fs::read(same).unwrap(), std::fs::read(stored).unwrap());
}

#[tokio::test]
async fn nothing_is_written_over_and_nothing_is_left_of_a_failed_backup() {
    let filled = Filled::new().await;
    std::fs::write(filled.file(), "precious").unwrap();
    assert!(matches!(
        filled.back_up().await,
        Err(BackupError::Exists(_))
    ));
    assert_eq!(std::fs::read(filled.file()).unwrap(), b"precious");
    std::fs::remove_file(filled.file()).unwrap();
    filled.back_up().await.unwrap();
    assert!(restore(&filled.file(), &filled.data()).await.is_err());
    assert!(filled.stored_picture().exists());
    let mut names: Vec<_> = std::fs::read_dir(filled.server.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["backup.tar", "data"]);
}

#[tokio::test]
async fn a_picture_that_rotted_or_went_missing_is_named_and_the_rest_is_saved() {
    let filled = Filled::new().await;
    let stored = filled.stored_picture();
    let mut bytes = std::fs::read(&stored).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&stored, bytes).unwrap();
    // It is never shown.
    let items = filled.server.get("/api/v1/records?kind=screenshot").await;
    let id = items.json()["items"][0]["record_id"].clone();
    let path = format!("/api/v1/records/{}/payload", id.as_str().unwrap());
    filled.server.get(&path).await.refused(410, "damaged");

    let report = filled.back_up().await.unwrap();
    assert_eq!(report.end.damaged, std::slice::from_ref(&filled.picture));
    assert!(!report.end.is_complete());
    std::fs::remove_file(filled.file()).unwrap();
    std::fs::remove_file(&stored).unwrap();
    let report = filled.back_up().await.unwrap();
    assert_eq!(report.end.missing, std::slice::from_ref(&filled.picture));
    assert_eq!(report.end.pictures, 0);
}

#[tokio::test]
async fn a_file_that_was_cut_short_or_altered_anywhere_is_refused_and_leaves_nothing() {
    let filled = Filled::new().await;
    filled.back_up().await.unwrap();
    let whole = std::fs::read(filled.file()).unwrap();
    let restored = filled.server.folder.path().join("restored");
    let damaged = filled.server.folder.path().join("damaged.tar");
    let refused = async |bytes: &[u8], what: &str| {
        std::fs::write(&damaged, bytes).unwrap();
        let answer = restore(&damaged, &restored).await;
        assert!(
            matches!(answer, Err(BackupError::NotWhole { .. })),
            "{what}: {answer:?}"
        );
        assert!(!restored.exists(), "{what}");
    };
    // Cut short: in the middle, and just before the last entry's header.
    let end = whole
        .windows(8)
        .rposition(|window| window == b"end.json")
        .unwrap();
    for length in [0, 100, whole.len() / 2, end] {
        refused(&whole[..length], &format!("cut at {length}")).await;
    }
    // One bit in the database, and one in the picture.
    let name = filled.header_in(&whole);
    for at in [name / 2, name + 512 + 4] {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        refused(&altered, &format!("a bit at {at}")).await;
    }
}

#[tokio::test]
async fn a_backup_that_names_a_path_outside_writes_nothing_there() {
    let filled = Filled::new().await;
    filled.back_up().await.unwrap();
    let mut bytes = std::fs::read(filled.file()).unwrap();
    let name = filled.header_in(&bytes);
    let hostile = b"../../evil\0";
    bytes[name..name + hostile.len()].copy_from_slice(hostile);
    // The header's checksum, made right again (POSIX ustar: bytes 148 to 155 count as spaces).
    let header = &mut bytes[name..name + 512];
    header[345..500].fill(0);
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let file = filled.server.folder.path().join("hostile.tar");
    std::fs::write(&file, bytes).unwrap();
    let restored = filled.server.folder.path().join("deep/er/restored");
    let answer = restore(&file, &restored).await;
    assert!(
        matches!(answer, Err(BackupError::NotWhole { .. })),
        "{answer:?}"
    );
    assert!(!filled.server.folder.path().join("deep/evil").exists());
    assert!(!restored.exists());
}
