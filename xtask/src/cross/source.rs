//! The source of the standard library in the compiler's own version, from Debian's package of it.
//!
//! Downloaded and unpacked, not installed: apt is given folders of its own, so that neither the system's
//! packages nor its lists are touched, and no administrator is needed. The archive's signature is checked
//! by the keys that Debian has installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::progress::capture;

/// Where a version may be found; asked in this order, since the lists of the last ones are long.
const SUITES: [&str; 4] = ["trixie-backports", "trixie", "forky", "sid"];
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The unpacked source of that version (`1.95.0`), in `folder`; downloaded where it is not there.
pub(super) fn ready(folder: &Path, version: &str) -> Result<PathBuf> {
    let unpacked = folder.join(format!("rust-src-{version}"));
    let source = unpacked.join(format!("usr/src/rustc-{version}"));
    if source.join("library/Cargo.lock").is_file() {
        return Ok(source);
    }
    let package = download(folder, version).with_context(|| {
        format!(
            "the source of Rust's standard library {version} cannot be had. Nothing was checked. \
             Give the toolchain its own (rustup component add rust-src), or move rust-toolchain.toml \
             to a version that Debian's rust-src package has ({})",
            SUITES.join(", ")
        )
    })?;
    let beside = folder.join(format!("rust-src-{version}.new"));
    capture(
        Command::new("dpkg-deb")
            .arg("-x")
            .arg(&package)
            .arg(&beside),
    )?;
    std::fs::rename(&beside, &unpacked)?;
    std::fs::remove_file(&package)?;
    if !source.join("library/Cargo.lock").is_file() {
        bail!("Debian's rust-src {version} does not hold library/Cargo.lock");
    }
    Ok(source)
}

fn download(folder: &Path, version: &str) -> Result<PathBuf> {
    let apt = folder.join("apt");
    for made in ["lists/partial", "cache/archives/partial"] {
        std::fs::create_dir_all(apt.join(made))?;
    }
    std::fs::write(apt.join("status"), "")?;
    std::fs::write(apt.join("apt.conf"), configuration(&apt))?;
    let call = |program: &str, arguments: &[&str]| {
        capture(
            Command::new(program)
                .args(arguments)
                .env("APT_CONFIG", apt.join("apt.conf"))
                .current_dir(folder),
        )
    };
    // From where this machine gets its packages.
    let known = capture(Command::new("apt-get").args([
        "indextargets",
        "--format",
        "$(LABEL)|$(COMPONENT)|$(REPO_URI)",
        "Created-By: Packages",
    ]))?;
    let mirror = mirror(&known).context("apt knows no Debian archive to get it from")?;
    let mut tried = Vec::new();
    for suite in SUITES {
        let source = format!("deb [signed-by={KEYS}] {mirror} {suite} main\n");
        std::fs::write(apt.join("sources.list"), source)?;
        let listed = call("apt-get", &["update", "-qq"])
            .and_then(|_| call("apt-cache", &["madison", "rust-src"]));
        let full = match &listed {
            Ok(listed) => find(listed, version),
            Err(error) => {
                tried.push(format!("{suite}: {error:#}"));
                continue;
            }
        };
        if let Some(full) = full {
            call("apt-get", &["download", "-qq", &format!("rust-src={full}")])?;
            let entries = std::fs::read_dir(folder)?.flatten();
            return entries
                .map(|entry| entry.path())
                .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
                .context("apt-get download left no package");
        }
        tried.push(format!("{suite}: {}", listed.unwrap_or_default().trim()));
    }
    bail!("Debian has no rust-src {version}:\n{}", tried.join("\n"))
}

/// The first archive that carries Debian itself, and not its updates.
fn mirror(known: &str) -> Option<&str> {
    known
        .lines()
        .find_map(|line| line.strip_prefix("Debian|main|"))
}

/// The Debian version (`1.95.0+dfsg1-2~bpo13+1`) of a version, in what `apt-cache madison` lists.
fn find<'a>(listed: &'a str, version: &str) -> Option<&'a str> {
    listed
        .lines()
        .filter_map(|line| line.split('|').nth(1))
        .map(str::trim)
        .find(|full| {
            full.strip_prefix(version)
                .is_some_and(|rest| rest.starts_with(['+', '-', '~']))
        })
}

fn configuration(apt: &Path) -> String {
    let apt = apt.display();
    // The user who downloads is the one who calls, also where that is root.
    format!(
        "Dir::Etc::SourceList \"{apt}/sources.list\";\n\
         Dir::Etc::SourceParts \"/dev/null\";\n\
         Dir::Etc::PreferencesParts \"/dev/null\";\n\
         Dir::State \"{apt}\";\n\
         Dir::State::Lists \"{apt}/lists\";\n\
         Dir::State::status \"{apt}/status\";\n\
         Dir::Cache \"{apt}/cache\";\n\
         APT::Sandbox::User \"\";\n\
         Acquire::Languages \"none\";\n"
    )
}

#[cfg(test)]
mod tests {
    use super::{find, mirror};

    #[test]
    fn the_archive_is_debians_own() {
        let known =
            "Debian-Security|main|http://one/\n.|main|http://two/\nDebian|main|http://three/\n";
        assert_eq!(mirror(known), Some("http://three/"));
        assert_eq!(mirror(""), None);
    }

    #[test]
    fn the_package_of_the_very_version_is_found() {
        let listed = " rust-src | 1.96.1+dfsg1-2~bpo13+1 | https://deb.example main\n \
                      rust-src | 1.95.0+dfsg1-2~bpo13+1 | https://deb.example main\n \
                      rust-src | 1.95.01-1 | https://deb.example main\n";
        assert_eq!(find(listed, "1.95.0"), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(find(listed, "1.96.1"), Some("1.96.1+dfsg1-2~bpo13+1"));
        assert_eq!(find(listed, "1.94.0"), None);
        assert_eq!(find(listed, "1.9"), None);
    }
}
