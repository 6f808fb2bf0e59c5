-- Why: who did what, to whom, from where, and when; and who looked at whose captures.
--
-- audit_pending: what the running transaction has changed. Triggers write it, which the server makes from
-- one list for either database (src/store/audit/tables.rs); a commit turns it into rows of audit. Nobody
-- else ever sees a row of it.
CREATE TABLE audit_pending (
  n           BIGINT NOT NULL,
  company_id  TEXT   NOT NULL,
  action      TEXT   NOT NULL,
  object      TEXT   NOT NULL,
  object_id   TEXT   NOT NULL,
  about_id    TEXT,
  before_json TEXT,
  after_json  TEXT
);
CREATE INDEX audit_pending_by_n ON audit_pending (n);

-- Append-only: triggers refuse DELETE, and UPDATE but for an erasure that names its receipt.
-- about_id: the employee, member or user that the object belongs to. before_json, after_json: what differs.
CREATE TABLE audit (
  company_id   TEXT   NOT NULL,
  entry_id     TEXT   NOT NULL,
  at_ms        BIGINT NOT NULL,
  actor_kind   TEXT   NOT NULL,
  actor_id     TEXT,
  actor_name   TEXT,
  address      TEXT,
  action       TEXT   NOT NULL,
  object       TEXT   NOT NULL,
  object_id    TEXT   NOT NULL,
  object_name  TEXT,
  about_id     TEXT,
  workspace_id TEXT,
  before_json  TEXT,
  after_json   TEXT,
  reason       TEXT,
  erased_by    TEXT,
  CONSTRAINT audit_pk PRIMARY KEY (company_id, entry_id),
  CONSTRAINT audit_actor_known CHECK
    (actor_kind IN ('person', 'token', 'device', 'guest', 'operator', 'server'))
);
CREATE INDEX audit_by_time ON audit (company_id, at_ms, entry_id);
CREATE INDEX audit_by_object ON audit (company_id, object_id, at_ms);
CREATE INDEX audit_by_about ON audit (company_id, about_id, at_ms);
CREATE INDEX audit_by_actor ON audit (company_id, actor_id, at_ms);

-- One row for everything that one viewer looked at of one person, in one way, within a quarter of an hour.
-- from_ms, to_ms: when what was looked at was captured.
CREATE TABLE views (
  company_id  TEXT   NOT NULL,
  view_id     TEXT   NOT NULL,
  employee_id TEXT   NOT NULL,
  viewer_kind TEXT   NOT NULL,
  viewer_id   TEXT   NOT NULL,
  viewer_name TEXT   NOT NULL,
  what        TEXT   NOT NULL,
  reason      TEXT   NOT NULL,
  quarter_ms  BIGINT NOT NULL,
  first_at    BIGINT NOT NULL,
  last_at     BIGINT NOT NULL,
  from_ms     BIGINT NOT NULL,
  to_ms       BIGINT NOT NULL,
  times       BIGINT NOT NULL,
  CONSTRAINT views_pk PRIMARY KEY (company_id, view_id),
  CONSTRAINT views_once UNIQUE
    (company_id, employee_id, viewer_id, what, reason, quarter_ms),
  CONSTRAINT views_what_known CHECK
    (what IN ('day', 'pictures', 'records', 'sessions', 'export'))
);
CREATE INDEX views_by_time ON views (company_id, employee_id, last_at, view_id);

-- What was deleted for good, on what ground, and how much; nothing of what it was. receipt_id is the
-- pseudonym under which the audit log goes on naming a person who was erased.
CREATE TABLE purge_receipts (
  company_id TEXT   NOT NULL,
  receipt_id TEXT   NOT NULL,
  at_ms      BIGINT NOT NULL,
  kind       TEXT   NOT NULL,
  counts     TEXT   NOT NULL,
  reason     TEXT,
  CONSTRAINT purge_receipts_pk PRIMARY KEY (company_id, receipt_id),
  CONSTRAINT purge_receipts_kind_known CHECK (kind IN ('erasure', 'retention'))
);
CREATE INDEX purge_receipts_by_time ON purge_receipts (company_id, at_ms, receipt_id);
