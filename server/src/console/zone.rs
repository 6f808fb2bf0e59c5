//! The time zone of a page: what the license's hours are counted in, else what the company has set (for
//! pages about everybody the other way round), else where the records came from, else UTC.

use glasshour_protocol::EmployeeId;

use super::words::Zone;
use crate::store::{Read, StoreError};

/// The zone of one employee's days.
pub(super) async fn of_employee(read: &mut Read, id: EmployeeId) -> Result<Zone, StoreError> {
    let license = read.current_license(id).await?;
    let scheduled = license
        .and_then(|license| license.claims.profile.schedule)
        .and_then(|schedule| Zone::named(&schedule.time_zone));
    if let Some(zone) = scheduled {
        return Ok(zone);
    }
    Ok(from_offset(read.latest_offset(Some(id)).await?))
}

/// The zone of pages about everybody.
pub(super) async fn of_company(read: &mut Read) -> Result<Zone, StoreError> {
    let settings = read.company_settings().await?;
    let set = settings.and_then(|settings| Zone::named(&settings.time_zone?));
    if let Some(zone) = set {
        return Ok(zone);
    }
    let profile = read.default_profile().await?;
    let scheduled = profile
        .and_then(|profile| profile.settings.schedule)
        .and_then(|schedule| Zone::named(&schedule.time_zone));
    if let Some(zone) = scheduled {
        return Ok(zone);
    }
    Ok(from_offset(read.latest_offset(None).await?))
}

fn from_offset(minutes: Option<i64>) -> Zone {
    let minutes = minutes.and_then(|minutes| i32::try_from(minutes).ok());
    Zone::offset(
        minutes
            .filter(|minutes| minutes.abs() <= 14 * 60)
            .unwrap_or(0),
    )
}
