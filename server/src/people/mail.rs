//! Mail that is sent again because a person says so: made anew, by what it was about, with a new link where it
//! had one. The mail itself is never sent twice (ADR 16).

use glasshour_protocol::EmployeeId;

use super::{invitations, sending, users};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::store::{ListedMail, MailState, MailTemplate};

/// Whether there is something to send again, and somebody but the addressee may ask for it.
pub(crate) fn may_send_again(mail: &ListedMail) -> bool {
    let is_over = matches!(mail.state, MailState::Failed | MailState::Sent);
    is_over
        && matches!(
            mail.template,
            MailTemplate::Welcome
                | MailTemplate::Invitation
                | MailTemplate::InvitationAccount
                | MailTemplate::License
        )
}

/// Sends again what a mail was about. 409 where it still waits, or only its addressee can ask for it.
pub async fn send_again(state: &AppState, actor: &Actor, mail_id: &str) -> Result<(), ApiError> {
    actor.may(Verb::Change, Object::Mail)?;
    let mut read = state.read(actor.company_id).await?;
    let mail = read.listed_mail(mail_id).await?;
    drop(read);
    let mail = mail.ok_or_else(|| ApiError::not_found("mail"))?;
    if !may_send_again(&mail) {
        let message = match mail.state {
            MailState::Queued => "This mail still waits: it is sent as soon as it can be.",
            MailState::Replaced => "A later mail about the same took its place.",
            MailState::Sent | MailState::Failed => {
                "Only whoever it went to can ask for this mail again."
            }
        };
        return Err(ApiError::conflict(None, message));
    }
    let subject = mail.subject_id.as_str();
    match mail.template {
        MailTemplate::Welcome => {
            users::send_welcome(state, actor, subject).await?;
        }
        MailTemplate::License => {
            let gone = |_| ApiError::not_found("employee");
            let id: EmployeeId = subject.parse().map_err(gone)?;
            sending::send_license(state, actor, id).await?;
        }
        _ => {
            invitations::send_invitation(state, actor, subject).await?;
        }
    }
    Ok(())
}
