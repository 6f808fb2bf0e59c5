//! An employer's key changes: what is followed, what is refused, and what a crash leaves.

use glasshour_license_format::succession::announce;

use super::*;

/// Acme's announcements from each of these keys to the next one, and a license by the last.
fn rotated(keys: &[u8], serial: u64) -> Vec<u8> {
    with_history(keys, serial, json!({}))
}

/// The same with other members.
pub(super) fn with_history(keys: &[u8], serial: u64, mut changes: Value) -> Vec<u8> {
    let history: Vec<_> = keys
        .windows(2)
        .map(|pair| {
            let [former, key] = [pair[0], pair[1]].map(|k| SigningKey::from_bytes(&[k; 32]));
            let company = CompanyId(Uuid::from_u128(1));
            announce(
                company,
                &former,
                &key.verifying_key(),
                Timestamp::UNIX_EPOCH,
            )
        })
        .collect();
    let issuer = json!({
        "company": "Acme",
        "company_id": Uuid::from_u128(1),
        "server_url": "https://time.acme.example",
        "key_history": history,
    });
    changes["issuer"] = issuer;
    license(*keys.last().unwrap(), serial, changes)
}

fn load_file(store: &LicenseStore, bytes: &[u8]) -> Result<License, LoadError> {
    store.load(bytes, read(bytes).unwrap(), &OPTIONS)
}

#[test]
fn an_announced_key_is_followed_by_two_steps_at_once_and_no_key_that_went_comes_back() {
    let shelf = Shelf::new();
    let first = shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
    let file = rotated(&[9, 1, 2, 3], 2);
    let offered = read(&file).unwrap();
    let change = shelf
        .store
        .key_change(&offered, OPTIONS.now)
        .unwrap()
        .unwrap();
    assert_eq!(change.from, first.signed().thumbprint());
    assert_eq!(change.to, offered.thumbprint());
    load_file(&shelf.store, &file).unwrap();
    let loaded = shelf.store.read().unwrap();
    assert_eq!(serials(&loaded.current), [2]);
    assert_eq!(
        serials(&loaded.all),
        [1, 2],
        "what the first permitted is delivered"
    );
    assert_eq!(loaded.key_changes, [change]);
    assert_eq!(shelf.store.key_change(&offered, OPTIONS.now).unwrap(), None);

    // Neither the first key nor the one in between counts, whatever the serial or the history.
    for stale in [
        license(1, 3, json!({})),
        license(2, 3, json!({})),
        rotated(&[3, 1], 3),
        rotated(&[1, 2], 3),
    ] {
        let refused = load_file(&shelf.store, &stale).unwrap_err();
        assert!(matches!(refused, LoadError::FormerKey { .. }), "{refused}");
        assert!(
            refused.to_string().contains("has given up for"),
            "{refused}"
        );
    }
    assert_eq!(shelf.current_serials(), [2]);
    // The person's own word still counts: an employer may have restored an old backup.
    let anew = LoadOptions {
        trust_new_key: true,
        ..OPTIONS
    };
    shelf.load(1, 3, json!({}), &anew).unwrap();
    let loaded = shelf.store.read().unwrap();
    assert_eq!(
        (serials(&loaded.current), loaded.key_changes.len()),
        (vec![3], 0)
    );
}

#[test]
fn a_history_that_does_not_begin_at_the_pinned_key_leads_nowhere() {
    let shelf = Shelf::new();
    shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
    for foreign in [rotated(&[7, 8], 2), license(8, 2, json!({}))] {
        assert!(matches!(
            load_file(&shelf.store, &foreign),
            Err(LoadError::UntrustedKey(_))
        ));
    }
    assert_eq!(shelf.current_serials(), [1]);
}

#[test]
fn after_a_crash_between_the_pin_and_the_file_the_same_license_is_loaded_anew() {
    let shelf = Shelf::new();
    shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
    let file = rotated(&[1, 2], 2);
    let lost = load_file(&shelf.store, &file).unwrap();
    let path = shelf
        .store
        .home
        .licenses()
        .join(file_name(lost.claims().license_id));
    std::fs::remove_file(path).unwrap();
    assert_eq!(
        shelf.current_serials(),
        Vec::<u64>::new(),
        "nothing is captured on a guess"
    );
    assert!(!shelf.store.has(lost.claims().license_id));
    load_file(&shelf.store, &file).unwrap();
    assert_eq!(shelf.current_serials(), [2]);
    assert_eq!(shelf.store.read().unwrap().key_changes.len(), 1);
}

#[test]
fn a_succession_does_not_widen_what_the_administrator_lists() {
    let shelf = Shelf::new();
    let first = shelf.load(1, 1, json!({}), &OPTIONS).unwrap();
    let file = rotated(&[1, 2], 2);
    let next = read(&file).unwrap();
    let company = Uuid::from_u128(1);
    let listed = |keys: &[&str]| -> LicenseStore {
        let entries: Vec<_> = keys
            .iter()
            .map(|key| json!({"company_id": company, "key": key}))
            .collect();
        let keys = serde_json::from_value(json!(entries)).unwrap();
        shelf.store.clone().with_trusted_keys(keys)
    };
    let old = first.signed().thumbprint();
    let refused = load_file(&listed(&[old]), &file).unwrap_err().to_string();
    assert!(
        refused.contains("A listed key has announced that one"),
        "{refused}"
    );
    assert!(refused.contains("list it"), "{refused}");
    assert_eq!(serials(&listed(&[old]).current().unwrap()), [1]);
    let both = listed(&[old, next.thumbprint()]);
    load_file(&both, &file).unwrap();
    // The key that went does not count beside the one that followed it, but alone it does.
    let stale = license(1, 3, json!({}));
    assert!(matches!(
        load_file(&both, &stale),
        Err(LoadError::FormerKey { .. })
    ));
    load_file(&listed(&[old]), &stale).unwrap();
}
