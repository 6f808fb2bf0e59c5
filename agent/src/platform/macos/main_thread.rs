//! The main thread: macOS tells things and shows icons there and nowhere else, so its loop runs there,
//! and the agent beside it.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use dispatch2::DispatchQueue;
use objc2::MainThreadMarker;
use objc2_app_kit::{
    NSApplication, NSApplicationActivationPolicy, NSEvent, NSEventModifierFlags, NSEventType,
};
use objc2_foundation::NSPoint;

use crate::platform::Unavailable;

/// How long the main thread may take for what it is asked.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the agent on a thread of its own while this one, the main thread, does what the desktop wants.
///
/// # Panics
/// On another thread, and where no thread can be had.
pub(super) fn beside<T: Send + 'static>(agent: impl FnOnce() -> T + Send + 'static) -> T {
    let main = MainThreadMarker::new().expect("the program's main function calls this");
    let application = NSApplication::sharedApplication(main);
    // An icon in the menu bar, none in the Dock.
    application.setActivationPolicy(NSApplicationActivationPolicy::Accessory);
    let agent = thread::Builder::new()
        .name("agent".to_owned())
        .spawn(move || {
            let outcome = agent();
            DispatchQueue::main().exec_async(end_loop);
            outcome
        })
        .expect("a program that has just started gets a thread");
    application.run();
    match agent.join() {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Has the main thread do something, and waits for what it gives.
pub(super) fn ask<T: Send + 'static>(
    work: impl FnOnce(MainThreadMarker) -> T + Send + 'static,
) -> Result<T, Unavailable> {
    let (answer, answered) = mpsc::sync_channel(1);
    tell(move |main| {
        // Nobody listens any more where the answer comes too late.
        let _ = answer.send(work(main));
    });
    answered.recv_timeout(PATIENCE).map_err(|_| {
        Unavailable::Gone("the desktop does not answer (the main thread is busy)".to_owned())
    })
}

/// Has the main thread do something, and does not wait.
pub(super) fn tell(work: impl FnOnce(MainThreadMarker) + Send + 'static) {
    DispatchQueue::main().exec_async(move || {
        if let Some(main) = MainThreadMarker::new() {
            work(main);
        }
    });
}

fn end_loop() {
    let Some(main) = MainThreadMarker::new() else {
        return;
    };
    let application = NSApplication::sharedApplication(main);
    application.stop(None);
    // The loop looks at whether to stop after an event: this one means nothing else.
    let event = NSEvent::otherEventWithType_location_modifierFlags_timestamp_windowNumber_context_subtype_data1_data2(
        NSEventType::ApplicationDefined,
        NSPoint::new(0.0, 0.0),
        NSEventModifierFlags::empty(),
        0.0,
        0,
        None,
        0,
        0,
        0,
    );
    if let Some(event) = event {
        application.postEvent_atStart(&event, true);
    }
}
