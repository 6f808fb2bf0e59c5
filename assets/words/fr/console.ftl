# Ce que la console dit dans la langue de qui la lit ; pour l’instant, ce qui entoure l’avis.

console-notice-intro = Voici ce que lit la personne concernée avant que quoi que ce soit soit enregistré.
