#include "walk.h"

enum {
	FIRST_PAGE = 32, /* keys; after a jump few may be wanted */
	LAST_PAGE = 1024,
	PAGE_BYTES = 1 << 20, /* the most that the server answers at once: docs/abi.md */

	/* Of the least entry: two lengths, the shortest family, a part. */
	ENTRY_BYTES = 8 + 6 + PART_BYTES,
};

walk walk_new(tally_text family, const text_list *starts, uint32_t groups, int64_t from, int64_t to, effort *effort) {
	return (walk){
		.family = family, .groups = groups, .from = from, .to = to, .starts = starts,
		.scan = {.frugal = true, .room = {tally_room(PAGE_BYTES), PAGE_BYTES}},
		.page = FIRST_PAGE,
		.prefix = tally_out_new(2 * TALLY_KEY_BYTES),
		.group = tally_out_new(TALLY_KEY_BYTES),
		.target = tally_out_new(2 * TALLY_KEY_BYTES),
		.passed = tally_out_new(TALLY_KEY_BYTES),
		.effort = effort,
	};
}

/* Where the group ends that starts at `start` in a key. Most keys have that of
 * the one before. */
static uint32_t end_of_group(walk *walk, tally_text key, uint32_t start) {
	tally_text last = tally_out_text(&walk->group);
	uint32_t at = start;
	if (last.len > 0 && key.len >= start + last.len && tally_equal(last, (tally_text){key.at + start, last.len}))
		return start + last.len;
	for (uint32_t seen = 0; seen < walk->groups; seen++) {
		while (at < key.len && key.at[at] != '/')
			at++;
		at++;
	}
	if (at <= key.len) {
		walk->group.len = 0;
		tally_put(&walk->group, (tally_text){key.at + start, at - start});
	}
	return at;
}

static bool take_key(walk *walk, tally_text key, finding *found) {
	uint32_t start = walk->family.len, at = end_of_group(walk, key, start);
	if (at > key.len)
		return false;
	found->group = (tally_text){key.at + start, at - start};
	tally_text behind = {key.at + at, key.len - at};
	if (!take_part(behind, &found->part))
		return false;
	uint32_t rest = behind.len > PART_BYTES ? PART_BYTES + 1 : PART_BYTES;
	found->rest = (tally_text){behind.at + rest, behind.len - rest};
	return true;
}

/* Goes on behind family + group + place. */
static void jump(walk *walk, tally_text group, tally_text place) {
	enum { JUMP_GAS = 4000, PASSED_BYTE_GAS = 20 };
	uint32_t before = walk->scan.rest.len;
	walk->target.len = 0;
	tally_put(&walk->target, walk->family);
	tally_put(&walk->target, group);
	tally_put(&walk->target, place);
	tally_scan_seek(&walk->scan, tally_out_text(&walk->target));
	walk->effort->used += JUMP_GAS + (int64_t)(before - walk->scan.rest.len) * PASSED_BYTE_GAS;
	if (walk->scan.rest.len == 0)
		walk->page = FIRST_PAGE;
}

static void note_passed(walk *walk, tally_text group) {
	walk->passed.len = 0;
	tally_put(&walk->passed, group);
}

/* Parts start with a digit, before : in byte order. */
void walk_skip_group(walk *walk, tally_text group) {
	note_passed(walk, group);
	jump(walk, group, TALLY_TEXT(":"));
}

void walk_to(walk *walk, tally_text scope) {
	jump(walk, scope, TALLY_TEXT(""));
}

/* 0 follows / in byte order, and no key ends with it there. */
void walk_past(walk *walk, tally_text scope) {
	jump(walk, (tally_text){scope.at, scope.len - 1}, TALLY_TEXT("0"));
}

/* Behind all keys of the last part that may start before from: what follows a
 * part is nothing or /, before 0 in byte order. */
static void skip_to_from(walk *walk, tally_text group) {
	char text[PART_BYTES + 1];
	tally_out place = {text, 0, sizeof text};
	put_utc(&place, walk->from - 1);
	tally_put_char(&place, '0');
	note_passed(walk, group);
	jump(walk, group, tally_out_text(&place));
}

/* Counts what a page takes. */
static void count_page(walk *walk, uint32_t bytes) {
	enum { SCAN_GAS = 20000, ENTRY_GAS = 500, BYTE_GAS = 2 }; /* docs/abi.md */
	uint32_t entries = bytes / ENTRY_BYTES < walk->scan.page ? bytes / ENTRY_BYTES : walk->scan.page;
	walk->effort->used += SCAN_GAS + entries * ENTRY_GAS + (int64_t)bytes * BYTE_GAS;
}

/* Takes the next key, whatever it is. */
static bool next_key(walk *walk, tally_text *key, tally_text *value) {
	for (;;) {
		bool turns = walk->scan.rest.len == 0;
		if (turns) {
			walk->scan.page = walk->page;
			walk->page = walk->page < LAST_PAGE ? walk->page * 2 : LAST_PAGE;
		}
		if (walk->start > 0 && tally_scan_next(&walk->scan, key, value)) {
			if (turns)
				count_page(walk, walk->scan.rest.len + key->len + value->len);
			return true;
		}
		if (walk->start > 0)
			count_page(walk, 0);
		walk->ended = walk->start == walk->starts->len;
		if (walk->ended)
			return false;
		walk->prefix.len = 0;
		tally_put(&walk->prefix, walk->family);
		tally_put(&walk->prefix, walk->starts->at[walk->start++]);
		walk->scan.prefix = tally_out_text(&walk->prefix); /* what it is behind already is before all of these */
		walk->page = FIRST_PAGE;
	}
}

/* Takes the next finding, of whatever time. */
static bool next_finding(walk *walk, finding *found) {
	tally_text key;
	if (walk->held) {
		walk->held = false;
		*found = walk->last;
		return true;
	}
	if (walk->ended || !next_key(walk, &key, &found->value))
		return false;
	walk->key = key;
	walk->broken = !take_key(walk, key, found);
	return !walk->broken;
}

static bool is_within(const walk *walk, const finding *found) {
	return found->part >= walk->from && found->part < walk->to;
}

/* Passes over a part that is not within the time. */
static void pass_over(walk *walk, const finding *found) {
	if (found->part < walk->from)
		skip_to_from(walk, found->group);
	else
		walk_skip_group(walk, found->group);
}

bool walk_next(walk *walk, finding *found) {
	while (next_finding(walk, found)) {
		if (is_within(walk, found))
			return true;
		walk->exhausted = is_spent(walk->effort);
		if (walk->exhausted)
			return false;
		pass_over(walk, found);
	}
	return false;
}

void walk_hold(walk *walk, const finding *found) {
	walk->last = *found;
	walk->held = true;
}

bool walk_next_in(walk *walk, tally_text scope, finding *found) {
	while (next_finding(walk, found)) {
		bool inside = found->group.len >= scope.len && tally_equal((tally_text){found->group.at, scope.len}, scope);
		if (!inside && !tally_less(found->group, scope)) {
			walk_hold(walk, found);
			return false;
		}
		walk->exhausted = is_spent(walk->effort);
		if (walk->exhausted)
			return false;
		if (!inside)
			walk_to(walk, scope);
		else if (is_within(walk, found))
			return true;
		else
			pass_over(walk, found);
	}
	return false;
}
