//! Reports: pure sums over rows. No clock, no disk, no SQL.

mod applications;
mod counted;
mod grade;
mod waiting;

pub use applications::{ApplicationTotal, application_totals};
pub use counted::uncounted_within;
pub use glasshour_protocol::session::{
    RollUp, Span, Stretch, cause_name, idle_within, roll_up, tracked_within, withdrawn_within,
};
pub use grade::{Grade, Link, grade};
pub use waiting::{Behind, Waits};
