-- +goose Up

-- Ends the transaction when a statement has not touched as many rows as it was given, as expect_rows does (00001), but needs no plpgsql: a
-- connection that is opened after PostgreSQL's package was upgraded under the running server cannot load that library any more. The
-- constraint's name tells the error from all others. expect_rows stays for servers that are older than this migration and still run.
-- Takes no lock that anybody waits for.
CREATE DOMAIN as_expected AS boolean CONSTRAINT rows_as_expected CHECK (VALUE);
COMMENT ON DOMAIN as_expected IS 'True. A cast of anything else fails: what a server remembers of a log is out of date, and it tries again under lock.';

-- +goose Down
DROP DOMAIN as_expected;
