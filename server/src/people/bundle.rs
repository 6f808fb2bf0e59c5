//! Many licenses in one zip, for whoever puts them onto computers.
//!
//! A folder for each employee, in it one file as `/etc/glasshour/license.d/` wants it: named after the user
//! of the computer it is for. A file there that is named after no user is for whoever logs in, so the files
//! of many are never side by side. `licenses.csv` says which is whose.

use std::collections::BTreeSet;

use super::zip::Zip;
use super::{license_file_name, sending};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::SelectionForm;
use crate::store::Employee;

/// Devices of one employee that are looked at.
const MOST_DEVICES: u32 = 1000;

/// Packs the current licenses of the active employees that a form names.
pub async fn bundle_licenses(
    state: &AppState,
    actor: &Actor,
    form: SelectionForm,
) -> Result<Vec<u8>, ApiError> {
    actor.may(Verb::Read, Object::License)?;
    let mut read = state.read(actor.company_id).await?;
    let mut packed = Vec::new();
    for employee in sending::select(&mut read, actor, form).await? {
        let Some(license) = read.current_license(employee.employee_id).await? else {
            continue;
        };
        let devices = read.devices_of(employee.employee_id, MOST_DEVICES).await?;
        let seen = devices.iter().filter(|device| device.revoked_at.is_none());
        let seen = seen.max_by_key(|device| device.last_seen_at);
        let user = os_user(&employee, seen.map(|device| device.os_user.as_str()));
        packed.push(Packed {
            employee,
            user,
            file: license.file,
        });
    }
    drop(read);
    let packing = tokio::task::spawn_blocking(move || pack(&packed));
    packing.await.map_err(ApiError::internal)?
}

struct Packed {
    employee: Employee,
    user: String,
    file: Vec<u8>,
}

fn pack(all: &[Packed]) -> Result<Vec<u8>, ApiError> {
    let mut zip = Zip::default();
    let mut index = csv::Writer::from_writer(Vec::new());
    let header = [
        "file",
        "name",
        "email",
        "work_mode",
        "serial",
        "employee_id",
    ];
    index.write_record(header).map_err(ApiError::internal)?;
    let mut taken = BTreeSet::new();
    for one in all {
        let folder = folder(&one.employee, &mut taken);
        let path = format!("{folder}/{}.license.gz", one.user);
        zip.add(&path, &one.file).map_err(ApiError::internal)?;
        let employee = &one.employee;
        index
            .write_record([
                path.as_str(),
                &inert(&employee.name),
                &inert(employee.email.as_deref().unwrap_or_default()),
                employee.work_mode.as_str(),
                &employee.serial.to_string(),
                &employee.employee_id.to_string(),
            ])
            .map_err(ApiError::internal)?;
    }
    let index = index
        .into_inner()
        .map_err(|error| ApiError::internal(error.to_string()))?;
    zip.add("licenses.csv", &index)
        .map_err(ApiError::internal)?;
    zip.finish().map_err(ApiError::internal)
}

/// A folder that nobody else has: the employee's name in plain characters, counted up where two are alike.
fn folder(employee: &Employee, taken: &mut BTreeSet<String>) -> String {
    let name = license_file_name(employee);
    let stem = name.strip_suffix(".license.gz").unwrap_or(&name);
    let mut folder = stem.to_owned();
    let mut count = 1;
    while !taken.insert(folder.clone()) {
        count += 1;
        folder = format!("{stem}-{count}");
    }
    folder
}

/// The user of the computer: as the employee's last device says, else what stands before the @ of their
/// address, else their name.
fn os_user(employee: &Employee, seen: Option<&str>) -> String {
    let plain = |text: &str| {
        // `DOMAIN\user` is `user` at the computer.
        let text = text.rsplit('\\').next().unwrap_or(text);
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let whole = !text.is_empty() && !text.starts_with(['.', '-']) && text.chars().all(fits);
        whole.then(|| text.to_owned())
    };
    let local = employee
        .email
        .as_deref()
        .and_then(|email| email.split('@').next());
    seen.and_then(plain)
        .or_else(|| local.and_then(plain))
        .unwrap_or_else(|| {
            let name = license_file_name(employee);
            name.strip_suffix(".license.gz").unwrap_or(&name).to_owned()
        })
}

/// A value that no spreadsheet takes for a formula.
fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use glasshour_license_format::WorkMode;
    use glasshour_protocol::{EmployeeId, ProjectId};
    use uuid::Uuid;

    use super::*;

    fn employee(name: &str, email: Option<&str>) -> Employee {
        Employee {
            employee_id: EmployeeId(Uuid::from_u128(1)),
            workspace_id: "w".into(),
            name: name.into(),
            email: email.map(Into::into),
            work_mode: WorkMode::Worklog,
            project_id: ProjectId(Uuid::from_u128(2)),
            profile_id: "p".into(),
            active: true,
            serial: 1,
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn a_file_is_named_after_the_user_that_is_known_best() {
        let jo = employee("Jo Doe", Some("jo.doe@acme.example"));
        assert_eq!(os_user(&jo, Some("jdoe")), "jdoe");
        assert_eq!(os_user(&jo, Some("ACME\\jdoe")), "jdoe");
        assert_eq!(os_user(&jo, None), "jo.doe");
        assert_eq!(os_user(&jo, Some("../x")), "jo.doe");
        assert_eq!(os_user(&employee("Jo Doe", None), None), "jo-doe");
        assert_eq!(os_user(&employee("Jo Doe", Some("jo+x@y")), None), "jo-doe");
    }

    #[test]
    fn nobody_shares_a_folder_and_no_name_leads_out_of_it() {
        let mut taken = BTreeSet::new();
        let mut next = |name| folder(&employee(name, None), &mut taken);
        assert_eq!(next("Jo Doe"), "jo-doe");
        assert_eq!(next("Jo Doe"), "jo-doe-2");
        assert_eq!(next("../../etc"), "etc");
        assert_eq!(inert("=1+1"), "'=1+1");
        assert_eq!(inert("Jo"), "Jo");
    }
}
