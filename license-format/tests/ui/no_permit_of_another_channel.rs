//! A permit for one channel is none for another, and no new channel can be made up outside.

use glasshour_license_format::{Activity, Channel, License, Permit, Screenshots};

struct Microphone;

impl Channel for Microphone {
    type Settings = ();
    const NAME: &'static str = "microphone";
}

fn other(license: &License) -> Option<Permit<Screenshots>> {
    let activity: Option<Permit<Activity>> = license.permits().activity();
    activity
}

fn main() {}
