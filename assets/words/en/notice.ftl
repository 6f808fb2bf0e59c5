# The notice: what a license lets be captured, told to the person it is about ("you").
# Whole sentences; what comes from outside ($company, $employee, $url, $contact, $zone) can be any text.

notice-title = What { $company } captures
notice-title-of = What { $company } captures of the work of { $employee }

topic-captured = What is captured
topic-when = When
topic-never = Never captured
topic-left-out = What is left out
topic-always = What tracking itself records
topic-where = Where it goes
topic-kept = How long it is kept
topic-employer = From your employer
topic-ask = Whom to ask

captured-screens =
    { $monitors ->
        [all] A picture of each monitor
       *[active] A picture of the monitor you are working on
    }, at most { $rate }, { $moments ->
        [random] at random moments
       *[even] at even intervals
    }.
captured-blur-light = Each is blurred before it is stored: text cannot be read.
captured-blur-strong = Each is strongly blurred before it is stored: only large shapes remain.
captured-width = Pictures wider than { $pixels } pixels are scaled down.
captured-unchanged = A screen that has not changed is noted, not stored again.
captured-camera = A picture from the camera, at most { $rate }.
captured-input = How often keys, mouse buttons, the wheel and the pointer were used, minute by minute. Numbers only: which keys, and where you pointed, is not recorded.
captured-applications = The names of the applications you use, and for how long.
captured-titles = The titles of the windows you use, and for how long. A title can tell the document, the page or the message you have open.
captured-applications-and-titles = The names of the applications you use, the titles of their windows, and for how long. A title can tell the document, the page or the message you have open.
captured-nothing = Nothing but the time you work.

when-worklog = Only between your Start and your Stop. Nobody but you starts tracking.
when-monitoring = Whenever the computer is on and you are logged in. You cannot stop it; an indicator shows while anything is captured.
when-hours = Only { $days }, from { $from } to { $to }, by the clock of { $zone }.
when-from = From { $from } on.
when-until = Until { $to }.
when-between = From { $from } until { $to }.

never-typed = What you type: no key is ever recorded.
never-passwords = Passwords.
never-passwords-typed = Passwords as you type them. What stands readable on the screen is in its picture.
never-clipboard = The clipboard.
never-sound = Sound: the microphone is never used.
never-screen = Your screen: no pictures are taken.
never-camera = The camera: it is never opened.
never-input = How much you type or click.
never-applications = Which applications you use.
never-titles = The titles of your windows.
never-unknown = Anything under { $members }: the license names it, this version does not know it and does not obey it.

# $from: where excluded windows are left out: [both], [pictures] or [list]
left-out-applications =
    Windows of { $names } { $from ->
        [both] are painted over in pictures and left out of the list of applications
        [pictures] are painted over in pictures
       *[list] are left out of the list of applications
    }.
left-out-titles =
    Windows with { $parts } in their title { $from ->
        [both] are painted over in pictures and left out of the list of applications
        [pictures] are painted over in pictures
       *[list] are left out of the list of applications
    }.

always-sessions = When your work sessions begin and end, why they end, their project, the notes you write, and when you are idle: after { $idle } without input.
always-agent = The state of the agent: its version, the computer’s name, your login name there, the operating system, and whether each capture works.

where-server = To the server of { $company } at { $url }, and to nobody else.
where-at-once = It is sent as soon as the server can be reached. Until then it waits on your computer.
where-held = Pictures and minutes of activity stay on your computer for { $time } before they are sent. Your sessions, the notes you write and your idle times are sent as soon as the server can be reached.
where-may-delete = You may delete what was captured of you. The time that it covers then no longer counts as worked; you are told how much before anything is deleted.
where-may-not-delete = You cannot delete what was captured of you by yourself.

kept-open = Your employer decides how long it is kept on the server. Ask { $who }.
kept-screenshots = Pictures of your screen: { $time }.
kept-camera = Pictures from the camera: { $time }.
kept-activity = Input counts, applications and titles: { $time }.
kept-sessions = Your work sessions: { $time }.
kept-rest = The rest: your employer decides how long. Ask { $who }.

ask-contact = Ask { $company } about your data: { $contact }.
ask-company = Ask { $company }, your employer, about your data.
