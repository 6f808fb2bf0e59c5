//! `doctor`: looks at a data folder and says what is wrong with it. Changes nothing but the schema,
//! which opening the database brings up to date.

use std::path::Path;

use crate::objects::{LocalFolder, Objects as _};
use crate::setup;

/// Checks a data folder; an error where anything is wrong.
pub(crate) async fn doctor(data: &Path) -> anyhow::Result<()> {
    let mut problems = 0_u32;
    let mut tell = |what: &str, problem: Option<String>| {
        if let Some(problem) = problem {
            println!("problem  {what}: {problem}");
            problems += 1;
        } else {
            println!("ok       {what}");
        }
    };
    let (db, company) = setup::open(data, None).await?;
    tell("folder", open_to_others(data));
    tell("database file", open_to_others(&setup::database_file(data)));
    let integrity = db
        .read(company.company_id)
        .await?
        .integrity_problem()
        .await?;
    tell("database integrity", integrity);
    println!(
        "ok       company {} ({}), license key {}",
        company.name,
        company.company_id,
        glasshour_protocol::jws::thumbprint(&company.signing_key.verifying_key())
    );
    let objects = setup::objects_folder(data);
    let pictures = match LocalFolder::open(&objects) {
        Ok(folder) => folder.ping().await.err(),
        Err(error) => Some(error),
    };
    tell("pictures", pictures.map(|error| error.to_string()));
    db.close().await;
    anyhow::ensure!(problems == 0, "{problems} problem(s) found");
    Ok(())
}

/// Whether anybody but the owner may look into it.
fn open_to_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match std::fs::metadata(path) {
        Ok(found) => found.permissions().mode() & 0o777,
        Err(error) => return Some(error.to_string()),
    };
    (mode & 0o077 != 0).then(|| {
        format!(
            "others may look into it (mode {mode:o}): chmod go-rwx {}",
            path.display()
        )
    })
}
