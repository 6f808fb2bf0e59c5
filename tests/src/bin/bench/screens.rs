//! The two screens that pictures are taken of, and how a screen or a file becomes pixels.
//!
//! *Text*: a terminal over the whole screen, as somebody who writes sees it. *Busy*: the same with a
//! picture like a photograph over half of it, drawn by us from noise of several scales.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use glasshour_tests::Desktop;
use glasshour_tests::process::{Plan, Process};
use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ConnectionExt as _, CreateGCAux, CreateWindowAux, ImageFormat, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::ssim::Pixels;

/// Width and height of the display, pixels.
pub(crate) const SCREEN: (u16, u16) = (1920, 1080);
/// Place and size of the picture on the busy screen, pixels.
const PHOTO: (i16, i16, u16, u16) = (640, 90, 1200, 800);
/// Rows sent at a time: below the X server's limit for one request.
const ROWS: u16 = 20;
const TEXT: &str = include_str!("../../../../README.md");

/// Opens a terminal with text over the whole screen.
pub(crate) fn open_text(desktop: &Desktop, folder: &Path) -> Result<Process> {
    let file = folder.join("text.txt");
    std::fs::write(&file, TEXT.repeat(3))?;
    let window = Plan::new("xterm-text", "xterm", &folder.join("logs"))
        .with([
            "-T",
            "Text",
            "-fullscreen",
            "-bg",
            "#ffffff",
            "-fg",
            "#1b1b1b",
        ])
        .with(["-xrm", "XTerm.VT100.utf8Fonts.font: 9x15", "-e", "less"])
        .with([file])
        .within(desktop.environment())
        .start()?;
    desktop
        .input()
        .wait_for_window("Text", Duration::from_secs(20))?;
    Ok(window)
}

/// A picture on the screen that lasts as long as its value.
pub(crate) struct Photo {
    connection: RustConnection,
    window: Window,
}

impl Photo {
    /// Shows it.
    pub(crate) fn show(desktop: &Desktop) -> Result<Self> {
        let (connection, screen) = RustConnection::connect(Some(&display(desktop)?))?;
        let root = connection
            .setup()
            .roots
            .get(screen)
            .context("no such screen")?;
        let (depth, parent) = (root.root_depth, root.root);
        ensure!(depth == 24, "the display has {depth} bits a pixel, not 24");
        let (window, context) = (connection.generate_id()?, connection.generate_id()?);
        let (x, y, width, height) = PHOTO;
        let above_all = CreateWindowAux::new()
            .override_redirect(1)
            .background_pixel(0);
        connection.create_window(
            COPY_DEPTH_FROM_PARENT,
            window,
            parent,
            x,
            y,
            width,
            height,
            0,
            WindowClass::INPUT_OUTPUT,
            0,
            &above_all,
        )?;
        connection.create_gc(context, window, &CreateGCAux::new())?;
        connection.map_window(window)?;
        for top in (0..height).step_by(ROWS.into()) {
            let rows = ROWS.min(height - top);
            let pixels: Vec<u8> = (top..top + rows)
                .flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)))
                .collect();
            let at = i16::try_from(top)?;
            connection.put_image(
                ImageFormat::Z_PIXMAP,
                window,
                context,
                width,
                rows,
                0,
                at,
                0,
                depth,
                &pixels,
            )?;
        }
        connection.sync()?;
        Ok(Self { connection, window })
    }
}

impl Drop for Photo {
    fn drop(&mut self) {
        let gone = self.connection.destroy_window(self.window).is_ok();
        if !gone || self.connection.sync().is_err() {
            eprintln!("the picture on the screen could not be taken away");
        }
    }
}

/// Blue, green, red and nothing, as the X server wants them: clouds over a slope, with grain.
fn pixel(x: u16, y: u16) -> [u8; 4] {
    let (fx, fy) = (f64::from(x), f64::from(y));
    let mut clouds = 0.0;
    for (scale, weight) in [
        (240.0, 0.5),
        (96.0, 0.25),
        (40.0, 0.14),
        (14.0, 0.07),
        (5.0, 0.04),
    ] {
        clouds += smooth(fx / scale, fy / scale) * weight;
    }
    let slope = fy / f64::from(PHOTO.3);
    let channel = |base: f64, cloud: f64, down: f64| {
        let value = base + cloud * clouds + down * slope;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to a byte"
        )]
        let byte = value.clamp(0.0, 255.0) as u8;
        byte
    };
    [
        channel(90.0, 150.0, -60.0),
        channel(60.0, 140.0, 20.0),
        channel(30.0, 130.0, 70.0),
        0,
    ]
}

/// Noise between 0 and 1 that changes smoothly from one whole point to the next.
fn smooth(x: f64, y: f64) -> f64 {
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (left, top) = (x.floor(), y.floor());
    let (across, down) = (ease(x - left), ease(y - top));
    let mix = |a: f64, b: f64, t: f64| a + (b - a) * t;
    mix(
        mix(grain(left, top), grain(left + 1.0, top), across),
        mix(grain(left, top + 1.0), grain(left + 1.0, top + 1.0), across),
        down,
    )
}

/// A fixed value between 0 and 1 for each whole point.
fn grain(x: f64, y: f64) -> f64 {
    let value = (x * 127.1 + y * 311.7).sin() * 43_758.545_3;
    value - value.floor()
}

/// `:N` of a desktop.
pub(crate) fn display(desktop: &Desktop) -> Result<String> {
    let mut environment = desktop.environment().iter();
    let found = environment.find(|(name, _)| name == "DISPLAY");
    let (_, display) = found.context("the desktop has no display")?;
    Ok(display.to_string_lossy().into_owned())
}

/// What is on the screen now, to the pixel.
pub(crate) fn grab(desktop: &Desktop) -> Result<Pixels> {
    let display = display(desktop)?;
    let size = format!("{}x{}", SCREEN.0, SCREEN.1);
    ffmpeg(&[
        "-f",
        "x11grab",
        "-draw_mouse",
        "0",
        "-video_size",
        &size,
        "-i",
        &display,
    ])
}

/// A picture file as pixels.
pub(crate) fn decode(file: &Path) -> Result<Pixels> {
    ffmpeg(&["-i", file.to_str().context("the file's name is not text")?])
}

fn ffmpeg(input: &[&str]) -> Result<Pixels> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error"])
        .args(input)
        .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .context("cannot run ffmpeg")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ffmpeg: {}", errors.trim());
    let (width, height) = (usize::from(SCREEN.0), usize::from(SCREEN.1));
    let bytes = output.stdout.len();
    ensure!(
        bytes == width * height * 3,
        "{bytes} bytes are no picture of the screen"
    );
    Ok(Pixels {
        width,
        height,
        rgb: output.stdout,
    })
}
