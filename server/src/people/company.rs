//! The company itself: what it says of itself, and its plan (rules 16 and 33).

use axum::http::StatusCode;
use glasshour_license_format::RetentionDays;
use glasshour_words::Language;
use serde::{Deserialize, Serialize};

use super::rules;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::{ApiError, NO_SEAT, OPERATOR_ONLY};
use crate::license;
use crate::store::{Company, CompanySettings, Plan, Read, SeatsBy, Write};

/// Longest text that a company adds to the notice, in characters.
const MAX_NOTICE_CHARS: usize = 2000;

/// What a company can change about itself; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompanyForm {
    /// As licenses and reports show it.
    pub name: Option<String>,
    /// Whom employees ask about their data; empty: nobody is named.
    pub privacy_contact: Option<String>,
    /// IANA time zone of pages about everybody, and of a new profile's hours; empty: where the records
    /// come from.
    pub time_zone: Option<String>,
    /// `en` or `fr`: of notices, where a reader's own language is not known.
    pub language: Option<String>,
    /// Words of its own in the notice of licenses made from now on; empty: none.
    pub notice: Option<String>,
    /// How long what is kept, by kind, in days; a kind that is left out is kept without end. Every license
    /// says it from then on.
    pub retention_days: Option<RetentionForm>,
    /// Whether everybody who logs in needs a second factor.
    pub require_second_factor: Option<bool>,
    /// Whether nothing is taken from a new device before somebody approves it.
    pub approve_devices: Option<bool>,
}

/// How long each kind is kept, in days: 1 to 36500.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionForm {
    /// Pictures of the screen.
    pub screenshot: Option<u32>,
    /// Pictures of the camera.
    pub camera: Option<u32>,
    /// Input counts, applications, titles; health and notices as well.
    pub activity: Option<u32>,
    /// Sessions, with their time.
    pub session: Option<u32>,
}

impl From<RetentionDays> for RetentionForm {
    fn from(days: RetentionDays) -> Self {
        Self {
            screenshot: days.screenshot,
            camera: days.camera,
            activity: days.activity,
            session: days.session,
        }
    }
}

impl RetentionForm {
    fn days(self) -> Result<RetentionDays, ApiError> {
        let days = RetentionDays {
            screenshot: self.screenshot,
            camera: self.camera,
            activity: self.activity,
            session: self.session,
        };
        let possible = |days: &u32| (1..=36_500).contains(days);
        if days.by_kind().iter().flatten().all(possible) {
            Ok(days)
        } else {
            let message = "`retention_days` must be from 1 to 36500 days for each kind.";
            Err(ApiError::invalid("retention_days", message))
        }
    }
}

/// What a company can change about its plan, where the operator lets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanForm {
    /// How many users may be active.
    pub seats: Option<i64>,
}

/// A company's plan with what is used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanState {
    /// The plan.
    pub plan: Plan,
    /// Active users.
    pub seats_used: u64,
}

/// The company that a view or transaction is bound to. Whoever asks belongs to it, so it is there.
pub(crate) async fn company(read: &mut Read) -> Result<Company, ApiError> {
    let company = read.company().await?;
    company.ok_or_else(|| ApiError::internal("rows of a company that is not there"))
}

/// The plan of the company that a view is bound to.
pub(crate) async fn plan(read: &mut Read) -> Result<Plan, ApiError> {
    let plan = read.plan().await?;
    plan.ok_or_else(|| ApiError::internal("rows of a company that is not there"))
}

/// The company, for its own account.
pub async fn read_company(state: &AppState, actor: &Actor) -> Result<Company, ApiError> {
    actor.may(Verb::Read, Object::Company)?;
    company(&mut state.read(actor.company_id).await?).await
}

/// The company's settings.
pub(crate) async fn company_settings(read: &mut Read) -> Result<CompanySettings, ApiError> {
    let settings = read.company_settings().await?;
    settings.ok_or_else(|| ApiError::internal("rows of a company that is not there"))
}

/// Changes what the company says of itself. Licenses that are out keep what they say; those issued from
/// now on say the new.
pub async fn update_company(
    state: &AppState,
    actor: &Actor,
    form: CompanyForm,
) -> Result<Company, ApiError> {
    actor.may(Verb::Change, Object::Company)?;
    let mut write = state.write(actor.company_id).await?;
    let mut company = company(&mut write).await?;
    if let Some(name) = form.name {
        company.name = rules::name("name", &name)?;
    }
    if let Some(contact) = form.privacy_contact {
        company.privacy_contact = match contact.trim() {
            "" => None,
            text => Some(rules::name("privacy_contact", text)?),
        };
    }
    let mut settings = company_settings(&mut write).await?;
    if let Some(zone) = form.time_zone {
        settings.time_zone = time_zone(&zone)?;
    }
    if let Some(language) = form.language {
        let known: Language = language
            .parse()
            .map_err(|_| ApiError::invalid("language", "`language` must be `en` or `fr`."))?;
        known.code().clone_into(&mut settings.language);
    }
    if let Some(notice) = form.notice {
        settings.notice = own_words(&notice)?;
    }
    if let Some(approve) = form.approve_devices {
        settings.approve_devices = approve;
    }
    write
        .update_company(&company.name, company.privacy_contact.as_deref())
        .await?;
    write.set_company_settings(&settings).await?;
    if let Some(required) = form.require_second_factor {
        write.require_second_factor(required).await?;
    }
    if let Some(asked) = form.retention_days {
        let days = asked.days()?;
        if days != write.retention().await? {
            write.set_retention(&days).await?;
            renew_licenses(&mut write, state.clock.now_ms()).await?;
        }
    }
    write.commit().await?;
    Ok(company)
}

fn time_zone(text: &str) -> Result<Option<String>, ApiError> {
    match text.trim() {
        "" => Ok(None),
        name if jiff::tz::TimeZone::get(name).is_ok() => Ok(Some(name.to_owned())),
        _ => Err(ApiError::invalid(
            "time_zone",
            "There is no such time zone. Write it like Europe/Paris.",
        )),
    }
}

/// What the company adds to the notice: several lines, but none that hides or moves what stands around.
fn own_words(text: &str) -> Result<Option<String>, ApiError> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    let hidden = |c: char| c.is_control() && c != '\n';
    if text.chars().count() > MAX_NOTICE_CHARS || text.chars().any(hidden) {
        let message =
            format!("`notice` must be plain text of at most {MAX_NOTICE_CHARS} characters.");
        return Err(ApiError::invalid("notice", message));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// Everybody is told of it by their next license: what is kept longer waits until they agree.
async fn renew_licenses(write: &mut Write, now_ms: i64) -> Result<(), ApiError> {
    write.hold_signing_key().await?;
    for mut employee in write.active_employees().await? {
        if license::renew(write, &mut employee, now_ms).await? {
            employee.updated_at = now_ms;
            write.update_employee(&employee).await?;
        }
    }
    Ok(())
}

/// The plan and what is used of it.
pub async fn read_plan(state: &AppState, actor: &Actor) -> Result<PlanState, ApiError> {
    actor.may(Verb::Read, Object::Plan)?;
    let mut read = state.read(actor.company_id).await?;
    Ok(PlanState {
        plan: plan(&mut read).await?,
        seats_used: read.seats_used().await?,
    })
}

/// Changes the number of seats, where the operator leaves that to the company.
pub async fn update_plan(
    state: &AppState,
    actor: &Actor,
    form: PlanForm,
) -> Result<PlanState, ApiError> {
    actor.may(Verb::Change, Object::Plan)?;
    let mut write = state.write(actor.company_id).await?;
    write.lock_seats().await?;
    let mut plan = plan(&mut write).await?;
    let seats_used = write.seats_used().await?;
    if let Some(seats) = form.seats {
        if plan.seats_by != SeatsBy::Company {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                OPERATOR_ONLY,
                "The number of seats is set by whoever runs this server. Ask them for more.",
            ));
        }
        let unusable = u64::try_from(seats).is_err() || seats == 0;
        if unusable {
            return Err(ApiError::invalid("seats", "`seats` must be 1 or more."));
        }
        if u64::try_from(seats).unwrap_or(0) < seats_used {
            return Err(ApiError::not_now(
                NO_SEAT,
                format!("{seats_used} seats are in use. Deactivate users first."),
            ));
        }
        plan.seats = Some(seats);
        write.set_plan(&plan).await?;
        write.commit().await?;
    }
    Ok(PlanState { plan, seats_used })
}
