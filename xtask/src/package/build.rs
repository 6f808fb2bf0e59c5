//! From the clone to two packages in `dist/`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::nfpm;
use crate::progress::{Steps, capture};
use crate::{root, run};

/// What was made.
pub(crate) struct Packages {
    /// The files, agent first.
    pub(crate) all: Vec<PathBuf>,
}

/// Manifest and program of each package.
const PACKAGES: [(&str, &str); 2] = [
    ("installer/agent.yaml", "glasshour"),
    ("installer/server.yaml", "glasshour-server"),
];

/// Builds the programs and packs them.
pub(crate) fn both(debug: bool, steps: &mut Steps) -> Result<Packages> {
    let mut build = run::cargo(&["build", "--locked", "--bins"]);
    build.args([
        "--package",
        "glasshour-agent",
        "--package",
        "glasshour-server",
    ]);
    if !debug {
        build.arg("--release");
    }
    steps.loud("build agent and server", &mut build)?;
    let nfpm = steps.work("have the package builder ready", nfpm::ready)?;

    let dist = root::root().join("dist");
    std::fs::create_dir_all(&dist)?;
    let changelog = changelog(&root::target_dir())?;
    let folder = root::target_dir().join(if debug { "debug" } else { "release" });
    let extras = extras(&folder.join("glasshour"), &root::target_dir())?;
    let files = Files {
        nfpm,
        changelog,
        extras,
        dist,
    };
    let mut all = Vec::new();
    for (manifest, name) in PACKAGES {
        all.push(steps.work(&format!("pack {name}"), || {
            pack(&files, manifest, &folder.join(name))
        })?);
    }
    let agent = all.first().context("the agent's package is the first")?;
    steps.work("look for completions and manual pages in it", || {
        brings_extras(agent)
    })?;
    Ok(Packages { all })
}

/// What packing needs beside the program.
struct Files {
    nfpm: PathBuf,
    changelog: PathBuf,
    extras: PathBuf,
    dist: PathBuf,
}

/// Shells, the file that each looks for, and where the package puts it.
const COMPLETIONS: [(&str, &str, &str); 3] = [
    (
        "bash",
        "glasshour.bash",
        "./usr/share/bash-completion/completions/glasshour",
    ),
    (
        "zsh",
        "_glasshour",
        "./usr/share/zsh/vendor-completions/_glasshour",
    ),
    (
        "fish",
        "glasshour.fish",
        "./usr/share/fish/vendor_completions.d/glasshour.fish",
    ),
];

/// Completions and manual pages, which the agent makes of its own command line.
fn extras(agent: &Path, target: &Path) -> Result<PathBuf> {
    let folder = target.join("package-extras");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    for (shell, file, _) in COMPLETIONS {
        let text = capture(Command::new(agent).args(["completions", shell]))?;
        std::fs::write(folder.join(file), text)?;
    }
    let pages = folder.join("man");
    capture(Command::new(agent).arg("manual").arg(&pages))?;
    let names = std::fs::read_dir(&pages)?.collect::<std::io::Result<Vec<_>>>()?;
    let pages = names.iter().map(std::fs::DirEntry::path);
    capture(Command::new("gzip").arg("-9n").args(pages))?;
    Ok(folder)
}

/// Fails where the agent's package lacks what shells and `man` look for.
fn brings_extras(package: &Path) -> Result<()> {
    let listed = capture(Command::new("dpkg-deb").arg("--contents").arg(package))?;
    let pages = ["glasshour", "glasshour-idle", "glasshour-license-load"];
    let wanted = COMPLETIONS
        .iter()
        .map(|(_, _, place)| (*place).to_owned())
        .chain(pages.map(|page| format!("./usr/share/man/man1/{page}.1.gz")));
    for file in wanted {
        if !listed
            .lines()
            .any(|line| line.ends_with(&format!(" {file}")))
        {
            bail!("{} brings no {file}", package.display());
        }
    }
    Ok(())
}

fn pack(files: &Files, manifest: &str, program: &Path) -> Result<PathBuf> {
    let answer = capture(
        Command::new(&files.nfpm)
            .args([
                "package",
                "--packager",
                "deb",
                "--config",
                manifest,
                "--target",
            ])
            .arg(&files.dist)
            .current_dir(root::root())
            .env(
                "ARCH",
                capture(Command::new("dpkg").arg("--print-architecture"))?.trim(),
            )
            .env("VERSION", version()?)
            .env("PROGRAM", program)
            .env("CHANGELOG", &files.changelog)
            .env("EXTRAS", &files.extras)
            .env("DEB_DEPENDS", libraries(program)?),
    )?;
    created(&answer).with_context(|| format!("nfpm named no package: {answer}"))
}

/// The path in nfpm's `created package: PATH`.
fn created(answer: &str) -> Option<PathBuf> {
    answer
        .lines()
        .find_map(|line| line.trim().strip_prefix("created package: "))
        .map(PathBuf::from)
}

/// The workspace's version.
fn version() -> Result<String> {
    let manifest = std::fs::read_to_string(root::root().join("Cargo.toml"))?;
    let line = manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = \""));
    let version = line.and_then(|rest| rest.strip_suffix('"'));
    version
        .map(str::to_owned)
        .context("the top Cargo.toml names no version")
}

/// The packages a program's libraries are in, as a Debian `Depends` line.
fn libraries(program: &Path) -> Result<String> {
    // dpkg-shlibdeps wants to stand in a source package; the name in it does not matter.
    let folder = root::target_dir().join("shlibdeps");
    std::fs::create_dir_all(folder.join("debian"))?;
    std::fs::write(
        folder.join("debian/control"),
        "Source: glasshour\n\nPackage: glasshour\nArchitecture: any\n",
    )?;
    let answer = capture(
        Command::new("dpkg-shlibdeps")
            .arg("-O")
            .arg(program)
            .current_dir(&folder),
    )?;
    depends(&answer).with_context(|| format!("dpkg-shlibdeps answered: {answer}"))
}

/// What follows `shlibs:Depends=`.
fn depends(answer: &str) -> Option<String> {
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix("shlibs:Depends="))?;
    (!line.is_empty()).then(|| line.to_owned())
}

/// CHANGELOG.md as Debian wants it: compressed, without a name or a time in it.
fn changelog(target: &Path) -> Result<PathBuf> {
    let file = target.join("changelog.gz");
    let output = Command::new("gzip")
        .args(["-9nc", "CHANGELOG.md"])
        .current_dir(root::root())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start gzip")?;
    if !output.status.success() {
        bail!("cannot compress CHANGELOG.md");
    }
    std::fs::write(&file, output.stdout)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_depends_line_is_read_and_an_empty_one_is_no_answer() {
        let answer = "shlibs:Depends=libc6 (>= 2.34), libgcc-s1 (>= 4.2)\n";
        assert_eq!(
            depends(answer).unwrap(),
            "libc6 (>= 2.34), libgcc-s1 (>= 4.2)"
        );
        assert_eq!(depends("shlibs:Depends=\n"), None);
        assert_eq!(depends(""), None);
    }

    #[test]
    fn the_path_of_the_package_is_read() {
        let answer = "using deb packager...\ncreated package: /x/dist/glasshour_0.1.0_amd64.deb\n";
        assert_eq!(
            created(answer).unwrap(),
            Path::new("/x/dist/glasshour_0.1.0_amd64.deb")
        );
        assert_eq!(created("nothing"), None);
    }

    #[test]
    fn the_workspace_has_a_version() {
        assert!(version().unwrap().split('.').count() >= 3);
    }
}
