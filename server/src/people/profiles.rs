//! Profiles: what is captured (rule 7), and the licenses of everybody on them.

use glasshour_license_format::{
    ActivitySettings, Exclude, Profile as Settings, ScreenshotSettings,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::rules;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::license;
use crate::store::{Profile, StoreError};
use crate::unreadable;

/// The profile form: both are required for a new one; for a change, what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileForm {
    /// Unique within the company.
    pub name: Option<String>,
    /// The members of a license's `profile` but for its name. A channel that is absent is forbidden.
    #[schema(value_type = Option<Object>, example = json!({
        "screenshots": {"per_hour": 6, "random_moment": true, "skip_unchanged": true},
        "activity": {"input_counts": true, "applications": true, "window_titles": false},
        "idle_after_s": 300
    }))]
    pub settings: Option<Map<String, Value>>,
}

/// The profile that a company starts with: a few screenshots, counts and application names; no
/// camera, no window titles.
pub fn standard_profile(name: &str) -> Settings {
    Settings {
        name: name.to_owned(),
        screenshots: Some(ScreenshotSettings {
            max_width_px: Some(1920),
            ..ScreenshotSettings::default()
        }),
        camera: None,
        activity: Some(ActivitySettings {
            input_counts: true,
            applications: true,
            window_titles: false,
        }),
        idle_after_s: 300,
        schedule: None,
        exclude: Exclude::default(),
        review_hold_s: 0,
        employee_may_delete: false,
        unknown: std::collections::BTreeMap::new(),
    }
}

/// Makes a profile.
pub async fn create_profile(
    state: &AppState,
    actor: &Actor,
    form: ProfileForm,
) -> Result<Profile, ApiError> {
    actor.may(Verb::Create, Object::Profile)?;
    let name = rules::name("name", &rules::required("name", form.name)?)?;
    let settings = read_settings(&name, rules::required("settings", form.settings)?)?;
    let now_ms = state.clock.now_ms();
    let profile = Profile {
        profile_id: Uuid::now_v7().to_string(),
        name,
        settings,
        is_default: false,
        created_at: now_ms,
        updated_at: now_ms,
    };
    let mut write = state.write(actor.company_id).await?;
    write.insert_profile(&profile).await.map_err(name_taken)?;
    write.commit().await?;
    Ok(profile)
}

/// Changes a profile; every active employee on it gets a license of the next serial (rule 17).
pub async fn update_profile(
    state: &AppState,
    actor: &Actor,
    id: &str,
    form: ProfileForm,
) -> Result<Profile, ApiError> {
    actor.may(Verb::Change, Object::Profile)?;
    let now_ms = state.clock.now_ms();
    let mut write = state.write(actor.company_id).await?;
    let old = write
        .profile(id)
        .await?
        .ok_or_else(|| ApiError::not_found("profile"))?;
    let mut new = old.clone();
    if let Some(name) = form.name {
        new.name = rules::name("name", &name)?;
        new.settings.name.clone_from(&new.name);
    }
    if let Some(settings) = form.settings {
        new.settings = read_settings(&new.name, settings)?;
    }
    if new == old {
        return Ok(old);
    }
    new.updated_at = now_ms;
    write.update_profile(&new).await.map_err(name_taken)?;
    for mut employee in write.active_employees_on(id).await? {
        license::issue(state, &mut write, &mut employee, &new, now_ms).await?;
        employee.updated_at = now_ms;
        write.update_employee(&employee).await?;
    }
    write.commit().await?;
    Ok(new)
}

/// Reads settings as a license's profile of that name, refusing what no license may say and, so
/// that a misspelt channel is not silently forbidden, every member that is not known.
fn read_settings(name: &str, mut settings: Map<String, Value>) -> Result<Settings, ApiError> {
    settings.insert("name".into(), name.into());
    let settings: Settings = serde_json::from_value(settings.into())
        .map_err(|error| unreadable::refused(&error.to_string(), "settings"))?;
    if let Some(unknown) = settings.unknown.keys().next() {
        let field = format!("settings.{unknown}");
        let message = format!("`{field}` is not known.");
        return Err(ApiError::invalid(field, message));
    }
    settings.validate().map_err(|invalid| {
        let field = invalid.field.replacen("profile.", "settings.", 1);
        let message = format!("`{field}` {}.", invalid.reason);
        ApiError::invalid(field, message)
    })?;
    Ok(settings)
}

fn name_taken(error: StoreError) -> ApiError {
    match error {
        StoreError::Taken { .. } => {
            ApiError::conflict(Some("name"), "A profile of that name exists already.")
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str) -> Result<Settings, ApiError> {
        read_settings("n", serde_json::from_str(json).unwrap())
    }

    #[test]
    fn p07_settings_are_those_of_a_license_and_a_wrong_one_is_named() {
        assert!(
            settings(r#"{"activity":{"input_counts":true}}"#)
                .unwrap()
                .screenshots
                .is_none()
        );
        let field = |json| settings(json).unwrap_err().field.unwrap();
        assert_eq!(
            field(r#"{"screenshots":{"per_hour":0}}"#),
            "settings.screenshots.per_hour"
        );
        assert_eq!(
            field(r#"{"screenshot":{"per_hour":6}}"#),
            "settings.screenshot"
        );
        assert_eq!(field(r#"{"screenshots":7}"#), "settings");
    }

    #[test]
    fn p07_the_standard_profile_is_valid_and_has_no_camera_and_no_titles() {
        let standard = standard_profile("Standard");
        standard.validate().unwrap();
        assert!(standard.camera.is_none());
        assert!(!standard.activity.unwrap().window_titles);
    }
}
