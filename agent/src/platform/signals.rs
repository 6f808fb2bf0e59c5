//! How the operating system tells the agent to end.

use glasshour_protocol::payload::Cause;

/// Waits until the agent is told to end, and returns why.
///
/// # Errors
/// Where the system does not let us listen.
#[cfg(unix)]
pub async fn told_to_end() -> std::io::Result<Cause> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(tokio::select! {
        _ = terminate.recv() => Cause::Shutdown,
        _ = interrupt.recv() => Cause::User,
        _ = hang_up.recv() => Cause::Logout,
    })
}
