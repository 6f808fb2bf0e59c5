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
