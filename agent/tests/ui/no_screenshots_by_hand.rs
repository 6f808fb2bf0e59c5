//! The screenshot channel cannot be put together around its constructor.
//! refused: no code

use std::sync::Arc;

use glasshour_agent::capture::screenshot::Screenshotter;
use glasshour_agent::platform::Platform;

pub fn open(platform: Arc<dyn Platform>) -> Screenshotter {
    Screenshotter { platform }
}
