//! Reports: pure sums over rows. No clock, no disk, no SQL.

mod applications;
mod grade;
mod session;

pub use applications::{ApplicationTotal, application_totals};
pub use grade::{Grade, Link, grade};
pub use session::{RollUp, Stretch, cause_name, roll_up, tracked_within};
