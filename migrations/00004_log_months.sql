-- +goose Up

-- Which events of a log were recorded in which month: the first of each. Recording times never decrease along a log, so a range of sequences
-- is a range of months, and whoever reads by sequence touches only the partitions of events that hold it. A row is written by the append
-- that is the first of its log in a month. A reader that finds no row looks through more partitions, no more than that.
CREATE TABLE log_months (
    log_id         uuid        NOT NULL,
    month          timestamptz NOT NULL,
    first_sequence bigint      NOT NULL,
    CONSTRAINT log_months_pkey PRIMARY KEY (log_id, month),
    CONSTRAINT log_months_month_check CHECK (month = date_trunc('month', month AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'),
    CONSTRAINT log_months_first_sequence_check CHECK (first_sequence > 0)
);

-- Reads all events once, and takes no lock that appends wait for; servers of the version before this one write no rows, which costs
-- readers time and nothing else.
INSERT INTO log_months (log_id, month, first_sequence)
SELECT log_id, date_trunc('month', recorded_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC', min(sequence)
FROM events
GROUP BY 1, 2;

-- +goose Down
DROP TABLE log_months;
