-- Why: the mail that waits is sent now. Nothing is sent twice: handed_at is set before the text of a mail
-- goes to the mail server, and a mail that has it is never sent by itself again, whatever happened then.

ALTER TABLE outbox ADD COLUMN handed_at BIGINT;

-- What waited while no mail was sent was shown to be copied. It is not sent late, when nobody expects it.
UPDATE outbox SET next_at = 9223372036854775807 WHERE state = 'queued';

CREATE INDEX outbox_by_time ON outbox (company_id, created_at, mail_id);
