//! `./dev package --verify`: the packages in a clean Debian, from installation to first screenshot.
//!
//! The clean system is made by debootstrap once and kept as an archive in the cache; each run works
//! on a fresh copy. Everything inside runs in mount, process and network name spaces of its own, so
//! that when it ends, however it ends, nothing stays mounted, running or listening.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::build::Packages;
use crate::progress::{Steps, capture};
use crate::{root, run};

/// The program that plays administrator and user inside.
const CHECK: &str = "glasshour-package-check";

/// Proves the packages.
pub(crate) fn run(packages: &Packages, steps: &mut Steps) -> Result<()> {
    if capture(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!("a clean Debian can only be made as root: sudo ./dev package --verify");
    }
    let mut build = run::cargo(&["build", "--package", "glasshour-tests", "--bin", CHECK]);
    steps.loud(
        "build the program that plays administrator and user",
        &mut build,
    )?;
    let archive = steps.work("have a clean Debian ready", clean_system)?;

    let place = Place::make()?;
    let system = place.0.join("system");
    std::fs::create_dir(&system)?;
    steps.quiet(
        "unpack it",
        Command::new("tar")
            .arg("-xf")
            .arg(&archive)
            .arg("-C")
            .arg(&system),
    )?;
    for package in &packages.all {
        let name = package.file_name().context("a package has a name")?;
        std::fs::copy(package, system.join("root").join(name))?;
    }
    std::fs::copy(
        root::target_dir().join("debug").join(CHECK),
        system.join("root").join(CHECK),
    )?;
    for script in ["install.sh", "use.sh"] {
        let from = root::root().join("installer/verify").join(script);
        std::fs::copy(from, system.join("root").join(script))?;
    }
    lend_network_settings(&system)?;

    // With the network, since a package may need others.
    steps.loud(
        "install both packages, and a desktop to use them on",
        &mut inside(&system, "install.sh", false),
    )?;
    // Without: from here on everything is loopback.
    steps.loud(
        "use them until the first screenshot is stored",
        &mut inside(&system, "use.sh", true),
    )
}

/// A script of `installer/verify` within the system, in name spaces of its own.
fn inside(system: &Path, script: &str, alone: bool) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--kill-child"]);
    let mut prepare = String::from(
        "set -eu; mount -t proc proc \"$0/proc\"; mount --rbind /dev \"$0/dev\"; \
         mount -t tmpfs tmpfs \"$0/tmp\"; mount -t tmpfs tmpfs \"$0/run\"; ",
    );
    if alone {
        command.arg("--net");
        prepare.push_str("ip link set lo up; ");
    }
    prepare.push_str(
        "exec chroot \"$0\" /usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root LANG=C.UTF-8 sh \"/root/$1\" </dev/null",
    );
    command.args(["sh", "-c", &prepare]).arg(system).arg(script);
    command
}

/// The archive of a minimal system of this machine's own release, so that what was built here runs
/// there; made the first time.
fn clean_system() -> Result<PathBuf> {
    let os_release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = value(&os_release, "VERSION_CODENAME")
        .context("/etc/os-release names no release: --verify needs a Debian")?;
    let archive = root::cache_dir()?.join(format!("debian-{codename}-minbase.tar"));
    if archive.is_file() {
        return Ok(archive);
    }
    eprintln!("      making it with debootstrap, once (1 to 3 minutes)");
    let place = Place::make()?;
    let system = place.0.join("system");
    let mut make = Command::new("debootstrap");
    make.args(["--variant=minbase", codename]).arg(&system);
    // From where this machine gets its packages; without an answer, debootstrap's own default.
    let sources = capture(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(CODENAME) $(COMPONENT) $(REPO_URI)",
        "Created-By: Packages",
    ]))?;
    if let Some(mirror) = mirror(&sources, codename) {
        make.arg(mirror);
    }
    capture(&mut make)?;
    let unfinished = archive.with_extension("unfinished");
    capture(
        Command::new("tar")
            .arg("-C")
            .arg(&system)
            .arg("-cf")
            .arg(&unfinished)
            .args(["--one-file-system", "."]),
    )?;
    std::fs::rename(&unfinished, &archive)?;
    Ok(archive)
}

/// Name resolution and proxy of this machine, so that apt inside reaches what apt outside does.
fn lend_network_settings(system: &Path) -> Result<()> {
    for file in ["etc/resolv.conf", "etc/hosts"] {
        if let Ok(text) = std::fs::read(Path::new("/").join(file)) {
            std::fs::write(system.join(file), text)?;
        }
    }
    let settings = capture(Command::new("apt-config").args(["dump", "Acquire::http::Proxy"]))?;
    std::fs::write(system.join("etc/apt/apt.conf.d/90proxy"), settings)?;
    Ok(())
}

/// `NAME=value` of an os-release file, unquoted.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    Some(line.trim_matches('"')).filter(|value| !value.is_empty())
}

/// The first repository that carries the release's main component.
fn mirror<'a>(sources: &'a str, codename: &str) -> Option<&'a str> {
    sources.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let fits = words.next() == Some(codename) && words.next() == Some("main");
        words.next().filter(|_| fits)
    })
}

/// A temporary folder that is removed in the end. Nothing is ever mounted in it outside a mount name
/// space, so removing it removes no more than what was put there.
struct Place(PathBuf);

impl Place {
    fn make() -> Result<Self> {
        let name = capture(Command::new("mktemp").args(["-d", "-t", "glasshour-package-XXXXXX"]))?;
        Ok(Self(PathBuf::from(name.trim())))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_from_os_release() {
        let text = "NAME=\"Debian\"\nVERSION_CODENAME=bookworm\nHOME_URL=\"x\"\n";
        assert_eq!(value(text, "VERSION_CODENAME"), Some("bookworm"));
        assert_eq!(value(text, "NAME"), Some("Debian"));
        assert_eq!(value(text, "VERSION"), None);
    }

    #[test]
    fn the_mirror_is_that_of_the_release_itself_and_not_of_its_updates() {
        let sources = "bookworm-updates main http://one/\nbookworm contrib http://two/\n\
                       bookworm main http://three/\n";
        assert_eq!(mirror(sources, "bookworm"), Some("http://three/"));
        assert_eq!(mirror(sources, "trixie"), None);
    }
}
