//! The command line's side of the socket.

use std::io;
use std::path::Path;
use std::time::Duration;

use interprocess::local_socket::tokio::prelude::*;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use super::{Answer, MAX_ANSWER, Request, name};

/// Longest time an agent that is alive takes to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody listens.
    #[error("the Glasshour agent is not running; start it with `glasshour run`, or log in again")]
    NotRunning,
    /// Somebody listens and does not answer as an agent does.
    #[error("the Glasshour agent does not answer")]
    Broken(#[from] io::Error),
}

/// Asks the agent whose socket that is.
pub async fn call(socket: &Path, request: &Request) -> Result<Answer, CallError> {
    let connected = match name::find(socket) {
        Ok(name) => interprocess::local_socket::tokio::Stream::connect(name).await,
        Err(error) => Err(error),
    };
    let stream = match connected {
        Ok(stream) => stream,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Err(CallError::NotRunning);
        }
        Err(error) => return Err(error.into()),
    };
    tokio::time::timeout(PATIENCE, converse(stream, request))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
        .map_err(CallError::Broken)
}

async fn converse(
    stream: interprocess::local_socket::tokio::Stream,
    request: &Request,
) -> io::Result<Answer> {
    let (reading, mut writing) = (&stream, &stream);
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    writing.write_all(&line).await?;
    let mut answer = String::new();
    BufReader::new(reading)
        .take(MAX_ANSWER)
        .read_line(&mut answer)
        .await?;
    Ok(serde_json::from_str(&answer)?)
}
