//! Why records were refused for what their license says (gate 3), in words: for the console and for
//! `doctor`.

use glasshour_protocol::code;

/// What was refused, so that "3 records refused: " can stand before it.
pub(crate) fn words(refusal: &str) -> &'static str {
    match refusal {
        code::CHANNEL_NOT_LICENSED => "their kind is not licensed",
        code::OUTSIDE_SCHEDULE => "captured outside of the licensed hours",
        code::INPUT_COUNTS_NOT_LICENSED => "input counts are not licensed",
        code::APPLICATIONS_NOT_LICENSED => "application names are not licensed",
        code::TITLES_NOT_LICENSED => "window titles are not licensed",
        code::EXCLUDED => "an excluded application or title was in them",
        code::BLUR_TOO_WEAK => "less blurred than licensed",
        code::PICTURE_TOO_WIDE => "wider than licensed",
        code::MONITORS_NOT_LICENSED => "only the active monitor is licensed",
        code::RATE_EXCEEDED => "more an hour than licensed",
        code::DELETION_NOT_LICENSED => "deleted by the employee, which is not licensed",
        code::LICENSE_SUPERSEDED => "a newer license does not permit them",
        code::LICENSE_EXPIRED => "their license was not valid at that time",
        code::LICENSE_UNKNOWN => "their license is not one of this employee's",
        _ => "their license does not permit them",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshour_license_format::Excess;

    #[test]
    fn every_excess_that_a_server_can_find_has_words_of_its_own() {
        let mut told: Vec<_> = Excess::EACH
            .into_iter()
            .filter(|excess| *excess != Excess::Unreadable)
            .map(|excess| words(excess.code()))
            .collect();
        told.push(words("another"));
        let before = told.len();
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), before);
    }
}
