-- Why: a record whose chain does not verify stands apart, and the time up to it counts only once a manager
-- has accepted it, with a reason that the employee reads (rule 22).

CREATE TABLE acceptances (
  company_id  TEXT   NOT NULL,
  record_id   TEXT   NOT NULL,
  employee_id TEXT   NOT NULL,
  at_ms       BIGINT NOT NULL,
  by_id       TEXT   NOT NULL,
  by_name     TEXT   NOT NULL,
  reason      TEXT   NOT NULL,
  CONSTRAINT acceptances_pk PRIMARY KEY (company_id, record_id)
);
CREATE INDEX acceptances_by_employee ON acceptances (company_id, employee_id);
