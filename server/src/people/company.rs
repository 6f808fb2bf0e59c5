//! The company itself.

use crate::error::ApiError;
use crate::store::{Company, Read};

/// The company that a view or transaction is bound to. Whoever asks belongs to it, so it is there.
pub(crate) async fn company(read: &mut Read) -> Result<Company, ApiError> {
    let company = read.company().await?;
    company.ok_or_else(|| ApiError::internal("rows of a company that is not there"))
}
