#include "rows.h"
#include "walk.h"

/* The rows that an entry of the state belongs to, and what they are found by. */
typedef struct {
	const configuration *config;
	const question *asked;
	bool sketches; /* rows need them */
	table groups;
	table rows;
	table uniques;

	/* Of the last entry: neighbours share their group, and often the windows. */
	tally_out last_group;
	bool has_group;
	row_group *group; /* 0 where a filter leaves it out */
	row *row;         /* where there is one window for all that is of the group */
	stretch windows[MOST_ROLLING];
	uint32_t windows_len;

	/* The parts that were met. */
	bool any;
	int64_t first;
	int64_t last;
} gathering;

/* Whether there is room to go on; the answer and the tables' growth need some
 * too. */
static bool has_room(void) {
	enum { RESERVE_BYTES = 16 << 20 };
	return tally_room_left() > RESERVE_BYTES ||
	       tally_fail(TALLY_TEXT("the question needs more memory than a view has: ask for a shorter stretch, fewer groups or longer "
	                             "windows")) != TALLY_FAILED;
}

static bool wants(const question *asked, pick_kind kind) {
	for (uint32_t i = 0; i < asked->picks.len; i++)
		if (asked->picks.at[i].kind == kind)
			return true;
	return false;
}

/* ---- Groups ---- */

static bool same_text(tally_text a, tally_text b) {
	return (a.at == 0) == (b.at == 0) && tally_equal(a, b);
}

/* Whether the filters leave the group in: of a name's several values one must
 * be the group's. */
static bool passes(const question *asked, const tally_text *values, uint32_t len) {
	for (uint32_t group = 0; group < len; group++) {
		bool filtered = false, met = false;
		for (const filter *filter = asked->filters; filter != 0; filter = filter->next)
			if (filter->group == group) {
				filtered = true;
				met = met || same_text(filter->value, values[group]);
			}
		if (filtered && !met)
			return false;
	}
	return true;
}

static row_group *find_group(gathering *all, const tally_text *values) {
	const question *asked = all->asked;
	uint64_t hash = 0;
	for (uint32_t i = 0; i < asked->groups_len; i++)
		hash = hash_text(hash * 31 + (values[asked->groups[i]].at == 0), values[asked->groups[i]]);
	for (entry *at = table_first(&all->groups, hash); at != 0; at = at->next) {
		row_group *group = (row_group *)at;
		uint32_t same = 0;
		while (same < asked->groups_len && same_text(group->values[same], values[asked->groups[same]]))
			same++;
		if (at->hash == hash && same == asked->groups_len)
			return group;
	}
	row_group *added = tally_room((uint32_t)sizeof *added + asked->groups_len * (uint32_t)sizeof *values);
	added->entry.hash = hash;
	for (uint32_t i = 0; i < asked->groups_len; i++)
		added->values[i] = values[asked->groups[i]];
	table_add(&all->groups, &added->entry);
	return added;
}

/* Takes the group that an entry of the state belongs to. */
static void enter_group(gathering *all, tally_text encoded) {
	tally_text values[MOST_GROUPS], last = tally_out_text(&all->last_group);
	if (all->has_group && tally_equal(last, encoded))
		return;
	all->has_group = true;
	all->last_group.len = 0;
	tally_put(&all->last_group, encoded);
	uint32_t start = 0, n = 0;
	for (uint32_t i = 0; i < encoded.len; i++)
		if (encoded.at[i] == '/') {
			values[n++] = group_value((tally_text){encoded.at + start, i - start});
			start = i + 1;
		}
	all->row = 0;
	all->group = passes(all->asked, values, n) ? find_group(all, values) : 0;
}

/* ---- Windows ---- */

/* Takes the windows of the rows that count a part: with rolling, its own and
 * those after it. */
static void enter_windows(gathering *all, int64_t part) {
	const question *asked = all->asked;
	stretch *first = &all->windows[0];
	if (all->windows_len > 0 && part >= first->start && part < first->end)
		return;
	all->row = 0;
	all->windows_len = asked->rolling;
	*first = asked->windowed ? window_at(&asked->windows, part) : (stretch){-ZONE_EVER, ZONE_EVER};
	for (uint32_t i = 1; i < asked->rolling; i++)
		all->windows[i] = window_at(&asked->windows, all->windows[i - 1].end);
}

/* ---- Rows ---- */

static row *row_new(const gathering *all, row_group *group, stretch window) {
	const configuration *config = all->config;
	row *made = tally_room((uint32_t)sizeof *made + config->totals_len * (uint32_t)sizeof *made->totals);
	*made = (row){.group = group, .window = window, .sketch = all->sketches ? sketch_new() : 0};
	for (uint32_t i = 0; i < config->totals_len; i++)
		tally_set_decimal(&made->totals[i], 0);
	return made;
}

static row *find_row(gathering *all, stretch window) {
	uint64_t hash = all->group->entry.hash * 31 + (uint64_t)window.start * 0x9E3779B97F4A7C15;
	hash ^= hash >> 32;
	for (entry *at = table_first(&all->rows, hash); at != 0; at = at->next) {
		row *found = (row *)at;
		if (found->group == all->group && found->window.start == window.start)
			return found;
	}
	if (!has_room())
		return 0;
	row *added = row_new(all, all->group, window);
	added->entry.hash = hash;
	table_add(&all->rows, &added->entry);
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

static bool add_total(gathering *all, row *row, const walk *walk, const finding *found) {
	tally_decimal part[TOTALS];
	if (!tally_parse_totals(found->value, all->config->around, part, all->config->totals_len))
		return tally_fail_totals(walk->key) != TALLY_FAILED;
	return merge(all->config, row->totals, part) || tally_fail_overflow(walk->key) != TALLY_FAILED;
}

static bool add_sketch(gathering *all, row *row, const walk *walk, const finding *found) {
	(void)all;
	return has_room() && (sketch_add(row->sketch, found->rest, found->value) || tally_fail_totals(walk->key) != TALLY_FAILED);
}

/* A unique value that a row has counted. */
typedef struct {
	entry entry;
	row *row;
	tally_text value;
} unique;

static bool add_unique(gathering *all, row *row, const walk *walk, const finding *found) {
	(void)walk;
	uint64_t hash = hash_text(row->entry.hash, found->rest);
	for (entry *at = table_first(&all->uniques, hash); at != 0; at = at->next) {
		unique *known = (unique *)at;
		if (at->hash == hash && known->row == row && tally_equal(known->value, found->rest))
			return true;
	}
	if (!has_room())
		return false;
	unique *added = tally_room(sizeof *added);
	tally_out value = tally_out_new(found->rest.len);
	tally_put(&value, found->rest);
	*added = (unique){.entry = {.hash = hash}, .row = row, .value = tally_out_text(&value)};
	table_add(&all->uniques, &added->entry);
	row->unique++;
	return true;
}

/* ---- Walking the state ---- */

typedef bool add_finding(gathering *all, row *row, const walk *walk, const finding *found);

static void note_part(gathering *all, int64_t part) {
	all->first = !all->any || part < all->first ? part : all->first;
	all->last = !all->any || part > all->last ? part : all->last;
	all->any = true;
}

/* Adds what was found to each of its rows. */
static bool add_to_rows(gathering *all, const walk *walk, const finding *found, add_finding *add) {
	const question *asked = all->asked;
	for (uint32_t i = 0; i < all->windows_len; i++) {
		stretch window = all->windows[i];
		if (asked->rolling > 1 && (window.start < asked->from || window.start >= asked->to))
			continue;
		row *row = all->row != 0 ? all->row : find_row(all, window);
		if (row == 0 || !add(all, row, walk, found))
			return false;
		all->row = all->windows_len == 1 ? row : 0;
	}
	return true;
}

/* The values that all groups must start with, as they stand in keys. */
static tally_text first_values(const gathering *all) {
	tally_out out = tally_out_new(TALLY_KEY_BYTES);
	for (uint32_t group = 0; group < all->config->groups_len; group++) {
		const filter *only = 0;
		uint32_t len = out.len, filters = 0;
		for (const filter *filter = all->asked->filters; filter != 0; filter = filter->next)
			if (filter->group == group) {
				only = filter;
				filters++;
			}
		if (filters != 1 || !tally_is_utf8(only->value))
			break;
		put_group(&out, only->value);
		tally_put_char(&out, '/');
		if (out.len > PLACE_BYTES) {
			out.len = len; /* no key has it */
			break;
		}
	}
	return tally_out_text(&out);
}

static bool gather_family(gathering *all, tally_text family, add_finding *add) {
	const question *asked = all->asked;
	walk walk = walk_new(family, first_values(all), all->config->groups_len, covered_from(asked, asked->from), asked->to);
	finding found;
	while (walk_next(&walk, &found)) {
		enter_group(all, found.group);
		if (all->group == 0) {
			walk_skip_group(&walk, found.group);
			continue;
		}
		note_part(all, found.part);
		enter_windows(all, found.part);
		if (!add_to_rows(all, &walk, &found, add))
			return false;
	}
	return !walk.broken || tally_fail_totals(walk.key) != TALLY_FAILED;
}

/* ---- Sorting ---- */

static bool comes_before(const question *asked, const row *a, const row *b) {
	if (a->window.start != b->window.start)
		return a->window.start < b->window.start;
	for (uint32_t i = 0; i < asked->groups_len; i++) {
		tally_text left = a->group->values[i], right = b->group->values[i];
		if (!same_text(left, right))
			return left.at == 0 || (right.at != 0 && tally_less(left, right));
	}
	return false;
}

static void sort(const question *asked, row_list *rows) {
	row **from = rows->at, **to = tally_room(rows->len * (uint32_t)sizeof *to);
	for (uint32_t run = 1; run < rows->len; run *= 2) {
		for (uint32_t start = 0; start < rows->len; start += 2 * run) {
			uint32_t middle = start + run < rows->len ? start + run : rows->len;
			uint32_t end = middle + run < rows->len ? middle + run : rows->len;
			for (uint32_t out = start, a = start, b = middle; out < end; out++)
				to[out] = a < middle && (b == end || !comes_before(asked, from[b], from[a])) ? from[a++] : from[b++];
		}
		row **swapped = from;
		from = to;
		to = swapped;
	}
	rows->at = from;
}

/* ---- Together ---- */

/* A row is left out where it has nothing of what was asked for. */
static bool has_answer(const gathering *all, const row *row) {
	if (wants(all->asked, PICK_COUNT) || wants(all->asked, PICK_UNIQUE))
		return true;
	return !tally_is_zero(&row->totals[all->config->place[TOTAL_VALUES]]);
}

static void list_rows(const gathering *all, row_list *rows) {
	rows->at = tally_room((all->rows.len + 1) * (uint32_t)sizeof *rows->at);
	for (uint32_t i = 0; i < all->rows.size; i++)
		for (entry *at = all->rows.slots[i]; at != 0; at = at->next)
			if (has_answer(all, (row *)at))
				rows->at[rows->len++] = (row *)at;
	bool countable = wants(all->asked, PICK_COUNT) || wants(all->asked, PICK_UNIQUE);
	if (rows->len == 0 && countable && !all->asked->windowed && all->asked->groups_len == 0)
		rows->at[rows->len++] = row_new(all, 0, (stretch){-ZONE_EVER, ZONE_EVER});
}

/* Makes each row's window the stretch that it covers: with rolling, earlier
 * windows too, and else no more than was asked for. */
static void show_covered(const question *asked, row_list *rows) {
	for (uint32_t i = 0; i < rows->len; i++) {
		stretch *window = &rows->at[i]->window;
		if (asked->rolling > 1)
			window->start = covered_from(asked, window->start);
		else if (window->start < asked->from)
			window->start = asked->from;
		if (window->end > asked->to)
			window->end = asked->to;
	}
}

bool gather_rows(const configuration *config, const question *asked, row_list *rows) {
	gathering *all = tally_room(sizeof *all);
	*all = (gathering){.config = config, .asked = asked, .sketches = wants(asked, PICK_PERCENTILE), .last_group = tally_out_new(TALLY_KEY_BYTES)};
	*rows = (row_list){0};
	if (!gather_family(all, TALLY_TEXT("total/"), add_total) ||
	    (all->sketches && !gather_family(all, TALLY_TEXT("sketch/"), add_sketch)) ||
	    (wants(asked, PICK_UNIQUE) && !gather_family(all, TALLY_TEXT("unique/"), add_unique)))
		return false;
	int64_t from = asked->starts ? covered_from(asked, asked->from) : all->first;
	int64_t to = asked->ends ? asked->to : window_at(&config->parts, all->last).end;
	if (!check_windows(config, asked, from, to))
		return false;
	list_rows(all, rows);
	sort(asked, rows);
	show_covered(asked, rows);
	return true;
}
