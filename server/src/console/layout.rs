//! What every page has: title, navigation, who is signed in, and the states with their shapes.

use glasshour_words::Words;

use crate::AppState;
use crate::auth::{Actor, Object, Role, Verb, allows};
use crate::error::ApiError;
use crate::people;
use crate::store::MemberStatus;

/// The part of the console that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Team,
    Employees,
    Members,
    Profiles,
    Projects,
    Devices,
    Users,
    Company,
    Audit,
    Tokens,
    /// The person's own pages.
    Own,
    /// Pages that stand in no part: log-in, errors.
    None,
}

impl Part {
    /// The navigation, in order, with what one must be allowed to look at.
    const NAV: [(Self, &'static str, &'static str, Object); 10] = [
        (Self::Team, "Team", "/team", Object::Employee),
        (Self::Employees, "Employees", "/employees", Object::Employee),
        (Self::Members, "Members", "/members", Object::Member),
        (Self::Profiles, "Profiles", "/profiles", Object::Profile),
        (Self::Projects, "Projects", "/projects", Object::Project),
        (Self::Devices, "Devices", "/devices", Object::Device),
        (Self::Users, "Users", "/users", Object::User),
        (Self::Company, "Company", "/company", Object::Company),
        (Self::Audit, "Audit log", "/audit", Object::Audit),
        (Self::Tokens, "API tokens", "/tokens", Object::ApiToken),
    ];
}

/// The signed-in person, as every page shows them.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    pub(crate) name: String,
    pub(crate) company: String,
    /// Their language: what their browser asks for, else what their company has set. So far only notices
    /// are in it.
    pub(crate) words: Words,
    /// What they are where they work now.
    pub(crate) role: Role,
    /// The workspace they chose; empty: all of the company, or none.
    pub(crate) workspace: String,
    /// Where else they can work, with the one they are in.
    pub(crate) places: Vec<Place>,
    /// Notices not seen yet.
    pub(crate) unread: u64,
}

/// A workspace to choose.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Empty: all of the company.
    pub(crate) workspace_id: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

impl Viewer {
    /// How pages show whoever asks.
    pub(crate) async fn of(
        state: &AppState,
        actor: &Actor,
        asked: Option<Words>,
    ) -> Result<Self, ApiError> {
        let user = people::person(actor)?;
        let home = user.company_id;
        let mut read = state.read(home).await?;
        let unread = read.unread_notices(&user.user_id).await?;
        let mut places = Vec::new();
        let chosen = |id: &str| actor.workspace_id.as_deref() == Some(id);
        let mut place = |id: &str, label: String| {
            places.push(Place {
                workspace_id: id.to_owned(),
                label,
                chosen: chosen(id),
            });
        };
        if user.is_company_account() {
            for one in read.workspaces(None, MOST_PLACES).await? {
                place(&one.workspace_id, one.name);
            }
        }
        for one in state.db.find_memberships(home, &user.user_id).await? {
            let own = one.company_id == home && user.is_company_account();
            if one.status == MemberStatus::Active && !own {
                place(
                    &one.workspace_id,
                    format!("{} · {}", one.workspace, one.company),
                );
            }
        }
        if user.is_company_account() && places.len() > 1 {
            let all = Place {
                workspace_id: String::new(),
                label: "All workspaces".into(),
                chosen: actor.company_id == home && actor.workspace_id.is_none(),
            };
            places.insert(0, all);
        }
        if actor.company_id != home {
            read = state.read(actor.company_id).await?;
        }
        let workspace = match &actor.workspace_id {
            Some(id) => read.workspace(id).await?.map(|one| one.name),
            None => None,
        };
        let words = match asked {
            Some(words) => words,
            None => {
                let own = people::company_settings(&mut read).await?;
                Words::new(own.language.parse().unwrap_or_default())
            }
        };
        Ok(Self {
            name: user.name(),
            company: people::company(&mut read).await?.name,
            words,
            role: actor.role,
            workspace: workspace.unwrap_or_default(),
            places,
            unread,
        })
    }

    /// Whether they may erase a person.
    pub(crate) fn may_erase(&self) -> bool {
        allows(self.role, Verb::Delete, Object::Person)
    }

    /// The navigation that leads to what they may look at.
    pub(crate) fn nav(&self) -> Vec<(Part, &'static str, &'static str)> {
        let seen = |(part, name, address, object): (Part, _, _, _)| {
            allows(self.role, Verb::Read, object).then_some((part, name, address))
        };
        Part::NAV.into_iter().filter_map(seen).collect()
    }
}

/// Workspaces in the switcher; of more, the oldest.
const MOST_PLACES: u32 = 200;

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

    /// Whether whoever looks may do that: what would be refused is not offered.
    pub(crate) fn may(&self, verb: Verb, object: Object) -> bool {
        let viewer = self.viewer.as_ref();
        viewer.is_some_and(|viewer| allows(viewer.role, verb, object))
    }

    /// With a word on what was just done.
    pub(crate) fn said(mut self, said: Option<impl Into<String>>) -> Self {
        self.said = said.map(Into::into);
        self
    }

    #[cfg(test)]
    pub(crate) fn sample(title: &str, part: Part) -> Self {
        Self::new(title, part, Viewer::sample(Role::Company))
    }
}

#[cfg(test)]
impl Viewer {
    pub(crate) fn sample(role: Role) -> Self {
        let place = |id: &str, label: &str, chosen| Place {
            workspace_id: id.into(),
            label: label.into(),
            chosen,
        };
        Self {
            name: "Kim Owner".into(),
            company: "Acme".into(),
            words: Words::ENGLISH,
            role,
            workspace: "Studio".into(),
            places: vec![
                place("", "All workspaces", false),
                place("w1", "Studio", true),
                place("w2", "<script>alert(1)</script> · Bolt", false),
            ],
            unread: 2,
        }
    }
}

/// The mark, drawn in the colour of the text around it.
pub(crate) const MARK: &str = r#"<svg class="mark" viewBox="0 0 24 24" fill="none" stroke="currentColor" aria-hidden="true"><circle cx="12" cy="12" r="9.75" stroke-width="2.3"/><polygon points="6.6,7.9 12,11.5 17.4,7.9 17.4,16.1 12,12.5 6.6,16.1" fill="currentColor" stroke-width="1.4" stroke-linejoin="round"/></svg>"#;

/// The bell: an outline in the colour of the text around it.
pub(crate) const BELL: &str = r#"<svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round" aria-hidden="true"><path d="M3 11.5c1-1 1.2-2.2 1.2-4.2a3.8 3.8 0 0 1 7.6 0c0 2 .2 3.2 1.2 4.2z"/><path d="M6.6 13.6a1.5 1.5 0 0 0 2.8 0" stroke-linecap="round"/></svg>"#;

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
