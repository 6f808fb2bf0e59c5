# L’avis : ce qu’une licence permet d’enregistrer, dit à la personne concernée (« vous »).
# Ce qui vient d’ailleurs ($company, $employee, $url, $contact, $zone) peut être n’importe quel texte : pas de
# « de », « que » ni « le » devant, qui devraient s’élider.

notice-title = Ce qui est enregistré par { $company }
notice-title-of = Ce qui est enregistré par { $company } concernant { $employee }

topic-captured = Ce qui est enregistré
topic-when = Quand
topic-never = Ce qui n’est jamais enregistré
topic-left-out = Ce qui est laissé de côté
topic-always = Ce que le suivi lui-même consigne
topic-where = Où vont les données
topic-kept = Combien de temps elles sont conservées
topic-employer = De la part de votre employeur
topic-ask = À qui vous adresser

captured-screens =
    { $monitors ->
        [all] Une image de chaque écran
       *[active] Une image de l’écran sur lequel vous travaillez
    }, au plus { $rate }, { $moments ->
        [random] à des moments aléatoires
       *[even] à intervalles réguliers
    }.
captured-blur-light = Chaque image est floutée avant d’être stockée : aucun texte n’y est lisible.
captured-blur-strong = Chaque image est fortement floutée avant d’être stockée : seules les grandes formes restent visibles.
captured-width = Les images de plus de { $pixels } pixels de large sont réduites.
captured-unchanged = Un écran qui n’a pas changé est mentionné, mais son image n’est pas stockée de nouveau.
captured-camera = Une photo prise par la caméra, au plus { $rate }.
captured-input = La fréquence d’utilisation du clavier, des boutons de la souris, de la molette et du pointeur, minute par minute. Uniquement des nombres : ni les touches frappées ni les endroits pointés ne sont enregistrés.
captured-applications = Le nom des applications que vous utilisez et la durée d’utilisation.
captured-titles = Le titre des fenêtres que vous utilisez et la durée d’utilisation. Un titre peut révéler le document, la page ou le message que vous avez ouvert.
captured-applications-and-titles = Le nom des applications que vous utilisez, le titre de leurs fenêtres et la durée d’utilisation. Un titre peut révéler le document, la page ou le message que vous avez ouvert.
captured-nothing = Rien d’autre que votre temps de travail.

when-worklog = Uniquement entre le moment où vous démarrez le suivi et celui où vous l’arrêtez. Vous seul pouvez le démarrer.
when-monitoring = Tant que l’ordinateur est allumé et que votre session est ouverte. Vous ne pouvez pas l’arrêter ; un indicateur est visible tant que quelque chose est enregistré.
when-hours = Uniquement { $days }, de { $from } à { $to }, à l’heure du fuseau { $zone }.
when-from = À partir du { $from }.
when-until = Jusqu’au { $to }.
when-between = Du { $from } au { $to }.

never-typed = Ce que vous tapez : aucune touche n’est jamais enregistrée.
never-passwords = Les mots de passe.
never-passwords-typed = Les mots de passe pendant que vous les tapez. Ce qui est lisible à l’écran figure sur son image.
never-clipboard = Le presse-papiers.
never-sound = Le son : le microphone n’est jamais utilisé.
never-screen = Votre écran : aucune image n’en est prise.
never-camera = La caméra : elle n’est jamais activée.
never-input = La quantité de frappes et de clics.
never-applications = Les applications que vous utilisez.
never-titles = Le titre de vos fenêtres.
never-unknown = Tout ce qui relève de { $members } : la licence le mentionne, mais cette version ne le connaît pas et n’en tient pas compte.

# $from : où les fenêtres exclues n’apparaissent pas : [both], [pictures] ou [list]
left-out-applications =
    Les fenêtres de ces applications { $from ->
        [both] sont masquées sur les images et omises de la liste des applications
        [pictures] sont masquées sur les images
       *[list] sont omises de la liste des applications
    } : { $names }.
left-out-titles =
    Les fenêtres dont le titre contient { $parts } { $from ->
        [both] sont masquées sur les images et omises de la liste des applications
        [pictures] sont masquées sur les images
       *[list] sont omises de la liste des applications
    }.

always-sessions = Le début et la fin de vos sessions de travail, la raison de leur fin, leur projet, les notes que vous écrivez et vos périodes d’inactivité : après { $idle } sans activité du clavier ni de la souris.
always-agent = L’état de l’agent : sa version, le nom de l’ordinateur, votre nom d’utilisateur sur celui-ci, le système d’exploitation et le bon fonctionnement de chaque enregistrement.

where-server = Vers le serveur de votre employeur ({ $company }), à l’adresse { $url }, et nulle part ailleurs.
where-at-once = Les données sont envoyées dès que le serveur est joignable. D’ici là, elles attendent sur votre ordinateur.
where-held = Les images et les minutes d’activité restent { $time } sur votre ordinateur avant d’être envoyées. Vos sessions, les notes que vous écrivez et vos périodes d’inactivité sont envoyées dès que le serveur est joignable.
where-may-delete = Vous pouvez supprimer ce qui a été enregistré à votre sujet. Le temps correspondant ne compte alors plus comme travaillé ; on vous dit combien avant toute suppression.
where-may-not-delete = Vous ne pouvez pas supprimer vous-même ce qui a été enregistré à votre sujet.

kept-open = Votre employeur décide de la durée de conservation sur le serveur. Adressez-vous à { $who }.
kept-screenshots = Images de votre écran : { $time }.
kept-camera = Photos prises par la caméra : { $time }.
kept-activity = Nombre de frappes et de clics, applications et titres : { $time }.
kept-sessions = Vos sessions de travail : { $time }.
kept-rest = Le reste : votre employeur décide de la durée. Adressez-vous à { $who }.

ask-contact = Pour toute question sur vos données, adressez-vous à { $company } : { $contact }.
ask-company = Pour toute question sur vos données, adressez-vous à votre employeur, { $company }.
