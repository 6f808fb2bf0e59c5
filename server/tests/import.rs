//! Many employees from one file, and their licenses in one zip.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;
use tokio::time::Instant;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use common::{Answer, OWNER, Server};
use serde_json::{Value, json};

#[cfg(test)]
impl Server {
    async fn import(&self, query: &str, file: impl Into<Vec<u8>>) -> Answer {
        let request = Request::post(format!("/api/v1/employees/import{query}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "text/csv")
            .body(Body::from(file.into()));
        self.send(request.unwrap()).await
    }

    async fn all_employees(&self) -> Vec<Value> {
        let mut all = vec![];
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/employees?limit=1000{cursor}");
            let page = self.get(&path).await.expect(StatusCode::OK).json();
            all.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                None => return all,
                Some(next) => cursor = format!("&cursor={next}"),
            }
        }
    }
}

/// Line, result and field of each row that says something.
#[cfg(test)]
fn told(answer: &Value) -> Vec<(u64, String, String)> {
    let rows = answer["rows"].as_array().unwrap();
    rows.iter()
        .filter(|row| !["created", "ok"].contains(&row["result"].as_str().unwrap()))
        .map(|row| {
            assert_ne!(row["message"], "", "{row}");
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            (row["line"].as_u64().unwrap(), text("result"), text("field"))
        })
        .collect()
}

#[tokio::test]
async fn five_thousand_rows_with_twenty_bad_ones_lose_no_good_one() {
    let server = Server::start().await;
    let project = server
        .post("/api/v1/projects", json!({"name": "Apollo"}))
        .await;
    let project = project.json()["project_id"].clone();
    let mut file = String::from("\u{feff}Name;E-Mail;Mode;Project;Active\r\n");
    let mut expected_bad = vec![];
    let mut good = BTreeSet::new();
    for index in 0..5000_u64 {
        let name = format!("Person \u{e9}{index}");
        let email = format!("person{index}@acme.example");
        if index % 250 == 249 {
            // Each of the ways in which a row can be wrong, four times.
            let (row, field) = match index / 250 % 5 {
                0 => (format!(";{email};worklog;Apollo;"), "name"),
                1 => (format!("{name};{index};worklog;Apollo;"), "email"),
                2 => (format!("{name};{email};stealth;Apollo;"), "work_mode"),
                3 => (format!("{name};{email};worklog;Nowhere;"), "project"),
                _ => (format!("{name};person0@acme.example;worklog;;"), "email"),
            };
            writeln!(file, "{row}\r").unwrap();
            expected_bad.push((index + 2, "bad".to_owned(), field.to_owned()));
        } else {
            let mode = ["worklog", "Monitoring"][usize::try_from(index % 2).unwrap()];
            writeln!(file, "\"{name}\";{email};{mode};Apollo;yes\r").unwrap();
            good.insert((name, email));
        }
    }
    assert_eq!((expected_bad.len(), good.len()), (20, 4980));

    let dry = server.import("?dry_run=true", file.clone()).await;
    let dry = dry.expect(StatusCode::OK).json();
    assert_eq!((&dry["good"], &dry["bad"]), (&json!(4980), &json!(20)));
    assert_eq!(told(&dry), expected_bad);
    assert_eq!(
        server.all_employees().await.len(),
        0,
        "a dry run changes nothing"
    );

    let begun = Instant::now();
    let done = server
        .import("", file.clone())
        .await
        .expect(StatusCode::OK)
        .json();
    println!("5,000 rows imported in {:.2?}, this build", begun.elapsed());
    assert_eq!((&done["good"], &done["bad"]), (&json!(4980), &json!(20)));
    assert_eq!(told(&done), expected_bad);
    let all = server.all_employees().await;
    let made: BTreeSet<_> = all
        .iter()
        .map(|one| {
            assert_eq!(one["serial"], 1, "each has a license");
            assert_eq!(one["project_id"], project);
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            (text("name"), text("email"))
        })
        .collect();
    assert_eq!(made, good);

    // The same file again makes nobody twice.
    let again = server.import("", file).await.expect(StatusCode::OK).json();
    assert_eq!(
        (&again["good"], &again["exist"], &again["bad"]),
        (&json!(0), &json!(4980), &json!(20))
    );
    assert_eq!(server.all_employees().await.len(), 4980);
}

#[tokio::test]
async fn each_bad_row_says_its_line_its_column_and_what_to_do() {
    let server = Server::start().await;
    let file = "name,email,work_mode,project,profile,active\n\
        Jo Doe,jo@acme.example,worklog,,,\n\
        \"Two\nLines\",two@acme.example,worklog,,,\n\
        Sam Roe,SAM@acme.example,Monitoring,general,STANDARD,no\n\
        Al,jo@acme.example,worklog,,,\n\
        Kim,,,,,\n\
        Bo,,worklog,,Nope,\n\
        Cy,,worklog,,,perhaps\n\
        Doe, Jo,x@acme.example,worklog,,,\n\
        Di,,worklog,,,\n\
        Di,,worklog,,,\n";
    let done = server.import("", file).await.expect(StatusCode::OK).json();
    let bad = |line, field: &str| (line, "bad".to_owned(), field.to_owned());
    assert_eq!(
        told(&done),
        [
            bad(3, "name"),
            bad(6, "email"),
            bad(7, "work_mode"),
            bad(8, "profile"),
            bad(9, "active"),
            bad(10, "email"),
            bad(12, "name"),
        ]
    );
    let all = server.all_employees().await;
    let sam = all.iter().find(|one| one["name"] == "Sam Roe").unwrap();
    assert_eq!(
        (&sam["active"], &sam["serial"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(sam["work_mode"], "monitoring");
    assert_eq!(all.len(), 3);
    // Who is there already is left as they are, whatever the file says now.
    let changed = "name;email;mode\nJo Roe;JO@acme.example;monitoring\nDi;;worklog\n";
    let again = server.import("", changed).await.json();
    assert_eq!(again["exist"], 2, "{again}");
    let all = server.all_employees().await;
    let jo = all
        .iter()
        .find(|one| one["email"] == "jo@acme.example")
        .unwrap();
    assert_eq!(jo["name"], "Jo Doe");
}

#[tokio::test]
async fn a_file_that_cannot_be_meant_is_refused_as_a_whole() {
    let server = Server::start().await;
    let refused = async |file: &[u8]| {
        let answer = server.import("", file).await;
        answer.refused(422, "invalid");
        assert_eq!(answer.json()["field"], "file");
    };
    refused(b"").await;
    refused(b"name,email\nJo,jo@acme.example\n").await;
    refused(b"name,mode,salary\nJo,worklog,1\n").await;
    refused(b"name;mode\nJ\xf6;worklog\n").await;
    let huge = server.import("", vec![b'x'; 5 * 1024 * 1024]).await;
    huge.refused(413, "too_large");
    assert_eq!(server.all_employees().await.len(), 0);
}

#[tokio::test]
async fn the_console_shows_what_a_file_comes_to_before_it_imports_it() {
    let server = Server::start().await;
    let owner = server.log_in(OWNER).await;
    let post = async |body: &str| {
        let request = Request::post("/employees/import")
            .header(header::COOKIE, &owner.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()));
        let answer = server.send(request.unwrap()).await;
        (answer.status, String::from_utf8(answer.body).unwrap())
    };
    let csv = "csv=name%3Bmode%0D%0AJo+Doe%3Bworklog%0D%0ASam%3Bstealth%0D%0A";
    let (status, page) = post(csv).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("<h1>1 good, 1 not</h1>"), "{page}");
    assert!(page.contains("is no mode"), "{page}");
    assert_eq!(server.all_employees().await.len(), 0);
    let (_, page) = post(&format!("{csv}&import=true")).await;
    assert!(page.contains("<h1>1 imported</h1>"), "{page}");
    assert_eq!(server.all_employees().await.len(), 1);
    let (status, page) = post("csv=nmae%0D%0AJo").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("which is not known"), "{page}");
    let many = owner.get("/employees/many").await.expect(StatusCode::OK);
    assert!(
        String::from_utf8(many.body)
            .unwrap()
            .contains("Import from a file")
    );
}

/// A zip as Python's own library reads it, CRCs and all.
struct Zip(tempfile::TempDir);

#[cfg(test)]
impl Zip {
    fn open(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("licenses.zip");
        std::fs::write(&file, bytes).unwrap();
        for action in ["-t", "-e"] {
            let mut python = Command::new("python3");
            python.args(["-m", "zipfile", action]).arg(&file);
            if action == "-e" {
                python.arg(folder.path().join("out"));
            }
            let output = python.output().expect("python3: ./dev puts it in place");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let whole = output.status.success() && !said.contains("corrupted");
            assert!(whole, "{said}");
        }
        Self(folder)
    }

    fn names(&self) -> Vec<String> {
        let out = self.0.path().join("out");
        let within = |path: &std::path::Path| {
            let path = path.strip_prefix(&out).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let mut names = vec![];
        for one in std::fs::read_dir(&out).unwrap() {
            let path = one.unwrap().path();
            if path.is_dir() {
                let inside = std::fs::read_dir(&path).unwrap();
                names.extend(inside.map(|one| within(&one.unwrap().path())));
            } else {
                names.push(within(&path));
            }
        }
        names.sort();
        names
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.0.path().join("out").join(name)).unwrap()
    }
}

#[tokio::test]
async fn many_licenses_come_in_one_zip_each_named_after_its_user() {
    let server = Server::start().await;
    let file = "name;email;mode;active\n\
        Jo Doe;jo.doe@acme.example;monitoring;yes\n\
        Jo Doe;;worklog;yes\n\
        Ann;ann@acme.example;worklog;yes\n\
        Gone;gone@acme.example;worklog;no\n";
    server.import("", file).await.expect(StatusCode::OK);
    let all = server.all_employees().await;
    let ann = all.iter().find(|one| one["name"] == "Ann").unwrap();
    let ann = ann["employee_id"].as_str().unwrap().to_owned();
    // Her device says who she is there.
    server.device(&ann).await;

    let answer = server.get("/api/v1/licenses.zip?all=true").await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let zip = Zip::open(&answer.body);
    assert_eq!(
        zip.names(),
        [
            "ann/jo.license.gz",
            "jo-doe-2/jo-doe.license.gz",
            "jo-doe/jo.doe.license.gz",
            "licenses.csv"
        ]
    );
    let bytes = zip.read("ann/jo.license.gz");
    assert_eq!(bytes, server.license_gz(&ann).await);
    let index = String::from_utf8(zip.read("licenses.csv")).unwrap();
    assert_eq!(index.lines().count(), 4, "{index}");
    assert!(
        index.contains("ann/jo.license.gz,Ann,ann@acme.example,worklog,1,"),
        "{index}"
    );

    let narrowed = server.get("/api/v1/licenses.zip?without_device=true").await;
    assert_eq!(Zip::open(&narrowed.body).names().len(), 3);
    server
        .get("/api/v1/licenses.zip")
        .await
        .refused(422, "invalid");
    let owner = server.log_in(OWNER).await;
    let page = owner
        .get("/employees/licenses.zip?project_id=&without_device=yes")
        .await;
    assert_eq!(
        page.expect(StatusCode::OK).headers[header::CONTENT_TYPE],
        "application/zip"
    );
}
