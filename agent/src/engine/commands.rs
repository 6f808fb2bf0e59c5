//! What the command line and the tray ask of the running agent.

use glasshour_protocol::device::Project;
use glasshour_protocol::payload::{Cause, SessionEvent};
use glasshour_protocol::{CompanyId, ProjectId};
use glasshour_words::{Message, Outside};
use tokio::sync::mpsc;

use super::choice::{self, Choice};
use super::shots::ShotDone;
use super::tracking::{self, Tracking, notice_message};
use super::{Engine, message, no_license, report};
use crate::clock::Moment;
use crate::ipc::{Answer, Command, RefusedBy, Request, Work};
use crate::session::{Machine, Refused};
use crate::tray::{Action, Pick};

fn refuse(reason: RefusedBy, message: String) -> Answer {
    Answer::Refused { reason, message }
}

impl Engine {
    pub(super) async fn command(&mut self, command: Command, shots: &mpsc::Sender<ShotDone>) {
        if let Request::DayLink { employer } = command.request {
            self.answer_day_link(employer.as_deref(), command.reply);
            return;
        }
        let answer = self.obey(command.request, shots).await;
        // A client that has gone away needs no answer.
        let _ = command.reply.send(answer);
    }

    async fn obey(&mut self, request: Request, shots: &mpsc::Sender<ShotDone>) -> Answer {
        match request {
            // What is answered is how things are now, not how they were at the last turn.
            Request::Status => self.turn(shots).await,
            Request::Reload => self.reload(shots).await,
            Request::Held(request) => return self.held(request).await,
            other => {
                if let Err(refusal) = self.obey_tracking(other, shots).await {
                    return refusal;
                }
            }
        }
        let now = self.clock.now();
        Answer::Done {
            status: Box::new(self.status(now).await),
        }
    }

    async fn obey_tracking(
        &mut self,
        request: Request,
        shots: &mpsc::Sender<ShotDone>,
    ) -> Result<(), Answer> {
        if self.trackings.is_empty() && self.out_of_order.is_empty() {
            let message = no_license(self.config.words, &self.license_problems);
            return Err(refuse(RefusedBy::NoLicense, message));
        }
        match request {
            Request::Start { work, note } => {
                // A sleep that nobody has noticed yet has ended what ran.
                self.turn(shots).await;
                self.start(&work, note).await
            }
            Request::Switch { work } => {
                self.turn(shots).await;
                self.switch(&work).await
            }
            Request::Stop => {
                let company = self
                    .worklog()
                    .or_else(|| self.paused())
                    .or_else(|| self.at_rest());
                self.on_machine(company, Machine::stop).await
            }
            Request::Pause => {
                self.turn(shots).await;
                let company = self.worklog().or_else(|| self.at_rest());
                self.on_machine(company, Machine::pause).await
            }
            Request::Resume => {
                self.turn(shots).await;
                let company = self
                    .paused()
                    .or_else(|| self.worklog())
                    .or_else(|| self.at_rest());
                self.on_machine(company, Machine::resume).await
            }
            Request::AnswerIdle {
                session_id,
                from_ms,
                reply,
            } => {
                // Who answers is back.
                self.turn(shots).await;
                self.answer_idle(session_id, from_ms, reply).await
            }
            Request::Note { text, employer } => {
                let company = self.whose_session(employer.as_deref())?;
                self.on_machine(company, |machine, now| machine.note(now, text))
                    .await
            }
            Request::Status | Request::Reload | Request::Held(_) | Request::DayLink { .. } => {
                Ok(())
            }
        }
    }

    async fn start(&mut self, work: &Work, note: Option<String>) -> Result<(), Answer> {
        let choice = self.choose(work)?;
        if let Some(other) = self.works_for().filter(|other| *other != choice.company) {
            return Err(refuse(
                RefusedBy::State,
                self.config.words.say(Message::RefusedRunningFor {
                    company: Outside(&self.name(other)),
                }),
            ));
        }
        self.on_machine(Some(choice.company), |machine, now| {
            machine.start(now, choice.project, note)
        })
        .await?;
        self.now_works_for(choice.company);
        Ok(())
    }

    async fn switch(&mut self, work: &Work) -> Result<(), Answer> {
        let Some(present) = self.works_for() else {
            // What is refused and why is the machine's to say.
            let none = ProjectId(uuid::Uuid::nil());
            return self
                .on_machine(self.at_rest(), |machine, now| machine.switch(now, none))
                .await;
        };
        let choice = self.choose(work)?;
        match choice.project {
            Some(project) if choice.company == present => {
                self.on_machine(Some(present), |machine, now| machine.switch(now, project))
                    .await
            }
            None if choice.company == present => Err(refuse(
                RefusedBy::State,
                self.config.words.say(Message::RefusedSameEmployer {
                    company: Outside(&self.name(present)),
                }),
            )),
            project => self.change_employer(present, choice.company, project).await,
        }
    }

    /// Ends the session for one employer and begins one for another: no session is of both.
    async fn change_employer(
        &mut self,
        from: CompanyId,
        to: CompanyId,
        project: Option<ProjectId>,
    ) -> Result<(), Answer> {
        let now = self.clock.now();
        // What cannot begin ends nothing.
        if let Some(next) = self.trackings.get(&to) {
            let mut trial = next.machine.clone();
            trial
                .start(now, project, None)
                .map_err(|refused| self.refuse_by_machine(&refused))?;
        }
        self.is_in_order(to)?;
        self.on_machine(Some(from), Machine::stop).await?;
        self.on_machine(Some(to), |machine, now| machine.start(now, project, None))
            .await?;
        self.now_works_for(to);
        Ok(())
    }

    /// Lets a session machine obey, and records what comes of it. `None`: whichever there is, to say
    /// why it cannot.
    async fn on_machine(
        &mut self,
        company: Option<CompanyId>,
        obey: impl FnOnce(&mut Machine, Moment) -> Result<Vec<SessionEvent>, Refused>,
    ) -> Result<(), Answer> {
        let any = || self.trackings.keys().next().copied();
        let Some(company) = company.or_else(any) else {
            let why = self.out_of_order.values().map(|(_, why)| why.as_str());
            let why: Vec<_> = why.collect();
            return Err(refuse(RefusedBy::License, why.join(" ")));
        };
        self.is_in_order(company)?;
        let Some(mut tracking) = self.trackings.remove(&company) else {
            return Ok(());
        };
        let now = self.clock.now();
        let outcome = match obey(&mut tracking.machine, now) {
            Ok(events) => {
                self.apply(&mut tracking, now, events).await;
                Ok(())
            }
            Err(refused) => Err(self.refuse_by_machine(&refused)),
        };
        self.trackings.insert(company, tracking);
        outcome
    }

    fn refuse_by_machine(&self, refused: &Refused) -> Answer {
        let why = refused.said(self.config.words);
        refuse(tracking::refused_by(refused), why)
    }

    /// Whether that employer's license is at work.
    fn is_in_order(&self, company: CompanyId) -> Result<(), Answer> {
        match self.out_of_order.get(&company) {
            Some((_, why)) => Err(refuse(RefusedBy::License, why.clone())),
            None => Ok(()),
        }
    }

    fn choose(&self, work: &Work) -> Result<Choice, Answer> {
        let Choice { company, project } =
            choice::choose(&self.employers(), work, self.config.words)
                .map_err(|no| refuse(no.reason, no.message))?;
        let default = || self.trackings.get(&company)?.default_project();
        let project = project.or_else(default);
        Ok(Choice { company, project })
    }

    /// Whose session a note is for: that of the worklog, else the one of monitoring.
    fn whose_session(&self, employer: Option<&str>) -> Result<Option<CompanyId>, Answer> {
        if let Some(name) = employer {
            let company = choice::find_employer(&self.employers(), name, self.config.words)
                .map_err(|no| refuse(no.reason, no.message))?
                .company;
            return Ok(Some(company));
        }
        let monitors = || self.monitored_by().map(Tracking::company);
        Ok(self.works_for().or_else(monitors))
    }

    /// The person's last word: no worklog of another employer goes on by itself, and the next one is
    /// for this employer where none is named.
    fn now_works_for(&mut self, company: CompanyId) {
        let now = self.clock.now();
        self.used(company, now.wall_ms);
        let others = self.trackings.values_mut();
        for other in others.filter(|t| t.company() != company && !t.is_monitoring()) {
            // One that is blocked has nothing to record; one at rest refuses, which is as well.
            let _ = other.machine.stop(now);
        }
    }

    pub(super) fn name(&self, company: CompanyId) -> String {
        let tracking = self.trackings.get(&company);
        tracking
            .map(|t| t.license().claims().issuer.company.clone())
            .unwrap_or_default()
    }

    /// Something was picked in the tray. Returns why to end, if that was it.
    pub(super) async fn action(
        &mut self,
        action: Action,
        shots: &mpsc::Sender<ShotDone>,
    ) -> Option<Cause> {
        let work = |pick: Pick| Work {
            employer: pick.employer.map(|employer| employer.to_string()),
            project: pick.project.map(|project| project.to_string()),
        };
        let request = match action {
            Action::Start(pick) => Request::Start {
                work: work(pick),
                note: None,
            },
            Action::Switch(pick) => Request::Switch { work: work(pick) },
            Action::Stop => Request::Stop,
            Action::Pause => Request::Pause,
            Action::Resume => Request::Resume,
            Action::AnswerIdle(pick) => Request::AnswerIdle {
                session_id: pick.session,
                from_ms: pick.from_ms,
                reply: pick.reply,
            },
            Action::ShowStatus => {
                let now = self.clock.now();
                let words = self.config.words;
                let body = report::plain(&self.status(now).await, words);
                let title = words.say(Message::StatusTitle {});
                self.desktop.notify(message(title, body));
                return None;
            }
            Action::OpenDay(company) => {
                self.open_day(company);
                return None;
            }
            Action::ShowHeld => {
                self.show_held().await;
                return None;
            }
            Action::ShowLicense => {
                for tracking in self.trackings.values() {
                    let license = tracking.license();
                    let message = notice_message(license, self.config.words);
                    self.desktop.read(license.claims().license_id, message);
                }
                return None;
            }
            // The menu offers it where nobody monitors; a stale menu is not obeyed.
            Action::Quit => return self.monitored_by().is_none().then_some(Cause::User),
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
