//! Clients that never finish what they say: a byte now and then, of heads or of bodies.
//!
//! One thread plays them all, so that what is measured beside them is the server.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use glasshour_protocol::Kind;
use glasshour_protocol::device::sign_token;
use glasshour_protocol::record::{HEADER_RECORD, HEADER_SIGNATURE};
use glasshour_tests::device::Device;
use glasshour_tests::wait::{now, wait_until, wall_ms, when};

use super::kills::{end_load, start_load};
use super::network::{enrolment, payload};
use crate::case::{Case, Run};
use crate::proxy::status_of;
use crate::stage::{Seat, Stage};

pub(crate) const CASES: &[Case] = &[Case {
    number: 25,
    name: "slow-loris",
    says: "300 clients that send ten bytes a second, in heads and in bodies: others' p99 under twice normal, and they are cut off",
    needs: &[],
    tries: (2, 6),
    run: slow_loris,
}];

const SLOW: usize = 300;
/// Devices that the slow bodies are of: each has its rate.
const DEVICES: usize = 60;
/// How often each sends a byte.
const DRIP: Duration = Duration::from_millis(100);
/// The server waits half a minute for a head, ten seconds for a body that has not come to its pace.
const CUT_OFF: Duration = Duration::from_secs(45);
const MEASURED: Duration = Duration::from_secs(10);
const ENOUGH: usize = 200;

fn slow_loris(run: &mut Run<'_>) -> Result<()> {
    let mut stage = Stage::set(run.folder)?;
    let devices = devices(&stage, run)?;
    let (seats, pushers) = start_load(&mut stage)?;
    let address = stage.server.url().trim_start_matches("http://").to_owned();
    while run.tally.tries < run.wanted {
        let in_body = run.tally.tries.is_multiple_of(2);
        let mut crowd = Crowd {
            address: &address,
            heads: if in_body {
                bodies(&stage, &devices)?
            } else {
                vec![]
            },
            told: Told::default(),
        };
        let told = &crowd.told.clone();
        let ended = &AtomicBool::new(false);
        let before = p99(&stage)?;
        let beside = std::thread::scope(|scope| {
            let playing = scope.spawn(move || crowd.play(ended));
            let measured = beside(&stage, told);
            ended.store(true, Ordering::Relaxed);
            playing
                .join()
                .map_err(|_| anyhow::anyhow!("the slow ones panicked"))??;
            measured
        })?;
        let after = p99(&stage)?;
        // Other work on the machine may begin or end meanwhile.
        let normal = before.max(after);
        let part = if in_body { "bodies" } else { "heads" };
        let cut = told.cut.load(Ordering::Relaxed);
        let answers = told.answers.lock().expect("nobody panics with it").clone();
        // Anything else would have been refused for what it is, and shown nothing of slowness.
        let slow = answers.iter().all(|status| [408, 503].contains(status));
        run.promise(slow, || {
            format!("slow {part} were answered with {answers:?}")
        });
        run.note(format!(
            "p99 {before:.0?} and {after:.0?} alone, {beside:.0?} beside {SLOW} slow {part}; {cut} cut off"
        ));
        // A few milliseconds are the noise of a small machine.
        run.promise(beside < normal * 2 + Duration::from_millis(20), || {
            format!("others' p99 went from {normal:.0?} to {beside:.0?} beside slow {part}")
        });
        run.tried();
    }
    end_load(pushers)?;
    run.tally.totals.agent_kills += 4;
    let seats: Vec<&Seat> = seats.iter().collect();
    run.settle_whole(&stage, &seats).map(drop)
}

/// Measures while all of them are there, and waits until each of the first was cut off.
fn beside(stage: &Stage, told: &Told) -> Result<Duration> {
    wait_until(CUT_OFF, "the slow ones are connected", || {
        Ok(when(told.opened.load(Ordering::Relaxed) >= SLOW))
    })?;
    let measured = p99(stage)?;
    wait_until(CUT_OFF, "each of the slow ones is cut off", || {
        Ok(when(told.cut_first.load(Ordering::Relaxed) >= SLOW))
    })?;
    Ok(measured)
}

/// How long the server took for 99 of 100 records of the next while: on a busy machine a longer one, as a 99th
/// of few is chance.
fn p99(stage: &Stage) -> Result<Duration> {
    let from = stage.proxy.answered().len();
    std::thread::sleep(MEASURED);
    wait_until(MEASURED * 6, "enough records to measure", || {
        Ok(when(stage.proxy.answered().len() >= from + ENOUGH))
    })?;
    let mut times: Vec<Duration> = stage
        .proxy
        .answered()
        .iter()
        .skip(from)
        .map(|answer| answer.at - answer.asked)
        .collect();
    times.sort();
    let at = times.len() * 99 / 100;
    times.get(at).copied().context("no records")
}

/// What is known of the crowd.
#[derive(Clone, Debug, Default)]
struct Told(std::sync::Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Connections made.
    opened: AtomicUsize,
    /// Connections that the server ended, or answered.
    cut: AtomicUsize,
    /// Of those, the first of each client.
    cut_first: AtomicUsize,
    /// What the server answered, where it did.
    answers: Mutex<BTreeSet<u16>>,
}

impl std::ops::Deref for Told {
    type Target = Counts;

    fn deref(&self) -> &Counts {
        &self.0
    }
}

struct Crowd<'a> {
    address: &'a str,
    /// What each says at once before it drips; nothing where the head itself drips.
    heads: Vec<Vec<u8>>,
    told: Told,
}

struct Client {
    stream: TcpStream,
    next: Instant,
}

impl Crowd<'_> {
    fn play(&mut self, ended: &AtomicBool) -> Result<()> {
        let mut clients = Vec::new();
        for number in 0..SLOW {
            clients.push((self.connect(number)?, true));
        }
        while !ended.load(Ordering::Relaxed) {
            for (number, (client, first)) in clients.iter_mut().enumerate() {
                if now() < client.next {
                    continue;
                }
                client.next += DRIP;
                if client.is_cut_off(&self.told) {
                    self.told.cut.fetch_add(1, Ordering::Relaxed);
                    if std::mem::take(first) {
                        self.told.cut_first.fetch_add(1, Ordering::Relaxed);
                    }
                    *client = self.connect(number)?;
                }
            }
            std::thread::sleep(DRIP / 10);
        }
        Ok(())
    }

    fn connect(&self, number: usize) -> Result<Client> {
        let mut stream = TcpStream::connect(self.address)?;
        match self.heads.get(number) {
            Some(head) => stream.write_all(head)?,
            None => stream.write_all(b"PUT /api/v1/records/x HTTP/1.1\r\nhost: x\r\nx-slow: ")?,
        }
        stream.set_nonblocking(true)?;
        self.told.opened.fetch_add(1, Ordering::Relaxed);
        // Not all at the same instant.
        let next = now() + DRIP * u32::try_from(number % 100)? / 100;
        Ok(Client { stream, next })
    }
}

impl Client {
    /// Says one byte more; whether the server would not hear it, or has answered.
    fn is_cut_off(&mut self, told: &Told) -> bool {
        let mut answer = [0; 512];
        match self.stream.read(&mut answer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return true,
            Ok(_) => {
                let status = status_of(&answer);
                told.answers
                    .lock()
                    .expect("nobody panics with it")
                    .insert(status);
                return true;
            }
        }
        self.stream.write_all(b"x").is_err()
    }
}

fn devices(stage: &Stage, run: &Run<'_>) -> Result<Vec<Device>> {
    let folder = run.folder.join("slow");
    std::fs::create_dir(&folder)?;
    let mut devices = Vec::new();
    for number in 0..DEVICES {
        let device = Device::make(&folder.join(number.to_string()), stage.company)?;
        let bearer = sign_token(device.key(), device.id(), stage.company, wall_ms() / 1000);
        let status = stage
            .api()
            .enroll(&enrolment(&device, stage.license()), &bearer)?;
        ensure!(status < 300, "a slow device was not enrolled: {status}");
        devices.push(device);
    }
    Ok(devices)
}

/// Requests that the server has every reason to wait for: by known devices, signed, of half a megabyte.
fn bodies(stage: &Stage, devices: &[Device]) -> Result<Vec<Vec<u8>>> {
    let license = glasshour_license_format::read(stage.license())?
        .claims()
        .license_id;
    let mut heads = Vec::new();
    for (number, device) in (0..SLOW).zip(devices.iter().cycle()) {
        let payload = payload(&number.to_string());
        let mut header = device.header(license, 1, Kind::Activity, ("application/json", &payload));
        header.payload_len = 500_000;
        let put = device.sign_header(&header, &payload);
        let head = format!(
            "PUT /api/v1/records/{} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n{HEADER_RECORD}: {}\r\n\
             {HEADER_SIGNATURE}: {}\r\ncontent-length: {}\r\n\r\n",
            put.record_id, put.token, put.record, put.signature, header.payload_len
        );
        heads.push(head.into_bytes());
    }
    Ok(heads)
}
