//! The sender against a real HTTP server on loopback that behaves well, badly, and not at all.

#![expect(clippy::unwrap_used, reason = "tests")]

mod story;
mod support;

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::StatusCode;
use glasshour_protocol::{Kind, LicenseId, code};
use glasshour_uploader::send::{Line, Rhythm, SendStatus};
use glasshour_uploader::spool::SpoolStats;
use story::{Next, Server, Story};
use support::{LICENSE, NOW_MS, minute};
use uuid::Uuid;

fn delivered(delivered: u64) -> SpoolStats {
    SpoolStats {
        delivered,
        ..SpoolStats::default()
    }
}

#[tokio::test]
async fn records_arrive_and_leave_the_spool() {
    let story = Story::begin(Server::default()).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(story.push(Kind::Activity).await);
    }
    story.until(delivered(20)).await;
    assert!(ids.iter().all(|id| story.stored(*id) == Some(1)));
    assert_eq!(story.server.lock().unwrap().enrolled, 1);
    story.end().await;
}

#[tokio::test]
async fn a_lost_reply_sends_again_and_stores_once() {
    let next = VecDeque::from([Next::LoseTheReply]);
    let story = Story::begin(Server {
        next,
        ..Server::default()
    })
    .await;
    let id = story.push(Kind::Activity).await;
    story.until(delivered(1)).await;
    assert_eq!(story.stored(id), Some(2), "sent twice");
    assert_eq!(story.server.lock().unwrap().stored.len(), 1, "stored once");
    story.end().await;
}

#[tokio::test]
async fn trouble_on_the_way_never_gives_up_a_record() {
    let next = VecDeque::from([Next::Portal, Next::Redirect]);
    let mut story = Story::begin(Server {
        next,
        ..Server::default()
    })
    .await;
    story.push(Kind::Activity).await;
    let status = story.until_status(|status| status.trouble.is_some()).await;
    assert!(
        status
            .trouble
            .unwrap()
            .contains("not that of a Glasshour server")
    );
    story.until(delivered(1)).await;
    story.end().await;
}

#[tokio::test]
async fn p12_a_record_that_its_license_does_not_permit_is_never_sent() {
    let story = Story::begin(Server::default()).await;
    let id = story.push(Kind::Screenshot).await;
    story
        .until(SpoolStats {
            quarantined: 1,
            ..SpoolStats::default()
        })
        .await;
    assert_eq!(story.stored(id), None);
    assert_eq!(
        story.spool.refusals(1).await.unwrap()[0].code,
        code::CHANNEL_NOT_LICENSED
    );
    story.end().await;
}

#[tokio::test]
async fn p08_an_inactive_employee_blocks_and_keeps_the_record() {
    let mut story = Story::begin(Server {
        inactive: true,
        ..Server::default()
    })
    .await;
    let id = story.push(Kind::Activity).await;
    let status = story.until_status(|status| status.blocked.is_some()).await;
    assert_eq!(status.blocked.unwrap().code, code::EMPLOYEE_INACTIVE);
    assert_eq!(story.spool.stats().await.unwrap().waiting, 1);
    assert_eq!(story.stored(id), None);
    story.end().await;
}

#[tokio::test]
async fn a_poisoned_record_does_not_stop_the_others() {
    let conflict = Next::Answer(StatusCode::CONFLICT, code::CONFLICT);
    let next = VecDeque::from([conflict]);
    let story = Story::begin(Server {
        next,
        ..Server::default()
    })
    .await;
    for _ in 0..5 {
        story.push(Kind::Activity).await;
    }
    story
        .until(SpoolStats {
            waiting: 0,
            quarantined: 1,
            delivered: 4,
        })
        .await;
    story.end().await;
}

#[tokio::test]
async fn what_a_newer_license_does_not_permit_goes_without_its_payload_and_keeps_its_place() {
    let superseded = Next::Answer(StatusCode::FORBIDDEN, code::LICENSE_SUPERSEDED);
    let story = Story::begin(Server {
        next: [superseded].into(),
        ..Server::default()
    })
    .await;
    let id = story.push(Kind::Activity).await;
    story.until(delivered(1)).await;
    let (stored, times) = story.server.lock().unwrap().stored[&id].clone();
    assert_eq!((stored.len(), times), (0, 1), "its payload was dropped");
    assert_eq!(story.spool.report().await.unwrap().superseded, 1);
    story.end().await;
}

#[tokio::test]
async fn a_record_from_after_the_licenses_end_does_not_hold_up_the_others() {
    let expired = Next::Answer(StatusCode::FORBIDDEN, code::LICENSE_EXPIRED);
    let story = Story::begin(Server {
        next: [expired].into(),
        ..Server::default()
    })
    .await;
    for _ in 0..3 {
        story.push(Kind::Activity).await;
    }
    story
        .until(SpoolStats {
            waiting: 0,
            quarantined: 1,
            delivered: 2,
        })
        .await;
    assert_eq!(story.status.borrow().blocked, None);
    story.end().await;
}

#[tokio::test]
async fn a_device_that_was_forgotten_enrols_again() {
    let unknown = Next::Answer(StatusCode::UNAUTHORIZED, code::DEVICE_UNKNOWN);
    let story = Story::begin(Server {
        next: [unknown].into(),
        ..Server::default()
    })
    .await;
    story.push(Kind::Activity).await;
    story.until(delivered(1)).await;
    assert_eq!(story.server.lock().unwrap().enrolled, 2);
    story.end().await;
}

#[tokio::test]
async fn a_clock_that_is_a_day_off_does_not_keep_records_from_arriving() {
    for ahead_s in [86_400, -86_400] {
        let story = Story::begin(Server {
            ahead_s,
            ..Server::default()
        })
        .await;
        story.push(Kind::Activity).await;
        story.until(delivered(1)).await;
        story.end().await;
    }
}

const HASTY: Rhythm = Rhythm {
    heartbeat: Duration::from_millis(300),
    blocked_heartbeat: Duration::from_millis(300),
    last_words: Duration::from_millis(300),
};

#[tokio::test]
async fn records_without_their_license_wait_for_it_and_hold_up_nobody() {
    let mut story = Story::begin_with(Server::default(), HASTY).await;
    let missing = LicenseId(Uuid::from_u128(98));
    for _ in 0..6 {
        story.push_for(missing, 0).await;
    }
    for _ in 0..6 {
        story.push_for(LICENSE, 0).await;
    }
    let waiting = SpoolStats {
        waiting: 6,
        quarantined: 0,
        delivered: 6,
    };
    story.until(waiting).await;
    let status = story.until_status(|status| status.trouble.is_some()).await;
    assert!(status.trouble.unwrap().contains("license"));

    story.licenses.0.lock().unwrap().push(missing);
    story.until(delivered(12)).await;
    story.until_status(|status| status.trouble.is_none()).await;
    story.end().await;
}

#[tokio::test]
async fn what_was_under_way_is_given_time_when_sending_ends() {
    let story = Story::begin(Server {
        next: [Next::Slow].into(),
        ..Server::default()
    })
    .await;
    story.push(Kind::Activity).await;
    story.until_asked().await;
    let spool = story.spool.clone();
    story.end().await;
    assert_eq!(spool.stats().await.unwrap(), delivered(1));
}

#[tokio::test]
async fn what_was_cut_off_can_be_leased_by_the_next_sender() {
    let next: VecDeque<_> = [Next::Hang].into();
    let server = || Server {
        next: next.clone(),
        ..Server::default()
    };
    let ended = Story::begin_with(server(), HASTY).await;
    let dropped = Story::begin(server()).await;
    for story in [&ended, &dropped] {
        story.push(Kind::Activity).await;
        story.until_asked().await;
        assert_eq!(story.spool.lease(10, NOW_MS).await.unwrap().len(), 0);
    }
    let spools = [ended.spool.clone(), dropped.spool.clone()];
    ended.end().await;
    dropped.sending.abort();
    assert!(dropped.sending.await.unwrap_err().is_cancelled());
    for spool in spools {
        assert_eq!(spool.lease(10, NOW_MS).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn p08_a_server_is_asked_for_news_however_much_is_pushed_and_held() {
    let story = Story::begin_with(Server::default(), HASTY).await;
    let mut status = story.status.clone();
    status.wait_for(|s| s.device.is_some()).await.unwrap();
    story.server.lock().unwrap().inactive = true;
    let pushing = async {
        loop {
            story.push_for(LICENSE, NOW_MS + 600_000).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let blocked = status.wait_for(|status| status.blocked.is_some());
    let heard = async {
        tokio::select! {
            _ = blocked => {}
            () = pushing => {}
        }
    };
    tokio::time::timeout(Duration::from_secs(10), heard)
        .await
        .unwrap();
    story.end().await;
}

#[tokio::test]
async fn p08_an_answer_from_before_the_block_does_not_end_it() {
    let inactive = Next::Answer(StatusCode::FORBIDDEN, code::EMPLOYEE_INACTIVE);
    let mut story = Story::begin_with(
        Server {
            // Until the two records are there nothing is taken.
            inactive: true,
            next: [inactive, Next::Slow].into(),
            ..Server::default()
        },
        HASTY,
    )
    .await;
    story.until_status(|status| status.blocked.is_some()).await;
    story.push(Kind::Activity).await;
    story.push(Kind::Activity).await;
    story.server.lock().unwrap().inactive = false;
    story.until_asked().await;
    story.until_status(|status| status.blocked.is_some()).await;
    // Whether it is asked before or after the late answer: only what it says counts.
    story.server.lock().unwrap().inactive = true;
    story
        .until(SpoolStats {
            waiting: 1,
            delivered: 1,
            ..SpoolStats::default()
        })
        .await;
    assert!(story.status.borrow().blocked.is_some());
    story.end().await;
}

#[tokio::test]
async fn a_device_that_was_forgotten_enrols_again_though_it_has_nothing_to_send() {
    let mut story = Story::begin_with(Server::default(), HASTY).await;
    story.until_status(|status| status.device.is_some()).await;
    story.server.lock().unwrap().forgotten = true;
    let again = async {
        while story.server.lock().unwrap().enrolled < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again)
        .await
        .unwrap();
    story.end().await;
}

#[tokio::test]
async fn while_the_server_takes_them_more_go_at_once() {
    const BATCHES: [usize; 4] = [4, 5, 6, 7];
    let server = Server {
        inactive: true,
        together: BATCHES.to_vec(),
        ..Server::default()
    };
    let rhythm = Rhythm {
        blocked_heartbeat: Duration::from_millis(20),
        ..Rhythm::default()
    };
    let mut story = Story::begin_with(server, rhythm).await;
    story.until_status(|status| status.blocked.is_some()).await;
    for _ in 0..BATCHES.iter().sum() {
        story.push(Kind::Activity).await;
    }
    story.server.lock().unwrap().inactive = false;
    story.until(delivered(22)).await;
    story.end().await;
}

#[tokio::test]
async fn no_more_goes_a_second_than_the_administrator_allows() {
    let bytes = minute().len();
    let line = Line {
        bytes_per_s: NonZeroU32::new(u32::try_from(bytes).unwrap() * 4),
        ..Line::default()
    };
    let begin = tokio::time::Instant::now();
    let story = Story::begin_on(line, Server::default(), Rhythm::default()).await;
    for _ in 0..9 {
        story.push(Kind::Activity).await;
    }
    story.until(delivered(9)).await;
    // The first goes at once.
    assert!(begin.elapsed() >= Duration::from_secs(2));
    story.end().await;
}

/// Runs another test of this file in a process of its own, where a proxy is configured that cannot
/// be reached.
#[test]
fn what_goes_without_tls_goes_past_a_configured_proxy() {
    let dead = "http://127.0.0.1:9";
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "records_arrive_and_leave_the_spool"])
        .envs([
            ("http_proxy", dead),
            ("HTTP_PROXY", dead),
            ("ALL_PROXY", dead),
        ])
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn each_newer_license_is_fetched_once_and_handed_over_as_it_came() {
    let server = Server {
        newer_license: Some((2, b"not read here")),
        ..Server::default()
    };
    let rhythm = Rhythm {
        heartbeat: Duration::from_millis(20),
        ..Rhythm::default()
    };
    let mut story = Story::begin_with(server, rhythm).await;
    let status = story
        .until_status(|status| status.newer_license.is_some())
        .await;
    assert_eq!(status.newer_license.as_deref(), Some(&b"not read here"[..]));
    story.push(Kind::Activity).await;
    story.until(delivered(1)).await;
    assert_eq!(story.server.lock().unwrap().license_fetches, 1);
    // Whatever became of that one.
    story.server.lock().unwrap().newer_license = Some((3, b"one more"));
    let is_next = |status: &SendStatus| status.newer_license.as_deref() == Some(&b"one more"[..]);
    story.until_status(is_next).await;
    assert_eq!(story.server.lock().unwrap().license_fetches, 2);
    story.end().await;
}
