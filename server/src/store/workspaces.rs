//! Workspaces: where a company's projects, departments and members are.

use sqlx::FromRow;

use super::{Read, StoreError, Write, on};

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Workspace {
    /// Its id.
    pub workspace_id: String,
    /// Its name.
    pub name: String,
    /// UTC milliseconds.
    pub created_at: i64,
}

impl Read {
    /// A workspace by id, unless it was deleted.
    pub async fn workspace(&mut self, id: &str) -> Result<Option<Workspace>, StoreError> {
        const SQL: &str = "SELECT workspace_id, name, created_at FROM workspaces \
            WHERE company_id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id).fetch_optional(c).await)?)
    }

    /// The company's workspaces that are not deleted, the oldest first.
    pub async fn workspaces(
        &mut self,
        after: Option<(i64, &str)>,
        limit: u32,
    ) -> Result<Vec<Workspace>, StoreError> {
        const SQL: &str = "SELECT workspace_id, name, created_at FROM workspaces \
            WHERE company_id = $1 AND deleted_at IS NULL \
            AND (created_at > $2 OR (created_at = $2 AND workspace_id > $3)) \
            ORDER BY created_at, workspace_id LIMIT $4";
        let (at, id) = after.unwrap_or((i64::MIN, ""));
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(at).bind(id).bind(i64::from(limit)).fetch_all(c).await)?)
    }
}

impl Write {
    /// Makes a workspace.
    pub async fn insert_workspace(
        &mut self,
        workspace_id: &str,
        name: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO workspaces (company_id, workspace_id, name, created_at) \
            VALUES ($1, $2, $3, $4)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(workspace_id).bind(name).bind(now_ms)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Renames a workspace.
    pub async fn rename_workspace(&mut self, id: &str, name: &str) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE workspaces SET name = $3 WHERE company_id = $1 AND workspace_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id).bind(name).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes a workspace out of everybody's sight. What was tracked in it is kept.
    pub async fn delete_workspace(&mut self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE workspaces SET deleted_at = $3 WHERE company_id = $1 AND workspace_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id).bind(now_ms).execute(c).await.map(drop))?;
        Ok(())
    }
}
