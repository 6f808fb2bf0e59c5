-- Why: people log in by their organisation's own provider (OpenID Connect). Which account of there is which
-- user of here is settled once, by an address that the provider has verified, and holds from then on.
CREATE TABLE sign_ons (
  company_id TEXT   NOT NULL,
  user_id    TEXT   NOT NULL,
  issuer     TEXT   NOT NULL,
  subject    TEXT   NOT NULL,
  linked_at  BIGINT NOT NULL,
  CONSTRAINT sign_ons_pk PRIMARY KEY (company_id, user_id, issuer),
  CONSTRAINT sign_ons_subject_unique UNIQUE (issuer, subject),
  CONSTRAINT sign_ons_user_fk FOREIGN KEY (company_id, user_id)
    REFERENCES users (company_id, user_id) ON DELETE CASCADE
);
