//! What every page has: title, navigation, who is signed in, and the states with their shapes.

use glasshour_words::Words;

/// The part of the console that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Team,
    Employees,
    Profiles,
    Projects,
    Devices,
    /// Pages that stand in no part: log-in, errors.
    None,
}

impl Part {
    /// The navigation, in order.
    pub(crate) const NAV: [(Self, &'static str, &'static str); 5] = [
        (Self::Team, "Team", "/team"),
        (Self::Employees, "Employees", "/employees"),
        (Self::Profiles, "Profiles", "/profiles"),
        (Self::Projects, "Projects", "/projects"),
        (Self::Devices, "Devices", "/devices"),
    ];
}

/// The signed-in person, as every page shows them.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    pub(crate) name: String,
    pub(crate) company: String,
    /// Their language: what their browser asks for. So far only notices are in it.
    pub(crate) words: Words,
}

/// The frame around a page.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) part: Part,
    /// Absent on the log-in page and on errors before log-in.
    pub(crate) viewer: Option<Viewer>,
    /// What was just done.
    pub(crate) said: Option<String>,
}

impl Page {
    /// A page of a part, for a signed-in person.
    pub(crate) fn new(title: impl Into<String>, part: Part, viewer: Viewer) -> Self {
        Self {
            title: title.into(),
            part,
            viewer: Some(viewer),
            said: None,
        }
    }

    /// A page for somebody who is not signed in.
    pub(crate) fn outside(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            part: Part::None,
            viewer: None,
            said: None,
        }
    }

    /// With a word on what was just done.
    pub(crate) fn said(mut self, said: Option<impl Into<String>>) -> Self {
        self.said = said.map(Into::into);
        self
    }

    #[cfg(test)]
    pub(crate) fn sample(title: &str, part: Part) -> Self {
        let viewer = Viewer {
            name: "Kim Owner".into(),
            company: "Acme".into(),
            words: Words::ENGLISH,
        };
        Self::new(title, part, viewer)
    }
}

/// The mark, drawn in the colour of the text around it.
pub(crate) const MARK: &str = r#"<svg class="mark" viewBox="0 0 24 24" fill="none" stroke="currentColor" aria-hidden="true"><circle cx="12" cy="12" r="9.75" stroke-width="2.3"/><polygon points="6.6,7.9 12,11.5 17.4,7.9 17.4,16.1 12,12.5 6.6,16.1" fill="currentColor" stroke-width="1.4" stroke-linejoin="round"/></svg>"#;

/// A state, told by shape, word and colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// A disc.
    Working,
    /// Two bars.
    Paused,
    /// A ring, half full.
    Idle,
    /// A broken ring.
    Gap,
    /// A triangle with a stroke.
    Problem,
    /// An empty ring.
    Off,
    /// A tick.
    Done,
}

impl State {
    /// The class that gives the colour.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Working | Self::Done => "working",
            Self::Paused => "paused",
            Self::Idle => "idle",
            Self::Gap => "gap",
            Self::Problem => "problem",
            Self::Off => "off",
        }
    }

    /// The shape, as inline SVG in the colour of the text; the word beside it says the same.
    pub(crate) fn icon(self) -> &'static str {
        match self {
            Self::Working => {
                r#"<svg viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="5" fill="currentColor"/></svg>"#
            }
            Self::Paused => {
                r#"<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 1h3v10H2zM7 1h3v10H7z" fill="currentColor"/></svg>"#
            }
            Self::Idle => {
                r#"<svg viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M1.75 6a4.25 4.25 0 0 0 8.5 0z" fill="currentColor"/></svg>"#
            }
            Self::Gap => {
                r#"<svg viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="4 2.675"/></svg>"#
            }
            Self::Problem => {
                r#"<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M6 .5 12 11.5H0z" fill="currentColor"/><path d="M6 4.5v3.25M6 9v1" class="inset" stroke="currentColor" stroke-width="1.25"/></svg>"#
            }
            Self::Off => {
                r#"<svg viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>"#
            }
            Self::Done => {
                r#"<svg viewBox="0 0 12 12" aria-hidden="true"><path d="m1.5 6.5 3 3 6-7" fill="none" stroke="currentColor" stroke-width="2"/></svg>"#
            }
        }
    }
}
