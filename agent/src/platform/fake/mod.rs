//! A desktop that exists in memory only, for tests.
