//! The fake desktop's sources: they read and write what the test has set.

use std::sync::{Arc, Weak};
use std::time::Duration;

use glasshour_protocol::payload::InputCounts;

use super::desktop::{Shared, Source, Told, picture};
use crate::platform::{
    Foreground, Frame, Idle, Input, Message, Monitor, Notifier, Picked, Screens, SystemEvent,
    SystemEvents, Tray, Unavailable, Window,
};
use crate::tray::Action;
use crate::tray::View;

/// Longest real time that waiting takes: the fake clock does not wake anybody.
const LONGEST_WAIT: Duration = Duration::from_millis(10);

pub(super) struct FakeScreens(pub(super) Arc<Shared>);

impl Screens for FakeScreens {
    fn monitors(&mut self) -> Result<Vec<Monitor>, Unavailable> {
        let state = self.0.lock();
        state.working(Source::Screens)?;
        Ok(state.monitors.clone())
    }

    fn grab(&mut self, monitor: &Monitor) -> Result<Frame, Unavailable> {
        let mut state = self.0.lock();
        state.working(Source::Screens)?;
        if !state.monitors.contains(monitor) {
            return Err(Unavailable::Gone(format!(
                "the monitor {} was unplugged",
                monitor.name
            )));
        }
        state.grabs += 1;
        let queued = state.frames.get_mut(&monitor.name);
        let frame = queued.and_then(|frames| match frames.len() {
            0 | 1 => frames.front().cloned(),
            _ => frames.pop_front(),
        });
        Ok(frame.unwrap_or_else(|| picture(monitor.area.width, monitor.area.height, 0)))
    }

    fn windows(&mut self) -> Result<Vec<Window>, Unavailable> {
        let state = self.0.lock();
        state.working(Source::Screens)?;
        state.working(Source::Windows)?;
        Ok(state.windows.clone())
    }
}

pub(super) struct FakeInput {
    pub(super) shared: Arc<Shared>,
    /// What was counted before it was opened or last asked.
    pub(super) taken: InputCounts,
}

impl Input for FakeInput {
    fn take(&mut self) -> Result<InputCounts, Unavailable> {
        let state = self.shared.lock();
        state.working(Source::Input)?;
        let before = std::mem::replace(&mut self.taken, state.input);
        Ok(InputCounts {
            keys: state.input.keys - before.keys,
            clicks: state.input.clicks - before.clicks,
            scrolls: state.input.scrolls - before.scrolls,
            motions: state.input.motions - before.motions,
            exact: state.input.exact,
        })
    }
}

pub(super) struct FakeForeground {
    pub(super) shared: Arc<Shared>,
    pub(super) seen_changes: u64,
}

impl Foreground for FakeForeground {
    fn active(&mut self) -> Result<Option<Window>, Unavailable> {
        let state = self.shared.lock();
        state.working(Source::Foreground)?;
        Ok(state.foreground.clone())
    }

    /// Returns at once where something was set since the last call, else within a few milliseconds
    /// of real time, whatever the fake clock shows.
    fn wait(&mut self, at_most: Duration) -> Result<bool, Unavailable> {
        let state = self.shared.lock();
        if state.foreground_changes == self.seen_changes {
            state.working(Source::Foreground)?;
            self.shared
                .wait_for_foreground(state, at_most.min(LONGEST_WAIT));
        } else {
            drop(state);
        }
        let state = self.shared.lock();
        let changed = self.seen_changes != state.foreground_changes;
        self.seen_changes = state.foreground_changes;
        state.working(Source::Foreground).map(|()| changed)
    }
}

pub(super) struct FakeIdle(pub(super) Arc<Shared>);

impl Idle for FakeIdle {
    fn idle(&mut self) -> Result<Duration, Unavailable> {
        let now = self.0.time.now();
        let state = self.0.lock();
        state.working(Source::Idle)?;
        Ok(Duration::from_millis(
            now.mono_ms.saturating_sub(state.last_input_mono_ms),
        ))
    }
}

pub(super) struct FakeNotifier(pub(super) Arc<Shared>);

impl Notifier for FakeNotifier {
    fn notify(&mut self, message: &Message) -> Result<(), Unavailable> {
        let mut state = self.0.lock();
        state.working(Source::Notifier)?;
        state.messages.push(message.clone());
        Ok(())
    }

    fn ask(
        &mut self,
        message: &Message,
        choices: Vec<(Action, String)>,
        _picked: Picked,
    ) -> Result<(), Unavailable> {
        let mut state = self.0.lock();
        state.working(Source::Notifier)?;
        state.questions.push((message.clone(), choices));
        Ok(())
    }
}

pub(super) struct FakeTray(pub(super) Arc<Shared>);

impl Tray for FakeTray {
    fn show(&mut self, view: &View) -> Result<(), Unavailable> {
        let mut state = self.0.lock();
        state.working(Source::Tray)?;
        state.views.push(view.clone());
        Ok(())
    }

    fn is_shown(&mut self) -> Result<bool, Unavailable> {
        let state = self.0.lock();
        state.working(Source::Tray)?;
        Ok(state.tray_is_shown)
    }
}

impl Drop for FakeTray {
    fn drop(&mut self) {
        self.0.lock().picked = None;
    }
}

pub(super) struct FakeIndicator(pub(super) Arc<Shared>);

impl Tray for FakeIndicator {
    fn show(&mut self, view: &View) -> Result<(), Unavailable> {
        let mut state = self.0.lock();
        state.working(Source::Indicator)?;
        state.indicator_views.push(view.clone());
        Ok(())
    }

    fn is_shown(&mut self) -> Result<bool, Unavailable> {
        let state = self.0.lock();
        state.working(Source::Indicator)?;
        Ok(state.indicator_is_shown)
    }
}

impl Drop for FakeIndicator {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.indicators = state.indicators.saturating_sub(1);
    }
}

pub(super) struct FakeSystemEvents {
    pub(super) shared: Arc<Shared>,
    /// Who is told: by now that may be a later agent.
    pub(super) told: Weak<dyn Fn(SystemEvent) + Send + Sync>,
}

impl SystemEvents for FakeSystemEvents {
    fn describe(&self) -> String {
        "a test tells of sleep, lock, other users and shutdown".to_owned()
    }
}

impl Drop for FakeSystemEvents {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let is_mine = |told: &Told| std::ptr::addr_eq(Arc::as_ptr(told), self.told.as_ptr());
        let mine = state.told.take_if(|told| is_mine(told));
        // It may take the lock when it goes.
        drop(state);
        drop(mine);
    }
}
