//! Running: opens the data folder, listens, and ends in good order.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::auth::{Oidc, OidcConfig, Rates};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::looks::Looks;
use crate::objects::LocalFolder;
use crate::prompt::Prompt;
use crate::room::BESIDE_BYTES;
use crate::{AppState, mail, router, setup, upkeep};

/// How long running requests may take once the server was asked to end.
const GRACE: Duration = Duration::from_secs(20);

/// How long a connection may take to send a request's head, or to answer a ping.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long it may take to say the first bytes of anything.
const FIRST_BYTES_TIMEOUT: Duration = Duration::from_secs(15);

/// What a connection of HTTP/2 may send before it is read, bytes: for each request, and altogether.
/// Times the connections, it is memory.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// Requests at once on one HTTP/2 connection: a backlog goes out many at a time.
const MAX_STREAMS: u32 = 64;

/// Serves until SIGTERM or SIGINT, then ends after the requests that run.
pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    let tls = match &config.tls {
        None => None,
        Some((certificate, key)) => {
            // Fails only where a provider is installed already, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let config = RustlsConfig::from_pem_file(certificate, key).await;
            Some(config.with_context(|| {
                format!(
                    "cannot use {} and {} for TLS",
                    certificate.display(),
                    key.display()
                )
            })?)
        }
    };
    let db = setup::open(&config.data, config.database.as_deref()).await?;
    let objects = LocalFolder::open(&config.objects)
        .with_context(|| format!("cannot use {} for pictures", config.objects.display()))?;
    let listener = TcpListener::bind(config.listen)
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    // axum-server drives the listener on the runtime, which needs it so.
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let server_url = config.server_url(bound);
    let mut state = AppState {
        rates: Arc::new(Rates::per_second(config.device_rate, config.address_rate)),
        trusted_proxies: config.trusted_proxies.into(),
        sign_up: config.sign_up,
        metrics_token: config.metrics_token.as_deref().map(Into::into),
        looks: Looks::open(&setup::looks_file(&config.data)),
        ..AppState::new(
            db.clone(),
            Arc::new(objects),
            &server_url,
            Arc::new(SystemClock),
        )
    };
    let end = CancellationToken::new();
    let mailing = match &config.smtp {
        None => None,
        Some(smtp) => {
            state.mail_is_sent = true;
            let mailer = mail::Mailer::new(smtp).await?;
            Some(tokio::spawn(mail::run(state.clone(), mailer, end.clone())))
        }
    };
    state.oidc = config.oidc.map(sign_on).transpose()?.map(Arc::new);
    let upkeep = tokio::spawn(upkeep::run(state.clone(), end.clone()));
    // Before anybody asks: what waits is of before this start.
    if let Err(error) = state.looks.settle(&state).await {
        error.log();
    }
    let looking = tokio::spawn(Looks::run(state.clone(), end.clone()));
    let committer = Arc::clone(&state.committer);
    let app = router(state).into_make_service_with_connect_info::<SocketAddr>();

    let handle = Handle::new();
    let ending = tokio::spawn(end_on_signal(handle.clone())?);
    let mut out = std::io::stdout();
    writeln!(out, "listening on {scheme}://{bound}")?;
    out.flush()?;
    tracing::info!(%bound, server_url, "ready");

    match tls {
        None => {
            let mut server = axum_server::from_tcp(listener)?.map(prompt);
            set_limits(server.http_builder());
            server.handle(handle).serve(app).await?;
        }
        Some(tls) => {
            let mut server = axum_server::from_tcp_rustls(listener, tls)?.map(prompt);
            set_limits(server.http_builder());
            server.handle(handle).serve(app).await?;
        }
    }
    ending.abort();
    end.cancel();
    if let Some(mailing) = mailing {
        // What is on its way is brought to its end.
        let _ = tokio::time::timeout(GRACE, mailing).await;
    }
    upkeep.await?;
    looking.await?;
    committer.finish().await;
    db.close().await;
    tracing::info!("ended");
    Ok(())
}

/// The provider that people log in by.
fn sign_on(
    (issuer, client_id, secret_file): (String, String, Option<PathBuf>),
) -> anyhow::Result<Oidc> {
    let client_secret = match secret_file {
        None => None,
        Some(file) => {
            let text = std::fs::read_to_string(&file).with_context(|| {
                format!("cannot read the client's secret in {}", file.display())
            })?;
            Some(text.trim().to_owned())
        }
    };
    Ok(Oidc::new(OidcConfig {
        issuer,
        client_id,
        client_secret,
    })?)
}

/// A connection that does not say what it wants is closed, and none reads further ahead than room is taken for.
fn set_limits(http: &mut hyper_util::server::conn::auto::Builder<TokioExecutor>) {
    http.http1()
        .timer(TokioTimer::new())
        .max_buf_size(BESIDE_BYTES as usize)
        .header_read_timeout(HEADER_TIMEOUT);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEADER_TIMEOUT)
        .keep_alive_timeout(HEADER_TIMEOUT)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(MAX_STREAMS);
}

fn prompt<A>(acceptor: A) -> Prompt<A> {
    Prompt::new(acceptor, FIRST_BYTES_TIMEOUT)
}

/// Listens for the signals from now on; the future resolves when the server was told to end.
fn end_on_signal(
    handle: Handle<SocketAddr>,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("ending");
        handle.graceful_shutdown(Some(GRACE));
    })
}
