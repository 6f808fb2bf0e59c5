//! Every message there is, as a type: what it is called in the catalogues, and what goes into it.
//!
//! The list is the contract between code and catalogues; `tests/catalogues.rs` holds both against it.

use fluent_bundle::{FluentArgs, FluentValue};

use crate::plain::plain;

/// Text from outside: a name, an address, a server's sentence. What could mislead is stripped when it
/// is put into a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside<'a>(pub &'a str);

/// Text that a catalogue has made, on its way into another message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said(String);

/// The name of a variant, by which a catalogue chooses its wording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a>(pub &'a str);

impl Said {
    /// Only what [`Words`](crate::Words) says, and digits.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> From<Outside<'a>> for FluentValue<'a> {
    fn from(Outside(text): Outside<'a>) -> Self {
        plain(text).into()
    }
}

impl From<Said> for FluentValue<'_> {
    fn from(Said(text): Said) -> Self {
        text.into()
    }
}

impl<'a> From<Key<'a>> for FluentValue<'a> {
    fn from(Key(name): Key<'a>) -> Self {
        name.into()
    }
}

macro_rules! messages {
    ($($name:ident = $id:literal { $($argument:ident: $type:ty),* },)*) => {
        /// Something to say. Each is described by its English text in `assets/words/en`.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the catalogues say what each is")]
        pub enum Message<'a> {
            $($name { $($argument: $type),* },)*
        }

        impl<'a> Message<'a> {
            /// Every message: its name here, its name in the catalogues, and its arguments.
            pub const ALL: &'static [(&'static str, &'static str, &'static [&'static str])] =
                &[$((stringify!($name), $id, &[$(stringify!($argument)),*]),)*];

            /// Its name in the catalogues, and what goes into it.
            pub(crate) fn parts(self) -> (&'static str, FluentArgs<'a>) {
                let mut arguments = FluentArgs::new();
                match self {
                    $(Self::$name { $($argument),* } => {
                        $(arguments.set(stringify!($argument), $argument);)*
                        ($id, arguments)
                    })*
                }
            }
        }
    };
}

messages! {
    // notice.ftl
    NoticeTitle = "notice-title" { company: Outside<'a> },
    NoticeTitleOf = "notice-title-of" { company: Outside<'a>, employee: Outside<'a> },
    TopicCaptured = "topic-captured" {},
    TopicWhen = "topic-when" {},
    TopicNever = "topic-never" {},
    TopicLeftOut = "topic-left-out" {},
    TopicAlways = "topic-always" {},
    TopicWhere = "topic-where" {},
    TopicKept = "topic-kept" {},
    TopicEmployer = "topic-employer" {},
    TopicAsk = "topic-ask" {},
    CapturedScreens = "captured-screens" { monitors: Key<'a>, rate: Said, moments: Key<'a> },
    CapturedBlurLight = "captured-blur-light" {},
    CapturedBlurStrong = "captured-blur-strong" {},
    CapturedWidth = "captured-width" { pixels: u32 },
    CapturedUnchanged = "captured-unchanged" {},
    CapturedCamera = "captured-camera" { rate: Said },
    CapturedInput = "captured-input" {},
    CapturedApplications = "captured-applications" {},
    CapturedTitles = "captured-titles" {},
    CapturedApplicationsAndTitles = "captured-applications-and-titles" {},
    CapturedNothing = "captured-nothing" {},
    WhenWorklog = "when-worklog" {},
    WhenMonitoring = "when-monitoring" {},
    WhenHours = "when-hours" { days: Said, from: Said, to: Said, zone: Outside<'a> },
    WhenFrom = "when-from" { from: Said },
    WhenUntil = "when-until" { to: Said },
    WhenBetween = "when-between" { from: Said, to: Said },
    NeverTyped = "never-typed" {},
    NeverPasswords = "never-passwords" {},
    NeverPasswordsTyped = "never-passwords-typed" {},
    NeverClipboard = "never-clipboard" {},
    NeverSound = "never-sound" {},
    NeverScreen = "never-screen" {},
    NeverCamera = "never-camera" {},
    NeverInput = "never-input" {},
    NeverApplications = "never-applications" {},
    NeverTitles = "never-titles" {},
    NeverUnknown = "never-unknown" { members: Said },
    LeftOutApplications = "left-out-applications" { names: Said, from: Key<'a> },
    LeftOutTitles = "left-out-titles" { parts: Said, from: Key<'a> },
    AlwaysSessions = "always-sessions" { idle: Said },
    AlwaysAgent = "always-agent" {},
    WhereServer = "where-server" { company: Outside<'a>, url: Outside<'a> },
    WhereAtOnce = "where-at-once" {},
    WhereHeld = "where-held" { time: Said },
    WhereMayDelete = "where-may-delete" {},
    WhereMayNotDelete = "where-may-not-delete" {},
    KeptOpen = "kept-open" { who: Outside<'a> },
    KeptScreenshots = "kept-screenshots" { time: Said },
    KeptCamera = "kept-camera" { time: Said },
    KeptActivity = "kept-activity" { time: Said },
    KeptSessions = "kept-sessions" { time: Said },
    KeptRest = "kept-rest" { who: Outside<'a> },
    AskContact = "ask-contact" { company: Outside<'a>, contact: Outside<'a> },
    AskCompany = "ask-company" { company: Outside<'a> },
    // formats.ftl
    Rate = "rate" { count: u32 },
    Days = "days" { count: u32 },
    Hours = "hours" { count: u32 },
    Minutes = "minutes" { count: u32 },
    Seconds = "seconds" { count: u32 },
    TimeHours = "time-hours" { hours: Said, minutes: Said },
    TimeMinutes = "time-minutes" { minutes: Said },
    TimeSeconds = "time-seconds" { seconds: Said },
    Weekday = "weekday" { day: u32 },
    WeekdayOn = "weekday-on" { name: Said },
    WeekdayRange = "weekday-range" { first: Said, last: Said },
    Month = "month" { month: u32 },
    Clock = "clock" { hour: Said, minute: Said },
    Moment = "moment" { day: u32, month: Said, year: Said, clock: Said },
    ListMore = "list-more" { items: Said, next: Said },
    ListAnd = "list-and" { items: Said, last: Said },
    ListOr = "list-or" { items: Said, last: Said },
    Quoted = "quoted" { text: Said },
    // changes.ftl
    ChangesTitle = "changes-title" {},
    ChangesWider = "changes-wider" {},
    ChangesNarrower = "changes-narrower" {},
    ChangesNeutral = "changes-neutral" {},
    Change = "change" { field: Key<'a> },
    ChangeFromTo = "change-from-to" { name: Said, was: Said, is: Said },
    ValueYes = "value-yes" {},
    ValueNo = "value-no" {},
    ValueNone = "value-none" { of: Key<'a> },
    ValueMode = "value-mode" { mode: Key<'a> },
    ValueMonitors = "value-monitors" { monitors: Key<'a> },
    ValueBlur = "value-blur" { blur: Key<'a> },
    ValuePixels = "value-pixels" { pixels: u32 },
    ValueFullSize = "value-full-size" {},
    ValueAnyTime = "value-any-time" {},
    ValueHours = "value-hours" { days: Said, from: Said, to: Said, zone: Outside<'a> },
    // agent.ftl
    NoLicense = "no-license" {},
    TrayTracking = "tray-tracking" { project: Outside<'a>, time: Said },
    TrayIdle = "tray-idle" { project: Outside<'a>, time: Said },
    TrayStopped = "tray-stopped" {},
    TrayPaused = "tray-paused" {},
    TrayAway = "tray-away" {},
    TrayOnPause = "tray-on-pause" {},
    TrayIdleQuestion = "tray-idle-question" { from: Outside<'a>, to: Outside<'a>, time: Said },
    TrayCamera = "tray-camera" {},
    TrayBlocked = "tray-blocked" {},
    TrayNoLicense = "tray-no-license" {},
    TrayMonitoredBeside = "tray-monitored-beside" { company: Outside<'a> },
    TrayBlockedBeside = "tray-blocked-beside" { company: Outside<'a> },
    TrayNoProject = "tray-no-project" {},
    TrayToday = "tray-today" { time: Said },
    TrayProjectTime = "tray-project-time" { project: Outside<'a>, time: Said },
    TrayTooltip = "tray-tooltip" { state: Outside<'a> },
    LabelTracking = "label-tracking" {},
    LabelTrackingProject = "label-tracking-project" { project: Outside<'a> },
    LabelBoth = "label-both" { monitors: Outside<'a>, works_for: Outside<'a> },
    LabelMonitored = "label-monitored" { monitors: Outside<'a> },
    LabelStopped = "label-stopped" {},
    LabelPaused = "label-paused" {},
    LabelBlocked = "label-blocked" {},
    MenuStart = "menu-start" {},
    MenuStartOn = "menu-start-on" {},
    MenuSwitchTo = "menu-switch-to" {},
    MenuStartFor = "menu-start-for" { company: Outside<'a> },
    MenuSwitchToEmployer = "menu-switch-to-employer" { company: Outside<'a> },
    MenuStop = "menu-stop" {},
    MenuPause = "menu-pause" {},
    MenuResume = "menu-resume" {},
    MenuDay = "menu-day" {},
    MenuDayAt = "menu-day-at" { company: Outside<'a> },
    MenuStatus = "menu-status" {},
    MenuHeld = "menu-held" {},
    MenuLicense = "menu-license" {},
    MenuQuit = "menu-quit" {},
    StatusTitle = "status-title" {},
    StatusTracking = "status-tracking" { project: Outside<'a>, time: Said },
    StatusIdle = "status-idle" { project: Outside<'a>, time: Said },
    StatusStopped = "status-stopped" {},
    StatusPaused = "status-paused" {},
    StatusOnPause = "status-on-pause" {},
    StatusAway = "status-away" {},
    StatusBlocked = "status-blocked" {},
    StatusOutOfUse = "status-out-of-use" {},
    StatusOf = "status-of" { company: Outside<'a>, state: Outside<'a>, mode: Key<'a>, employee: Outside<'a>, time: Said },
    StatusLicensed = "status-licensed" { employee: Outside<'a>, company: Outside<'a> },
    StatusToday = "status-today" { time: Said },
    StatusOutside = "status-outside" { company: Outside<'a> },
    StatusOutsideUntil = "status-outside-until" { company: Outside<'a>, when: Said },
    ToldRunning = "told-running" {},
    ToldNoIcon = "told-no-icon" { state: Outside<'a>, reason: Outside<'a> },
    ToldMonitoring = "told-monitoring" { company: Outside<'a> },
    ToldGoesOn = "told-goes-on" {},
    ToldMonitoringGoesOn = "told-monitoring-goes-on" { company: Outside<'a> },
    ToldMonitoredBeside = "told-monitored-beside" { monitors: Outside<'a>, works_for: Outside<'a> },
    ToldWorklogStopped = "told-worklog-stopped" { company: Outside<'a> },
    ToldGoesTo = "told-goes-to" { company: Outside<'a>, url: Outside<'a> },
    ToldTracking = "told-tracking" {},
    ToldTrackingProject = "told-tracking-project" { project: Outside<'a> },
    ToldPaused = "told-paused" {},
    ToldStoppedByYou = "told-stopped-by-you" { time: Said },
    ToldRemind = "told-remind" { company: Outside<'a> },
    ToldStopped = "told-stopped" { reason: Outside<'a> },
    ToldAsleep = "told-asleep" {},
    ToldHoursOver = "told-hours-over" {},
    ToldCamera = "told-camera" {},
    ToldCameraSoon = "told-camera-soon" { company: Outside<'a>, seconds: u32 },
    NoWhom = "no-whom" { companies: Outside<'a> },
    NoByHand = "no-by-hand" { company: Outside<'a> },
    NoByHandOf = "no-by-hand-of" { companies: Outside<'a> },
    NoEmployer = "no-employer" { name: Outside<'a>, companies: Outside<'a> },
    NoOneEmployer = "no-one-employer" { name: Outside<'a>, companies: Outside<'a> },
    NoTheirProject = "no-their-project" { project: Outside<'a>, company: Outside<'a> },
    NoOneProject = "no-one-project" { name: Outside<'a>, companies: Outside<'a> },
    NoProject = "no-project" { name: Outside<'a>, projects: Outside<'a> },
    NoProjectsYet = "no-projects-yet" { company: Outside<'a> },
    NoProjectOfAny = "no-project-of-any" { name: Outside<'a> },
    RefusedMonitoring = "refused-monitoring" {},
    RefusedRunning = "refused-running" {},
    RefusedRunningFor = "refused-running-for" { company: Outside<'a> },
    RefusedSameEmployer = "refused-same-employer" { company: Outside<'a> },
    RefusedNotRunning = "refused-not-running" {},
    RefusedNotPaused = "refused-not-paused" {},
    RefusedBlocked = "refused-blocked" { why: Outside<'a> },
    RefusedAway = "refused-away" {},
    RefusedNote = "refused-note" { count: u32 },
    HasProjects = "has-projects" { company: Outside<'a>, projects: Outside<'a> },
    DayNotOpen = "day-not-open" { reason: Outside<'a> },
    IdleTitle = "idle-title" {},
    IdleAsked = "idle-asked" { from: Said, to: Said, time: Said, project: Outside<'a> },
    IdleKeep = "idle-keep" {},
    IdleDiscard = "idle-discard" {},
    IdleAssign = "idle-assign" { project: Outside<'a> },
    LicenseWaits = "license-waits" { company: Outside<'a>, file: Outside<'a> },
    LicenseNewer = "license-newer" {},
    LicenseWiderWorklog = "license-wider-worklog" {},
    LicenseWiderMonitoring = "license-wider-monitoring" {},
    LicenseRanOut = "license-ran-out" { when: Said },
    LicenseRanOutClock = "license-ran-out-clock" { when: Said },
    LicenseNotYet = "license-not-yet" { when: Said },
    LicenseFileRanOut = "license-file-ran-out" { when: Said },
    LicenseKey = "license-key" { key: Outside<'a> },
    LicenseKeyHistory = "license-key-history" { company: Outside<'a>, date: Outside<'a>, former: Outside<'a>, key: Outside<'a> },
    LicenseKeyChanged = "license-key-changed" { company: Outside<'a>, former: Outside<'a>, key: Outside<'a> },
    LicenseFirstKey = "license-first-key" { company: Outside<'a> },
    LicenseOtherPerson = "license-other-person" { employee: Outside<'a>, company: Outside<'a>, loaded: Outside<'a> },
    LicenseSameName = "license-same-name" { company: Outside<'a>, id: Outside<'a> },
    LicenseMixedLetters = "license-mixed-letters" { company: Outside<'a> },
    LicenseLookalike = "license-lookalike" { company: Outside<'a>, other: Outside<'a>, id: Outside<'a> },
    LicenseKeyByHand = "license-key-by-hand" { company: Outside<'a>, former: Outside<'a>, key: Outside<'a> },
    LicenseOtherKey = "license-other-key" { company: Outside<'a>, former: Outside<'a> },
    LicenseHoldsNow = "license-holds-now" { company: Outside<'a>, mode: Key<'a> },
    LicenseThenAgree = "license-then-agree" { mode: Key<'a> },
    LicenseLine = "license-line" { company: Outside<'a>, employee: Outside<'a>, mode: Key<'a>, profile: Outside<'a>, serial: Outside<'a> },
    LicenseLineCompany = "license-line-company" { id: Outside<'a> },
    LicenseLineKey = "license-line-key" { key: Outside<'a> },
    LicenseWaitsMark = "license-waits-mark" { mode: Key<'a>, serial: Outside<'a> },
    LicenseNotLoaded = "license-not-loaded" {},
    LicenseNotAgreed = "license-not-agreed" {},
    LicenseAskLoad = "license-ask-load" {},
    LicenseAskAgree = "license-ask-agree" {},
    LicenseYes = "license-yes" {},
    LicenseNobody = "license-nobody" {},
    LicenseLoaded = "license-loaded" {},
    LicenseStartAgent = "license-start-agent" {},
    LicenseLoadedAlready = "license-loaded-already" {},
    LicenseAgreed = "license-agreed" {},
    LicenseShown = "license-shown" {},
    LicenseNotShown = "license-not-shown" {},
    LicenseNothingWaits = "license-nothing-waits" {},
    LicenseRemoved = "license-removed" { company: Outside<'a> },
    LicenseStillLoaded = "license-still-loaded" { companies: Outside<'a> },
    // held.ftl
    HeldNothing = "held-nothing" {},
    HeldLookAndDelete = "held-look-and-delete" {},
    HeldLook = "held-look" {},
    HeldTitle = "held-title" {},
    HeldMore = "held-more" { count: u32 },
    HeldHow = "held-how" {},
    HeldKind = "held-kind" { kind: Key<'a> },
    HeldKindOf = "held-kind-of" { what: Said, monitor: Outside<'a> },
    HeldUnchanged = "held-unchanged" { what: Said },
    HeldBytes = "held-bytes" { count: u32 },
    HeldKilobytes = "held-kilobytes" { count: u32 },
    HeldUntil = "held-until" { when: Said },
    HeldDay = "held-day" { day: u32, month: Said, clock: Said },
    HeldThis = "held-this" { kind: Key<'a> },
    HeldThese = "held-these" { count: u32 },
    HeldStretch = "held-stretch" { from: Said, to: Said },
    HeldTakesNothing = "held-takes-nothing" { what: Said, seen: Said },
    HeldTakes = "held-takes" { what: Said, time: Said, stretches: Said, seen: Said },
    HeldTakesOn = "held-takes-on" { what: Said, time: Said, stretches: Said, projects: Said, seen: Said },
    HeldSeen = "held-seen" { count: u32 },
    HeldAskDelete = "held-ask-delete" {},
    HeldKept = "held-kept" {},
    HeldGone = "held-gone" {},
    HeldNothingToDelete = "held-nothing-to-delete" {},
    HeldPrivate = "held-private" {},
    HeldNobody = "held-nobody" {},
    HeldNoPicture = "held-no-picture" {},
    HeldSeveral = "held-several" { id: Outside<'a> },
    HeldNone = "held-none" { id: Outside<'a> },
    // agent.ftl: the window of a notice
    NoticeBack = "notice-back" {},
    NoticeNext = "notice-next" {},
    NoticeClose = "notice-close" {},
    NoticePage = "notice-page" { page: u32, pages: u32 },
    // console.ftl
    ConsoleNoticeIntro = "console-notice-intro" {},
    // mail.ftl
    MailHello = "mail-hello" { name: Outside<'a> },
    MailFooter = "mail-footer" { server: Outside<'a> },
    MailLinkLives = "mail-link-lives" { lives: Said },
    MailIgnore = "mail-ignore" {},
    MailWelcomeSubject = "mail-welcome-subject" { company: Outside<'a> },
    MailWelcome = "mail-welcome" { company: Outside<'a>, login: Outside<'a> },
    MailChoosePassword = "mail-choose-password" {},
    MailInvitationSubject = "mail-invitation-subject" { by: Outside<'a>, workspace: Outside<'a> },
    MailInvitation = "mail-invitation" { by: Outside<'a>, workspace: Outside<'a>, company: Outside<'a>, role: Key<'a> },
    MailInvitationAccount = "mail-invitation-account" {},
    MailAccept = "mail-accept" {},
    MailSignUpSubject = "mail-sign-up-subject" {},
    MailSignUp = "mail-sign-up" {},
    MailSignUpKnown = "mail-sign-up-known" {},
    MailResetSubject = "mail-reset-subject" {},
    MailReset = "mail-reset" { company: Outside<'a> },
    MailMakeAccount = "mail-make-account" {},
    MailLogIn = "mail-log-in" {},
    MailLicenseSubject = "mail-license-subject" { company: Outside<'a> },
    MailLicense = "mail-license" { company: Outside<'a>, serial: u32 },
    MailLicenseRead = "mail-license-read" { file: Outside<'a>, command: Outside<'a> },
    MailLicenseLoad = "mail-license-load" { command: Outside<'a> },
    MailLicenseHandOver = "mail-license-hand-over" { company: Outside<'a> },
    MailLicenseOwn = "mail-license-own" {},
}
