-- Why: a project that is over is no longer offered for new time, and its time stays in every report.

ALTER TABLE projects ADD COLUMN archived BOOLEAN NOT NULL DEFAULT FALSE;
