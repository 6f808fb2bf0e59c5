//! A database whose disk was full: what did not fit is refused, and the next write succeeds.

use ed25519_dalek::SigningKey;
use glasshour_protocol::CompanyId;
use glasshour_server::people::standard_profile;
use glasshour_server::store::{Company, Db, Profile, StoreError};
use uuid::Uuid;

#[cfg(test)]
fn profile(name: String) -> Profile {
    Profile {
        profile_id: Uuid::now_v7().to_string(),
        settings: standard_profile("Standard"),
        name,
        is_default: false,
        created_at: 1,
        updated_at: 1,
    }
}

#[tokio::test]
async fn after_the_disk_was_full_the_database_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite(&folder.path().join("full.sqlite"), true)
        .await
        .unwrap();
    let company = Company {
        company_id: CompanyId(Uuid::now_v7()),
        name: "Acme".into(),
        privacy_contact: None,
        signing_key: SigningKey::from_bytes(&[5; 32]),
    };
    let mut write = db.write(company.company_id).await.unwrap();
    write.insert_company(&company, 1).await.unwrap();
    write.commit().await.unwrap();

    // A database that may not grow says the same as a disk that is full, and as there SQLite gives up the whole
    // transaction by itself.
    let Db::Sqlite { writer, .. } = &db else {
        unreachable!("it was opened as SQLite")
    };
    sqlx::raw_sql("PRAGMA max_page_count = 1")
        .execute(writer)
        .await
        .unwrap();
    let mut write = db.write(company.company_id).await.unwrap();
    let refused = write.insert_profile(&profile("x".repeat(1_000_000))).await;
    assert!(
        matches!(refused, Err(StoreError::DiskFull(_))),
        "{refused:?}"
    );
    drop(write);

    let mut write = db.write(company.company_id).await.unwrap();
    write
        .insert_profile(&profile("small".into()))
        .await
        .unwrap();
    write.commit().await.unwrap();
}
