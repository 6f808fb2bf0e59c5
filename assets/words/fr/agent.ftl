# Ce que l’agent dit du suivi et des licences : icône, messages, `glasshour license`.

no-license = Aucune licence n’est chargée. Demandez à votre employeur le fichier dont le nom se termine par .license.gz, puis chargez-le avec `glasshour license load FICHIER`.

tray-tracking = Suivi en cours : { $project }, { $time }
tray-idle = Suivi en cours : { $project }, { $time }, sans activité
tray-stopped = Suivi arrêté
tray-paused = En pause : en dehors des horaires autorisés
tray-away = En pause pendant votre absence
tray-on-pause = En pause, par vous
tray-idle-question = De { $from } à { $to } ({ $time }) : était-ce du travail ?
tray-camera = La caméra prend une photo
tray-blocked = Rien n’est enregistré
tray-no-license = Aucune licence n’est chargée. Demandez à votre employeur le fichier dont le nom se termine par .license.gz
tray-monitored-beside = Surveillance par { $company } en vertu de sa propre licence
tray-blocked-beside = { $company } : rien n’est enregistré
tray-no-project = sans projet
tray-today = Aujourd’hui : { $time }
tray-project-time = · { $project } : { $time }
tray-tooltip = Glasshour : { $state }

label-tracking = Glasshour : suivi en cours
label-tracking-project = Glasshour : suivi en cours, { $project }
label-both = Glasshour : surveillance par { $monitors } ; suivi pour { $works_for }
label-monitored = Glasshour : surveillance par { $monitors }
label-stopped = Glasshour : suivi arrêté
label-paused = Glasshour : en pause
label-blocked = Glasshour : rien n’est enregistré

menu-start = Démarrer
menu-start-on = Démarrer sur
menu-switch-to = Passer à
menu-start-for = Démarrer pour { $company }
menu-switch-to-employer = Passer à { $company }
menu-stop = Arrêter
menu-pause = Faire une pause
menu-resume = Reprendre
menu-day = Ouvrir ma journée
menu-day-at = Ouvrir ma journée chez { $company }
menu-status = État
menu-held = Captures en attente…
menu-license = Ce qui est enregistré
menu-quit = Quitter Glasshour

status-title = Glasshour : état
status-tracking = Suivi en cours : { $project }, { $time }
status-idle = Suivi en cours : { $project }, { $time } (sans activité)
status-stopped = Suivi arrêté
status-paused = En pause : en dehors des horaires autorisés. Rien n’est enregistré
status-on-pause = En pause, par vous. Rien n’est enregistré
status-away = En pause pendant que vous êtes absent de l’ordinateur. Rien n’est enregistré
status-blocked = Rien n’est enregistré
status-out-of-use = Sa licence n’est plus utilisée ; ce qui a été enregistré auparavant est encore transmis
# S’il y a plusieurs employeurs, une ligne pour chacun
status-of =
    { $company } : { $state }. { $mode ->
        [worklog] Licence de relevé de temps
       *[monitoring] Licence de surveillance
    } au nom de { $employee }. Aujourd’hui : { $time }.
status-licensed = Licence accordée à { $employee } par { $company }.
status-today = Temps suivi aujourd’hui : { $time }.
status-outside = Vous êtes en dehors des horaires autorisés par { $company } : votre temps est suivi et rien n’est enregistré.
status-outside-until = Vous êtes en dehors des horaires autorisés par { $company } : votre temps est suivi et rien n’est enregistré avant le { $when }.

told-running = Glasshour est en cours d’exécution
told-no-icon = { $state }. Aucune icône n’est affichée dans la zone de notification : { $reason }
told-monitoring = La surveillance est autorisée par une licence délivrée par { $company }. `glasshour license show` dit ce qui est enregistré.
told-goes-on = Le suivi reprend.
told-monitoring-goes-on = La surveillance par { $company } reprend.
told-monitored-beside = Cet ordinateur est surveillé par { $monitors } en vertu de sa propre licence pendant que vous travaillez pour { $works_for } : ce qui est ainsi enregistré peut montrer ce travail et n’est envoyé qu’à { $monitors }.
told-worklog-stopped = Le journal de travail est arrêté ; la surveillance par { $company } continue.
told-goes-to = Ce qui est enregistré va à { $company }, à l’adresse { $url }.
told-tracking = Le suivi a démarré.
told-tracking-project = Le suivi de { $project } a démarré.
told-paused = Le suivi est en pause, et rien n’est enregistré. Reprenez par l’icône ou avec `glasshour resume`.
told-stopped-by-you = Le suivi est arrêté. Aujourd’hui : { $time }.
told-remind = Vos horaires pour { $company } sont en cours, et aucun temps n’est suivi. Démarrez par l’icône ou avec `glasshour start` ; ceci n’est dit qu’une fois par jour.
told-stopped = Le suivi s’est arrêté et rien n’est enregistré. { $reason }
told-asleep = Le suivi s’est arrêté lors de la mise en veille de l’ordinateur.
told-hours-over = Les horaires autorisés sont terminés : rien n’est enregistré.
told-camera = Caméra
told-camera-soon = Dans { $seconds } secondes, la caméra prend une photo de vous pour { $company }, comme le dit votre licence.

# Pourquoi un suivi n’est pas démarré
no-whom = Vous avez des licences de plusieurs employeurs : dites pour qui vous travaillez, avec --employer. Il y a : { $companies }. Ensuite, sans indication, c’est le dernier qui est retenu.
no-by-hand = { $company } surveille cet ordinateur en vertu de sa licence, ce qui ne se démarre ni ne s’arrête à la main.
no-by-hand-of = Le suivi ne se démarre ni ne s’arrête à la main : votre licence de { $companies } est en mode surveillance, actif tant que votre session est ouverte.
no-employer = Aucune licence de « { $name } » n’est chargée. Il y a : { $companies }.
no-one-employer = Plusieurs employeurs s’appellent « { $name } » : précisez lequel par son identifiant. Il y a : { $companies }.
no-their-project = { $project } est un projet de { $company }, qui surveille cet ordinateur en vertu de sa licence : ce temps est enregistré sans que vous le démarriez, et aucun suivi manuel ne peut lui être destiné.
no-one-project = Plusieurs employeurs ont un projet « { $name } » : précisez lequel avec --employer. Il y a : { $companies }.
no-project = Il n’y a pas de projet « { $name } ». Il y a : { $projects }.
no-projects-yet = Les projets de { $company } ne sont pas encore connus : son serveur n’a pas été joint.
no-project-of-any = Aucun employeur n’a de projet « { $name } ».

# Pourquoi ce qui est demandé à la session en cours n’est pas fait
refused-monitoring = Le suivi ne se démarre ni ne s’arrête à la main : votre licence est en mode surveillance, actif tant que votre session est ouverte.
refused-running = Le suivi est déjà en cours ; utilisez `glasshour switch` pour changer de projet.
refused-running-for = Le suivi est déjà en cours pour { $company } ; `glasshour switch --employer` y met fin et continue pour un autre employeur.
refused-same-employer = Le suivi est déjà en cours pour { $company } ; indiquez le projet sur lequel continuer.
refused-not-running = Le suivi n’est pas en cours ; démarrez-le avec `glasshour start`.
refused-not-paused = Le suivi n’est pas en pause ; `glasshour start` le démarre.
refused-blocked = Le suivi ne peut pas démarrer : { $why }
refused-away = Le suivi ne peut pas démarrer tant que l’écran est verrouillé, qu’un autre utilisateur s’en sert, ou que l’ordinateur va se mettre en veille ou s’éteindre ; démarrez-le à votre retour.
refused-note = Une note peut avoir au plus { $count } caractères.

has-projects = { $company } a : { $projects }.

day-not-open = Votre journée ne peut pas être ouverte maintenant. { $reason } `glasshour today` montre ce que cet ordinateur en sait.
idle-title = Était-ce du travail ?
idle-asked = De { $from } à { $to } ({ $time }), il n’y a eu aucune activité pendant le suivi de { $project }. Ce temps reste à part, sans activité, sauf si vous dites ce que c’était : ici, par l’icône, ou avec `glasshour idle keep`, `discard` ou `assign PROJET`.
idle-keep = C’était du travail
idle-discard = Ce n’en était pas
idle-assign = Travail sur { $project }

license-waits = Une licence délivrée par { $company } vous attend. Chargez-la avec `glasshour license load { $file }`.
license-newer = Votre employeur a délivré une licence plus récente ; elle sera récupérée dès que le serveur la fournira.
license-wider-worklog = La licence plus récente de votre employeur prendrait plus de vous, ou vous protégerait moins, que celle que vous avez acceptée. Tant que vous ne l’acceptez pas, seul ce que permettent les deux licences est enregistré. Lisez-la avec `glasshour license show`, acceptez-la avec `glasshour license agree`.
license-wider-monitoring = La licence plus récente de votre employeur prend plus de vous, ou vous protège moins. Lisez-la avec `glasshour license show`. Elle prend effet une fois que son avis vous a été montré ; d’ici là, seul ce que permettent les deux licences est enregistré.
license-ran-out = Votre licence a expiré le { $when }. Demandez-en une nouvelle à votre employeur.
license-ran-out-clock = Votre licence a expiré le { $when }. L’horloge de cet ordinateur a été reculée, ce qui ne rend pas la licence de nouveau valable. Demandez-en une nouvelle à votre employeur. Si l’horloge était fausse auparavant, réglez-la et laissez l’ordinateur joindre le serveur : dès lors, c’est l’heure du serveur qui compte.
license-file-ran-out = Cette licence a expiré le { $when }. Demandez-en une nouvelle à votre employeur.
license-not-yet = Votre licence prend effet le { $when }. Rien n’est enregistré avant.

license-key = Signée avec la clé { $key }.
license-key-history = { $company } a changé sa clé de signature, la dernière fois le { $date } ; chaque changement a été signé par la clé précédente : { $former } → { $key }.
license-key-changed = { $company } a changé sa clé de signature. Le changement a été signé par l’ancienne clé : { $former } → { $key }.
license-first-key = C’est la première licence délivrée par { $company } sur cet ordinateur : une fois la licence chargée, sa clé sera considérée comme fiable. Vous pouvez comparer l’empreinte ci-dessus avec celle que vous donne votre employeur.
license-same-name = Un autre employeur dont une licence est chargée ici s’appelle aussi { $company }, et celui-ci n’est pas le même : son numéro est { $id }. Si vous n’en attendiez pas deux, renseignez-vous avant de charger cette licence.
license-mixed-letters = Attention : le nom { $company } mélange des lettres de plusieurs alphabets qui se ressemblent ; il peut avoir été choisi pour être pris pour celui d’un autre employeur. Comparez l’empreinte avec celle que votre employeur vous donne par une autre voie que ce fichier.
license-lookalike = Attention : le nom { $company } ressemble à { $other }, dont une licence est chargée ici, et il s’agit d’un autre employeur : son numéro est { $id }. Si vous ne l’attendiez pas, renseignez-vous avant de charger cette licence.
license-key-by-hand = Une autre clé prend la place de celle que vous considériez comme fiable pour { $company } : { $former } → { $key }. Personne n’a signé ce changement. Ne continuez que si votre employeur vous a donné la seconde par une autre voie que ce fichier.
license-other-key = Attention : ce fichier n’est pas signé avec la clé considérée ici comme fiable pour { $company } ({ $former }). Son contenu peut être inventé.
license-other-person = Attention : cette licence est pour { $employee }. Celle qui est chargée ici pour { $company } est pour { $loaded }.
license-holds-now =
    { $mode ->
        [worklog] Une licence plus récente de { $company } attend votre accord. D’ici là, voici ce qui s’applique :
       *[monitoring] Une licence plus récente de { $company } prend effet une fois que son avis vous a été montré. D’ici là, voici ce qui s’applique :
    }
license-then-agree =
    { $mode ->
        [worklog] Acceptez la licence plus récente avec `glasshour license agree` ; elle vous est d’abord montrée en entier.
       *[monitoring] En mode surveillance, votre accord n’est pas demandé : l’agent en cours d’exécution, ou `glasshour license agree`, vous montre l’avis de la licence plus récente, qui prend alors effet.
    }
# `license list` : une ligne pour chaque licence, et ce qui en est dit en dessous
license-line =
    { $company } — { $employee }, { $mode ->
        [worklog] mode relevé de temps
       *[monitoring] mode surveillance
    }, profil { $profile }, numéro de série { $serial }
license-line-company = entreprise { $id }
license-line-key = clé { $key }
license-waits-mark =
    { $mode ->
        [worklog] une plus récente, numéro de série { $serial }, attend votre accord : `glasshour license agree`
       *[monitoring] une plus récente, numéro de série { $serial }, prend effet une fois que son avis vous a été montré
    }
license-not-loaded = La licence n’a pas été chargée, et rien n’a changé.
license-not-agreed = Vous n’avez pas donné votre accord, et rien n’a changé : ce qui s’appliquait continue de s’appliquer.
license-ask-load = Avez-vous pris connaissance de cet avis et voulez-vous charger la licence ? [o/N]
license-ask-agree = Acceptez-vous cette licence ? [o/N]
# Ce qui vaut un oui, en minuscules, séparé par des espaces
license-yes = o oui
license-nobody = il faut confirmer avoir pris connaissance de l’avis ci-dessus, et il n’y a personne à qui le demander : ajoutez --yes si vous l’avez lu
license-loaded = La licence est chargée.
license-start-agent = L’agent n’est pas en cours d’exécution : lancez-le avec `glasshour run`, ou rouvrez votre session.
license-loaded-already = Cette licence est déjà chargée ; rien n’a changé.
license-agreed = Vous avez accepté. La licence prend effet dès maintenant.
license-shown = L’avis vous a été montré. En mode surveillance, cela suffit : la licence prend effet dès maintenant.
license-not-shown = l’avis ci-dessus n’a été montré à personne : lancez cette commande dans un terminal, ou ajoutez --yes si vous l’avez lu
license-nothing-waits = Rien n’attend votre accord : ce que disent vos licences s’applique déjà.
license-removed = La licence délivrée par { $company } n’est plus utilisée. Rien n’est enregistré pour elle.
license-still-loaded = Encore chargées : { $companies }.

notice-back = Précédent
notice-next = Suivant
notice-close = Fermer
notice-page = Page { $page } sur { $pages }
