//! A connection has to say something soon: one whose first bytes do not come in time is closed.
//!
//! The HTTP library waits for as long as it takes to learn which version is spoken; its own time-outs
//! begin only then.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// The preface of HTTP/2 (RFC 9113, section 3.4); no request of HTTP/1 that means anything is shorter.
const FIRST_BYTES: usize = 24;

/// Wraps an acceptor.
#[derive(Clone, Debug)]
pub(crate) struct Prompt<A> {
    acceptor: A,
    patience: Duration,
}

impl<A> Prompt<A> {
    /// Connections that `acceptor` lets in have so long for their first bytes.
    pub(crate) fn new(acceptor: A, patience: Duration) -> Self {
        Self { acceptor, patience }
    }
}

impl<A, I, S> Accept<I, S> for Prompt<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = PromptStream<A::Stream>;
    type Service = A::Service;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepting, patience) = (self.acceptor.accept(stream, service), self.patience);
        async move {
            let (stream, service) = accepting.await?;
            let stream = PromptStream {
                stream,
                left: FIRST_BYTES,
                deadline: Box::pin(tokio::time::sleep(patience)),
            };
            Ok((stream, service))
        }
        .boxed()
    }
}

/// A connection that is closed if its first bytes do not come.
#[derive(Debug)]
pub(crate) struct PromptStream<S> {
    stream: S,
    /// How many of the first bytes are still to come.
    left: usize,
    deadline: Pin<Box<Sleep>>,
}

impl<S: AsyncRead + Unpin> AsyncRead for PromptStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left > 0 && self.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let came = buffer.filled().len().saturating_sub(before);
        self.left = self.left.saturating_sub(came);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PromptStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn stream<S>(stream: S, patience: Duration) -> PromptStream<S> {
        PromptStream {
            stream,
            left: FIRST_BYTES,
            deadline: Box::pin(tokio::time::sleep(patience)),
        }
    }

    #[tokio::test]
    async fn a_connection_that_says_too_little_is_ended() {
        let (mut client, server) = tokio::io::duplex(1000);
        let mut server = stream(server, Duration::from_millis(200));
        client.write_all(&[b'G'; FIRST_BYTES - 1]).await.unwrap();
        let mut bytes = [0; 100];
        assert_eq!(server.read(&mut bytes).await.unwrap(), FIRST_BYTES - 1);
        let late = server.read(&mut bytes).await.unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn one_that_spoke_in_time_may_be_silent_for_as_long_as_it_likes() {
        let (mut client, server) = tokio::io::duplex(1000);
        let mut server = stream(server, Duration::from_hours(1));
        client.write_all(&[b'G'; FIRST_BYTES]).await.unwrap();
        let mut bytes = [0; 100];
        assert_eq!(server.read(&mut bytes).await.unwrap(), FIRST_BYTES);
        server.deadline = Box::pin(tokio::time::sleep(Duration::ZERO));
        client.write_all(b"more").await.unwrap();
        assert_eq!(server.read(&mut bytes).await.unwrap(), 4);
    }
}
