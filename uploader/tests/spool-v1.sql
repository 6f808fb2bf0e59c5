-- A spool as version 1 wrote it: seven delivered, one refused, one waiting. Never edited.
PRAGMA journal_mode = WAL;
CREATE TABLE records (
    record_id      TEXT    PRIMARY KEY,
    license_id     TEXT    NOT NULL,
    seq            INTEGER NOT NULL,
    kind           TEXT    NOT NULL,
    captured_at_ms INTEGER NOT NULL,
    hold_until_ms  INTEGER NOT NULL,
    header         BLOB    NOT NULL,
    signature      TEXT    NOT NULL,
    content_type   TEXT    NOT NULL,
    seal           TEXT    NOT NULL DEFAULT 'none' CHECK (seal IN ('none')),
    payload        BLOB    NOT NULL,
    refusal_code    TEXT,
    refusal_message TEXT,
    UNIQUE (license_id, seq)
);
CREATE INDEX records_by_age ON records (captured_at_ms, seq) WHERE refusal_code IS NULL;
CREATE TABLE chains (
    license_id TEXT    PRIMARY KEY,
    last_seq   INTEGER NOT NULL,
    last_hash  TEXT    NOT NULL
);
CREATE TABLE counters (
    name  TEXT    PRIMARY KEY,
    value INTEGER NOT NULL
);
INSERT INTO records (record_id, license_id, seq, kind, captured_at_ms, hold_until_ms, header, signature,
                     content_type, payload, refusal_code, refusal_message)
VALUES ('0193b3a0-0000-7000-8000-000000000008', '00000000-0000-0000-0000-000000000003', 8, 'activity',
        1795424300000, 0, CAST('header eight' AS BLOB), 'signature', 'application/json',
        CAST('payload eight' AS BLOB), 'conflict', 'Another record has that id.'),
       ('0193b3a0-0000-7000-8000-000000000009', '00000000-0000-0000-0000-000000000003', 9, 'activity',
        1795424310000, 0, CAST('header nine' AS BLOB), 'signature', 'application/json',
        CAST('payload nine' AS BLOB), NULL, NULL);
INSERT INTO chains (license_id, last_seq, last_hash)
VALUES ('00000000-0000-0000-0000-000000000003', 9, 'hash of nine');
INSERT INTO counters (name, value) VALUES ('delivered', 7);
PRAGMA user_version = 1;
