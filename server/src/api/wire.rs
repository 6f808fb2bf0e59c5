//! How values look on the wire: times, lists, cursors.

use glasshour_protocol::jws::{base64url, from_base64url};
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;

/// Rows in a list unless asked otherwise, and at most.
const DEFAULT_LIMIT: u32 = 100;
pub(super) const MAX_LIMIT: u32 = 1000;

/// A piece of a list, and the cursor that asks for the next one.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// In the list's order.
    pub(super) items: Vec<T>,
    /// Send it as `cursor` for what comes next; `null` at the end.
    pub(super) next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts a list that was read one row longer than `limit` and points to what follows.
    pub(super) fn cut<R>(
        mut rows: Vec<R>,
        limit: u32,
        cursor: impl FnOnce(&R) -> String,
        item: impl FnMut(R) -> T,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|last| base64url(cursor(last).as_bytes()));
        Self {
            items: rows.into_iter().map(item).collect(),
            next,
        }
    }
}

/// The `limit` of a query, bounded.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, ApiError> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        _ => Err(ApiError::invalid(
            "limit",
            format!("`limit` must be from 1 to {MAX_LIMIT}."),
        )),
    }
}

/// The same for lists that give as much as they may where nothing is asked.
pub(super) fn limit_or_most(asked: Option<u32>) -> Result<u32, ApiError> {
    limit(Some(asked.unwrap_or(MAX_LIMIT)))
}

/// Reads what [`Page::cut`] wrote.
pub(super) fn cursor(text: &str) -> Result<String, ApiError> {
    from_base64url(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(bad_cursor)
}

/// Reads a place of two parts that [`Page::cut`] wrote, with one space between them: the first part has
/// none, the second may have some.
pub(super) fn place(text: Option<&str>) -> Result<Option<(String, String)>, ApiError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let place = cursor(text)?;
    let (first, second) = place.split_once(' ').ok_or_else(bad_cursor)?;
    Ok(Some((first.to_owned(), second.to_owned())))
}

/// Reads one part of a place, or a cursor that has but one.
pub(super) fn part<T: std::str::FromStr>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| bad_cursor())
}

fn bad_cursor() -> ApiError {
    ApiError::invalid(
        "cursor",
        "`cursor` must be the `next` of an earlier answer.",
    )
}

/// UTC milliseconds as RFC 3339.
pub(super) fn time(ms: i64) -> String {
    timestamp(ms).to_string()
}

/// UTC milliseconds as RFC 3339 in the zone they were captured in.
pub(super) fn time_at(ms: i64, utc_offset_min: i64) -> String {
    let seconds = i32::try_from(utc_offset_min * 60).unwrap_or(0);
    let offset = Offset::from_seconds(seconds).unwrap_or(Offset::UTC);
    timestamp(ms).display_with_offset(offset).to_string()
}

fn timestamp(ms: i64) -> Timestamp {
    let clamped = ms.clamp(
        Timestamp::MIN.as_millisecond(),
        Timestamp::MAX.as_millisecond(),
    );
    Timestamp::from_millisecond(clamped).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Reads an RFC 3339 time of a query; a `+` that arrived as a blank is taken for what it was.
pub(super) fn parse_time(field: &str, text: Option<&str>) -> Result<Option<i64>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let time: Timestamp = text.replace(' ', "+").parse().map_err(|_| {
        let message = format!(
            "`{field}` must be an RFC 3339 time with its offset, such as 2026-11-21T09:00:00+01:00."
        );
        ApiError::invalid(field, message)
    })?;
    Ok(Some(time.as_millisecond()))
}

/// Reads an id of a query.
pub(super) fn parse<T: std::str::FromStr>(
    field: &str,
    text: Option<&str>,
) -> Result<Option<T>, ApiError> {
    text.map(|text| {
        text.parse()
            .map_err(|_| ApiError::invalid(field, format!("`{field}` cannot be read.")))
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_with_the_offset_they_were_captured_in() {
        assert_eq!(time(1_795_000_000_123), "2026-11-18T11:06:40.123Z");
        assert_eq!(time_at(1_795_000_000_000, 330), "2026-11-18T16:36:40+05:30");
        assert_eq!(
            time_at(i64::MIN, 10_000_000),
            "-009999-01-02T01:59:59+00:00"
        );
    }

    #[test]
    fn times_in_queries_are_read_with_any_offset() {
        let read = |text| parse_time("from", Some(text));
        assert_eq!(
            read("2026-11-18T11:06:40.123Z").unwrap(),
            Some(1_795_000_000_123)
        );
        assert_eq!(
            read("2026-11-18T16:36:40+05:30").unwrap(),
            Some(1_795_000_000_000)
        );
        assert_eq!(
            read("2026-11-18T16:36:40 05:30").unwrap(),
            Some(1_795_000_000_000)
        );
        assert_eq!(
            read("yesterday").unwrap_err().field.as_deref(),
            Some("from")
        );
        assert_eq!(parse_time("from", None).unwrap(), None);
    }

    #[test]
    fn a_page_points_to_what_follows_only_where_something_does() {
        let page = Page::cut(vec![1, 2, 3], 2, ToString::to_string, |row| row);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(cursor(&page.next.unwrap()).unwrap(), "2");
        assert_eq!(
            Page::cut(vec![1, 2], 2, ToString::to_string, |row| row).next,
            None
        );
    }
}
