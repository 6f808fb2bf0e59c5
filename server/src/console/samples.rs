//! Every page renders with each of its samples, and holds what every page promises.

use askama::Template;

use super::{
    audit::{AuditView, ViewsView},
    capture::CaptureView,
    company::CompanyView,
    confirm::ConfirmView,
    day::DayView,
    devices::DevicesView,
    employee::EmployeeView,
    employees::EmployeesView,
    fault::FaultView,
    join::{JoinView, SignUpView},
    kept::KeptView,
    login::LoginView,
    mail::MailView,
    many::{ImportView, ManyView},
    members::{InviteView, MemberView, MembersView},
    own::{MeView, NoticesView, WorkspaceView},
    profile::ProfileView,
    profiles::ProfilesView,
    projects::{ProjectView, ProjectsView},
    rights::{CaptureDeletionView, ErasureView, ExportView},
    security::{CodeView, ForgottenView, SecurityView, TokensView},
    team::TeamView,
    users::{UserView, UsersView},
    workspace::WorkspaceSettingsView,
};

/// Every page with every sample: name and HTML.
fn all() -> Vec<(String, String)> {
    fn render<T: Template>(page: &str, samples: Vec<(&'static str, T)>) -> Vec<(String, String)> {
        samples
            .into_iter()
            .map(|(name, view)| (format!("{page}-{name}"), view.render().unwrap()))
            .collect()
    }
    [
        render("team", TeamView::samples()),
        render("login", LoginView::samples()),
        render("fault", FaultView::samples()),
        render("employees", EmployeesView::samples()),
        render("employee", EmployeeView::samples()),
        render("many", ManyView::samples()),
        render("import", ImportView::samples()),
        render("profiles", ProfilesView::samples()),
        render("profile", ProfileView::samples()),
        render("projects", ProjectsView::samples()),
        render("project", ProjectView::samples()),
        render("devices", DevicesView::samples()),
        render("day", DayView::samples()),
        render("capture", CaptureView::samples()),
        render("audit", AuditView::samples()),
        render("views", ViewsView::samples()),
        render("capture-deletion", CaptureDeletionView::samples()),
        render("erasure", ErasureView::samples()),
        render("export", ExportView::samples()),
        render("kept", KeptView::samples()),
        render("mail", MailView::samples()),
        render("security", SecurityView::samples()),
        render("code", CodeView::samples()),
        render("forgotten", ForgottenView::samples()),
        render("tokens", TokensView::samples()),
        render("me", MeView::samples()),
        render("notices", NoticesView::samples()),
        render("workspace", WorkspaceView::samples()),
        render("members", MembersView::samples()),
        render("member", MemberView::samples()),
        render("invite", InviteView::samples()),
        render("users", UsersView::samples()),
        render("user", UserView::samples()),
        render("company", CompanyView::samples()),
        render("workspace-settings", WorkspaceSettingsView::samples()),
        render("confirm", ConfirmView::samples()),
        render("join", JoinView::samples()),
        render("sign-up", SignUpView::samples()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_page_has_a_title_a_language_landmarks_and_one_heading() {
    for (name, html) in all() {
        let count = |part: &str| html.matches(part).count();
        assert!(
            html.starts_with("<!doctype html>\n<html lang=\"en\">"),
            "{name}"
        );
        assert_eq!(count("<h1>"), 1, "{name}: one h1");
        assert_eq!(count("<main id=\"main\""), 1, "{name}");
        assert!(
            html.contains("href=\"#main\"") && count("<title>") >= 1,
            "{name}"
        );
        let outside = [
            "login",
            "code",
            "forgotten",
            "join",
            "sign-up",
            "fault-fault",
            "fault-link",
            "fault-own-day",
        ];
        if !outside.iter().any(|page| name.starts_with(page)) {
            assert!(html.contains("<nav aria-label=\"Main\">"), "{name}");
        }
    }
}

#[test]
fn no_page_breaks_the_content_policy() {
    for (name, html) in all() {
        for inline in [" style=", "<style", " onclick=", " onload=", "javascript:"] {
            assert!(!html.contains(inline), "{name}: {inline}");
        }
        assert_eq!(
            html.matches("<script").count(),
            1,
            "{name}: the one file in the head"
        );
        assert!(
            html.contains("<script src=\"/assets/console.js?v="),
            "{name}"
        );
    }
}

#[test]
fn hostile_names_and_titles_are_escaped_everywhere() {
    let mut escaped = 0;
    for (name, html) in all() {
        assert!(!html.contains("<script>alert"), "{name}");
        escaped += html.matches("&#60;script&#62;alert(1)").count();
    }
    assert!(escaped >= 10, "the samples hold hostile text: {escaped}");
}

#[test]
fn ids_are_unique_and_labels_point_at_fields() {
    for (name, html) in all() {
        let values = |attribute: &str| -> Vec<String> {
            html.split(&format!(" {attribute}=\""))
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .map(str::to_owned)
                .collect()
        };
        let mut ids = values("id");
        let total = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), total, "{name}: an id stands twice");
        for attribute in ["for", "aria-describedby", "aria-labelledby"] {
            for target in values(attribute) {
                assert!(
                    ids.contains(&target),
                    "{name}: {attribute}={target} points nowhere"
                );
            }
        }
    }
}

/// With `GLASSHOUR_SAMPLES=DIR` the pages are written there, to be looked at.
#[test]
fn samples_can_be_written_out_to_be_looked_at() {
    let Some(dir) = option_env!("GLASSHOUR_SAMPLES") else {
        return;
    };
    for (name, html) in all() {
        let html = html.replace("\"/assets/", "\"assets/");
        let mut file = String::new();
        for part in html.split("?v=") {
            if file.is_empty() {
                file.push_str(part);
            } else {
                file.push_str(part.get(12..).unwrap_or_default());
            }
        }
        std::fs::write(format!("{dir}/{name}.html"), file).unwrap();
    }
}
