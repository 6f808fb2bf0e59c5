-- Why: an employee, who has no account here, opens their own day: the agent asks for a link with its
-- device's key, the browser exchanges it once for an hour of that one person's pages. Of either only the
-- hash is kept.

CREATE TABLE own_day_passes (
    company_id  TEXT   NOT NULL REFERENCES companies (company_id),
    token_hash  TEXT   NOT NULL,
    kind        TEXT   NOT NULL CONSTRAINT own_day_passes_kind CHECK (kind IN ('link', 'session')),
    employee_id TEXT   NOT NULL,
    device_id   TEXT   NOT NULL,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (company_id, token_hash),
    FOREIGN KEY (company_id, employee_id) REFERENCES employees (company_id, employee_id)
);
CREATE INDEX own_day_passes_by_token ON own_day_passes (token_hash);
