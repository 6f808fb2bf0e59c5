# What the agent says of tracking and licenses: tray, messages, `glasshour license`.

no-license = No license is loaded. Ask your employer for the file that ends in .license.gz, then load it with `glasshour license load FILE`.

tray-tracking = Tracking { $project } for { $time }
tray-idle = Tracking { $project } for { $time }, idle
tray-stopped = Not tracking
tray-paused = Paused: outside the licensed hours
tray-away = Paused while you are away
tray-on-pause = Paused by you
tray-idle-question = { $from } to { $to } ({ $time }): was that work?
tray-camera = The camera takes one picture
tray-blocked = Nothing is captured
tray-no-license = No license is loaded. Ask your employer for the file that ends in .license.gz
tray-monitored-beside = { $company } monitors by its own license
tray-blocked-beside = { $company }: nothing is captured
tray-no-project = no project
tray-today = Today: { $time }
tray-project-time = · { $project }: { $time }
tray-tooltip = Glasshour: { $state }

label-tracking = Glasshour: tracking
label-tracking-project = Glasshour: tracking { $project }
label-both = Glasshour: { $monitors } monitors; tracking for { $works_for }
label-monitored = Glasshour: { $monitors } monitors
label-stopped = Glasshour: not tracking
label-paused = Glasshour: paused
label-blocked = Glasshour: nothing is captured

menu-start = Start
menu-start-on = Start on
menu-switch-to = Switch to
menu-start-for = Start for { $company }
menu-switch-to-employer = Switch to { $company }
menu-stop = Stop
menu-pause = Pause
menu-resume = Go on
menu-day = Open my day
menu-day-at = Open my day at { $company }
menu-status = Status
menu-held = Held captures…
menu-license = What is captured
menu-quit = Quit Glasshour

status-title = Glasshour: status
status-tracking = Tracking { $project } for { $time }
status-idle = Tracking { $project } for { $time } (idle)
status-stopped = Not tracking
status-paused = Paused: outside the licensed hours. Nothing is captured
status-on-pause = Paused by you. Nothing is captured
status-away = Paused while you are away from the computer. Nothing is captured
status-blocked = Nothing is captured
status-out-of-use = Its license is out of use; what was captured before is still delivered
# Where there are several employers, a line for each
status-of =
    { $company }: { $state }. { $mode ->
        [worklog] Worklog license
       *[monitoring] Monitoring license
    } of { $employee }. Today: { $time }.
status-licensed = Licensed to { $employee } by { $company }.
status-today = Tracked today: { $time }.
status-outside = It is outside the hours that { $company } has licensed: your time is tracked, and nothing is captured.
status-outside-until = It is outside the hours that { $company } has licensed: your time is tracked, and nothing is captured until { $when }.

told-running = Glasshour is running
told-no-icon = { $state }. It has no icon in the tray: { $reason }
told-monitoring = { $company } has licensed monitoring. `glasshour license show` says what is captured.
told-goes-on = Tracking goes on.
told-monitoring-goes-on = Monitoring by { $company } goes on.
told-monitored-beside = { $monitors } monitors this computer by its own license while you work for { $works_for }: what it captures may show that work, and goes to { $monitors } alone.
told-worklog-stopped = The worklog has stopped; monitoring by { $company } goes on.
told-goes-to = What is captured goes to { $company }, at { $url }.
told-tracking = Tracking has started.
told-tracking-project = Tracking { $project } has started.
told-paused = Tracking is paused, and nothing is captured. Go on in the tray or with `glasshour resume`.
told-stopped-by-you = Tracking has stopped. Today: { $time }.
told-remind = Your working hours for { $company } run, and no time is tracked. Start in the tray or with `glasshour start`; this is said once a day.
told-stopped = Tracking has stopped, and nothing is captured. { $reason }
told-asleep = Tracking stopped when the computer went to sleep.
told-hours-over = The licensed hours are over: nothing is captured.
told-camera = Camera
told-camera-soon = In { $seconds } seconds the camera takes one picture of you for { $company }, as your license says.

# Why a worklog is not begun
no-whom = You have licenses of several employers: say whom this worklog is for, with --employer. There are: { $companies }. From then on the last one is taken where you name none.
no-by-hand = { $company } monitors this computer by its license, which can be neither started nor stopped by hand.
no-by-hand-of = Tracking cannot be started or stopped by hand: your license of { $companies } is for monitoring mode, which runs while you are logged in.
no-employer = No license of “{ $name }” is loaded. There are: { $companies }.
no-one-employer = Several employers are called “{ $name }”: say which with its id. There are: { $companies }.
no-their-project = { $project } is a project of { $company }, which monitors this computer by its license: that time is recorded without your starting it, and no worklog can be for it.
no-one-project = Several employers have a project “{ $name }”: say whose with --employer. There are: { $companies }.
no-project = There is no project “{ $name }”. There are: { $projects }.
no-projects-yet = The projects of { $company } are not known yet: its server has not been reached.
no-project-of-any = No employer has a project “{ $name }”.

# Why what you ask of the running session is not done
refused-monitoring = Tracking cannot be started or stopped by hand: your license is for monitoring mode, which runs while you are logged in.
refused-running = Tracking is already running; use `glasshour switch` to change the project.
refused-running-for = Tracking is already running for { $company }; `glasshour switch --employer` ends that and goes on for another employer.
refused-same-employer = Tracking runs for { $company } already; name the project to go on with.
refused-not-running = Tracking is not running; start it with `glasshour start`.
refused-not-paused = Tracking is not paused; `glasshour start` starts it.
refused-blocked = Tracking cannot start: { $why }
refused-away = Tracking cannot start while the screen is locked, another user is at it, or the computer is about to sleep or to shut down; start it when you are back.
refused-note = A note can have at most { $count } characters.

has-projects = { $company } has: { $projects }.

day-not-open = Your day cannot be opened now. { $reason } `glasshour today` shows what is known on this computer.
idle-title = Was that work?
idle-asked = From { $from } to { $to } ({ $time }) there was no input while { $project } was tracked. It stays apart as idle time unless you say what it was: here, in the tray, or with `glasshour idle keep`, `discard` or `assign PROJECT`.
idle-keep = It was work
idle-discard = It was not
idle-assign = Work on { $project }

license-waits = A license of { $company } waits for you. Load it with `glasshour license load { $file }`.
license-newer = Your employer has issued a newer license; it is fetched as soon as the server gives it.
license-wider-worklog = Your employer’s newer license would take more from you, or protect you less, than the one you have agreed to. Until you agree, only what both permit is captured. Read it with `glasshour license show`, agree with `glasshour license agree`.
license-wider-monitoring = Your employer’s newer license takes more from you, or protects you less. Read it with `glasshour license show`. It holds once its notice has been shown to you; until then only what both permit is captured.
license-ran-out = Your license ran out on { $when }. Ask your employer for a new one.
license-ran-out-clock = Your license ran out on { $when }. The clock of this computer was set back, and that does not make the license valid again. Ask your employer for a new one. If the clock was wrong before, set it right and let the computer reach the server: from then on the server’s time counts.
license-file-ran-out = This license ran out on { $when }. Ask your employer for a new one.
license-not-yet = Your license begins on { $when }. Nothing is captured before.

license-key = Signed with the key { $key }.
license-key-history = { $company } has changed its signing key, last on { $date }; each change was signed by the key before: { $former } → { $key }.
license-key-changed = { $company } has changed its signing key. The change was signed by the former key: { $former } → { $key }.
license-first-key = This is the first license of { $company } here: once it is loaded, its key is trusted. You can compare the fingerprint above with the one that your employer gives you.
license-same-name = Another employer with a license here is called { $company } too, and this one is not the same: its number is { $id }. If you did not expect two, ask before you load it.
license-mixed-letters = Careful: the name { $company } mixes letters of several alphabets that look alike, so it may be made to be taken for another employer’s. Compare the fingerprint with one that your employer gives you on another way than this file.
license-lookalike = Careful: the name { $company } looks like { $other }, whose license is loaded here, and this is another employer: its number is { $id }. If you did not expect it, ask before you load it.
license-key-by-hand = Another key takes the place of the one that you trusted for { $company }: { $former } → { $key }. Nobody has signed that change. Go on only if your employer has given you the second one, on another way than this file.
license-other-key = Careful: this file is not signed with the key that is trusted here for { $company } ({ $former }). Its content may be made up.
license-other-person = Careful: this license is for { $employee }. What is loaded here for { $company } is for { $loaded }.
license-holds-now =
    { $mode ->
        [worklog] A newer license of { $company } waits for you to agree. Until you do, this is what holds:
       *[monitoring] A newer license of { $company } holds once its notice has been shown to you. Until then, this is what holds:
    }
license-then-agree =
    { $mode ->
        [worklog] Agree to the newer license with `glasshour license agree`; it shows all of it first.
       *[monitoring] In monitoring mode you are not asked: the running agent shows you the notice of the newer license, or `glasshour license agree` does, and then it holds.
    }
# `license list`: a line for each license, and what is said of it below
license-line =
    { $company } — { $employee }, { $mode ->
        [worklog] worklog mode
       *[monitoring] monitoring mode
    }, profile { $profile }, serial { $serial }
license-line-company = company { $id }
license-line-key = key { $key }
license-waits-mark =
    { $mode ->
        [worklog] a newer one, serial { $serial }, waits for you to agree: `glasshour license agree`
       *[monitoring] a newer one, serial { $serial }, holds once its notice has been shown to you
    }
license-not-loaded = The license was not loaded, and nothing has changed.
license-not-agreed = You have not agreed, and nothing has changed: what held until now goes on to hold.
license-ask-load = Do you acknowledge this notice and load the license? [y/N]
license-ask-agree = Do you agree to this license? [y/N]
# What counts as a yes, in small letters, with spaces between
license-yes = y yes
license-nobody = the notice above must be acknowledged, and there is nobody to ask: add --yes if you have read it
license-loaded = The license is loaded.
license-start-agent = The agent is not running: start it with `glasshour run`, or log in again.
license-loaded-already = This very license is loaded already; nothing has changed.
license-agreed = You have agreed. The license holds from now on.
license-shown = The notice has been shown to you. In monitoring mode that is enough: the license holds from now on.
license-not-shown = the notice above was shown to nobody: call this in a terminal, or add --yes if you have read it
license-nothing-waits = Nothing waits for you to agree to: what your licenses say holds already.
license-removed = The license of { $company } is out of use. Nothing is captured for it.
license-still-loaded = Still loaded: { $companies }.

notice-back = Back
notice-next = Next
notice-close = Close
notice-page = Page { $page } of { $pages }
