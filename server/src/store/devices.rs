//! Devices: one operating-system user on one machine. Only their public keys are kept.

use glasshour_protocol::payload::HealthReport;
use glasshour_protocol::{DeviceId, EmployeeId};
use sqlx::FromRow;

use super::column::{NullableJson, Text, to_json};
use super::{Read, StoreError, Write, on};

/// An enrolled device.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Device {
    /// Its id, chosen by itself.
    #[sqlx(try_from = "Text<DeviceId>")]
    pub device_id: DeviceId,
    /// Whose.
    #[sqlx(try_from = "Text<EmployeeId>")]
    pub employee_id: EmployeeId,
    /// Ed25519, base64url: the `x` of its JWK.
    pub public_key: String,
    /// The machine's name.
    pub host_name: String,
    /// The operating-system user.
    pub os_user: String,
    /// Operating system and display server.
    pub platform: String,
    /// The agent's version at its last enrolment.
    pub agent_version: String,
    /// UTC milliseconds.
    pub enrolled_at: i64,
    /// When it last said anything, UTC milliseconds.
    pub last_seen_at: i64,
    /// UTC milliseconds; `None`: it waits, and nothing is taken from it.
    pub approved_at: Option<i64>,
    /// UTC milliseconds; from then on it is refused.
    pub revoked_at: Option<i64>,
    /// What it last said about its channels.
    #[sqlx(try_from = "NullableJson<HealthReport>")]
    pub health: Option<HealthReport>,
    /// When that was captured, UTC milliseconds.
    pub health_at: Option<i64>,
}

impl Read {
    /// A device by id.
    pub async fn device(&mut self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        const SQL: &str = "SELECT device_id, employee_id, public_key, host_name, os_user, platform, \
            agent_version, enrolled_at, last_seen_at, approved_at, revoked_at, health, health_at \
            FROM devices WHERE company_id = $1 AND device_id = $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(id.to_string()).fetch_optional(c).await)?)
    }

    /// Devices by id, behind `after` where given; of one workspace's employees or of all.
    pub async fn devices(
        &mut self,
        workspace: Option<&str>,
        after: Option<DeviceId>,
        limit: u32,
    ) -> Result<Vec<Device>, StoreError> {
        const SQL: &str = "SELECT device_id, employee_id, public_key, host_name, os_user, platform, \
            agent_version, enrolled_at, last_seen_at, approved_at, revoked_at, health, health_at \
            FROM devices WHERE company_id = $1 AND device_id > $2 \
            AND ($4 = '' OR employee_id IN (SELECT e.employee_id FROM employees e \
              WHERE e.company_id = $1 AND e.workspace_id = $4)) ORDER BY device_id LIMIT $3";
        let after = after.map_or_else(String::new, |id| id.to_string());
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(&after).bind(i64::from(limit))
            .bind(workspace.unwrap_or_default()).fetch_all(c).await)?)
    }

    /// Devices that wait to be approved, by id; of one workspace's employees or of all.
    pub async fn waiting_devices(
        &mut self,
        workspace: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Device>, StoreError> {
        const SQL: &str = "SELECT device_id, employee_id, public_key, host_name, os_user, platform, \
            agent_version, enrolled_at, last_seen_at, approved_at, revoked_at, health, health_at \
            FROM devices WHERE company_id = $1 AND approved_at IS NULL AND revoked_at IS NULL \
            AND ($3 = '' OR employee_id IN (SELECT e.employee_id FROM employees e \
              WHERE e.company_id = $1 AND e.workspace_id = $3)) ORDER BY device_id LIMIT $2";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(i64::from(limit)).bind(workspace.unwrap_or_default())
            .fetch_all(c).await)?)
    }

    /// One employee's devices, by id.
    pub async fn devices_of(
        &mut self,
        employee: EmployeeId,
        limit: u32,
    ) -> Result<Vec<Device>, StoreError> {
        const SQL: &str = "SELECT device_id, employee_id, public_key, host_name, os_user, platform, \
            agent_version, enrolled_at, last_seen_at, approved_at, revoked_at, health, health_at \
            FROM devices WHERE company_id = $1 AND employee_id = $2 ORDER BY device_id LIMIT $3";
        Ok(on!(self, c => sqlx::query_as(SQL)
            .bind(&self.company).bind(employee.to_string()).bind(i64::from(limit))
            .fetch_all(c).await)?)
    }
}

impl Write {
    /// Makes a device known.
    pub async fn insert_device(&mut self, device: &Device) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO devices (company_id, device_id, employee_id, public_key, \
            host_name, os_user, platform, agent_version, enrolled_at, last_seen_at, approved_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(device.device_id.to_string())
            .bind(device.employee_id.to_string()).bind(&device.public_key)
            .bind(&device.host_name).bind(&device.os_user).bind(&device.platform)
            .bind(&device.agent_version).bind(device.enrolled_at).bind(device.last_seen_at).bind(device.approved_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes what an enrolled device says about itself now.
    pub async fn update_device(&mut self, device: &Device) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE devices SET host_name = $3, os_user = $4, platform = $5, \
            agent_version = $6, last_seen_at = $7 WHERE company_id = $1 AND device_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(device.device_id.to_string()).bind(&device.host_name)
            .bind(&device.os_user).bind(&device.platform).bind(&device.agent_version)
            .bind(device.last_seen_at)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Notes that a device was heard from. Until the end of the transaction no other one gets
    /// beyond this for the same device: what is computed from a device's rows is safe behind it.
    pub async fn touch_device(&mut self, id: DeviceId, now_ms: i64) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE devices SET last_seen_at = \
            CASE WHEN last_seen_at < $3 THEN $3 ELSE last_seen_at END \
            WHERE company_id = $1 AND device_id = $2";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id.to_string()).bind(now_ms).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Keeps a health report unless a newer one is known.
    pub async fn set_device_health(
        &mut self,
        id: DeviceId,
        report: &HealthReport,
        at_ms: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE devices SET health = $3, health_at = $4, agent_version = $5 \
            WHERE company_id = $1 AND device_id = $2 AND (health_at IS NULL OR health_at <= $4)";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id.to_string()).bind(to_json(report)).bind(at_ms)
            .bind(&report.agent_version)
            .execute(c).await.map(drop))?;
        Ok(())
    }

    /// Takes what a device sends from now on.
    pub async fn approve_device(&mut self, id: DeviceId, now_ms: i64) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE devices SET approved_at = $3 \
            WHERE company_id = $1 AND device_id = $2 AND approved_at IS NULL";
        on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id.to_string()).bind(now_ms).execute(c).await.map(drop))?;
        Ok(())
    }

    /// Refuses a device from now on; true where it was not refused already.
    pub async fn revoke_device(&mut self, id: DeviceId, now_ms: i64) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE devices SET revoked_at = $3 \
            WHERE company_id = $1 AND device_id = $2 AND revoked_at IS NULL";
        let changed = on!(self.0, c => sqlx::query(SQL)
            .bind(&self.0.company).bind(id.to_string()).bind(now_ms)
            .execute(c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }
}
