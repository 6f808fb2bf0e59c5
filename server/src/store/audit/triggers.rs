//! The triggers that write down what a transaction changes, and those that keep the log as it is.
//!
//! Made of one list for either database, as no one text of a trigger serves both; they stand in no
//! migration, so that the list can change with the schema. Dropped before migrations run, which are no
//! act of anybody's.

use glasshour_protocol::jws::sha256_hex;
use sqlx::migrate::Migrator;
use sqlx::{Executor as _, PgPool, SqlitePool};

use super::tables::{AUDITED, Audited};
use crate::store::StoreError;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

/// One trigger: when, and what it does.
struct Trigger {
    name: String,
    table: &'static str,
    /// `AFTER INSERT`, …
    moment: &'static str,
    /// Only then.
    when: Option<String>,
    /// A statement; or in its place a refusal.
    run: Run,
}

enum Run {
    Statement(String),
    Refuse,
}

const REFUSAL: &str = "the audit log is append-only";

impl Trigger {
    fn sqlite(&self) -> String {
        let when = self.when.as_ref().map(|when| format!(" WHEN {when}"));
        let run = match &self.run {
            Run::Statement(statement) => statement.clone(),
            Run::Refuse => format!("SELECT RAISE(ABORT, '{REFUSAL}')"),
        };
        format!(
            "CREATE TRIGGER {} {} ON {}{} BEGIN {run}; END",
            self.name,
            self.moment,
            self.table,
            when.unwrap_or_default()
        )
    }

    /// The function and the trigger that calls it.
    fn postgres(&self) -> [String; 2] {
        let run = match &self.run {
            Run::Statement(statement) => format!("{statement}; RETURN NULL"),
            Run::Refuse => format!("RAISE EXCEPTION '{REFUSAL}'"),
        };
        // A condition that asks other rows must stand in the function.
        let (outer, inner) = match (&self.when, &self.run) {
            (Some(when), Run::Refuse) => (
                String::new(),
                format!("IF {when} THEN {run}; END IF; RETURN NEW"),
            ),
            (Some(when), Run::Statement(_)) => (format!(" WHEN ({when})"), run),
            (None, _) => (String::new(), run),
        };
        let name = &self.name;
        [
            format!(
                "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS \
                 $body$ BEGIN {inner}; END $body$"
            ),
            format!(
                "CREATE OR REPLACE TRIGGER {name} {} ON {} FOR EACH ROW{outer} \
                 EXECUTE FUNCTION {name}()",
                self.moment, self.table
            ),
        ]
    }
}

/// Every trigger of the log.
fn triggers(dialect: Dialect) -> Vec<Trigger> {
    let mut all: Vec<Trigger> = AUDITED
        .iter()
        .flat_map(|audited| follow(audited, dialect))
        .collect();
    all.extend(keep());
    all
}

/// What follows a table.
fn follow(audited: &Audited, dialect: Dialect) -> Vec<Trigger> {
    let trigger = |name: &str, moment, when, before: String, after: String, row: &str| Trigger {
        name: format!("audit_{}_{name}", audited.table),
        table: audited.table,
        moment,
        when,
        run: Run::Statement(format!(
            "INSERT INTO audit_pending (n, company_id, action, object, object_id, about_id, \
             before_json, after_json) VALUES ((SELECT COALESCE(MAX(p.n), 0) + 1 \
             FROM audit_pending p), {row}.company_id, '{name}', '{}', {}, {}, {before}, {after})",
            audited.object,
            audited.id.replace("ROW", row),
            audited.about.replace("ROW", row),
        )),
    };
    let none = || "NULL".to_owned();
    let values = |row: &str, since: Option<&str>| values(audited, dialect, row, since);
    let mut all = vec![
        trigger(
            "create",
            "AFTER INSERT",
            None,
            none(),
            values("NEW", None),
            "NEW",
        ),
        trigger(
            "delete",
            "AFTER DELETE",
            None,
            values("OLD", None),
            none(),
            "OLD",
        ),
    ];
    if audited.changes {
        let watched = audited.shown.iter().chain(audited.secret);
        let differs = watched
            .map(|column| format!("OLD.{column} IS DISTINCT FROM NEW.{column}"))
            .collect::<Vec<_>>();
        all.push(trigger(
            "change",
            "AFTER UPDATE",
            Some(differs.join(" OR ")),
            values("OLD", None),
            values("NEW", Some("OLD")),
            "NEW",
        ));
    }
    all
}

/// A row as JSON: of a secret only whether it is set, and whether it is another than before.
fn values(audited: &Audited, dialect: Dialect, row: &str, since: Option<&str>) -> String {
    let shown = audited
        .shown
        .iter()
        .map(|column| format!("'{column}', {row}.{column}"));
    let secret = audited.secret.iter().map(|column| {
        let changed = since.map_or(String::new(), |old| {
            format!("WHEN {old}.{column} IS DISTINCT FROM {row}.{column} THEN 'changed' ")
        });
        format!("'{column}', CASE WHEN {row}.{column} IS NULL THEN NULL {changed}ELSE 'set' END")
    });
    let pairs = shown.chain(secret).collect::<Vec<_>>().join(", ");
    match dialect {
        Dialect::Sqlite => format!("json_object({pairs})"),
        Dialect::Postgres => format!("CAST(json_build_object({pairs}) AS TEXT)"),
    }
}

/// What keeps the log as it is: no row goes, none is written over, and an update is the erasure of a
/// person, which names its receipt and leaves in place what happened, when, and to what kind of thing.
fn keep() -> Vec<Trigger> {
    const FIXED: [&str; 7] = [
        "company_id",
        "entry_id",
        "at_ms",
        "actor_kind",
        "action",
        "object",
        "workspace_id",
    ];
    let refuse = |name: &str, moment, when| Trigger {
        name: name.to_owned(),
        table: "audit",
        moment,
        when,
        run: Run::Refuse,
    };
    let mut not_an_erasure = FIXED
        .map(|column| format!("OLD.{column} IS DISTINCT FROM NEW.{column}"))
        .to_vec();
    not_an_erasure.push(
        "NOT EXISTS (SELECT 1 FROM purge_receipts r WHERE r.company_id = NEW.company_id \
         AND r.receipt_id = NEW.erased_by AND r.kind = 'erasure')"
            .to_owned(),
    );
    let there = "EXISTS (SELECT 1 FROM audit a WHERE a.company_id = NEW.company_id \
                 AND a.entry_id = NEW.entry_id)";
    vec![
        refuse("audit_keeps_rows", "BEFORE DELETE", None),
        refuse(
            "audit_keeps_words",
            "BEFORE UPDATE",
            Some(not_an_erasure.join(" OR ")),
        ),
        refuse(
            "audit_keeps_places",
            "BEFORE INSERT",
            Some(there.to_owned()),
        ),
    ]
}

/// Brings the schema up to date, and the triggers with it.
pub(in crate::store) async fn migrate_sqlite(
    pool: &SqlitePool,
    migrations: &Migrator,
) -> Result<(), StoreError> {
    const THERE: &str = "SELECT name, sql FROM sqlite_master \
        WHERE type = 'trigger' AND name LIKE 'audit%' ORDER BY name LIMIT 1000";
    const DONE: &str = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    const COUNT: &str = "SELECT COUNT(*) FROM _sqlx_migrations WHERE success";
    let (begun,): (i64,) = sqlx::query_as(DONE).fetch_one(pool).await?;
    let (run,): (i64,) = match begun {
        0 => (0,),
        _ => sqlx::query_as(COUNT).fetch_one(pool).await?,
    };
    let there: Vec<(String, String)> = sqlx::query_as(THERE).fetch_all(pool).await?;
    let wanted: Vec<(String, String)> = triggers(Dialect::Sqlite)
        .iter()
        .map(|trigger| (trigger.name.clone(), trigger.sqlite()))
        .collect();
    let same = there.len() == wanted.len() && wanted.iter().all(|one| there.contains(one));
    let up_to_date = usize::try_from(run).is_ok_and(|run| run >= migrations.iter().count());
    let keep = same && up_to_date;
    if !keep {
        drop_sqlite(pool, &there).await?;
    }
    migrations.run(pool).await.map_err(StoreError::Migration)?;
    if keep {
        return Ok(());
    }
    let mut making = pool.begin().await?;
    for (_, sql) in wanted {
        making.execute(sqlx::AssertSqlSafe(sql)).await?;
    }
    making.commit().await?;
    Ok(())
}

async fn drop_sqlite(pool: &SqlitePool, there: &[(String, String)]) -> Result<(), StoreError> {
    let mut dropping = pool.begin().await?;
    for (name, _) in there {
        let sql = format!("DROP TRIGGER IF EXISTS {name}");
        dropping.execute(sqlx::AssertSqlSafe(sql)).await?;
    }
    dropping.commit().await?;
    Ok(())
}

/// The same for PostgreSQL. Each trigger is made in a transaction of its own, so that no two tables are
/// locked at once beside requests that other instances serve.
pub(in crate::store) async fn migrate_postgres(
    pool: &PgPool,
    migrations: &Migrator,
) -> Result<(), StoreError> {
    const MARK: &str = "SELECT obj_description(CAST(to_regprocedure('audit_keeps_rows()') AS OID), \
        'pg_proc')";
    migrations.run(pool).await.map_err(StoreError::Migration)?;
    let wanted: Vec<[String; 2]> = triggers(Dialect::Postgres)
        .iter()
        .map(Trigger::postgres)
        .collect();
    let mark = sha256_hex(wanted.concat().concat().as_bytes());
    let (marked,): (Option<String>,) = sqlx::query_as(MARK).fetch_one(pool).await?;
    if marked.as_deref() == Some(mark.as_str()) {
        return Ok(());
    }
    for pair in wanted {
        let mut making = pool.begin().await?;
        for sql in pair {
            making.execute(sqlx::AssertSqlSafe(sql)).await?;
        }
        making.commit().await?;
    }
    let sql = format!("COMMENT ON FUNCTION audit_keeps_rows() IS '{mark}'");
    pool.execute(sqlx::AssertSqlSafe(sql)).await?;
    Ok(())
}
