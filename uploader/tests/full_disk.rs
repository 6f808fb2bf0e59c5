//! A spool on a disk that is really full: a small one of memory, in a mount namespace of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::Path;
use std::process::Command;

use glasshour_protocol::Kind;
use glasshour_uploader::Spool;
use glasshour_uploader::spool::{Settlement, SpoolError};
use support::{LICENSE, NOW_MS, draft, identity};

/// Lies on the small disk.
const MARK: &str = "small-disk";

/// Runs itself again on a disk of six megabytes.
#[tokio::test]
async fn on_a_full_disk_what_was_delivered_is_struck_off_and_capture_goes_on() {
    if Path::new(MARK).exists() {
        return fill_and_empty().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let enter =
        "mount -t tmpfs -o size=6m small . && cd \"$PWD\" && touch small-disk && exec \"$@\"";
    let run = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "--", "sh", "-c"])
        .args([enter, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "on_a_full_disk_what_was_delivered_is_struck_off_and_capture_goes_on",
        ])
        .current_dir(folder.path())
        .output();
    let run = run.unwrap();
    let said = [run.stdout, run.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    if said.concat().contains("unshare:") || said.concat().contains("mount:") {
        eprintln!("!! SKIPPED: no disk of memory can be had here: {said:?}");
        return;
    }
    assert!(
        run.status.success() && said.concat().contains("1 passed"),
        "{said:?}"
    );
}

async fn fill_and_empty() {
    let spool = Spool::open(Path::new("spool.sqlite"), identity()).unwrap();
    let mut kept = 0;
    for bytes in [300_000, 3_000, 100] {
        for n in 0.. {
            let payload = vec![b'x'; bytes];
            match spool
                .push(draft(LICENSE, Kind::Activity, NOW_MS + n, &payload))
                .await
            {
                Ok(_) => kept += 1,
                Err(error) => {
                    assert!(matches!(error, SpoolError::DiskFull), "{error:?}");
                    break;
                }
            }
        }
    }
    assert!(kept > 5, "{kept}");
    // Somebody else takes what is left.
    let ballast = std::fs::write("ballast", vec![1; 6 << 20]);
    assert!(ballast.is_err());
    let mut delivered = 0;
    loop {
        let lent = spool.lease(4, i64::MAX).await.unwrap();
        if lent.is_empty() {
            break;
        }
        for record in lent {
            let settled = spool.settle(record.record_id, Settlement::Delivered).await;
            settled.unwrap();
            delivered += 1;
        }
    }
    assert_eq!(delivered, kept);
    assert_eq!(spool.stats().await.unwrap().waiting, 0);
    // What the backlog took is there again, beside the ballast.
    let after = draft(LICENSE, Kind::Activity, NOW_MS, &vec![b'y'; 300_000]);
    spool.push(after).await.unwrap();
}
