//! The pusher's folder: who the device is, what its license says, where its spool lies.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glasshour_license_format::{Claims, SignedLicense};
use glasshour_protocol::LicenseId;
use glasshour_protocol::device::EnrollRequest;
use glasshour_protocol::jws::Jwk;
use glasshour_tests::device::Device;
use glasshour_tests::wait::wall_ms;
use glasshour_uploader::Spool;
use glasshour_uploader::send::{LicenseBook, Line, SenderConfig, Wall};
use glasshour_uploader::spool::{DeviceIdentity, SealKey, SpoolConfig};

pub(crate) struct Home {
    folder: PathBuf,
    identity: DeviceIdentity,
    license: SignedLicense,
    file: Vec<u8>,
}

/// A book with one license in it.
struct OneLicense(Arc<Claims>);

impl LicenseBook for OneLicense {
    fn claims(&self, id: LicenseId) -> Option<Arc<Claims>> {
        (self.0.license_id == id).then(|| self.0.clone())
    }
}

struct SystemWall;

impl Wall for SystemWall {
    fn now_ms(&self) -> i64 {
        wall_ms()
    }
}

impl Home {
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let file = std::fs::read(folder.join("license.gz")).context("cannot read license.gz")?;
        let license = glasshour_license_format::read(&file).context("license.gz")?;
        let company = license.claims().issuer.company_id;
        let device = Device::read(&folder.join("device.json"), company)?;
        Ok(Self {
            folder: folder.to_owned(),
            identity: DeviceIdentity {
                device_id: device.id(),
                key: Arc::new(device.key().clone()),
            },
            license,
            file,
        })
    }

    pub(crate) fn license_id(&self) -> LicenseId {
        self.license.claims().license_id
    }

    /// The spool, opened and sealed as the agent does with its own; the key follows from the device's, so
    /// that a seat needs no file more.
    pub(crate) fn spool(&self) -> Result<Spool> {
        let config = SpoolConfig {
            seal: Some(SealKey::new(&self.identity.key.to_bytes())),
            ..self.identity.clone().into()
        };
        Ok(Spool::open(&self.folder.join("spool.sqlite"), config)?)
    }

    pub(crate) fn sender_config(&self, server: &str, line: Line) -> Result<SenderConfig> {
        let claims = self.license.claims();
        Ok(SenderConfig {
            server_url: server.to_owned(),
            company_id: claims.issuer.company_id,
            identity: self.identity.clone(),
            enrollment: EnrollRequest {
                device_id: self.identity.device_id,
                public_key: Jwk::from_key(&self.identity.key.verifying_key()),
                license_gz: STANDARD.encode(&self.file),
                host_name: "faults".into(),
                os_user: glasshour_tests::programs::os_user()?,
                platform: "linux".into(),
                agent_version: env!("CARGO_PKG_VERSION").into(),
            },
            serial: claims.serial,
            licenses: Arc::new(OneLicense(Arc::new(claims.clone()))),
            wall: Arc::new(SystemWall),
            user_agent: concat!("glasshour/", env!("CARGO_PKG_VERSION")).into(),
            line,
        })
    }
}
