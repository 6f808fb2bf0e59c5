# What a newer license changes, compared with what holds. A value before and after follows each name.

changes-title = What is different from what holds now
changes-wider = Takes more from you, or protects you less:
changes-narrower = Takes less from you, or protects you more:
changes-neutral = Otherwise different:

change =
    { $field ->
        [work_mode] who starts and stops tracking
        [issuer-server_url] the server that everything goes to
        [issuer-company] your employer’s name
        [issuer-privacy_contact] whom to ask about your data
        [issuer-retention_days] how long it is kept on the server
        [employee-name] your name
        [default_project_id] the project that time goes to
        [notice] your employer’s own words
        [not_before] from when on the license holds
        [expires_at] until when the license holds
        [profile-name] the profile’s name
        [profile-screenshots] pictures of your screen
        [profile-screenshots-per_hour] pictures of your screen: how often
        [profile-screenshots-random_moment] pictures of your screen: at which moments
        [profile-screenshots-monitors] pictures of your screen: of which monitors
        [profile-screenshots-blur] pictures of your screen: how blurred
        [profile-screenshots-max_width_px] pictures of your screen: how large
        [profile-screenshots-skip_unchanged] pictures of your screen: stored also when nothing has changed
        [profile-camera] pictures from the camera
        [profile-camera-per_hour] pictures from the camera: how often
        [profile-activity] your activity: input counts or applications
        [profile-activity-input_counts] how often keys and the mouse are used
        [profile-activity-applications] the names of the applications you use
        [profile-activity-window_titles] the titles of your windows
        [profile-idle_after_s] after how long without input your time is set apart as idle
        [profile-schedule] the licensed hours
        [profile-exclude] the windows that are left out
        [profile-review_hold_s] how long pictures and minutes of activity stay on your computer first
        [profile-employee_may_delete] whether you may delete captures
       *[other] another point
    }
change-from-to = { $name }: { $was } → { $is }

value-yes = yes
value-no = no
value-none =
    { $of ->
        [not_before] at once
        [expires_at] without end
        [issuer-privacy_contact] nobody
       *[other] none
    }
value-mode =
    { $mode ->
        [worklog] you, by hand
       *[monitoring] it runs whenever you are logged in
    }
value-monitors =
    { $monitors ->
        [all] all
       *[active] the one you are working on
    }
value-blur =
    { $blur ->
        [none] not at all
        [light] lightly
       *[strong] strongly
    }
value-pixels = at most { $pixels } pixels wide
value-full-size = full size
value-any-time = at any time
value-hours = { $days }, { $from } to { $to } ({ $zone })
