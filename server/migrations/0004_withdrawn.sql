-- Why: a record may come without its payload, and the device signs for that: the employee deleted the
-- capture before it was sent, or a newer license did not permit it, or it could not be read any more.
-- It keeps its place in the chain. What the employee withdrew is taken off the tracked time of its
-- session and shown apart.

ALTER TABLE records ADD COLUMN withdrawn TEXT
  CONSTRAINT records_withdrawn_known CHECK (withdrawn IN ('employee', 'superseded', 'damaged'));
ALTER TABLE records ADD COLUMN withdrawn_at BIGINT;
-- As the device signed it; NULL for a deletion at this server.
ALTER TABLE records ADD COLUMN withdrawal TEXT;

ALTER TABLE sessions ADD COLUMN withdrawn_ms BIGINT NOT NULL DEFAULT 0
  CONSTRAINT sessions_withdrawn_not_negative CHECK (withdrawn_ms >= 0);

-- The time that each capture stood for which the employee deleted.
CREATE TABLE withdrawn_spans (
  company_id TEXT   NOT NULL,
  device_id  TEXT   NOT NULL,
  session_id TEXT   NOT NULL,
  record_id  TEXT   NOT NULL,
  from_ms    BIGINT NOT NULL,
  to_ms      BIGINT NOT NULL,
  CONSTRAINT withdrawn_spans_pk PRIMARY KEY (company_id, device_id, session_id, record_id)
);
