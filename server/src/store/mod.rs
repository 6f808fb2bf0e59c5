//! The database: the only place in the server where SQL is written.
//!
//! One neutral SQL text and one migration folder serve SQLite and PostgreSQL alike. Reads happen in
//! a [`Read`] snapshot, writes in a [`Write`] transaction; both are bound to one company when they
//! begin, so that no statement can forget whose rows it may see. The few methods of [`Db`] that are not
//! bound, `find_…`, tell which company somebody belongs to. On SQLite there is one writer at a
//! time (`BEGIN IMMEDIATE` on a pool of one connection) beside any number of readers; a commit is on
//! disk when it returns (WAL, `synchronous = FULL`).
//!
//! Reads are methods of `Read` and reach a `Write` by `Deref`; what changes rows exists on `Write`
//! alone and is lost unless [`Write::commit`] is called.

mod acceptances;
mod access;
mod activity;
mod audit;
mod backup;
mod column;
mod company;
mod company_settings;
mod console;
mod devices;
mod employees;
mod error;
mod export;
mod groups;
mod idempotency;
mod leave;
mod licenses;
mod links;
mod members;
mod notices;
mod outbox;
mod own_day;
mod pictures;
mod plan;
mod profiles;
mod projects;
mod purge;
mod records;
mod refusals;
mod second_factors;
mod sessions;
mod shots;
mod sign_ons;
mod signing_keys;
mod tokens;
mod users;
mod views;
mod workspaces;

pub use acceptances::Acceptance;
pub use access::{FoundSession, WebSession};
pub use activity::{ActivityHour, ActivityRow};
pub use audit::{AskerKind, AuditEntry, AuditFilter, Note};
pub use backup::SnapshotError;
pub use column::UnknownWord;
pub use company::Company;
pub use company_settings::CompanySettings;
pub use console::{ActivitySlot, Doubt};
pub use devices::Device;
pub use employees::{Employee, EmployeeFilter, EmployeeSelection};
pub use error::StoreError;
pub use export::{ChainFilter, ChainPlace, ChainRecord};
pub use groups::Group;
pub use idempotency::KeyedRequest;
pub use leave::{LeaveDay, LeaveKind};
pub use licenses::License;
pub use links::{Link, LinkPurpose};
pub use members::{Member, MemberFilter, MemberRole, MemberStatus, Membership, Show};
pub use notices::Notice;
pub use outbox::{DueMail, ListedMail, Mail, MailCounts, MailState, MailTemplate};
pub use own_day::{DayPass, PassKind};
pub use pictures::DamagedPicture;
pub use plan::{Plan, SeatsBy};
pub use profiles::Profile;
pub use projects::{Project, ProjectKind};
pub use purge::{Expired, PersonKeys, PurgeReceipt};
pub use records::{NewRecord, Place, Record, RecordFilter, Screenshot};
pub use refusals::{REFUSALS_TOLD_DAYS, Refusals};
pub use second_factors::{LogInStep, SecondFactor};
pub use sessions::{Session, SessionFilter, VANISHED_AFTER_MS};
pub use sign_ons::SignOn;
pub use signing_keys::KeyPeriod;
pub use tokens::{ApiToken, Scopes, TokenScope};
pub use users::{CompanyRole, User, UserFilter, UserStatus, VALIDATION_OK};
pub use views::{NewView, View, ViewKind};
pub use workspaces::Workspace;

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use glasshour_protocol::CompanyId;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Postgres, Sqlite, SqliteConnection, Transaction};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// How long a request waits for a connection before it is told to come back later.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Rows that one INSERT of many takes: far below what either database has of parameters.
const ROWS_AT_ONCE: usize = 200;
const SQLITE_READERS: u32 = 4;
/// Of each reader, as SQLite counts it: 512 KiB. What is not in it is in the system's cache.
const READER_CACHE: &str = "-512";
const POSTGRES_CONNECTIONS: u32 = 16;

/// A database, of either kind. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Db {
    /// A file on this machine: the embedded default.
    Sqlite {
        /// One connection: whoever holds it writes.
        writer: SqlitePool,
        /// Readers, which never wait for the writer (WAL).
        readers: SqlitePool,
    },
    /// A PostgreSQL server, shared by any number of instances.
    Postgres(PgPool),
}

/// Runs one statement on whichever database the transaction belongs to.
///
/// The expression is compiled once per database, with `$connection` bound to its connection.
macro_rules! on {
    ($transaction:expr, $connection:ident => $run:expr) => {
        match &mut $transaction.inner {
            $crate::store::Inner::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $run
            }
            $crate::store::Inner::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $run
            }
        }
    };
}
use on;

/// Runs one reading statement that is not bound to a company: what tells which company is meant.
macro_rules! on_pool {
    ($db:expr, $pool:ident => $run:expr) => {
        match $db {
            $crate::store::Db::Sqlite { readers: $pool, .. } => $run,
            $crate::store::Db::Postgres($pool) => $run,
        }
    };
}
use on_pool;

/// A consistent view of one company's rows.
#[derive(Debug)]
pub struct Read {
    company: String,
    inner: Inner,
}

/// A transaction that may change one company's rows; rolled back unless committed.
#[derive(Debug)]
pub struct Write(Read);

#[derive(Debug)]
enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// Opens the SQLite file, making it where `create` is true, and brings its schema up to date.
    pub async fn open_sqlite(file: &Path, create: bool) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // What is deleted is overwritten where it stood: an erasure is one.
            .pragma("secure_delete", "ON")
            .busy_timeout(ACQUIRE_TIMEOUT);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_release(|connection, _| Box::pin(is_out_of_transactions(connection)))
            .connect_with(options.clone())
            .await?;
        audit::migrate_sqlite(&writer, &MIGRATIONS).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options.read_only(true).pragma("cache_size", READER_CACHE))
            .await?;
        Ok(Self::Sqlite { writer, readers })
    }

    /// Connects to `postgres://…` and brings its schema up to date.
    pub async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(PgConnectOptions::from_str(url)?)
            .await?;
        audit::migrate_postgres(&pool, &MIGRATIONS).await?;
        Ok(Self::Postgres(pool))
    }

    /// Begins a consistent view of one company.
    pub async fn read(&self, company: CompanyId) -> Result<Read, StoreError> {
        const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let inner = match self {
            Self::Sqlite { readers, .. } => Inner::Sqlite(readers.begin().await?),
            Self::Postgres(pool) => Inner::Postgres(pool.begin_with(SNAPSHOT).await?),
        };
        Ok(Read {
            company: company.to_string(),
            inner,
        })
    }

    /// Begins a transaction that may change one company's rows. On SQLite it waits for its turn.
    pub async fn write(&self, company: CompanyId) -> Result<Write, StoreError> {
        let inner = match self {
            Self::Sqlite { writer, .. } => {
                Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Self::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Write(Read {
            company: company.to_string(),
            inner,
        }))
    }

    /// Closes the connection that writes, so that the next one begins with a file handle of its own:
    /// after the disk has refused a flush, the old one may claim to be well.
    pub async fn reopen_writer(&self) {
        if let Self::Sqlite { writer, .. } = self {
            let closed = async { writer.acquire().await?.close().await };
            if let Err(error) = closed.await {
                tracing::error!(%error, "the connection that writes could not be closed");
            }
        }
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Whether a connection can begin the next transaction; one that cannot is closed, and another opened.
///
/// On a full disk, among other faults, SQLite gives up the whole transaction by itself. The rollback that follows is
/// then refused, and sqlx goes on believing that one is open: the only writer would refuse every write for ever.
async fn is_out_of_transactions(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // The rollback of a dropped transaction is carried out before this is answered.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

impl Write {
    /// Begins a part that can be undone by itself. One at a time.
    pub async fn savepoint(&mut self) -> Result<(), StoreError> {
        self.say("SAVEPOINT part").await
    }

    /// Keeps the part.
    pub async fn release(&mut self) -> Result<(), StoreError> {
        self.say("RELEASE SAVEPOINT part").await
    }

    /// Undoes the part; the rest of the transaction stands.
    pub async fn roll_back(&mut self) -> Result<(), StoreError> {
        self.say("ROLLBACK TO SAVEPOINT part").await?;
        self.release().await
    }

    async fn say(&mut self, sql: &'static str) -> Result<(), StoreError> {
        on!(self.0, c => sqlx::query(sql).execute(c).await.map(drop))?;
        Ok(())
    }

    /// From here on the statements of this transaction are about another company's rows; returns the
    /// company that they were about. For what crosses companies by its nature: a person's membership in
    /// one and account in another.
    pub fn rebind(&mut self, company: CompanyId) -> Result<CompanyId, StoreError> {
        let before = std::mem::replace(&mut self.0.company, company.to_string());
        before.parse().map_err(|_| StoreError::Corrupt {
            what: "a bound company",
        })
    }

    /// Makes everything since [`Db::write`] durable, with its entries in the audit log.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.settle_audit().await?;
        match self.0.inner {
            Inner::Sqlite(transaction) => transaction.commit().await?,
            Inner::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}

impl std::ops::Deref for Write {
    type Target = Read;

    fn deref(&self) -> &Read {
        &self.0
    }
}

impl std::ops::DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Read {
        &mut self.0
    }
}
