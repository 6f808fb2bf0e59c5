# Nombres, heures et listes, tels qu’ils s’insèrent dans les phrases.

rate =
    { $count ->
        [1] une fois par heure
        [2] deux fois par heure
        [60] une fois par minute
        [3600] une fois par seconde
       *[other] { $count } fois par heure
    }

days =
    { $count ->
        [one] { $count } jour
       *[other] { $count } jours
    }
hours =
    { $count ->
        [one] { $count } heure
       *[other] { $count } heures
    }
minutes =
    { $count ->
        [one] { $count } minute
       *[other] { $count } minutes
    }
seconds =
    { $count ->
        [one] { $count } seconde
       *[other] { $count } secondes
    }

# En bref, dans les menus et les lignes d’état
time-hours = { $hours } h { $minutes } min
time-minutes = { $minutes } min
time-seconds = { $seconds } s

# Lundi vaut 1. Le nom seul dans un intervalle, -on quand le jour est seul.
weekday =
    { $day ->
        [1] lundi
        [2] mardi
        [3] mercredi
        [4] jeudi
        [5] vendredi
        [6] samedi
       *[7] dimanche
    }
weekday-on = le { $name }
weekday-range = du { $first } au { $last }

month =
    { $month ->
        [1] janvier
        [2] février
        [3] mars
        [4] avril
        [5] mai
        [6] juin
        [7] juillet
        [8] août
        [9] septembre
        [10] octobre
        [11] novembre
       *[12] décembre
    }
# $year est un texte ; $minute a deux chiffres, $hour un ou deux
clock = { $hour } h { $minute }
moment =
    { $day ->
        [1] 1er
       *[other] { $day }
    } { $month } { $year } à { $clock } (UTC)

list-more = { $items }, { $next }
list-and = { $items } et { $last }
list-or = { $items } ou { $last }
quoted = « { $text } »
