-- Why: API tokens that may do less than everything and end by themselves; links that set a forgotten
-- password; a second factor at log-in.

-- scopes: words with commas between them. What stood before may do what it could: everything.
ALTER TABLE api_tokens ADD COLUMN token_id TEXT NOT NULL DEFAULT '';
ALTER TABLE api_tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT 'read,captures,write,people';
ALTER TABLE api_tokens ADD COLUMN made_by TEXT;
ALTER TABLE api_tokens ADD COLUMN expires_at BIGINT;
ALTER TABLE api_tokens ADD COLUMN last_used_at BIGINT;
UPDATE api_tokens SET token_id = SUBSTR(token_hash, 1, 32);
CREATE UNIQUE INDEX api_tokens_by_id ON api_tokens (company_id, token_id);

-- Links are made anew, as no database can loosen a constraint in both dialects.
CREATE TABLE links_kept AS
  SELECT company_id, token_hash, purpose, subject_id, created_at, expires_at FROM links;
DROP TABLE links;
CREATE TABLE links (
  company_id TEXT   NOT NULL,
  token_hash TEXT   NOT NULL,
  purpose    TEXT   NOT NULL,
  subject_id TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  CONSTRAINT links_pk PRIMARY KEY (company_id, token_hash),
  CONSTRAINT links_purpose_known CHECK (purpose IN ('welcome', 'invitation', 'sign_up', 'reset'))
);
INSERT INTO links (company_id, token_hash, purpose, subject_id, created_at, expires_at)
  SELECT company_id, token_hash, purpose, subject_id, created_at, expires_at FROM links_kept;
DROP TABLE links_kept;
CREATE INDEX links_by_token ON links (token_hash);
CREATE INDEX links_by_subject ON links (company_id, purpose, subject_id);

-- A secret that is not confirmed yet asks for nothing at log-in. last_step: the time step of the last code
-- that was taken, as none is taken twice.
CREATE TABLE second_factors (
  company_id   TEXT   NOT NULL,
  user_id      TEXT   NOT NULL,
  secret       BYTEA  NOT NULL,
  confirmed_at BIGINT,
  last_step    BIGINT NOT NULL,
  CONSTRAINT second_factors_pk PRIMARY KEY (company_id, user_id),
  CONSTRAINT second_factors_user_fk FOREIGN KEY (company_id, user_id)
    REFERENCES users (company_id, user_id) ON DELETE CASCADE
);
CREATE TABLE recovery_codes (
  company_id TEXT NOT NULL,
  user_id    TEXT NOT NULL,
  code_hash  TEXT NOT NULL,
  CONSTRAINT recovery_codes_pk PRIMARY KEY (company_id, user_id, code_hash),
  CONSTRAINT recovery_codes_user_fk FOREIGN KEY (company_id, user_id)
    REFERENCES users (company_id, user_id) ON DELETE CASCADE
);

-- Between the password and the second factor: a cookie that opens nothing but the next question.
CREATE TABLE log_in_steps (
  company_id TEXT   NOT NULL,
  token_hash TEXT   NOT NULL,
  user_id    TEXT   NOT NULL,
  expires_at BIGINT NOT NULL,
  CONSTRAINT log_in_steps_pk PRIMARY KEY (company_id, token_hash),
  CONSTRAINT log_in_steps_user_fk FOREIGN KEY (company_id, user_id)
    REFERENCES users (company_id, user_id) ON DELETE CASCADE
);
CREATE INDEX log_in_steps_by_token ON log_in_steps (token_hash);
ALTER TABLE companies ADD COLUMN require_second_factor BOOLEAN NOT NULL DEFAULT FALSE;
