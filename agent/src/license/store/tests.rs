//! Licenses loaded, refused, taken out of use: over real folders, with licenses signed on the spot.

mod succession;

use super::*;
use ed25519_dalek::SigningKey;
use glasshour_license_format::{WorkMode, read, sign};
use serde_json::{Value, json};
use uuid::Uuid;

const OPTIONS: LoadOptions<'_> = LoadOptions::strict(Timestamp::UNIX_EPOCH);

struct Shelf {
    _dir: tempfile::TempDir,
    store: LicenseStore,
}

impl Shelf {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = LicenseStore::new(Home::open(dir.path()).unwrap());
        Self { _dir: dir, store }
    }

    /// Loads a license of Acme that is signed by that key.
    fn load(
        &self,
        key: u8,
        serial: u64,
        changes: Value,
        options: &LoadOptions<'_>,
    ) -> Result<License, LoadError> {
        let bytes = license(key, serial, changes);
        self.store.load(&bytes, read(&bytes).unwrap(), options)
    }

    fn current_serials(&self) -> Vec<u64> {
        serials(&self.store.read().unwrap().current)
    }
}

fn serials(licenses: &[License]) -> Vec<u64> {
    let mut serials: Vec<_> = licenses.iter().map(|l| l.claims().serial).collect();
    serials.sort_unstable();
    serials
}

/// A license whose id is its serial. Members of `changes` take the place of the usual ones.
fn license(key: u8, serial: u64, changes: Value) -> Vec<u8> {
    let mut claims = json!({
        "version": 1,
        "license_id": Uuid::from_u128(serial.into()),
        "serial": serial,
        "issued_at": "2026-11-21T09:00:00Z",
        "issuer": {
            "company": "Acme",
            "company_id": Uuid::from_u128(1),
            "server_url": "https://time.acme.example",
        },
        "employee": {"employee_id": Uuid::from_u128(3), "name": "Jo Doe"},
        "work_mode": "worklog",
        "profile": {"name": "Standard"},
    });
    if let (Some(claims), Value::Object(changes)) = (claims.as_object_mut(), changes) {
        claims.extend(changes);
    }
    let claims = serde_json::from_value(claims).unwrap();
    sign(&claims, &SigningKey::from_bytes(&[key; 32])).unwrap()
}

#[test]
fn what_a_former_key_has_licensed_is_still_delivered_and_no_longer_captured() {
    let shelf = Shelf::new();
    shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
    assert!(matches!(
        shelf.load(2, 2, json!({}), &OPTIONS),
        Err(LoadError::UntrustedKey(_))
    ));
    let anew = LoadOptions {
        trust_new_key: true,
        ..OPTIONS
    };
    for (key, serial) in [(2, 2), (3, 3), (2, 4)] {
        shelf.load(key, serial, json!({}), &anew).unwrap();
    }
    // The third key is a former one now, and the second is no longer.
    assert_eq!(shelf.current_serials(), [4]);
    assert_eq!(serials(&shelf.store.read().unwrap().all), [1, 2, 3, 4]);
    assert!(matches!(
        shelf.load(3, 5, json!({}), &OPTIONS),
        Err(LoadError::ReplacedByHand { .. })
    ));
}

#[test]
fn a_key_that_was_taken_by_mistake_shuts_nobody_out() {
    let shelf = Shelf::new();
    shelf.load(1, 4, json!({}), &OPTIONS).unwrap();
    let anew = LoadOptions {
        trust_new_key: true,
        ..OPTIONS
    };
    // Somebody's forgery, with a serial far ahead.
    let forged = json!({"license_id": Uuid::from_u128(77)});
    shelf.load(2, 99, forged, &anew).unwrap();
    let said = shelf.load(1, 5, json!({}), &OPTIONS).unwrap_err();
    assert!(said.to_string().contains("if that was a mistake"), "{said}");
    shelf.load(1, 5, json!({}), &anew).unwrap();
    assert_eq!(shelf.current_serials(), [5]);
    // Within its own line a serial never goes down.
    assert!(matches!(
        shelf.load(1, 3, json!({}), &anew),
        Err(LoadError::OlderSerial { .. })
    ));
    // What was captured under the forgery is still known, and says nothing of what was agreed to.
    let known = shelf.store.read().unwrap();
    assert_eq!(serials(&known.all), [4, 5, 99]);
    assert_eq!(known.strangers, [LicenseId(Uuid::from_u128(77))]);
    let standing = known.agreement(&known.current[0]);
    assert!(!standing.waits(), "nothing was widened since serial 4");
}

#[test]
fn a_license_that_leaves_its_keys_history_out_is_of_the_same_line() {
    let shelf = Shelf::new();
    let shots = |per_hour: u32| json!({"name": "P", "screenshots": {"per_hour": per_hour}});
    shelf
        .load(1, 1, json!({"profile": shots(6)}), &OPTIONS)
        .unwrap();
    let announced = succession::with_history(&[1, 2], 2, json!({"profile": shots(60)}));
    let signed = read(&announced).unwrap();
    shelf.store.load(&announced, signed, &OPTIONS).unwrap();
    let older = shelf.load(2, 1, json!({"license_id": Uuid::from_u128(9)}), &OPTIONS);
    assert!(older.is_err(), "no way back by the new key");
    shelf
        .load(2, 3, json!({"profile": shots(60)}), &OPTIONS)
        .unwrap();
    let known = shelf.store.read().unwrap();
    let standing = known.agreement(&known.current[0]);
    let rate = standing
        .in_force
        .permits()
        .screenshots()
        .unwrap()
        .settings()
        .per_hour;
    assert_eq!((rate, standing.waits()), (6, true));
}

#[test]
fn a_serial_is_given_once() {
    let shelf = Shelf::new();
    shelf.load(1, 2, json!({}), &OPTIONS).unwrap();
    let other = json!({"license_id": Uuid::from_u128(9)});
    assert!(matches!(
        shelf.load(1, 2, other, &OPTIONS),
        Err(LoadError::SerialTaken(2))
    ));
    shelf.load(1, 2, json!({}), &OPTIONS).unwrap();
}

#[test]
fn no_license_comes_in_the_place_of_another_by_bearing_its_number() {
    let shelf = Shelf::new();
    let monitoring = json!({"work_mode": "monitoring"});
    shelf.load(1, 1, monitoring, &OPTIONS).unwrap();
    let anew = LoadOptions {
        trust_new_key: true,
        ..OPTIONS
    };
    for (key, serial, changes) in [
        (9, 1, xeno("worklog")),
        (1, 1, json!({})),
        (9, 1, json!({})),
    ] {
        let refused = shelf.load(key, serial, changes, &anew).unwrap_err();
        assert!(matches!(refused, LoadError::NumberTaken(_)), "{refused}");
    }
    let current = shelf.store.read().unwrap().current;
    assert_eq!(current.len(), 1);
    assert_eq!(current[0].work_mode(), WorkMode::Monitoring);
    // Taken out of use, its number is still its own; the very same file comes back.
    shelf.store.remove(CompanyId(Uuid::from_u128(1))).unwrap();
    assert!(matches!(
        shelf.load(9, 1, json!({}), &anew),
        Err(LoadError::NumberTaken(_))
    ));
    let again = json!({"work_mode": "monitoring"});
    shelf.load(1, 1, again, &OPTIONS).unwrap();
}

/// A license of another company, whose name it may bear.
fn xeno(mode: &str) -> Value {
    json!({
        "issuer": {
            "company": "Xeno",
            "company_id": Uuid::from_u128(2),
            "server_url": "https://xeno.example",
        },
        "work_mode": mode,
    })
}

#[test]
fn the_number_of_a_stranger_that_was_removed_and_never_used_is_free_again() {
    let shelf = Shelf::new();
    let stranger = shelf.load(9, 1, xeno("worklog"), &OPTIONS).unwrap();
    let id = stranger.claims().license_id;
    let notices = Notices::open(shelf.store.home.clone());
    let showing = crate::license::Showing {
        by: "terminal",
        language: glasshour_words::Language::English,
    };
    notices.set(id, NoticeKind::Acknowledged, showing).unwrap();
    let taken = shelf.load(1, 1, json!({}), &OPTIONS);
    assert!(matches!(taken, Err(LoadError::NumberTaken(_))), "in use");
    shelf.store.remove(CompanyId(Uuid::from_u128(2))).unwrap();
    shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
    let known = shelf.store.read().unwrap();
    let companies: Vec<_> = known
        .all
        .iter()
        .map(|one| &*one.claims().issuer.company)
        .collect();
    assert_eq!(companies, ["Acme"]);
    assert_eq!(
        notices.event(id),
        None,
        "the stranger's notice was not this one's"
    );
}

#[tokio::test]
async fn the_number_of_a_stranger_under_which_something_was_recorded_stays_its_own() {
    let shelf = Shelf::new();
    shelf.load(9, 1, xeno("worklog"), &OPTIONS).unwrap();
    let company = CompanyId(Uuid::from_u128(2));
    let config = crate::seal_key::spool_config(&shelf.store.home, company, u64::MAX).unwrap();
    let spool = glasshour_uploader::Spool::open(&shelf.store.home.spool(company), config).unwrap();
    let draft = glasshour_uploader::Draft {
        license_id: LicenseId(Uuid::from_u128(1)),
        kind: glasshour_protocol::Kind::Health,
        captured: glasshour_uploader::spool::CapturedAt {
            wall_ms: 1,
            mono_ms: 1,
            boot_id: "boot".into(),
            utc_offset_min: 0,
        },
        content_type: "application/json".into(),
        payload: b"{}".to_vec(),
        meta: glasshour_protocol::RecordMeta::default(),
        hold_until_ms: 0,
    };
    spool.push(draft).await.unwrap();
    shelf.store.remove(company).unwrap();
    // Also while the agent has the spool open.
    let taken = shelf.load(1, 1, json!({}), &OPTIONS);
    assert!(matches!(taken, Err(LoadError::NumberTaken(_))), "{taken:?}");
}

#[test]
fn what_is_wrong_with_a_file_is_logged_once_and_not_at_every_look() {
    let shelf = Shelf::new();
    let folder = shelf.store.home.licenses();
    std::fs::write(folder.join("a.license.gz"), b"no license").unwrap();
    for _ in 0..3 {
        assert!(shelf.store.read().unwrap().damaged);
    }
    assert_eq!(shelf.store.told.count(), 1);
    std::fs::write(folder.join("b.license.gz"), b"no license either").unwrap();
    assert!(shelf.store.clone().read().unwrap().damaged);
    assert_eq!(shelf.store.told.count(), 2);
}

#[test]
fn where_the_administrator_pins_keys_nothing_else_counts() {
    let shelf = Shelf::new();
    let first = shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
    let listed = |company: u128, key: &str| -> TrustedKeys {
        let company = Uuid::from_u128(company);
        serde_json::from_value(json!([{"company_id": company, "key": key}])).unwrap()
    };
    let pinned = |keys: TrustedKeys| shelf.store.clone().with_trusted_keys(keys);
    let file = license(2, 2, json!({}));
    let second = read(&file).unwrap();
    let anew = LoadOptions {
        trust_new_key: true,
        ..OPTIONS
    };

    // The loaded key is listed: it counts, and --trust-new-key brings in no other.
    let store = pinned(listed(1, first.signed().thumbprint()));
    assert_eq!(serials(&store.read().unwrap().current), [1]);
    assert_eq!(store.read().unwrap().problems, [""; 0]);
    let refused = store.load(&file, second.clone(), &anew).unwrap_err();
    assert!(matches!(refused, LoadError::NotListed(_)), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("other keys of this company") && text.contains("Ask the admin"));

    // Another is listed, or another company: out of use, not deleted, and it is said why.
    for keys in [
        listed(1, second.thumbprint()),
        listed(7, second.thumbprint()),
    ] {
        let store = pinned(keys);
        assert_eq!(serials(&store.read().unwrap().current), [0; 0]);
        assert_eq!(serials(&store.read().unwrap().all), [1]);
        let problems = store.read().unwrap().problems;
        assert!(
            problems
                .concat()
                .contains("A license of Acme is out of use")
        );
    }
    assert_eq!(shelf.current_serials(), [1]);

    // The listed key is taken without a word from the person.
    let store = pinned(listed(1, second.thumbprint()));
    store.load(&file, second, &OPTIONS).unwrap();
    assert_eq!(serials(&store.read().unwrap().current), [2]);
}

#[test]
fn pins_of_an_earlier_version_are_read() {
    let shelf = Shelf::new();
    let license = shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
    let text = std::fs::read_to_string(shelf.store.home.trust()).unwrap();
    let old = json!({ Uuid::from_u128(1).to_string(): license.signed().thumbprint() });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), old);
    assert_eq!(shelf.current_serials(), [1]);
}

#[test]
fn a_license_that_was_removed_makes_no_way_back_to_an_older_one() {
    let shelf = Shelf::new();
    let newer = shelf.load(1, 2, json!({}), &OPTIONS).unwrap();
    assert!(shelf.store.is_in_use(newer.signed()).unwrap());
    let company = newer.claims().issuer.company_id;
    assert_eq!(shelf.store.remove(company).unwrap(), 1);
    assert!(!shelf.store.is_in_use(newer.signed()).unwrap());
    assert!(matches!(
        shelf.load(1, 1, json!({}), &OPTIONS),
        Err(LoadError::OlderSerial {
            offered: 1,
            loaded: 2
        })
    ));
    shelf.load(1, 2, json!({}), &OPTIONS).unwrap();
    assert_eq!(shelf.current_serials(), [2]);
    assert_eq!(serials(&shelf.store.read().unwrap().all), [2]);
}

#[test]
fn one_persons_device_is_never_used_for_another_person_of_the_same_company() {
    let shelf = Shelf::new();
    let license = shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
    let someone_else = json!({"employee": {
        "employee_id": Uuid::from_u128(4),
        "name": "Kim Roe",
    }});
    let refused =
        |answer: Result<License, LoadError>| matches!(answer, Err(LoadError::OtherEmployee { .. }));
    assert!(refused(shelf.load(1, 2, someone_else.clone(), &OPTIONS)));
    shelf
        .store
        .remove(license.claims().issuer.company_id)
        .unwrap();
    assert!(refused(shelf.load(1, 2, someone_else, &OPTIONS)));
}

#[test]
fn p13_a_license_goes_out_of_use_when_the_administrator_takes_its_file_away() {
    let shelf = Shelf::new();
    let id = |serial: u64| LicenseId(Uuid::from_u128(serial.into()));
    let monitoring = json!({"work_mode": "monitoring"});
    for serial in [1, 2] {
        shelf.load(1, serial, monitoring.clone(), &OPTIONS).unwrap();
    }
    shelf.store.note_adopted(id(2), "jo.license.gz").unwrap();
    let company = CompanyId(Uuid::from_u128(1));
    let present = |company| Present {
        file: "jo.license.gz".into(),
        company,
    };
    // There, or there and not readable: nothing changes.
    for there in [Some(company), None] {
        let retired = shelf.store.retire_missing(&[present(there)]).unwrap();
        assert_eq!(retired, []);
    }
    assert_eq!(shelf.current_serials(), [2]);
    assert_eq!(shelf.store.retire_missing(&[]).unwrap(), [company]);
    // The older one does not come back in its place, and both can still deliver.
    assert_eq!(shelf.current_serials(), Vec::<u64>::new());
    assert_eq!(serials(&shelf.store.read().unwrap().all), [1, 2]);
    assert_eq!(shelf.store.retire_missing(&[]).unwrap(), []);
    // Put back, it is used again; replaced by another company's, it is not.
    shelf.load(1, 2, monitoring, &OPTIONS).unwrap();
    shelf.store.note_adopted(id(2), "jo.license.gz").unwrap();
    let other = CompanyId(Uuid::from_u128(9));
    let retired = shelf.store.retire_missing(&[present(Some(other))]);
    assert_eq!(retired.unwrap(), [company]);
}
