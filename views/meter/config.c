/* Reading the configuration. Each refusal names the member, what it is and what
 * would do. */

#include "meter.h"

/* ---- Members ---- */

/* Names of groups are also names of parameters of a query. */
static bool is_taken(tally_text name) {
	static const tally_text taken[] = {
		TALLY_STATIC_TEXT("window"), TALLY_STATIC_TEXT("timezone"), TALLY_STATIC_TEXT("from"),        TALLY_STATIC_TEXT("to"),
		TALLY_STATIC_TEXT("group_by"), TALLY_STATIC_TEXT("rolling"), TALLY_STATIC_TEXT("aggregation"), TALLY_STATIC_TEXT("format"),
		TALLY_STATIC_TEXT("limit"), TALLY_STATIC_TEXT("offset"), TALLY_STATIC_TEXT("after"), TALLY_STATIC_TEXT("csv"),
		TALLY_STATIC_TEXT("uncounted"), TALLY_STATIC_TEXT("missing"),
	};
	pick aggregation;
	for (uint32_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (tally_equal(name, taken[i]))
			return true;
	return pick_of(name, &aggregation);
}

static bool read_picks(configuration *config, tally_text source) {
	static const char expected[] =
		", which is not a list of up to 32 of \"count\", \"sum\", \"min\", \"max\", \"average\", \"latest\", \"unique\" and "
		"percentiles like \"p50\" or \"p99.9\", each once";
	tally_text element, name;
	pick found;
	config->picks.len = 0;
	tally_members list = tally_array(source);
	while (tally_element_next(&list, &element)) {
		bool good = tally_string(element, &name) && pick_of(name, &found) && config->picks.len < MOST_PICKS;
		for (uint32_t i = 0; good && i < config->picks.len; i++)
			good = !tally_equal(config->picks.at[i].name, name);
		if (!good)
			return refuse_member(TALLY_TEXT("aggregations"), source, TALLY_TEXT(expected));
		config->picks.at[config->picks.len++] = found;
	}
	if (list.broken || config->picks.len == 0)
		return refuse_member(TALLY_TEXT("aggregations"), source, TALLY_TEXT(expected));
	return true;
}

static bool read_resolution(configuration *config, tally_text source) {
	tally_text name;
	if (tally_string(source, &name) && span_of(name, &config->parts.span) && config->parts.span <= SPAN_DAY)
		return true;
	return refuse_member(TALLY_TEXT("resolution"), source,
	                     TALLY_TEXT(", which is not \"minute\", \"quarter_hour\", \"hour\" or \"day\""));
}

static bool read_zone(configuration *config, tally_text source) {
	config->parts.zone = tally_string(source, &config->zone_name) ? zone_find(config->zone_name) : 0;
	return config->parts.zone != 0 ||
	       refuse_member(TALLY_TEXT("timezone"), source,
	                     TALLY_TEXT(", which is not the name of an IANA time zone like \"UTC\" or \"America/Los_Angeles\""));
}

static bool read_query_gas(configuration *config, tally_text source) {
	static const int64_t LEAST = 10000000, MOST = 60000000000; /* the most that --query-gas may be */
	tally_text digits = source;
	uint32_t digit;
	config->query_gas = 0;
	while (config->query_gas <= MOST && tally_take_digits(&digits, 1, &digit))
		config->query_gas = config->query_gas * 10 + digit;
	return (digits.len == 0 && config->query_gas >= LEAST && config->query_gas <= MOST) ||
	       refuse_member(TALLY_TEXT("query_gas"), source, TALLY_TEXT(", which is not a whole number from 10000000 to 60000000000"));
}

static bool read_member(configuration *config, tally_text name, tally_text value) {
	if (tally_equal(name, TALLY_TEXT("type")))
		return read_types(&config->fields, value, &config->types);
	if (tally_equal(name, TALLY_TEXT("where")))
		return read_conditions(&config->fields, value, &config->conditions);
	if (tally_equal(name, TALLY_TEXT("value")))
		return add_field(&config->fields, TALLY_TEXT("value"), value, &config->value);
	if (tally_equal(name, TALLY_TEXT("unique")))
		return add_field(&config->fields, TALLY_TEXT("unique"), value, &config->unique);
	if (tally_equal(name, TALLY_TEXT("group_by")))
		return read_groups(&config->fields, value, is_taken, TALLY_TEXT("is no parameter or aggregation of a question"), &config->groups);
	if (tally_equal(name, TALLY_TEXT("aggregations")))
		return read_picks(config, value);
	if (tally_equal(name, TALLY_TEXT("resolution")))
		return read_resolution(config, value);
	if (tally_equal(name, TALLY_TEXT("timezone")))
		return read_zone(config, value);
	if (tally_equal(name, TALLY_TEXT("query_gas")))
		return read_query_gas(config, value);
	return refuse(TALLY_TEXT("config: unknown member "), name,
	              TALLY_TEXT(": this view knows type, where, value, unique, group_by, aggregations, resolution, timezone and query_gas"));
}

/* ---- The whole ---- */

/* Whether value and unique are given where an aggregation needs them, and only
 * there. */
static bool check_use(const configuration *config) {
	bool uses_value = false, uses_unique = false;
	for (uint32_t i = 0; i < config->picks.len; i++) {
		const pick *used = &config->picks.at[i];
		bool of_unique = used->kind == PICK_UNIQUE, of_value = !of_unique && used->kind != PICK_COUNT;
		if (of_value && config->value == NO_FIELD)
			return refuse(TALLY_TEXT("config: the aggregation "), used->name,
			              TALLY_TEXT(" needs value, the JSON Pointer of the number, like \"/tokens\""));
		if (of_unique && config->unique == NO_FIELD)
			return tally_fail(TALLY_TEXT("config: the aggregation \"unique\" needs unique, the JSON Pointer of what is told apart, "
			                             "like \"/user\"")) != TALLY_FAILED;
		uses_value = uses_value || of_value;
		uses_unique = uses_unique || of_unique;
	}
	if (config->value != NO_FIELD && !uses_value)
		return tally_fail(TALLY_TEXT("config: value is given, but aggregations has none that uses it, like \"sum\"")) != TALLY_FAILED;
	if (config->unique != NO_FIELD && !uses_unique)
		return tally_fail(TALLY_TEXT("config: unique is given, but aggregations does not have \"unique\"")) != TALLY_FAILED;
	return true;
}

/* Lays out the state value: the totals that the aggregations need. */
static void plan_totals(configuration *config) {
	static const tally_text opening[TOTALS] = {
		TALLY_STATIC_TEXT("{\"count\":"), TALLY_STATIC_TEXT(",\"values\":"), TALLY_STATIC_TEXT(",\"sum\":"),
		TALLY_STATIC_TEXT(",\"min\":"),   TALLY_STATIC_TEXT(",\"max\":"),    TALLY_STATIC_TEXT(",\"latest\":"),
		TALLY_STATIC_TEXT(",\"latest_time\":"), TALLY_STATIC_TEXT(",\"latest_sequence\":"),
	};
	bool kept[TOTALS] = {[TOTAL_COUNT] = true, [TOTAL_VALUES] = config->value != NO_FIELD};
	for (uint32_t i = 0; i < config->picks.len; i++) {
		pick_kind kind = config->picks.at[i].kind;
		kept[TOTAL_SUM] = kept[TOTAL_SUM] || kind == PICK_SUM || kind == PICK_AVERAGE;
		kept[TOTAL_MIN] = kept[TOTAL_MIN] || kind == PICK_MIN || kind == PICK_PERCENTILE;
		kept[TOTAL_MAX] = kept[TOTAL_MAX] || kind == PICK_MAX || kind == PICK_PERCENTILE; /* which lie between them */
		if (kind == PICK_LATEST)
			kept[TOTAL_LATEST] = kept[TOTAL_LATEST_TIME] = kept[TOTAL_LATEST_SEQUENCE] = true;
		config->sketch = config->sketch || kind == PICK_PERCENTILE;
	}
	for (int i = 0; i < TOTALS; i++) {
		config->place[i] = kept[i] ? (int32_t)config->totals_len : -1;
		if (kept[i])
			config->around[config->totals_len++] = opening[i];
	}
	config->around[config->totals_len] = TALLY_TEXT("}");
}

const configuration *load_configuration(void) {
	static configuration config;
	static bool loaded;
	tally_text name, value;
	if (loaded)
		return &config;
	config = (configuration){
		.types = {.field = NO_FIELD}, .value = NO_FIELD, .unique = NO_FIELD,
		.parts = {SPAN_QUARTER_HOUR, zone_find(TALLY_TEXT("UTC"))},
		.zone_name = TALLY_TEXT("UTC"),
		.query_gas = DEFAULT_QUERY_GAS,
		.picks = {.at = {{PICK_COUNT, 0, TALLY_STATIC_TEXT("count")}}, .len = 1},
	};
	tally_members members = tally_object(tally_config());
	while (tally_member_next(&members, &name, &value))
		if (!read_member(&config, name, value))
			return 0;
	if (members.broken) {
		tally_fail(TALLY_TEXT("config is not an object like "
		                      "{\"value\":\"/tokens\",\"aggregations\":[\"sum\"],\"group_by\":{\"model\":\"/model\"}}"));
		return 0;
	}
	if (!check_use(&config))
		return 0;
	plan_totals(&config);
	loaded = true;
	tally_keep();
	return &config;
}
