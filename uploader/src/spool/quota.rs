//! How large the spool may grow, and what is given up first: pure.
//!
//! Pictures take nearly all of the room, so they make way: from three quarters of the quota on every
//! second moment is kept, from seven eighths on every fourth, and none where it is full. Sessions,
//! activity, health and notices are small and are kept whatever the quota says; only a full disk stops
//! them. What was not kept is counted.

use glasshour_protocol::Kind;

/// Where nothing else is said: 2 GiB.
pub const DEFAULT_BYTES: u64 = 2 << 30;

/// Whether a record is kept, with `used` of `quota` bytes in use. Pictures of one moment share their
/// fate, whatever their monitor.
pub(super) fn keeps(kind: Kind, used: u64, quota: u64, captured_at_ms: i64) -> bool {
    if !matches!(kind, Kind::Screenshot | Kind::Camera) || used < quota / 4 * 3 {
        return true;
    }
    let one_of = if used < quota / 8 * 7 {
        2
    } else if used < quota {
        4
    } else {
        return false;
    };
    scattered(captured_at_ms.unsigned_abs()).is_multiple_of(one_of)
}

/// Spreads moments evenly, also those that lie on a grid (the finalizer of `MurmurHash3`).
fn scattered(mut moment: u64) -> u64 {
    moment ^= moment >> 33;
    moment = moment.wrapping_mul(0xff51_afd7_ed55_8ccd);
    moment ^= moment >> 33;
    moment = moment.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    moment ^ (moment >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUOTA: u64 = 8_000;

    #[test]
    fn pictures_thin_out_as_it_fills_and_stop_when_it_is_full() {
        // Every ten minutes, as a schedule without random moments has them.
        let kept = |used: u64| {
            let moments = (0..4_000).map(|n| 1_795_424_400_000 + n * 600_000);
            moments
                .filter(|at| keeps(Kind::Screenshot, used, QUOTA, *at))
                .count()
        };
        assert_eq!(kept(0), 4_000);
        assert_eq!(kept(5_999), 4_000);
        assert!((1_800..2_200).contains(&kept(6_000)), "{}", kept(6_000));
        assert!((850..1_150).contains(&kept(7_000)), "{}", kept(7_000));
        assert_eq!(kept(8_000), 0);
    }

    proptest! {
        #[test]
        fn sessions_and_activity_are_kept_however_full_it_is(used: u64, quota: u64, at: i64) {
            for kind in [Kind::Session, Kind::Activity, Kind::Health, Kind::Notice] {
                prop_assert!(keeps(kind, used, quota, at));
            }
        }

        #[test]
        fn what_is_kept_of_a_fuller_spool_is_kept_of_an_emptier_one(
            a in 0_u64..9_000, b in 0_u64..9_000, at: i64,
        ) {
            let (less, more) = (a.min(b), a.max(b));
            let kept = |used| keeps(Kind::Camera, used, QUOTA, at);
            prop_assert!(kept(less) || !kept(more));
        }
    }
}
