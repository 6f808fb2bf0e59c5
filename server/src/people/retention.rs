//! How long what is kept: a company's setting for each kind, told in every license, and the job that holds
//! to it.
//!
//! A record goes when the shorter of two times is over: what the company says now, and what the license
//! said under which it was captured. So nobody's captures are kept longer than they were told.

use std::collections::BTreeMap;

use glasshour_license_format::RetentionDays;
use glasshour_protocol::{CompanyId, EmployeeId, Kind, LicenseId};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::erasure::{KINDS, expire_all, purge_pictures};
use crate::AppState;
use crate::error::ApiError;
use crate::store::{Expired, PurgeReceipt};

const DAY_MS: i64 = 24 * 3_600_000;

/// Records that go in one transaction.
const AT_ONCE: u32 = 500;

/// How long a kind is kept: notices and health as long as activity, of which they tell.
fn days(of: &RetentionDays, kind: Kind) -> Option<u32> {
    match kind {
        Kind::Screenshot => of.screenshot,
        Kind::Camera => of.camera,
        Kind::Activity | Kind::Health | Kind::Notice => of.activity,
        Kind::Session => of.session,
    }
}

fn before(now_ms: i64, days: u32) -> i64 {
    now_ms.saturating_sub(i64::from(days).saturating_mul(DAY_MS))
}

/// Deletes what has had its time, of every company; a receipt for each company that had any.
pub async fn hold_to_retention(state: &AppState) -> Result<(), ApiError> {
    for company in state.db.companies(u32::MAX).await? {
        hold_company(state, company).await?;
    }
    Ok(())
}

async fn hold_company(state: &AppState, company: CompanyId) -> Result<(), ApiError> {
    let now_ms = state.clock.now_ms();
    let mut read = state.read(company).await?;
    let setting = read.retention().await?;
    let promised = read.promised_retention().await?;
    let employees = read.employee_ids().await?;
    drop(read);
    let mut by_employee: BTreeMap<String, Vec<(LicenseId, RetentionDays)>> = BTreeMap::new();
    for (employee, license, told) in promised {
        by_employee
            .entry(employee.to_string())
            .or_default()
            .push((license, told));
    }
    let mut gone: BTreeMap<&'static str, u64> = BTreeMap::new();
    for employee in employees {
        let none = Vec::new();
        let told = by_employee.get(&employee.to_string()).unwrap_or(&none);
        for expired in expired_of(employee, now_ms, &setting, told) {
            let count = expire_all(state, company, &expired).await?;
            *gone.entry(expired.kind.as_str()).or_default() += count;
        }
        let sessions = told.iter().filter_map(|(_, told)| told.session);
        if let Some(shortest) = sessions.chain(setting.session).min() {
            let mut write = state.write(company).await?;
            let count = write
                .expire_sessions(employee, before(now_ms, shortest))
                .await?;
            write.commit().await?;
            *gone.entry("sessions").or_default() += count;
        }
    }
    let pictures = purge_pictures(state, company).await?;
    gone.insert("pictures", pictures);
    gone.retain(|_, count| *count > 0);
    if gone.is_empty() {
        return Ok(());
    }
    let counts: Map<String, Value> = gone
        .into_iter()
        .map(|(kind, count)| (kind.to_owned(), json!(count)))
        .collect();
    let mut write = state.write(company).await?;
    let receipt = PurgeReceipt {
        receipt_id: Uuid::now_v7().to_string(),
        at_ms: now_ms,
        kind: "retention".into(),
        counts: Value::Object(counts),
        reason: None,
    };
    write.insert_receipt(&receipt).await?;
    write.commit().await?;
    state.db.scrub().await?;
    Ok(())
}

/// What of an employee has had its time: by the company's setting under any license, by a license that
/// said less under that one.
fn expired_of(
    employee_id: EmployeeId,
    now_ms: i64,
    setting: &RetentionDays,
    told: &[(LicenseId, RetentionDays)],
) -> Vec<Expired> {
    let mut all = Vec::new();
    for kind in KINDS {
        let by_setting = days(setting, kind);
        let mut push = |license_id, days| {
            all.push(Expired {
                employee_id,
                license_id,
                kind,
                before_ms: before(now_ms, days),
                limit: AT_ONCE,
            });
        };
        if let Some(days) = by_setting {
            push(None, days);
        }
        for (license, said) in told {
            match (days(said, kind), by_setting) {
                (Some(said), Some(setting)) if said >= setting => {}
                (Some(said), _) => push(Some(*license), said),
                (None, _) => {}
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_of_what_the_company_says_and_what_the_license_said_counts() {
        let of = |screenshot| RetentionDays {
            screenshot,
            ..RetentionDays::default()
        };
        let employee = EmployeeId(Uuid::from_u128(1));
        let license = |n| LicenseId(Uuid::from_u128(n));
        let told = [(license(1), of(Some(30))), (license(2), of(Some(90)))];
        let found = expired_of(employee, 100 * DAY_MS, &of(Some(60)), &told);
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.kind, one.license_id, one.before_ms / DAY_MS))
            .collect();
        let shot = Kind::Screenshot;
        assert_eq!(found, [(shot, None, 40), (shot, Some(license(1)), 70)]);
        // Where the company says nothing, what was told still counts.
        let found = expired_of(employee, 100 * DAY_MS, &of(None), &told);
        assert_eq!(found.len(), 2);
        assert!(expired_of(employee, 0, &of(None), &[]).is_empty());
    }
}
