//! Issued licenses: the claims, and the file as it was signed.

use glasshour_license_format::Claims;
use glasshour_protocol::{EmployeeId, LicenseId};
use sqlx::{FromRow, QueryBuilder};

use super::column::{Json, Text, to_bigint, to_json};
use super::{ROWS_AT_ONCE, Read, StoreError, Write, on};

/// One issued license.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct License {
    /// Its id.
    #[sqlx(try_from = "Text<LicenseId>")]
    pub license_id: LicenseId,
    /// For whom.
    #[sqlx(try_from = "Text<EmployeeId>")]
    pub employee_id: EmployeeId,
    /// Counts up per employee.
    #[sqlx(try_from = "i64")]
    pub serial: u64,
    /// What it says.
    #[sqlx(try_from = "Json<Claims>")]
    pub claims: Claims,
    /// The `.license.gz`, byte for byte.
    pub file: Vec<u8>,
    /// UTC milliseconds.
    pub issued_at: i64,
    /// When a higher serial took its place, UTC milliseconds.
    pub superseded_at: Option<i64>,
}

impl Read {
    /// A license by id.
    pub async fn license(&mut self, id: LicenseId) -> Result<Option<License>, StoreError> {
        const SQL: &str = "SELECT license_id, employee_id, serial, claims, file, issued_at, \
            superseded_at FROM licenses WHERE company_id = $1 AND license_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id.to_string()).fetch_optional(c).await)?)
    }

    /// The employee's license with the highest serial: the current one, if there is one.
    pub async fn current_license(
        &mut self,
        employee: EmployeeId,
    ) -> Result<Option<License>, StoreError> {
        const SQL: &str = "SELECT license_id, employee_id, serial, claims, file, issued_at, \
            superseded_at FROM licenses WHERE company_id = $1 AND employee_id = $2 \
            ORDER BY serial DESC LIMIT 1";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(employee.to_string()).fetch_optional(c).await)?)
    }

    /// The license that was the employee's current one at that moment (UTC milliseconds).
    pub async fn license_at(
        &mut self,
        employee: EmployeeId,
        at_ms: i64,
    ) -> Result<Option<License>, StoreError> {
        const SQL: &str = "SELECT license_id, employee_id, serial, claims, file, issued_at, \
            superseded_at FROM licenses WHERE company_id = $1 AND employee_id = $2 \
            AND issued_at <= $3 ORDER BY serial DESC LIMIT 1";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(employee.to_string()).bind(at_ms)
            .fetch_optional(c).await)?)
    }
}

#[derive(FromRow)]
struct ClaimsRow {
    #[sqlx(try_from = "Json<Claims>")]
    claims: Claims,
}

impl Read {
    /// How long captures under a license may wait on the computer, milliseconds: by itself, or by one of
    /// the last ones before it, which holds on until the person agrees to a newer one.
    pub async fn longest_hold_ms(&mut self, id: LicenseId) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT l.claims FROM licenses l JOIN licenses o \
            ON o.company_id = l.company_id AND o.employee_id = l.employee_id \
            AND l.serial <= o.serial \
            WHERE o.company_id = $1 AND o.license_id = $2 ORDER BY l.serial DESC LIMIT 10";
        let rows: Vec<ClaimsRow> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id.to_string()).fetch_all(c).await)?;
        let holds = rows.iter().map(|row| row.claims.profile.review_hold_s);
        Ok(i64::from(holds.max().unwrap_or(0)) * 1000)
    }
}

impl Write {
    /// Keeps the first licenses of employees who have none.
    pub async fn insert_first_licenses(&mut self, licenses: &[License]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO licenses \
            (company_id, employee_id, serial, license_id, claims, file, issued_at) ";
        let company = self.0.company.clone();
        for some in licenses.chunks(ROWS_AT_ONCE) {
            on!(self.0, c => {
                let mut insert = QueryBuilder::new(SQL);
                insert.push_values(some, |mut row, license| {
                    row.push_bind(&company).push_bind(license.employee_id.to_string())
                        .push_bind(to_bigint(license.serial))
                        .push_bind(license.license_id.to_string())
                        .push_bind(to_json(&license.claims)).push_bind(&license.file)
                        .push_bind(license.issued_at);
                });
                insert.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Keeps a license, and supersedes the employee's earlier ones as of its `issued_at`.
    pub async fn insert_license(&mut self, license: &License) -> Result<(), StoreError> {
        const SUPERSEDE: &str = "UPDATE licenses SET superseded_at = $3 \
            WHERE company_id = $1 AND employee_id = $2 AND superseded_at IS NULL";
        const INSERT: &str = "INSERT INTO licenses \
            (company_id, employee_id, serial, license_id, claims, file, issued_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        on!(self.0, c => sqlx::query(SUPERSEDE)
            .bind(&self.0.company).bind(license.employee_id.to_string()).bind(license.issued_at)
            .execute(c).await.map(drop))?;
        on!(self.0, c => sqlx::query(INSERT)
            .bind(&self.0.company).bind(license.employee_id.to_string())
            .bind(to_bigint(license.serial)).bind(license.license_id.to_string())
            .bind(to_json(&license.claims)).bind(&license.file).bind(license.issued_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }
}
