-- Each configuration and policy that was in force, by hash: for the difference to the next, and for deciding again what was decided.
CREATE TABLE loaded_version (
  relay text NOT NULL,
  kind text NOT NULL,
  hash text NOT NULL,
  body jsonb NOT NULL,
  -- The last time it came into force, epoch milliseconds.
  loaded_at bigint NOT NULL,
  PRIMARY KEY (relay, kind, hash)
);
