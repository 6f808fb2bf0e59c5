//! Everybody at a glance: who is tracking now, on what, since when, and how their devices fare.

use std::collections::HashMap;

use glasshour_protocol::{CompanyId, EmployeeId, ProjectId};

use crate::AppState;
use crate::error::ApiError;
use crate::report;
use crate::store::{Device, Employee, EmployeeFilter, Session};

/// Most sessions and devices that one overview reads.
const MAX_ROWS: u32 = 20_000;

/// One employee's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Who.
    pub employee: Employee,
    /// What is being tracked at this moment.
    pub now: Option<Running>,
    /// Tracked time within the range asked for, milliseconds.
    pub tracked_ms: i64,
    /// When any of their devices last said anything, UTC milliseconds.
    pub last_seen_at: Option<i64>,
    /// Their devices that are not revoked, by id, with the last health report of each.
    pub devices: Vec<Device>,
}

/// A session that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// What it is on now.
    pub project_id: Option<ProjectId>,
    /// When it was started, UTC milliseconds.
    pub since_ms: i64,
    /// True where no input has come for longer than the profile allows.
    pub idle: bool,
}

/// Reads a page of employees by name, with their tracked time within `[from_ms, to_ms)`.
pub async fn overview(
    state: &AppState,
    company: CompanyId,
    filter: &EmployeeFilter,
    from_ms: i64,
    to_ms: i64,
) -> Result<Vec<Overview>, ApiError> {
    let now_ms = state.clock.now_ms();
    let mut read = state.read(company).await?;
    let employees = read.employees(filter).await?;
    let sessions = read
        .sessions(filter.workspace_id.as_deref(), from_ms, to_ms, MAX_ROWS)
        .await?;
    let devices = read
        .devices(filter.workspace_id.as_deref(), None, MAX_ROWS)
        .await?;
    Ok(assemble(
        employees, sessions, devices, from_ms, to_ms, now_ms,
    ))
}

fn assemble(
    employees: Vec<Employee>,
    sessions: Vec<Session>,
    devices: Vec<Device>,
    from_ms: i64,
    to_ms: i64,
    now_ms: i64,
) -> Vec<Overview> {
    let mut sessions_of: HashMap<EmployeeId, Vec<Session>> = HashMap::new();
    for session in sessions {
        sessions_of
            .entry(session.employee_id)
            .or_default()
            .push(session);
    }
    let mut devices_of: HashMap<EmployeeId, Vec<Device>> = HashMap::new();
    for device in devices
        .into_iter()
        .filter(|device| device.revoked_at.is_none())
    {
        devices_of
            .entry(device.employee_id)
            .or_default()
            .push(device);
    }
    employees
        .into_iter()
        .map(|employee| {
            let sessions = sessions_of
                .remove(&employee.employee_id)
                .unwrap_or_default();
            let devices = devices_of.remove(&employee.employee_id).unwrap_or_default();
            Overview {
                now: running(&sessions, now_ms),
                tracked_ms: sessions
                    .iter()
                    .map(|session| report::tracked_within(&session.stretches, from_ms, to_ms))
                    .sum(),
                last_seen_at: devices.iter().map(|device| device.last_seen_at).max(),
                devices,
                employee,
            }
        })
        .collect()
}

/// The session that runs; of several (two machines) the one started last.
fn running(sessions: &[Session], now_ms: i64) -> Option<Running> {
    let open = sessions
        .iter()
        .filter(|session| session.end_as_of(now_ms).is_none());
    open.max_by_key(|session| session.started_at)
        .map(|session| Running {
            project_id: session.project_id,
            since_ms: session.started_at,
            idle: session.stretches.last().is_some_and(|stretch| stretch.idle),
        })
}

#[cfg(test)]
mod tests {
    use glasshour_license_format::WorkMode;
    use glasshour_protocol::{DeviceId, SessionId};
    use uuid::Uuid;

    use super::*;
    use crate::report::Stretch;
    use crate::store::VANISHED_AFTER_MS;

    const JO: EmployeeId = EmployeeId(Uuid::from_u128(1));
    const P: ProjectId = ProjectId(Uuid::from_u128(2));

    fn employee() -> Employee {
        Employee {
            employee_id: JO,
            workspace_id: "w".into(),
            name: "Jo Doe".into(),
            email: None,
            work_mode: WorkMode::Worklog,
            project_id: P,
            profile_id: "p".into(),
            active: true,
            serial: 1,
            created_at: 0,
            updated_at: 0,
        }
    }

    fn session(ended_at: Option<i64>) -> Session {
        Session {
            session_id: SessionId(Uuid::from_u128(3)),
            device_id: DeviceId(Uuid::from_u128(4)),
            employee_id: JO,
            project_id: Some(P),
            started_at: 1000,
            ended_at,
            first_record_at: 1000,
            last_record_at: 5000,
            tracked_ms: 4000,
            idle_ms: 0,
            withdrawn_ms: 0,
            cause: None,
            note: None,
            stretches: vec![Stretch {
                from_ms: 1000,
                to_ms: 5000,
                project_id: Some(P),
                idle: false,
                kept: false,
                withdrawn: false,
            }],
        }
    }

    #[test]
    fn an_open_session_runs_until_its_agent_has_been_silent_for_long() {
        let now = |session, now_ms| {
            let all = assemble(vec![employee()], vec![session], vec![], 2000, 9000, now_ms);
            (all[0].now.is_some(), all[0].tracked_ms)
        };
        assert_eq!(now(session(None), 6000), (true, 3000));
        assert_eq!(now(session(None), 5000 + VANISHED_AFTER_MS), (true, 3000));
        assert_eq!(now(session(None), 5001 + VANISHED_AFTER_MS), (false, 3000));
        assert_eq!(now(session(Some(5000)), 6000), (false, 3000));
    }
}
