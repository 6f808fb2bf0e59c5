//! Which tables the audit log watches, and which of their columns it shows.
//!
//! One list, of which the triggers are made; a test holds it to the schema, so that a new table or column
//! is either in the log or left out on purpose.

/// A table whose rows the log follows.
pub(super) struct Audited {
    pub(super) table: &'static str,
    /// What the log calls a row.
    pub(super) object: &'static str,
    /// SQL for a row's id, with `ROW` in the place of the row.
    pub(super) id: &'static str,
    /// SQL for the employee, member or user that it belongs to; `NULL`: none.
    pub(super) about: &'static str,
    /// Columns with their values in the log.
    pub(super) shown: &'static [&'static str],
    /// Columns of which the log says only that they are set, and that they changed.
    pub(super) secret: &'static [&'static str],
    /// Columns whose change is no news.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "what the list is held to the schema by")
    )]
    pub(super) ignored: &'static [&'static str],
    /// Whether changes of a row are followed, or only that it comes and goes.
    pub(super) changes: bool,
}

const PLAIN: Audited = Audited {
    table: "",
    object: "",
    id: "",
    about: "NULL",
    shown: &[],
    secret: &[],
    ignored: &[],
    changes: true,
};

pub(super) const AUDITED: &[Audited] = &[
    Audited {
        table: "companies",
        object: "company",
        id: "ROW.company_id",
        shown: &[
            "name",
            "privacy_contact",
            "plan",
            "seats",
            "seats_by",
            "invitations_at_once",
            "trial_ends_at",
            "time_zone",
            "language",
            "notice",
            "approve_devices",
            "keep_screenshot",
            "keep_camera",
            "keep_activity",
            "keep_session",
            "require_second_factor",
        ],
        ignored: &["company_id", "created_at"],
        ..PLAIN
    },
    Audited {
        table: "signing_keys",
        object: "signing_key",
        id: "CAST(ROW.generation AS TEXT)",
        shown: &["generation", "retired_at"],
        secret: &["secret"],
        ignored: &["company_id", "created_at", "announcement"],
        ..PLAIN
    },
    Audited {
        table: "workspaces",
        object: "workspace",
        id: "ROW.workspace_id",
        shown: &["workspace_id", "name", "deleted_at"],
        ignored: &["company_id", "created_at"],
        ..PLAIN
    },
    Audited {
        table: "users",
        object: "user",
        id: "ROW.user_id",
        about: "ROW.user_id",
        shown: &[
            "login",
            "email",
            "first_name",
            "last_name",
            "role",
            "status",
        ],
        secret: &["password_hash"],
        ignored: &[
            "company_id",
            "user_id",
            "validation_result",
            "created_at",
            "updated_at",
        ],
        ..PLAIN
    },
    Audited {
        table: "api_tokens",
        object: "api_token",
        id: "ROW.token_id",
        shown: &["name", "scopes", "expires_at", "revoked_at"],
        secret: &["token_hash"],
        ignored: &[
            "company_id",
            "token_id",
            "made_by",
            "created_at",
            "last_used_at",
        ],
        ..PLAIN
    },
    Audited {
        table: "second_factors",
        object: "second_factor",
        id: "ROW.user_id",
        about: "ROW.user_id",
        shown: &["confirmed_at"],
        secret: &["secret"],
        ignored: &["company_id", "user_id", "last_step"],
        ..PLAIN
    },
    Audited {
        table: "sign_ons",
        object: "sign_on",
        id: "ROW.user_id",
        about: "ROW.user_id",
        shown: &["issuer", "subject"],
        ignored: &["company_id", "user_id", "linked_at"],
        ..PLAIN
    },
    Audited {
        table: "members",
        object: "member",
        id: "ROW.member_id",
        about: "ROW.member_id",
        shown: &[
            "workspace_id",
            "user_id",
            "email",
            "name",
            "role",
            "status",
            "first_day",
            "working_days",
            "capacity_min",
            "rate_cents",
            "employee_id",
            "sent_at",
            "accepted_at",
        ],
        ignored: &[
            "company_id",
            "member_id",
            "home_id",
            "tracking_stopped",
            "invited_by",
            "expires_at",
            "created_at",
            "updated_at",
        ],
        ..PLAIN
    },
    Audited {
        table: "photos",
        object: "photo",
        id: "ROW.member_id",
        about: "ROW.member_id",
        shown: &["content_type"],
        secret: &["bytes"],
        ignored: &["company_id", "member_id"],
        ..PLAIN
    },
    Audited {
        table: "leave_days",
        object: "leave",
        id: "ROW.member_id",
        about: "ROW.member_id",
        shown: &["day", "kind"],
        ignored: &["company_id", "member_id", "created_at"],
        ..PLAIN
    },
    Audited {
        table: "member_groups",
        object: "group",
        id: "ROW.group_id",
        shown: &["workspace_id", "name"],
        ignored: &["company_id", "group_id", "created_at"],
        ..PLAIN
    },
    Audited {
        table: "group_members",
        object: "group_member",
        id: "ROW.group_id",
        about: "ROW.member_id",
        shown: &["member_id"],
        ignored: &["company_id", "group_id"],
        ..PLAIN
    },
    Audited {
        table: "projects",
        object: "project",
        id: "ROW.project_id",
        shown: &[
            "workspace_id",
            "name",
            "color",
            "kind",
            "is_default",
            "archived",
        ],
        ignored: &["company_id", "project_id", "created_at"],
        ..PLAIN
    },
    Audited {
        table: "profiles",
        object: "profile",
        id: "ROW.profile_id",
        shown: &["name", "settings", "is_default"],
        ignored: &["company_id", "profile_id", "created_at", "updated_at"],
        ..PLAIN
    },
    Audited {
        table: "employees",
        object: "employee",
        id: "ROW.employee_id",
        about: "ROW.employee_id",
        shown: &[
            "workspace_id",
            "name",
            "email",
            "work_mode",
            "project_id",
            "profile_id",
            "active",
        ],
        // A new serial shows as the license that has it.
        ignored: &[
            "company_id",
            "employee_id",
            "serial",
            "created_at",
            "updated_at",
        ],
        ..PLAIN
    },
    Audited {
        table: "acceptances",
        object: "acceptance",
        id: "ROW.record_id",
        about: "ROW.employee_id",
        shown: &["record_id", "reason"],
        // Who and when stand in the entry itself.
        ignored: &["company_id", "employee_id", "at_ms", "by_id", "by_name"],
        changes: false,
        ..PLAIN
    },
    Audited {
        table: "licenses",
        object: "license",
        id: "ROW.license_id",
        about: "ROW.employee_id",
        shown: &["employee_id", "serial"],
        // What it says follows from the profile, and the file is kept.
        ignored: &[
            "company_id",
            "license_id",
            "claims",
            "file",
            "issued_at",
            "superseded_at",
        ],
        changes: false,
        ..PLAIN
    },
    Audited {
        table: "devices",
        object: "device",
        id: "ROW.device_id",
        about: "ROW.employee_id",
        shown: &[
            "employee_id",
            "host_name",
            "os_user",
            "approved_at",
            "revoked_at",
        ],
        ignored: &[
            "company_id",
            "device_id",
            "public_key",
            "platform",
            "agent_version",
            "enrolled_at",
            "last_seen_at",
            "health",
            "health_at",
        ],
        ..PLAIN
    },
];

/// Tables that the log leaves out, each with its reason.
#[cfg(test)]
const LEFT_OUT: &[(&str, &str)] = &[
    ("_sqlx_migrations", "the schema's own"),
    ("audit", "the log itself"),
    ("audit_pending", "the log in the making"),
    ("views", "a log of its own"),
    ("purge_receipts", "a log of its own"),
    ("records", "from devices, each signed"),
    ("session_events", "follow from records"),
    ("sessions", "follow from records"),
    ("activity_minutes", "follow from records"),
    ("withdrawn_spans", "follow from records"),
    ("refusals", "a log of its own"),
    (
        "damaged_pictures",
        "found by the server itself, and shown by doctor",
    ),
    ("purges", "pictures on their way out"),
    ("recovery_codes", "come and go with the second factor"),
    ("log_in_steps", "half of a log-in"),
    ("web_sessions", "noted at log-in and log-out"),
    ("links", "worth something once; what they do shows"),
    ("own_day_passes", "show a person their own day, for an hour"),
    ("notices", "follow from what shows"),
    ("outbox", "follows from what shows"),
    (
        "idempotency",
        "what a script asked again; what it did shows",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::Db;

    #[tokio::test]
    async fn every_table_and_column_is_in_the_log_or_left_out_on_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(&folder.path().join("a.sqlite"), true)
            .await
            .unwrap();
        let Db::Sqlite { readers, .. } = &db else {
            unreachable!()
        };
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
        )
        .fetch_all(readers)
        .await
        .unwrap();
        let tables: BTreeSet<&String> = rows.iter().map(|(table, _)| table).collect();
        for table in tables {
            let left_out = LEFT_OUT.iter().any(|(name, _)| name == table);
            let audited = AUDITED.iter().find(|one| one.table == table);
            assert_ne!(
                left_out,
                audited.is_some(),
                "{table}: name it in AUDITED, or in LEFT_OUT with a reason"
            );
            let Some(audited) = audited else { continue };
            let columns: BTreeSet<&str> = rows
                .iter()
                .filter(|(of, _)| of == table)
                .map(|(_, column)| column.as_str())
                .collect();
            let lists = [audited.shown, audited.secret, audited.ignored];
            let named: Vec<&str> = lists.concat();
            let distinct: BTreeSet<&str> = named.iter().copied().collect();
            assert_eq!(named.len(), distinct.len(), "{table}: a column twice");
            assert_eq!(distinct, columns, "{table}: shown, secret or ignored?");
        }
        db.close().await;
    }
}
