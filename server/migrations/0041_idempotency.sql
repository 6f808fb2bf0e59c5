-- Why: a script whose connection broke asks again, and must not make a thing twice. The answer to the first
-- request is kept for a day, sealed with the key that the script sent, of which only a hash is here: an answer may
-- hold a link or a token, and the database alone must not let anybody in.
--
-- status: NULL while the first request runs.

CREATE TABLE idempotency (
  company_id   TEXT   NOT NULL,
  key_hash     TEXT   NOT NULL,
  request_hash TEXT   NOT NULL,
  status       BIGINT,
  answer       BYTEA,
  created_at   BIGINT NOT NULL,
  CONSTRAINT idempotency_pk PRIMARY KEY (company_id, key_hash)
);
CREATE INDEX idempotency_by_time ON idempotency (company_id, created_at);
