-- Why: a company changes its signing key now and then. The key that goes announces the one that comes, and
-- agents follow by that; so keys have a history. The secret of a key that went is not kept: nothing is
-- ever signed with it again.

CREATE TABLE signing_keys (
  company_id   TEXT   NOT NULL,
  generation   BIGINT NOT NULL,
  secret       BYTEA,
  created_at   BIGINT NOT NULL,
  retired_at   BIGINT,
  announcement TEXT,
  CONSTRAINT signing_keys_pk PRIMARY KEY (company_id, generation),
  CONSTRAINT signing_keys_current_or_retired CHECK
    ((retired_at IS NULL AND announcement IS NULL AND secret IS NOT NULL)
     OR (retired_at IS NOT NULL AND announcement IS NOT NULL AND secret IS NULL)),
  CONSTRAINT signing_keys_company_fk FOREIGN KEY (company_id) REFERENCES companies (company_id)
);
CREATE UNIQUE INDEX signing_keys_one_current ON signing_keys (company_id) WHERE retired_at IS NULL;

INSERT INTO signing_keys (company_id, generation, secret, created_at)
  SELECT company_id, 1, signing_key, created_at FROM companies;

ALTER TABLE companies DROP COLUMN signing_key;
