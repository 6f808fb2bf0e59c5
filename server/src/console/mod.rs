//! The console: pages rendered on the server, complete without JavaScript.
//!
//! A page is a folder: handlers in `mod.rs` (request, domain call, view), the view as plain values
//! with samples in `view.rs`, the template beside them. Templates escape all text; there is no inline
//! style and no inline script, so a strict content policy holds for every page.

mod assets;
mod capture;
mod chart;
mod day;
mod devices;
mod employee;
mod employees;
mod fault;
mod form;
mod layout;
mod login;
mod profile;
mod profiles;
mod projects;
#[cfg(test)]
mod samples;
mod team;
mod words;
