//! What shells and `man` need to know of the command line: made from the same definition that reads it.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Cli;
use crate::exit::Exit;

/// `glasshour completions`: to standard output.
pub(super) fn completions(shell: Shell) -> Exit {
    let mut command = Cli::command();
    clap_complete::generate(shell, &mut command, "glasshour", &mut std::io::stdout());
    Exit::Ok
}

/// `glasshour manual`: a page for the program and one for each command.
pub(super) fn manual(folder: &Path) -> anyhow::Result<Exit> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    clap_mangen::generate_to(Cli::command(), folder)
        .with_context(|| format!("cannot write manual pages to {}", folder.display()))?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_is_completed_in_each_shell() {
        let folder = tempfile::tempdir().unwrap();
        manual(folder.path()).unwrap();
        let page = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page("glasshour.1").contains("license.gz"));
        let names: Vec<String> = Cli::command()
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .collect();
        assert!(names.iter().any(|name| name == "idle"));
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "glasshour", &mut text);
            let text = String::from_utf8(text).unwrap();
            for name in &names {
                assert!(text.contains(name.as_str()), "{shell}: {name}");
            }
        }
        for name in &names {
            assert!(
                page(&format!("glasshour-{name}.1")).starts_with(".ie"),
                "{name}"
            );
        }
    }
}
