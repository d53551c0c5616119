-- +goose Up

-- Events, state and labels are json that keeps its bytes as they were sent, and JSON can say more than PostgreSQL's types can hold: \u0000,
-- half a surrogate pair, 1e400000. An operator such as ->> fails on a whole document that has such a thing anywhere, and can meet documents
-- that the query's other conditions leave out. These functions never fail; docs/sql.md says how they are used and what they cost.
--
-- Those that are one expression, parsed here once, are put in place of their calls by the planner. For that they use an argument that is
-- costly once only, and are not STRICT, though all of them give NULL for NULL. The others are in PL/pgSQL, which is called in a third of the
-- time of such a function in SQL; none has an exception handler, which would forbid parallel plans in older PostgreSQL. All run with
-- the caller's rights. This migration takes no lock that anybody waits for.

-- Neither U+0001 nor U+0002 can stand in a json value as such, so they can stand in for escaped backslashes, which leaves no backslash but
-- those that begin an escape, and for the backslashes of whole surrogate pairs, which leaves the halves.
-- +goose StatementBegin
CREATE FUNCTION reporting.replace_unreadable(document json) RETURNS json
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT COST 100 AS $$
BEGIN
    RETURN replace(replace(regexp_replace(regexp_replace(replace(document::text, '\\', chr(1)),
        '\\(u[dD][89abAB][0-9a-fA-F]{2})\\(u[dD][c-fC-F][0-9a-fA-F]{2})', chr(2) || '\1' || chr(2) || '\2', 'g'),
        '\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\ufffd', 'g'), chr(2), '\'), chr(1), '\\');
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION reporting.replace_unreadable(json) IS 'What safe does, without a look at whether there is anything to do.';

-- The first two conditions tell the documents that have nothing to replace: those without \u, and nearly all others. \ud begins \ud55c too,
-- which is a letter by itself; that only costs time.
CREATE FUNCTION reporting.safe(document json) RETURNS json
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN strpos(document::text, '\u') = 0 THEN document
    WHEN strpos(document::text, '\u0000') = 0 AND strpos(document::text, '\ud') = 0 AND strpos(document::text, '\uD') = 0 THEN document
    ELSE reporting.replace_unreadable(document)
END;
COMMENT ON FUNCTION reporting.safe(json) IS 'The document with U+FFFD for each \u0000 and each half of a surrogate pair, so that ->, ->> and json functions work on all of it.';

-- Sums and products of such numbers stay within numeric, which ends at 131,072 digits before the point and 16,383 after it.
-- +goose StatementBegin
CREATE FUNCTION reporting.number_or_null(value text) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT COST 20 AS $$
BEGIN
    IF length(value) <= 18 AND ltrim(value, '0123456789') = '' AND value <> '' AND (value = '0' OR left(value, 1) <> '0') THEN
        RETURN value; -- what nearly all numbers are
    END IF;
    IF length(value) <= 1000 AND value ~ '^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?0*[0-9]{1,3})?$' THEN
        RETURN value;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION reporting.number_or_null(text) IS 'The number that the text is in JSON''s form; NULL when it is none, or has over 1,000 characters or an exponent beyond 999.';

-- +goose StatementBegin
CREATE FUNCTION reporting.time_or_null(value text) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT COST 30 AS $$
DECLARE
    zone constant text := substr(value, 20);
    days integer;
BEGIN
    IF translate(left(value, 19), 't123456789', 'T000000000') <> '0000-00-00T00:00:00' THEN
        RETURN NULL;
    END IF;
    days := CASE substr(value, 6, 2)::integer
        WHEN 1 THEN 31 WHEN 3 THEN 31 WHEN 5 THEN 31 WHEN 7 THEN 31 WHEN 8 THEN 31 WHEN 10 THEN 31 WHEN 12 THEN 31
        WHEN 4 THEN 30 WHEN 6 THEN 30 WHEN 9 THEN 30 WHEN 11 THEN 30
        WHEN 2 THEN CASE WHEN left(value, 4)::integer % CASE WHEN substr(value, 3, 2) = '00' THEN 400 ELSE 4 END = 0 THEN 29 ELSE 28 END
        ELSE 0
    END;
    IF left(value, 4) = '0000' OR substr(value, 9, 2)::integer NOT BETWEEN 1 AND days
        OR substr(value, 12, 2)::integer > 23 OR substr(value, 15, 2)::integer > 59 OR substr(value, 18, 2)::integer > 60 THEN
        RETURN NULL;
    END IF;
    IF zone = 'Z' THEN
        RETURN value;
    END IF;
    IF zone !~ '^(?:\.[0-9]+)?(?:[zZ]|[-+](?:0[0-9]|1[0-5]):[0-5][0-9])$' THEN
        RETURN NULL;
    END IF;
    value := left(value, 19) || regexp_replace(zone, '(\.[0-9]{6})[0-9]+', '\1'); -- as servers do: a microsecond is not rounded up
    IF substr(value, 18, 2) = '60' THEN
        RETURN overlay(value placing '59' from 18)::timestamptz + interval '1 second'; -- a leap second with a fraction is refused otherwise
    END IF;
    RETURN value;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION reporting.time_or_null(text) IS 'The time that the text is in the form of RFC 3339; NULL when it is none, or its offset is 16 hours or more.';

-- A document of up to 1,000 characters holds no number that is too long, and one without 250 digits in a row neither. Where there may be one
-- that is out of range, each token is looked at, so that what only looks like such a number inside a string stays.
-- +goose StatementBegin
CREATE FUNCTION reporting.jsonb_or_null(document json) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT COST 100 AS $$
DECLARE
    source constant text := reporting.safe(document)::text;
BEGIN
    IF source !~ '(?:^|[[,:\s])-?[0-9][.0-9]*[eE][-+]?0*[1-9][0-9]{3}' AND (length(source) <= 1000 OR source !~ '[0-9]{250}') THEN
        RETURN source;
    END IF;
    RETURN (SELECT string_agg(CASE WHEN token[2] IS NULL THEN token[1] WHEN reporting.number_or_null(token[2]) IS NULL THEN 'null' ELSE token[2] END, '' ORDER BY place)
        FROM regexp_matches(source, '("(?:[^"\\]|\\.)*"|[^-"0-9]+)|(-?[0-9][-+.0-9eE]*)', 'g') WITH ORDINALITY AS tokens (token, place));
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION reporting.jsonb_or_null(json) IS 'The document as jsonb, with U+FFFD as safe has it, and null for numbers that number_or_null gives NULL for.';

CREATE FUNCTION reporting.get_text(document json, member text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN reporting.safe(document) ->> member;
COMMENT ON FUNCTION reporting.get_text(json, text) IS 'A member as text, as ->> gives it, with U+FFFD as safe has it; NULL when it is missing or null.';

CREATE FUNCTION reporting.get_number(document json, member text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN reporting.number_or_null(reporting.safe(document) ->> member);
COMMENT ON FUNCTION reporting.get_number(json, text) IS 'A member that is a number, or a string that reads as one; NULL for all else: see number_or_null.';

CREATE FUNCTION reporting.get_time(document json, member text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN reporting.time_or_null(reporting.safe(document) ->> member);
COMMENT ON FUNCTION reporting.get_time(json, text) IS 'A member that is a time in the form of RFC 3339; NULL for all else: see time_or_null.';

CREATE FUNCTION reporting.get_jsonb(document json, member text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN reporting.jsonb_or_null(reporting.safe(document) -> member);
COMMENT ON FUNCTION reporting.get_jsonb(json, text) IS 'A member of any kind as jsonb; NULL when it is missing. See jsonb_or_null.';

COMMENT ON COLUMN reporting.events.data IS 'The event''s JSON, byte for byte. Of type json: get_text, get_number, get_time and jsonb_or_null read it whatever it holds; ->> does not.';
COMMENT ON COLUMN reporting.view_state.value IS 'The value, in the view''s own form, as json: to be read as data of events is.';
COMMENT ON COLUMN reporting.logs.labels IS 'A JSON object of names and values that came with the log: to be read as data of events is.';

REVOKE EXECUTE ON FUNCTION reporting.replace_unreadable(json), reporting.safe(json), reporting.number_or_null(text), reporting.time_or_null(text),
    reporting.jsonb_or_null(json), reporting.get_text(json, text), reporting.get_number(json, text), reporting.get_time(json, text),
    reporting.get_jsonb(json, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reporting.replace_unreadable(json), reporting.safe(json), reporting.number_or_null(text), reporting.time_or_null(text),
    reporting.jsonb_or_null(json), reporting.get_text(json, text), reporting.get_number(json, text), reporting.get_time(json, text),
    reporting.get_jsonb(json, text) TO tally_analyst;

-- +goose Down
DROP FUNCTION reporting.get_text(json, text), reporting.get_number(json, text), reporting.get_time(json, text), reporting.get_jsonb(json, text),
    reporting.jsonb_or_null(json), reporting.time_or_null(text), reporting.number_or_null(text), reporting.safe(json), reporting.replace_unreadable(json);
COMMENT ON COLUMN reporting.events.data IS 'The event''s JSON, byte for byte. Of type json: cast it to jsonb for operators such as @>.';
COMMENT ON COLUMN reporting.view_state.value IS 'The value, in the view''s own form, as json.';
COMMENT ON COLUMN reporting.logs.labels IS 'A JSON object of names and values that came with the log.';
