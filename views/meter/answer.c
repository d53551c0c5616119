#include "answer.h"
#include "../shared/number.h"

enum {
	ANSWER_BYTES = 1 << 20, /* docs/abi.md */
	EDGE_BYTES = 4096,      /* what comes before and behind the rows */
	ROW_BYTES = 64 << 10,   /* more than any row has */
};

writing writing_new(const configuration *config, const meter_query *q) {
	enum { ROW_GAS = 6000, PICK_GAS = 2500, PERCENTILE_GAS = 60000 };
	uint32_t gas = ROW_GAS;
	for (uint32_t i = 0; i < q->picks.len; i++)
		gas += q->picks.at[i].kind == PICK_PERCENTILE ? PERCENTILE_GAS : PICK_GAS;
	writing made = {.config = config, .q = q, .out = tally_out_new(ANSWER_BYTES + ROW_BYTES), .start = EDGE_BYTES, .row_gas = gas};
	made.out.len = made.start;
	return made;
}

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
		put_percentile(out, row->sketch, pick->percentile, &totals[place[TOTAL_MIN]], &totals[place[TOTAL_MAX]]);
	}
	return true;
}

/* ---- JSON ---- */

static void put_quoted_time(tally_out *out, const meter_query *q, int64_t time) {
	if (time <= -ZONE_EVER || time >= ZONE_EVER) {
		tally_put(out, TALLY_TEXT("null"));
		return;
	}
	tally_put_char(out, '"');
	put_time(out, q->windows.zone, time);
	tally_put_char(out, '"');
}

static void put_stretch(tally_out *out, const meter_query *q, int64_t from, int64_t to) {
	tally_put(out, TALLY_TEXT("\"from\":"));
	put_quoted_time(out, q, from);
	tally_put(out, TALLY_TEXT(",\"to\":"));
	put_quoted_time(out, q, to);
}

static void put_header(tally_out *out, const configuration *config, const meter_query *q) {
	tally_text version = {zone_data_version, 0};
	while (zone_data_version[version.len] != 0)
		version.len++;
	tally_put_char(out, '{');
	put_stretch(out, q, q->from, q->to);
	tally_put(out, TALLY_TEXT(",\"timezone\":"));
	tally_put_string(out, q->zone_name);
	tally_put(out, TALLY_TEXT(",\"tz_data\":"));
	tally_put_string(out, version);
	tally_put(out, TALLY_TEXT(",\"resolution\":"));
	tally_put_string(out, span_names[config->parts.span]);
	if (q->windowed) {
		tally_put(out, TALLY_TEXT(",\"window\":"));
		tally_put_string(out, span_names[q->windows.span]);
	}
	if (q->rolling > 1) {
		tally_put(out, TALLY_TEXT(",\"rolling\":"));
		tally_put_padded(out, q->rolling, 1);
	}
}

static void put_json_groups(tally_out *out, const configuration *config, const meter_query *q, const row *row) {
	for (uint32_t i = 0; i < q->groups_len; i++) {
		tally_put(out, i == 0 ? TALLY_TEXT(",\"group\":{") : TALLY_TEXT(","));
		tally_put_string(out, config->groups.at[q->groups[i]].name);
		tally_put_char(out, ':');
		put_json_value(out, row->group->values[i]);
	}
	if (q->groups_len > 0)
		tally_put_char(out, '}');
}

/* Decimals are strings, so that no reader rounds them to its own numbers. */
static void put_json_row(tally_out *out, const configuration *config, const meter_query *q, const row *row) {
	tally_put_char(out, '{');
	put_stretch(out, q, row->window.start, row->window.end);
	put_json_groups(out, config, q, row);
	for (uint32_t i = 0; i < q->picks.len; i++) {
		const pick *pick = &q->picks.at[i];
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

/* Writes what comes behind the rows, and then before them. */
static tally_text finish_json(writing *writing, uint64_t uncounted, const position *next) {
	const meter_query *q = writing->q;
	tally_out *out = &writing->out, header = tally_out_new(EDGE_BYTES);
	tally_put_char(out, ']');
	if (next != 0 && !q->after.given) {
		tally_put(out, TALLY_TEXT(",\"next_offset\":"));
		tally_put_padded(out, (uint64_t)q->offset + writing->rows, 1);
	}
	if (next != 0) {
		tally_put(out, TALLY_TEXT(",\"next\":\""));
		put_position(out, next);
		tally_put_char(out, '"');
	}
	tally_put_char(out, '}');
	put_header(&header, writing->config, q);
	tally_put(&header, TALLY_TEXT(",\"uncounted\":"));
	tally_put_padded(&header, uncounted, 1);
	tally_put(&header, TALLY_TEXT(",\"rows\":["));
	__builtin_memcpy(out->at + writing->start - header.len, header.at, header.len);
	return (tally_text){out->at + writing->start - header.len, out->len - writing->start + header.len};
}

/* ---- CSV, RFC 4180 ---- */

/* Whether a spreadsheet would take the text for a formula. */
static bool is_formula(tally_text text) {
	number read;
	char c = text.len > 0 ? text.at[0] : 0;
	return (c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r') && !read_number(text, &read);
}

/* A text that reads as a number, true or false stands in quotes, and is so told
 * from those. */
static bool needs_quotes(tally_text text) {
	number read;
	for (uint32_t i = 0; i < text.len; i++) {
		char c = text.at[i];
		if (c == '"' || c == ',' || c == '\r' || c == '\n')
			return true;
	}
	return text.len == 0 || read_number(text, &read) || tally_equal(text, TALLY_TEXT("true")) || tally_equal(text, TALLY_TEXT("false"));
}

static void put_cell(tally_out *out, const meter_query *q, tally_text text) {
	bool quoted = needs_quotes(text);
	if (quoted)
		tally_put_char(out, '"');
	if (!q->raw && is_formula(text))
		tally_put_char(out, '\'');
	for (uint32_t i = 0; i < text.len; i++) {
		if (text.at[i] == '"')
			tally_put_char(out, '"');
		tally_put_char(out, text.at[i]);
	}
	if (quoted)
		tally_put_char(out, '"');
}

/* Nothing between two commas is null, "" is the empty text. */
static void put_csv_value(tally_out *out, const meter_query *q, tally_text encoded) {
	group_value value = value_of(encoded);
	if (value.kind == TALLY_STRING)
		put_cell(out, q, value.text);
	else if (value.kind == TALLY_NUMBER)
		tally_put(out, value.text);
	else if (value.kind != TALLY_NULL)
		tally_put(out, value.kind == TALLY_TRUE ? TALLY_TEXT("true") : TALLY_TEXT("false"));
}

/* Whether a column says where to go on. */
static bool has_next(const meter_query *q) {
	return q->limited || q->after.given;
}

static void put_csv_header(tally_out *out, const configuration *config, const meter_query *q) {
	tally_put(out, TALLY_TEXT("from,to"));
	for (uint32_t i = 0; i < q->groups_len; i++) {
		tally_put_char(out, ',');
		put_cell(out, q, config->groups.at[q->groups[i]].name);
	}
	for (uint32_t i = 0; i < q->picks.len; i++) {
		tally_put_char(out, ',');
		put_cell(out, q, q->picks.at[i].name);
	}
	tally_put(out, TALLY_TEXT(",uncounted"));
	if (has_next(q))
		tally_put(out, TALLY_TEXT(",next"));
	tally_put(out, TALLY_TEXT("\r\n"));
}

/* Writes a row but for its last columns, which only the last row fills in. */
static void put_csv_row(tally_out *out, const configuration *config, const meter_query *q, const row *row) {
	if (row->window.start > -ZONE_EVER)
		put_time(out, q->windows.zone, row->window.start);
	tally_put_char(out, ',');
	if (row->window.end < ZONE_EVER)
		put_time(out, q->windows.zone, row->window.end);
	for (uint32_t i = 0; i < q->groups_len; i++) {
		tally_put_char(out, ',');
		put_csv_value(out, q, row->group->values[i]);
	}
	for (uint32_t i = 0; i < q->picks.len; i++) {
		tally_put_char(out, ',');
		put_pick(out, config, row, &q->picks.at[i]);
	}
	tally_put_char(out, ',');
}

static void end_csv_row(tally_out *out, const meter_query *q) {
	tally_put(out, has_next(q) ? TALLY_TEXT(",\r\n") : TALLY_TEXT("\r\n"));
}

static tally_text finish_csv(writing *writing, uint64_t uncounted, const position *next) {
	const meter_query *q = writing->q;
	tally_out *out = &writing->out, header = tally_out_new(EDGE_BYTES);
	bool row = writing->rows > 0;
	if (!row && (uncounted > 0 || next != 0)) {
		for (uint32_t i = 0; i < 2 + q->groups_len + q->picks.len; i++)
			tally_put_char(out, ',');
		row = true;
	}
	if (row) {
		tally_put_padded(out, uncounted, 1);
		if (has_next(q))
			tally_put_char(out, ',');
		if (next != 0)
			put_position(out, next);
		tally_put(out, TALLY_TEXT("\r\n"));
	}
	put_csv_header(&header, writing->config, q);
	__builtin_memcpy(out->at + writing->start - header.len, header.at, header.len);
	return (tally_text){out->at + writing->start - header.len, out->len - writing->start + header.len};
}

/* ---- Together ---- */

bool write_row(writing *writing, const row *row) {
	tally_out *out = &writing->out;
	uint32_t before = out->len;
	void *mark = tally_mark();
	if (writing->q->csv) {
		if (writing->rows > 0)
			end_csv_row(out, writing->q);
		put_csv_row(out, writing->config, writing->q, row);
	} else {
		if (writing->rows > 0)
			tally_put_char(out, ',');
		put_json_row(out, writing->config, writing->q, row);
	}
	tally_release(mark);
	if (out->len - writing->start > ANSWER_BYTES - 2 * EDGE_BYTES) {
		out->len = before;
		return false;
	}
	writing->rows++;
	return true;
}

int64_t finish(writing *writing, uint64_t uncounted, const position *next) {
	const meter_query *q = writing->q;
	if (!q->csv)
		return tally_answer(finish_json(writing, uncounted, next));
	if (next != 0 && !has_next(q))
		return tally_fail(TALLY_TEXT("the answer passes 1 MiB, or what one question may read: ask page by page with limit=5000, and go on "
		                             "with after, which the last row has in the column next"));
	tally_content_type(TALLY_TEXT("text/csv"));
	return tally_answer(finish_csv(writing, uncounted, next));
}
