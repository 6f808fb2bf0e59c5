//! The one authorisation function: who may do what to what, and where.
//!
//! A table of what is allowed; whatever is not in it is denied. Another company's rows are not even
//! found, as every read is bound to one company; another workspace's answer as if they were not there.
//! What depends on more than the asker's role (nobody deactivates the owner) stands in `people/`.

use axum::http::StatusCode;
use glasshour_protocol::code;

use super::{Actor, Who, scope};
use crate::error::{ApiError, OUT_OF_SCOPE, SECOND_FACTOR_REQUIRED};
use crate::store::TokenScope;

/// What somebody is to the company whose rows they ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The company account, or an API token of the company.
    Company,
    /// Owner of the workspace.
    Owner,
    /// Admin of the workspace.
    Admin,
    /// Manager in the workspace.
    Manager,
    /// Employee in the workspace.
    Employee,
    /// Logged in, and in no workspace.
    Nobody,
}

/// What something is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// The company's name, contact and key.
    Company,
    /// Seats, caps, trial.
    Plan,
    /// The company's list of users.
    User,
    /// A workspace.
    Workspace,
    /// A member's place in a workspace.
    Member,
    /// A member's admin role.
    AdminRole,
    /// An invitation.
    Invitation,
    /// A group of members.
    Group,
    /// A member's leave.
    Leave,
    /// An employee.
    Employee,
    /// An employee's license file.
    License,
    /// Mail that was sent, waits or failed.
    Mail,
    /// A profile.
    Profile,
    /// A project or department.
    Project,
    /// A device.
    Device,
    /// Records, captures, sessions and what is reported of them.
    Capture,
    /// What a broken chain leaves in doubt.
    Doubt,
    /// Everything of one employee, to be carried away.
    Export,
    /// The audit log.
    Audit,
    /// A person, with everything of theirs.
    Person,
    /// Receipts of what was deleted for good.
    PurgeReceipt,
    /// An API token.
    ApiToken,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Lists or looks at.
    Read,
    /// Makes.
    Create,
    /// Changes, sends again, switches on and off.
    Change,
    /// Removes; of a workspace also: gives to another owner.
    Delete,
}

use Object as O;
use Role::{Admin, Company, Employee, Manager, Owner};
use Verb::{Change, Create, Delete, Read};

/// What is allowed, and to whom.
const ALLOWED: &[(Object, Verb, &[Role])] = &[
    (O::Company, Read, &[Company]),
    (O::Company, Change, &[Company]),
    (O::Plan, Read, &[Company]),
    (O::Plan, Change, &[Company]),
    (O::User, Read, &[Company]),
    (O::User, Create, &[Company]),
    (O::User, Change, &[Company]),
    (O::User, Delete, &[Company]),
    (
        O::Workspace,
        Read,
        &[Company, Owner, Admin, Manager, Employee],
    ),
    (O::Workspace, Change, &[Company, Owner, Admin]),
    (O::Workspace, Delete, &[Company, Owner]),
    (O::Member, Read, &[Company, Owner, Admin, Manager]),
    (O::Member, Change, &[Company, Owner, Admin]),
    (O::Member, Delete, &[Company, Owner, Admin]),
    (O::AdminRole, Create, &[Company, Owner, Admin]),
    (O::AdminRole, Delete, &[Company, Owner]),
    (O::Invitation, Read, &[Company, Owner, Admin]),
    (O::Invitation, Create, &[Company, Owner, Admin]),
    (O::Invitation, Change, &[Company, Owner, Admin]),
    (O::Invitation, Delete, &[Company, Owner, Admin]),
    (O::Group, Read, &[Company, Owner, Admin, Manager]),
    (O::Group, Create, &[Company, Owner, Admin]),
    (O::Group, Change, &[Company, Owner, Admin]),
    (O::Group, Delete, &[Company, Owner, Admin]),
    (O::Leave, Read, &[Company, Owner, Admin, Manager]),
    (O::Leave, Change, &[Company, Owner, Admin]),
    (O::Employee, Read, &[Company, Owner, Admin, Manager]),
    (O::Employee, Create, &[Company, Owner, Admin]),
    (O::Employee, Change, &[Company, Owner, Admin]),
    (O::License, Read, &[Company, Owner, Admin]),
    (O::License, Change, &[Company, Owner, Admin]),
    (O::Mail, Read, &[Company]),
    (O::Mail, Change, &[Company]),
    (O::Profile, Read, &[Company, Owner, Admin, Manager]),
    (O::Profile, Create, &[Company]),
    (O::Profile, Change, &[Company]),
    (O::Project, Read, &[Company, Owner, Admin, Manager]),
    (O::Project, Create, &[Company, Owner, Admin, Manager]),
    (O::Project, Change, &[Company, Owner, Admin, Manager]),
    (O::Device, Read, &[Company, Owner, Admin, Manager]),
    (O::Device, Change, &[Company, Owner, Admin]),
    (O::Capture, Read, &[Company, Owner, Admin, Manager]),
    (O::Doubt, Change, &[Company, Owner, Admin, Manager]),
    (O::Export, Read, &[Company, Owner, Admin]),
    (O::Audit, Read, &[Company, Owner, Admin]),
    (O::Person, Delete, &[Company, Owner]),
    (O::PurgeReceipt, Read, &[Company]),
    (O::ApiToken, Read, &[Company]),
    (O::ApiToken, Create, &[Company]),
    (O::ApiToken, Delete, &[Company]),
];

/// Whether a role may do that, in its own place.
pub fn allows(role: Role, verb: Verb, object: Object) -> bool {
    ALLOWED
        .iter()
        .any(|(of, what, roles)| *of == object && *what == verb && roles.contains(&role))
}

impl Actor {
    /// Whether the role allows it, somewhere: 403 `forbidden` where not.
    pub fn may(&self, verb: Verb, object: Object) -> Result<(), ApiError> {
        if self.owes_factor {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                SECOND_FACTOR_REQUIRED,
                "This company asks for a second factor. Set one up under Password and log-in first.",
            ));
        }
        if !allows(self.role, verb, object) {
            return Err(forbidden());
        }
        let scope = scope::needed(verb, object);
        match &self.who {
            Who::Token { scopes, .. } if !scopes.has(scope) => Err(out_of_scope(scope)),
            _ => Ok(()),
        }
    }

    /// Whether it is allowed on something of that workspace. What is another workspace's is not there
    /// for somebody who is not the company: 404.
    pub fn may_in(
        &self,
        verb: Verb,
        object: Object,
        workspace_id: &str,
        what: &str,
    ) -> Result<(), ApiError> {
        self.may(verb, object)?;
        if self.reaches(workspace_id) {
            Ok(())
        } else {
            Err(ApiError::not_found(what))
        }
    }

    /// Whether a workspace of the company is within reach: the company account sees every one (rule 24).
    pub fn reaches(&self, workspace_id: &str) -> bool {
        self.role == Company || self.workspace_id.as_deref() == Some(workspace_id)
    }
}

/// 403 `out_of_scope`.
fn out_of_scope(scope: TokenScope) -> ApiError {
    let message = format!(
        "This token may not do that: it lacks the scope `{scope}`. Make one that has it under API tokens."
    );
    ApiError::new(StatusCode::FORBIDDEN, OUT_OF_SCOPE, message)
}

/// 403 `forbidden`.
pub(crate) fn forbidden() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        code::FORBIDDEN,
        "Your role does not allow this. An admin or the owner can do it, or give you the role.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_table_is_denied_and_nothing_stands_in_it_twice() {
        assert!(!allows(Employee, Read, O::Capture));
        assert!(!allows(Role::Nobody, Read, O::Workspace));
        assert!(!allows(Admin, Delete, O::AdminRole), "rule 51");
        assert!(!allows(Company, Delete, O::Company));
        for (index, (object, verb, _)) in ALLOWED.iter().enumerate() {
            let same = |other: &&(Object, Verb, &[Role])| (other.0, other.1) == (*object, *verb);
            assert_eq!(ALLOWED.iter().position(|other| same(&other)), Some(index));
        }
    }

    #[test]
    fn who_may_do_more_may_do_all_that_who_may_do_less_may() {
        let order = [Company, Owner, Admin, Manager, Employee, Role::Nobody];
        for (object, verb, _) in ALLOWED {
            for pair in order.windows(2) {
                let [more, less] = pair else { continue };
                assert!(
                    allows(*more, *verb, *object) || !allows(*less, *verb, *object),
                    "{verb:?} {object:?}: {less:?} but not {more:?}"
                );
            }
        }
    }
}
