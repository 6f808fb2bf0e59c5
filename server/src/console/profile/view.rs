//! The profile form, as values: every setting on the left, on the right the notice that licenses
//! with this profile will make.

use askama::Template;
use glasshour_words::notice::Notice;

use super::form::{DAYS, ProfileForm};
use crate::console::form::Errors;
use crate::console::layout::{Page, State};

/// The page.
#[derive(Debug, Template)]
#[template(path = "profile/page.html")]
pub(crate) struct ProfileView {
    pub(crate) page: Page,
    /// Absent for a new profile.
    pub(crate) profile_id: Option<String>,
    pub(crate) form: ProfileForm,
    pub(crate) errors: Errors,
    pub(crate) notice: Notice,
}

impl ProfileView {
    fn action(&self) -> String {
        match &self.profile_id {
            Some(id) => format!("/profiles/{id}/edit"),
            None => "/profiles/new".to_owned(),
        }
    }
}

#[cfg(test)]
impl ProfileView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;
        use glasshour_license_format::Profile;
        use glasshour_license_format::WorkMode;
        use glasshour_words::notice::NoticeInput;

        let view = |title: &str, id: Option<&str>, json: &str, broken: bool| {
            let profile: Profile = serde_json::from_str(json).unwrap();
            let notice = NoticeInput {
                company: "Acme",
                employee: "",
                work_mode: WorkMode::Worklog,
                profile: &profile,
                server_url: "https://time.acme.example",
                retention: None,
                privacy_contact: None,
                extra: None,
                not_before: None,
                expires_at: None,
            }
            .notice(glasshour_words::Words::ENGLISH);
            let mut form = ProfileForm::of(&profile);
            let mut errors = Errors::default();
            if broken {
                form.shots_per_hour = "many".into();
                form.name = String::new();
                errors.add("name", "Enter a name.");
                errors.add("shots_per_hour", "Enter a whole number from 1 to 3600.");
            }
            Self {
                page: Page::sample(title, Part::Profiles),
                profile_id: id.map(Into::into),
                form,
                errors,
                notice,
            }
        };
        let full = r#"{"name":"<script>alert(1)</script>","screenshots":{"per_hour":6,"random_moment":true,"monitors":"all","blur":"none","max_width_px":1920,"skip_unchanged":true},
            "activity":{"input_counts":true,"applications":true},"idle_after_s":300,
            "schedule":{"time_zone":"Europe/Paris","days":["mon","tue","wed","thu","fri"],"from":"08:00","to":"19:00"},
            "exclude":{"applications":["KeePassXC"],"title_contains":["Private Browsing"]},"employee_may_delete":true}"#;
        vec![
            ("edit", view("Edit Standard", Some("1"), full, false)),
            (
                "new",
                view("New profile", None, r#"{"name":"Time only"}"#, false),
            ),
            ("refused", view("New profile", None, full, true)),
        ]
    }
}
