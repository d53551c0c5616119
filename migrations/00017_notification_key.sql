-- +goose Up

-- Whoever may connect to a database may listen to every channel of it. Servers seal what they notify one another of with this key. Servers
-- of the version before listen to another channel: those of the two versions learn of one another's appends when they next read the heads.
CREATE TABLE notification_key (
    one boolean NOT NULL DEFAULT true,
    key bytea   NOT NULL,
    CONSTRAINT notification_key_pkey PRIMARY KEY (one),
    CONSTRAINT notification_key_check CHECK (one AND octet_length(key) = 32)
);
INSERT INTO notification_key (key)
VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
GRANT SELECT ON notification_key TO tally_server;

-- +goose Down
DROP TABLE notification_key;
