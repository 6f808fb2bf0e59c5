//! Which application is in front, and the title of its window.
//!
//! The system tells of another application at once. Of another title it tells nobody without much ado:
//! where the license has titles, one is looked at each second.

use std::ptr::NonNull;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use block2::RcBlock;
use glasshour_license_format::{Activity, Permit};
use objc2_app_kit::{NSWorkspace, NSWorkspaceDidActivateApplicationNotification};
use objc2_foundation::NSNotification;

use super::observers::Observers;
use super::{accessibility, windows};
use crate::platform::text::clean;
use crate::platform::{Foreground, Unavailable, Window, permits_foreground};

/// How often a title is looked at.
const TITLES: Duration = Duration::from_secs(1);
/// Longest title kept, in characters.
const MAX_TITLE_CHARS: usize = 512;

/// The foreground of this session.
pub(super) struct MacForeground {
    news: Arc<News>,
    has_titles: bool,
    _observers: Observers,
}

/// What the observer and whoever waits share.
#[derive(Default)]
struct News {
    changed: Mutex<bool>,
    told: Condvar,
}

impl News {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MacForeground {
    pub(super) fn open(permit: &Permit<Activity>) -> Result<Self, Unavailable> {
        permits_foreground(permit)?;
        let has_titles = permit.settings().window_titles;
        if has_titles && !accessibility::is_allowed() {
            return Err(Unavailable::Denied(
                "macOS does not let Glasshour read window titles, which your license has; allow it in \
                 System Settings, Privacy & Security, Accessibility"
                    .to_owned(),
            ));
        }
        let news = Arc::new(News::default());
        let told = Arc::clone(&news);
        let block = RcBlock::new(move |_: NonNull<NSNotification>| {
            *told.lock() = true;
            told.told.notify_all();
        });
        let mut observers = Observers::of(NSWorkspace::sharedWorkspace().notificationCenter());
        // SAFETY: the name is a constant of the system.
        observers.add(
            unsafe { NSWorkspaceDidActivateApplicationNotification },
            &block,
        );
        Ok(Self {
            news,
            has_titles,
            _observers: observers,
        })
    }
}

impl Foreground for MacForeground {
    fn active(&mut self) -> Result<Option<Window>, Unavailable> {
        let Some(process) = front_process() else {
            return Ok(None);
        };
        let windows = windows::visible(Some(process))?;
        let mut active = windows.into_iter().find(|window| window.active);
        if let Some(window) = &mut active {
            // The list's own title is there by another permission, or not.
            window.title = if self.has_titles {
                let title = accessibility::title(process).unwrap_or_default();
                clean(&title, MAX_TITLE_CHARS)
            } else {
                String::new()
            };
        }
        Ok(active)
    }

    fn wait(&mut self, at_most: Duration) -> Result<bool, Unavailable> {
        let at_most = if self.has_titles {
            at_most.min(TITLES)
        } else {
            at_most
        };
        let changed = self.news.lock();
        let (mut changed, _) = self
            .news
            .told
            .wait_timeout_while(changed, at_most, |changed| !*changed)
            .unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *changed) || self.has_titles)
    }
}

/// The process of the application in front.
pub(super) fn front_process() -> Option<i32> {
    let front = NSWorkspace::sharedWorkspace().frontmostApplication()?;
    Some(front.processIdentifier())
}
