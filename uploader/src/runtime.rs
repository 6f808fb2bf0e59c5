//! What spool and sender run on: one thread for loop and network, as an agent needs no more.

use std::io;

/// Descriptors that the runtime opens for itself before anything else runs.
const PAIRS: usize = 4;

/// Makes it.
///
/// # Errors
/// The system gives this process no more descriptors, threads or memory. Asked beforehand: the runtime
/// itself panics where it finds none for its signals.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    let spare: Vec<_> = (0..PAIRS).map(|_| io::pipe()).collect::<Result<_, _>>()?;
    drop(spare);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
