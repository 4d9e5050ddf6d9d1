-- Portable to PostgreSQL as it stands: BYTEA and BIGINT are its words, and SQLite takes them as they are.
CREATE TABLE stations (
	division TEXT PRIMARY KEY,
	county   TEXT NOT NULL,
	data     BYTEA NOT NULL
);
CREATE TABLE operators (
	station TEXT NOT NULL,
	id      TEXT NOT NULL,
	data    BYTEA NOT NULL,
	PRIMARY KEY (station, id)
);
CREATE TABLE codes (
	id      BYTEA PRIMARY KEY,
	station TEXT NOT NULL,
	secret  BYTEA NOT NULL,
	made    BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	device  BIGINT NOT NULL,
	used    BIGINT NOT NULL
);
CREATE TABLE devices (
	device    BIGINT PRIMARY KEY,
	station   TEXT NOT NULL,
	machine   TEXT NOT NULL,
	sign_key  BYTEA NOT NULL,
	seal_key  BYTEA NOT NULL,
	sign_cert BYTEA NOT NULL,
	seal_cert BYTEA NOT NULL,
	enrolled  BIGINT NOT NULL,
	revoked   BIGINT NOT NULL,
	reason    TEXT NOT NULL,
	cut_seq   BIGINT NOT NULL,
	cut_hash  BYTEA NOT NULL
);
CREATE INDEX devices_station ON devices (station);
CREATE TABLE heads (
	device     BIGINT PRIMARY KEY,
	seq        BIGINT NOT NULL,
	head       BYTEA NOT NULL,
	projected  BIGINT NOT NULL,
	cursor_no  BIGINT NOT NULL,
	event_head BYTEA NOT NULL
);
CREATE TABLE packets (
	device   BIGINT NOT NULL,
	to_seq   BIGINT NOT NULL,
	from_seq BIGINT NOT NULL,
	hash     BYTEA NOT NULL,
	at       BIGINT NOT NULL,
	bytes    BYTEA NOT NULL,
	PRIMARY KEY (device, to_seq)
);
CREATE TABLE headers (
	device BIGINT NOT NULL,
	seq    BIGINT NOT NULL,
	hash   BYTEA NOT NULL,
	kind   TEXT NOT NULL,
	at     BIGINT NOT NULL,
	PRIMARY KEY (device, seq)
);
CREATE TABLE evidence (
	device   BIGINT NOT NULL,
	hash     BYTEA NOT NULL,
	from_seq BIGINT NOT NULL,
	to_seq   BIGINT NOT NULL,
	at       BIGINT NOT NULL,
	bytes    BYTEA NOT NULL,
	PRIMARY KEY (device, hash)
);
CREATE TABLE events (
	device    BIGINT NOT NULL,
	cursor_no BIGINT NOT NULL,
	hash      BYTEA NOT NULL,
	kind      TEXT NOT NULL,
	seq       BIGINT NOT NULL,
	at        BIGINT NOT NULL,
	bytes     BYTEA NOT NULL,
	copy_body BYTEA NOT NULL,
	PRIMARY KEY (device, cursor_no)
);
CREATE TABLE cases (
	device    BIGINT NOT NULL,
	seq       BIGINT NOT NULL,
	no        TEXT NOT NULL,
	official  TEXT NOT NULL,
	state     TEXT NOT NULL,
	service   TEXT NOT NULL,
	item_code TEXT NOT NULL,
	due       BIGINT NOT NULL,
	at        BIGINT NOT NULL,
	updated   BIGINT NOT NULL,
	data      BYTEA NOT NULL,
	PRIMARY KEY (device, seq)
);
CREATE INDEX cases_official ON cases (official);
CREATE INDEX cases_state ON cases (state, at);
CREATE TABLE serials (
	name TEXT PRIMARY KEY,
	n    BIGINT NOT NULL
);
CREATE TABLE packs (
	kind    TEXT NOT NULL,
	version BIGINT NOT NULL,
	hash    BYTEA NOT NULL,
	size    BIGINT NOT NULL,
	at      BIGINT NOT NULL,
	bytes   BYTEA NOT NULL,
	PRIMARY KEY (kind, version)
);
CREATE INDEX packs_hash ON packs (hash);
CREATE TABLE docs (
	name    TEXT PRIMARY KEY,
	version BIGINT NOT NULL,
	data    BYTEA NOT NULL
);
