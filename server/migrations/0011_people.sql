-- Why: a company has users with and without an account, seats and a plan; workspaces have members who
-- are invited, take part and leave. Until now there was one log-in, and everybody was the owner.

-- NULL: no plan, no limit, no trial. seats_by: who may change the number of seats.
ALTER TABLE companies ADD COLUMN plan TEXT;
ALTER TABLE companies ADD COLUMN seats BIGINT;
ALTER TABLE companies ADD COLUMN seats_by TEXT NOT NULL DEFAULT 'operator'
  CONSTRAINT companies_seats_by_known CHECK (seats_by IN ('operator', 'company'));
ALTER TABLE companies ADD COLUMN invitations_at_once BIGINT;
ALTER TABLE companies ADD COLUMN trial_ends_at BIGINT;

ALTER TABLE workspaces ADD COLUMN deleted_at BIGINT;

-- Users are made anew, as no database can loosen a constraint in both dialects. login is the "User ID"
-- of the form. A user without a password has not followed a link yet. Cookie sessions go: people log in
-- again.
CREATE TABLE users_kept AS
  SELECT company_id, user_id, email, name, password_hash, role, active, created_at FROM users;
DROP TABLE web_sessions;
DROP TABLE users;

CREATE TABLE users (
  company_id        TEXT   NOT NULL,
  user_id           TEXT   NOT NULL,
  login             TEXT   NOT NULL,
  email             TEXT   NOT NULL,
  first_name        TEXT   NOT NULL,
  last_name         TEXT   NOT NULL,
  password_hash     TEXT,
  role              TEXT   NOT NULL,
  status            TEXT   NOT NULL,
  validation_result TEXT   NOT NULL,
  created_at        BIGINT NOT NULL,
  updated_at        BIGINT NOT NULL,
  CONSTRAINT users_pk PRIMARY KEY (company_id, user_id),
  CONSTRAINT users_login_unique UNIQUE (login),
  CONSTRAINT users_email_unique UNIQUE (email),
  CONSTRAINT users_role_known CHECK (role IN ('owner', 'admin', 'none')),
  CONSTRAINT users_status_known CHECK (status IN ('not_yet_active', 'active', 'inactive')),
  CONSTRAINT users_company_fk FOREIGN KEY (company_id) REFERENCES companies (company_id)
);
INSERT INTO users (company_id, user_id, login, email, first_name, last_name, password_hash, role,
    status, validation_result, created_at, updated_at)
  SELECT company_id, user_id, email, email, name, '', password_hash,
    CASE WHEN role IN ('owner', 'admin') THEN role ELSE 'none' END,
    CASE WHEN active THEN 'active' ELSE 'inactive' END, 'OK', created_at, created_at
  FROM users_kept;
DROP TABLE users_kept;

-- at_company_id, at_workspace_id: the workspace that was chosen in the console.
CREATE TABLE web_sessions (
  company_id      TEXT   NOT NULL,
  token_hash      TEXT   NOT NULL,
  user_id         TEXT   NOT NULL,
  at_company_id   TEXT,
  at_workspace_id TEXT,
  created_at      BIGINT NOT NULL,
  last_used_at    BIGINT NOT NULL,
  expires_at      BIGINT NOT NULL,
  CONSTRAINT web_sessions_pk PRIMARY KEY (company_id, token_hash),
  CONSTRAINT web_sessions_user_fk FOREIGN KEY (company_id, user_id)
    REFERENCES users (company_id, user_id) ON DELETE CASCADE
);
CREATE INDEX web_sessions_by_token ON web_sessions (token_hash);
CREATE INDEX web_sessions_by_user ON web_sessions (company_id, user_id);

-- home_id, user_id: the account, which may be of another company; NULL while nobody has that address.
-- accepted_at: NULL while the invitation waits. tracking_stopped: the deactivation switched the linked
-- employee off, and reactivating switches them on again.
CREATE TABLE members (
  company_id       TEXT    NOT NULL,
  member_id        TEXT    NOT NULL,
  workspace_id     TEXT    NOT NULL,
  home_id          TEXT,
  user_id          TEXT,
  email            TEXT    NOT NULL,
  name             TEXT    NOT NULL,
  role             TEXT    NOT NULL,
  status           TEXT    NOT NULL,
  first_day        TEXT    NOT NULL,
  working_days     TEXT    NOT NULL,
  capacity_min     BIGINT  NOT NULL,
  rate_cents       BIGINT,
  employee_id      TEXT,
  tracking_stopped BOOLEAN NOT NULL,
  invited_by       TEXT,
  sent_at          BIGINT,
  expires_at       BIGINT,
  accepted_at      BIGINT,
  created_at       BIGINT  NOT NULL,
  updated_at       BIGINT  NOT NULL,
  CONSTRAINT members_pk PRIMARY KEY (company_id, member_id),
  CONSTRAINT members_email_unique UNIQUE (company_id, workspace_id, email),
  CONSTRAINT members_employee_unique UNIQUE (company_id, employee_id),
  CONSTRAINT members_role_known CHECK (role IN ('owner', 'admin', 'manager', 'employee')),
  CONSTRAINT members_status_known CHECK (status IN ('pending', 'active', 'inactive', 'deleted')),
  CONSTRAINT members_workspace_fk FOREIGN KEY (company_id, workspace_id)
    REFERENCES workspaces (company_id, workspace_id),
  CONSTRAINT members_employee_fk FOREIGN KEY (company_id, employee_id)
    REFERENCES employees (company_id, employee_id)
);
CREATE INDEX members_by_name ON members (company_id, name, member_id);
CREATE INDEX members_by_user ON members (home_id, user_id);
CREATE INDEX members_by_email ON members (email);

-- Each workspace has its owner: the one of the company.
INSERT INTO members (company_id, member_id, workspace_id, home_id, user_id, email, name, role, status,
    first_day, working_days, capacity_min, tracking_stopped, accepted_at, created_at, updated_at)
  SELECT w.company_id, w.workspace_id, w.workspace_id, u.company_id, u.user_id, u.email, u.first_name,
    'owner', 'active', 'mon', 'mon,tue,wed,thu,fri', 480, FALSE, w.created_at, w.created_at,
    w.created_at
  FROM workspaces w JOIN users u ON u.company_id = w.company_id AND u.user_id =
    (SELECT MIN(o.user_id) FROM users o WHERE o.company_id = w.company_id AND o.role = 'owner');

CREATE TABLE photos (
  company_id   TEXT  NOT NULL,
  member_id    TEXT  NOT NULL,
  content_type TEXT  NOT NULL,
  bytes        BYTEA NOT NULL,
  CONSTRAINT photos_pk PRIMARY KEY (company_id, member_id),
  CONSTRAINT photos_member_fk FOREIGN KEY (company_id, member_id)
    REFERENCES members (company_id, member_id)
);

CREATE TABLE leave_days (
  company_id TEXT   NOT NULL,
  member_id  TEXT   NOT NULL,
  day        TEXT   NOT NULL,
  kind       TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT leave_days_pk PRIMARY KEY (company_id, member_id, day),
  CONSTRAINT leave_days_kind_known CHECK (kind IN ('vacation', 'sick', 'other')),
  CONSTRAINT leave_days_member_fk FOREIGN KEY (company_id, member_id)
    REFERENCES members (company_id, member_id)
);

CREATE TABLE member_groups (
  company_id   TEXT   NOT NULL,
  group_id     TEXT   NOT NULL,
  workspace_id TEXT   NOT NULL,
  name         TEXT   NOT NULL,
  created_at   BIGINT NOT NULL,
  CONSTRAINT member_groups_pk PRIMARY KEY (company_id, group_id),
  CONSTRAINT member_groups_name_unique UNIQUE (company_id, workspace_id, name),
  CONSTRAINT member_groups_workspace_fk FOREIGN KEY (company_id, workspace_id)
    REFERENCES workspaces (company_id, workspace_id)
);
CREATE TABLE group_members (
  company_id TEXT NOT NULL,
  group_id   TEXT NOT NULL,
  member_id  TEXT NOT NULL,
  CONSTRAINT group_members_pk PRIMARY KEY (company_id, group_id, member_id),
  CONSTRAINT group_members_group_fk FOREIGN KEY (company_id, group_id)
    REFERENCES member_groups (company_id, group_id) ON DELETE CASCADE,
  CONSTRAINT group_members_member_fk FOREIGN KEY (company_id, member_id)
    REFERENCES members (company_id, member_id)
);

-- One-time links, of which only the hash is kept. subject_id: whom or what it is about: a user
-- (welcome), a member (invitation), an e-mail address (sign_up).
CREATE TABLE links (
  company_id TEXT   NOT NULL,
  token_hash TEXT   NOT NULL,
  purpose    TEXT   NOT NULL,
  subject_id TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  CONSTRAINT links_pk PRIMARY KEY (company_id, token_hash),
  CONSTRAINT links_purpose_known CHECK (purpose IN ('welcome', 'invitation', 'sign_up'))
);
CREATE INDEX links_by_token ON links (token_hash);
CREATE INDEX links_by_subject ON links (company_id, purpose, subject_id);

-- What a person is told in the console: the bell. company_id: the person's home.
CREATE TABLE notices (
  company_id TEXT   NOT NULL,
  notice_id  TEXT   NOT NULL,
  user_id    TEXT   NOT NULL,
  kind       TEXT   NOT NULL,
  params     TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  read_at    BIGINT,
  CONSTRAINT notices_pk PRIMARY KEY (company_id, notice_id),
  CONSTRAINT notices_user_fk FOREIGN KEY (company_id, user_id)
    REFERENCES users (company_id, user_id) ON DELETE CASCADE
);
CREATE INDEX notices_by_user ON notices (company_id, user_id, created_at, notice_id);

-- Mail to be sent. link is the one-time link in clear, for as long as the mail waits; it is emptied
-- when the mail was sent or replaced.
CREATE TABLE outbox (
  company_id TEXT   NOT NULL,
  mail_id    TEXT   NOT NULL,
  to_address TEXT   NOT NULL,
  template   TEXT   NOT NULL,
  subject_id TEXT   NOT NULL,
  params     TEXT   NOT NULL,
  link       TEXT,
  state      TEXT   NOT NULL,
  attempts   BIGINT NOT NULL,
  next_at    BIGINT NOT NULL,
  error      TEXT,
  created_at BIGINT NOT NULL,
  sent_at    BIGINT,
  CONSTRAINT outbox_pk PRIMARY KEY (company_id, mail_id),
  CONSTRAINT outbox_state_known CHECK (state IN ('queued', 'sent', 'failed', 'replaced'))
);
CREATE INDEX outbox_by_turn ON outbox (state, next_at, mail_id);
CREATE INDEX outbox_by_subject ON outbox (company_id, subject_id, created_at);
