-- A device that goes on for another one whose journal forked, or (replaces = 1) whose machine is gone; fork_hash names the
-- fork notice or the enrolment code it was given for.
CREATE TABLE epochs (
	device    BIGINT PRIMARY KEY,
	former    BIGINT NOT NULL,
	to_seq    BIGINT NOT NULL,
	head      BYTEA NOT NULL,
	fork_hash BYTEA NOT NULL,
	replaces  BIGINT NOT NULL,
	at        BIGINT NOT NULL
);
CREATE INDEX epochs_former ON epochs (former);
-- What a record of a branch was before it was carried into a new epoch: part of the projection.
CREATE TABLE carried (
	device      BIGINT NOT NULL,
	seq         BIGINT NOT NULL,
	former      BIGINT NOT NULL,
	former_seq  BIGINT NOT NULL,
	former_prev BYTEA NOT NULL,
	former_hash BYTEA NOT NULL,
	former_at   BIGINT NOT NULL,
	PRIMARY KEY (device, seq)
);
CREATE INDEX carried_former ON carried (former, former_seq);
-- The device whose machine an enrolment code replaces; 0: none.
ALTER TABLE codes ADD COLUMN replaces BIGINT NOT NULL DEFAULT 0;
