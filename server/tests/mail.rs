//! Mail that is queued is sent once, tried again where the mail server did not take it, and set aside where
//! nobody can know. The mail server here does what each test says; a real one stands in the stories.

mod common;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use base64::Engine as _;
use clap::Parser as _;
use common::{OWNER, Server};
use glasshour_server::mail::{Mailer, Sent, SmtpFlags, send_due};
use glasshour_server::router;
use glasshour_server::store::{DueMail, Write};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// What the mail server does with the next mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Play {
    Take,
    /// 451 to the recipient.
    Later,
    /// 550 to the recipient.
    Refuse,
    /// Takes the text and hangs up without a word.
    HangUp,
    /// 452 to the text.
    Full,
}

#[derive(Default)]
struct Stage {
    plays: VecDeque<Play>,
    /// Every text that came in whole.
    texts: Vec<String>,
    conversations: u32,
}

/// A mail server that follows a script.
struct Script {
    stage: Arc<Mutex<Stage>>,
    url: String,
}

#[cfg(test)]
impl Script {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let stage = Arc::new(Mutex::new(Stage::default()));
        let played = stage.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                played.lock().unwrap().conversations += 1;
                let _ = converse(stream, &played).await;
            }
        });
        Self { stage, url }
    }

    fn next(&self, plays: &[Play]) {
        self.stage.lock().unwrap().plays.extend(plays);
    }

    fn texts(&self) -> Vec<String> {
        self.stage.lock().unwrap().texts.clone()
    }
}

#[cfg(test)]
async fn converse(stream: TcpStream, stage: &Mutex<Stage>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 script\r\n").await?;
    let mut play = Play::Take;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.trim_end().to_uppercase();
        let answer = match verb.split([' ', ':']).next().unwrap_or_default() {
            "MAIL" => {
                play = stage
                    .lock()
                    .unwrap()
                    .plays
                    .pop_front()
                    .unwrap_or(Play::Take);
                "250 OK"
            }
            "RCPT" if play == Play::Later => "451 try later",
            "RCPT" if play == Play::Refuse => "550 no such person here",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut text).await?;
                }
                stage.lock().unwrap().texts.push(text);
                match play {
                    Play::HangUp => return Ok(()),
                    Play::Full => "452 no room",
                    _ => "250 taken",
                }
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 OK",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    smtp: SmtpFlags,
}

#[cfg(test)]
async fn mailer(url: &str) -> Mailer {
    let words = [
        "x",
        "--smtp",
        url,
        "--mail-from",
        "Acme <time@acme.example>",
    ];
    let config = Flags::parse_from(words).smtp.check().unwrap().unwrap();
    Mailer::new(&config).await.unwrap()
}

/// A server that sends mail by a script.
struct Post {
    server: Server,
    script: Script,
    mailer: Mailer,
}

#[cfg(test)]
impl Post {
    async fn start() -> Self {
        let mut server = Server::start().await;
        server.state.mail_is_sent = true;
        server.router = router(server.state.clone());
        let script = Script::start().await;
        let mailer = mailer(&script.url).await;
        Self {
            server,
            script,
            mailer,
        }
    }

    async fn look(&self) -> Sent {
        let end = CancellationToken::new();
        send_due(&self.server.state, &self.mailer, &end)
            .await
            .unwrap()
    }

    /// Looks for mail that is due; returns how many were taken.
    async fn send(&self) -> u64 {
        self.look().await.taken
    }

    /// An active employee with an address, and the answer to "Send license".
    async fn send_license(&self, email: &str) -> String {
        let body =
            json!({"name": "Jo Doe", "work_mode": "worklog", "active": true, "email": email});
        let made = self.server.post("/api/v1/employees", body).await;
        let id = made.json()["employee_id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/employees/{id}/license/send");
        self.server
            .post(&path, json!({}))
            .await
            .expect(StatusCode::ACCEPTED);
        id
    }

    /// Leases the one mail that is due, for a second.
    async fn lease(&self) -> (DueMail, Write) {
        let now = self.server.clock_ms();
        let state = &self.server.state;
        let due = state.db.due_mail(now, 10).await.unwrap().remove(0);
        let mut write = state.write(self.server.company_id).await.unwrap();
        assert!(write.lease_mail(&due, now + 1000).await.unwrap());
        (due, write)
    }

    /// The company's mail, the newest first.
    async fn mail(&self) -> Vec<Value> {
        let list = self.server.get("/api/v1/mail").await.expect(StatusCode::OK);
        list.json()["items"].as_array().unwrap().clone()
    }

    fn wait(&self, minutes: i64) {
        self.server.clock.advance(minutes * 60_000);
    }
}

#[tokio::test]
async fn p15_a_license_is_not_sent_without_an_address_and_the_reason_is_said() {
    let post = Post::start().await;
    let id = post.server.employee().await;
    let path = format!("/api/v1/employees/{id}/license/send");
    let refused = post.server.post(&path, json!({})).await;
    refused.refused(422, "no_email");
    assert_eq!(refused.json()["field"], "email");
    let reason = refused.json()["message"].as_str().unwrap().to_owned();
    assert!(
        reason.starts_with("Jo Doe has no e-mail address."),
        "{reason}"
    );
    assert_eq!(post.mail().await, [Value::Null; 0]);
}

#[tokio::test]
async fn p15_a_license_goes_as_an_attachment_with_instructions() {
    let post = Post::start().await;
    let id = post.send_license("jo@acme.example").await;
    assert_eq!(post.mail().await[0]["state"], "queued");
    assert_eq!(post.send().await, 1);
    let mail = &post.mail().await[0];
    assert_eq!(
        (&mail["state"], &mail["tries"]),
        (&json!("sent"), &json!(1))
    );
    let text = post.script.texts().remove(0);
    assert!(text.contains("filename=\"jo-doe.license.gz\""), "{text}");
    assert!(
        text.contains("glasshour license load jo-doe.license.gz"),
        "{text}"
    );
    let file = post.server.license_gz(&id).await;
    let encoded = base64::engine::general_purpose::STANDARD.encode(file);
    let whole: String = text.split_whitespace().collect();
    assert!(whole.contains(&encoded), "the file itself is in it");
    // Nothing is left to be sent.
    assert_eq!(post.send().await, 0);
    assert_eq!(post.script.texts().len(), 1);
}

#[tokio::test]
async fn p14_each_row_offers_to_save_and_to_send_the_license() {
    let post = Post::start().await;
    let id = post.send_license("jo@acme.example").await;
    let owner = post.server.log_in(OWNER).await;
    let page = String::from_utf8(owner.get("/employees").await.body).unwrap();
    assert!(
        page.contains(&format!("href=\"/employees/{id}/license.gz\"")),
        "{page}"
    );
    let send = format!("/employees/{id}/license/send");
    assert!(page.contains(&format!("action=\"{send}\"")), "{page}");
    let sent = owner
        .post(&send, json!({}))
        .await
        .expect(StatusCode::SEE_OTHER);
    let next = sent.headers["location"].to_str().unwrap().to_owned();
    let page = String::from_utf8(owner.get(&next).await.body).unwrap();
    assert!(
        page.contains("The license of Jo Doe is on its way."),
        "{page}"
    );
    assert_eq!(post.send().await, 1, "asked for twice, sent once");
}

#[tokio::test]
async fn where_no_mail_is_sent_that_is_said_and_nothing_is_queued() {
    let server = Server::start().await;
    let body = json!({"name": "Jo Doe", "work_mode": "worklog", "active": true,
        "email": "jo@acme.example"});
    let made = server.post("/api/v1/employees", body).await.json();
    let id = made["employee_id"].as_str().unwrap();
    let path = format!("/api/v1/employees/{id}/license/send");
    server.post(&path, json!({})).await.refused(409, "mail_off");
    let all = json!({"all": true});
    let many = server.post("/api/v1/licenses/send", all).await;
    many.refused(409, "mail_off");
    assert_eq!(server.mail("jo@acme.example").await, [""; 0]);
    // What waits to be copied is never sent late, once a mail server is named.
    server.invite("sam@elsewhere.example", "employee").await;
    assert_eq!(server.mail("sam@elsewhere.example").await, ["invitation"]);
    let due = server.state.db.due_mail(i64::MAX - 1, 10).await.unwrap();
    assert_eq!(due, []);
}

#[tokio::test]
async fn a_mail_that_was_not_taken_is_tried_again_later_with_the_same_id() {
    let post = Post::start().await;
    post.script.next(&[Play::Later, Play::Full, Play::Take]);
    post.send_license("jo@acme.example").await;
    assert_eq!(post.send().await, 0);
    let mail = &post.mail().await[0];
    assert_eq!(mail["state"], "queued");
    assert!(
        mail["error"].as_str().unwrap().contains("451 try later"),
        "{mail}"
    );
    assert_eq!(post.send().await, 0, "it is not due yet");
    post.wait(1);
    assert_eq!(post.send().await, 0);
    post.wait(5);
    assert_eq!(post.send().await, 1);
    assert_eq!(post.mail().await[0]["tries"], 3);
    let ids: Vec<String> = post
        .script
        .texts()
        .iter()
        .map(|text| {
            let line = text.lines().find(|line| line.starts_with("Message-ID:"));
            line.unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "a second copy can be told");
}

#[tokio::test]
async fn a_mail_that_is_refused_fails_at_once_and_the_owner_is_told_once() {
    let post = Post::start().await;
    post.script.next(&[Play::Refuse, Play::Refuse, Play::Take]);
    post.send_license("jo@acme.example").await;
    post.send_license("sam@acme.example").await;
    post.send_license("kim@acme.example").await;
    // One that is refused does not stop the others.
    assert_eq!(post.send().await, 1);
    let states: Vec<Value> = post
        .mail()
        .await
        .iter()
        .map(|one| one["state"].clone())
        .collect();
    assert_eq!(states, ["sent", "failed", "failed"]);
    post.wait(60 * 24);
    assert_eq!(post.send().await, 0);
    let owner = post.server.log_in(OWNER).await;
    let notices = owner.get("/api/v1/me/notices").await.json();
    let notices = notices["items"].as_array().unwrap();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0]["kind"], "mail_failed");
    let page = String::from_utf8(owner.get("/notices").await.body).unwrap();
    assert!(page.contains("550 no such person here"), "{page}");
}

#[tokio::test]
async fn a_mail_whose_answer_is_lost_is_never_sent_again_by_itself() {
    let post = Post::start().await;
    post.script.next(&[Play::HangUp]);
    let id = post.send_license("jo@acme.example").await;
    assert_eq!(post.send().await, 0);
    let mail = &post.mail().await[0];
    assert_eq!(mail["state"], "failed");
    assert!(
        mail["error"].as_str().unwrap().contains("is not known"),
        "{mail}"
    );
    post.wait(60 * 72);
    assert_eq!(post.send().await, 0);
    assert_eq!(post.script.texts().len(), 1);
    // A person may send it again.
    let path = format!("/api/v1/employees/{id}/license/send");
    post.server
        .post(&path, json!({}))
        .await
        .expect(StatusCode::ACCEPTED);
    assert_eq!(post.send().await, 1);
    let states: Vec<Value> = post
        .mail()
        .await
        .iter()
        .map(|one| one["state"].clone())
        .collect();
    assert_eq!(states, ["sent"], "the failed one is done with");
}

#[tokio::test]
async fn what_failed_stands_on_the_page_of_mail_with_its_reason_and_is_sent_again_from_there() {
    let post = Post::start().await;
    post.script.next(&[Play::Refuse]);
    let id = post.send_license("jo@acme.example").await;
    assert_eq!(post.send().await, 0);
    let failed = post.mail().await[0]["mail_id"].as_str().unwrap().to_owned();
    let owner = post.server.log_in(OWNER).await;
    let page = owner.page("/mail").await;
    assert!(
        page.contains("550 no such person here") && page.contains("failed"),
        "{page}"
    );
    // The address was wrong.
    let right = json!({"email": "jo.doe@acme.example"});
    let path = format!("/api/v1/employees/{id}");
    post.server.patch(&path, right).await.expect(StatusCode::OK);
    let again = format!("/mail/{failed}/again");
    owner
        .submit(&again, &[])
        .await
        .expect(StatusCode::SEE_OTHER);
    assert_eq!(post.send().await, 1);
    assert!(post.script.texts()[0].contains("To: jo.doe@acme.example"));
    let sent = &post.mail().await[0];
    assert_eq!(
        (&sent["state"], &sent["to"]),
        (&json!("sent"), &json!("jo.doe@acme.example"))
    );
    // What took the place of another, waits or is nobody's is not sent again.
    let send = |id: &str| format!("/api/v1/mail/{id}/send");
    let refused = post.server.post(&send(&failed), json!({})).await;
    refused.refused(409, "conflict");
    let sent = sent["mail_id"].as_str().unwrap();
    let answer = post.server.post(&send(sent), json!({})).await;
    answer.expect(StatusCode::NO_CONTENT);
    let unknown = post.server.post(&send("nothing"), json!({})).await;
    unknown.refused(404, "not_found");
    assert!(!owner.page("/mail").await.contains(&again));
}

#[tokio::test]
async fn a_server_that_died_while_a_mail_was_on_its_way_does_not_send_it_again() {
    let post = Post::start().await;
    post.send_license("jo@acme.example").await;
    let (due, mut write) = post.lease().await;
    let now = post.server.clock_ms();
    assert!(
        !write.lease_mail(&due, now + 1000).await.unwrap(),
        "one has it"
    );
    assert!(
        write
            .hand_over_mail(&due.mail_id, now + 1000, now)
            .await
            .unwrap()
    );
    write.commit().await.unwrap();
    // While the lease runs nobody else touches it.
    assert_eq!(post.send().await, 0);
    assert_eq!(post.mail().await[0]["state"], "queued");
    post.wait(10);
    assert_eq!(post.send().await, 0);
    assert_eq!(post.mail().await[0]["state"], "failed");
    assert_eq!(post.script.texts(), [""; 0]);
}

#[tokio::test]
async fn a_mail_that_is_replaced_while_it_is_written_does_not_go_out() {
    let post = Post::start().await;
    post.send_license("jo@acme.example").await;
    let (due, mut write) = post.lease().await;
    let now = post.server.clock_ms();
    write.drop_mail(&due.subject_id).await.unwrap();
    assert!(
        !write
            .hand_over_mail(&due.mail_id, now + 1000, now)
            .await
            .unwrap()
    );
    write.commit().await.unwrap();
}

#[tokio::test]
async fn while_the_mail_server_cannot_be_reached_mail_waits_and_the_rest_of_the_queue_is_spared() {
    let mut post = Post::start().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", closed.local_addr().unwrap());
    drop(closed);
    let good = std::mem::replace(&mut post.mailer, mailer(&url).await);
    post.send_license("jo@acme.example").await;
    post.send_license("sam@acme.example").await;
    let sent = post.look().await;
    assert_eq!((sent.taken, sent.reachable), (0, false));
    let tries: Vec<Value> = post
        .mail()
        .await
        .iter()
        .map(|one| one["tries"].clone())
        .collect();
    assert_eq!(tries, [0, 1]);
    post.mailer = good;
    post.wait(1);
    assert_eq!(post.send().await, 2);
    assert_eq!(
        post.script.stage.lock().unwrap().conversations,
        1,
        "both in one conversation"
    );
}

#[tokio::test]
async fn p36_p47_links_are_in_the_mail_and_are_shown_to_nobody_else() {
    let post = Post::start().await;
    let body = json!({"emails": "sam@elsewhere.example, nonsense", "role": "manager"});
    let made = post.server.post("/api/v1/invitations", body).await.json();
    assert_eq!(made["results"][0]["link"], Value::Null, "{made}");
    let user = post.server.new_user("kim", true).await;
    assert_eq!(user["link"], Value::Null, "{user}");
    assert_eq!(post.send().await, 2);
    let texts = post.script.texts();
    let link = |to: &str| {
        let text = texts
            .iter()
            .find(|text| text.contains(&format!("To: {to}")))
            .unwrap();
        // Undoes the soft line breaks of quoted-printable.
        let text = text.replace("=\r\n", "");
        let at = text.find("http://127.0.0.1:8080/join/").unwrap();
        text[at..].split_whitespace().next().unwrap().to_owned()
    };
    let invitation = link("sam@elsewhere.example");
    post.server
        .enter("sam@elsewhere.example", &invitation)
        .await;
    let welcome = link("kim@acme.example");
    post.server.enter("kim@acme.example", &welcome).await;
    // Once.
    post.server
        .follow(&welcome, json!({}))
        .await
        .refused(404, "link_unknown");
    // And the database has forgotten them.
    let mut read = post.server.read().await;
    let id = user["id"].as_str().unwrap();
    assert_eq!(read.waiting_link(id).await.unwrap(), None);
}

#[tokio::test]
async fn licenses_are_sent_to_all_of_a_project_a_group_or_without_a_device() {
    let post = Post::start().await;
    let server = &post.server;
    let project = server
        .post("/api/v1/projects", json!({"name": "Apollo"}))
        .await
        .json();
    let project = project["project_id"].as_str().unwrap().to_owned();
    let make = async |name: &str, email: Option<&str>, project: Option<&str>, active: bool| {
        let body = json!({"name": name, "work_mode": "worklog", "active": active,
            "email": email, "project_id": project});
        let made = server
            .post("/api/v1/employees", body)
            .await
            .expect(StatusCode::CREATED);
        made.json()["employee_id"].as_str().unwrap().to_owned()
    };
    let ann = make("Ann", Some("ann@acme.example"), Some(&project), true).await;
    make("Bob", None, Some(&project), true).await;
    make("Cy", Some("cy@acme.example"), Some(&project), false).await;
    let dan = make("Dan", Some("dan@acme.example"), None, true).await;
    server.device(&ann).await;
    let results = async |body: Value| {
        let sent = server.post("/api/v1/licenses/send", body).await;
        let sent = sent.expect(StatusCode::ACCEPTED).json();
        let all = sent["results"].as_array().unwrap().clone();
        all.iter()
            .map(|one| {
                format!(
                    "{} {}",
                    one["name"].as_str().unwrap(),
                    one["result"].as_str().unwrap()
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        results(json!({"project_id": project})).await,
        ["Ann queued", "Bob no_email"],
        "who is not active gets none"
    );
    assert_eq!(
        results(json!({"without_device": true})).await,
        ["Bob no_email", "Dan queued"]
    );
    assert_eq!(
        results(json!({"all": true})).await,
        ["Ann queued", "Bob no_email", "Dan queued"]
    );
    let invited = json!({"emails": "dan@acme.example"});
    let invited = server.post("/api/v1/invitations", invited).await.json();
    let member = invited["results"][0]["member_id"].as_str().unwrap();
    server
        .patch(
            &format!("/api/v1/members/{member}"),
            json!({"employee_id": dan}),
        )
        .await
        .expect(StatusCode::OK);
    let group = json!({"name": "Night", "members": [member]});
    let group = server.post("/api/v1/groups", group).await.json()["group_id"].clone();
    assert_eq!(results(json!({"group_id": group})).await, ["Dan queued"]);
    server
        .post("/api/v1/licenses/send", json!({}))
        .await
        .refused(422, "invalid");
    let elsewhere = json!({"group_id": "0193f2a4-5b6c-7d8e-9fa0-b1c2d3e4f5a6"});
    server
        .post("/api/v1/licenses/send", elsewhere)
        .await
        .refused(404, "not_found");
    // Each got one license, however often it was asked for, and the invitation.
    assert_eq!(post.send().await, 3);
}
