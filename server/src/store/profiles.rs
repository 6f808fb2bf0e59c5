//! Monitoring profiles: what is captured, and how (rule 7).

use glasshour_license_format::Profile as Settings;
use sqlx::FromRow;

use super::column::{Json, to_json};
use super::{Read, StoreError, Write, on};

/// A monitoring profile.
#[derive(Clone, Debug, PartialEq, FromRow)]
pub struct Profile {
    /// Its id.
    pub profile_id: String,
    /// Unique within the company; the same as `settings.name`.
    pub name: String,
    /// What goes into licenses.
    #[sqlx(try_from = "Json<Settings>")]
    pub settings: Settings,
    /// Chosen where an employee names none.
    pub is_default: bool,
    /// UTC milliseconds.
    pub created_at: i64,
    /// UTC milliseconds.
    pub updated_at: i64,
}

impl Read {
    /// A profile by id.
    pub async fn profile(&mut self, id: &str) -> Result<Option<Profile>, StoreError> {
        const SQL: &str = "SELECT profile_id, name, settings, is_default, created_at, updated_at \
            FROM profiles WHERE company_id = $1 AND profile_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id).fetch_optional(c).await)?)
    }

    /// The default profile.
    pub async fn default_profile(&mut self) -> Result<Option<Profile>, StoreError> {
        const SQL: &str = "SELECT profile_id, name, settings, is_default, created_at, updated_at \
            FROM profiles WHERE company_id = $1 AND is_default = TRUE \
            ORDER BY created_at, profile_id LIMIT 1";
        Ok(on!(self, c => sqlx::query_as(SQL).bind(&self.company).fetch_optional(c).await)?)
    }

    /// Profiles by name.
    pub async fn profiles(&mut self, limit: u32) -> Result<Vec<Profile>, StoreError> {
        self.profiles_after(None, limit).await
    }

    /// Profiles by name, behind a name and id where given.
    pub async fn profiles_after(
        &mut self,
        after: Option<(&str, &str)>,
        limit: u32,
    ) -> Result<Vec<Profile>, StoreError> {
        const SQL: &str = "SELECT profile_id, name, settings, is_default, created_at, updated_at \
            FROM profiles WHERE company_id = $1 AND (name > $3 OR (name = $3 AND profile_id > $4)) \
            ORDER BY name, profile_id LIMIT $2";
        let (name, id) = after.unwrap_or_default();
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(i64::from(limit)).bind(name).bind(id).fetch_all(c).await)?)
    }
}

impl Write {
    /// Makes a profile; [`StoreError::Taken`] where the name is in use.
    pub async fn insert_profile(&mut self, profile: &Profile) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO profiles \
            (company_id, profile_id, name, settings, is_default, created_at, updated_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&profile.profile_id).bind(&profile.name)
            .bind(to_json(&profile.settings)).bind(profile.is_default)
            .bind(profile.created_at).bind(profile.updated_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Changes name and settings.
    pub async fn update_profile(&mut self, profile: &Profile) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE profiles SET name = $3, settings = $4, updated_at = $5 \
            WHERE company_id = $1 AND profile_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(&profile.profile_id).bind(&profile.name)
            .bind(to_json(&profile.settings)).bind(profile.updated_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }
}
