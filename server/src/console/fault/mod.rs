//! Pages for what did not work: not found, not allowed, a fault of ours. They say what is and what
//! to do next.

use askama::Template;

use super::layout::{MARK, Page, Viewer};

/// A page that says what is wrong and where to go.
#[derive(Debug, Template)]
#[template(path = "fault/page.html")]
pub(crate) struct FaultView {
    pub(crate) page: Page,
    pub(crate) heading: String,
    pub(crate) text: String,
    /// Address and verb of the way on.
    pub(crate) way: (String, &'static str),
}

impl FaultView {
    fn new(viewer: Option<Viewer>, heading: &str, text: String, way: (&str, &'static str)) -> Self {
        let mut page = Page::outside(heading);
        page.viewer = viewer;
        Self {
            page,
            heading: heading.into(),
            text,
            way: (way.0.into(), way.1),
        }
    }

    /// 404.
    pub(crate) fn not_found(viewer: Option<Viewer>) -> Self {
        let text = "The address may be mistyped, or what stood here was removed.";
        Self::new(viewer, "Nothing is here", text.into(), ("/", "Start page"))
    }

    /// 403: who can give the permission.
    pub(crate) fn no_permission(viewer: Option<Viewer>) -> Self {
        let text = "Your role does not reach this page. An admin or the owner can give it to you.";
        Self::new(
            viewer,
            "You may not see this",
            text.into(),
            ("/", "Start page"),
        )
    }

    /// A request that cannot be carried out as asked.
    pub(crate) fn refused(viewer: Option<Viewer>, text: String) -> Self {
        Self::new(viewer, "That cannot be done", text, ("/", "Start page"))
    }

    /// A one-time link that leads nowhere any more.
    pub(crate) fn worthless_link(text: String) -> Self {
        Self::new(None, "This link does not work", text, ("/login", "Log in"))
    }

    /// Somebody's own day, without a pass to it.
    pub(crate) fn own_day(text: String) -> Self {
        Self::new(
            None,
            "Your day is not open here",
            text,
            ("/login", "Log in to the console"),
        )
    }

    /// 500 or 503.
    pub(crate) fn fault(viewer: Option<Viewer>) -> Self {
        let text = "The server could not answer, and has written down why. Try again in a minute; \
                    if it stays so, ask whoever runs the server to look into its log.";
        Self::new(
            viewer,
            "The server has a fault",
            text.into(),
            ("/", "Try again"),
        )
    }

    #[cfg(test)]
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let viewer = || Page::sample("", super::layout::Part::None).viewer;
        vec![
            ("not-found", Self::not_found(viewer())),
            ("no-permission", Self::no_permission(viewer())),
            (
                "refused",
                Self::refused(viewer(), "This employee has no license yet.".into()),
            ),
            ("fault", Self::fault(None)),
            (
                "own-day",
                Self::own_day("A link to your day works once.".into()),
            ),
            (
                "link",
                Self::worthless_link("This link was used already.".into()),
            ),
        ]
    }
}
