-- Why: the team page and the page of a day ask for the few records that cannot be trusted as they
-- stand, among very many that can.

CREATE INDEX records_in_doubt ON records (company_id, captured_at, record_id)
  WHERE grade IN ('gap-before', 'clock-suspect');
