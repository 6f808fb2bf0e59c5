//! Somebody at work under a license of their own: an employee, and an agent for them.
//!
//! Several can sit at one desktop, each with a home of their own. So two licenses can be held against each
//! other at the same moment: what one must not show, the other does.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::agent::Status;
use crate::api::Employee;
use crate::{Agent, Api, Seen, Story};

/// Long enough for any single thing on a busy machine.
const SOON: Duration = Duration::from_mins(1);

/// An employee with an agent.
#[derive(Debug)]
pub struct Worker {
    /// The agent, running.
    pub agent: Agent,
    /// The employee.
    pub employee: Employee,
    api: Api,
}

impl Worker {
    /// Hires somebody with a profile of these settings, and starts their agent with their license.
    ///
    /// # Errors
    /// The server or the agent refuses.
    pub fn hire(story: &Story, name: &str, mode: &str, settings: &Value) -> Result<Self> {
        let (employee, license) = story.hire(name, mode, settings)?;
        let folder = story.folder().join(format!("{name}-at-work"));
        let mut agent = Agent::new(&folder, &story.desktop)?;
        agent.load(&license)?;
        agent.run()?;
        Ok(Self {
            agent,
            employee,
            api: story.api(),
        })
    }

    /// Hires somebody for worklogs and starts one.
    ///
    /// # Errors
    /// The server or the agent refuses.
    pub fn at_work(story: &Story, name: &str, settings: &Value) -> Result<Self> {
        let worker = Self::hire(story, name, "worklog", settings)?;
        worker.start()?;
        Ok(worker)
    }

    /// Starts a worklog and waits until the license's channels are open.
    ///
    /// # Errors
    /// The agent refuses, or does not track in time.
    pub fn start(&self) -> Result<Status> {
        self.agent.call(["start"])?.ok()?;
        self.agent.wait_for_state("tracking", SOON)
    }

    /// What the server has of them now.
    ///
    /// # Errors
    /// It does not answer.
    pub fn seen(&self) -> Result<Seen> {
        Seen::now(&self.api, &self.employee)
    }

    /// Waits until the server has what is wanted.
    ///
    /// # Errors
    /// It has not in time.
    pub fn seen_when(&self, what: &str, wanted: impl FnMut(&Seen) -> Result<bool>) -> Result<Seen> {
        Seen::when(&self.api, &self.employee, (SOON, what), wanted)
    }

    /// Stops work, lets everything be sent and ends the agent; gives what the server has then.
    ///
    /// # Errors
    /// Any of it fails.
    pub fn finish(&mut self) -> Result<Seen> {
        self.agent.call(["stop"])?.ok()?;
        self.agent.wait_for_empty_spool(SOON)?;
        self.agent.end()?;
        self.seen()
    }
}
