//! People: employees, their projects and profiles, and the licenses that follow from them.
//!
//! The API and the console both come here, so a rule holds whichever way a form arrives. Every change
//! that a license depends on issues the next one in the same transaction (rules 9, 10 and 17):
//! there is no moment at which an active employee has no license or a stale one.

mod company;
mod employees;
mod keys;
mod overview;
mod profiles;
mod projects;
mod rules;

pub(crate) use company::company;
pub use employees::{
    EmployeeForm, create_employee, license_file, license_file_name, update_employee,
};
pub(crate) use keys::new_key;
pub use keys::{Rotated, rotate_key};
pub use overview::{Overview, Running, overview};
pub use profiles::{ProfileForm, create_profile, standard_profile, update_profile};
pub use projects::{DEFAULT_COLOR, ProjectForm, create_project, update_project};
pub(crate) use rules::email;
