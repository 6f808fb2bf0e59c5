//! x
mod view;
pub(crate) use view::*;
