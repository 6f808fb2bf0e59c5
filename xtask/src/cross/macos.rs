//! `./dev macos-check`: type-checks the agent for both kinds of Mac.
//!
//! No Mac is here, nor Apple's headers. The C and Objective-C parts (SQLite, ring, WebP, what nokhwa
//! catches exceptions with) are therefore not compiled: a compiler that makes empty files stands in their
//! place. Nothing is linked and nothing runs.

use anyhow::Result;

use super::toolchain::{Toolchain, script};
use crate::progress::Steps;

const TARGETS: [&str; 2] = ["aarch64-apple-darwin", "x86_64-apple-darwin"];

/// Stands in for a C compiler and for an archiver: it makes the file that is asked for, empty.
const STAND_IN: &str = "#!/bin/sh
# Makes an empty file where the real tool would make one.
previous=''
for word in \"$@\"; do
    if [ \"$previous\" = -o ]; then : > \"$word\"; fi
    case $word in *.a) : > \"$word\" ;; esac
    previous=$word
done
";

/// Type-checks, and says what that leaves out.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::new(TARGETS.len() * 2);
    for target in TARGETS {
        let tool = script("no-compiler", STAND_IN)?;
        let toolchain = Toolchain::ready(target, &mut steps)?
            .with("TARGET_CC", &tool)
            .with("TARGET_CXX", &tool)
            .with("TARGET_AR", &tool)
            .with("SDKROOT", "/");
        let mut check = toolchain.cargo("check", &["-p", "glasshour-agent", "--lib", "--bins"]);
        steps.loud(&format!("check for {target}"), &mut check)?;
    }
    println!(
        "The agent's Rust code and all it depends on type-checks for {}.\n\
         Not checked: the C and Objective-C parts of dependencies (SQLite, ring, WebP, camera), linking, \
         and whether any of it works. That needs a Mac.",
        TARGETS.join(" and ")
    );
    Ok(())
}
