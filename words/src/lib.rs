//! What Glasshour says to people, in their language.
//!
//! The texts stand in `assets/words/<language>/*.ftl` (Fluent); this crate compiles them in and hands
//! them out by type. A [`Message`] is a value with named members, so one that does not exist or lacks an
//! argument does not compile, and a test holds every catalogue against the list: the same messages in
//! every language, each with the arguments it is given, each said somewhere.
//!
//! Text from outside (a company's name, a project) goes in as [`Outside`] alone, which strips what could
//! mislead on a terminal; [`Said`] is text that a catalogue made. There is no third way.
//!
//! What is deliberately absent: clocks, disks, the environment. Which language is asked for is the
//! caller's to find out.

#![forbid(unsafe_code)]

mod catalogue;
pub mod changes;
mod format;
mod language;
mod message;
pub mod notice;
mod plain;

pub use catalogue::Words;
pub use language::{Language, UnknownLanguage};
pub use message::{Key, Message, Outside, Said};
