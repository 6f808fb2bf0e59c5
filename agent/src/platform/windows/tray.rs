//! The icon in the tray.

use std::sync::Arc;

use super::area::{Area, Picked};
use crate::platform::{Tray, Unavailable};
use crate::tray::View;

/// The icon; it leaves the tray when this is dropped.
pub(super) struct TrayIcon {
    area: Arc<Area>,
}

impl TrayIcon {
    pub(super) fn open(area: Arc<Area>, view: &View, picked: Picked) -> Result<Self, Unavailable> {
        area.open(view, picked)?;
        Ok(Self { area })
    }
}

impl Tray for TrayIcon {
    fn show(&mut self, view: &View) -> Result<(), Unavailable> {
        self.area.show(view)
    }

    fn is_shown(&mut self) -> Result<bool, Unavailable> {
        self.area.is_shown()
    }
}

impl Drop for TrayIcon {
    fn drop(&mut self) {
        self.area.close();
    }
}
