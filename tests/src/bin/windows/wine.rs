//! A Windows played by wine, in a folder of its own.
//!
//! Wine 8 lacks one library that Rust's standard library asks for random numbers; a stand-in of one
//! function that forwards to another of wine's is put in its place. It is for tests only, and is never
//! shipped.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use glasshour_tests::{Desktop, programs};

const RANDOM_C: &str = "#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL ProcessPrng(PBYTE data, SIZE_T length)
{
    return SystemFunction036(data, (ULONG)length);
}
";
const RANDOM: &str = "drive_c/windows/system32/bcryptprimitives.dll";

/// Wine and its folder. Dropping it ends what still runs in there.
pub(crate) struct Wine {
    prefix: PathBuf,
    program: PathBuf,
}

impl Wine {
    /// Makes the folder where it is not there: half a minute, once.
    pub(crate) fn prepare(prefix: &Path) -> Result<Self> {
        let wine = Self {
            prefix: prefix.to_owned(),
            program: programs::systems("wine")?,
        };
        let random = prefix.join(RANDOM);
        if random.is_file() {
            return Ok(wine);
        }
        std::fs::create_dir_all(prefix)?;
        eprintln!("making a Windows in {}", prefix.display());
        wine.call("wineboot", &["--init".into()])?;
        let source = prefix.join("random.c");
        std::fs::write(&source, RANDOM_C)?;
        let compiled = Command::new("x86_64-w64-mingw32-gcc")
            .args(["-shared", "-O1", "-o"])
            .arg(&random)
            .arg(&source)
            .arg("-ladvapi32")
            .status()
            .context("cannot start x86_64-w64-mingw32-gcc")?;
        if !compiled.success() {
            bail!("the stand-in for bcryptprimitives.dll does not compile");
        }
        Ok(wine)
    }

    /// What runs a Windows program: the words before its name.
    pub(crate) fn command(&self, program: &Path) -> Vec<OsString> {
        vec![self.program.clone().into(), program.as_os_str().to_owned()]
    }

    /// What a program needs in its environment, to show up on that desktop.
    pub(crate) fn environment(&self, desktop: Option<&Desktop>) -> Vec<(String, OsString)> {
        let mut environment =
            desktop.map_or_else(Vec::new, |desktop| desktop.environment().to_vec());
        environment.extend([
            (
                "WINEPREFIX".to_owned(),
                self.prefix.clone().into_os_string(),
            ),
            ("WINEDEBUG".to_owned(), "-all".into()),
            // Neither .NET nor a browser is asked for.
            ("WINEDLLOVERRIDES".to_owned(), "mscoree,mshtml=".into()),
        ]);
        environment
    }

    fn call(&self, tool: &str, arguments: &[OsString]) -> Result<()> {
        let output = Command::new(programs::systems(tool)?)
            .args(arguments)
            .envs(self.environment(None))
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {tool}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{tool} ended with {}: {said}", output.status);
        }
        Ok(())
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // It ends the programs of this folder alone. Where none runs it fails, which is as well.
        let _ = self.call("wineserver", &["--kill".into()]);
    }
}
