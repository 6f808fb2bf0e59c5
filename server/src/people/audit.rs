//! Reading the audit log: the company's account all of it, owners and admins what belongs to their
//! workspace.

use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::store::{AuditEntry, AuditFilter};

/// Entries of the log, the newest first; `filter.workspace_id` is narrowed to what the asker may see.
pub async fn read_audit(
    state: &AppState,
    actor: &Actor,
    filter: AuditFilter,
) -> Result<Vec<AuditEntry>, ApiError> {
    actor.may(Verb::Read, Object::Audit)?;
    let filter = AuditFilter {
        workspace_id: actor.scope(filter.workspace_id.as_deref())?,
        ..filter
    };
    Ok(state.read(actor.company_id).await?.audit(&filter).await?)
}
