-- People and their sessions, agents and their keys. Times are epoch milliseconds: they are compared with the relay's clock.

CREATE TABLE principal (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  issuer text NOT NULL,
  subject text NOT NULL,
  -- As the provider last said, and only if verified; lower case.
  email text,
  name text,
  groups jsonb NOT NULL,
  -- Grows with each change of what a decision may use.
  epoch integer NOT NULL,
  first_sign_in_at bigint NOT NULL,
  last_sign_in_at bigint NOT NULL,
  UNIQUE (issuer, subject)
);

-- The first verified holder of an e-mail keeps it: rules and roles name people by it.
CREATE TABLE bound_email (
  email text PRIMARY KEY,
  principal uuid NOT NULL REFERENCES principal (id) ON DELETE CASCADE,
  bound_at bigint NOT NULL
);

CREATE TABLE session (
  id uuid PRIMARY KEY,
  principal uuid NOT NULL REFERENCES principal (id) ON DELETE CASCADE,
  -- One browser's sign-ins end together.
  browser text NOT NULL,
  facts_hash text NOT NULL,
  -- The principal's epoch when the facts were recorded.
  facts_epoch integer NOT NULL,
  signed_in_at bigint NOT NULL,
  amr jsonb NOT NULL,
  expires_at bigint NOT NULL,
  last_seen_at bigint NOT NULL,
  -- The ID token, encrypted: some providers want it back at sign-out.
  logout_hint text,
  ended_at bigint,
  end_reason text
);
CREATE INDEX session_principal ON session (principal) WHERE ended_at IS NULL;
CREATE INDEX session_browser ON session (browser) WHERE ended_at IS NULL;
CREATE INDEX session_expires ON session (expires_at) WHERE ended_at IS NULL;

-- What opens a session: a cookie of one host, or a token for one audience. Only the hash is here.
CREATE TABLE session_credential (
  hash bytea PRIMARY KEY,
  session uuid NOT NULL REFERENCES session (id) ON DELETE CASCADE,
  kind text NOT NULL,
  audience text NOT NULL,
  label text,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX session_credential_session ON session_credential (session);
CREATE INDEX session_credential_expires ON session_credential (expires_at);

-- Redeemed once, within a minute, only with what they are bound to.
CREATE TABLE session_code (
  hash bytea PRIMARY KEY,
  session uuid NOT NULL REFERENCES session (id) ON DELETE CASCADE,
  kind text NOT NULL,
  audience text NOT NULL,
  challenge text NOT NULL,
  label text,
  expires_at bigint NOT NULL
);
CREATE INDEX session_code_session ON session_code (session);
CREATE INDEX session_code_expires ON session_code (expires_at);

CREATE TABLE agent (
  name text PRIMARY KEY,
  public_key jsonb NOT NULL,
  key_thumbprint text NOT NULL,
  enrolled_at bigint NOT NULL,
  revoked_at bigint
);

CREATE TABLE enrollment_token (
  hash bytea PRIMARY KEY,
  agent text NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX enrollment_token_agent ON enrollment_token (agent);

-- Client assertions that were seen, until they expire by themselves.
CREATE TABLE client_assertion (
  agent text NOT NULL,
  jti text NOT NULL,
  expires_at bigint NOT NULL,
  PRIMARY KEY (agent, jti)
);
CREATE INDEX client_assertion_expires ON client_assertion (expires_at);

-- The relay's private keys, encrypted with the data key. At most one is first: relays that start at once agree on it.
CREATE TABLE signing_key (
  kid text PRIMARY KEY,
  sealed text NOT NULL,
  ordinal integer NOT NULL UNIQUE,
  created_at bigint NOT NULL
);
