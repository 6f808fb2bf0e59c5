//! Networks: cut, reset within a body, lossy and slow; ten thousand devices that come back at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glasshour_protocol::Kind;
use glasshour_protocol::device::{EnrollRequest, sign_token};
use glasshour_protocol::jws::Jwk;
use glasshour_tests::device::Device;
use glasshour_tests::wait::{now, wait_until, wall_ms, when};

use super::kills::{end_load, start_load};
use crate::case::{Case, Run};
use crate::disk::run as system;
use crate::needs::Need;
use crate::proxy::Fault;
use crate::stage::{Seat, Stage, wait_for_end};

pub(crate) const CASES: &[Case] = &[
    Case {
        number: 23,
        name: "partition-and-reset",
        says: "all packets are dropped for seconds, connections are reset within bodies",
        needs: &[Need::Network],
        tries: (2, 30),
        run: partition,
    },
    Case {
        number: 24,
        name: "20-percent-loss-at-1-mbit",
        says: "a fifth of all packets lost, 1 Mbit/s; counted in records",
        needs: &[Need::Network],
        tries: (20, 400),
        run: lossy,
    },
    Case {
        number: 26,
        name: "10000-devices-reconnect",
        says: "devices that enrol and send at once after the server was away; counted in devices",
        needs: &[],
        tries: (200, 10_000),
        run: reconnect,
    },
];

const SOON: Duration = Duration::from_mins(2);

/// A rule set of nft that is gone with its guard.
struct Rules;

impl Rules {
    fn set(rules: &str) -> Result<Self> {
        let table = format!(
            "table inet faults {{\nchain in {{\ntype filter hook input priority 0;\n{rules}\n}}\n}}\n"
        );
        system("nft", [table])?;
        Ok(Self)
    }
}

impl Drop for Rules {
    fn drop(&mut self) {
        let _ = system("nft", ["delete table inet faults"]);
    }
}

fn partition(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let (seats, pushers) = start_load(&mut stage)?;
    let port = stage.proxy.port();
    let mut random = run.random.fork();
    while run.tally.tries < run.wanted {
        let before = stage.proxy.acknowledgements();
        wait_until(SOON, "records at the server", || {
            Ok(when(stage.proxy.acknowledgements() >= before + 8))
        })?;
        if run.tally.tries.is_multiple_of(2) {
            let rules = Rules::set(&format!("tcp dport {port} drop; tcp sport {port} drop;"))?;
            std::thread::sleep(Duration::from_millis(500) + run.below_ms(2500));
            drop(rules);
        } else {
            let seed = random.u64(..);
            let mut chance = fastrand::Rng::with_seed(seed);
            stage.proxy.decide(move |request| {
                if request.record.is_some() && chance.u8(0..3) == 0 {
                    Fault::ResetMidBody
                } else {
                    Fault::Pass
                }
            });
            std::thread::sleep(Duration::from_millis(500) + run.below_ms(1500));
            stage.proxy.heal();
        }
        let begin = now();
        let from = stage.proxy.acknowledgements();
        wait_until(SOON, "records after the network is back", || {
            Ok(when(stage.proxy.acknowledgements() > from))
        })?;
        run.tally.recovered.push(begin.elapsed());
        run.tried();
    }
    end_load(pushers)?;
    run.tally.totals.agent_kills += 4;
    let seats: Vec<&Seat> = seats.iter().collect();
    run.settle_whole(&stage, &seats).map(drop)
}

fn lossy(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let seat = stage.seat()?;
    seat.drain(&stage.proxy.url())?;
    let url = stage.proxy.url();
    let port = stage.proxy.port();
    system("ip", ["link", "set", "lo", "mtu", "1500"])?;
    let shape = "qdisc add dev lo root tbf rate 1mbit burst 16kb latency 300ms";
    system("tc", shape.split(' '))?;
    let rules = Rules::set(&format!(
        "tcp dport {port} numgen random mod 100 < 20 drop; tcp sport {port} numgen random mod 100 < 20 drop;"
    ))?;
    let count = run.wanted.to_string();
    let words = [
        "--count",
        &count,
        "--server",
        &url,
        "--picture-bytes",
        "4000",
    ];
    let plan = seat
        .pusher("a fifth is lost", &words)?
        .with(["--drain-s", "1500"]);
    let begin = now();
    let ended = plan
        .start()
        .and_then(|mut pusher| wait_for_end(&mut pusher, &seat.name, Duration::from_mins(26)));
    drop(rules);
    system("tc", ["qdisc", "del", "dev", "lo", "root"])?;
    system("ip", ["link", "set", "lo", "mtu", "65536"])?;
    let ended = ended?;
    run.promise(ended.success(), || {
        format!("with a fifth of the packets lost, not all was sent in 25 minutes: {ended}")
    });
    run.note(format!(
        "{count} records of 4 kB took {:.0?}",
        begin.elapsed()
    ));
    run.tally.tries = run.wanted;
    run.settle_whole(&stage, &[&seat]).map(drop)
}

/// How many requests are under way at the same time.
const AT_ONCE: usize = 200;

fn reconnect(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let license = stage.license().to_vec();
    let license_id = glasshour_license_format::read(&license)?
        .claims()
        .license_id;
    let company = stage.company;
    let folder = run.folder.join("devices");
    std::fs::create_dir(&folder)?;
    let mut devices = Vec::new();
    for number in 0..run.wanted {
        devices.push(Device::make(&folder.join(number.to_string()), company)?);
    }
    stage.server.kill_hard()?;
    run.tally.totals.server_kills += 1;
    stage.server.start_again()?;
    let begin = now();
    let next = AtomicUsize::new(0);
    let stored = AtomicUsize::new(0);
    let slowest = std::sync::Mutex::new(Duration::ZERO);
    let url = stage.server.url().to_owned();
    let token = stage.server.init.api_token.clone();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let api = glasshour_tests::Api::new(&url, &token);
                while let Some(device) = devices.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let payload = payload(&device.id().to_string());
                    let header = device.header(
                        license_id,
                        1,
                        Kind::Activity,
                        ("application/json", &payload),
                    );
                    let put = device.sign_header(&header, &payload);
                    let from = now();
                    // As the sender does: again, a moment later, until it is taken.
                    while from.elapsed() < SOON * 3 {
                        let request = enrolment(device, &license);
                        let bearer =
                            sign_token(device.key(), device.id(), company, wall_ms() / 1000 - 5);
                        let enrolled = api.enroll(&request, &bearer).is_ok_and(|s| s < 300);
                        if enrolled && matches!(api.put_record(&put), Ok((200 | 201, _))) {
                            stored.fetch_add(1, Ordering::Relaxed);
                            break;
                        }
                        std::thread::sleep(Duration::from_millis(fastrand::u64(250..1000)));
                    }
                    let mut slowest = slowest.lock().expect("nobody panics with it");
                    *slowest = (*slowest).max(from.elapsed());
                }
            });
        }
    });
    let took = begin.elapsed();
    let at_server = stage.api().records(&stage.employee)?.len() as u64;
    run.tally.tries = run.wanted;
    run.tally.records = stored.load(Ordering::Relaxed) as u64;
    run.tally.lost = run.tally.records.saturating_sub(at_server);
    run.tally.duplicated = at_server.saturating_sub(run.tally.records);
    run.tally.recovered.push(took);
    let all = run.tally.records == run.wanted;
    run.promise(all, || "some devices never came through".into());
    let slowest: Duration = *slowest.lock().expect("nobody panics with it");
    run.note(format!(
        "{} devices in {took:.0?}, {AT_ONCE} at a time, the slowest {slowest:.1?}",
        run.wanted
    ));
    Ok(())
}

pub(super) fn payload(name: &str) -> Vec<u8> {
    let to_ms = wall_ms();
    serde_json::json!({
        "from_ms": to_ms - 60_000, "to_ms": to_ms,
        "applications": [{"name": name, "active_ms": 1}],
    })
    .to_string()
    .into_bytes()
}

pub(super) fn enrolment(device: &Device, license: &[u8]) -> EnrollRequest {
    EnrollRequest {
        device_id: device.id(),
        public_key: Jwk::from_key(&device.key().verifying_key()),
        license_gz: STANDARD.encode(license),
        host_name: "faults".into(),
        os_user: "faults".into(),
        platform: "linux".into(),
        agent_version: env!("CARGO_PKG_VERSION").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_a_minute() {
        let minute: glasshour_protocol::payload::ActivityMinute =
            serde_json::from_slice(&payload("x")).unwrap();
        assert_eq!(minute.to_ms - minute.from_ms, 60_000);
    }
}
