//! Projects and departments: what time is tracked on.

use std::str::FromStr;

use glasshour_protocol::ProjectId;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::column::Text;
use super::{Read, StoreError, Write, on};

/// Whether time is tracked on a project or on a department.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProjectKind {
    /// A project.
    Project,
    /// A department.
    Department,
}

impl ProjectKind {
    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Department => "department",
        }
    }
}

impl FromStr for ProjectKind {
    type Err = UnknownProjectKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "project" => Ok(Self::Project),
            "department" => Ok(Self::Department),
            _ => Err(UnknownProjectKind),
        }
    }
}

/// The text names neither.
#[derive(Debug, thiserror::Error)]
#[error("must be `project` or `department`")]
pub struct UnknownProjectKind;

/// A project or department.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Project {
    /// Its id.
    #[sqlx(try_from = "Text<ProjectId>")]
    pub project_id: ProjectId,
    /// The workspace it belongs to.
    pub workspace_id: String,
    /// Unique within the workspace.
    pub name: String,
    /// `#rrggbb`.
    pub color: String,
    /// Which of the two.
    #[sqlx(try_from = "Text<ProjectKind>")]
    pub kind: ProjectKind,
    /// Chosen where an employee names none (rule 5).
    pub is_default: bool,
    /// Over: not offered for new time. What was tracked on it stays in every report.
    pub archived: bool,
    /// UTC milliseconds.
    pub created_at: i64,
}

impl Read {
    /// A project by id.
    pub async fn project(&mut self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        const SQL: &str = "SELECT project_id, workspace_id, name, color, kind, is_default, \
            archived, created_at FROM projects WHERE company_id = $1 AND project_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id.to_string()).fetch_optional(c).await)?)
    }

    /// The default project: of one workspace, or the company's first.
    pub async fn default_project(
        &mut self,
        workspace: Option<&str>,
    ) -> Result<Option<Project>, StoreError> {
        const SQL: &str = "SELECT project_id, workspace_id, name, color, kind, is_default, \
            archived, created_at FROM projects WHERE company_id = $1 AND is_default = TRUE \
            AND ($2 = '' OR workspace_id = $2) ORDER BY created_at, project_id LIMIT 1";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(workspace.unwrap_or_default()).fetch_optional(c).await)?)
    }

    /// Projects by name, of one workspace or of all.
    pub async fn projects(
        &mut self,
        workspace: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Project>, StoreError> {
        self.projects_after(workspace, None, limit).await
    }

    /// Projects by name, behind a name and id where given.
    pub async fn projects_after(
        &mut self,
        workspace: Option<&str>,
        after: Option<(&str, &str)>,
        limit: u32,
    ) -> Result<Vec<Project>, StoreError> {
        const SQL: &str = "SELECT project_id, workspace_id, name, color, kind, is_default, \
            archived, created_at FROM projects WHERE company_id = $1 AND ($3 = '' OR workspace_id = $3) \
            AND (name > $4 OR (name = $4 AND project_id > $5)) \
            ORDER BY name, project_id LIMIT $2";
        let (name, id) = after.unwrap_or_default();
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(i64::from(limit)).bind(workspace.unwrap_or_default())
            .bind(name).bind(id).fetch_all(c).await)?)
    }
}

impl Write {
    /// Makes a project; [`StoreError::Taken`] where the name is in use.
    pub async fn insert_project(&mut self, project: &Project) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO projects \
            (company_id, project_id, workspace_id, name, color, kind, is_default, archived, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(project.project_id.to_string())
            .bind(&project.workspace_id).bind(&project.name).bind(&project.color)
            .bind(project.kind.as_str()).bind(project.is_default).bind(project.archived)
            .bind(project.created_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Changes name, colour, kind, and whether it is archived.
    pub async fn update_project(&mut self, project: &Project) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE projects SET name = $3, color = $4, kind = $5, archived = $6 \
            WHERE company_id = $1 AND project_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(project.project_id.to_string())
            .bind(&project.name).bind(&project.color).bind(project.kind.as_str())
            .bind(project.archived).execute(c).await.map(drop))?;
        Ok(())
    }
}
