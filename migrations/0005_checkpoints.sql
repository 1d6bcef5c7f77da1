-- The key that signs the checkpoints of a log, encrypted with the data key, and the text by which others verify them.
CREATE TABLE checkpoint_key (
  log_id text PRIMARY KEY,
  sealed text NOT NULL,
  verifier text NOT NULL
);

-- What each log was at some moments, signed. Never deleted: each is a promise that the log only grew.
CREATE TABLE checkpoint (
  log_id text NOT NULL,
  size bigint NOT NULL,
  -- Epoch milliseconds.
  at bigint NOT NULL,
  note text NOT NULL,
  PRIMARY KEY (log_id, size)
);
