//! A proxy that writes down every byte between an agent and its server, and can be cut like a cable.
//!
//! Plain HTTP/1.1 on this computer's loopback, so that what travels can be read. [`Recording`] opens what
//! the transport wraps: chunks, base64url of record headers and tokens, base64 and gzip of a license.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, bail};

use crate::wire;

/// One connection's bytes.
#[derive(Clone, Debug, Default)]
struct Talk {
    asked: Vec<u8>,
    answered: Vec<u8>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Where it leads; `None` before the server is there.
    server: Option<SocketAddr>,
    cut: bool,
    talks: Vec<Talk>,
    open: Vec<TcpStream>,
}

/// The proxy. Its threads end with this process; they hold nothing but memory and sockets.
#[derive(Clone, Debug)]
pub struct Recorder {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

impl Recorder {
    /// Listens on a free port.
    ///
    /// # Errors
    /// There is none.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let recorder = Self {
            address: listener.local_addr()?,
            shared: Arc::default(),
        };
        let accepting = recorder.clone();
        std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || {
                for client in listener.incoming().flatten() {
                    // A connection that fails is the agent's to try again.
                    let _ = accepting.connect(&client);
                }
            })?;
        Ok(recorder)
    }

    /// `http://127.0.0.1:PORT`: what the license is to name as its server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads to the server at that address from now on.
    ///
    /// # Errors
    /// It is not `http://IP:PORT`.
    pub fn lead_to(&self, url: &str) -> Result<()> {
        let address = url.strip_prefix("http://").context("an http address")?;
        self.lock().server = Some(address.parse()?);
        Ok(())
    }

    /// Cuts the cable: nothing passes, and nothing can connect, until it is [mended](Self::mend).
    pub fn cut(&self) {
        let mut shared = self.lock();
        shared.cut = true;
        for stream in shared.open.drain(..) {
            // One that is closed already cannot be closed again.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Mends the cable.
    pub fn mend(&self) {
        self.lock().cut = false;
    }

    /// What was said so far.
    ///
    /// # Errors
    /// Something passed that is not HTTP/1.1: then nothing could be said about it.
    pub fn recording(&self) -> Result<Recording> {
        let talks = self.lock().talks.clone();
        let mut recording = Recording::default();
        for talk in &talks {
            for bytes in [&talk.asked, &talk.answered] {
                recording.pieces.push(bytes.clone());
                for message in wire::messages(bytes)? {
                    recording.requests += usize::from(message.is_request());
                    recording.pieces.extend(wire::unwrapped(&message));
                }
            }
        }
        Ok(recording)
    }

    fn connect(&self, client: &TcpStream) -> Result<()> {
        let (server, number) = {
            let mut shared = self.lock();
            let Some(address) = shared.server.filter(|_| !shared.cut) else {
                client.shutdown(Shutdown::Both)?;
                bail!("the cable is cut");
            };
            let server = TcpStream::connect(address)?;
            shared
                .open
                .extend([client.try_clone()?, server.try_clone()?]);
            shared.talks.push(Talk::default());
            (server, shared.talks.len() - 1)
        };
        self.pass(client.try_clone()?, server.try_clone()?, number, |talk| {
            &mut talk.asked
        })?;
        self.pass(server, client.try_clone()?, number, |talk| {
            &mut talk.answered
        })
    }

    /// Passes bytes one way, written down before they go on.
    fn pass(
        &self,
        mut from: TcpStream,
        mut to: TcpStream,
        number: usize,
        side: fn(&mut Talk) -> &mut Vec<u8>,
    ) -> Result<()> {
        let recorder = self.clone();
        std::thread::Builder::new()
            .name("recorder-pass".into())
            .spawn(move || {
                let mut buffer = [0; 16 * 1024];
                while let Ok(count @ 1..) = from.read(&mut buffer) {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    if let Some(talk) = recorder.lock().talks.get_mut(number) {
                        side(talk).extend_from_slice(bytes);
                    }
                    if to.write_all(bytes).is_err() {
                        break;
                    }
                }
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            })?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything that passed, as it travelled and unwrapped.
#[derive(Debug, Default)]
pub struct Recording {
    pieces: Vec<Vec<u8>>,
    /// How many requests were made.
    pub requests: usize,
}

impl Recording {
    /// Whether those bytes are in it.
    pub fn holds(&self, needle: impl AsRef<[u8]>) -> bool {
        let needle = needle.as_ref();
        assert!(needle.len() >= 4, "too short to mean anything: {needle:?}");
        let finder = memchr::memmem::Finder::new(needle);
        let found = |piece: &Vec<u8>| finder.find(piece).is_some();
        self.pieces.iter().any(found)
    }
}
