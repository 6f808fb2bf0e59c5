//! What of the newest license holds: all of it, or the part that an agreed one permits as well.
//!
//! A license that the server refreshes may narrow at once. One that widens waits: in worklog mode for
//! the employee to acknowledge it, in monitoring mode for its notice to be shown.

use glasshour_license_format::changes::{changes, widens};
use glasshour_license_format::{License, WorkMode};
use glasshour_protocol::LicenseId;
use glasshour_protocol::payload::NoticeKind;

/// Returns what holds of `newest`.
///
/// `all`: every license of that employee that was ever loaded here, in any order; the first of them
/// was agreed to when it was loaded. `event`: what became of a license's notice.
pub fn in_force(
    newest: &License,
    all: &[License],
    event: impl Fn(LicenseId) -> Option<NoticeKind>,
) -> License {
    let agreed = agreed(newest, all, event);
    if agreed.claims().license_id == newest.claims().license_id {
        newest.clone()
    } else {
        newest.within(agreed)
    }
}

/// The license that was agreed to last: `newest` itself where it holds altogether.
///
/// The arguments are those of [`in_force`].
pub fn agreed<'a>(
    newest: &'a License,
    all: &'a [License],
    event: impl Fn(LicenseId) -> Option<NoticeKind>,
) -> &'a License {
    let employee = &newest.claims().employee.employee_id;
    let mut history: Vec<_> = all
        .iter()
        .filter(|license| license.claims().employee.employee_id == *employee)
        .filter(|license| license.claims().serial < newest.claims().serial)
        .collect();
    history.sort_by_key(|license| license.claims().serial);
    let mut agreed: Option<&License> = None;
    for license in history.into_iter().chain([newest]) {
        let holds = agreed.is_none_or(|agreed| {
            !widens(&changes(agreed.claims(), license.claims()))
                || is_agreed(license.work_mode(), event(license.claims().license_id))
        });
        if holds {
            agreed = Some(license);
        }
    }
    agreed.unwrap_or(newest)
}

fn is_agreed(mode: WorkMode, event: Option<NoticeKind>) -> bool {
    match mode {
        WorkMode::Worklog => event == Some(NoticeKind::Acknowledged),
        WorkMode::Monitoring => event.is_some(),
    }
}

/// Whether something of the license waits to be agreed to.
pub fn waits(license: &License) -> bool {
    let claims = license.claims();
    (license.profile(), license.work_mode()) != (&claims.profile, claims.work_mode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn license(serial: u64, mode: &str, profile: impl Into<Value>) -> License {
        let claims = serde_json::from_value(json!({
            "version": 1,
            "license_id": Uuid::from_u128(serial.into()),
            "serial": serial,
            "issued_at": "2026-11-21T09:00:00Z",
            "issuer": {"company": "Acme", "company_id": Uuid::nil(), "server_url": "https://a.example"},
            "employee": {"employee_id": Uuid::nil(), "name": "Jo Doe"},
            "work_mode": mode,
            "profile": profile.into(),
        }))
        .unwrap();
        let file =
            glasshour_license_format::sign(&claims, &SigningKey::from_bytes(&[1; 32])).unwrap();
        let signed = glasshour_license_format::read(&file).unwrap();
        let thumbprint = signed.thumbprint().to_owned();
        signed.trust(&thumbprint).unwrap()
    }

    fn shots(per_hour: u32) -> Value {
        json!({"name": "P", "screenshots": {"per_hour": per_hour}})
    }

    fn per_hour(license: &License) -> u32 {
        license.permits().screenshots().unwrap().settings().per_hour
    }

    const NOTHING: fn(LicenseId) -> Option<NoticeKind> = |_| None;

    #[test]
    fn the_first_license_and_a_narrower_one_hold_at_once() {
        let first = license(1, "worklog", shots(6));
        assert!(!waits(&in_force(
            &first,
            std::slice::from_ref(&first),
            NOTHING
        )));
        let narrower = license(2, "worklog", shots(3));
        let held = in_force(&narrower, &[narrower.clone(), first], NOTHING);
        assert_eq!((per_hour(&held), waits(&held)), (3, false));
    }

    #[test]
    fn a_wider_license_waits_until_the_employee_agrees() {
        let all = [
            license(1, "worklog", shots(6)),
            license(2, "worklog", shots(60)),
        ];
        let held = in_force(&all[1], &all, NOTHING);
        assert_eq!((per_hour(&held), waits(&held)), (6, true));
        let shown = in_force(&all[1], &all, |_| Some(NoticeKind::Shown));
        assert!(waits(&shown), "to see it is not to agree");
        let agreed = in_force(&all[1], &all, |_| Some(NoticeKind::Acknowledged));
        assert_eq!((per_hour(&agreed), waits(&agreed)), (60, false));
    }

    #[test]
    fn in_monitoring_mode_it_waits_for_its_notice() {
        let all = [
            license(1, "monitoring", shots(6)),
            license(2, "monitoring", shots(60)),
        ];
        assert!(waits(&in_force(&all[1], &all, NOTHING)));
        assert!(!waits(&in_force(&all[1], &all, |_| Some(
            NoticeKind::Shown
        ))));
    }

    #[test]
    fn what_was_narrowed_is_not_widened_again_without_a_word() {
        let all = [60, 6, 30]
            .iter()
            .zip(1..)
            .map(|(rate, serial)| license(serial, "worklog", shots(*rate)))
            .collect::<Vec<_>>();
        let held = in_force(&all[2], &all, NOTHING);
        assert_eq!((per_hour(&held), waits(&held)), (6, true));
    }

    #[test]
    fn p04_nobody_is_monitored_who_agreed_to_a_worklog() {
        let all = [
            license(1, "worklog", shots(6)),
            license(2, "monitoring", shots(6)),
        ];
        let held = in_force(&all[1], &all, NOTHING);
        assert_eq!((held.work_mode(), waits(&held)), (WorkMode::Worklog, true));
        let shown = in_force(&all[1], &all, |_| Some(NoticeKind::Shown));
        assert_eq!(shown.work_mode(), WorkMode::Monitoring);
    }
}
