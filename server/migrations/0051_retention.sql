-- Why: what is kept about people has an end: for each kind of record in days (NULL: no end), and for a
-- person at once when they are erased.
ALTER TABLE companies ADD COLUMN keep_screenshot BIGINT;
ALTER TABLE companies ADD COLUMN keep_camera BIGINT;
ALTER TABLE companies ADD COLUMN keep_activity BIGINT;
ALTER TABLE companies ADD COLUMN keep_session BIGINT;

-- Pictures that no record names any more, as far as was known when they were written down here. Each is
-- looked at once more before it goes.
CREATE TABLE purges (
  company_id TEXT   NOT NULL,
  sha256     TEXT   NOT NULL,
  queued_at  BIGINT NOT NULL,
  CONSTRAINT purges_pk PRIMARY KEY (company_id, sha256)
);

-- Whether a picture is named is asked before it goes: the same picture can be of several records.
CREATE INDEX records_by_picture ON records (company_id, payload_sha256)
  WHERE kind IN ('screenshot', 'camera');
