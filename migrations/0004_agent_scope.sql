-- What an agent may announce beyond the resources that the relay's file gives it: a JSON array of names, `*` standing for
-- any characters. It comes with the enrollment token. Empty: nothing beyond.
ALTER TABLE enrollment_token ADD COLUMN scope jsonb NOT NULL DEFAULT '[]';
ALTER TABLE agent ADD COLUMN scope jsonb NOT NULL DEFAULT '[]';
-- Since when it gets no new streams, on any relay.
ALTER TABLE agent ADD COLUMN drained_at bigint;
