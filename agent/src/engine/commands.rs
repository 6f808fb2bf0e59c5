//! What the command line and the tray ask of the running agent.

use glasshour_protocol::device::Project;
use glasshour_protocol::payload::Cause;
use glasshour_protocol::{CompanyId, ProjectId};
use tokio::sync::mpsc;

use super::shots::ShotDone;
use super::tracking::{self, Tracking};
use super::{Engine, message, no_license, report};
use crate::ipc::{Answer, Command, RefusedBy, Request};
use crate::tray::Action;

impl Engine {
    pub(super) async fn command(&mut self, command: Command, shots: &mpsc::Sender<ShotDone>) {
        let answer = self.obey(command.request, shots).await;
        // A client that has gone away needs no answer.
        let _ = command.reply.send(answer);
    }

    async fn obey(&mut self, request: Request, shots: &mpsc::Sender<ShotDone>) -> Answer {
        match request {
            // What is answered is how things are now, not how they were at the last turn.
            Request::Status => self.turn(shots).await,
            Request::Reload => self.reload(shots).await,
            other => {
                if let Err(refusal) = self.obey_tracking(other).await {
                    return refusal;
                }
            }
        }
        let now = self.clock.now();
        Answer::Done {
            status: Box::new(self.status(now).await),
        }
    }

    async fn obey_tracking(&mut self, request: Request) -> Result<(), Answer> {
        let refuse = |reason, message: String| Answer::Refused { reason, message };
        let Some(mut tracking) = self.tracking.take() else {
            return Err(refuse(
                RefusedBy::NoLicense,
                no_license(&self.license_problems),
            ));
        };
        let now = self.clock.now();
        let projects = self.projects(tracking.company());
        let find = |name: &str| tracking::find_project(&projects, name);
        let result = match request {
            Request::Start { project, note } => match project.as_deref().map(find).transpose() {
                Ok(project) => {
                    let project = project.or_else(|| tracking.default_project());
                    tracking.machine.start(now, project, note)
                }
                Err(message) => {
                    self.tracking = Some(tracking);
                    return Err(refuse(RefusedBy::State, message));
                }
            },
            Request::Switch { project } => match find(&project) {
                Ok(project) => tracking.machine.switch(now, project),
                Err(message) => {
                    self.tracking = Some(tracking);
                    return Err(refuse(RefusedBy::State, message));
                }
            },
            Request::Stop => tracking.machine.stop(now),
            Request::Note { text } => tracking.machine.note(now, text),
            Request::Status | Request::Reload => Ok(Vec::new()),
        };
        let outcome = match result {
            Ok(events) => {
                self.apply(&mut tracking, now, events).await;
                Ok(())
            }
            Err(refused) => Err(refuse(tracking::refused_by(&refused), refused.to_string())),
        };
        self.tracking = Some(tracking);
        outcome
    }

    /// Something was picked in the tray. Returns why to end, if that was it.
    pub(super) async fn action(
        &mut self,
        action: Action,
        shots: &mpsc::Sender<ShotDone>,
    ) -> Option<Cause> {
        let by_id = |project: ProjectId| project.to_string();
        let request = match action {
            Action::Start(project) => Request::Start {
                project: project.map(by_id),
                note: None,
            },
            Action::Switch(project) => Request::Switch {
                project: by_id(project),
            },
            Action::Stop => Request::Stop,
            Action::ShowStatus => {
                let now = self.clock.now();
                let body = report::plain(&self.status(now).await);
                self.desktop.notify(message("Glasshour: status", body));
                return None;
            }
            Action::ShowLicense => {
                if let Some(tracking) = &self.tracking {
                    self.desktop.notify(tracking.notice_message());
                }
                return None;
            }
            // The menu offers it in worklog mode only; a stale menu is not obeyed.
            Action::Quit => {
                let monitored = self.tracking.as_ref().is_some_and(Tracking::is_monitoring);
                return (!monitored).then_some(Cause::User);
            }
        };
        if let Answer::Refused { message: text, .. } = self.obey(request, shots).await {
            self.desktop.notify(message("Glasshour", text));
        }
        None
    }

    pub(super) fn projects(&self, company: CompanyId) -> Vec<Project> {
        self.accounts
            .send_status(company)
            .and_then(|status| status.device)
            .map(|device| device.projects)
            .unwrap_or_default()
    }
}
