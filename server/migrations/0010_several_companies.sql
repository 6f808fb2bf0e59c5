-- Why: a server holds several companies, and which one is meant follows from who asks. Cookies and API
-- tokens are looked up by their hash before the company is known.

CREATE INDEX web_sessions_by_token ON web_sessions (token_hash);
CREATE INDEX api_tokens_by_token ON api_tokens (token_hash);
