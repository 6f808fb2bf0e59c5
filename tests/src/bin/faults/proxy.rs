//! A proxy of our own between senders and server, which keeps a ledger of what the server acknowledged and does
//! to requests and replies what networks do.
//!
//! HTTP/1.1 with `content-length`, as both sides speak on a plain connection; one thread a connection. What the
//! server answered with 2xx is noted before anything is done to the reply: the server's word counts, whether or
//! not it arrives.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use glasshour_protocol::RecordId;
use glasshour_tests::wait::now;

/// A connection on which nothing happens for so long is given up.
const SILENCE: Duration = Duration::from_secs(150);
/// Largest body taken, bytes.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// What is done to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    Pass,
    /// It comes to the server, and the connection breaks before a byte of the reply.
    LoseReply,
    /// It comes to the server, and the connection breaks within the reply.
    CutReply,
    /// Half of the body comes to the server, then both connections are reset.
    ResetMidBody,
    /// The server never hears of it; this is answered.
    Answer {
        /// Status.
        status: u16,
        /// `Retry-After`, as it is.
        retry_after: Option<String>,
        /// Stable code of the body; without it there is no JSON.
        code: Option<&'static str>,
    },
}

/// A request, as far as faults are decided by it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Of a `PUT` of a record.
    pub(crate) record: Option<RecordId>,
}

/// One answer to a `PUT` of a record.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) record: RecordId,
    /// Of the server, or of [`Fault::Answer`].
    pub(crate) status: u16,
    /// Whether the server said so.
    pub(crate) by_server: bool,
    /// When the request was here whole.
    pub(crate) asked: Instant,
    /// When the answer was.
    pub(crate) at: Instant,
}

type Decide = Box<dyn FnMut(&Request) -> Fault + Send>;

struct Shared {
    upstream: SocketAddr,
    decide: Mutex<Decide>,
    answered: Mutex<Vec<Answered>>,
    ended: AtomicBool,
}

/// A running proxy. Dropping it ends it.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens on a free port of this machine, for a server at `url`.
    pub(crate) fn start(url: &str) -> Result<Self> {
        let upstream = url
            .trim_start_matches("http://")
            .parse()
            .with_context(|| format!("the server's address {url}"))?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream,
            decide: Mutex::new(Box::new(|_| Fault::Pass)),
            answered: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if for_thread.ended.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&for_thread);
                std::thread::spawn(move || {
                    // How a connection ends is no news: breaking them is what we are for.
                    let _ = serve(&shared, &stream);
                });
            }
        });
        Ok(Self { address, shared })
    }

    /// Where senders send to.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port of it.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on, each request is decided by this.
    pub(crate) fn decide(&self, decide: impl FnMut(&Request) -> Fault + Send + 'static) {
        *lock(&self.shared.decide) = Box::new(decide);
    }

    /// Nothing is done to requests any more.
    pub(crate) fn heal(&self) {
        self.decide(|_| Fault::Pass);
    }

    /// Every answer so far.
    pub(crate) fn answered(&self) -> Vec<Answered> {
        lock(&self.shared.answered).clone()
    }

    /// How many records the server acknowledged so far, each time counted.
    pub(crate) fn acknowledgements(&self) -> usize {
        lock(&self.shared.answered)
            .iter()
            .filter(|answer| answer.is_acknowledgement())
            .count()
    }

    /// The records that the server acknowledged, and how often.
    pub(crate) fn acknowledged(&self) -> BTreeMap<RecordId, u32> {
        let mut acknowledged = BTreeMap::new();
        for answer in lock(&self.shared.answered).iter() {
            if answer.is_acknowledgement() {
                *acknowledged.entry(answer.record).or_default() += 1;
            }
        }
        acknowledged
    }
}

impl Answered {
    pub(crate) fn is_acknowledgement(&self) -> bool {
        self.by_server && (200..300).contains(&self.status)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes the listener, so that it sees so.
        let _ = TcpStream::connect(self.address);
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A message of HTTP/1.1: its head as received, and its body.
struct Message {
    head: Vec<u8>,
    body: Vec<u8>,
}

fn serve(shared: &Shared, client: &TcpStream) -> Result<()> {
    client.set_read_timeout(Some(SILENCE))?;
    client.set_nodelay(true)?;
    let mut requests = BufReader::new(client.try_clone()?);
    let mut upstream: Option<BufReader<TcpStream>> = None;
    loop {
        let Some(head) = read_head(&mut requests)? else {
            return Ok(());
        };
        let request = Request {
            record: record_of(&head),
        };
        let fault = (lock(&shared.decide))(&request);
        let length = content_length(&head)?;
        if fault == Fault::ResetMidBody && length > 1 {
            let mut half = vec![0; length / 2];
            requests.read_exact(&mut half)?;
            let mut server = TcpStream::connect(shared.upstream)?;
            server.write_all(&head)?;
            server.write_all(&half)?;
            reset(&server);
            reset(client);
            return Ok(());
        }
        let mut body = vec![0; length];
        requests.read_exact(&mut body)?;
        let asked = now();
        let note = |status, by_server| {
            if let Some(record) = request.record {
                lock(&shared.answered).push(Answered {
                    record,
                    status,
                    by_server,
                    asked,
                    at: now(),
                });
            }
        };
        if let Fault::Answer {
            status,
            retry_after,
            code,
        } = &fault
        {
            note(*status, false);
            let answer = made_up(*status, retry_after.as_deref(), *code);
            (&mut &*client).write_all(&answer)?;
            continue;
        }
        let reply = match ask(&mut upstream, shared.upstream, &Message { head, body }) {
            Ok(reply) => reply,
            Err(error) => {
                // What the sender sees of a server that is gone: a connection that breaks.
                reset(client);
                return Err(error);
            }
        };
        note(status_of(&reply.head), true);
        match fault {
            Fault::LoseReply => {
                reset(client);
                return Ok(());
            }
            Fault::CutReply => {
                let part = reply.head.len() / 2;
                (&mut &*client).write_all(reply.head.get(..part).unwrap_or_default())?;
                reset(client);
                return Ok(());
            }
            _ => {
                (&mut &*client).write_all(&reply.head)?;
                (&mut &*client).write_all(&reply.body)?;
            }
        }
    }
}

/// Brings a request to the server. A kept connection that the server has closed meanwhile is made anew once,
/// where not a byte of an answer had come.
fn ask(
    kept: &mut Option<BufReader<TcpStream>>,
    upstream: SocketAddr,
    request: &Message,
) -> Result<Message> {
    if let Some(mut connection) = kept.take()
        && let Ok(Some(reply)) = exchange(&mut connection, request)
    {
        *kept = Some(connection);
        return Ok(reply);
    }
    let stream = TcpStream::connect(upstream)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE))?;
    let mut connection = BufReader::new(stream);
    let reply = exchange(&mut connection, request)?.context("the server hung up")?;
    *kept = Some(connection);
    Ok(reply)
}

fn exchange(connection: &mut BufReader<TcpStream>, request: &Message) -> Result<Option<Message>> {
    let stream = connection.get_mut();
    stream.write_all(&request.head)?;
    stream.write_all(&request.body)?;
    let Some(head) = read_head(connection)? else {
        return Ok(None);
    };
    let mut body = vec![0; content_length(&head)?];
    connection.read_exact(&mut body)?;
    Ok(Some(Message { head, body }))
}

/// Up to and with the empty line; `None` where the other side closed before it began.
fn read_head(from: &mut BufReader<TcpStream>) -> Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        if from.read_until(b'\n', &mut head)? == 0 {
            if head.is_empty() {
                return Ok(None);
            }
            bail!("the connection ended within a head");
        }
        if matches!(head.get(before..), Some(b"\r\n")) {
            return Ok(Some(head));
        }
        if head.len() > 64 * 1024 {
            bail!("a head without end");
        }
    }
}

fn content_length(head: &[u8]) -> Result<usize> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    if text.contains("\r\ntransfer-encoding:") {
        bail!("a body without a length, which this proxy does not pass on");
    }
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(Ok(0), |value| value.trim().parse())
        .context("a content-length")?;
    if length > MAX_BODY {
        bail!("a body of {length} bytes");
    }
    Ok(length)
}

fn record_of(head: &[u8]) -> Option<RecordId> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let path = line.strip_prefix("PUT /api/v1/records/")?;
    path.split(' ').next()?.parse().ok()
}

pub(crate) fn status_of(head: &[u8]) -> u16 {
    let digits = head.get(9..12).unwrap_or_default();
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

fn made_up(status: u16, retry_after: Option<&str>, code: Option<&str>) -> Vec<u8> {
    let body = code.map_or_else(
        || "<html>no</html>".to_owned(),
        |code| format!(r#"{{"code":"{code}","message":"A fault on purpose."}}"#),
    );
    let retry = retry_after.map_or_else(String::new, |value| format!("retry-after: {value}\r\n"));
    let length = body.len();
    format!("HTTP/1.1 {status} Fault\r\n{retry}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// Ends a connection with a reset instead of a close: what a broken path looks like.
fn reset(stream: &TcpStream) {
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] =
        b"PUT /api/v1/records/01936f2e-0000-7000-8000-000000000001 HTTP/1.1\r\nContent-Length: 12\r\n\r\n";

    #[test]
    fn a_request_is_known_by_its_head() {
        assert!(record_of(HEAD).is_some());
        assert_eq!(content_length(HEAD).unwrap(), 12);
        assert!(record_of(b"GET /api/v1/device HTTP/1.1\r\n\r\n").is_none());
        assert!(content_length(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn an_answer_of_ours_is_one() {
        let answer = made_up(503, Some("2"), Some("busy"));
        assert_eq!(status_of(&answer), 503);
        assert!(
            String::from_utf8(answer)
                .unwrap()
                .contains("retry-after: 2\r\n")
        );
    }
}
