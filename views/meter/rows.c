#include "rows.h"

/* The rows of a scope, and what they are found by. */
typedef struct {
	reading *reading;
	table groups;
	table rows;
	table uniques;
	row *first;
	row *newest;

	/* Of the last entry: neighbours share their group, and often the windows. */
	tally_out last_group;
	tally_out row_key; /* room for a row_group's */
	bool has_group;
	row_group *group; /* 0 if a filter leaves it out */
	row *row;         /* where there is one window for all that is of the group */
	stretch windows[MOST_ROLLING];
	uint32_t windows_len;
} gathering;

/* What a query takes beside reading, in units of gas, at the most. Measured,
 * and held by a test. */
enum {
	FINDING_GAS = 1500,
	BYTE_GAS = 75, /* of a value */
	REST_BYTE_GAS = 18,
	SCOPE_GAS = 5000,
	ROW_GAS = 2500,
	SKETCH_ROW_GAS = 12000,
};

/* ---- Limits ---- */

/* Whether there is room to go on; the growth of tables and the sorting need some
 * too. */
static bool has_room(void) {
	enum { RESERVE_BYTES = 12 << 20 };
	return tally_room_left() > RESERVE_BYTES;
}

bool is_asked(const meter_query *q, pick_kind kind) {
	for (uint32_t i = 0; i < q->picks.len; i++)
		if (q->picks.at[i].kind == kind)
			return true;
	return false;
}

/* ---- Groups ---- */

/* Writes the values that a row is told apart by. */
static tally_text row_key_of(gathering *all, const tally_text *values) {
	const meter_query *q = all->reading->q;
	all->row_key.len = 0;
	for (uint32_t i = 0; i < q->groups_len; i++) {
		tally_put(&all->row_key, values[q->ordered[i]]);
		tally_put_char(&all->row_key, '/');
	}
	return tally_out_text(&all->row_key);
}

static row_group *new_group(const meter_query *q, tally_text key) {
	row_group *made = tally_room((uint32_t)sizeof *made + q->groups_len * (uint32_t)sizeof *made->values);
	tally_out copy = tally_out_new(key.len);
	tally_put(&copy, key);
	made->key = tally_out_text(&copy);
	tally_text rest = made->key, value;
	for (uint32_t i = 0; take_value(&rest, &value); i++)
		for (uint32_t at = 0; at < q->groups_len; at++)
			if (q->groups[at] == q->ordered[i])
				made->values[at] = value;
	return made;
}

static row_group *find_group(gathering *all, const tally_text *values) {
	tally_text key = row_key_of(all, values);
	uint64_t hash = hash_text(0, key);
	for (entry *at = table_first(&all->groups, hash); at != 0; at = at->next)
		if (at->hash == hash && tally_equal(((row_group *)at)->key, key))
			return (row_group *)at;
	row_group *added = new_group(all->reading->q, key);
	added->entry.hash = hash;
	table_add(&all->groups, &added->entry);
	return added;
}

/* Takes the group that an entry of the state belongs to. */
static void enter_group(gathering *all, tally_text group) {
	tally_text values[MOST_GROUPS], rest = group;
	if (all->has_group && tally_equal(tally_out_text(&all->last_group), group))
		return;
	all->has_group = true;
	all->last_group.len = 0;
	tally_put(&all->last_group, group);
	for (uint32_t n = 0; take_value(&rest, &values[n]); n++)
		;
	all->row = 0;
	all->group = passes(all->reading->q, group) ? find_group(all, values) : 0;
}

/* ---- Windows ---- */

/* Takes the windows of the rows that count a part: with rolling, its own and
 * those after it. */
static void enter_windows(gathering *all, int64_t part) {
	const meter_query *q = all->reading->q;
	stretch *first = &all->windows[0];
	if (all->windows_len > 0 && part >= first->start && part < first->end)
		return;
	all->row = 0;
	all->windows_len = q->rolling;
	*first = q->windowed ? window_at(&q->windows, part) : (stretch){-ZONE_EVER, ZONE_EVER};
	for (uint32_t i = 1; i < q->rolling; i++)
		all->windows[i] = window_at(&q->windows, all->windows[i - 1].end);
}

/* Whether the windows are made of whole parts as far as parts were met; false
 * where tally_fail has been called. */
static bool check_part(reading *reading, int64_t part) {
	const meter_query *q = reading->q;
	int64_t first = reading->first, last = reading->last;
	if (!q->windowed || (reading->any && part >= first && part <= last))
		return true;
	int64_t end = window_at(&reading->config->parts, part).end;
	int64_t from = !reading->any || part < first ? part : last, to = reading->any && part < first ? first : end;
	reading->first = !reading->any || part < first ? part : first;
	reading->last = !reading->any || part > last ? part : last;
	reading->any = true;
	return check_windows(reading->config, q, from, to);
}

/* ---- Rows ---- */

static row *row_new(const reading *reading, row_group *group, stretch window) {
	const configuration *config = reading->config;
	row *made = tally_room((uint32_t)sizeof *made + config->totals_len * (uint32_t)sizeof *made->totals);
	*made = (row){.group = group, .start = window.start, .window = window, .sketch = reading->sketches ? sketch_new() : 0};
	for (uint32_t i = 0; i < config->totals_len; i++)
		tally_set_decimal(&made->totals[i], 0);
	return made;
}

row *empty_row(const reading *reading) {
	return row_new(reading, 0, (stretch){reading->q->from, reading->q->to});
}

static row *find_row(gathering *all, stretch window) {
	uint64_t hash = all->group->entry.hash * 31 + (uint64_t)window.start * 0x9E3779B97F4A7C15;
	hash ^= hash >> 32;
	for (entry *at = table_first(&all->rows, hash); at != 0; at = at->next) {
		row *found = (row *)at;
		if (found->group == all->group && found->start == window.start)
			return found;
	}
	row *added = row_new(all->reading, all->group, window);
	added->entry.hash = hash;
	table_add(&all->rows, &added->entry);
	if (all->newest == 0)
		all->first = added;
	else
		all->newest->next = added;
	all->newest = added;
	all->reading->effort.used += all->reading->sketches ? SKETCH_ROW_GAS : ROW_GAS;
	return added;
}

static bool is_later(const tally_decimal *time, const tally_decimal *sequence, const tally_decimal *than_time,
                     const tally_decimal *than_sequence) {
	int order = tally_compare(time, than_time);
	return order > 0 || (order == 0 && tally_compare(sequence, than_sequence) > 0);
}

/* Merges a part's totals into a row's; false on overflow. */
static bool merge(const configuration *config, tally_decimal *into, const tally_decimal *part) {
	const int32_t *place = config->place;
	if (place[TOTAL_VALUES] >= 0 && !tally_is_zero(&part[place[TOTAL_VALUES]])) {
		bool first = tally_is_zero(&into[place[TOTAL_VALUES]]);
		int32_t min = place[TOTAL_MIN], max = place[TOTAL_MAX], latest = place[TOTAL_LATEST];
		int32_t time = place[TOTAL_LATEST_TIME], sequence = place[TOTAL_LATEST_SEQUENCE];
		if (min >= 0 && (first || tally_compare(&part[min], &into[min]) < 0))
			into[min] = part[min];
		if (max >= 0 && (first || tally_compare(&part[max], &into[max]) > 0))
			into[max] = part[max];
		if (latest >= 0 && (first || is_later(&part[time], &part[sequence], &into[time], &into[sequence]))) {
			into[latest] = part[latest];
			into[time] = part[time];
			into[sequence] = part[sequence];
		}
		if (!tally_add(&into[place[TOTAL_VALUES]], &part[place[TOTAL_VALUES]]) ||
		    (place[TOTAL_SUM] >= 0 && !tally_add(&into[place[TOTAL_SUM]], &part[place[TOTAL_SUM]])))
			return false;
	}
	return tally_add(&into[place[TOTAL_COUNT]], &part[place[TOTAL_COUNT]]);
}

/* What a call of tally_fail comes to. */
static outcome refused(int32_t failed) {
	(void)failed;
	return REFUSED;
}

static outcome add_total(gathering *all, row *row, const walk *walk, const finding *found) {
	const configuration *config = all->reading->config;
	tally_decimal part[TOTALS];
	if (!tally_parse_totals(found->value, config->around, part, config->totals_len))
		return refused(tally_fail_totals(walk->key));
	return merge(config, row->totals, part) ? DONE : refused(tally_fail_overflow(walk->key));
}

static outcome add_sketch(gathering *all, row *row, const walk *walk, const finding *found) {
	(void)all;
	return sketch_add(row->sketch, found->rest, found->value) ? DONE : refused(tally_fail_totals(walk->key));
}

/* A unique value that a row has counted. */
typedef struct {
	entry entry;
	row *row;
	tally_text value;
} unique;

static outcome add_unique(gathering *all, row *row, const walk *walk, const finding *found) {
	(void)walk;
	uint64_t hash = hash_text(row->entry.hash, found->rest);
	for (entry *at = table_first(&all->uniques, hash); at != 0; at = at->next) {
		unique *known = (unique *)at;
		if (at->hash == hash && known->row == row && tally_equal(known->value, found->rest))
			return DONE;
	}
	unique *added = tally_room(sizeof *added);
	tally_out value = tally_out_new(found->rest.len);
	tally_put(&value, found->rest);
	*added = (unique){.entry = {.hash = hash}, .row = row, .value = tally_out_text(&value)};
	table_add(&all->uniques, &added->entry);
	row->unique++;
	return DONE;
}

/* ---- Reading ---- */

typedef outcome add_finding(gathering *all, row *row, const walk *walk, const finding *found);

/* Adds what was found to each of its rows. */
static outcome add_to_rows(gathering *all, const walk *walk, const finding *found, add_finding *add) {
	const meter_query *q = all->reading->q;
	for (uint32_t i = 0; i < all->windows_len; i++) {
		stretch window = all->windows[i];
		if (q->rolling > 1 && (window.start < q->from || window.start >= q->to))
			continue;
		if (!has_room())
			return TOO_LARGE;
		row *row = all->row != 0 ? all->row : find_row(all, window);
		outcome added = add(all, row, walk, found);
		if (added != DONE)
			return added;
		all->reading->effort.used += FINDING_GAS + (int64_t)found->value.len * BYTE_GAS + (int64_t)found->rest.len * REST_BYTE_GAS;
		all->row = all->windows_len == 1 ? row : 0;
	}
	return DONE;
}

static outcome finish_walk(const walk *walk) {
	return walk->broken ? refused(tally_fail_totals(walk->key)) : walk->exhausted ? TOO_LARGE : DONE;
}

static outcome gather_family(gathering *all, walk *walk, tally_text scope, add_finding *add) {
	finding found;
	while (walk_next_in(walk, scope, &found)) {
		enter_group(all, found.group);
		if (all->group == 0) {
			walk_skip_group(walk, found.group);
			continue;
		}
		if (!check_part(all->reading, found.part))
			return REFUSED;
		enter_windows(all, found.part);
		outcome added = add_to_rows(all, walk, &found, add);
		if (added != DONE)
			return added;
	}
	return finish_walk(walk);
}

static outcome count_walk(reading *reading, walk *walk, tally_text scope, bool filtered, uint64_t *count) {
	finding found;
	while (walk_next_in(walk, scope, &found)) {
		if (filtered && !passes(reading->q, found.group)) {
			walk_skip_group(walk, found.group);
			continue;
		}
		*count += sum_of_counts(found.value);
		reading->effort.used += FINDING_GAS + (int64_t)found.value.len * BYTE_GAS;
	}
	return finish_walk(walk);
}

/* ---- Together ---- */

/* A row is left out where it has nothing of what was asked for. */
static bool has_answer(const reading *reading, const row *row) {
	if (is_asked(reading->q, PICK_COUNT) || is_asked(reading->q, PICK_UNIQUE))
		return true;
	return !tally_is_zero(&row->totals[reading->config->place[TOTAL_VALUES]]);
}

static void list_rows(const gathering *all, row_list *rows) {
	rows->at = tally_room((all->rows.len + 1) * (uint32_t)sizeof *rows->at);
	rows->len = 0;
	for (row *made = all->first; made != 0; made = made->next)
		if (has_answer(all->reading, made))
			rows->at[rows->len++] = made;
}

/* Makes each row's window the stretch that it covers: with rolling, earlier
 * windows too, and else no more than was asked for. */
static void show_covered(const meter_query *q, row_list *rows) {
	for (uint32_t i = 0; i < rows->len; i++) {
		stretch *window = &rows->at[i]->window;
		if (q->rolling > 1)
			window->start = covered_from(q, window->start);
		else if (window->start < q->from)
			window->start = q->from;
		if (window->end > q->to)
			window->end = q->to;
	}
}

outcome gather_rows(reading *reading, tally_text scope, row_list *rows, uint64_t *uncounted) {
	gathering *all = tally_room(sizeof *all);
	reading->effort.used += SCOPE_GAS;
	*all = (gathering){.reading = reading, .last_group = tally_out_new(TALLY_KEY_BYTES), .row_key = tally_out_new(TALLY_KEY_BYTES)};
	outcome came = gather_family(all, &reading->total, scope, add_total);
	if (came == DONE && reading->sketches)
		came = gather_family(all, &reading->sketch, scope, add_sketch);
	if (came == DONE && reading->uniques)
		came = gather_family(all, &reading->unique, scope, add_unique);
	if (came == DONE)
		came = count_walk(reading, &reading->uncounted, scope, true, uncounted);
	if (came != DONE)
		return came;
	list_rows(all, rows);
	sort_rows(rows, &reading->effort);
	show_covered(reading->q, rows);
	return DONE;
}

outcome count_ungrouped(reading *reading, uint64_t *uncounted) {
	const meter_query *q = reading->q;
	tally_text all = TALLY_TEXT("");
	text_list starts = {&all, 1};
	walk walk = walk_new(TALLY_TEXT("ungrouped/"), &starts, 0, covered_from(q, q->from), q->to, &reading->effort);
	*uncounted += count_untimed();
	return count_walk(reading, &walk, all, false, uncounted);
}

/* ---- Beginning ---- */

bool start_reading(reading *reading, const configuration *config, const meter_query *q) {
	int64_t from = covered_from(q, q->from), to = q->to;
	*reading = (struct reading){
		.config = config, .q = q,
		.sketches = is_asked(q, PICK_PERCENTILE), .uniques = is_asked(q, PICK_UNIQUE),
		.starts = filtered_starts(config, q),
		.effort = {.limit = config->query_gas / 100 * 85}, /* writing, and what is not counted, takes the rest */
	};
	reading->total = walk_new(TALLY_TEXT("total/"), &reading->starts, config->groups.len, from, to, &reading->effort);
	reading->sketch = walk_new(TALLY_TEXT("sketch/"), &reading->starts, config->groups.len, from, to, &reading->effort);
	reading->unique = walk_new(TALLY_TEXT("unique/"), &reading->starts, config->groups.len, from, to, &reading->effort);
	reading->uncounted = walk_new(TALLY_TEXT("uncounted/"), &reading->starts, config->groups.len, from, to, &reading->effort);
	if (!q->starts || !q->ends)
		return true;
	reading->any = true;
	reading->first = from;
	reading->last = to;
	return check_windows(config, q, from, to);
}
