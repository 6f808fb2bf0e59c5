//! The data folder: made once by `init`, opened by everything else.
//!
//! ```text
//! DATA/                0700   the owner's alone
//!   glasshour.sqlite   0600   database, with the key that signs licenses
//!   objects/           0700   pictures, by hash
//!   looks              0600   who looked, while the database has no room (made by the running server)
//! ```

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use glasshour_protocol::CompanyId;

use crate::auth::{Passwords, Secret};
use crate::clock::Clock;
use crate::error::ApiError;
use crate::objects::{LocalFolder, ObjectError, make_private_folder, private_file};
use crate::people::{self, Founder, Founding};
use crate::store::{ApiToken, Db, Scopes, StoreError};

/// What a new company starts with.
#[derive(Clone, Debug)]
pub struct NewCompany {
    /// Its name, as licenses show it.
    pub name: String,
    /// The owner's log-in.
    pub owner_email: String,
    /// The owner's password.
    pub owner_password: String,
}

/// What `init` made. The token is shown once.
#[derive(Debug)]
pub struct Made {
    /// The company.
    pub company_id: CompanyId,
    /// Its first workspace.
    pub workspace_id: String,
    /// An API token with the owner's rights.
    pub api_token: Secret,
}

/// Why a data folder could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Something is there already; nothing was changed.
    #[error("{} is there already and not empty: choose a new folder, or start the server with it", .0.display())]
    Exists(PathBuf),
    /// Nothing was made there yet.
    #[error("{} is not a Glasshour data folder: make one with `glasshour-server init`", .0.display())]
    Missing(PathBuf),
    /// The database has no company.
    #[error("the database holds no company: make one with `glasshour-server init`")]
    NoCompany,
    /// A value of the form is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The disk refused.
    #[error("cannot use {}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// The folder of pictures could not be opened.
    #[error("the pictures: {0}")]
    Objects(#[from] ObjectError),
}

impl From<ApiError> for SetupError {
    fn from(error: ApiError) -> Self {
        Self::Invalid(error.message)
    }
}

const DATABASE: &str = "glasshour.sqlite";
const OBJECTS: &str = "objects";
const LOOKS: &str = "looks";

/// The database file of a data folder.
pub fn database_file(data: &Path) -> PathBuf {
    data.join(DATABASE)
}

/// The file of a data folder for looks that the database has no room for.
pub fn looks_file(data: &Path) -> PathBuf {
    data.join(LOOKS)
}

/// The folder of pictures of a data folder.
pub fn objects_folder(data: &Path) -> PathBuf {
    data.join(OBJECTS)
}

/// Makes a data folder with a company in it; refuses one that exists and is not empty.
///
/// With `database` the company is made in that PostgreSQL database instead of a file. Where it
/// fails, nothing is left behind, so that it can be run again.
pub async fn init(
    data: &Path,
    database: Option<&str>,
    company: NewCompany,
    clock: &dyn Clock,
) -> Result<Made, SetupError> {
    // Everything that can be refused is refused before anything is made.
    let (founding, made) = found(company, clock).await?;
    make_data_folder(data)?;
    let filled = fill(data, database, &founding, &made, clock).await;
    if let Err(error) = filled {
        remove_what_was_made(data);
        return Err(error);
    }
    Ok(made)
}

/// Makes one more company on a server, with an owner, a workspace and an API token of its own.
pub async fn add_company(
    db: &Db,
    company: NewCompany,
    clock: &dyn Clock,
) -> Result<Made, SetupError> {
    let (founding, made) = found(company, clock).await?;
    if db.find_home(&founding.owner.email).await?.is_some() {
        return Err(SetupError::Invalid(
            "That e-mail address has a log-in on this server already. Name another one.".into(),
        ));
    }
    store(db, &founding, &made, clock).await?;
    Ok(made)
}

/// Checks everything that a new company begins with.
async fn found(company: NewCompany, clock: &dyn Clock) -> Result<(Founding, Made), SetupError> {
    let name = people::name("name", &company.name).map_err(|error| {
        SetupError::Invalid(error.message.replacen("`name`", "The company's name", 1))
    })?;
    let email = people::email(&company.owner_email)?
        .ok_or_else(|| SetupError::Invalid("The owner needs an e-mail address.".into()))?;
    let founder = Founder {
        email: email.to_lowercase(),
        first_name: email,
        last_name: String::new(),
        password_hash: Passwords::default().hash(&company.owner_password).await?,
    };
    let founding = Founding::of(&name, founder, clock.now_ms())?.with_workspace();
    let made = Made {
        company_id: founding.company.company_id,
        workspace_id: founding.workspace_id.clone().unwrap_or_default(),
        api_token: Secret::api_token()?,
    };
    Ok((founding, made))
}

async fn store(
    db: &Db,
    founding: &Founding,
    made: &Made,
    clock: &dyn Clock,
) -> Result<(), SetupError> {
    let mut write = db.write(made.company_id).await?;
    founding.store(&mut write).await?;
    write
        .insert_api_token(&api_token(made, clock.now_ms()))
        .await?;
    write.commit().await?;
    Ok(())
}

/// The token that a company begins with: for everything, without an end.
fn api_token(made: &Made, now_ms: i64) -> ApiToken {
    ApiToken {
        company_id: made.company_id,
        token_id: uuid::Uuid::now_v7().to_string(),
        name: "init".into(),
        token_hash: made.api_token.hash(),
        scopes: Scopes::all(),
        made_by: None,
        created_at: now_ms,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }
}

/// Makes everything in an empty data folder.
async fn fill(
    data: &Path,
    database: Option<&str>,
    founding: &Founding,
    made: &Made,
    clock: &dyn Clock,
) -> Result<(), SetupError> {
    LocalFolder::open(&objects_folder(data))?;
    let db = if let Some(url) = database {
        Db::open_postgres(url).await?
    } else {
        let file = database_file(data);
        create_private_file(&file)?;
        Db::open_sqlite(&file, true).await?
    };
    if !db.companies(1).await?.is_empty() {
        return Err(SetupError::Invalid(
            "That database holds a company already. `glasshour-server company add` makes one more."
                .into(),
        ));
    }
    store(&db, founding, made, clock).await?;
    db.close().await;
    Ok(())
}

/// The folder was empty before; only what [`fill`] or a restore makes is taken away again.
pub(crate) fn remove_what_was_made(data: &Path) {
    for name in [DATABASE, "glasshour.sqlite-wal", "glasshour.sqlite-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    let _ = std::fs::remove_dir_all(objects_folder(data));
    let _ = std::fs::remove_dir(data);
}

/// Opens the database of a data folder that `init` made, or the PostgreSQL database given instead.
pub async fn open(data: &Path, database: Option<&str>) -> Result<Db, SetupError> {
    let db = if let Some(url) = database {
        Db::open_postgres(url).await?
    } else {
        let file = database_file(data);
        if !file.is_file() {
            return Err(SetupError::Missing(data.to_owned()));
        }
        Db::open_sqlite(&file, false).await?
    };
    if db.companies(1).await?.is_empty() {
        return Err(SetupError::NoCompany);
    }
    Ok(db)
}

pub(crate) fn make_data_folder(data: &Path) -> Result<(), SetupError> {
    let io = |source| SetupError::Io {
        path: data.to_owned(),
        source,
    };
    if data.exists() {
        let mut entries = std::fs::read_dir(data).map_err(io)?;
        if entries.next().is_some() {
            return Err(SetupError::Exists(data.to_owned()));
        }
    }
    make_private_folder(data).map_err(io)?;
    // An empty folder that was there before may be open to others.
    std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700)).map_err(io)
}

/// SQLite gives its `-wal` and `-shm` files the mode of the database file.
fn create_private_file(path: &Path) -> Result<(), SetupError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    private_file(&mut options);
    let made = options.open(path);
    made.map(drop).map_err(|source| SetupError::Io {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn acme(owner_password: &str) -> NewCompany {
        NewCompany {
            name: "Acme".into(),
            owner_email: "me@acme.example".into(),
            owner_password: owner_password.into(),
        }
    }

    async fn make(data: &Path, database: Option<&str>, password: &str) -> Result<Made, SetupError> {
        init(data, database, acme(password), &ManualClock::at(1)).await
    }

    #[tokio::test]
    async fn a_company_is_made_once_and_never_over_something_else() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let made = make(&data, None, "a long password").await.unwrap();
        let again = make(&data, None, "a long password").await;
        assert!(matches!(again, Err(SetupError::Exists(_))));
        let db = open(&data, None).await.unwrap();
        assert_eq!(db.companies(9).await.unwrap(), [made.company_id]);
        db.close().await;
        assert!(matches!(
            open(folder.path(), None).await,
            Err(SetupError::Missing(_))
        ));
    }

    #[tokio::test]
    async fn a_server_holds_several_companies_and_an_address_is_of_one_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let acme = make(&data, None, "a long password").await.unwrap();
        let db = open(&data, None).await.unwrap();
        let bolt = |email: &str| NewCompany {
            name: "Bolt".into(),
            owner_email: email.into(),
            owner_password: "another password".into(),
        };
        let clock = ManualClock::at(2);
        let made = add_company(&db, bolt("me@bolt.example"), &clock)
            .await
            .unwrap();
        let both = [acme.company_id, made.company_id];
        assert_eq!(db.companies(9).await.unwrap(), both);
        let again = add_company(&db, bolt("ME@acme.example"), &clock).await;
        assert!(matches!(again, Err(SetupError::Invalid(_))));
        assert_eq!(db.companies(9).await.unwrap(), both);
        db.close().await;
    }

    #[tokio::test]
    async fn a_failed_init_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        assert!(make(&data, None, "short").await.is_err());
        assert!(
            make(
                &data,
                Some("postgres://127.0.0.1:1/none"),
                "a long password"
            )
            .await
            .is_err()
        );
        assert!(!data.exists());
    }

    #[tokio::test]
    async fn only_its_owner_can_look_into_the_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), None, "a long password").await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(&database_file(folder.path())), 0o600);
        assert_eq!(mode(&folder.path().join(OBJECTS)), 0o700);
    }
}
