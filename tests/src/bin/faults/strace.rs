//! Faults at a system call, by `strace --inject`: the N-th write or flush of a file kills, fails or takes long.
//!
//! `-D` makes the tracer a grandchild, so that our child is the program itself and its death is seen as it is.
//! `-P` looks at the named files only; strace counts calls per thread.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What happens at the calls.
#[derive(Clone, Debug)]
pub(crate) struct Inject<'a> {
    /// System calls, separated by commas.
    pub(crate) calls: &'a str,
    /// `signal=KILL`, `error=EIO`, `delay_enter=200000`.
    pub(crate) what: &'a str,
    /// `5`: at the fifth; `5+`: from the fifth on; absent: always.
    pub(crate) when: Option<String>,
}

/// The words to put before a program, with files to look at (all, where there are none) and where strace writes.
pub(crate) fn wrapper(inject: &Inject<'_>, files: &[PathBuf], log: &Path) -> Vec<OsString> {
    let when = inject
        .when
        .as_ref()
        .map_or_else(String::new, |when| format!(":when={when}"));
    let mut words: Vec<OsString> = vec![
        "strace".into(),
        "-D".into(),
        "-f".into(),
        // Stops at these calls alone: else the program is slow for another reason than the fault.
        "--seccomp-bpf".into(),
        "-qq".into(),
        "-o".into(),
        log.into(),
        "-e".into(),
        format!("trace={}", inject.calls).into(),
        "-e".into(),
        format!("inject={}:{}{when}", inject.calls, inject.what).into(),
    ];
    for file in files {
        words.push("-P".into());
        words.push(file.into());
    }
    words
}

/// A spool's files, which strace is to look at.
pub(crate) fn database_files(database: &Path) -> Vec<PathBuf> {
    ["", "-wal", "-shm", "-journal"]
        .iter()
        .map(|end| {
            let mut name = database.as_os_str().to_owned();
            name.push(end);
            name.into()
        })
        .collect()
}

/// Calls by which something comes to a disk.
pub(crate) const WRITES: &str =
    "write,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat";
