//! Blocks that a notification centre calls, until this is dropped.
//!
//! They are called on the thread that posts: for those of the system, the main thread, whose loop
//! `main_thread.rs` runs.

use std::ptr::NonNull;

use block2::DynBlock;
use objc2::rc::Retained;
use objc2::runtime::{NSObjectProtocol, ProtocolObject};
use objc2_foundation::{NSNotification, NSNotificationCenter, NSNotificationName};

/// What was registered with one centre.
pub(super) struct Observers {
    centre: Retained<NSNotificationCenter>,
    tokens: Vec<Retained<ProtocolObject<dyn NSObjectProtocol>>>,
}

// SAFETY: a centre may be used from any thread, and a token is only ever given back to it. The blocks
// themselves are asked of `add` to be fit for any thread.
unsafe impl Send for Observers {}

impl Observers {
    pub(super) fn of(centre: Retained<NSNotificationCenter>) -> Self {
        Self {
            centre,
            tokens: Vec::new(),
        }
    }

    /// Has the block called for each notification of that name. It may hold nothing that is bound to a
    /// thread.
    pub(super) fn add(
        &mut self,
        name: &NSNotificationName,
        block: &DynBlock<dyn Fn(NonNull<NSNotification>)>,
    ) {
        // SAFETY: no object and no queue are given; the block is sendable, as is asked above.
        let token = unsafe {
            self.centre
                .addObserverForName_object_queue_usingBlock(Some(name), None, None, block)
        };
        self.tokens.push(token);
    }
}

impl Drop for Observers {
    fn drop(&mut self) {
        for token in &self.tokens {
            // SAFETY: the centre itself has given this token.
            unsafe { self.centre.removeObserver(token.as_ref()) };
        }
    }
}
