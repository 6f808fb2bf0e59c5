//! The cases, by what they break.

mod broken_disk;
mod clocks;
mod damage;
mod desktop;
mod full;
mod kills;
mod limits;
mod network;
mod power;
mod replies;
mod requests;
mod slow;
mod start;

use crate::case::Case;

/// Every case, by number.
pub(crate) fn all() -> Vec<&'static Case> {
    let mut all: Vec<&'static Case> = [
        broken_disk::CASES,
        clocks::CASES,
        damage::CASES,
        desktop::CASES,
        full::CASES,
        kills::CASES,
        limits::CASES,
        network::CASES,
        power::CASES,
        replies::CASES,
        requests::CASES,
        slow::CASES,
        start::CASES,
    ]
    .into_iter()
    .flatten()
    .collect();
    all.sort_by_key(|case| case.number);
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_case_has_a_number_and_a_name_of_its_own() {
        let all = super::all();
        let numbers: BTreeSet<u8> = all.iter().map(|case| case.number).collect();
        let names: BTreeSet<&str> = all.iter().map(|case| case.name).collect();
        assert_eq!((numbers.len(), names.len()), (all.len(), all.len()));
        assert!(
            all.iter()
                .all(|case| case.tries.0 > 0 && case.tries.1 >= case.tries.0)
        );
    }
}
