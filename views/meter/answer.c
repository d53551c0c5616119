#include "answer.h"

enum {
	ANSWER_BYTES = 1 << 20, /* docs/abi.md */
	CLOSING_BYTES = 64,     /* what follows the last row */
};

bool put_pick(tally_out *out, const configuration *config, const row *row, const pick *pick) {
	const int32_t *place = config->place;
	const tally_decimal *totals = row->totals;
	tally_decimal average;
	if (pick->kind == PICK_COUNT) {
		tally_put_decimal(out, &totals[place[TOTAL_COUNT]]);
		return true;
	}
	if (pick->kind == PICK_UNIQUE) {
		tally_put_padded(out, row->unique, 1);
		return true;
	}
	const tally_decimal *values = &totals[place[TOTAL_VALUES]];
	uint64_t n = values->limb[TALLY_UNITS];
	if (n == 0)
		return false;
	switch (pick->kind) {
	case PICK_SUM:
		tally_put_decimal(out, &totals[place[TOTAL_SUM]]);
		break;
	case PICK_MIN:
		tally_put_decimal(out, &totals[place[TOTAL_MIN]]);
		break;
	case PICK_MAX:
		tally_put_decimal(out, &totals[place[TOTAL_MAX]]);
		break;
	case PICK_LATEST:
		tally_put_decimal(out, &totals[place[TOTAL_LATEST]]);
		break;
	case PICK_AVERAGE:
		tally_divide(&average, &totals[place[TOTAL_SUM]], n);
		tally_put_decimal(out, &average);
		break;
	default:
		put_percentile(out, row->sketch, pick->percentile);
	}
	return true;
}

/* ---- JSON ---- */

static void put_quoted_time(tally_out *out, const question *asked, int64_t time) {
	if (time <= -ZONE_EVER || time >= ZONE_EVER) {
		tally_put(out, TALLY_TEXT("null"));
		return;
	}
	tally_put_char(out, '"');
	put_time(out, asked->windows.zone, time);
	tally_put_char(out, '"');
}

static void put_stretch(tally_out *out, const question *asked, int64_t from, int64_t to) {
	tally_put(out, TALLY_TEXT("\"from\":"));
	put_quoted_time(out, asked, from);
	tally_put(out, TALLY_TEXT(",\"to\":"));
	put_quoted_time(out, asked, to);
}

static void put_header(tally_out *out, const configuration *config, const question *asked) {
	tally_text version = {zone_data_version, 0};
	while (zone_data_version[version.len] != 0)
		version.len++;
	tally_put_char(out, '{');
	put_stretch(out, asked, asked->from, asked->to);
	tally_put(out, TALLY_TEXT(",\"timezone\":"));
	tally_put_string(out, asked->zone_name);
	tally_put(out, TALLY_TEXT(",\"tz_data\":"));
	tally_put_string(out, version);
	tally_put(out, TALLY_TEXT(",\"resolution\":"));
	tally_put_string(out, span_names[config->parts.span]);
	if (asked->windowed) {
		tally_put(out, TALLY_TEXT(",\"window\":"));
		tally_put_string(out, span_names[asked->windows.span]);
	}
	if (asked->rolling > 1) {
		tally_put(out, TALLY_TEXT(",\"rolling\":"));
		tally_put_padded(out, asked->rolling, 1);
	}
	tally_put(out, TALLY_TEXT(",\"rows\":["));
}

static void put_json_groups(tally_out *out, const configuration *config, const question *asked, const row *row) {
	for (uint32_t i = 0; i < asked->groups_len; i++) {
		tally_text value = row->group->values[i];
		tally_put(out, i == 0 ? TALLY_TEXT(",\"group\":{") : TALLY_TEXT(","));
		tally_put_string(out, config->groups[asked->groups[i]].name);
		tally_put_char(out, ':');
		if (value.at == 0)
			tally_put(out, TALLY_TEXT("null"));
		else
			tally_put_exact_string(out, value);
	}
	if (asked->groups_len > 0)
		tally_put_char(out, '}');
}

/* Decimals are strings, so that no reader rounds them to its own numbers. */
static void put_json_row(tally_out *out, const configuration *config, const question *asked, const row *row) {
	tally_put_char(out, '{');
	put_stretch(out, asked, row->window.start, row->window.end);
	put_json_groups(out, config, asked, row);
	for (uint32_t i = 0; i < asked->picks.len; i++) {
		const pick *pick = &asked->picks.at[i];
		bool whole = pick->kind == PICK_COUNT || pick->kind == PICK_UNIQUE;
		tally_put_char(out, ',');
		tally_put_string(out, pick->name);
		tally_put_char(out, ':');
		uint32_t start = out->len;
		if (!whole)
			tally_put_char(out, '"');
		if (!put_pick(out, config, row, pick)) {
			out->len = start;
			tally_put(out, TALLY_TEXT("null"));
		} else if (!whole) {
			tally_put_char(out, '"');
		}
	}
	tally_put_char(out, '}');
}

static uint32_t end_of(const question *asked, row_list rows) {
	if (!asked->limited || asked->offset >= rows.len || rows.len - asked->offset <= asked->limit)
		return rows.len;
	return asked->offset + asked->limit;
}

int64_t answer_json(const configuration *config, const question *asked, row_list rows) {
	tally_out out = tally_out_new(4096);
	uint32_t end = end_of(asked, rows);
	put_header(&out, config, asked);
	for (uint32_t i = asked->offset; i < end; i++) {
		uint32_t before = out.len;
		if (i > asked->offset)
			tally_put_char(&out, ',');
		put_json_row(&out, config, asked, rows.at[i]);
		if (out.len > ANSWER_BYTES - CLOSING_BYTES) {
			out.len = before;
			end = i;
		}
	}
	tally_put_char(&out, ']');
	if (end < rows.len) {
		tally_put(&out, TALLY_TEXT(",\"next_offset\":"));
		tally_put_padded(&out, end, 1);
	}
	tally_put_char(&out, '}');
	return tally_answer(tally_out_text(&out));
}

/* ---- CSV, RFC 4180 ---- */

static void put_cell(tally_out *out, tally_text text) {
	bool plain = text.len > 0;
	for (uint32_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		plain = plain && c != '"' && c != ',' && c != '\r' && c != '\n';
	}
	if (plain) {
		tally_put(out, text);
		return;
	}
	tally_put_char(out, '"');
	for (uint32_t i = 0; i < text.len; i++) {
		if (text.at[i] == '"')
			tally_put_char(out, '"');
		tally_put_char(out, text.at[i]);
	}
	tally_put_char(out, '"');
}

static void put_csv_header(tally_out *out, const configuration *config, const question *asked) {
	tally_put(out, TALLY_TEXT("from,to"));
	for (uint32_t i = 0; i < asked->groups_len; i++) {
		tally_put_char(out, ',');
		put_cell(out, config->groups[asked->groups[i]].name);
	}
	for (uint32_t i = 0; i < asked->picks.len; i++) {
		tally_put_char(out, ',');
		put_cell(out, asked->picks.at[i].name);
	}
	tally_put(out, TALLY_TEXT("\r\n"));
}

/* Nothing between two commas is null, "" is the empty text. */
static void put_csv_row(tally_out *out, const configuration *config, const question *asked, const row *row) {
	if (row->window.start > -ZONE_EVER)
		put_time(out, asked->windows.zone, row->window.start);
	tally_put_char(out, ',');
	if (row->window.end < ZONE_EVER)
		put_time(out, asked->windows.zone, row->window.end);
	for (uint32_t i = 0; i < asked->groups_len; i++) {
		tally_put_char(out, ',');
		if (row->group->values[i].at != 0)
			put_cell(out, row->group->values[i]);
	}
	for (uint32_t i = 0; i < asked->picks.len; i++) {
		tally_put_char(out, ',');
		put_pick(out, config, row, &asked->picks.at[i]);
	}
	tally_put(out, TALLY_TEXT("\r\n"));
}

int64_t answer_csv(const configuration *config, const question *asked, row_list rows) {
	tally_out out = tally_out_new(4096);
	uint32_t end = end_of(asked, rows);
	put_csv_header(&out, config, asked);
	for (uint32_t i = asked->offset; i < end; i++) {
		put_csv_row(&out, config, asked, rows.at[i]);
		if (out.len > ANSWER_BYTES)
			return tally_fail(TALLY_TEXT("the answer passes 1 MiB: ask page by page, with limit=5000 and offset=0, 5000 and so on, or for a "
			                             "shorter stretch"));
	}
	tally_content_type(TALLY_TEXT("text/csv"));
	return tally_answer(tally_out_text(&out));
}
