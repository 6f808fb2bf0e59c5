//! What the server tells a monitoring system, as Prometheus reads it (text format 0.0.4).
//!
//! Counts and times by route pattern, and how much waits: never an address, an id or a name. What is counted
//! stands in memory and begins at 0 with each start, as Prometheus expects of counters.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the buckets of request times, in seconds.
const BOUNDS_S: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// What has been counted since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<Asked, u64>>,
    times: Mutex<BTreeMap<String, Times>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Copy, Debug, Default)]
struct Times {
    buckets: [u64; BOUNDS_S.len()],
    count: u64,
    sum_s: f64,
}

/// What is looked up when somebody asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Mail that waits.
    pub mail_queued: u64,
    /// Mail that waits and was tried in vain.
    pub mail_retried: u64,
    /// Mail that failed in the last 7 days.
    pub mail_failed: u64,
    /// Companies on this server.
    pub companies: u64,
    /// 1: the database answers.
    pub database_up: u64,
}

impl Metrics {
    /// Counts a request. `route` is the pattern it matched, so there are as many as there are routes.
    pub fn count(&self, method: &str, route: &str, status: u16, time: Duration) {
        let asked = Asked {
            method: known_method(method),
            route: route.to_owned(),
            status,
        };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry(asked).or_default() += 1;
        drop(requests);
        let seconds = time.as_secs_f64();
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let times = times.entry(route.to_owned()).or_default();
        times.count += 1;
        times.sum_s += seconds;
        for (bucket, bound) in times.buckets.iter_mut().zip(BOUNDS_S) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    /// Everything, as text.
    pub fn text(&self, gauges: Gauges) -> String {
        let mut text = String::new();
        self.write_requests(&mut text);
        self.write_times(&mut text);
        let plain = [
            (
                "glasshour_mail_queued",
                "Mail that waits to be sent.",
                gauges.mail_queued,
            ),
            (
                "glasshour_mail_retried",
                "Mail that waits and was tried in vain.",
                gauges.mail_retried,
            ),
            (
                "glasshour_mail_failed",
                "Mail of the last 7 days that failed.",
                gauges.mail_failed,
            ),
            (
                "glasshour_companies",
                "Companies on this server.",
                gauges.companies,
            ),
            (
                "glasshour_database_up",
                "1 where the database answers.",
                gauges.database_up,
            ),
        ];
        for (name, help, value) in plain {
            head(&mut text, name, "gauge", help);
            let _ = writeln!(text, "{name} {value}");
        }
        head(
            &mut text,
            "glasshour_build_info",
            "gauge",
            "The version that runs.",
        );
        let _ = writeln!(
            text,
            "glasshour_build_info{{version=\"{}\"}} 1",
            env!("CARGO_PKG_VERSION")
        );
        text
    }

    fn write_requests(&self, text: &mut String) {
        const NAME: &str = "glasshour_http_requests_total";
        head(
            text,
            NAME,
            "counter",
            "Requests by method, route and status.",
        );
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for (asked, count) in &*requests {
            let Asked {
                method,
                route,
                status,
            } = asked;
            let route = label(route);
            let _ = writeln!(
                text,
                "{NAME}{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
            );
        }
    }

    fn write_times(&self, text: &mut String) {
        const NAME: &str = "glasshour_http_request_seconds";
        head(text, NAME, "histogram", "How long requests took, by route.");
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        for (route, times) in &*times {
            let route = label(route);
            for (count, bound) in times.buckets.iter().zip(BOUNDS_S) {
                let _ = writeln!(
                    text,
                    "{NAME}_bucket{{route=\"{route}\",le=\"{bound}\"}} {count}"
                );
            }
            let Times { count, sum_s, .. } = times;
            let _ = writeln!(
                text,
                "{NAME}_bucket{{route=\"{route}\",le=\"+Inf\"}} {count}"
            );
            let _ = writeln!(text, "{NAME}_sum{{route=\"{route}\"}} {sum_s}");
            let _ = writeln!(text, "{NAME}_count{{route=\"{route}\"}} {count}");
        }
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// A stranger can make up methods: those are one.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    KNOWN
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

/// A label's value, escaped.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_and_time() {
        let metrics = Metrics::default();
        let route = "/api/v1/employees/{employee_id}";
        metrics.count("GET", route, 200, Duration::from_millis(7));
        metrics.count("GET", route, 200, Duration::from_millis(70));
        metrics.count("BREW", "-", 405, Duration::from_mins(1));
        let text = metrics.text(Gauges {
            mail_queued: 3,
            ..Gauges::default()
        });
        for line in [
            "glasshour_http_requests_total{method=\"GET\",route=\"/api/v1/employees/{employee_id}\",status=\"200\"} 2",
            "glasshour_http_requests_total{method=\"other\",route=\"-\",status=\"405\"} 1",
            "glasshour_http_request_seconds_bucket{route=\"/api/v1/employees/{employee_id}\",le=\"0.005\"} 0",
            "glasshour_http_request_seconds_bucket{route=\"/api/v1/employees/{employee_id}\",le=\"0.01\"} 1",
            "glasshour_http_request_seconds_bucket{route=\"/api/v1/employees/{employee_id}\",le=\"0.1\"} 2",
            "glasshour_http_request_seconds_bucket{route=\"-\",le=\"30\"} 0",
            "glasshour_http_request_seconds_bucket{route=\"-\",le=\"+Inf\"} 1",
            "glasshour_mail_queued 3",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
        let heads = text.lines().filter(|line| line.starts_with("# TYPE"));
        assert_eq!(heads.count(), 8);
    }

    #[test]
    fn a_label_cannot_end_itself() {
        assert_eq!(label("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
