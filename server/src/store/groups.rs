//! Groups of members within a workspace.

use sqlx::FromRow;

use super::{Read, StoreError, Write, on};

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Group {
    /// Its id.
    pub group_id: String,
    /// Where.
    pub workspace_id: String,
    /// Unique within the workspace.
    pub name: String,
    /// UTC milliseconds.
    pub created_at: i64,
}

impl Read {
    /// A group by id.
    pub async fn group(&mut self, id: &str) -> Result<Option<Group>, StoreError> {
        const SQL: &str = "SELECT group_id, workspace_id, name, created_at FROM member_groups \
            WHERE company_id = $1 AND group_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id).fetch_optional(c).await)?)
    }

    /// Groups by name, of one workspace or of all.
    pub async fn groups(
        &mut self,
        workspace_id: Option<&str>,
        after: Option<(&str, &str)>,
        limit: u32,
    ) -> Result<Vec<Group>, StoreError> {
        const SQL: &str = "SELECT group_id, workspace_id, name, created_at FROM member_groups \
            WHERE company_id = $1 AND ($2 = '' OR workspace_id = $2) \
            AND (name > $3 OR (name = $3 AND group_id > $4)) ORDER BY name, group_id LIMIT $5";
        let (name, id) = after.unwrap_or_default();
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(workspace_id.unwrap_or_default()).bind(name).bind(id)
            .bind(i64::from(limit)).fetch_all(c).await)?)
    }

    /// Ids of a group's members who are not deleted.
    pub async fn group_members(&mut self, group_id: &str) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "SELECT g.member_id FROM group_members g JOIN members m \
            ON m.company_id = g.company_id AND m.member_id = g.member_id \
            WHERE g.company_id = $1 AND g.group_id = $2 AND m.status <> 'deleted' \
            ORDER BY g.member_id LIMIT 100000";
        let rows: Vec<(String,)> = on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(group_id).fetch_all(c).await)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

impl Write {
    /// Makes a group; [`StoreError::Taken`] where the name is in use.
    pub async fn insert_group(&mut self, group: &Group) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO member_groups \
            (company_id, group_id, workspace_id, name, created_at) VALUES ($1, $2, $3, $4, $5)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&group.group_id).bind(&group.workspace_id)
            .bind(&group.name).bind(group.created_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Renames a group.
    pub async fn rename_group(&mut self, id: &str, name: &str) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE member_groups SET name = $3 WHERE company_id = $1 AND group_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id).bind(name).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Removes a group; its members stay where they are.
    pub async fn delete_group(&mut self, id: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM member_groups WHERE company_id = $1 AND group_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Puts a member into a group, or leaves them there.
    pub async fn join_group(&mut self, group_id: &str, member_id: &str) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO group_members (company_id, group_id, member_id) \
            VALUES ($1, $2, $3) ON CONFLICT (company_id, group_id, member_id) DO NOTHING";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(group_id).bind(member_id)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes everybody out of a group.
    pub async fn empty_group(&mut self, group_id: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM group_members WHERE company_id = $1 AND group_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(group_id).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes a member out of every group.
    pub async fn leave_groups(&mut self, member_id: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM group_members WHERE company_id = $1 AND member_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(member_id).execute(c).await.map(drop))?;
        Ok(())
    }
}
