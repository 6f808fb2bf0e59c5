//! Activity: input counts and foreground time, minute by minute.
//!
//! [`MinuteBuilder`] is pure and does the sums; [`ActivityChannel`] feeds it from the desktop while a
//! session runs. Counts only: no key, no position, no content is ever read.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use glasshour_license_format::{Activity, ActivitySettings, Exclude, Permit};
use glasshour_protocol::limits::{
    MAX_APPLICATION_CHARS, MAX_APPLICATIONS_PER_MINUTE, MAX_TITLE_CHARS,
};
use glasshour_protocol::payload::{ActivityMinute, ApplicationTime, InputCounts};

use crate::clock::{Clock, Moment};
use crate::platform::{Foreground, Input, Platform, Unavailable, Window};

/// Longest minute there is.
const MINUTE_MS: u64 = 60_000;
/// How long the watcher of the foreground sleeps at most; it bounds how long a thread outlives its
/// session, not how fast a change is seen.
const WATCH: Duration = Duration::from_secs(5);
/// After so many sleeps in which nothing was told it looks all the same: a window manager that was killed
/// tells nothing.
const LOOK_AFTER: u32 = 6;
/// How long it waits before it tries again to watch a desktop that has gone.
const RETRY: Duration = Duration::from_secs(5);

/// Adds up one minute after the other.
#[derive(Debug)]
pub(crate) struct MinuteBuilder {
    settings: ActivitySettings,
    exclude: Exclude,
    from: Moment,
    input: Option<InputCounts>,
    current: Option<Application>,
    current_since_ms: u64,
    times: HashMap<Application, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Application {
    name: String,
    title: Option<String>,
}

impl MinuteBuilder {
    /// Begins the first minute.
    pub(crate) fn new(settings: ActivitySettings, exclude: Exclude, now: Moment) -> Self {
        Self {
            settings,
            exclude,
            from: now,
            input: None,
            current: None,
            current_since_ms: now.mono_ms,
            times: HashMap::new(),
        }
    }

    /// Another window, or none, came to the foreground.
    pub(crate) fn foreground(&mut self, now: Moment, window: Option<&Window>) {
        let application = window.and_then(|window| self.name(window));
        if application != self.current {
            self.account(now);
            self.current = application;
        }
    }

    /// What the license lets us say of a window: nothing, its application, or its title as well.
    fn name(&self, window: &Window) -> Option<Application> {
        if !(self.settings.applications || self.settings.window_titles) {
            return None;
        }
        let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        let name = cut(&window.application, MAX_APPLICATION_CHARS);
        let title = cut(&window.title, MAX_TITLE_CHARS);
        // What is kept is judged as well: the gates behind see nothing else.
        let excluded = self.exclude.covers(&window.application, &window.title)
            || self.exclude.covers(&name, &title);
        (!excluded).then(|| Application {
            name,
            title: self.settings.window_titles.then_some(title),
        })
    }

    /// Input was counted.
    pub(crate) fn input(&mut self, counts: InputCounts) {
        if !self.settings.input_counts {
            return;
        }
        match &mut self.input {
            Some(sum) => sum.add(counts),
            None => self.input = Some(counts),
        }
    }

    /// Ends the minute and begins the next one at the same instant.
    pub(crate) fn finish(&mut self, now: Moment, idle_ms: Option<u64>) -> ActivityMinute {
        self.account(now);
        let length_ms = now.mono_ms.saturating_sub(self.from.mono_ms).min(MINUTE_MS);
        let from_ms = self.from.wall_ms;
        self.from = now;
        let mut applications: Vec<_> = self
            .times
            .drain()
            .map(|(application, active_ms)| ApplicationTime {
                name: application.name,
                title: application.title,
                active_ms: u32::try_from(active_ms.min(length_ms)).unwrap_or(u32::MAX),
            })
            .filter(|application| application.active_ms > 0)
            .collect();
        applications.sort_by(|a, b| {
            (b.active_ms, &a.name, &a.title).cmp(&(a.active_ms, &b.name, &b.title))
        });
        applications.truncate(MAX_APPLICATIONS_PER_MINUTE);
        ActivityMinute {
            from_ms,
            to_ms: from_ms.saturating_add_unsigned(length_ms),
            input: self.input.take(),
            idle_ms: idle_ms.map(|idle| u32::try_from(idle.min(length_ms)).unwrap_or(u32::MAX)),
            applications,
        }
    }

    fn account(&mut self, now: Moment) {
        let span = now.mono_ms.saturating_sub(self.current_since_ms);
        self.current_since_ms = now.mono_ms;
        if let Some(current) = &self.current {
            *self.times.entry(current.clone()).or_default() += span;
        }
    }
}

/// The activity channel while a session runs: dropping it ends the counting.
pub struct ActivityChannel {
    builder: Arc<Mutex<MinuteBuilder>>,
    input: Option<Box<dyn Input>>,
    trouble: Arc<Mutex<Option<Unavailable>>>,
    input_trouble: Option<Unavailable>,
    stop: Arc<AtomicBool>,
}

impl ActivityChannel {
    /// Opens what the license permits. What the desktop does not give is told by
    /// [`trouble`](Self::trouble), and the rest goes on. `now`: the moment at which the gate was open;
    /// the first minute begins with it and not a moment later.
    pub fn open(permit: &Permit<Activity>, platform: &Arc<dyn Platform>, now: Moment) -> Self {
        let clock: Arc<dyn Clock> = Arc::from(platform.clock());
        let settings = permit.settings().clone();
        let builder = Arc::new(Mutex::new(MinuteBuilder::new(
            settings.clone(),
            permit.exclude().clone(),
            now,
        )));
        let (mut input, mut input_trouble) = (None, None);
        if settings.input_counts {
            match platform.input(permit) {
                Ok(source) => input = Some(source),
                Err(error) => input_trouble = Some(error),
            }
        }
        let stop = Arc::new(AtomicBool::new(false));
        let trouble = Arc::new(Mutex::new(None));
        if settings.applications || settings.window_titles {
            let watcher = Watcher {
                permit: permit.clone(),
                platform: platform.clone(),
                clock,
                builder: builder.clone(),
                trouble: trouble.clone(),
                stop: stop.clone(),
            };
            let spawned = std::thread::Builder::new()
                .name("foreground".into())
                .spawn(move || watcher.run());
            if let Err(error) = spawned {
                set(
                    &trouble,
                    Some(Unavailable::Gone(format!(
                        "no thread could be had: {error}"
                    ))),
                );
            }
        }
        Self {
            builder,
            input,
            trouble,
            input_trouble,
            stop,
        }
    }

    /// Ends the minute.
    pub fn finish(&mut self, now: Moment, idle_ms: Option<u64>) -> ActivityMinute {
        let counted = self.input.as_mut().map(|input| input.take());
        let mut builder = lock(&self.builder);
        match counted {
            Some(Ok(counts)) => builder.input(counts),
            Some(Err(error)) => {
                self.input_trouble = Some(error);
                self.input = None;
            }
            None => {}
        }
        builder.finish(now, idle_ms)
    }

    /// Opens the input source again if it was lost.
    pub fn reopen(&mut self, permit: &Permit<Activity>, platform: &Arc<dyn Platform>) {
        if self.input.is_none() && matches!(self.input_trouble, Some(Unavailable::Gone(_))) {
            match platform.input(permit) {
                Ok(source) => {
                    self.input = Some(source);
                    self.input_trouble = None;
                }
                Err(error) => self.input_trouble = Some(error),
            }
        }
    }

    /// What does not work, if anything.
    pub fn trouble(&self) -> Option<Unavailable> {
        self.input_trouble
            .clone()
            .or_else(|| lock(&self.trouble).clone())
    }
}

impl Drop for ActivityChannel {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The thread that follows the foreground.
struct Watcher {
    permit: Permit<Activity>,
    platform: Arc<dyn Platform>,
    clock: Arc<dyn Clock>,
    builder: Arc<Mutex<MinuteBuilder>>,
    trouble: Arc<Mutex<Option<Unavailable>>>,
    stop: Arc<AtomicBool>,
}

impl Watcher {
    fn run(self) {
        while !self.stop.load(Ordering::Relaxed) {
            let watched = self
                .platform
                .foreground(&self.permit)
                .and_then(|source| self.follow(source));
            let Err(error) = watched else { return };
            lock(&self.builder).foreground(self.clock.now(), None);
            let again = matches!(error, Unavailable::Gone(_));
            set(&self.trouble, Some(error));
            if !again {
                return;
            }
            // Not a wait for an event: the desktop is gone, and nothing tells when it is back.
            std::thread::park_timeout(RETRY);
        }
    }

    fn follow(&self, mut source: Box<dyn Foreground>) -> Result<(), Unavailable> {
        while !self.stop.load(Ordering::Relaxed) {
            let active = source.active()?;
            set(&self.trouble, None);
            lock(&self.builder).foreground(self.clock.now(), active.as_ref());
            let mut untold = 0;
            while !self.stop.load(Ordering::Relaxed) && !source.wait(WATCH)? && untold < LOOK_AFTER
            {
                untold += 1;
            }
        }
        Ok(())
    }
}

/// A panic elsewhere must not stop the counting: the values are plain sums.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn set<T>(mutex: &Mutex<T>, value: T) {
    *lock(mutex) = value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Rect;

    fn at(ms: u64) -> Moment {
        let wall_ms = 1_795_424_400_000_i64.saturating_add_unsigned(ms);
        Moment {
            wall_ms,
            mono_ms: ms,
            boot_ms: ms,
            utc_offset_min: 0,
        }
    }

    fn window(application: &str, title: &str) -> Window {
        let area = Rect {
            x: 0,
            y: 0,
            width: 1,
            height: 1,
        };
        Window {
            id: 1,
            application: application.into(),
            title: title.into(),
            area,
            active: true,
        }
    }

    fn all() -> ActivitySettings {
        ActivitySettings {
            input_counts: true,
            applications: true,
            window_titles: true,
        }
    }

    #[test]
    fn foreground_time_adds_up_and_is_sorted() {
        let mut minute = MinuteBuilder::new(all(), Exclude::default(), at(0));
        minute.foreground(at(1_000), Some(&window("XTerm", "sh")));
        minute.foreground(at(11_000), Some(&window("Firefox", "news")));
        minute.foreground(at(41_000), Some(&window("XTerm", "sh")));
        minute.foreground(at(51_000), None);
        let done = minute.finish(at(60_000), Some(1_000_000));
        assert_eq!(
            (done.to_ms - done.from_ms, done.idle_ms),
            (60_000, Some(60_000))
        );
        let times: Vec<_> = done
            .applications
            .iter()
            .map(|a| (a.name.as_str(), a.active_ms))
            .collect();
        assert_eq!(times, [("Firefox", 30_000), ("XTerm", 20_000)]);
        assert_eq!(done.input, None, "nothing was counted, which is not zero");
        assert!(minute.finish(at(61_000), None).applications.is_empty());
    }

    #[test]
    fn titles_and_applications_are_left_out_where_the_license_does_not_permit_them() {
        let only = |settings| {
            let mut minute = MinuteBuilder::new(settings, Exclude::default(), at(0));
            minute.foreground(at(0), Some(&window("XTerm", "secret")));
            minute.input(InputCounts {
                keys: 3,
                exact: true,
                ..InputCounts::default()
            });
            minute.finish(at(1000), None)
        };
        let names = only(ActivitySettings {
            applications: true,
            ..ActivitySettings::default()
        });
        assert_eq!(names.applications[0].title, None);
        assert_eq!(names.input, None);
        let counts = only(ActivitySettings {
            input_counts: true,
            ..ActivitySettings::default()
        });
        assert!(counts.applications.is_empty());
        assert_eq!(counts.input.unwrap().keys, 3);
    }

    #[test]
    fn an_excluded_window_leaves_no_trace() {
        let exclude = Exclude {
            applications: vec!["KeePassXC".into()],
            title_contains: vec![],
        };
        let mut minute = MinuteBuilder::new(all(), exclude, at(0));
        minute.foreground(at(0), Some(&window("keepassxc", "vault")));
        assert!(minute.finish(at(1000), None).applications.is_empty());
    }

    #[test]
    fn a_minute_is_never_longer_than_a_minute() {
        let mut minute = MinuteBuilder::new(all(), Exclude::default(), at(0));
        minute.foreground(at(0), Some(&window("A", "t")));
        let done = minute.finish(at(200_000), None);
        assert_eq!(done.to_ms - done.from_ms, 60_000);
        assert_eq!(done.applications[0].active_ms, 60_000);
    }
}
