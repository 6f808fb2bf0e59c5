//! One account per employer: its spool, and the sender that empties it towards that employer's server
//! and no other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use glasshour_license_format::{Claims, License};
use glasshour_protocol::device::EnrollRequest;
use glasshour_protocol::jws::Jwk;
use glasshour_protocol::{CompanyId, LicenseId};
use glasshour_uploader::send::{Asker, Line, SendStatus, Sender, SenderConfig, Wall};
use glasshour_uploader::spool::{DEFAULT_QUOTA_BYTES, DeviceIdentity, Spool};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::held::clock::HoldReadings;
use crate::home::Home;
use crate::license::{Book, Loaded};
use crate::platform::Platform;
use crate::seal_key;
use crate::sentence::with_causes;

/// How long the senders are given to deliver what a log-out left.
const LAST_WORDS: Duration = Duration::from_secs(4);

/// One employer.
pub(super) struct Account {
    company: CompanyId,
    /// Its licenses by id: the hash that notices are bound to.
    payload_hashes: BTreeMap<LicenseId, String>,
    /// Where records for it are kept.
    pub(super) spool: Spool,
    identity: DeviceIdentity,
    /// The license that its sender enrols with.
    claims: Claims,
    /// Where its sender brings everything: not where a license says that waits to be agreed to.
    server_url: String,
    status: watch::Receiver<SendStatus>,
    /// Asks its server for what is not sent.
    pub(super) asker: Asker,
    cancel: CancellationToken,
}

impl Account {
    pub(super) fn company(&self) -> CompanyId {
        self.company
    }

    /// Where everything of it goes.
    pub(super) fn server_url(&self) -> &str {
        &self.server_url
    }

    /// The newest license that was loaded of it, also where that is out of use.
    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(super) fn payload_sha256(&self, license: LicenseId) -> Option<String> {
        self.payload_hashes.get(&license).cloned()
    }
}

/// All employers.
pub(super) struct Accounts {
    home: Home,
    platform: Arc<dyn Platform>,
    book: Arc<Book>,
    by_company: BTreeMap<CompanyId, Account>,
    news: mpsc::Sender<CompanyId>,
    holds: HoldReadings,
    /// Every sender ever started; awaited at the end.
    senders: JoinSet<()>,
    quota_bytes: u64,
    line: Line,
}

struct ClockWall(Box<dyn Clock>, HoldReadings);

impl Wall for ClockWall {
    fn now_ms(&self) -> i64 {
        self.0.now().wall_ms
    }

    fn holds_ms(&self) -> i64 {
        self.1.at(self.0.now())
    }
}

impl Accounts {
    /// `news` gets a company's id whenever its sender learns something; `holds`: how late it is for
    /// captures that wait.
    pub(super) fn new(
        home: Home,
        platform: Arc<dyn Platform>,
        (news, holds): (mpsc::Sender<CompanyId>, HoldReadings),
    ) -> Self {
        Self {
            home,
            platform,
            book: Arc::default(),
            by_company: BTreeMap::new(),
            news,
            holds,
            senders: JoinSet::new(),
            quota_bytes: DEFAULT_QUOTA_BYTES,
            line: Line::default(),
        }
    }

    /// Lets each spool grow so large and no larger.
    pub(super) fn with_quota(self, quota_bytes: u64) -> Self {
        Self {
            quota_bytes,
            ..self
        }
    }

    /// Reaches every server in that way.
    pub(super) fn with_line(self, line: Line) -> Self {
        Self { line, ..self }
    }

    /// Opens what is new and points senders to newer licenses. What was captured under superseded and
    /// removed licenses is still delivered. `server_of`: where everything of a company goes whose newest
    /// license that is. Returns what did not work, by company.
    pub(super) fn set(
        &mut self,
        loaded: &Loaded,
        server_of: impl Fn(&License) -> String,
    ) -> BTreeMap<CompanyId, String> {
        let Loaded {
            current,
            all,
            strangers,
            ..
        } = loaded;
        let is_stranger = |license: &License| strangers.contains(&license.claims().license_id);
        let mut newest: BTreeMap<CompanyId, &License> = BTreeMap::new();
        for license in all {
            let claims = license.claims();
            let rank = |one: &License| (!is_stranger(one), one.claims().serial);
            let known = newest.get(&claims.issuer.company_id);
            if known.is_none_or(|known| rank(known) < rank(license)) {
                newest.insert(claims.issuer.company_id, license);
            }
        }
        // The one in use goes before one that is out of use, or that a former key has signed.
        for license in current {
            newest.insert(license.claims().issuer.company_id, license);
        }
        let servers: BTreeMap<CompanyId, String> = newest
            .iter()
            .map(|(company, license)| (*company, server_of(license)))
            .collect();
        // What was captured for a key that nobody announced goes to no other server than its license
        // names: it waits.
        let goes_there = |license: &&License| {
            let issuer = &license.claims().issuer;
            !is_stranger(license) || servers.get(&issuer.company_id) == Some(&issuer.server_url)
        };
        self.book.set(all.iter().filter(goes_there));
        let mut problems = BTreeMap::new();
        for (company, license) in newest {
            let Some(server) = servers.get(&company) else {
                continue;
            };
            if let Err(problem) = self.open(company, license, server) {
                problems.insert(company, with_causes(problem.as_ref()));
            }
        }
        for account in self.by_company.values_mut() {
            account.payload_hashes = all
                .iter()
                .filter(|license| license.claims().issuer.company_id == account.company)
                .map(|l| {
                    (
                        l.claims().license_id,
                        l.signed().payload_sha256().to_owned(),
                    )
                })
                .collect();
        }
        problems
    }

    fn open(
        &mut self,
        company: CompanyId,
        license: &License,
        server_url: &str,
    ) -> anyhow::Result<()> {
        let license_id = license.claims().license_id;
        let (spool, identity) = match self.by_company.get(&company) {
            Some(account)
                if account.claims.license_id == license_id && account.server_url == server_url =>
            {
                return Ok(());
            }
            Some(account) => {
                account.cancel.cancel();
                (account.spool.clone(), account.identity.clone())
            }
            None => {
                let config = seal_key::spool_config(&self.home, company, self.quota_bytes)?;
                let identity = config.identity.clone();
                (Spool::open(&self.home.spool(company), config)?, identity)
            }
        };
        let config = SenderConfig {
            server_url: server_url.to_owned(),
            company_id: company,
            identity: identity.clone(),
            enrollment: self.enrollment(&identity, license)?,
            serial: license.claims().serial,
            licenses: self.book.clone(),
            wall: Arc::new(ClockWall(self.platform.clock(), self.holds)),
            user_agent: concat!("glasshour/", env!("CARGO_PKG_VERSION")).into(),
            line: self.line.clone(),
        };
        let (sender, status) = Sender::new(spool.clone(), config)?;
        let asker = sender.asker();
        let cancel = CancellationToken::new();
        self.senders.spawn(sender.run(cancel.clone()));
        self.senders.spawn(tell(
            status.clone(),
            company,
            self.news.clone(),
            cancel.clone(),
        ));
        let account = Account {
            company,
            payload_hashes: BTreeMap::new(),
            spool,
            identity,
            claims: license.claims().clone(),
            server_url: server_url.to_owned(),
            status,
            asker,
            cancel,
        };
        self.by_company.insert(company, account);
        Ok(())
    }

    fn enrollment(
        &self,
        identity: &DeviceIdentity,
        license: &License,
    ) -> anyhow::Result<EnrollRequest> {
        let who = self.platform.identity();
        let id = license.claims().license_id;
        let file = format!("{id}.license.gz");
        let bytes = std::fs::read(self.home.licenses().join(&file))
            .or_else(|_| std::fs::read(self.home.removed_licenses().join(&file)))?;
        Ok(EnrollRequest {
            device_id: identity.device_id,
            public_key: Jwk::from_key(&identity.key.verifying_key()),
            license_gz: base64::engine::general_purpose::STANDARD.encode(bytes),
            host_name: who.host_name,
            os_user: who.os_user,
            platform: self.platform.describe(),
            agent_version: env!("CARGO_PKG_VERSION").into(),
        })
    }

    /// What every license says that was ever loaded.
    pub(super) fn book(&self) -> Arc<Book> {
        self.book.clone()
    }

    pub(super) fn has(&self, company: CompanyId) -> bool {
        self.by_company.contains_key(&company)
    }

    pub(super) fn get(&self, company: CompanyId) -> Option<&Account> {
        self.by_company.get(&company)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.by_company.values()
    }

    /// The account that a license belongs to.
    pub(super) fn of_license(&self, license: LicenseId) -> Option<&Account> {
        self.by_company
            .values()
            .find(|account| account.payload_hashes.contains_key(&license))
    }

    pub(super) fn company_of(&self, license: LicenseId) -> Option<CompanyId> {
        self.of_license(license).map(Account::company)
    }

    /// What is known of a company's server.
    pub(super) fn send_status(&self, company: CompanyId) -> Option<SendStatus> {
        self.by_company
            .get(&company)
            .map(|account| account.status.borrow().clone())
    }

    /// Lets the senders deliver what is there, for a short while.
    pub(super) async fn close(&mut self) {
        for account in self.by_company.values() {
            account.cancel.cancel();
        }
        let all = async { while self.senders.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_WORDS, all).await.is_err() {
            tracing::info!("the server was slow; what is left is sent at the next start");
        }
    }
}

/// Passes changes of a sender's status on to the loop.
async fn tell(
    mut status: watch::Receiver<SendStatus>,
    company: CompanyId,
    news: mpsc::Sender<CompanyId>,
    cancel: CancellationToken,
) {
    loop {
        tokio::select! {
            changed = status.changed() => {
                if changed.is_err() || news.send(company).await.is_err() {
                    return;
                }
            }
            () = cancel.cancelled() => return,
        }
    }
}
