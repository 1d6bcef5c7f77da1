-- What relays tell each other. `seq` is given under a lock that is held until commit, so rows appear in its order.
CREATE TABLE change (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  body jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);

-- The head of each log. Room on the page keeps its many updates in place (HOT).
CREATE TABLE audit_log (
  number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  log_id text NOT NULL UNIQUE,
  size bigint NOT NULL,
  root bytea NOT NULL,
  -- Roots of the perfect subtrees of the first `size` leaves, largest first, 32 bytes each.
  frontier bytea NOT NULL,
  -- Raised by each writer that takes the log over; a writer of an older epoch cannot move the head.
  epoch bigint NOT NULL,
  -- Token of the process that writes now.
  writer uuid NOT NULL
) WITH (fillfactor = 20);

-- Two rows per request: every column and index here is paid for on the way to the first byte.
CREATE TABLE audit_record (
  log integer NOT NULL,
  index bigint NOT NULL,
  -- The record's id (UUIDv7); of an outcome, the id of its intent. So one index, filled at its right end, serves
  -- newest-first search, look-up by reference id, and the outcome of an intent.
  ref uuid NOT NULL,
  -- Canonical JSON, and its RFC 6962 leaf hash, by which a verifier can say which record was changed.
  leaf text NOT NULL,
  leaf_hash bytea NOT NULL,
  -- Erasable together; the leaf holds SHA-256(salt ‖ personal).
  salt bytea,
  personal text,
  PRIMARY KEY (log, index)
);
CREATE INDEX audit_record_ref ON audit_record (ref);

-- What decisions relied on, by hash: SHA-256(salt ‖ body). Erasable like a personal block.
CREATE TABLE audit_fact (
  hash bytea PRIMARY KEY,
  salt bytea,
  body text,
  at timestamptz NOT NULL DEFAULT now()
);
