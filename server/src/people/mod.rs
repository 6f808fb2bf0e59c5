//! People: employees, their projects and profiles, and the licenses that follow from them.
//!
//! The API and the console both come here, so a rule holds whichever way a form arrives. Every change
//! that a license depends on issues the next one in the same transaction (rules 9, 10 and 17):
//! there is no moment at which an active employee has no license or a stale one.

mod acceptance;
mod audit;
mod bundle;
mod captures;
mod company;
mod devices;
mod employees;
mod entry;
mod erasure;
mod founding;
pub(crate) mod gaps;
mod groups;
mod import;
mod invitations;
mod keys;
mod leave;
mod links;
mod mail;
mod members;
mod overview;
mod own;
mod profiles;
mod projects;
pub(crate) mod reach;
mod retention;
mod rules;
mod security;
mod sending;
mod sheet;
mod timesheet;
mod tokens;
pub(crate) mod tracking;
mod users;
mod views;
mod workspaces;
mod zip;

pub(crate) use acceptance::uncounted;
pub use acceptance::{AcceptanceForm, accept_record};
pub use audit::read_audit;
pub use bundle::bundle_licenses;
pub use captures::{Consequence, delete_own_capture, deletion_consequence};
pub use company::{
    CompanyForm, PlanForm, PlanState, RetentionForm, read_company, read_plan, update_company,
    update_plan,
};
pub(crate) use company::{company, company_settings, plan};
pub(crate) use devices::enroll_device;
pub use devices::{approve_device, revoke_device};
pub use employees::{
    EmployeeForm, create_employee, license_file, license_file_name, license_for, update_employee,
};
pub use entry::{Door, Entered, EntryForm, answer_invitation, enter, look, sign_up};
pub use erasure::{ErasureForm, erase_employee, erase_user};
pub(crate) use founding::{Founder, Founding};
pub use groups::{Filled, GroupForm, create_group, delete_group, read_group, update_group};
pub use import::{ImportOptions, ImportedRow, count_imported, import_employees};
pub(crate) use invitations::find as find_invitation;
pub use invitations::{InviteForm, Invited, invite, send_invitation, withdraw_invitation};
pub(crate) use keys::new_key;
pub use keys::{Rotated, may_replace_key, replace_key, rotate_key};
pub use leave::{LeaveForm, read_leave, set_leave};
pub use links::link_to_copy;
pub(crate) use mail::may_send_again;
pub use mail::send_again;
pub(crate) use members::{DAYS, MAX_PHOTO_BYTES, find as find_member, person};
pub use members::{MemberForm, delete_member, own_member, read_photo, set_photo, update_member};
pub use overview::{Overview, Running, overview};
pub use own::{OwnForm, choose_workspace, see_notice, update_own};
pub use profiles::{ProfileForm, create_profile, standard_profile, update_profile};
pub(crate) use projects::find_project;
pub use projects::{DEFAULT_COLOR, ProjectForm, create_project, update_project};
pub use retention::hold_to_retention;
pub(crate) use rules::{email, name};
pub use security::{
    PasswordForm, begin_second_factor, change_password, confirm_second_factor, forgot_password,
    log_out_everywhere, operator_reset, remove_second_factor, remove_second_factor_of,
    reset_password_of,
};
pub use sending::{LicenseSent, SelectionForm, send_license, send_licenses};
pub(crate) use sheet::MAX_SHEET_BYTES;
pub use timesheet::{Grouping, Line, TimesheetQuery, timesheet};
pub use tokens::{TokenForm, create_token, list_tokens, revoke_token};
pub use users::{UserForm, create_user, delete_user, send_welcome, update_user};
pub use views::own_views;
pub(crate) use views::{Look, looks, note_looks, reason, write_kept_look};
pub use workspaces::{
    TransferForm, WorkspaceForm, create_workspace, delete_workspace, read_workspace,
    transfer_workspace, update_workspace,
};
