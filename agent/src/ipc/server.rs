//! The running agent's side of the socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use interprocess::local_socket::ListenerOptions;
use interprocess::local_socket::tokio::prelude::*;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{mpsc, oneshot};

use super::{Answer, MAX_LINE, Request, name};

/// How long a client may take to send its line or to read its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request with the place for its answer.
#[derive(Debug)]
pub struct Command {
    /// What is asked.
    pub request: Request,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Answer>,
}

/// The socket could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the control socket {}", path.display())]
pub struct ListenError {
    path: PathBuf,
    source: io::Error,
}

/// The open socket. Dropping it ends listening and removes it.
pub struct Listener {
    inner: interprocess::local_socket::tokio::Listener,
}

impl Listener {
    /// Opens the socket. The caller holds the agent's lock, so a socket that is there is a leftover of
    /// an agent that died.
    pub fn open(path: &Path) -> Result<Self, ListenError> {
        let failed = |source| ListenError {
            path: path.to_owned(),
            source,
        };
        let name = name::make(path).map_err(failed)?;
        let options = owner_only(ListenerOptions::new().name(name)).map_err(failed)?;
        Ok(Self {
            inner: options.create_tokio().map_err(failed)?,
        })
    }

    /// Serves until the receiver of commands is gone. When the queue is full, clients wait.
    pub async fn serve(self, commands: mpsc::Sender<Command>) {
        while !commands.is_closed() {
            match self.inner.accept().await {
                Ok(stream) => {
                    let commands = commands.clone();
                    tokio::spawn(async move {
                        if let Err(error) = converse(stream, commands).await {
                            tracing::debug!(%error, "a client of the control socket was dropped");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket does not accept");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

async fn converse(
    stream: interprocess::local_socket::tokio::Stream,
    commands: mpsc::Sender<Command>,
) -> io::Result<()> {
    let (reading, mut writing) = (&stream, &stream);
    let mut line = String::new();
    let mut reading = BufReader::new(reading).take(MAX_LINE);
    tokio::time::timeout(PATIENCE, reading.read_line(&mut line)).await??;
    let request = serde_json::from_str(&line)?;
    let (reply, answer) = oneshot::channel();
    let ended = || io::Error::other("the agent is ending");
    commands
        .send(Command { request, reply })
        .await
        .map_err(|_| ended())?;
    let answer = answer.await.map_err(|_| ended())?;
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    tokio::time::timeout(PATIENCE, writing.write_all(&line)).await?
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
fn owner_only(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
    use interprocess::os::unix::local_socket::ListenerOptionsExt as _;
    Ok(options.mode(0o600))
}

#[cfg(windows)]
fn owner_only(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
    use crate::platform::windows::owner::{Object, only_us};
    use interprocess::os::windows::local_socket::ListenerOptionsExt as _;
    use interprocess::os::windows::security_descriptor::SecurityDescriptor;

    let list =
        widestring::U16CString::from_str(only_us(Object::Pipe)?).map_err(io::Error::other)?;
    Ok(options.security_descriptor(SecurityDescriptor::deserialize(&list)?))
}
