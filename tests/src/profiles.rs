//! Settings of monitoring profiles that the stories use: what a license permits.

use serde_json::{Value, json};

/// A picture each second and all of activity, so that a story need not wait.
pub fn eager() -> Value {
    json!({
        "screenshots": {"per_hour": 3600, "random_moment": false, "monitors": "all"},
        "activity": {"input_counts": true, "applications": true, "window_titles": true},
        "idle_after_s": 300,
    })
}

/// Activity and nothing else: the screen is never looked at.
pub fn activity_only() -> Value {
    json!({"activity": {"input_counts": true, "applications": true}, "idle_after_s": 300})
}
