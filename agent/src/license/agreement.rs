//! What of the newest license holds: all of it, or the part that an agreed one permits as well.
//!
//! A license that the server refreshes may narrow at once. One that widens waits: in worklog mode for
//! the employee to acknowledge it, in monitoring mode for its notice to be shown.

use glasshour_license_format::changes::{changes, widens};
use glasshour_license_format::{License, WorkMode};
use glasshour_protocol::LicenseId;
use glasshour_protocol::payload::NoticeKind;

/// Returns what holds of `newest` where `agreed` is the license that was agreed to last.
pub fn in_force(newest: &License, agreed: &License) -> License {
    if waits(newest, agreed) {
        newest.within(agreed)
    } else {
        newest.clone()
    }
}

/// Whether `newest` waits to be agreed to, as a whole or in part, where `agreed` is the license that was
/// agreed to last.
pub fn waits(newest: &License, agreed: &License) -> bool {
    newest.claims().license_id != agreed.claims().license_id
}

/// The license that was agreed to last: `newest` itself where it holds altogether.
///
/// `all`: every license of that employee that was ever loaded here, in any order; the first of them
/// was agreed to when it was loaded. `event`: what became of a license's notice.
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

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn license(serial: u64, mode: &str, profile: impl Into<Value>) -> License {
        let issuer = json!({"company": "Acme", "company_id": Uuid::nil(),
            "server_url": "https://a.example"});
        issued(serial, mode, profile, &issuer)
    }

    fn issued(serial: u64, mode: &str, profile: impl Into<Value>, issuer: &Value) -> License {
        let claims = serde_json::from_value(json!({
            "version": 1,
            "license_id": Uuid::from_u128(serial.into()),
            "serial": serial,
            "issued_at": "2026-11-21T09:00:00Z",
            "issuer": issuer,
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

    /// What holds, and whether something waits.
    fn holds(all: &[License], event: impl Fn(LicenseId) -> Option<NoticeKind>) -> (License, bool) {
        let newest = all.iter().max_by_key(|l| l.claims().serial).unwrap();
        let agreed = agreed(newest, all, event);
        (in_force(newest, agreed), waits(newest, agreed))
    }

    #[test]
    fn the_first_license_and_a_narrower_one_hold_at_once() {
        let first = license(1, "worklog", shots(6));
        assert!(!holds(std::slice::from_ref(&first), NOTHING).1);
        let narrower = license(2, "worklog", shots(3));
        let (held, waits) = holds(&[narrower, first], NOTHING);
        assert_eq!((per_hour(&held), waits), (3, false));
    }

    #[test]
    fn a_wider_license_waits_until_the_employee_agrees() {
        let all = [
            license(1, "worklog", shots(6)),
            license(2, "worklog", shots(60)),
        ];
        let (held, waits) = holds(&all, NOTHING);
        assert_eq!((per_hour(&held), waits), (6, true));
        let (_, waits) = holds(&all, |_| Some(NoticeKind::Shown));
        assert!(waits, "to see it is not to agree");
        let (held, waits) = holds(&all, |_| Some(NoticeKind::Acknowledged));
        assert_eq!((per_hour(&held), waits), (60, false));
    }

    #[test]
    fn another_server_waits_although_nothing_more_is_captured() {
        let elsewhere = json!({"company": "Acme", "company_id": Uuid::nil(),
            "server_url": "https://b.example"});
        let all = [
            license(1, "worklog", shots(6)),
            issued(2, "worklog", shots(6), &elsewhere),
        ];
        let goes_to = |event: fn(LicenseId) -> Option<NoticeKind>| {
            let agreed = agreed(&all[1], &all, event);
            agreed.claims().issuer.server_url.clone()
        };
        assert_eq!(
            (goes_to(NOTHING).as_str(), holds(&all, NOTHING).1),
            ("https://a.example", true)
        );
        let agree = |_| Some(NoticeKind::Acknowledged);
        assert_eq!(
            (goes_to(agree).as_str(), holds(&all, agree).1),
            ("https://b.example", false)
        );
    }

    #[test]
    fn in_monitoring_mode_it_waits_for_its_notice() {
        let all = [
            license(1, "monitoring", shots(6)),
            license(2, "monitoring", shots(60)),
        ];
        assert!(holds(&all, NOTHING).1);
        assert!(!holds(&all, |_| Some(NoticeKind::Shown)).1);
    }

    #[test]
    fn what_was_narrowed_is_not_widened_again_without_a_word() {
        let all = [60, 6, 30]
            .iter()
            .zip(1..)
            .map(|(rate, serial)| license(serial, "worklog", shots(*rate)))
            .collect::<Vec<_>>();
        let (held, waits) = holds(&all, NOTHING);
        assert_eq!((per_hour(&held), waits), (6, true));
    }

    #[test]
    fn p04_nobody_is_monitored_who_agreed_to_a_worklog() {
        let all = [
            license(1, "worklog", shots(6)),
            license(2, "monitoring", shots(6)),
        ];
        let (held, waits) = holds(&all, NOTHING);
        assert_eq!((held.work_mode(), waits), (WorkMode::Worklog, true));
        let (shown, _) = holds(&all, |_| Some(NoticeKind::Shown));
        assert_eq!(shown.work_mode(), WorkMode::Monitoring);
    }
}
