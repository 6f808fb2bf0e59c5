//! Nothing else is taken for a permit, and none can be had for the asking.
//! refused: E0277, E0308

use std::sync::Arc;

use glasshour_agent::capture::screenshot::Screenshotter;
use glasshour_agent::platform::Platform;

pub fn by_default(platform: Arc<dyn Platform>) -> Screenshotter {
    Screenshotter::new(Default::default(), platform)
}

pub fn by_nothing(platform: Arc<dyn Platform>) -> Screenshotter {
    Screenshotter::new((), platform)
}
