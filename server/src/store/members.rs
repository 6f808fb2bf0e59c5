//! Members: who is in a workspace, as what, and since when. An invitation is a member who has not
//! accepted yet.

use glasshour_protocol::{CompanyId, EmployeeId};
use sqlx::FromRow;

use super::column::{Nullable, Text, word_enum};
use super::{Db, Read, StoreError, Write, on, on_pool};

word_enum! {
    /// What a member may do in their workspace (rule 51).
    MemberRole, "`owner`, `admin`, `manager` or `employee`" {
        /// Everything; one in each workspace.
        Owner => "owner",
        /// Everything but what only the owner may.
        Admin => "admin",
        /// Sees the team and its captures.
        Manager => "manager",
        /// Sees themself.
        Employee => "employee",
    }
}

word_enum! {
    /// Where a member stands.
    MemberStatus, "`pending`, `active`, `inactive` or `deleted`" {
        /// Invited, has not accepted.
        Pending => "pending",
        /// Takes part.
        Active => "active",
        /// Switched off: sees nothing, tracks nothing.
        Inactive => "inactive",
        /// Gone; what they tracked is kept.
        Deleted => "deleted",
    }
}

/// A member of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Member {
    /// Their id.
    pub member_id: String,
    /// Where.
    pub workspace_id: String,
    /// The home company of their account; `None` while nobody has that address.
    #[sqlx(try_from = "Nullable<CompanyId>")]
    pub home_id: Option<CompanyId>,
    /// Their account.
    pub user_id: Option<String>,
    /// Lower case.
    pub email: String,
    /// As the team shows them: the account's name, or the address where there is none.
    pub name: String,
    /// What they may do.
    #[sqlx(try_from = "Text<MemberRole>")]
    pub role: MemberRole,
    /// Where they stand.
    #[sqlx(try_from = "Text<MemberStatus>")]
    pub status: MemberStatus,
    /// First day of the week: `mon` to `sun`.
    pub first_day: String,
    /// Days worked, `mon,tue,…`; may be empty.
    pub working_days: String,
    /// Minutes a day.
    pub capacity_min: i64,
    /// Cents an hour.
    pub rate_cents: Option<i64>,
    /// Whose time they track, where it is tracked.
    #[sqlx(try_from = "Nullable<EmployeeId>")]
    pub employee_id: Option<EmployeeId>,
    /// The deactivation switched the employee off, and reactivating switches them on again.
    pub tracking_stopped: bool,
    /// When an invitation was last sent, UTC milliseconds; `None`: told nothing (rule 49).
    pub sent_at: Option<i64>,
    /// Until when its link lets in, UTC milliseconds.
    pub expires_at: Option<i64>,
    /// When they accepted, UTC milliseconds.
    pub accepted_at: Option<i64>,
    /// UTC milliseconds.
    pub created_at: i64,
    /// UTC milliseconds.
    pub updated_at: i64,
}

/// One workspace of a person, of whichever company.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Membership {
    /// Whose workspace.
    #[sqlx(try_from = "Text<CompanyId>")]
    pub company_id: CompanyId,
    /// The company's name.
    pub company: String,
    /// Which workspace.
    pub workspace_id: String,
    /// Its name.
    pub workspace: String,
    /// As whom.
    pub member_id: String,
    /// As what.
    #[sqlx(try_from = "Text<MemberRole>")]
    pub role: MemberRole,
    /// Active, or pending: waiting to be accepted.
    #[sqlx(try_from = "Text<MemberStatus>")]
    pub status: MemberStatus,
}

/// Which members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Show {
    /// Active and invited ones: the team page.
    #[default]
    Present,
    /// Invited ones.
    Pending,
    /// Switched-off ones.
    Inactive,
    /// All but deleted ones.
    All,
}

/// Which members, in the order of their names.
#[derive(Clone, Debug, Default)]
pub struct MemberFilter {
    /// Only of this workspace.
    pub workspace_id: Option<String>,
    /// Only such ones.
    pub show: Show,
    /// Only those that sort behind this name and id.
    pub after: Option<(String, String)>,
    /// At most so many.
    pub limit: u32,
}

impl Db {
    /// The workspaces that a user takes part in or is invited to, of every company, by name.
    pub async fn find_memberships(
        &self,
        home: CompanyId,
        user_id: &str,
    ) -> Result<Vec<Membership>, StoreError> {
        // Nobody is in more workspaces than the limit.
        const SQL: &str = "SELECT m.company_id, c.name AS company, m.workspace_id, \
            w.name AS workspace, m.member_id, m.role, m.status \
            FROM members m JOIN companies c ON c.company_id = m.company_id \
            JOIN workspaces w ON w.company_id = m.company_id AND w.workspace_id = m.workspace_id \
            WHERE m.home_id = $1 AND m.user_id = $2 AND m.status IN ('active', 'pending') \
            AND w.deleted_at IS NULL ORDER BY w.created_at, w.workspace_id LIMIT 1000";
        Ok(on_pool!(self, pool => sqlx::query_as(SQL)
            .bind(home.to_string()).bind(user_id).fetch_all(pool).await)?)
    }

    /// The companies in which a user was ever a member.
    pub async fn find_companies_of(
        &self,
        home: CompanyId,
        user_id: &str,
    ) -> Result<Vec<CompanyId>, StoreError> {
        const SQL: &str = "SELECT DISTINCT company_id FROM members \
            WHERE home_id = $1 AND user_id = $2 ORDER BY company_id LIMIT 1000";
        let rows: Vec<(String,)> = on_pool!(self, pool => sqlx::query_as(SQL)
            .bind(home.to_string()).bind(user_id).fetch_all(pool).await)?;
        let id = |(text,): (String,)| {
            text.parse().map_err(|_| StoreError::Corrupt {
                what: "members.company_id",
            })
        };
        rows.into_iter().map(id).collect()
    }

    /// The companies that have invited an address, which must be lower case already.
    pub async fn find_invitations(&self, email: &str) -> Result<Vec<CompanyId>, StoreError> {
        const SQL: &str = "SELECT DISTINCT company_id FROM members \
            WHERE email = $1 AND status = 'pending' ORDER BY company_id LIMIT 1000";
        let rows: Vec<(String,)> =
            on_pool!(self, pool => sqlx::query_as(SQL).bind(email).fetch_all(pool).await)?;
        let id = |(text,): (String,)| {
            text.parse().map_err(|_| StoreError::Corrupt {
                what: "members.company_id",
            })
        };
        rows.into_iter().map(id).collect()
    }
}

impl Read {
    /// A member by id, whatever their status.
    pub async fn member(&mut self, id: &str) -> Result<Option<Member>, StoreError> {
        const SQL: &str = "SELECT member_id, workspace_id, home_id, user_id, email, name, role, \
            status, first_day, working_days, capacity_min, rate_cents, employee_id, \
            tracking_stopped, sent_at, expires_at, accepted_at, created_at, updated_at \
            FROM members WHERE company_id = $1 AND member_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id).fetch_optional(c).await)?)
    }

    /// The member with that address, whatever their status.
    pub async fn member_by_email(
        &mut self,
        workspace_id: &str,
        email: &str,
    ) -> Result<Option<Member>, StoreError> {
        const SQL: &str = "SELECT member_id, workspace_id, home_id, user_id, email, name, role, \
            status, first_day, working_days, capacity_min, rate_cents, employee_id, \
            tracking_stopped, sent_at, expires_at, accepted_at, created_at, updated_at \
            FROM members WHERE company_id = $1 AND workspace_id = $2 AND email = $3";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(workspace_id).bind(email).fetch_optional(c).await)?)
    }

    /// The workspace's owner.
    pub async fn workspace_owner(
        &mut self,
        workspace_id: &str,
    ) -> Result<Option<Member>, StoreError> {
        const SQL: &str = "SELECT member_id, workspace_id, home_id, user_id, email, name, role, \
            status, first_day, working_days, capacity_min, rate_cents, employee_id, \
            tracking_stopped, sent_at, expires_at, accepted_at, created_at, updated_at \
            FROM members WHERE company_id = $1 AND workspace_id = $2 AND role = 'owner' \
            ORDER BY member_id LIMIT 1";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(workspace_id).fetch_optional(c).await)?)
    }

    /// The member that tracks as this employee, whatever their status.
    pub async fn member_of_employee(
        &mut self,
        employee: EmployeeId,
    ) -> Result<Option<Member>, StoreError> {
        const SQL: &str = "SELECT member_id, workspace_id, home_id, user_id, email, name, role, \
            status, first_day, working_days, capacity_min, rate_cents, employee_id, \
            tracking_stopped, sent_at, expires_at, accepted_at, created_at, updated_at \
            FROM members WHERE company_id = $1 AND employee_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(employee.to_string()).fetch_optional(c).await)?)
    }

    /// Members by name.
    pub async fn members(&mut self, filter: &MemberFilter) -> Result<Vec<Member>, StoreError> {
        const SQL: &str = "SELECT member_id, workspace_id, home_id, user_id, email, name, role, \
            status, first_day, working_days, capacity_min, rate_cents, employee_id, \
            tracking_stopped, sent_at, expires_at, accepted_at, created_at, updated_at \
            FROM members WHERE company_id = $1 AND ($2 = '' OR workspace_id = $2) \
            AND status IN ($3, $4, $5) AND (name > $6 OR (name = $6 AND member_id > $7)) \
            ORDER BY name, member_id LIMIT $8";
        let [one, two, three] = match filter.show {
            Show::Present => ["pending", "active", "active"],
            Show::Pending => ["pending", "pending", "pending"],
            Show::Inactive => ["inactive", "inactive", "inactive"],
            Show::All => ["pending", "active", "inactive"],
        };
        let workspace = filter.workspace_id.clone().unwrap_or_default();
        let (name, id) = filter.after.clone().unwrap_or_default();
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(workspace).bind(one).bind(two).bind(three)
            .bind(name).bind(id).bind(i64::from(filter.limit)).fetch_all(c).await)?)
    }

    /// One account's memberships in this company, deleted ones as well, by workspace.
    pub async fn members_of(
        &mut self,
        home: CompanyId,
        user_id: &str,
    ) -> Result<Vec<Member>, StoreError> {
        const SQL: &str = "SELECT member_id, workspace_id, home_id, user_id, email, name, role, \
            status, first_day, working_days, capacity_min, rate_cents, employee_id, \
            tracking_stopped, sent_at, expires_at, accepted_at, created_at, updated_at \
            FROM members WHERE company_id = $1 AND home_id = $2 AND user_id = $3 \
            ORDER BY workspace_id, member_id LIMIT 1000";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(home.to_string()).bind(user_id).fetch_all(c).await)?)
    }

    /// Invitations of this company to an address.
    pub async fn invitations_to(&mut self, email: &str) -> Result<Vec<Member>, StoreError> {
        const SQL: &str = "SELECT member_id, workspace_id, home_id, user_id, email, name, role, \
            status, first_day, working_days, capacity_min, rate_cents, employee_id, \
            tracking_stopped, sent_at, expires_at, accepted_at, created_at, updated_at \
            FROM members WHERE company_id = $1 AND email = $2 AND status = 'pending' \
            ORDER BY workspace_id, member_id LIMIT 1000";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(email).fetch_all(c).await)?)
    }

    /// A member's photo: content type and bytes.
    pub async fn photo(
        &mut self,
        member_id: &str,
    ) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        const SQL: &str =
            "SELECT content_type, bytes FROM photos WHERE company_id = $1 AND member_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(member_id).fetch_optional(c).await)?)
    }
}

impl Write {
    /// Makes a member; [`StoreError::Taken`] where the address is in the workspace already.
    pub async fn insert_member(&mut self, member: &Member) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO members (company_id, member_id, workspace_id, home_id, \
            user_id, email, name, role, status, first_day, working_days, capacity_min, rate_cents, \
            employee_id, tracking_stopped, sent_at, expires_at, accepted_at, created_at, updated_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, \
            $19, $20)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&member.member_id).bind(&member.workspace_id)
            .bind(member.home_id.map(|id| id.to_string())).bind(&member.user_id)
            .bind(&member.email).bind(&member.name).bind(member.role.as_str())
            .bind(member.status.as_str()).bind(&member.first_day).bind(&member.working_days)
            .bind(member.capacity_min).bind(member.rate_cents)
            .bind(member.employee_id.map(|id| id.to_string())).bind(member.tracking_stopped)
            .bind(member.sent_at).bind(member.expires_at).bind(member.accepted_at)
            .bind(member.created_at).bind(member.updated_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Changes everything about a member but the id, the workspace and when they were made.
    pub async fn update_member(&mut self, member: &Member) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE members SET home_id = $3, user_id = $4, email = $5, name = $6, \
            role = $7, status = $8, first_day = $9, working_days = $10, capacity_min = $11, \
            rate_cents = $12, employee_id = $13, tracking_stopped = $14, sent_at = $15, \
            expires_at = $16, accepted_at = $17, updated_at = $18 \
            WHERE company_id = $1 AND member_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&member.member_id)
            .bind(member.home_id.map(|id| id.to_string())).bind(&member.user_id)
            .bind(&member.email).bind(&member.name).bind(member.role.as_str())
            .bind(member.status.as_str()).bind(&member.first_day).bind(&member.working_days)
            .bind(member.capacity_min).bind(member.rate_cents)
            .bind(member.employee_id.map(|id| id.to_string())).bind(member.tracking_stopped)
            .bind(member.sent_at).bind(member.expires_at).bind(member.accepted_at)
            .bind(member.updated_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Gives an account's memberships, in every company, the account's name and address.
    pub async fn rename_memberships(
        &mut self,
        home: CompanyId,
        user_id: &str,
        name: &str,
        email: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE members SET name = $3, email = $4 WHERE home_id = $1 AND user_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(home.to_string()).bind(user_id).bind(name).bind(email)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Gives every invitation to an address, of every company, the account that has it now.
    pub async fn attach_invitations(
        &mut self,
        home: CompanyId,
        user_id: &str,
        name: &str,
        email: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE members SET home_id = $1, user_id = $2, name = $3 \
            WHERE email = $4 AND status = 'pending'";
        on!(self.0, c => sqlx::query(SQL)
            .bind(home.to_string()).bind(user_id).bind(name).bind(email)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Keeps a member's photo, in place of the one before.
    pub async fn set_photo(
        &mut self,
        member_id: &str,
        content_type: &str,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO photos (company_id, member_id, content_type, bytes) \
            VALUES ($1, $2, $3, $4) ON CONFLICT (company_id, member_id) DO UPDATE SET \
            content_type = excluded.content_type, bytes = excluded.bytes";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(member_id).bind(content_type).bind(bytes)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Removes a member's photo.
    pub async fn delete_photo(&mut self, member_id: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM photos WHERE company_id = $1 AND member_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(member_id).execute(c).await.map(drop))?;
        Ok(())
    }
}
