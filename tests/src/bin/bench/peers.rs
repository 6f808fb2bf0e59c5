//! Well-known programs that take a picture of the same two screens: each at the smallest quality at which
//! its picture is as alike as the agent's must be.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use glasshour_tests::Desktop;
use glasshour_tests::programs;
use glasshour_tests::wait::now;
use serde::Serialize;

use crate::pictures::{Picture, Pictures, Spread};
use crate::screens::{self, Photo, SCREEN};
use crate::ssim::{Pixels, ssim};
use crate::stage::Stage;

/// The least likeness that counts.
pub(crate) const LEAST_SSIM: f64 = 0.97;
const RUNS: usize = 9;

/// One program's cost.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// Its smallest picture with an SSIM of at least 0.97; absent where no quality reaches it.
    pub(crate) text: Option<Picture>,
    pub(crate) busy: Option<Picture>,
    /// From its start until the file is written (not flushed), milliseconds, busy screen.
    pub(crate) wall_ms: Spread,
    pub(crate) cpu_ms: f64,
    pub(crate) peak_rss_mb: f64,
}

struct Program {
    name: &'static str,
    file: &'static str,
    /// From the smallest picture to the largest.
    qualities: &'static [&'static str],
    command: fn(display: &str, quality: &str, file: &str) -> Vec<String>,
}

const PROGRAMS: [Program; 4] = [
    Program {
        name: "scrot (JPEG)",
        file: "scrot.jpg",
        qualities: &[
            "20", "30", "40", "50", "60", "70", "75", "80", "85", "90", "95",
        ],
        command: |_, quality, file| words(&["scrot", "-o", "-q", quality, file]),
    },
    Program {
        name: "maim (JPEG)",
        file: "maim.jpg",
        qualities: &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"],
        command: |_, quality, file| words(&["maim", "-u", "-f", "jpg", "-m", quality, file]),
    },
    Program {
        name: "maim (PNG)",
        file: "maim.png",
        qualities: &["1"],
        command: |_, quality, file| words(&["maim", "-u", "-f", "png", "-m", quality, file]),
    },
    Program {
        name: "ffmpeg (JPEG)",
        file: "ffmpeg.jpg",
        qualities: &["20", "15", "12", "10", "8", "6", "5", "4", "3", "2"],
        command: |display, quality, file| {
            let size = format!("{}x{}", SCREEN.0, SCREEN.1);
            words(&[
                "ffmpeg",
                "-nostdin",
                "-loglevel",
                "error",
                "-y",
                "-f",
                "x11grab",
                "-draw_mouse",
                "0",
                "-video_size",
                &size,
                "-i",
                display,
                "-frames:v",
                "1",
                "-q:v",
                quality,
                file,
            ])
        },
    },
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Measures all of them.
pub(crate) fn measure(stage: &Stage, pictures: &Pictures) -> Result<Vec<Peer>> {
    stage.desktop.input().activate("Text")?;
    let [text_screen, busy_screen] = &pictures.screens;
    let folder = stage.folder();
    let mut peers = Vec::new();
    for program in &PROGRAMS {
        eprintln!("measure {}", program.name);
        let text = smallest(program, &stage.desktop, folder, text_screen)?;
        let photo = Photo::show(&stage.desktop)?;
        let busy = smallest(program, &stage.desktop, folder, busy_screen)?;
        let last = program
            .qualities
            .last()
            .context("a program has qualities")?;
        let quality = busy.as_ref().map_or(*last, |(quality, _)| quality);
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            runs.push(run(program, &stage.desktop, folder, quality)?);
        }
        drop(photo);
        let cpu: f64 = runs.iter().map(|run| run.cpu_ms).sum();
        #[expect(clippy::cast_precision_loss, reason = "nine")]
        let cpu_ms = cpu / RUNS as f64;
        peers.push(Peer {
            name: program.name,
            text: text.map(|(_, picture)| picture),
            busy: busy.map(|(_, picture)| picture),
            wall_ms: Spread::of(runs.iter().map(|run| run.wall_ms).collect())?,
            cpu_ms,
            peak_rss_mb: runs.iter().map(|run| run.rss_mb).fold(0.0, f64::max),
        });
    }
    Ok(peers)
}

fn smallest(
    program: &Program,
    desktop: &Desktop,
    folder: &Path,
    screen: &Pixels,
) -> Result<Option<(&'static str, Picture)>> {
    for quality in program.qualities {
        let file = run(program, desktop, folder, quality)?.file;
        let likeness = ssim(screen, &screens::decode(&file)?);
        let ssim = likeness.context("the picture is not as large as the screen")?;
        if ssim >= LEAST_SSIM {
            let bytes = std::fs::metadata(&file)?.len();
            return Ok(Some((quality, Picture { bytes, ssim })));
        }
    }
    Ok(None)
}

struct Run {
    file: PathBuf,
    wall_ms: f64,
    cpu_ms: f64,
    rss_mb: f64,
}

/// Runs it once under GNU time.
fn run(program: &Program, desktop: &Desktop, folder: &Path, quality: &str) -> Result<Run> {
    let file = folder.join(program.file);
    let notes = folder.join("time.txt");
    let display = screens::display(desktop)?;
    let name = file.to_str().context("the folder's name is not text")?;
    let begin = now();
    let output = Command::new("time")
        .args(["-f", "%U %S %M", "-o"])
        .arg(&notes)
        .args((program.command)(&display, quality, name))
        .env_clear()
        .env("PATH", std::env::join_paths(programs::search_path())?)
        .envs(
            desktop
                .environment()
                .iter()
                .map(|(name, value)| (name, value)),
        )
        .output()
        .context("cannot run GNU time")?;
    let wall_ms = begin.elapsed().as_secs_f64() * 1000.0;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{}: {}",
        program.name,
        errors.trim()
    );
    let text = std::fs::read_to_string(&notes)?;
    let numbers: Vec<f64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [user, system, kilobytes] = numbers[..] else {
        anyhow::bail!("GNU time says {text:?}");
    };
    Ok(Run {
        file,
        wall_ms,
        cpu_ms: (user + system) * 1000.0,
        rss_mb: kilobytes * 1024.0 / 1e6,
    })
}
