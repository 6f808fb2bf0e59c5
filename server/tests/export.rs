//! What the server exports can be checked without it, and every alteration is found.

mod common;

use axum::http::StatusCode;
use common::Server;
use glasshour_protocol::export::{Break, Verdict, Verified, Verifier};
use glasshour_protocol::jws;
use glasshour_protocol::payload::SessionEventKind::{Started, Stopped};

#[cfg(test)]
fn verify(text: &str) -> Result<Verified, Break> {
    let mut verifier = Verifier::default();
    for line in text.lines() {
        verifier.line(line)?;
    }
    verifier.finish()
}

#[tokio::test]
async fn p21_an_export_verifies_and_each_alteration_of_it_is_found() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    let t = common::START_MS;
    let mut made = vec![device.session(Started, t), device.screenshot()];
    server.clock.advance(60_000);
    made.push(device.activity());
    made.push(device.session(Stopped, t + 60_000));
    for record in made.iter().rev() {
        device
            .put(&server, record)
            .await
            .expect(StatusCode::CREATED);
    }
    let path = format!("/api/v1/export?employee_id={employee}");
    let answer = server.get(&path).await.expect(StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/jsonl");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let text = String::from_utf8(answer.body).unwrap();

    let verified = verify(&text).unwrap();
    assert_eq!((verified.records, verified.without_payload), (4, 0));
    assert_eq!(verified.verdict, Verdict::Whole);
    let sealed = verified.sealed.unwrap();
    let company = server.company().await;
    assert_eq!(
        sealed.key,
        jws::thumbprint(&company.signing_key.verifying_key())
    );
    assert_eq!(
        (sealed.says.company.as_str(), sealed.says.company_id),
        ("Acme", company.company_id)
    );
    assert_eq!(sealed.says.employee_id.to_string(), employee);
    assert_eq!(verified.chains.len(), 1);
    assert_eq!(
        verified.keys.values().collect::<Vec<_>>(),
        [&jws::thumbprint(&device.key.verifying_key())]
    );

    let lines: Vec<&str> = text.lines().collect();
    let (first, last) = (2, 5);
    for at in first..=last {
        let mut removed = lines.clone();
        removed.remove(at);
        assert!(verify(&removed.join("\n")).is_err(), "removed {at}");
        let changed = lines[at].replacen("\"payload\":\"", "\"payload\":\"AAAA", 1);
        let mut with = lines.clone();
        with[at] = &changed;
        assert!(
            matches!(verify(&with.join("\n")), Err(Break::Payload(_))),
            "changed {at}"
        );
    }
    let mut swapped = lines.clone();
    swapped.swap(first, last);
    assert!(verify(&swapped.join("\n")).is_err());
    let mut inserted = lines.clone();
    inserted.insert(last, lines[first]);
    assert!(matches!(verify(&inserted.join("\n")), Err(Break::Order(_))));
    // The last ones, with the count made right: only the server could sign for that.
    let end = lines[lines.len() - 1].replacen("\"records\":4", "\"records\":3", 1);
    let mut cut = lines[..last].to_vec();
    cut.push(&end);
    assert!(matches!(verify(&cut.join("\n")), Err(Break::Sealed)));
}

#[tokio::test]
async fn an_export_is_of_one_known_employee_and_of_the_days_asked_for() {
    let server = Server::start().await;
    let employee = server.employee().await;
    let mut device = server.device(&employee).await;
    for _ in 0..3 {
        let record = device.activity();
        device
            .put(&server, &record)
            .await
            .expect(StatusCode::CREATED);
        server.clock.advance(60_000);
    }
    server.get("/api/v1/export").await.refused(422, "invalid");
    let unknown = "/api/v1/export?employee_id=00000000-0000-0000-0000-000000000000";
    server.get(unknown).await.refused(404, "not_found");
    let path = format!("/api/v1/export?employee_id={employee}&from=2026-11-18T11:07:00Z");
    let text = String::from_utf8(server.get(&path).await.body).unwrap();
    let verified = verify(&text).unwrap();
    assert_eq!((verified.records, verified.verdict), (2, Verdict::Whole));
    assert!(!verified.chains[0].from_its_beginning);
    assert_eq!(verified.chains[0].first_seq, 2);
}
