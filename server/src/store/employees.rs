//! Employees: members with a work mode, a project, a profile and an Active box.

use glasshour_license_format::WorkMode;
use glasshour_protocol::{EmployeeId, ProjectId};
use sqlx::{FromRow, QueryBuilder};

use super::column::{Mode, Text, to_bigint};
use super::{ROWS_AT_ONCE, Read, StoreError, Write, on};

/// A tracked person.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Employee {
    /// Their id.
    #[sqlx(try_from = "Text<EmployeeId>")]
    pub employee_id: EmployeeId,
    /// The workspace they belong to.
    pub workspace_id: String,
    /// As it appears in every report (rule 6).
    pub name: String,
    /// Where licenses can be sent.
    pub email: Option<String>,
    /// Who starts and stops tracking (rule 2).
    #[sqlx(try_from = "Text<Mode>")]
    pub work_mode: WorkMode,
    /// What time is tracked on by default (rule 5).
    #[sqlx(try_from = "Text<ProjectId>")]
    pub project_id: ProjectId,
    /// What is captured (rule 7).
    pub profile_id: String,
    /// The Active box (rule 8).
    pub active: bool,
    /// Serial of the last license issued; 0 where there was none yet.
    #[sqlx(try_from = "i64")]
    pub serial: u64,
    /// UTC milliseconds.
    pub created_at: i64,
    /// UTC milliseconds.
    pub updated_at: i64,
}

/// Which employees, in the order of their names.
#[derive(Clone, Debug, Default)]
pub struct EmployeeFilter {
    /// Only of this workspace.
    pub workspace_id: Option<String>,
    /// Only those that sort behind this name and id.
    pub after: Option<(String, EmployeeId)>,
    /// At most so many.
    pub limit: u32,
}

/// Which active employees: those that fit all that is said.
#[derive(Clone, Debug, Default)]
pub struct EmployeeSelection {
    /// Of this workspace.
    pub workspace_id: Option<String>,
    /// On this project or department.
    pub project_id: Option<ProjectId>,
    /// On this profile.
    pub profile_id: Option<String>,
    /// Whose member is in this group.
    pub group_id: Option<String>,
    /// Only who has no device that is not revoked.
    pub without_device: bool,
}

impl Read {
    /// An employee by id.
    pub async fn employee(&mut self, id: EmployeeId) -> Result<Option<Employee>, StoreError> {
        const SQL: &str = "SELECT employee_id, workspace_id, name, email, work_mode, project_id, \
            profile_id, active, serial, created_at, updated_at \
            FROM employees WHERE company_id = $1 AND employee_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id.to_string()).fetch_optional(c).await)?)
    }

    /// Employees by name.
    pub async fn employees(
        &mut self,
        filter: &EmployeeFilter,
    ) -> Result<Vec<Employee>, StoreError> {
        const SQL: &str = "SELECT employee_id, workspace_id, name, email, work_mode, project_id, \
            profile_id, active, serial, created_at, updated_at \
            FROM employees WHERE company_id = $1 \
            AND (name > $2 OR (name = $2 AND employee_id > $3)) \
            AND ($5 = '' OR workspace_id = $5) \
            ORDER BY name, employee_id LIMIT $4";
        let (name, id) = filter
            .after
            .as_ref()
            .map_or((String::new(), String::new()), |(name, id)| {
                (name.clone(), id.to_string())
            });
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(&name).bind(&id).bind(i64::from(filter.limit))
            .bind(filter.workspace_id.clone().unwrap_or_default())
            .fetch_all(c).await)?)
    }

    /// Active employees that a selection names, by name.
    pub async fn selected_employees(
        &mut self,
        selection: &EmployeeSelection,
    ) -> Result<Vec<Employee>, StoreError> {
        // The limit only bounds memory: it lies far above any company.
        const SQL: &str = "SELECT employee_id, workspace_id, name, email, work_mode, project_id, \
            profile_id, active, serial, created_at, updated_at \
            FROM employees e WHERE company_id = $1 AND active = TRUE \
            AND ($2 = '' OR workspace_id = $2) AND ($3 = '' OR project_id = $3) \
            AND ($4 = '' OR profile_id = $4) \
            AND ($5 = '' OR EXISTS (SELECT 1 FROM group_members g JOIN members m \
                ON m.company_id = g.company_id AND m.member_id = g.member_id \
                WHERE g.company_id = e.company_id AND g.group_id = $5 \
                AND m.employee_id = e.employee_id AND m.status <> 'deleted')) \
            AND ($6 = 0 OR NOT EXISTS (SELECT 1 FROM devices d WHERE d.company_id = e.company_id \
                AND d.employee_id = e.employee_id AND d.revoked_at IS NULL)) \
            ORDER BY name, employee_id LIMIT 1000000";
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let project_id = selection.project_id.map(|id| id.to_string());
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(text(&selection.workspace_id)).bind(text(&project_id))
            .bind(text(&selection.profile_id)).bind(text(&selection.group_id))
            .bind(i64::from(selection.without_device))
            .fetch_all(c).await)?)
    }

    /// Active employees, all of them.
    pub async fn active_employees(&mut self) -> Result<Vec<Employee>, StoreError> {
        // The limit only bounds memory: it lies far above any company.
        const SQL: &str = "SELECT employee_id, workspace_id, name, email, work_mode, project_id, \
            profile_id, active, serial, created_at, updated_at \
            FROM employees WHERE company_id = $1 AND active = TRUE \
            ORDER BY employee_id LIMIT 1000000";
        Ok(on!(self, c => sqlx::query_as(SQL).bind(&self.company).fetch_all(c).await)?)
    }

    /// Active employees on a profile, all of them: each gets a new license when it changes.
    pub async fn active_employees_on(
        &mut self,
        profile_id: &str,
    ) -> Result<Vec<Employee>, StoreError> {
        // The limit only bounds memory: it lies far above any company.
        const SQL: &str = "SELECT employee_id, workspace_id, name, email, work_mode, project_id, \
            profile_id, active, serial, created_at, updated_at \
            FROM employees WHERE company_id = $1 AND profile_id = $2 AND active = TRUE \
            ORDER BY employee_id LIMIT 1000000";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(profile_id).fetch_all(c).await)?)
    }
}

impl Write {
    /// Makes employees.
    pub async fn insert_employees(&mut self, employees: &[Employee]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO employees (company_id, employee_id, workspace_id, name, \
            email, work_mode, project_id, profile_id, active, serial, created_at, updated_at) ";
        let company = self.0.company.clone();
        for some in employees.chunks(ROWS_AT_ONCE) {
            on!(self.0, c => {
                let mut insert = QueryBuilder::new(SQL);
                insert.push_values(some, |mut row, employee| {
                    row.push_bind(&company).push_bind(employee.employee_id.to_string())
                        .push_bind(&employee.workspace_id).push_bind(&employee.name)
                        .push_bind(&employee.email).push_bind(employee.work_mode.as_str())
                        .push_bind(employee.project_id.to_string())
                        .push_bind(&employee.profile_id).push_bind(employee.active)
                        .push_bind(to_bigint(employee.serial))
                        .push_bind(employee.created_at).push_bind(employee.updated_at);
                });
                insert.build().execute(c).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Changes everything about an employee but the id, the workspace and when they were made.
    pub async fn update_employee(&mut self, employee: &Employee) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE employees SET name = $3, email = $4, work_mode = $5, \
            project_id = $6, profile_id = $7, active = $8, serial = $9, updated_at = $10 \
            WHERE company_id = $1 AND employee_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(employee.employee_id.to_string())
            .bind(&employee.name).bind(&employee.email).bind(employee.work_mode.as_str())
            .bind(employee.project_id.to_string()).bind(&employee.profile_id)
            .bind(employee.active).bind(to_bigint(employee.serial)).bind(employee.updated_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }
}
