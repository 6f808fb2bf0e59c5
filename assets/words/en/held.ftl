# Captures that wait on the computer, and what deleting them means: `glasshour held`, the tray.

held-nothing = Nothing waits here for you to look at.
held-look-and-delete = Look at one with `glasshour held show ID`, delete it with `glasshour held delete ID`.
held-look = Look at one with `glasshour held show ID`. Your license does not let you delete captures.
held-title = Glasshour: held captures
held-more = … and { $count } more
held-how = Look at them, or delete them, with `glasshour held`.

held-kind =
    { $kind ->
        [screenshot] screenshot
        [camera] camera picture
        [activity] minute of activity
        [session] event of a session
        [health] health report
       *[notice] notice
    }
held-kind-of = { $what } of { $monitor }
held-unchanged = { $what }, unchanged
held-bytes = { $count } B
held-kilobytes = { $count } KB
held-until = until { $when }
# A moment on another day than today
held-day = { $day } { $month } { $clock }

held-this =
    { $kind ->
        [screenshot] this screenshot
        [camera] this camera picture
        [activity] this minute of activity
        [session] this event of a session
        [health] this health report
       *[notice] this notice
    }
held-these = these { $count } captures
held-stretch = { $from } to { $to }
held-takes-nothing = Deleting { $what } takes nothing off your tracked time; { $seen }.
held-takes = Deleting { $what } takes { $time } ({ $stretches }) off your tracked time; { $seen }.
held-takes-on = Deleting { $what } takes { $time } ({ $stretches }) off the time tracked on { $projects }; { $seen }.
# Within the sentences above
held-seen =
    { $count ->
        [one] your employer sees that you deleted a capture, not what it showed
       *[other] your employer sees that you deleted captures, not what they showed
    }

held-ask-delete = Delete? This cannot be undone. [y/N]
held-kept = Nothing was deleted.
held-gone = Deleted.
held-nothing-to-delete = Nothing waits here that could be deleted.
held-private = Only you can read this file; remove it when you have seen it.
held-nobody = nothing was deleted: there is nobody to ask; add --yes if you are sure
held-no-picture = the screen had not changed since the picture before: this capture has no picture of its own
held-several = “{ $id }” could be several captures; give more of the id
held-none = no capture “{ $id }” waits here; `glasshour held` lists what does
