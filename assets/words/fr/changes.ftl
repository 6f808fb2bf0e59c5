# Ce qu’une licence plus récente change par rapport à ce qui s’applique. La valeur avant et après suit chaque nom.

changes-title = Ce qui diffère de ce qui s’applique actuellement
changes-wider = Vous prend davantage, ou vous protège moins :
changes-narrower = Vous prend moins, ou vous protège davantage :
changes-neutral = Autres différences :

change =
    { $field ->
        [work_mode] qui démarre et arrête le suivi
        [issuer-server_url] le serveur vers lequel tout est envoyé
        [issuer-company] le nom de votre employeur
        [issuer-privacy_contact] à qui vous adresser au sujet de vos données
        [issuer-retention_days] la durée de conservation sur le serveur
        [employee-name] votre nom
        [default_project_id] le projet auquel le temps est attribué
        [notice] le message de votre employeur
        [not_before] à partir de quand la licence est valable
        [expires_at] jusqu’à quand la licence est valable
        [profile-name] le nom du profil
        [profile-screenshots] les images de votre écran
        [profile-screenshots-per_hour] les images de votre écran : leur fréquence
        [profile-screenshots-random_moment] les images de votre écran : les moments où elles sont prises
        [profile-screenshots-monitors] les images de votre écran : les écrans concernés
        [profile-screenshots-blur] les images de votre écran : leur floutage
        [profile-screenshots-max_width_px] les images de votre écran : leur taille
        [profile-screenshots-skip_unchanged] les images de votre écran : conservées même quand rien n’a changé
        [profile-camera] les photos prises par la caméra
        [profile-camera-per_hour] les photos prises par la caméra : leur fréquence
        [profile-activity] votre activité : frappes et clics ou applications
        [profile-activity-input_counts] la fréquence d’utilisation du clavier et de la souris
        [profile-activity-applications] le nom des applications que vous utilisez
        [profile-activity-window_titles] le titre de vos fenêtres
        [profile-idle_after_s] le délai sans activité après lequel votre temps est mis à part
        [profile-schedule] les horaires autorisés
        [profile-exclude] les fenêtres laissées de côté
        [profile-review_hold_s] la durée pendant laquelle les images et les minutes d’activité restent d’abord sur votre ordinateur
        [profile-employee_may_delete] la possibilité de supprimer ce qui a été enregistré
       *[other] un autre point
    }
change-from-to = { $name } : { $was } → { $is }

value-yes = oui
value-no = non
value-none =
    { $of ->
        [not_before] dès maintenant
        [expires_at] sans limite
        [issuer-privacy_contact] personne
       *[other] aucune
    }
value-mode =
    { $mode ->
        [worklog] vous, à la main
       *[monitoring] le suivi est actif dès que vous ouvrez une session
    }
value-monitors =
    { $monitors ->
        [all] tous
       *[active] celui sur lequel vous travaillez
    }
value-blur =
    { $blur ->
        [none] aucun
        [light] léger
       *[strong] fort
    }
value-pixels = { $pixels } pixels de large au plus
value-full-size = taille réelle
value-any-time = à tout moment
value-hours = { $days }, de { $from } à { $to } ({ $zone })
