//! Who looked at whose captures: one row for what one viewer looked at, in one way, within a quarter of an
//! hour. The person whom it is about reads it.

use glasshour_protocol::{CompanyId, EmployeeId};
use sqlx::FromRow;
use uuid::Uuid;

use super::audit::AskerKind;
use super::column::{Text, word_enum};
use super::{Db, Read, StoreError, Write, on, on_pool};

word_enum! {
    /// What of a person was looked at.
    ViewKind, "`day`, `pictures`, `records`, `sessions` or `export`" {
        /// The page of a day: sessions, activity, small pictures.
        Day => "day",
        /// Pictures in full, or payloads of records.
        Pictures => "pictures",
        /// The list of records.
        Records => "records",
        /// The list of sessions.
        Sessions => "sessions",
        /// Everything, to be carried away.
        Export => "export",
    }
}

/// Looks within this much of each other are one row.
const QUARTER_MS: i64 = 15 * 60_000;

/// A look at somebody's captures, to be written down.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewView {
    /// At whose.
    pub employee_id: EmployeeId,
    /// As what the viewer came.
    pub viewer_kind: AskerKind,
    /// The user's or token's id.
    pub viewer_id: String,
    /// As the person is shown them.
    pub viewer_name: String,
    /// What was looked at.
    pub what: ViewKind,
    /// Why, where the viewer was asked; empty where not.
    pub reason: String,
    /// When.
    pub at_ms: i64,
    /// When what was looked at was captured: from, UTC milliseconds.
    pub from_ms: i64,
    /// To.
    pub to_ms: i64,
    /// How many: pictures, records, sessions.
    pub times: i64,
}

impl NewView {
    /// Whether both are one row, in one company.
    pub(crate) fn is_one_with(&self, other: &Self) -> bool {
        self.employee_id == other.employee_id
            && self.viewer_id == other.viewer_id
            && self.what == other.what
            && self.reason == other.reason
            && quarter_ms(self.at_ms) == quarter_ms(other.at_ms)
    }

    /// Adds a later one of the same row.
    pub(crate) fn add(&mut self, later: &Self) {
        self.at_ms = later.at_ms;
        self.from_ms = self.from_ms.min(later.from_ms);
        self.to_ms = self.to_ms.max(later.to_ms);
        self.times += later.times;
    }
}

fn quarter_ms(at_ms: i64) -> i64 {
    at_ms.div_euclid(QUARTER_MS) * QUARTER_MS
}

/// What one viewer looked at within a quarter of an hour.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct View {
    /// Its id.
    pub view_id: String,
    /// The company of the viewer's place.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// The company's name.
    pub company: String,
    /// At whose.
    #[sqlx(try_from = "Text<EmployeeId>")]
    pub employee_id: EmployeeId,
    /// As what the viewer came.
    #[sqlx(try_from = "Text<AskerKind>")]
    pub viewer_kind: AskerKind,
    /// As the viewer was named then.
    pub viewer_name: String,
    /// What.
    #[sqlx(try_from = "Text<ViewKind>")]
    pub what: ViewKind,
    /// Why; empty where nobody asked.
    pub reason: String,
    /// First time, UTC milliseconds.
    pub first_at: i64,
    /// Last time, UTC milliseconds.
    pub last_at: i64,
    /// Captured from, UTC milliseconds.
    pub from_ms: i64,
    /// Captured to, UTC milliseconds.
    pub to_ms: i64,
    /// How many were looked at.
    pub times: i64,
}

impl Db {
    /// Who looked at a user's captures, wherever they are tracked, the last first; behind `before`.
    pub async fn find_views(
        &self,
        home: CompanyId,
        user_id: &str,
        before: Option<(i64, &str)>,
        limit: u32,
    ) -> Result<Vec<View>, StoreError> {
        const SQL: &str = "SELECT v.view_id, v.company_id, c.name AS company, v.employee_id, \
            v.viewer_kind, v.viewer_name, v.what, v.reason, v.first_at, v.last_at, v.from_ms, \
            v.to_ms, v.times FROM views v JOIN companies c ON c.company_id = v.company_id \
            JOIN members m ON m.company_id = v.company_id AND m.employee_id = v.employee_id \
            WHERE m.home_id = $1 AND m.user_id = $2 \
            AND (v.last_at < $3 OR (v.last_at = $3 AND v.view_id < $4)) \
            ORDER BY v.last_at DESC, v.view_id DESC LIMIT $5";
        let (at, id) = before.unwrap_or((i64::MAX, ""));
        Ok(on_pool!(self, pool => sqlx::query_as(SQL)
            .bind(home.to_string()).bind(user_id).bind(at).bind(id).bind(i64::from(limit))
            .fetch_all(pool).await)?)
    }
}

impl Read {
    /// Who looked at what an employee's devices captured within `[from_ms, to_ms)`, the last first.
    pub async fn views_of(
        &mut self,
        employee: EmployeeId,
        from_ms: i64,
        to_ms: i64,
        limit: u32,
    ) -> Result<Vec<View>, StoreError> {
        const SQL: &str = "SELECT v.view_id, v.company_id, c.name AS company, v.employee_id, \
            v.viewer_kind, v.viewer_name, v.what, v.reason, v.first_at, v.last_at, v.from_ms, \
            v.to_ms, v.times FROM views v JOIN companies c ON c.company_id = v.company_id \
            WHERE v.company_id = $1 AND v.employee_id = $2 AND v.from_ms < $4 AND v.to_ms >= $3 \
            ORDER BY v.last_at DESC, v.view_id DESC LIMIT $5";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(employee.to_string()).bind(from_ms).bind(to_ms)
            .bind(i64::from(limit)).fetch_all(c).await)?)
    }
}

impl Write {
    /// Writes a look down, with those of the same quarter of an hour.
    pub async fn add_view(&mut self, view: &NewView) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO views (company_id, view_id, employee_id, viewer_kind, \
            viewer_id, viewer_name, what, reason, quarter_ms, first_at, last_at, from_ms, to_ms, \
            times) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13) \
            ON CONFLICT (company_id, employee_id, viewer_id, what, reason, quarter_ms) \
            DO UPDATE SET last_at = excluded.last_at, times = views.times + excluded.times, \
            from_ms = CASE WHEN excluded.from_ms < views.from_ms THEN excluded.from_ms \
              ELSE views.from_ms END, \
            to_ms = CASE WHEN excluded.to_ms > views.to_ms THEN excluded.to_ms \
              ELSE views.to_ms END";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(Uuid::now_v7().to_string())
            .bind(view.employee_id.to_string()).bind(view.viewer_kind.as_str())
            .bind(&view.viewer_id).bind(&view.viewer_name).bind(view.what.as_str())
            .bind(&view.reason).bind(quarter_ms(view.at_ms))
            .bind(view.at_ms).bind(view.from_ms).bind(view.to_ms).bind(view.times)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Writes down a look that waited outside of the database, with all that it became; says whether that is
    /// news. The same again changes nothing.
    pub async fn add_kept_view(
        &mut self,
        id: Uuid,
        first_at_ms: i64,
        view: &NewView,
    ) -> Result<bool, StoreError> {
        const KNOWN: &str = "SELECT view_id FROM views WHERE company_id = $1 AND view_id = $2";
        const SQL: &str = "INSERT INTO views (company_id, view_id, employee_id, viewer_kind, \
            viewer_id, viewer_name, what, reason, quarter_ms, first_at, last_at, from_ms, to_ms, \
            times) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
            ON CONFLICT (company_id, view_id) DO UPDATE SET last_at = excluded.last_at, \
            times = excluded.times, from_ms = excluded.from_ms, to_ms = excluded.to_ms";
        let known: Option<(String,)> = on!(self.0, c => sqlx::query_as(KNOWN)
            .bind(&self.0.company).bind(id.to_string()).fetch_optional(c).await)?;
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id.to_string())
            .bind(view.employee_id.to_string()).bind(view.viewer_kind.as_str())
            .bind(&view.viewer_id).bind(&view.viewer_name).bind(view.what.as_str())
            .bind(&view.reason).bind(row_of_its_own(id))
            .bind(first_at_ms).bind(view.at_ms).bind(view.from_ms).bind(view.to_ms).bind(view.times)
            .execute(c).await.map(drop))?;
        Ok(known.is_none())
    }
}

/// In the place of a quarter of an hour, which is never before 1970: no other row has it.
fn row_of_its_own(id: Uuid) -> i64 {
    let (_, low) = id.as_u64_pair();
    -i64::try_from(low >> 2).unwrap_or(i64::MAX)
}
