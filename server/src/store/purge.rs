//! Deleting for good: one person, what is past its time, one capture; and the pictures behind them.
//!
//! Rows are overwritten where they stood (`secure_delete`); [`Db::scrub`] empties the write-ahead log as
//! well. On PostgreSQL the same is up to its VACUUM.

use glasshour_license_format::RetentionDays;
use glasshour_protocol::{EmployeeId, Kind, LicenseId, RecordId};
use serde_json::Value;
use sqlx::FromRow;

use super::column::{Json, to_json};
use super::{Db, Inner, Read, StoreError, Write, on};

/// What was deleted for good, without a word of what it was.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PurgeReceipt {
    /// Its id; of an erased person the pseudonym in the audit log.
    pub receipt_id: String,
    /// UTC milliseconds.
    pub at_ms: i64,
    /// `erasure` or `retention`.
    pub kind: String,
    /// How much, by kind.
    #[sqlx(try_from = "Json<Value>")]
    pub counts: Value,
    /// On what ground.
    pub reason: Option<String>,
}

/// Everything by which a person is known in a company.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonKeys {
    /// Their employees.
    pub employees: Vec<String>,
    /// Their places in workspaces.
    pub members: Vec<String>,
    /// Their account, where it is the company's own.
    pub user: Option<String>,
    /// Their addresses, lower case.
    pub emails: Vec<String>,
    /// Their names, as notices and mail have them.
    pub names: Vec<String>,
}

/// Which records have had their time.
#[derive(Clone, Copy, Debug)]
pub struct Expired {
    /// Whose.
    pub employee_id: EmployeeId,
    /// Captured under this license; `None`: under any.
    pub license_id: Option<LicenseId>,
    /// Of this kind.
    pub kind: Kind,
    /// Captured before, UTC milliseconds.
    pub before_ms: i64,
    /// At most so many at once.
    pub limit: u32,
}

/// What hangs on an employee, in an order that every reference allows. A test holds the list, with those
/// below, to the schema.
const OF_EMPLOYEE: &[(&str, &str)] = &[
    (
        "session_events",
        "device_id IN (SELECT d.device_id FROM devices d WHERE d.company_id = $1 AND d.employee_id = $2)",
    ),
    (
        "withdrawn_spans",
        "device_id IN (SELECT d.device_id FROM devices d WHERE d.company_id = $1 AND d.employee_id = $2)",
    ),
    ("sessions", "employee_id = $2"),
    ("activity_minutes", "employee_id = $2"),
    ("acceptances", "employee_id = $2"),
    ("records", "employee_id = $2"),
    ("refusals", "employee_id = $2"),
    ("own_day_passes", "employee_id = $2"),
    ("devices", "employee_id = $2"),
    ("licenses", "employee_id = $2"),
    ("views", "employee_id = $2"),
];

/// What hangs on a member.
const OF_MEMBER: &[(&str, &str)] = &[
    ("photos", "member_id = $2"),
    ("leave_days", "member_id = $2"),
    ("group_members", "member_id = $2"),
    ("links", "subject_id = $2"),
    ("members", "member_id = $2"),
];

/// What hangs on a user.
const OF_USER: &[(&str, &str)] = &[
    ("web_sessions", "user_id = $2"),
    ("notices", "user_id = $2"),
    ("links", "subject_id = $2"),
    ("users", "user_id = $2"),
];

/// Days of screenshots, camera, activity and sessions, as the columns have them.
type KeptDays = (Option<i64>, Option<i64>, Option<i64>, Option<i64>);

#[derive(FromRow)]
struct ClaimsRow {
    license_id: String,
    employee_id: String,
    #[sqlx(try_from = "Json<glasshour_license_format::Claims>")]
    claims: glasshour_license_format::Claims,
}

impl Db {
    /// Empties the write-ahead log (SQLite), so that nothing deleted stands in it. Waits for nobody: what
    /// a reader holds back is emptied with the next one.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        if let Self::Sqlite { writer, .. } = self {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(writer)
                .await?;
        }
        Ok(())
    }
}

impl Read {
    /// How long the company keeps each kind.
    pub async fn retention(&mut self) -> Result<RetentionDays, StoreError> {
        const SQL: &str = "SELECT keep_screenshot, keep_camera, keep_activity, keep_session \
            FROM companies WHERE company_id = $1";
        let row: Option<KeptDays> =
            on!(self, c => sqlx::query_as(SQL).bind(&self.company).fetch_optional(c).await)?;
        let days = |days: Option<i64>| days.and_then(|days| u32::try_from(days).ok());
        let (screenshot, camera, activity, session) = row.unwrap_or_default();
        Ok(RetentionDays {
            screenshot: days(screenshot),
            camera: days(camera),
            activity: days(activity),
            session: days(session),
        })
    }

    /// Every employee's id.
    pub async fn employee_ids(&mut self) -> Result<Vec<EmployeeId>, StoreError> {
        // The limit only bounds memory.
        const SQL: &str = "SELECT employee_id FROM employees WHERE company_id = $1 \
            ORDER BY employee_id LIMIT 1000000";
        let rows: Vec<(String,)> =
            on!(self, c => sqlx::query_as(SQL).bind(&self.company).fetch_all(c).await)?;
        let id = |(text,): (String,)| {
            text.parse().map_err(|_| StoreError::Corrupt {
                what: "employees.employee_id",
            })
        };
        rows.into_iter().map(id).collect()
    }

    /// What each license of the company says of how long its records are kept; those that say nothing
    /// are left out.
    pub async fn promised_retention(
        &mut self,
    ) -> Result<Vec<(EmployeeId, LicenseId, RetentionDays)>, StoreError> {
        // The limit only bounds memory.
        const SQL: &str = "SELECT license_id, employee_id, claims FROM licenses \
            WHERE company_id = $1 AND claims LIKE '%\"retention_days\"%' \
            ORDER BY employee_id, serial LIMIT 1000000";
        let rows: Vec<ClaimsRow> =
            on!(self, c => sqlx::query_as(SQL).bind(&self.company).fetch_all(c).await)?;
        let corrupt = || StoreError::Corrupt {
            what: "licenses.license_id",
        };
        let mut all = Vec::new();
        for row in rows {
            if let Some(days) = row.claims.issuer.retention_days {
                let employee = row.employee_id.parse().map_err(|_| corrupt())?;
                let license = row.license_id.parse().map_err(|_| corrupt())?;
                all.push((employee, license, days));
            }
        }
        Ok(all)
    }

    /// Receipts, the newest first, behind `before`.
    pub async fn purge_receipts(
        &mut self,
        before: Option<(i64, &str)>,
        limit: u32,
    ) -> Result<Vec<PurgeReceipt>, StoreError> {
        const SQL: &str = "SELECT receipt_id, at_ms, kind, counts, reason FROM purge_receipts \
            WHERE company_id = $1 AND (at_ms < $2 OR (at_ms = $2 AND receipt_id < $3)) \
            ORDER BY at_ms DESC, receipt_id DESC LIMIT $4";
        let (at, id) = before.unwrap_or((i64::MAX, ""));
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(at).bind(id).bind(i64::from(limit)).fetch_all(c).await)?)
    }

    /// Pictures that wait to be deleted.
    pub async fn queued_purges(&mut self, limit: u32) -> Result<Vec<String>, StoreError> {
        const SQL: &str =
            "SELECT sha256 FROM purges WHERE company_id = $1 ORDER BY sha256 LIMIT $2";
        let rows: Vec<(String,)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(i64::from(limit)).fetch_all(c).await)?;
        Ok(rows.into_iter().map(|(sha256,)| sha256).collect())
    }

    /// Whether a record has that picture.
    pub async fn names_picture(&mut self, sha256: &str) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT record_id FROM records WHERE company_id = $1 \
            AND payload_sha256 = $2 AND kind IN ('screenshot', 'camera') \
            AND withdrawn IS NULL LIMIT 1";
        let row: Option<(String,)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(sha256).fetch_optional(c).await)?;
        Ok(row.is_some())
    }
}

impl Write {
    /// Sets how long the company keeps each kind.
    pub async fn set_retention(&mut self, days: &RetentionDays) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE companies SET keep_screenshot = $2, keep_camera = $3, \
            keep_activity = $4, keep_session = $5 WHERE company_id = $1";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(days.screenshot.map(i64::from))
            .bind(days.camera.map(i64::from)).bind(days.activity.map(i64::from))
            .bind(days.session.map(i64::from)).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Keeps a receipt.
    pub async fn insert_receipt(&mut self, receipt: &PurgeReceipt) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO purge_receipts (company_id, receipt_id, at_ms, kind, counts, \
            reason) VALUES ($1, $2, $3, $4, $5, $6)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&receipt.receipt_id).bind(receipt.at_ms)
            .bind(&receipt.kind).bind(to_json(&receipt.counts)).bind(&receipt.reason)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Says in a receipt how much it was.
    pub async fn set_receipt_counts(&mut self, receipt: &PurgeReceipt) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE purge_receipts SET counts = $3 WHERE company_id = $1 AND receipt_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&receipt.receipt_id).bind(to_json(&receipt.counts))
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Deletes up to `limit` of an employee's records of one kind that were captured before a moment, with
    /// what hangs on them, and writes their pictures down to be deleted. Returns how many there were.
    pub async fn expire(&mut self, expired: &Expired) -> Result<u64, StoreError> {
        const IDS: &str = "SELECT record_id FROM records WHERE company_id = $1 \
            AND employee_id = $2 AND kind = $3 AND captured_at < $4 AND ($5 = '' OR license_id = $5) \
            ORDER BY captured_at, record_id LIMIT $6";
        let license = expired.license_id.map(|id| id.to_string());
        let ids: Vec<(String,)> = on!(self.0, c => sqlx::query_as(IDS)
            .bind(&self.0.company).bind(expired.employee_id.to_string())
            .bind(expired.kind.as_str()).bind(expired.before_ms)
            .bind(license.unwrap_or_default()).bind(i64::from(expired.limit))
            .fetch_all(c).await)?;
        let count = ids.len();
        for (id,) in ids {
            self.delete_record(&id).await?;
        }
        Ok(count as u64)
    }

    async fn delete_record(&mut self, id: &str) -> Result<(), StoreError> {
        const QUEUE: &str = "INSERT INTO purges (company_id, sha256, queued_at) \
            SELECT company_id, payload_sha256, received_at FROM records \
            WHERE company_id = $1 AND record_id = $2 AND kind IN ('screenshot', 'camera') \
            AND payload_len > 0 AND payload IS NULL ON CONFLICT (company_id, sha256) DO NOTHING";
        const MINUTE: &str =
            "DELETE FROM activity_minutes WHERE company_id = $1 AND record_id = $2";
        const RECORD: &str = "DELETE FROM records WHERE company_id = $1 AND record_id = $2";
        for sql in [QUEUE, MINUTE, RECORD] {
            on!(self.0, c => sqlx::query(sql)
                .bind(&self.0.company).bind(id).execute(c).await.map(drop))?;
        }
        Ok(())
    }

    /// Deletes an employee's sessions that ended before a moment and of whose events no record is left,
    /// with their events and what was withdrawn of them.
    pub async fn expire_sessions(
        &mut self,
        employee: EmployeeId,
        before_ms: i64,
    ) -> Result<u64, StoreError> {
        const OLD: &str = "SELECT s.device_id, s.session_id FROM sessions s \
            WHERE s.company_id = $1 AND s.employee_id = $2 AND s.end_at < $3 AND NOT EXISTS \
              (SELECT 1 FROM session_events e JOIN records r ON r.company_id = e.company_id \
                AND r.record_id = e.record_id WHERE e.company_id = s.company_id \
                AND e.device_id = s.device_id AND e.session_id = s.session_id) \
            ORDER BY s.end_at, s.session_id LIMIT 1000";
        const EVENTS: &str = "DELETE FROM session_events \
            WHERE company_id = $1 AND device_id = $2 AND session_id = $3";
        const SPANS: &str = "DELETE FROM withdrawn_spans \
            WHERE company_id = $1 AND device_id = $2 AND session_id = $3";
        const SESSION: &str =
            "DELETE FROM sessions WHERE company_id = $1 AND device_id = $2 AND session_id = $3";
        let old: Vec<(String, String)> = on!(self.0, c => sqlx::query_as(OLD)
            .bind(&self.0.company).bind(employee.to_string()).bind(before_ms)
            .fetch_all(c).await)?;
        let count = old.len();
        for (device, session) in old {
            for sql in [EVENTS, SPANS, SESSION] {
                on!(self.0, c => sqlx::query(sql)
                    .bind(&self.0.company).bind(&device).bind(&session)
                    .execute(c).await.map(drop))?;
            }
        }
        Ok(count as u64)
    }

    /// A record that its employee deletes at this server: the payload goes, header and place stay.
    pub async fn withdraw_record(&mut self, id: RecordId, now_ms: i64) -> Result<(), StoreError> {
        const QUEUE: &str = "INSERT INTO purges (company_id, sha256, queued_at) \
            SELECT company_id, payload_sha256, received_at FROM records \
            WHERE company_id = $1 AND record_id = $2 AND payload_len > 0 AND payload IS NULL \
            ON CONFLICT (company_id, sha256) DO NOTHING";
        const MINUTE: &str =
            "DELETE FROM activity_minutes WHERE company_id = $1 AND record_id = $2";
        const RECORD: &str = "UPDATE records SET payload = NULL, withdrawn = 'employee', \
            withdrawn_at = $3 WHERE company_id = $1 AND record_id = $2 AND withdrawn IS NULL";
        let id = id.to_string();
        for sql in [QUEUE, MINUTE] {
            on!(self.0, c => sqlx::query(sql)
                .bind(&self.0.company).bind(&id).execute(c).await.map(drop))?;
        }
        on!(self.0, c => sqlx::query(RECORD)
            .bind(&self.0.company).bind(&id).bind(now_ms).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Waits until no record is being stored, so that whether a picture is named holds until the commit.
    /// SQLite has one writer in any case.
    pub async fn hold_records(&mut self) -> Result<(), StoreError> {
        if let Inner::Postgres(transaction) = &mut self.0.inner {
            sqlx::query("LOCK TABLE records IN SHARE MODE")
                .execute(&mut **transaction)
                .await?;
        }
        Ok(())
    }

    /// A picture that was to be deleted is gone, or was named again.
    pub async fn purged(&mut self, sha256: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM purges WHERE company_id = $1 AND sha256 = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(sha256).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Erases a person: every row of theirs, and what names them in rows of others. The receipt must
    /// stand already; it takes their place in the audit log. Returns how many rows went, by table.
    pub async fn erase(
        &mut self,
        person: &PersonKeys,
        receipt_id: &str,
    ) -> Result<Vec<(&'static str, u64)>, StoreError> {
        const DEVICES: &str = "SELECT device_id FROM devices \
            WHERE company_id = $1 AND employee_id = $2 ORDER BY device_id LIMIT 100000";
        const UNLINK: &str =
            "UPDATE members SET employee_id = NULL WHERE company_id = $1 AND employee_id = $2";
        const EMPLOYEE: &str = "DELETE FROM employees WHERE company_id = $1 AND employee_id = $2";
        let mut counts = Vec::new();
        let mut actors = person.user.iter().cloned().collect::<Vec<_>>();
        for id in &person.employees {
            let devices: Vec<(String,)> = on!(self.0, c => sqlx::query_as(DEVICES)
                .bind(&self.0.company).bind(id).fetch_all(c).await)?;
            actors.extend(devices.into_iter().map(|(device,)| device));
            self.delete_of(OF_EMPLOYEE, id, &mut counts).await?;
            for sql in [UNLINK, EMPLOYEE] {
                on!(self.0, c => sqlx::query(sql)
                    .bind(&self.0.company).bind(id).execute(c).await.map(drop))?;
            }
        }
        for id in &person.members {
            self.delete_of(OF_MEMBER, id, &mut counts).await?;
        }
        if let Some(id) = &person.user {
            self.delete_of(OF_USER, id, &mut counts).await?;
        }
        self.erase_mentions(person).await?;
        self.erase_in_logs(person, &actors, receipt_id).await?;
        Ok(counts)
    }

    async fn delete_of(
        &mut self,
        tables: &[(&'static str, &str)],
        id: &str,
        counts: &mut Vec<(&'static str, u64)>,
    ) -> Result<(), StoreError> {
        for (table, whose) in tables {
            let sql = format!("DELETE FROM {table} WHERE company_id = $1 AND {whose}");
            let gone = on!(self.0, c => sqlx::query(sqlx::AssertSqlSafe(sql.clone()))
                .bind(&self.0.company).bind(id).execute(c).await.map(|done| done.rows_affected()))?;
            if gone > 0 {
                match counts.iter_mut().find(|(name, _)| name == table) {
                    Some((_, count)) => *count += gone,
                    None => counts.push((table, gone)),
                }
            }
        }
        Ok(())
    }

    /// Mail to them, links for their address, and notices and mail to others that name them.
    async fn erase_mentions(&mut self, person: &PersonKeys) -> Result<(), StoreError> {
        const MAIL: &str =
            "DELETE FROM outbox WHERE company_id = $1 AND (to_address = $2 OR subject_id = $2)";
        const LINKS: &str = "DELETE FROM links WHERE company_id = $1 AND subject_id = $2";
        const TOKENS: &str =
            "UPDATE api_tokens SET made_by = NULL WHERE company_id = $1 AND made_by = $2";
        // Names stand in JSON as whole texts: Jo is not found in John.
        const NAMED_MAIL: &str = "DELETE FROM outbox WHERE company_id = $1 AND params LIKE $2";
        const NAMED_NOTICES: &str = "DELETE FROM notices WHERE params LIKE $2 \
            AND ($1 = company_id OR user_id IN (SELECT m.user_id FROM members m \
              WHERE m.company_id = $1))";
        for name in &person.names {
            on!(self.0, c => sqlx::query(TOKENS)
                .bind(&self.0.company).bind(name).execute(c).await.map(drop))?;
        }
        let ids = person
            .members
            .iter()
            .chain(&person.user)
            .chain(&person.employees);
        for key in person.emails.iter().chain(ids) {
            for sql in [MAIL, LINKS] {
                on!(self.0, c => sqlx::query(sql)
                    .bind(&self.0.company).bind(key).execute(c).await.map(drop))?;
            }
        }
        for name in person.names.iter().chain(&person.emails) {
            let quoted = to_json(name).replace(['%', '_'], "_");
            let pattern = format!("%{quoted}%");
            for sql in [NAMED_MAIL, NAMED_NOTICES] {
                on!(self.0, c => sqlx::query(sql)
                    .bind(&self.0.company).bind(&pattern).execute(c).await.map(drop))?;
            }
        }
        Ok(())
    }

    /// Takes the person out of the audit log and of who looked at whom. What this very transaction has
    /// noted of them goes too.
    async fn erase_in_logs(
        &mut self,
        person: &PersonKeys,
        actors: &[String],
        receipt_id: &str,
    ) -> Result<(), StoreError> {
        const PENDING: &str = "DELETE FROM audit_pending WHERE company_id = $1 \
            AND (about_id = $2 OR object_id = $2)";
        const ABOUT: &str = "UPDATE audit SET object_id = $3, about_id = $3, object_name = NULL, \
            before_json = NULL, after_json = NULL, reason = NULL, erased_by = $3 \
            WHERE company_id = $1 AND (about_id = $2 OR object_id = $2)";
        const BY: &str = "UPDATE audit SET actor_id = $3, actor_name = NULL, address = NULL, \
            erased_by = $3 WHERE company_id = $1 AND actor_id = $2";
        const LOOKED: &str = "UPDATE views SET viewer_id = $3, viewer_name = 'somebody erased since' \
            WHERE company_id = $1 AND viewer_id = $2";
        const ACCEPTED: &str = "UPDATE acceptances SET by_id = $3, by_name = 'somebody erased since' \
            WHERE company_id = $1 AND by_id = $2";
        let subjects = person
            .employees
            .iter()
            .chain(&person.members)
            .chain(&person.user);
        for id in subjects.chain(actors) {
            on!(self.0, c => sqlx::query(PENDING)
                .bind(&self.0.company).bind(id).execute(c).await.map(drop))?;
            for sql in [ABOUT, BY, LOOKED, ACCEPTED] {
                on!(self.0, c => sqlx::query(sql)
                    .bind(&self.0.company).bind(id).bind(receipt_id)
                    .execute(c).await.map(drop))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables that name a person and are not in the lists, each with its reason.
    const OTHERWISE: &[(&str, &str)] = &[
        ("employees", "last, once nothing names it"),
        ("second_factors", "go with the user"),
        ("recovery_codes", "go with the user"),
        ("log_in_steps", "go with the user"),
        ("sign_ons", "go with the user"),
    ];

    #[tokio::test]
    async fn every_table_that_names_a_person_is_emptied_of_an_erased_one() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(&folder.path().join("a.sqlite"), true)
            .await
            .unwrap();
        let Db::Sqlite { readers, .. } = &db else {
            unreachable!()
        };
        let tables: Vec<(String,)> = sqlx::query_as(
            "SELECT DISTINCT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND c.name IN ('employee_id', 'member_id', 'user_id', \
             'device_id', 'session_id') ORDER BY 1",
        )
        .fetch_all(readers)
        .await
        .unwrap();
        assert!(tables.len() > 15);
        for (table,) in tables {
            let lists = [OF_EMPLOYEE, OF_MEMBER, OF_USER, OTHERWISE];
            assert!(
                lists
                    .iter()
                    .any(|list| list.iter().any(|(name, _)| *name == table)),
                "{table}: an erased person would stay in it"
            );
        }
        db.close().await;
    }
}
