# Captures en attente sur l’ordinateur, et ce que leur suppression entraîne : `glasshour held`, icône.

held-nothing = Rien n’attend ici que vous le regardiez.
held-look-and-delete = Regardez-en une avec `glasshour held show ID`, supprimez-la avec `glasshour held delete ID`.
held-look = Regardez-en une avec `glasshour held show ID`. Votre licence ne vous permet pas de supprimer des captures.
held-title = Glasshour : captures en attente
held-more = … et { $count } de plus
held-how = Regardez-les, ou supprimez-les, avec `glasshour held`.

held-kind =
    { $kind ->
        [screenshot] capture d’écran
        [camera] photo de la caméra
        [activity] minute d’activité
        [session] événement d’une session
        [health] rapport d’état
       *[notice] avis
    }
held-kind-of = { $what } de { $monitor }
held-unchanged = { $what }, sans changement
held-bytes = { $count } o
held-kilobytes = { $count } Ko
held-until = jusqu’à { $when }
# Un moment d’un autre jour qu’aujourd’hui
held-day =
    { $day ->
        [1] 1er
       *[other] { $day }
    } { $month } { $clock }

held-this =
    { $kind ->
        [screenshot] cette capture d’écran
        [camera] cette photo de la caméra
        [activity] cette minute d’activité
        [session] cet événement d’une session
        [health] ce rapport d’état
       *[notice] cet avis
    }
held-these = ces { $count } captures
held-stretch = de { $from } à { $to }
held-takes-nothing = Supprimer { $what } ne retire rien de votre temps suivi ; { $seen }.
held-takes = Supprimer { $what } retire { $time } ({ $stretches }) de votre temps suivi ; { $seen }.
held-takes-on = Supprimer { $what } retire { $time } ({ $stretches }) du temps suivi sur { $projects } ; { $seen }.
# Dans les phrases ci-dessus
held-seen =
    { $count ->
        [one] votre employeur voit que vous avez supprimé une capture, pas ce qu’elle montrait
       *[other] votre employeur voit que vous avez supprimé des captures, pas ce qu’elles montraient
    }

held-ask-delete = Supprimer ? Cela est définitif. [o/N]
held-kept = Rien n’a été supprimé.
held-gone = Supprimé.
held-nothing-to-delete = Rien de ce qui attend ici ne peut être supprimé.
held-private = Vous seul pouvez lire ce fichier ; supprimez-le quand vous l’aurez regardé.
held-nobody = rien n’a été supprimé : il n’y a personne à qui demander ; ajoutez --yes si vous êtes sûr
held-no-picture = l’écran n’avait pas changé depuis l’image précédente : cette capture n’a pas d’image à elle
held-several = « { $id } » peut désigner plusieurs captures ; donnez davantage de l’identifiant
held-none = aucune capture « { $id } » n’attend ici ; `glasshour held` dit ce qui attend
