//! The looks that wait, as a value over its [`Slots`]: no clock, no database, no network.
//!
//! Looks that would be one row in the database are one look here (same viewer, person, thing and quarter of an
//! hour); what it has become is written into another slot before the old one is emptied, so that a cut never
//! takes the look that stood there. Of two slots of one look, the later version counts.

use std::collections::BTreeMap;
use std::path::Path;

use glasshour_protocol::CompanyId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::slots::{Held, Slots};
use crate::asker::Asker;
use crate::store::NewView;

/// Slots of the file: a mebibyte.
const SLOTS: usize = 256;

/// A look that waits for the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The id of its row.
    pub(super) id: Uuid,
    /// Counts what became of it.
    pub(super) version: u32,
    pub(super) company_id: CompanyId,
    /// When it began to be one row, UTC milliseconds.
    pub(super) first_at_ms: i64,
    pub(super) view: NewView,
    /// Where the audit log has to have it too: who asked, and why.
    pub(super) asker: Option<Asker>,
}

impl Kept {
    /// Whether both are one row.
    fn is_one_with(&self, other: &Self) -> bool {
        // What the audit log has is an entry each.
        self.asker.is_none()
            && other.asker.is_none()
            && self.company_id == other.company_id
            && self.view.is_one_with(&other.view)
    }
}

/// Why a look was not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeepError {
    /// Each slot has a look that waits.
    #[error("as many looks wait as there is room for")]
    Full,
    #[error("the file of looks cannot be written")]
    Io(#[from] std::io::Error),
}

#[derive(Debug)]
pub(super) struct Journal {
    slots: Slots,
    /// By id, with its slot.
    kept: BTreeMap<Uuid, (usize, Kept)>,
    free: Vec<usize>,
}

impl Journal {
    /// Opens the file, making it where it is missing.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let slots = Slots::open(path, SLOTS)?;
        let mut journal = Self {
            kept: BTreeMap::new(),
            free: Vec::new(),
            slots,
        };
        for slot in 0..journal.slots.count() {
            let found = match journal.slots.read(slot)? {
                Held::Nothing => None,
                Held::Damaged => {
                    tracing::warn!(
                        slot,
                        "a look was not written to its end, and nothing was shown"
                    );
                    None
                }
                Held::Content(bytes) => Some(serde_json::from_slice::<Kept>(&bytes)?),
            };
            let older = match found {
                None => Some(slot),
                Some(kept) => match journal.kept.get(&kept.id) {
                    Some((_, other)) if other.version > kept.version => Some(slot),
                    _ => journal
                        .kept
                        .insert(kept.id, (slot, kept))
                        .map(|(slot, _)| slot),
                },
            };
            if let Some(slot) = older {
                if journal.slots.read(slot)? != Held::Nothing {
                    journal.slots.clear(slot)?;
                }
                journal.free.push(slot);
            }
        }
        Ok(journal)
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.kept.len()
    }

    /// Those that wait, the first first.
    pub(super) fn all(&self) -> Vec<Kept> {
        self.kept.values().map(|(_, kept)| kept.clone()).collect()
    }

    /// Keeps looks: they are on disk when it returns, or none of them counts.
    pub(super) fn keep(&mut self, looks: Vec<Kept>) -> Result<(), KeepError> {
        let mut changed: BTreeMap<Uuid, Kept> = BTreeMap::new();
        for look in looks {
            let known = self.kept.values().map(|(_, kept)| kept);
            let known = changed.values().chain(known).find(|k| k.is_one_with(&look));
            let now = match known {
                None => look,
                Some(known) => {
                    let mut known = known.clone();
                    known.version += 1;
                    known.view.add(&look.view);
                    known
                }
            };
            changed.insert(now.id, now);
        }
        let Some(left) = self.free.len().checked_sub(changed.len()) else {
            return Err(KeepError::Full);
        };
        let taken = self.free.split_off(left);
        let written = self.write(&changed, &taken);
        if let Err(error) = written {
            // What of it may be on disk counts a look more than was given, never one less.
            self.free.extend(taken);
            return Err(error);
        }
        for (slot, kept) in taken.into_iter().zip(changed.into_values()) {
            if let Some((old, _)) = self.kept.insert(kept.id, (slot, kept)) {
                // It goes to disk with the next flush; until then, and where it fails, the later version counts.
                let _ = self.slots.clear(old);
                self.free.push(old);
            }
        }
        Ok(())
    }

    fn write(&self, looks: &BTreeMap<Uuid, Kept>, slots: &[usize]) -> Result<(), KeepError> {
        for (slot, look) in slots.iter().zip(looks.values()) {
            let bytes = serde_json::to_vec(look).map_err(std::io::Error::from)?;
            self.slots.write(*slot, &bytes)?;
        }
        Ok(self.slots.flush()?)
    }

    /// The database has these. One that became more meanwhile stays.
    pub(super) fn settle(&mut self, settled: &[Kept]) -> std::io::Result<()> {
        for done in settled {
            let known = self.kept.get(&done.id);
            let Some((slot, _)) = known.filter(|(_, known)| known.version == done.version) else {
                continue;
            };
            let slot = *slot;
            self.slots.clear(slot)?;
            self.kept.remove(&done.id);
            self.free.push(slot);
        }
        self.slots.flush()
    }
}

#[cfg(test)]
mod tests {
    use glasshour_protocol::EmployeeId;

    use super::*;
    use crate::store::{AskerKind, ViewKind};

    fn look(viewer: &str, at_ms: i64) -> Kept {
        Kept {
            id: Uuid::now_v7(),
            version: 0,
            company_id: CompanyId(Uuid::from_u128(1)),
            first_at_ms: at_ms,
            view: NewView {
                employee_id: EmployeeId(Uuid::from_u128(2)),
                viewer_kind: AskerKind::Person,
                viewer_id: viewer.into(),
                viewer_name: viewer.into(),
                what: ViewKind::Pictures,
                reason: String::new(),
                at_ms,
                from_ms: at_ms - 10,
                to_ms: at_ms - 10,
                times: 1,
            },
            asker: None,
        }
    }

    fn times(journal: &Journal) -> Vec<i64> {
        journal.all().iter().map(|kept| kept.view.times).collect()
    }

    #[test]
    fn looks_of_one_quarter_of_an_hour_are_one_and_are_there_after_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("looks");
        let mut journal = Journal::open(&path).unwrap();
        for at_ms in 1..=5 {
            journal.keep(vec![look("me", at_ms)]).unwrap();
        }
        journal.keep(vec![look("you", 6), look("you", 7)]).unwrap();
        journal.keep(vec![look("me", 3_600_000)]).unwrap();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert_eq!(times(&journal), [5, 2, 1]);
        let first = &journal.all()[0].view;
        assert_eq!((first.at_ms, first.from_ms, first.to_ms), (5, -9, -5));
        assert_eq!(journal.free.len(), SLOTS - 3);
    }

    #[test]
    fn a_look_whose_next_version_was_cut_short_is_there_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("looks");
        let mut journal = Journal::open(&path).unwrap();
        journal.keep(vec![look("me", 1)]).unwrap();
        let before = std::fs::read(&path).unwrap();
        journal.keep(vec![look("me", 2)]).unwrap();
        drop(journal);
        let mut after = std::fs::read(&path).unwrap();
        // As after a power cut: half of the new slot is on disk, the old one was not emptied yet.
        let changed = |slot: &usize| {
            let range = slot * 4096..(slot + 1) * 4096;
            before[range.clone()] != after[range]
        };
        let (old, new): (Vec<usize>, Vec<usize>) = (0..SLOTS)
            .filter(changed)
            .partition(|slot| before[slot * 4096] != 0);
        let (old, new) = (old[0] * 4096, new[0] * 4096);
        after[old..old + 4096].copy_from_slice(&before[old..old + 4096]);
        let whole = after.clone();
        after[new + 100..new + 4096].fill(0);
        std::fs::write(&path, &after).unwrap();
        assert_eq!(times(&Journal::open(&path).unwrap()), [1]);
        // With both whole, the later one counts, and the older is emptied.
        std::fs::write(&path, &whole).unwrap();
        let journal = Journal::open(&path).unwrap();
        assert_eq!((times(&journal), journal.free.len()), (vec![2], SLOTS - 1));
        assert_eq!(std::fs::read(&path).unwrap()[old..old + 4], [0; 4]);
    }

    #[test]
    fn when_every_slot_waits_the_next_look_is_refused_and_one_that_is_settled_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("looks")).unwrap();
        let viewers =
            |from: usize, to: usize| (from..to).map(|n| look(&n.to_string(), 1)).collect();
        journal.keep(viewers(0, SLOTS - 1)).unwrap();
        assert!(matches!(
            journal.keep(viewers(SLOTS, SLOTS + 2)),
            Err(KeepError::Full)
        ));
        assert_eq!(journal.waiting(), SLOTS - 1);
        journal.keep(viewers(SLOTS, SLOTS + 1)).unwrap();
        assert!(matches!(
            journal.keep(viewers(900, 901)),
            Err(KeepError::Full)
        ));
        journal.settle(&journal.all()[..1]).unwrap();
        journal.keep(viewers(900, 901)).unwrap();
    }

    #[test]
    fn what_became_more_while_it_was_settled_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("looks")).unwrap();
        journal.keep(vec![look("me", 1)]).unwrap();
        let settled = journal.all();
        journal.keep(vec![look("me", 2)]).unwrap();
        journal.settle(&settled).unwrap();
        assert_eq!(times(&journal), [2]);
    }

    #[test]
    fn what_the_audit_log_has_to_have_is_kept_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("looks")).unwrap();
        let because = || Kept {
            asker: Some(crate::asker::now()),
            ..look("me", 1)
        };
        journal
            .keep(vec![because(), because(), look("me", 1)])
            .unwrap();
        assert_eq!(journal.waiting(), 3);
    }
}
