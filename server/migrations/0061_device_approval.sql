-- Why: a company may want to look at each new computer before anything is taken from it. A device waits
-- until somebody approves it; those that are known already are approved.

ALTER TABLE companies ADD COLUMN approve_devices BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE devices ADD COLUMN approved_at BIGINT;
UPDATE devices SET approved_at = enrolled_at;
