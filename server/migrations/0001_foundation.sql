-- Why: the first schema. One company's people, licenses, devices, records and the roll-ups that
-- reports read.
--
-- One text for SQLite and PostgreSQL: BIGINT for UTC milliseconds and counts, TEXT for ids and
-- JSON, BYTEA for bytes (SQLite keeps a blob as it is under any column type), CHECK for enums, no
-- triggers, no functions. Every table that grows begins its primary key with company_id, so that a
-- distributed database can spread it.

CREATE TABLE companies (
  company_id      TEXT    NOT NULL,
  name            TEXT    NOT NULL,
  privacy_contact TEXT,
  signing_key     BYTEA   NOT NULL,
  created_at      BIGINT  NOT NULL,
  CONSTRAINT companies_pk PRIMARY KEY (company_id)
);

CREATE TABLE workspaces (
  company_id   TEXT   NOT NULL,
  workspace_id TEXT   NOT NULL,
  name         TEXT   NOT NULL,
  created_at   BIGINT NOT NULL,
  CONSTRAINT workspaces_pk PRIMARY KEY (company_id, workspace_id),
  CONSTRAINT workspaces_company_fk FOREIGN KEY (company_id) REFERENCES companies (company_id)
);

CREATE TABLE users (
  company_id    TEXT    NOT NULL,
  user_id       TEXT    NOT NULL,
  email         TEXT    NOT NULL,
  name          TEXT    NOT NULL,
  password_hash TEXT    NOT NULL,
  role          TEXT    NOT NULL,
  active        BOOLEAN NOT NULL,
  created_at    BIGINT  NOT NULL,
  CONSTRAINT users_pk PRIMARY KEY (company_id, user_id),
  CONSTRAINT users_email_unique UNIQUE (email),
  CONSTRAINT users_role_known CHECK (role IN ('owner', 'admin', 'manager', 'employee')),
  CONSTRAINT users_company_fk FOREIGN KEY (company_id) REFERENCES companies (company_id)
);

-- token_hash is SHA-256 of the cookie: the database alone lets nobody in.
CREATE TABLE web_sessions (
  company_id   TEXT   NOT NULL,
  token_hash   TEXT   NOT NULL,
  user_id      TEXT   NOT NULL,
  created_at   BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  CONSTRAINT web_sessions_pk PRIMARY KEY (company_id, token_hash),
  CONSTRAINT web_sessions_user_fk FOREIGN KEY (company_id, user_id)
    REFERENCES users (company_id, user_id) ON DELETE CASCADE
);

CREATE TABLE api_tokens (
  company_id TEXT   NOT NULL,
  token_hash TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT,
  CONSTRAINT api_tokens_pk PRIMARY KEY (company_id, token_hash)
);

CREATE TABLE projects (
  company_id   TEXT    NOT NULL,
  project_id   TEXT    NOT NULL,
  workspace_id TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  color        TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  is_default   BOOLEAN NOT NULL,
  created_at   BIGINT  NOT NULL,
  CONSTRAINT projects_pk PRIMARY KEY (company_id, project_id),
  CONSTRAINT projects_name_unique UNIQUE (company_id, workspace_id, name),
  CONSTRAINT projects_kind_known CHECK (kind IN ('project', 'department')),
  CONSTRAINT projects_workspace_fk FOREIGN KEY (company_id, workspace_id)
    REFERENCES workspaces (company_id, workspace_id)
);

CREATE TABLE profiles (
  company_id TEXT    NOT NULL,
  profile_id TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  settings   TEXT    NOT NULL,
  is_default BOOLEAN NOT NULL,
  created_at BIGINT  NOT NULL,
  updated_at BIGINT  NOT NULL,
  CONSTRAINT profiles_pk PRIMARY KEY (company_id, profile_id),
  CONSTRAINT profiles_name_unique UNIQUE (company_id, name),
  CONSTRAINT profiles_company_fk FOREIGN KEY (company_id) REFERENCES companies (company_id)
);

-- serial: of the last license issued, 0 where there was none yet.
CREATE TABLE employees (
  company_id   TEXT    NOT NULL,
  employee_id  TEXT    NOT NULL,
  workspace_id TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  email        TEXT,
  work_mode    TEXT    NOT NULL,
  project_id   TEXT    NOT NULL,
  profile_id   TEXT    NOT NULL,
  active       BOOLEAN NOT NULL,
  serial       BIGINT  NOT NULL,
  created_at   BIGINT  NOT NULL,
  updated_at   BIGINT  NOT NULL,
  CONSTRAINT employees_pk PRIMARY KEY (company_id, employee_id),
  CONSTRAINT employees_mode_known CHECK (work_mode IN ('worklog', 'monitoring')),
  CONSTRAINT employees_project_fk FOREIGN KEY (company_id, project_id)
    REFERENCES projects (company_id, project_id),
  CONSTRAINT employees_profile_fk FOREIGN KEY (company_id, profile_id)
    REFERENCES profiles (company_id, profile_id)
);
CREATE INDEX employees_by_name ON employees (company_id, name, employee_id);
CREATE INDEX employees_by_profile ON employees (company_id, profile_id, employee_id);

CREATE TABLE licenses (
  company_id    TEXT   NOT NULL,
  employee_id   TEXT   NOT NULL,
  serial        BIGINT NOT NULL,
  license_id    TEXT   NOT NULL,
  claims        TEXT   NOT NULL,
  file          BYTEA  NOT NULL,
  issued_at     BIGINT NOT NULL,
  superseded_at BIGINT,
  CONSTRAINT licenses_pk PRIMARY KEY (company_id, employee_id, serial),
  CONSTRAINT licenses_id_unique UNIQUE (company_id, license_id),
  CONSTRAINT licenses_serial_counts CHECK (serial >= 1),
  CONSTRAINT licenses_employee_fk FOREIGN KEY (company_id, employee_id)
    REFERENCES employees (company_id, employee_id)
);

CREATE TABLE devices (
  company_id    TEXT   NOT NULL,
  device_id     TEXT   NOT NULL,
  employee_id   TEXT   NOT NULL,
  public_key    TEXT   NOT NULL,
  host_name     TEXT   NOT NULL,
  os_user       TEXT   NOT NULL,
  platform      TEXT   NOT NULL,
  agent_version TEXT   NOT NULL,
  enrolled_at   BIGINT NOT NULL,
  last_seen_at  BIGINT NOT NULL,
  revoked_at    BIGINT,
  health        TEXT,
  health_at     BIGINT,
  CONSTRAINT devices_pk PRIMARY KEY (company_id, device_id),
  CONSTRAINT devices_employee_fk FOREIGN KEY (company_id, employee_id)
    REFERENCES employees (company_id, employee_id)
);
CREATE INDEX devices_by_employee ON devices (company_id, employee_id, device_id);

-- header and signature are kept byte for byte as received, for anyone who checks an export.
-- payload holds what is JSON; pictures lie in the object store under their SHA-256.
CREATE TABLE records (
  company_id     TEXT   NOT NULL,
  record_id      TEXT   NOT NULL,
  device_id      TEXT   NOT NULL,
  license_id     TEXT   NOT NULL,
  employee_id    TEXT   NOT NULL,
  seq            BIGINT NOT NULL,
  prev           TEXT,
  kind           TEXT   NOT NULL,
  captured_at    BIGINT NOT NULL,
  utc_offset_min BIGINT NOT NULL,
  mono_ms        BIGINT NOT NULL,
  boot_id        TEXT   NOT NULL,
  session_id     TEXT,
  project_id     TEXT,
  monitor        TEXT,
  content_type   TEXT   NOT NULL,
  payload_len    BIGINT NOT NULL,
  payload_sha256 TEXT   NOT NULL,
  payload        BYTEA,
  header         BYTEA  NOT NULL,
  header_sha256  TEXT   NOT NULL,
  signature      TEXT   NOT NULL,
  grade          TEXT   NOT NULL,
  received_at    BIGINT NOT NULL,
  CONSTRAINT records_pk PRIMARY KEY (company_id, record_id),
  CONSTRAINT records_kind_known CHECK
    (kind IN ('screenshot', 'camera', 'activity', 'session', 'health', 'notice')),
  CONSTRAINT records_grade_known CHECK
    (grade IN ('verified', 'late', 'gap-before', 'clock-suspect')),
  CONSTRAINT records_device_fk FOREIGN KEY (company_id, device_id)
    REFERENCES devices (company_id, device_id)
);
CREATE INDEX records_by_time ON records (company_id, captured_at, record_id);
CREATE INDEX records_by_employee ON records (company_id, employee_id, kind, captured_at, record_id);
CREATE INDEX records_by_chain ON records (company_id, device_id, license_id, seq);
CREATE INDEX records_by_monitor ON records (company_id, device_id, monitor, captured_at);

CREATE TABLE session_events (
  company_id TEXT   NOT NULL,
  device_id  TEXT   NOT NULL,
  session_id TEXT   NOT NULL,
  record_id  TEXT   NOT NULL,
  seq        BIGINT NOT NULL,
  at_ms      BIGINT NOT NULL,
  event      TEXT   NOT NULL,
  CONSTRAINT session_events_pk PRIMARY KEY (company_id, device_id, session_id, record_id)
);

-- Roll-up: recomputed from session_events whenever a record of the session is stored. end_at: the
-- stop, or the last record where none is known; what ranges are looked up by.
CREATE TABLE sessions (
  company_id      TEXT   NOT NULL,
  device_id       TEXT   NOT NULL,
  session_id      TEXT   NOT NULL,
  employee_id     TEXT   NOT NULL,
  project_id      TEXT,
  started_at      BIGINT NOT NULL,
  ended_at        BIGINT,
  first_record_at BIGINT NOT NULL,
  last_record_at  BIGINT NOT NULL,
  end_at          BIGINT NOT NULL,
  tracked_ms      BIGINT NOT NULL,
  idle_ms         BIGINT NOT NULL,
  cause           TEXT,
  note            TEXT,
  stretches       TEXT   NOT NULL,
  CONSTRAINT sessions_pk PRIMARY KEY (company_id, device_id, session_id),
  CONSTRAINT sessions_not_negative CHECK (tracked_ms >= 0 AND idle_ms >= 0)
);
CREATE INDEX sessions_by_employee ON sessions (company_id, employee_id, end_at, session_id);
CREATE INDEX sessions_by_time ON sessions (company_id, end_at, session_id);

-- Roll-up: one row for each activity record. Input is counted, never read.
CREATE TABLE activity_minutes (
  company_id   TEXT    NOT NULL,
  employee_id  TEXT    NOT NULL,
  from_ms      BIGINT  NOT NULL,
  record_id    TEXT    NOT NULL,
  device_id    TEXT    NOT NULL,
  session_id   TEXT,
  project_id   TEXT,
  to_ms        BIGINT  NOT NULL,
  keys         BIGINT  NOT NULL,
  clicks       BIGINT  NOT NULL,
  scrolls      BIGINT  NOT NULL,
  motions      BIGINT  NOT NULL,
  exact        BOOLEAN NOT NULL,
  idle_ms      BIGINT,
  applications TEXT    NOT NULL,
  CONSTRAINT activity_minutes_pk PRIMARY KEY (company_id, employee_id, from_ms, record_id)
);
CREATE INDEX activity_minutes_by_time ON activity_minutes (company_id, from_ms, employee_id);
