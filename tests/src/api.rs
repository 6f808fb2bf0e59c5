//! The server's HTTP API as a script would use it: a bearer token and a few calls.
//!
//! Answers are typed only as far as the stories look at them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use glasshour_protocol::device::EnrollRequest;
use glasshour_protocol::{ErrorBody, Kind, RecordMeta};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, Body};

/// Largest answer taken, bytes: more than any payload may have.
const MAX_ANSWER: u64 = 32 * 1024 * 1024;

/// A client of one server.
#[derive(Clone, Debug)]
pub struct Api {
    http: Agent,
    url: String,
    token: String,
}

/// An employee, as the API shows one.
#[derive(Clone, Debug, Deserialize)]
pub struct Employee {
    /// Its id.
    pub employee_id: String,
    /// Rule 8.
    pub active: bool,
}

/// A record, as the API lists it.
#[derive(Clone, Debug, Deserialize)]
pub struct Record {
    /// Its id.
    pub record_id: String,
    /// Who captured it.
    pub device_id: String,
    /// Under which license.
    pub license_id: String,
    /// Its place in that device's and license's chain, from 1.
    pub seq: u64,
    /// What it is.
    pub kind: Kind,
    /// When it was captured, by the device's clock.
    pub captured_at: Timestamp,
    /// When it came in, by the server's clock.
    pub received_at: Timestamp,
    /// Media type of the payload.
    pub content_type: String,
    /// Bytes of the payload.
    pub payload_len: u64,
    /// SHA-256 (hex) of the payload.
    pub payload_sha256: String,
    /// Beside the payload.
    #[serde(default)]
    pub meta: RecordMeta,
    /// `verified`, `late`, `gap-before`, `clock-suspect`.
    pub grade: String,
    /// Why it has no payload: `employee`, `superseded`, `damaged`.
    #[serde(default)]
    pub withdrawn: Option<String>,
}

impl Record {
    /// Whether it is a screenshot with a picture of its own.
    pub fn has_picture(&self) -> bool {
        self.kind == Kind::Screenshot
            && self.withdrawn.is_none()
            && self
                .meta
                .frame
                .as_ref()
                .is_some_and(|frame| !frame.unchanged)
    }
}

/// One page of any list.
#[derive(Debug, Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<Value>,
}

impl Api {
    /// A client with a token; each call has twenty seconds.
    pub fn new(url: &str, token: &str) -> Self {
        let http = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(20)))
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .into();
        Self {
            http,
            url: url.to_owned(),
            token: token.to_owned(),
        }
    }

    /// Makes a profile from the settings of a license profile; gives its id.
    ///
    /// # Errors
    /// The server does not answer 2xx.
    pub fn create_profile(&self, name: &str, settings: &Value) -> Result<String> {
        let made = self.post(
            "/api/v1/profiles",
            &json!({"name": name, "settings": settings}),
        )?;
        text(&made, "profile_id")
    }

    /// Makes a project.
    ///
    /// # Errors
    /// The server does not answer 2xx.
    pub fn create_project(&self, name: &str) -> Result<()> {
        self.post("/api/v1/projects", &json!({"name": name}))?;
        Ok(())
    }

    /// Makes an active employee.
    ///
    /// # Errors
    /// The server does not answer 2xx.
    pub fn create_employee(&self, name: &str, mode: &str, profile: &str) -> Result<Employee> {
        let body = json!({"name": name, "work_mode": mode, "profile_id": profile, "active": true});
        let made = self.post("/api/v1/employees", &body)?;
        serde_json::from_value(made).context("the answer to a new employee")
    }

    /// Puts an employee on another profile, which issues a license (rule 17).
    ///
    /// # Errors
    /// The server does not answer 2xx.
    pub fn set_profile(&self, employee: &Employee, profile: &str) -> Result<()> {
        self.patch_employee(employee, &json!({"profile_id": profile}))?;
        Ok(())
    }

    fn patch_employee(&self, employee: &Employee, change: &Value) -> Result<Value> {
        let path = format!("/api/v1/employees/{}", employee.employee_id);
        let request = self
            .http
            .patch(self.at(&path))
            .header("authorization", self.bearer());
        read_json(request.send_json(change)?)
    }

    /// Sets an employee Active or not (rule 8).
    ///
    /// # Errors
    /// The server does not answer 2xx.
    pub fn set_active(&self, employee: &Employee, active: bool) -> Result<()> {
        let changed = self.patch_employee(employee, &json!({"active": active}))?;
        if changed.get("active") != Some(&json!(active)) {
            bail!("the employee's Active box did not change: {changed}");
        }
        Ok(())
    }

    /// Downloads an employee's license: the bytes of `<employee>.license.gz`.
    ///
    /// # Errors
    /// The server does not answer 2xx.
    pub fn license_gz(&self, employee: &Employee) -> Result<Vec<u8>> {
        let path = format!("/api/v1/employees/{}/license.gz", employee.employee_id);
        read_bytes(self.get(&path)?)
    }

    /// Every record of an employee, page by page.
    ///
    /// # Errors
    /// The server does not answer 2xx.
    pub fn records(&self, employee: &Employee) -> Result<Vec<Record>> {
        let path = format!(
            "/api/v1/records?employee_id={}&limit=1000",
            employee.employee_id
        );
        self.list(&path)
    }

    /// The bytes of a record.
    ///
    /// # Errors
    /// The server does not answer 2xx.
    pub fn payload(&self, record: &Record) -> Result<Vec<u8>> {
        read_bytes(self.get(&format!("/api/v1/records/{}/payload", record.record_id))?)
    }

    /// Writes an employee's export into a file.
    ///
    /// # Errors
    /// The server does not answer 2xx, or the file cannot be written.
    pub fn export(&self, employee: &Employee, file: &Path) -> Result<()> {
        let path = format!("/api/v1/export?employee_id={}", employee.employee_id);
        let request = self
            .http
            .get(self.at(&path))
            .config()
            .timeout_global(Some(Duration::from_mins(5)))
            .build();
        let mut answer = request
            .header("authorization", self.bearer())
            .call()
            .with_context(|| format!("GET {path}"))?;
        if !answer.status().is_success() {
            bail!("the export was answered with {}", answer.status());
        }
        let mut written = std::fs::File::create(file)?;
        std::io::copy(&mut answer.body_mut().as_reader(), &mut written).context("the export")?;
        Ok(())
    }

    /// The sessions of an employee, as the server derives them.
    ///
    /// # Errors
    /// The server does not answer 2xx.
    pub fn sessions(&self, employee: &Employee) -> Result<Vec<Value>> {
        self.list(&format!(
            "/api/v1/sessions?employee_id={}",
            employee.employee_id
        ))
    }

    /// Puts one record as a device would; gives the status and, where refused, why.
    ///
    /// # Errors
    /// No answer, or a refusal without an error body.
    pub fn put_record(&self, put: &crate::device::Put) -> Result<(u16, Option<ErrorBody>)> {
        let mut request = self
            .http
            .put(self.at(&format!("/api/v1/records/{}", put.record_id)))
            .header("authorization", format!("Bearer {}", put.token))
            .header(glasshour_protocol::record::HEADER_RECORD, &put.record)
            .header(glasshour_protocol::record::HEADER_SIGNATURE, &put.signature)
            .header("content-type", &put.content_type);
        if let Some(withdrawal) = &put.withdrawn {
            request = request.header(glasshour_protocol::withdrawal::HEADER_WITHDRAWN, withdrawal);
        }
        let answer = request.send(put.payload.as_slice())?;
        let status = answer.status().as_u16();
        if answer.status().is_success() {
            return Ok((status, None));
        }
        let bytes = limited(answer)?;
        let body = serde_json::from_slice(&bytes)
            .with_context(|| format!("{status}: {}", String::from_utf8_lossy(&bytes)))?;
        Ok((status, Some(body)))
    }

    /// Enrols a device; gives the status.
    ///
    /// # Errors
    /// No answer.
    pub fn enroll(&self, request: &EnrollRequest, token: &str) -> Result<u16> {
        let answer = self
            .http
            .post(self.at("/api/v1/devices"))
            .header("authorization", format!("Bearer {token}"))
            .send_json(request)?;
        let status = answer.status().as_u16();
        limited(answer)?;
        Ok(status)
    }

    fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page: Page<T> = read_json(self.get(&format!("{path}{cursor}"))?)?;
            all.extend(page.items);
            match page.next {
                None | Some(Value::Null) => return Ok(all),
                Some(Value::String(next)) => cursor = format!("&cursor={next}"),
                Some(next) => cursor = format!("&cursor={next}"),
            }
        }
    }

    /// Asks for something that no story but one needs.
    ///
    /// # Errors
    /// The server does not answer 2xx with JSON.
    pub fn get_json(&self, path: &str) -> Result<Value> {
        read_json(self.get(path)?)
    }

    fn get(&self, path: &str) -> Result<Response<Body>> {
        let request = self
            .http
            .get(self.at(path))
            .header("authorization", self.bearer());
        request.call().with_context(|| format!("GET {path}"))
    }

    /// Posts something that no story but one needs.
    ///
    /// # Errors
    /// The server does not answer 2xx with JSON.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self
            .http
            .post(self.at(path))
            .header("authorization", self.bearer());
        read_json(
            request
                .send_json(body)
                .with_context(|| format!("POST {path}"))?,
        )
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

fn read_json<T: DeserializeOwned>(answer: Response<Body>) -> Result<T> {
    let bytes = read_bytes(answer)?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("an unexpected answer: {}", String::from_utf8_lossy(&bytes)))
}

fn read_bytes(answer: Response<Body>) -> Result<Vec<u8>> {
    let status = answer.status();
    let bytes = limited(answer)?;
    if !status.is_success() {
        bail!(
            "the server answered {status}: {}",
            String::from_utf8_lossy(&bytes)
        );
    }
    Ok(bytes)
}

fn limited(mut answer: Response<Body>) -> Result<Vec<u8>> {
    Ok(answer
        .body_mut()
        .with_config()
        .limit(MAX_ANSWER)
        .read_to_vec()?)
}

/// A text member of an answer.
fn text(value: &Value, member: &str) -> Result<String> {
    let found = value.get(member).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("no text `{member}` in {value}"))
}
