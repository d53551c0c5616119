/* scripted: a view for tests that does what its events say.
 *
 * Fields    /script
 * Event     {"script":"set\ta\t1\ncopy\ta\tb"}: instructions, one a line, their parts
 *           separated by tabs
 *               set     KEY VALUE
 *               delete  KEY
 *               copy    KEY TO                       TO gets the value of KEY, or null
 *               scan    PREFIX AFTER LIMIT PAGE TO   TO gets the digest of the entries
 *               spin    N                            N million turns of an empty loop
 *               fail    TEXT
 *               trap
 *           An event without a script is ignored.
 * Question  get KEY, or scan PREFIX AFTER LIMIT PAGE, or fail TEXT; separated by tabs, not
 *           percent-encoded
 * Config    none
 *
 * The digest of entries is {"entries":2,"digest":"00000000000000000000"}: their number, and
 * the 64-bit FNV-1a of each key and value, each followed by a zero byte. */

#include "../../../views/c/tally.h"

__attribute__((import_module("tally"), import_name("delete"))) void import_delete(const char *key, uint32_t key_len);

/* Takes what stands before the separator, or all that is left. */
static tally_text until(tally_text *text, char separator) {
	tally_text part = *text;
	for (part.len = 0; part.len < text->len && text->at[part.len] != separator; part.len++) {
	}
	uint32_t skip = part.len < text->len ? part.len + 1 : part.len;
	text->at += skip;
	text->len -= skip;
	return part;
}

static uint32_t number(tally_text text) {
	uint32_t n = 0;
	for (uint32_t i = 0; i < text.len; i++)
		n = n * 10 + (uint32_t)(text.at[i] - '0');
	return n;
}

static uint64_t hash(uint64_t h, tally_text text) {
	for (uint32_t i = 0; i < text.len; i++)
		h = (h ^ (uint8_t)text.at[i]) * 0x100000001b3u;
	return h * 0x100000001b3u; /* the zero byte */
}

static tally_text digest(tally_text *parts) {
	tally_scan scan = {.prefix = until(parts, '\t')};
	scan.after = until(parts, '\t');
	uint32_t limit = number(until(parts, '\t'));
	scan.page = number(until(parts, '\t'));
	uint64_t h = 0xcbf29ce484222325u;
	uint32_t entries = 0;
	tally_text key, value;
	while (entries < limit && tally_scan_next(&scan, &key, &value)) {
		h = hash(hash(h, key), value);
		entries++;
	}
	tally_out out = tally_out_new(64);
	tally_put(&out, TALLY_TEXT("{\"entries\":"));
	tally_put_padded(&out, entries, 1);
	tally_put(&out, TALLY_TEXT(",\"digest\":\""));
	tally_put_padded(&out, h, 20);
	tally_put(&out, TALLY_TEXT("\"}"));
	return tally_out_text(&out);
}

static tally_text value_or_null(tally_text key) {
	tally_text value;
	return tally_get(key, &value) ? value : TALLY_TEXT("null");
}

static void spin(uint32_t millions) {
	for (uint32_t i = 0; i < millions * 1000000; i++)
		__asm__ volatile("");
}

static int32_t perform(tally_text line) {
	tally_text name = until(&line, '\t');
	if (tally_equal(name, TALLY_TEXT("set"))) {
		tally_text key = until(&line, '\t');
		tally_set(key, line);
	} else if (tally_equal(name, TALLY_TEXT("delete"))) {
		import_delete(line.at, line.len);
	} else if (tally_equal(name, TALLY_TEXT("copy"))) {
		tally_text key = until(&line, '\t');
		tally_set(line, value_or_null(key));
	} else if (tally_equal(name, TALLY_TEXT("scan"))) {
		tally_text found = digest(&line);
		tally_set(line, found);
	} else if (tally_equal(name, TALLY_TEXT("spin"))) {
		spin(number(line));
	} else if (tally_equal(name, TALLY_TEXT("trap"))) {
		__builtin_trap();
	} else {
		return tally_fail(line);
	}
	return TALLY_APPLIED;
}

int64_t view_fields(void) {
	if (!tally_equal(tally_config(), TALLY_TEXT("{}")))
		return tally_fail(TALLY_TEXT("the scripted view takes no configuration"));
	return tally_answer(TALLY_TEXT("/script"));
}

int32_t view_fold(const tally_event *event) {
	tally_text script = event->slot[0].text;
	if (event->slot[0].kind != TALLY_STRING)
		return TALLY_IGNORED;
	while (script.len > 0)
		if (perform(until(&script, '\n')) != TALLY_APPLIED)
			return TALLY_FAILED;
	return TALLY_APPLIED;
}

int64_t view_query(tally_text query) {
	tally_text name = until(&query, '\t');
	if (tally_equal(name, TALLY_TEXT("get")))
		return tally_answer(value_or_null(query));
	if (tally_equal(name, TALLY_TEXT("scan")))
		return tally_answer(digest(&query));
	return tally_fail(query);
}
