-- Why: pictures on disk that no row names are looked for, and every picture is compared with its hash
-- again and again: both ask for rows by hash.
CREATE INDEX records_by_payload ON records (company_id, payload_sha256);

-- Pictures that were found not to be what was stored (what = 'damaged') or not to be there ('missing').
CREATE TABLE damaged_pictures (
  company_id     TEXT   NOT NULL,
  payload_sha256 TEXT   NOT NULL,
  what           TEXT   NOT NULL,
  found_at       BIGINT NOT NULL,
  CONSTRAINT damaged_pictures_pk PRIMARY KEY (company_id, payload_sha256),
  CONSTRAINT damaged_pictures_what_known CHECK (what IN ('damaged', 'missing')),
  CONSTRAINT damaged_pictures_company_fk FOREIGN KEY (company_id) REFERENCES companies (company_id)
);
