//! Many employees at once, from a CSV file. Every good row becomes an employee; every bad one is told, with
//! its line and what to do, and stops no other. A dry run says the same and changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use glasshour_license_format::WorkMode;
use glasshour_protocol::EmployeeId;
use uuid::Uuid;

use super::employees::first_license;
use super::rules;
use super::sheet::{self, Column, Row};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::license::Signing;
use crate::store::{Employee, EmployeeFilter, Profile, Project, Read};

/// The columns of the file. Docs: `docs/import.md`.
const COLUMNS: &[Column] = &[
    Column {
        name: "name",
        also: &["nom", "employee"],
        required: true,
    },
    Column {
        name: "email",
        also: &["mail", "courriel", "address"],
        required: false,
    },
    Column {
        name: "work_mode",
        also: &["mode"],
        required: true,
    },
    Column {
        name: "project",
        also: &["department", "project or department", "projet"],
        required: false,
    },
    Column {
        name: "profile",
        also: &["profil"],
        required: false,
    },
    Column {
        name: "active",
        also: &["actif"],
        required: false,
    },
];

/// More projects and profiles than any company has.
const MANY: u32 = 100_000;

/// How a file is imported.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Only say what would be.
    pub dry_run: bool,
    /// Where to; absent: the chosen workspace, or the company's first.
    pub workspace_id: Option<String>,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedRow {
    /// Where it begins, the header being line 1.
    pub line: u64,
    /// As it was typed.
    pub name: String,
    /// `created`, `ok` (a dry run would create it), `exists` or `bad`.
    pub result: &'static str,
    /// What is wrong with it and what to do, for a person; empty where nothing is.
    pub message: String,
    /// The column at fault.
    pub field: Option<String>,
    /// The employee that came of it, or was there before.
    pub employee_id: Option<EmployeeId>,
}

/// Imports employees, all good rows in one transaction. 422 where the file as a whole cannot be meant.
pub async fn import_employees(
    state: &AppState,
    actor: &Actor,
    file: &[u8],
    options: ImportOptions,
) -> Result<Vec<ImportedRow>, ApiError> {
    actor.may(Verb::Create, Object::Employee)?;
    let rows = sheet::read(file, COLUMNS)?;
    let now_ms = state.clock.now_ms();
    if options.dry_run {
        let mut read = state.read(actor.company_id).await?;
        let mut place = Place::find(&mut read, actor, &options).await?;
        return Ok(rows.iter().map(|row| place.judge(row, now_ms).0).collect());
    }
    let mut write = state.write(actor.company_id).await?;
    let mut place = Place::find(&mut write, actor, &options).await?;
    let signing = Signing::begin(&mut write).await?;
    let mut results = Vec::with_capacity(rows.len());
    let (mut employees, mut licenses) = (Vec::new(), Vec::new());
    for row in &rows {
        let (mut result, good) = place.judge(row, now_ms);
        if let Some((mut employee, profile)) = good {
            licenses.extend(first_license(state, &signing, &mut employee, &profile)?);
            result.result = "created";
            result.employee_id = Some(employee.employee_id);
            employees.push(employee);
        }
        results.push(result);
    }
    write.insert_employees(&employees).await?;
    write.insert_first_licenses(&licenses).await?;
    write.commit().await?;
    Ok(results)
}

/// What rows are judged by.
struct Place {
    workspace_id: String,
    projects: Vec<Project>,
    profiles: Vec<Arc<Profile>>,
    /// Employees of the workspace by e-mail address, in lower case.
    by_email: BTreeMap<String, EmployeeId>,
    /// Those without an address, by name.
    by_name: BTreeMap<String, EmployeeId>,
    /// Addresses, and names without one, that the file had before, with their lines.
    seen: BTreeMap<String, u64>,
}

/// A row that cannot be taken: the column, and what to do.
type Fault = (&'static str, String);

impl Place {
    async fn find(
        read: &mut Read,
        actor: &Actor,
        options: &ImportOptions,
    ) -> Result<Self, ApiError> {
        let workspace_id = actor
            .workspace(read, options.workspace_id.as_deref())
            .await?;
        let all = read
            .employees(&EmployeeFilter {
                workspace_id: Some(workspace_id.clone()),
                after: None,
                limit: 1_000_000,
            })
            .await?;
        let projects = read.projects(Some(&workspace_id), MANY).await?;
        let profiles = read.profiles(MANY).await?;
        let mut by_email = BTreeMap::new();
        let mut by_name = BTreeMap::new();
        for employee in all {
            match employee.email {
                Some(email) => by_email.insert(email.to_lowercase(), employee.employee_id),
                None => by_name.insert(employee.name, employee.employee_id),
            };
        }
        Ok(Self {
            projects: projects.into_iter().filter(|one| !one.archived).collect(),
            profiles: profiles.into_iter().map(Arc::new).collect(),
            workspace_id,
            by_email,
            by_name,
            seen: BTreeMap::new(),
        })
    }

    /// What becomes of a row, and the employee of one that is good.
    fn judge(&mut self, row: &Row, now_ms: i64) -> (ImportedRow, Option<(Employee, Arc<Profile>)>) {
        let mut result = ImportedRow {
            line: row.line,
            name: row.value(COLUMNS, "name").to_owned(),
            result: "ok",
            message: String::new(),
            field: None,
            employee_id: None,
        };
        match self.employee(row, now_ms) {
            Err((field, message)) => {
                result.result = "bad";
                result.message = message;
                result.field = Some(field.to_owned()).filter(|field| !field.is_empty());
                (result, None)
            }
            Ok((employee, profile)) => match self.known(&employee) {
                Some(id) => {
                    result.result = "exists";
                    "Is there already; left as it is.".clone_into(&mut result.message);
                    result.employee_id = Some(id);
                    (result, None)
                }
                None => (result, Some((employee, profile))),
            },
        }
    }

    fn employee(&mut self, row: &Row, now_ms: i64) -> Result<(Employee, Arc<Profile>), Fault> {
        if let Some(fault) = &row.fault {
            return Err(("", fault.clone()));
        }
        let value = |name| row.value(COLUMNS, name);
        let of = |field: &'static str| move |error: ApiError| (field, error.message);
        let name = rules::name("name", value("name")).map_err(of("name"))?;
        let email = rules::email(value("email")).map_err(of("email"))?;
        let work_mode = work_mode(value("work_mode"))?;
        let active = active(value("active"))?;
        let project = self.project(value("project"))?;
        let profile = self.profile(value("profile"))?;
        let key = match &email {
            Some(email) => email.to_lowercase(),
            None => format!("\n{name}"),
        };
        if let Some(line) = self.seen.get(&key) {
            return Err(match email {
                Some(_) => (
                    "email",
                    format!("The same address stands on line {line}. Remove one of the two."),
                ),
                None => (
                    "name",
                    format!(
                        "The same name without an address stands on line {line}. Give each an address, or remove one of the two."
                    ),
                ),
            });
        }
        self.seen.insert(key, row.line);
        let employee = Employee {
            employee_id: EmployeeId(Uuid::now_v7()),
            workspace_id: self.workspace_id.clone(),
            name,
            email,
            work_mode,
            project_id: project.project_id,
            profile_id: profile.profile_id.clone(),
            active,
            serial: 0,
            created_at: now_ms,
            updated_at: now_ms,
        };
        Ok((employee, profile))
    }

    /// Who is there already: the same address, or the same name without one.
    fn known(&self, employee: &Employee) -> Option<EmployeeId> {
        match &employee.email {
            Some(email) => self.by_email.get(&email.to_lowercase()).copied(),
            None => self.by_name.get(&employee.name).copied(),
        }
    }

    fn project(&self, text: &str) -> Result<Project, Fault> {
        let name = |one: &Project| one.name.clone();
        let id = |one: &Project| one.project_id.to_string();
        let found = match text {
            "" => self.projects.iter().find(|one| one.is_default),
            text => find(&self.projects, text, name, id),
        };
        found.cloned().ok_or_else(|| {
            let message = match text {
                "" => "There is no default project: name one.".to_owned(),
                text => format!(
                    "There is no project or department \u{201c}{text}\u{201d} in this workspace. Make it first, or leave the field empty for the default one."
                ),
            };
            ("project", message)
        })
    }

    fn profile(&self, text: &str) -> Result<Arc<Profile>, Fault> {
        let found = match text {
            "" => self.profiles.iter().find(|one| one.is_default),
            text => find(
                &self.profiles,
                text,
                |one| one.name.clone(),
                |one| one.profile_id.clone(),
            ),
        };
        found.cloned().ok_or_else(|| {
            let message = match text {
                "" => "There is no default profile: name one.".to_owned(),
                text => format!(
                    "There is no profile \u{201c}{text}\u{201d}. Make it first, or leave the field empty for the default one."
                ),
            };
            ("profile", message)
        })
    }
}

/// By id, by name, or by name whatever its case where that names one alone.
fn find<'a, T>(
    all: &'a [T],
    text: &str,
    name: impl Fn(&T) -> String,
    id: impl Fn(&T) -> String,
) -> Option<&'a T> {
    let exactly = all.iter().find(|one| name(one) == text || id(one) == text);
    exactly.or_else(|| {
        let lower = text.to_lowercase();
        let mut alike = all.iter().filter(|one| name(one).to_lowercase() == lower);
        alike.next().filter(|_| alike.next().is_none())
    })
}

fn work_mode(text: &str) -> Result<WorkMode, Fault> {
    rules::work_mode(&text.to_lowercase()).map_err(|_| {
        let message = if text.is_empty() {
            "The mode is missing: write worklog or monitoring.".to_owned()
        } else {
            format!("\u{201c}{text}\u{201d} is no mode: write worklog or monitoring.")
        };
        ("work_mode", message)
    })
}

fn active(text: &str) -> Result<bool, Fault> {
    match text.to_lowercase().as_str() {
        "" | "yes" | "true" | "1" | "y" | "x" | "oui" | "vrai" => Ok(true),
        "no" | "false" | "0" | "n" | "non" | "faux" => Ok(false),
        _ => Err((
            "active",
            format!("\u{201c}{text}\u{201d} is neither yes nor no."),
        )),
    }
}

/// How many rows came to what.
pub fn count_imported(rows: &[ImportedRow], result: &str) -> usize {
    rows.iter().filter(|row| row.result == result).count()
}
