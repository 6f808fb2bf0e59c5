//! How the operating system tells the agent to end.

use glasshour_protocol::payload::Cause;

/// Begins to listen at once; the future waits until the agent is told to end, and says why.
///
/// # Errors
/// Where the system does not let us listen.
#[cfg(unix)]
pub fn told_to_end() -> std::io::Result<impl Future<Output = Cause>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => Cause::Shutdown,
            _ = interrupt.recv() => Cause::User,
            _ = hang_up.recv() => Cause::Logout,
        }
    })
}

/// Begins to listen at once; the future waits until the agent is told to end, and says why.
///
/// Log-out and shutdown are told to a program with a console only; the others hear of them as
/// [`SystemEvent`](super::SystemEvent).
///
/// # Errors
/// Where the system does not let us listen.
#[cfg(windows)]
pub fn told_to_end() -> std::io::Result<impl Future<Output = Cause>> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
    let (mut interrupt, mut stop) = (ctrl_c()?, ctrl_break()?);
    let (mut close, mut log_off, mut shutdown) = (ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Cause::User,
            _ = stop.recv() => Cause::User,
            _ = close.recv() => Cause::User,
            _ = log_off.recv() => Cause::Logout,
            _ = shutdown.recv() => Cause::Shutdown,
        }
    })
}
