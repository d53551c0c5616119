#include "walk.h"

enum {
	FIRST_PAGE = 32, /* keys; after a jump few may be wanted */
	LAST_PAGE = 1024,
};

walk walk_new(tally_text family, tally_text group, uint32_t groups, int64_t from, int64_t to) {
	tally_out prefix = tally_out_new(family.len + group.len);
	tally_put(&prefix, family);
	tally_put(&prefix, group);
	return (walk){
		.family = family, .groups = groups, .from = from, .to = to,
		.scan = {.prefix = tally_out_text(&prefix), .frugal = true},
		.page = FIRST_PAGE,
		.group = tally_out_new(TALLY_KEY_BYTES),
		.target = tally_out_new(TALLY_KEY_BYTES + PART_BYTES),
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
	walk->target.len = 0;
	tally_put(&walk->target, walk->family);
	tally_put(&walk->target, group);
	tally_put(&walk->target, place);
	tally_scan_seek(&walk->scan, tally_out_text(&walk->target));
	if (walk->scan.rest.len == 0)
		walk->page = FIRST_PAGE;
}

/* Parts start with a digit, before : in byte order. */
void walk_skip_group(walk *walk, tally_text group) {
	jump(walk, group, TALLY_TEXT(":"));
}

/* Behind all keys of the last part that may start before from: what follows a
 * part is nothing or /, before 0 in byte order. */
static void skip_to_from(walk *walk, tally_text group) {
	tally_out place = tally_out_new(PART_BYTES + 1);
	put_utc(&place, walk->from - 1);
	tally_put_char(&place, '0');
	jump(walk, group, tally_out_text(&place));
}

bool walk_next(walk *walk, finding *found) {
	tally_text key;
	for (;;) {
		if (walk->scan.rest.len == 0) {
			walk->scan.page = walk->page;
			walk->page = walk->page < LAST_PAGE ? walk->page * 2 : LAST_PAGE;
		}
		if (!tally_scan_next(&walk->scan, &key, &found->value))
			return false;
		walk->key = key;
		if (!take_key(walk, key, found)) {
			walk->broken = true;
			return false;
		}
		if (found->part < walk->from)
			skip_to_from(walk, found->group);
		else if (found->part >= walk->to)
			walk_skip_group(walk, found->group);
		else
			return true;
	}
}
