# Numbers, times and lists, as they are put into sentences.

rate =
    { $count ->
        [1] once an hour
        [2] twice an hour
        [60] once a minute
        [3600] once a second
       *[other] { $count } times an hour
    }

days =
    { $count ->
        [one] { $count } day
       *[other] { $count } days
    }
hours =
    { $count ->
        [one] { $count } hour
       *[other] { $count } hours
    }
minutes =
    { $count ->
        [one] { $count } minute
       *[other] { $count } minutes
    }
seconds =
    { $count ->
        [one] { $count } second
       *[other] { $count } seconds
    }

# Short, in menus and on status lines
time-hours = { $hours } h { $minutes } m
time-minutes = { $minutes } m
time-seconds = { $seconds } s

# Monday is 1. The name alone stands in a range, -on where it stands by itself.
weekday =
    { $day ->
        [1] Monday
        [2] Tuesday
        [3] Wednesday
        [4] Thursday
        [5] Friday
        [6] Saturday
       *[7] Sunday
    }
weekday-on = { $name }
weekday-range = { $first } to { $last }

month =
    { $month ->
        [1] January
        [2] February
        [3] March
        [4] April
        [5] May
        [6] June
        [7] July
        [8] August
        [9] September
        [10] October
        [11] November
       *[12] December
    }
# $year is text; $hour has two digits here, $minute everywhere
clock = { $hour }:{ $minute }
moment = { $day } { $month } { $year } at { $clock } UTC

list-more = { $items }, { $next }
list-and = { $items } and { $last }
list-or = { $items } or { $last }
quoted = “{ $text }”
