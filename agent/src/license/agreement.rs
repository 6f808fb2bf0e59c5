//! What of the newest license holds: all of it, or the part that was agreed to.
//!
//! A license that the server refreshes may narrow at once. One that widens waits: in worklog mode for
//! the employee to acknowledge it, in monitoring mode for its notice to be shown. What one has narrowed
//! stays narrow until then, also where the next one gives it back.

use glasshour_license_format::changes::{changes, widens};
use glasshour_license_format::{Claims, License, WorkMode};
use glasshour_protocol::LicenseId;
use glasshour_protocol::payload::NoticeKind;

/// How the newest license of an employer stands.
#[derive(Clone, Debug)]
pub struct Agreement<'a> {
    /// What holds: the license that was agreed to last, and of it what every newer one permits as well.
    /// What is captured bears it, and goes where it says.
    pub in_force: License,
    /// What held last of a license for worklogs, if one ever did.
    of_worklogs: Option<License>,
    newest: &'a License,
    /// Whether anything is known to be agreed to.
    settled: bool,
}

impl<'a> Agreement<'a> {
    /// How `newest` stands after those before it, by serial. The first of them all was agreed to when it
    /// was loaded, unless `whole` is false: then an earlier one may be missing, and its own notice must
    /// say so. `event`: what became of a license's notice.
    pub(super) fn of(
        before: Vec<&'a License>,
        newest: &'a License,
        whole: bool,
        event: impl Fn(LicenseId) -> Option<NoticeKind>,
    ) -> Self {
        let mut history = before.into_iter().chain([newest]);
        let first = history.next().unwrap_or(newest);
        let agreed =
            |license: &License| is_agreed(license.work_mode(), event(license.claims().license_id));
        let settled = whole || agreed(first);
        // Where earlier ones may be missing, nobody knows what was agreed to of worklogs.
        let of_worklogs = (!whole).then(|| first.without_channels());
        let beginning = Self {
            in_force: if settled {
                first.clone()
            } else {
                first.without_channels()
            },
            of_worklogs,
            newest,
            settled,
        };
        history.fold(beginning.noting_worklogs(), |standing, license| {
            let holds = agreed(license) || (standing.settled && !standing.is_widened_by(license));
            let in_force = if holds {
                license.clone()
            } else {
                standing.base_for(license).narrowed_by(license)
            };
            Self {
                in_force,
                of_worklogs: standing.of_worklogs,
                settled: standing.settled || holds,
                newest,
            }
            .noting_worklogs()
        })
    }

    /// What a worklog license may hold is what was agreed to of worklogs, also after a license for
    /// monitoring mode, which nobody agrees to, held in between.
    fn noting_worklogs(mut self) -> Self {
        if self.in_force.work_mode() == WorkMode::Worklog {
            self.of_worklogs = Some(self.in_force.clone());
        }
        self
    }

    /// What was agreed to of worklogs before, where the license is for them and monitoring holds now.
    fn worklogs_before(&self, license: &License) -> Option<&License> {
        let back = license.work_mode() == WorkMode::Worklog
            && self.in_force.work_mode() == WorkMode::Monitoring;
        self.of_worklogs.as_ref().filter(|_| back)
    }

    fn is_widened_by(&self, license: &License) -> bool {
        let bounds = [Some(&self.in_force), self.worklogs_before(license)];
        let wider = |bound: &License| widens(&changes(&bound.in_force(), license.claims()));
        bounds.into_iter().flatten().any(wider)
    }

    /// What goes on to hold, narrowed, while that license waits.
    fn base_for(&self, license: &License) -> License {
        let before = self.worklogs_before(license);
        before.map_or_else(
            || self.in_force.clone(),
            |worklogs| worklogs.narrowed_by(&self.in_force),
        )
    }

    /// Whether the newest license waits to be agreed to, as a whole or in part.
    pub fn waits(&self) -> bool {
        !self.settled || self.in_force.claims().license_id != self.newest.claims().license_id
    }

    /// What holds, as a license would say it: to be read, and to compare a newer one with.
    pub fn claims(&self) -> Claims {
        self.in_force.in_force()
    }
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
        let mut before: Vec<_> = all.iter().filter(|l| !std::ptr::eq(*l, newest)).collect();
        before.sort_by_key(|license| license.claims().serial);
        let standing = Agreement::of(before, newest, true, event);
        let waits = standing.waits();
        (standing.in_force, waits)
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
            let standing = Agreement::of(vec![&all[0]], &all[1], true, event);
            standing.claims().issuer.server_url
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
    fn what_a_waiting_license_narrowed_does_not_come_back_with_the_next_one() {
        let hold = |seconds: u32, shots: bool| {
            let mut profile = json!({"name": "P", "review_hold_s": seconds});
            if shots {
                profile["screenshots"] = json!({"per_hour": 6});
            }
            profile
        };
        let all = [
            license(1, "worklog", hold(600, true)),
            // Less in one thing, more in another: it waits, and its less holds.
            license(2, "worklog", hold(60, false)),
            license(3, "worklog", hold(600, true)),
        ];
        let (held, waits) = holds(&all[..2], NOTHING);
        assert_eq!((held.profile().review_hold_s, waits), (600, true));
        let (held, waits) = holds(&all, NOTHING);
        assert!(held.permits().screenshots().is_none() && waits);
        let agree = |_| Some(NoticeKind::Acknowledged);
        assert_eq!(per_hour(&holds(&all, agree).0), 6);
    }

    #[test]
    fn a_shorter_idle_time_waits_and_a_longer_one_holds_at_once() {
        let idle = |seconds: u32| json!({"name": "P", "idle_after_s": seconds});
        for (then, held_s, waits) in [(60, 300, true), (600, 600, false)] {
            let all = [
                license(1, "worklog", idle(300)),
                license(2, "worklog", idle(then)),
            ];
            let (held, waiting) = holds(&all, NOTHING);
            assert_eq!((held.profile().idle_after_s, waiting), (held_s, waits));
        }
    }

    #[test]
    fn p04_a_monitoring_license_in_between_lets_no_worklog_hold_more_than_was_agreed_to() {
        let shown = |id: LicenseId| (id.0.as_u128() == 2).then_some(NoticeKind::Shown);
        let all = [
            license(1, "worklog", shots(6)),
            license(2, "monitoring", shots(60)),
            license(3, "worklog", shots(60)),
            license(4, "worklog", shots(60)),
        ];
        assert_eq!(per_hour(&holds(&all[..2], shown).0), 60);
        for known in [&all[..3], &all[..]] {
            let (held, waits) = holds(known, shown);
            assert_eq!((per_hour(&held), waits), (6, true));
            assert_eq!(
                (held.work_mode(), held.claims().serial),
                (WorkMode::Worklog, 1)
            );
        }
        let agreed = |id: LicenseId| match id.0.as_u128() {
            3 => Some(NoticeKind::Acknowledged),
            _ => shown(id),
        };
        let (held, waits) = holds(&all, agreed);
        assert_eq!(
            (per_hour(&held), held.claims().serial, waits),
            (60, 4, false)
        );
    }

    #[test]
    fn what_monitoring_narrowed_stays_narrow_in_the_worklog_after_it() {
        let shown = |id: LicenseId| (id.0.as_u128() == 2).then_some(NoticeKind::Shown);
        let all = [
            license(1, "worklog", shots(6)),
            license(2, "monitoring", shots(3)),
            license(3, "worklog", shots(6)),
        ];
        let (held, waits) = holds(&all, shown);
        assert_eq!((per_hour(&held), waits), (3, true));
        // A worklog within both holds at once.
        let within = [
            all[0].clone(),
            all[1].clone(),
            license(3, "worklog", shots(2)),
        ];
        let (held, waits) = holds(&within, shown);
        assert_eq!(
            (per_hour(&held), held.claims().serial, waits),
            (2, 3, false)
        );
    }

    #[test]
    fn a_worklog_after_monitoring_alone_waits_where_an_earlier_one_may_be_missing() {
        let all = [
            license(2, "monitoring", shots(60)),
            license(3, "worklog", shots(60)),
        ];
        let shown = |id: LicenseId| (id.0.as_u128() == 2).then_some(NoticeKind::Shown);
        let standing = |whole| Agreement::of(vec![&all[0]], &all[1], whole, shown);
        assert!(!standing(true).waits());
        let damaged = standing(false);
        assert!(damaged.in_force.permits().screenshots().is_none() && damaged.waits());
    }

    #[test]
    fn where_an_earlier_license_may_be_missing_nothing_counts_as_agreed_to_by_itself() {
        let newest = license(2, "worklog", shots(60));
        let standing = Agreement::of(vec![], &newest, false, NOTHING);
        assert!(standing.in_force.permits().screenshots().is_none() && standing.waits());
        let agree = |_| Some(NoticeKind::Acknowledged);
        let standing = Agreement::of(vec![], &newest, false, agree);
        assert!(standing.in_force.permits().screenshots().is_some() && !standing.waits());
    }

    #[test]
    fn hours_that_a_waiting_license_narrowed_stay_narrow() {
        let hours = |from: &str, to: &str| {
            json!({"name": "P", "schedule": {
                "time_zone": "Europe/Paris", "days": ["mon"], "from": from, "to": to}})
        };
        let all = [
            license(1, "worklog", hours("08:00", "12:00")),
            license(2, "worklog", hours("10:00", "19:00")),
            license(3, "worklog", hours("08:00", "12:00")),
        ];
        let (held, waits) = holds(&all[..2], NOTHING);
        let told = held.in_force().profile.schedule.unwrap();
        assert_eq!((told.from.minutes(), told.to.minutes()), (600, 720));
        assert_eq!((held.schedules().len(), waits), (2, true));
        assert!(holds(&all, NOTHING).1);
    }

    #[test]
    fn what_was_agreed_to_stays_the_license_that_records_bear() {
        let delete = |may: bool| json!({"name": "P", "employee_may_delete": may});
        let all = [
            license(1, "worklog", delete(true)),
            license(2, "worklog", delete(false)),
        ];
        let (held, waits) = holds(&all, NOTHING);
        assert_eq!((held.claims().serial, waits), (1, true));
        assert!(held.profile().employee_may_delete);
    }

    #[test]
    fn a_longer_time_waits_like_anything_else_that_is_more() {
        let until = |serial: u64, day: &str| {
            let license = license(serial, "worklog", shots(6));
            let mut claims = license.claims().clone();
            claims.expires_at = Some(format!("{day}T00:00:00Z").parse().unwrap());
            let key = SigningKey::from_bytes(&[1; 32]);
            let file = glasshour_license_format::sign(&claims, &key).unwrap();
            let signed = glasshour_license_format::read(&file).unwrap();
            let thumbprint = signed.thumbprint().to_owned();
            signed.trust(&thumbprint).unwrap()
        };
        let all = [until(1, "2027-01-01"), until(2, "2028-01-01")];
        let (held, waits) = holds(&all, NOTHING);
        assert_eq!((held.expires_at(), waits), (all[0].expires_at(), true));
        let agree = |_| Some(NoticeKind::Acknowledged);
        assert_eq!(holds(&all, agree).0.expires_at(), all[1].expires_at());
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
