//! x
mod form;
mod view;
pub(crate) use view::*;
