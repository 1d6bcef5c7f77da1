-- Programs with an identity of their own. Never deleted: rules and records name them.
CREATE TABLE service (
  name text PRIMARY KEY,
  principal uuid NOT NULL UNIQUE REFERENCES principal (id),
  description text,
  -- Who answers for it.
  owner text NOT NULL,
  created_at bigint NOT NULL,
  disabled_at bigint
);

-- A service token is a session of its service, which one credential opens wherever its scope reaches. It ends at its
-- time, and not for lack of use.
ALTER TABLE session ADD COLUMN unattended boolean NOT NULL DEFAULT false;
-- Names of the resources that it reaches, whatever rules say; null: no such bound.
ALTER TABLE session ADD COLUMN scope jsonb;
