#include "page.h"

typedef struct page {
	reading reading;
	writing writing;
	tally_out scope;    /* the groups that are being read */
	bool whole;         /* all groups are read at once, and have been */
	uint32_t passed;    /* rows that offset leaves out, so far */
	position last;      /* where the page ends */
	tally_out last_key; /* the text of last's group */
	bool moved;         /* it is another than where the page began */
	bool more;          /* rows may follow */
	uint64_t uncounted;
} page;

static void end_at(page *page, tally_text group, bool timed, int64_t start) {
	page->last_key.len = 0;
	tally_put(&page->last_key, group);
	page->last = (position){.given = true, .timed = timed, .group = tally_out_text(&page->last_key), .start = start};
	page->moved = true;
}

/* Goes to where the page begins. */
static void go_to_start(page *page) {
	const meter_query *q = page->reading.q;
	walk *total = &page->reading.total;
	position after = q->after;
	uint32_t groups = 0;
	if (!after.given || q->depth == 0)
		return;
	for (uint32_t i = 0; i < after.group.len; i++)
		groups += after.group.at[i] == '/';
	if (after.timed)
		walk_to(total, after.group);
	else if (groups == page->reading.config->groups.len)
		walk_skip_group(total, after.group);
	else
		walk_past(total, after.group);
}

/* The page may end behind the last group that was passed over, for nothing of it
 * was asked for: but for the group that was found. */
static void end_behind_passed(page *page, tally_text found) {
	tally_text passed = tally_out_text(&page->reading.total.passed);
	if (passed.len > 0 && !tally_equal(passed, found))
		end_at(page, passed, false, 0);
}

/* Finds the next groups to read, which the page's scope says. */
static outcome find_scope(page *page) {
	const meter_query *q = page->reading.q;
	walk *total = &page->reading.total;
	finding found;
	if (q->depth == 0) {
		outcome first = page->whole ? NOTHING_LEFT : DONE;
		page->whole = true;
		return first;
	}
	total->passed.len = 0;
	while (walk_next(total, &found)) {
		if (!passes(q, found.group)) {
			walk_skip_group(total, found.group);
			if (!is_spent(&page->reading.effort))
				continue;
			end_behind_passed(page, TALLY_TEXT(""));
			return TOO_LARGE;
		}
		end_behind_passed(page, found.group);
		walk_hold(total, &found);
		tally_text rest = found.group, value;
		for (uint32_t i = 0; i < q->depth; i++)
			take_value(&rest, &value);
		page->scope.len = 0;
		tally_put(&page->scope, (tally_text){found.group.at, found.group.len - rest.len});
		return DONE;
	}
	if (total->exhausted) {
		end_behind_passed(page, found.part < total->from ? found.group : TALLY_TEXT(""));
		return TOO_LARGE;
	}
	if (!total->broken)
		return NOTHING_LEFT;
	tally_fail_totals(total->key);
	return REFUSED;
}

/* Whether a row was on an earlier page. */
static bool is_behind(const meter_query *q, const row *row) {
	const position *after = &q->after;
	if (!after->given || row->group == 0)
		return false;
	if (!tally_equal(row->group->key, after->group))
		return tally_less(row->group->key, after->group) && q->depth == 0;
	return !after->timed || row->start <= after->start;
}

/* Writes the rows of a scope. NOTHING_LEFT where the page has no room for all. */
static outcome write_rows(page *page, row_list rows, uint64_t uncounted) {
	const meter_query *q = page->reading.q;
	bool by_offset = false, counted = q->after.given && q->depth == 0; /* on the first page */
	if (q->depth > 0 && q->after.timed && tally_equal(tally_out_text(&page->scope), q->after.group))
		counted = true;
	for (uint32_t i = 0; i < rows.len; i++) {
		row *row = rows.at[i];
		if (is_behind(q, row))
			continue;
		if (page->passed < q->offset) {
			page->passed++;
			by_offset = true;
			continue;
		}
		if ((q->limited && page->writing.rows == q->limit) || is_spent(&page->reading.effort) || !write_row(&page->writing, row)) {
			page->more = true;
			return NOTHING_LEFT;
		}
		page->reading.effort.used += page->writing.row_gas;
		page->uncounted += counted ? 0 : uncounted;
		counted = true;
		if (row->group != 0)
			end_at(page, row->group->key, q->windowed, row->start);
	}
	page->uncounted += counted || by_offset || page->passed < q->offset ? 0 : uncounted;
	return DONE;
}

/* Reads and writes until the page is full. DONE where it is, or nothing is left. */
static outcome fill(page *page) {
	const meter_query *q = page->reading.q;
	for (;;) {
		uint64_t uncounted = 0;
		row_list rows;
		outcome came = find_scope(page);
		if (came != DONE)
			return came == NOTHING_LEFT ? DONE : came;
		void *mark = tally_mark();
		came = gather_rows(&page->reading, tally_out_text(&page->scope), &rows, &uncounted);
		if (came != DONE)
			return came;
		came = write_rows(page, rows, uncounted);
		if (came != DONE)
			return DONE;
		if (q->depth == 0)
			continue;
		tally_release(mark);
		end_at(page, tally_out_text(&page->scope), false, 0);
	}
}

static int32_t fail_too_large(const meter_query *q) {
	if (q->offset > 0)
		return tally_fail(TALLY_TEXT("offset passes over more than one question can read: go on with after, the next of the page before"));
	return tally_fail(TALLY_TEXT("the question needs more memory or gas than one may take: ask for a shorter stretch, longer "
	                             "windows, a value of a group, or for the first names of group_by in the view's configuration, "
	                             "which are read page by page"));
}

int64_t answer(const configuration *config, const meter_query *q) {
	page *page = tally_room(sizeof *page);
	*page = (struct page){.scope = tally_out_new(TALLY_KEY_BYTES), .last_key = tally_out_new(TALLY_KEY_BYTES)};
	if (!start_reading(&page->reading, config, q))
		return TALLY_FAILED;
	page->writing = writing_new(config, q);
	outcome came = DONE;
	if (!q->after.given && q->offset == 0)
		came = count_ungrouped(&page->reading, &page->uncounted);
	go_to_start(page);
	if (came == DONE)
		came = fill(page);
	if (came == TOO_LARGE && page->moved && page->passed == q->offset) {
		page->more = true;
		came = DONE;
	}
	if (came == TOO_LARGE)
		return fail_too_large(q);
	if (came == REFUSED)
		return TALLY_FAILED;
	bool counts = is_asked(q, PICK_COUNT) || is_asked(q, PICK_UNIQUE);
	if (page->writing.rows == 0 && page->passed == 0 && counts && !q->windowed && q->groups_len == 0)
		write_row(&page->writing, empty_row(&page->reading));
	return finish(&page->writing, page->uncounted, page->more ? &page->last : 0);
}
