//! What must compile, or the others would prove nothing: a permit in hand opens its channel.

use std::sync::Arc;

use glasshour_agent::capture::camera::CameraShooter;
use glasshour_agent::capture::screenshot::Screenshotter;
use glasshour_agent::platform::Platform;

pub fn open(platform: Arc<dyn Platform>) {
    let _ = |permit| {
        let _ = platform.screens(&permit);
        Screenshotter::new(permit, Arc::clone(&platform))
    };
    let _ = |permit| {
        let _ = platform.camera(&permit).look();
        CameraShooter::new(&permit, platform.as_ref())
    };
    let _ = |permit| {
        (
            platform.input(permit).is_ok(),
            platform.foreground(permit).is_ok(),
        )
    };
}
