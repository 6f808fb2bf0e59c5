//! What a mail says, as values: the same parts become plain text and HTML.
//!
//! All words come from the catalogues. There is nothing in it that is fetched from anywhere: no picture,
//! no address that would tell who has read it.

use askama::Template;
use glasshour_license_format::WorkMode;
use glasshour_words::notice::{Section, notice};
use glasshour_words::{Key, Message, Outside, Said, Words};
use serde_json::Value;

use crate::store::{DueMail, License, MailTemplate};

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    /// The language it is in.
    pub(super) language: &'static str,
    pub(super) subject: String,
    /// Whole paragraphs.
    pub(super) opening: Vec<String>,
    /// What to press, and where it leads.
    pub(super) button: Option<(String, String)>,
    /// What to do, in order.
    pub(super) steps: Vec<String>,
    pub(super) closing: Vec<String>,
    /// A license in plain words.
    pub(super) notice: Vec<Section>,
    pub(super) footer: String,
}

/// The letter in HTML.
#[derive(Debug, Template)]
#[template(path = "letter.html", escape = "html")]
struct Html<'a> {
    letter: &'a Letter,
}

/// What is sent along with a license.
#[derive(Debug)]
pub(super) struct Enclosed<'a> {
    pub(super) license: &'a License,
    pub(super) file_name: &'a str,
}

impl Letter {
    /// The letter of a mail; `enclosed` is there for [`MailTemplate::License`] alone.
    pub(super) fn of(
        mail: &DueMail,
        enclosed: Option<&Enclosed<'_>>,
        server_url: &str,
        words: Words,
    ) -> Self {
        let from = Params(&mail.params);
        let server = Outside(server_url);
        let mut letter = Self {
            language: words.language().code(),
            subject: String::new(),
            opening: vec![],
            button: None,
            steps: vec![],
            closing: vec![],
            notice: vec![],
            footer: words.say(Message::MailFooter { server }),
        };
        let company = from.text("company");
        let hello = |name| words.say(Message::MailHello { name });
        let lives = from.lives(words);
        match mail.template {
            MailTemplate::Welcome => {
                letter.subject = words.say(Message::MailWelcomeSubject { company });
                let login = from.text("user_id");
                letter.opening = vec![
                    hello(from.text("name")),
                    words.say(Message::MailWelcome { company, login }),
                ];
                letter.lead(mail, words.say(Message::MailChoosePassword {}));
            }
            MailTemplate::Invitation | MailTemplate::InvitationAccount => {
                let (by, workspace) = (from.text("by"), from.text("workspace"));
                letter.subject = words.say(Message::MailInvitationSubject { by, workspace });
                letter.opening.push(words.say(Message::MailInvitation {
                    by,
                    workspace,
                    company,
                    role: Key(from.text("role").0),
                }));
                if mail.template == MailTemplate::InvitationAccount {
                    letter
                        .opening
                        .push(words.say(Message::MailInvitationAccount {}));
                }
                letter.lead(mail, words.say(Message::MailAccept {}));
            }
            MailTemplate::SignUp => {
                letter.subject = words.say(Message::MailSignUpSubject {});
                letter.opening.push(words.say(Message::MailSignUp {}));
                letter.lead(mail, words.say(Message::MailMakeAccount {}));
            }
            MailTemplate::Reset => {
                letter.subject = words.say(Message::MailResetSubject {});
                letter.opening = vec![
                    hello(from.text("name")),
                    words.say(Message::MailReset { company }),
                ];
                letter.lead(mail, words.say(Message::MailChoosePassword {}));
            }
            MailTemplate::SignUpKnown => {
                letter.subject = words.say(Message::MailSignUpSubject {});
                letter.opening.push(words.say(Message::MailSignUpKnown {}));
                let log_in = words.say(Message::MailLogIn {});
                letter.button = Some((log_in, format!("{server_url}/login")));
            }
            MailTemplate::License => {
                letter.subject = words.say(Message::MailLicenseSubject { company });
                letter.opening.push(hello(from.text("name")));
                if let Some(enclosed) = enclosed {
                    letter.enclose(enclosed, words);
                }
            }
        }
        if let Some(lives) = lives.filter(|_| mail.link.is_some()) {
            letter
                .closing
                .push(words.say(Message::MailLinkLives { lives }));
            letter.closing.push(words.say(Message::MailIgnore {}));
        }
        letter
    }

    fn lead(&mut self, mail: &DueMail, label: String) {
        self.button = mail.link.clone().map(|link| (label, link));
    }

    fn enclose(&mut self, enclosed: &Enclosed<'_>, words: Words) {
        let claims = &enclosed.license.claims;
        let company = Outside(&claims.issuer.company);
        let file = Outside(enclosed.file_name);
        self.opening.push(words.say(Message::MailLicense {
            company,
            serial: u32::try_from(claims.serial).unwrap_or(u32::MAX),
        }));
        let show = format!("glasshour license show {}", enclosed.file_name);
        let show = Message::MailLicenseRead {
            file,
            command: Outside(&show),
        };
        self.steps.push(words.say(show));
        self.steps.push(match claims.work_mode {
            WorkMode::Worklog => {
                let load = format!("glasshour license load {}", enclosed.file_name);
                let command = Outside(&load);
                words.say(Message::MailLicenseLoad { command })
            }
            WorkMode::Monitoring => words.say(Message::MailLicenseHandOver { company }),
        });
        self.closing.push(words.say(Message::MailLicenseOwn {}));
        let notice = notice(claims, words);
        self.closing.push(notice.title.clone());
        self.notice = notice.sections;
    }

    /// As plain text, lines of which a mail program breaks as it likes.
    pub(super) fn to_text(&self) -> String {
        let mut parts = self.opening.clone();
        if let Some((label, address)) = &self.button {
            parts.push(format!("{label}\n{address}"));
        }
        let steps: Vec<String> = self
            .steps
            .iter()
            .zip(1..)
            .map(|(step, number)| format!("{number}. {step}"))
            .collect();
        if !steps.is_empty() {
            parts.push(steps.join("\n"));
        }
        parts.extend(self.closing.iter().cloned());
        for section in &self.notice {
            let lines: Vec<String> = section
                .lines
                .iter()
                .map(|line| format!("- {line}"))
                .collect();
            parts.push(format!("{}\n{}", section.heading, lines.join("\n")));
        }
        parts.push(format!("-- \n{}", self.footer));
        let mut text = parts.join("\n\n");
        text.push('\n');
        text
    }

    /// As HTML.
    pub(super) fn to_html(&self) -> Result<String, askama::Error> {
        Html { letter: self }.render()
    }
}

/// What a mail was queued with.
#[derive(Clone, Copy, Debug)]
struct Params<'a>(&'a Value);

impl<'a> Params<'a> {
    fn text(self, name: &str) -> Outside<'a> {
        Outside(self.0.get(name).and_then(Value::as_str).unwrap_or_default())
    }

    /// How long the link lives, in words.
    fn lives(self, words: Words) -> Option<Said> {
        const HOUR_MS: u64 = 3_600_000;
        let ms = self.0.get("link_lives_ms").and_then(Value::as_u64)?;
        let count = |unit: u64| u32::try_from(ms / unit).unwrap_or(u32::MAX);
        Some(words.part(if ms % (24 * HOUR_MS) == 0 {
            Message::Days {
                count: count(24 * HOUR_MS),
            }
        } else if ms >= HOUR_MS {
            Message::Hours {
                count: count(HOUR_MS),
            }
        } else {
            Message::Minutes {
                count: count(60_000),
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use glasshour_protocol::CompanyId;
    use glasshour_words::Language;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn mail(template: MailTemplate) -> DueMail {
        let linked = !matches!(template, MailTemplate::SignUpKnown | MailTemplate::License);
        DueMail {
            company_id: CompanyId(Uuid::nil()),
            mail_id: "m".into(),
            to_address: "jo@acme.example".into(),
            template,
            subject_id: "s".into(),
            params: json!({"name": "Jo <Doe>", "company": "Acme & Söhne", "user_id": "jo",
                "workspace": "Main", "by": "Kim Roe", "role": "manager",
                "link_lives_ms": 30 * 24 * 3_600_000_i64}),
            link: linked.then(|| "https://time.acme.example/join/TOKEN".to_owned()),
            attempts: 0,
            next_at: 0,
            handed_at: None,
            created_at: 0,
        }
    }

    #[test]
    fn every_letter_is_whole_in_every_language() {
        for language in Language::ALL {
            let words = Words::new(language);
            for template in MailTemplate::ALL {
                let mail = mail(*template);
                let letter = Letter::of(&mail, None, "https://time.acme.example", words);
                assert!(!letter.subject.is_empty() && !letter.subject.contains('\n'));
                assert!(!letter.opening.is_empty(), "{template}");
                let (text, html) = (letter.to_text(), letter.to_html().unwrap());
                assert!(text.contains("https://time.acme.example"), "{template}");
                // Whom it names is never markup.
                assert!(
                    !html.contains("<Doe>") && !html.contains("& Söhne"),
                    "{html}"
                );
                if let Some(link) = &mail.link {
                    assert!(text.contains(link) && html.contains(link), "{template}");
                    assert!(text.contains("30"), "how long it lives: {text}");
                }
                // Nothing is fetched, so that nobody is told who has read it.
                assert!(!html.contains("<img") && !html.contains("src=") && !html.contains("url("));
            }
        }
    }

    #[test]
    fn an_invitation_reads_as_a_person_would_write_it() {
        let letter = |language| {
            let mail = mail(MailTemplate::Invitation);
            let words = Words::new(language);
            Letter::of(&mail, None, "https://time.acme.example", words)
        };
        let english = letter(Language::English);
        insta::assert_snapshot!(
            "invitation_en",
            format!("{}\n\n{}", english.subject, english.to_text())
        );
        let french = letter(Language::French);
        insta::assert_snapshot!(
            "invitation_fr",
            format!("{}\n\n{}", french.subject, french.to_text())
        );
    }
}
