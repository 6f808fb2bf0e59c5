//! Whose the administrator's license files are: `NAME.license.gz` is for the user NAME of this computer
//! alone, where there is such a user, and else for whoever logs in.
//!
//! That is a rule of this program, kept wherever it reads that folder. It hides nothing: who may read a file
//! can copy it, so the administrator lets only that user read it.

use std::path::Path;

use super::LoadError;
use crate::platform::Platform;

/// What the name of each license file ends in.
pub const SUFFIX: &str = ".license.gz";

/// Refuses a file of that folder that is for another user than the one who asks.
pub fn check_owner(path: &Path, folder: &Path, platform: &dyn Platform) -> Result<(), LoadError> {
    // By whatever way it is named, it is the same file.
    let (Ok(real), Ok(folder)) = (path.canonicalize(), folder.canonicalize()) else {
        return Ok(());
    };
    let within = real.parent() == Some(folder.as_path());
    match real.file_name().and_then(|name| user_of(name.to_str()?)) {
        Some(user) if within && is_anothers(user, platform) => Err(LoadError::AnotherUsers {
            path: path.to_owned(),
            user: user.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The name before the suffix.
pub fn user_of(file_name: &str) -> Option<&str> {
    file_name.strip_suffix(SUFFIX)
}

/// Whether that is the name of another user of this computer.
pub fn is_anothers(name: &str, platform: &dyn Platform) -> bool {
    name != platform.identity().os_user && platform.is_user(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake::FakeDesktop;

    #[test]
    fn a_file_that_bears_another_users_name_is_for_that_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("license.d");
        std::fs::create_dir(&folder).unwrap();
        let machine = FakeDesktop::new();
        machine.add_user("games");
        for name in ["jo", "games", "acme"] {
            std::fs::write(folder.join(format!("{name}{SUFFIX}")), "").unwrap();
        }
        let check = |path: &Path| check_owner(path, &folder, &machine);
        assert!(check(&folder.join("jo.license.gz")).is_ok());
        assert!(check(&folder.join("acme.license.gz")).is_ok());
        let anothers = folder.join("games.license.gz");
        let refused = check(&anothers).unwrap_err().to_string();
        assert!(refused.contains("for the user games"), "{refused}");
        // The same file by another way.
        assert!(check(&folder.join("../license.d/games.license.gz")).is_err());
        let elsewhere = dir.path().join("games.license.gz");
        std::fs::copy(&anothers, &elsewhere).unwrap();
        assert!(check(&elsewhere).is_ok(), "a copy is nobody's");
    }
}
