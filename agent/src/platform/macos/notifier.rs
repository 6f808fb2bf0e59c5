//! Messages through macOS's own notifications.

use notify_rust::Notification;

use crate::platform::{Message, Notifier, Unavailable};

/// The notifications of this user.
pub(super) struct MacNotifier;

impl Notifier for MacNotifier {
    fn notify(&mut self, message: &Message) -> Result<(), Unavailable> {
        let shown = Notification::new()
            .appname("Glasshour")
            .summary(&message.title)
            .body(&message.body)
            .show();
        shown.map(drop).map_err(|cause| {
            Unavailable::Gone(format!(
                "macOS shows no notifications of Glasshour ({cause}); allow them in System Settings, \
                 Notifications"
            ))
        })
    }
}
