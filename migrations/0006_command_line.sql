-- Command lines on machines without a browser, which wait until a person elsewhere agrees (RFC 8628). At most some wait.
CREATE TABLE device_code (
  -- SHA-256 of what the command line holds.
  hash bytea PRIMARY KEY,
  -- Keyed hash of what the person types: it is short.
  user_code bytea NOT NULL UNIQUE,
  machine text NOT NULL,
  address text NOT NULL,
  -- What one client can change at will counts as one: an IPv6 /64.
  network text NOT NULL,
  asked_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  interval_ms integer NOT NULL,
  polled_at bigint,
  refused_at bigint,
  -- Of the person who agreed.
  session uuid REFERENCES session (id) ON DELETE CASCADE
);
CREATE INDEX device_code_network ON device_code (network);
CREATE INDEX device_code_expires ON device_code (expires_at);
CREATE INDEX device_code_session ON device_code (session);

-- The token through which this one was issued: it does not outlive it.
ALTER TABLE session_credential ADD COLUMN parent bytea REFERENCES session_credential (hash) ON DELETE CASCADE;
CREATE INDEX session_credential_parent ON session_credential (parent);
