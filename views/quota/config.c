/* Reading the configuration. Each refusal names the member, what it is and what
 * would do. */

#include "quota.h"

const tally_text measure_names[MEASURES] = {
	TALLY_STATIC_TEXT("count"), TALLY_STATIC_TEXT("sum"), TALLY_STATIC_TEXT("unique"),
};

static const tally_text over_names[OVERS] = {
	TALLY_STATIC_TEXT("charge"), TALLY_STATIC_TEXT("cap"), TALLY_STATIC_TEXT("refuse"),
};

static const tally_text kind_names[EVENT_USAGE] = {
	TALLY_STATIC_TEXT("grant"), TALLY_STATIC_TEXT("revoke"), TALLY_STATIC_TEXT("reserve"), TALLY_STATIC_TEXT("settle"),
	TALLY_STATIC_TEXT("release"),
};

static const tally_text field_names[CREDIT_FIELDS] = {
	TALLY_STATIC_TEXT("amount"),      TALLY_STATIC_TEXT("grant"), TALLY_STATIC_TEXT("priority"),  TALLY_STATIC_TEXT("effective"),
	TALLY_STATIC_TEXT("expires"),     TALLY_STATIC_TEXT("scope"), TALLY_STATIC_TEXT("recurring"),
	TALLY_STATIC_TEXT("reservation"), TALLY_STATIC_TEXT("ttl"),
};

/* ---- Members of both parts ---- */

static bool read_choice(tally_text member, tally_text source, const tally_text *names, uint32_t n, tally_text why, uint32_t *chosen) {
	tally_text name;
	if (tally_string(source, &name))
		for (*chosen = 0; *chosen < n; ++*chosen)
			if (tally_equal(name, names[*chosen]))
				return true;
	return refuse_member(member, source, why);
}

static bool read_bool(tally_text member, tally_text source, bool *value) {
	*value = tally_equal(source, TALLY_TEXT("true"));
	return *value || tally_equal(source, TALLY_TEXT("false")) || refuse_member(member, source, TALLY_TEXT(", which is not true or false"));
}

static bool read_whole(tally_text member, tally_text source, int64_t least, int64_t most, int64_t *n) {
	if (read_integer(source, n) && *n >= least && *n <= most)
		return true;
	tally_out why = tally_out_new(128);
	tally_put(&why, TALLY_TEXT(", which is not a whole number from "));
	tally_put_padded(&why, (uint64_t)least, 1);
	tally_put(&why, TALLY_TEXT(" to "));
	tally_put_padded(&why, (uint64_t)most, 1);
	return refuse_member(member, source, tally_out_text(&why));
}

/* Reads a decimal that is not negative, as a number or a string. */
static bool read_decimal(tally_text member, tally_text source, tally_decimal *n) {
	tally_text text = source;
	if (source.at[0] == '"' && !tally_string(source, &text))
		text = (tally_text){0};
	return (tally_parse_input(text, n) && !n->negative) ||
	       refuse_member(member, source,
	                     TALLY_TEXT(", which is not a decimal from 0 on with up to 45 digits before the point and 27 after it, like "
	                                "\"1000\""));
}

static bool read_zone(tally_text source, tally_text *name, const zone_entry **zone) {
	*zone = tally_string(source, name) ? zone_find(*name) : 0;
	return *zone != 0 || refuse_member(TALLY_TEXT("timezone"), source,
	                                   TALLY_TEXT(", which is not the name of an IANA time zone like \"UTC\" or \"America/Los_Angeles\""));
}

/* Names of groups are also names of parameters of a query. */
static bool is_taken(tally_text name) {
	static const tally_text taken[] = {
		TALLY_STATIC_TEXT("show"),  TALLY_STATIC_TEXT("at"),      TALLY_STATIC_TEXT("name"),  TALLY_STATIC_TEXT("grant"),
		TALLY_STATIC_TEXT("scope"), TALLY_STATIC_TEXT("limit"),   TALLY_STATIC_TEXT("after"), TALLY_STATIC_TEXT("closed"),
		TALLY_STATIC_TEXT("missing"),
	};
	for (uint32_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (tally_equal(name, taken[i]))
			return true;
	return false;
}

static bool read_group_by(configuration *config, tally_text source, group_list *groups) {
	return read_groups(&config->fields, source, is_taken, TALLY_TEXT("is no parameter of a question"), groups);
}

/* ---- Limits ---- */

static bool read_limit_member(configuration *config, limit *limit, tally_text name, tally_text value, bool *limited) {
	static const char aggregations[] = ", which is not \"count\", \"sum\" or \"unique\"";
	static const char windows[] =
		", which is not \"minute\", \"hour\", \"day\", \"week\", \"month\", \"quarter\" or \"year\"";
	uint32_t chosen;
	if (tally_equal(name, TALLY_TEXT("name")))
		return (tally_string(value, &limit->name) && is_name(limit->name)) ||
		       refuse_member(name, value, TALLY_TEXT(", which is not a name of 1 to 64 letters, digits, _, - and ."));
	if (tally_equal(name, TALLY_TEXT("type")))
		return read_types(&config->fields, value, &limit->types);
	if (tally_equal(name, TALLY_TEXT("where")))
		return read_conditions(&config->fields, value, &limit->conditions);
	if (tally_equal(name, TALLY_TEXT("aggregation"))) {
		bool read = read_choice(name, value, measure_names, MEASURES, TALLY_TEXT(aggregations), &chosen);
		limit->measure = (measure)chosen;
		return read;
	}
	if (tally_equal(name, TALLY_TEXT("value")))
		return add_field(&config->fields, name, value, &limit->value);
	if (tally_equal(name, TALLY_TEXT("group_by")))
		return read_group_by(config, value, &limit->groups);
	if (tally_equal(name, TALLY_TEXT("window"))) {
		bool read = read_choice(name, value, span_names, SPANS, TALLY_TEXT(windows), &chosen);
		limit->windows.span = (span)chosen;
		return read && (chosen != SPAN_QUARTER_HOUR || refuse_member(name, value, TALLY_TEXT(windows)));
	}
	if (tally_equal(name, TALLY_TEXT("timezone")))
		return read_zone(value, &limit->zone_name, &limit->windows.zone);
	if (tally_equal(name, TALLY_TEXT("rolling")))
		return read_bool(name, value, &limit->rolling);
	if (tally_equal(name, TALLY_TEXT("limit"))) {
		*limited = true;
		return read_decimal(name, value, &limit->most);
	}
	if (tally_equal(name, TALLY_TEXT("soft")))
		return read_bool(name, value, &limit->soft);
	return refuse(TALLY_TEXT("config: a limit has the unknown member "), name,
	              TALLY_TEXT(": it knows name, type, where, aggregation, value, group_by, window, timezone, rolling, limit and soft"));
}

static bool check_limit(const configuration *config, const limit *limit, bool windowed, bool limited) {
	if (limit->name.len == 0 || !windowed || !limited)
		return tally_fail(TALLY_TEXT("config: a limit needs a name, a window and a limit, like "
		                             "{\"name\":\"calls\",\"window\":\"month\",\"limit\":1000}")) != TALLY_FAILED;
	if ((limit->measure != MEASURE_COUNT) != (limit->value != NO_FIELD))
		return refuse(TALLY_TEXT("config: the limit "), limit->name,
		              TALLY_TEXT(" needs a value, a JSON Pointer like \"/tokens\", if its aggregation is sum or unique, and only then"));
	if (limit->rolling && limit->zone_name.len > 0)
		return refuse(TALLY_TEXT("config: the limit "), limit->name,
		              TALLY_TEXT(" is rolling and has a timezone, which would mean nothing"));
	for (uint32_t i = 0; i + 1 < config->limits_len; i++)
		if (tally_equal(config->limits[i].name, limit->name))
			return refuse(TALLY_TEXT("config: limits has the name "), limit->name, TALLY_TEXT(" twice"));
	return true;
}

static bool read_limit(configuration *config, tally_text source) {
	tally_text name, value;
	bool windowed = false, limited = false;
	limit *read = &config->limits[config->limits_len++];
	*read = (limit){.types = {.field = NO_FIELD}, .value = NO_FIELD};
	tally_members members = tally_object(source);
	while (tally_member_next(&members, &name, &value)) {
		windowed = windowed || tally_equal(name, TALLY_TEXT("window"));
		if (!read_limit_member(config, read, name, value, &limited))
			return false;
	}
	if (members.broken)
		return refuse_member(TALLY_TEXT("limits"), source,
		                     TALLY_TEXT(", which is not a limit like {\"name\":\"calls\",\"window\":\"month\",\"limit\":1000}"));
	if (!check_limit(config, read, windowed, limited))
		return false;
	if (read->zone_name.len == 0) {
		read->zone_name = TALLY_TEXT("UTC");
		read->windows.zone = zone_find(read->zone_name);
	}
	return true;
}

static bool read_limits(configuration *config, tally_text source) {
	tally_text element;
	config->limits_len = 0;
	tally_members elements = tally_array(source);
	while (tally_element_next(&elements, &element)) {
		if (config->limits_len == MOST_LIMITS)
			return tally_fail(TALLY_TEXT("config: limits has more than 16 limits")) != TALLY_FAILED;
		if (!read_limit(config, element))
			return false;
	}
	return !elements.broken ||
	       refuse_member(TALLY_TEXT("limits"), source,
	                     TALLY_TEXT(", which is not a list of limits like [{\"name\":\"calls\",\"window\":\"month\",\"limit\":1000}]"));
}

/* ---- Credits ---- */

static uint32_t find_name(tally_text name, const tally_text *names, uint32_t n) {
	uint32_t i = 0;
	while (i < n && !tally_equal(names[i], name))
		i++;
	return i;
}

/* What the events are called. */
static bool read_kinds(credits_config *credits, tally_text source) {
	tally_text name, value;
	tally_members members = tally_object(source);
	while (tally_member_next(&members, &name, &value)) {
		uint32_t kind = find_name(name, kind_names, EVENT_USAGE);
		if (kind == EVENT_USAGE)
			return refuse(TALLY_TEXT("config: events has the unknown member "), name,
			              TALLY_TEXT(": it knows grant, revoke, reserve, settle and release"));
		if (!tally_string(value, &credits->kinds[kind]))
			return refuse_member(TALLY_TEXT("events"), value, TALLY_TEXT(", which is not a type like \"credits.granted\""));
	}
	for (uint32_t i = 0; i < EVENT_USAGE; i++)
		if (find_name(credits->kinds[i], credits->kinds, EVENT_USAGE) != i)
			return refuse(TALLY_TEXT("config: events has the type "), credits->kinds[i], TALLY_TEXT(" for two kinds of events"));
	return !members.broken || refuse_member(TALLY_TEXT("events"), source,
	                                        TALLY_TEXT(", which is not an object like {\"grant\":\"credits.granted\"}"));
}

static bool read_field_names(tally_text source, tally_text *pointers) {
	tally_text name, value;
	tally_members members = tally_object(source);
	while (tally_member_next(&members, &name, &value)) {
		uint32_t field = find_name(name, field_names, CREDIT_FIELDS);
		if (field == CREDIT_FIELDS)
			return refuse(TALLY_TEXT("config: fields has the unknown member "), name,
			              TALLY_TEXT(": it knows amount, grant, priority, effective, expires, scope, recurring, reservation and ttl"));
		pointers[field] = value;
	}
	return !members.broken || refuse_member(TALLY_TEXT("fields"), source,
	                                        TALLY_TEXT(", which is not an object like {\"amount\":\"/data/amount\"}"));
}

static bool read_credits_member(configuration *config, tally_text name, tally_text value, tally_text *pointers) {
	credits_config *credits = &config->credits;
	uint32_t chosen;
	int64_t n;
	if (tally_equal(name, TALLY_TEXT("type")))
		return read_types(&config->fields, value, &credits->types);
	if (tally_equal(name, TALLY_TEXT("where")))
		return read_conditions(&config->fields, value, &credits->conditions);
	if (tally_equal(name, TALLY_TEXT("value")))
		return add_field(&config->fields, name, value, &credits->value);
	if (tally_equal(name, TALLY_TEXT("scope")))
		return add_field(&config->fields, name, value, &credits->scope);
	if (tally_equal(name, TALLY_TEXT("group_by")))
		return read_group_by(config, value, &credits->groups);
	if (tally_equal(name, TALLY_TEXT("timezone")))
		return read_zone(value, &credits->zone_name, &credits->zone);
	if (tally_equal(name, TALLY_TEXT("overdraft")))
		return read_decimal(name, value, &credits->overdraft);
	if (tally_equal(name, TALLY_TEXT("soft")))
		return read_bool(name, value, &credits->soft);
	if (tally_equal(name, TALLY_TEXT("over_reservation"))) {
		bool read = read_choice(name, value, over_names, OVERS, TALLY_TEXT(", which is not \"charge\", \"cap\" or \"refuse\""), &chosen);
		credits->over = (over_policy)chosen;
		return read;
	}
	if (tally_equal(name, TALLY_TEXT("ttl")))
		return read_whole(name, value, 1, MOST_TTL_SECONDS, &credits->ttl);
	if (tally_equal(name, TALLY_TEXT("remember")))
		return read_whole(name, value, 0, MOST_TTL_SECONDS, &credits->remember);
	if (tally_equal(name, TALLY_TEXT("history"))) {
		bool read = read_whole(name, value, 0, MOST_HISTORY, &n);
		credits->history = (uint32_t)n;
		return read;
	}
	if (tally_equal(name, TALLY_TEXT("events")))
		return read_kinds(credits, value);
	if (tally_equal(name, TALLY_TEXT("fields")))
		return read_field_names(value, pointers);
	return refuse(TALLY_TEXT("config: credits has the unknown member "), name,
	              TALLY_TEXT(": it knows type, where, value, scope, group_by, timezone, overdraft, soft, over_reservation, ttl, remember, "
	                         "history, events and fields"));
}

static bool read_credits(configuration *config, tally_text source) {
	tally_text name, value, pointers[CREDIT_FIELDS] = {{0}};
	tally_members members = tally_object(source);
	config->has_credits = true;
	while (tally_member_next(&members, &name, &value))
		if (!read_credits_member(config, name, value, pointers))
			return false;
	if (config->credits.zone == 0) {
		config->credits.zone_name = TALLY_TEXT("UTC");
		config->credits.zone = zone_find(config->credits.zone_name);
	}
	if (members.broken || config->credits.value == NO_FIELD)
		return refuse_member(TALLY_TEXT("credits"), source,
		                     TALLY_TEXT(", which is not an object with the value that usage takes, like {\"value\":\"/cost\"}"));
	for (uint32_t i = 0; i < CREDIT_FIELDS; i++) {
		tally_text pointer = pointers[i].len > 0 ? pointers[i] : join(TALLY_TEXT("\"/"), field_names[i], TALLY_TEXT("\""), TALLY_TEXT(""));
		if (!add_field(&config->fields, TALLY_TEXT("fields"), pointer, &config->credits.field[i]))
			return false;
	}
	return add_field(&config->fields, TALLY_TEXT("type"), TALLY_TEXT("\"/type\""), &config->type);
}

/* ---- The whole ---- */

static bool read_member(configuration *config, tally_text name, tally_text value) {
	if (tally_equal(name, TALLY_TEXT("limits")))
		return read_limits(config, value);
	if (tally_equal(name, TALLY_TEXT("credits")))
		return read_credits(config, value);
	return refuse(TALLY_TEXT("config: unknown member "), name, TALLY_TEXT(": this view knows limits and credits"));
}

const configuration *load_configuration(void) {
	static configuration config;
	static bool loaded;
	tally_text name, value;
	if (loaded)
		return &config;
	__builtin_memset(&config, 0, sizeof config);
	config.type = NO_FIELD;
	config.credits = (credits_config){
		.types = {.field = NO_FIELD}, .value = NO_FIELD, .scope = NO_FIELD,
				.ttl = DEFAULT_TTL_SECONDS, .remember = DEFAULT_REMEMBER_SECONDS, .history = DEFAULT_HISTORY,
	};
	for (uint32_t kind = 0; kind < EVENT_USAGE; kind++)
		config.credits.kinds[kind] = kind_names[kind];
	tally_members members = tally_object(tally_config());
	while (tally_member_next(&members, &name, &value))
		if (!read_member(&config, name, value))
			return 0;
	if (members.broken || (config.limits_len == 0 && !config.has_credits)) {
		tally_fail(TALLY_TEXT("config is not an object with limits, credits or both, like "
		                      "{\"limits\":[{\"name\":\"calls\",\"window\":\"month\",\"limit\":1000}]}"));
		return 0;
	}
	loaded = true;
	tally_keep();
	return &config;
}
