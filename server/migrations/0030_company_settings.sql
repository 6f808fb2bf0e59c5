-- Why: a company sets once what else would be asked for again and again: its time zone, the language of
-- readers whose own is not known, and words of its own for the notice.

ALTER TABLE companies ADD COLUMN time_zone TEXT;
ALTER TABLE companies ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
ALTER TABLE companies ADD COLUMN notice TEXT;
