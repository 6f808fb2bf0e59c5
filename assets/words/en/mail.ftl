# What is sent by e-mail. A subject is one short line.

mail-hello = Hello { $name },
mail-footer = Sent by Glasshour at { $server }.
mail-link-lives = The link works once, within { $lives }.
mail-ignore = If you did not expect this mail, do nothing: without the link nothing happens.

mail-welcome-subject = Your account at { $company }
mail-welcome = { $company } has made an account for you in Glasshour. Your User ID is { $login }. Choose a password, and you are in.
mail-choose-password = Choose a password

mail-invitation-subject = { $by } invites you into { $workspace }
mail-invitation =
    { $role ->
        [admin] { $by } invites you into the workspace { $workspace } of { $company }, as an admin.
        [manager] { $by } invites you into the workspace { $workspace } of { $company }, as a manager.
       *[employee] { $by } invites you into the workspace { $workspace } of { $company }.
    }
mail-invitation-account = This address has an account already: log in with it, and accept. The invitation waits under Notices too.
mail-accept = Accept the invitation

mail-sign-up-subject = Your account in Glasshour
mail-sign-up = Somebody, hopefully you, asked for an account with this address.
mail-reset-subject = Another password for Glasshour
mail-reset = Somebody, hopefully you, has forgotten the password for this address at { $company }. The link sets another one, and ends every log-in.
mail-sign-up-known = Somebody, hopefully you, asked for an account with this address. It has one already: log in.
mail-make-account = Make the account
mail-log-in = Log in

mail-license-subject = Your license from { $company }
mail-license = enclosed is your license no. { $serial } from { $company }. It says what Glasshour may capture while you work, and nothing else is captured.
mail-license-read = Read it first. What it says stands below; of the file { $file } itself you can ask it with: { $command }
mail-license-load = Then load it on your computer: { $command }
mail-license-hand-over = You need not load it: { $company } installs it on your computer, and Glasshour shows you there what it says before anything is captured.
mail-license-own = The file is for you alone. Do not pass it on.
