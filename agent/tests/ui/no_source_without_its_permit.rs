//! The desktop opens no source for nothing, nor for the permit of another channel.
//! refused: E0061, E0061, E0061, E0061, E0308, E0308, E0308, E0308, E0308

use glasshour_agent::platform::Platform;

pub fn by_nothing(desktop: &dyn Platform) {
    let _ = desktop.screens();
    let _ = desktop.input();
    let _ = desktop.foreground();
    let _ = desktop.camera();
}

pub fn by_another(desktop: &dyn Platform) {
    let _ = |activity| {
        let _ = desktop.input(activity);
        let _ = desktop.camera(activity);
        desktop.screens(activity)
    };
    let _ = |screenshots| {
        let _ = desktop.screens(screenshots);
        let _ = desktop.input(screenshots);
        let _ = desktop.foreground(screenshots);
        let _ = desktop.camera(screenshots);
    };
}
