# Ce qui est envoyé par courriel. Un objet tient sur une courte ligne.

mail-hello = Bonjour { $name },
mail-footer = Envoyé par Glasshour à l’adresse { $server }.
mail-link-lives = Le lien sert une seule fois, dans un délai de { $lives }.
mail-ignore = Si vous n’attendiez pas ce courriel, ne faites rien : sans le lien, rien ne se passe.

mail-welcome-subject = Votre compte chez { $company }
mail-welcome = { $company } a créé un compte pour vous dans Glasshour. Votre identifiant est { $login }. Choisissez un mot de passe, et c’est fait.
mail-choose-password = Choisir un mot de passe

mail-invitation-subject = { $by } vous invite dans { $workspace }
mail-invitation =
    { $role ->
        [admin] { $by } vous invite dans l’espace de travail { $workspace } de { $company }, pour l’administrer.
        [manager] { $by } vous invite dans l’espace de travail { $workspace } de { $company }, comme responsable.
       *[employee] { $by } vous invite dans l’espace de travail { $workspace } de { $company }.
    }
mail-invitation-account = Cette adresse a déjà un compte : connectez-vous, puis acceptez. L’invitation vous attend aussi parmi les avis.
mail-accept = Accepter l’invitation

mail-sign-up-subject = Votre compte dans Glasshour
mail-sign-up = Quelqu’un, vous sans doute, a demandé un compte pour cette adresse.
mail-reset-subject = Un autre mot de passe pour Glasshour
mail-reset = Quelqu’un, vous sans doute, a oublié le mot de passe de cette adresse chez { $company }. Le lien en fixe un autre et met fin à toutes les connexions.
mail-sign-up-known = Quelqu’un, vous sans doute, a demandé un compte pour cette adresse. Elle en a déjà un : connectez-vous.
mail-make-account = Créer le compte
mail-log-in = Se connecter

mail-license-subject = Votre licence de { $company }
mail-license = vous trouverez ci-joint votre licence nº { $serial } de { $company }. Elle dit ce que Glasshour peut enregistrer pendant que vous travaillez, et rien d’autre n’est enregistré.
mail-license-read = Lisez-la d’abord. Son contenu figure ci-dessous ; pour le demander au fichier { $file } lui-même : { $command }
mail-license-load = Puis chargez-la sur votre ordinateur : { $command }
mail-license-hand-over = Vous n’avez pas à la charger : { $company } l’installe sur votre ordinateur, et Glasshour vous y montre ce qu’elle dit avant que quoi que ce soit soit enregistré.
mail-license-own = Ce fichier est pour vous seul. Ne le transmettez pas.
