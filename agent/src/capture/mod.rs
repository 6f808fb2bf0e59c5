//! From permit to draft: when to capture, what to do to a picture before it is stored, how minutes
//! of activity add up.
//!
//! The order is fixed and is the promise: decide, grab, mask, blur, scale, compare, encode. Nothing
//! that a license excludes reaches the encoder.

pub mod activity;
pub mod blur;
pub mod camera;
pub mod encode;
pub mod mask;
pub mod schedule;
pub mod screenshot;
