/* The ABI's side of the kit: exports, imports, memory and texts. */

#include "abi.h"

#define IMPORT(name) __attribute__((import_module("tally"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

IMPORT(get_into) int32_t import_get_into(const char *key, uint32_t key_len, char *room, uint32_t room_len);
IMPORT(set) void import_set(const char *key, uint32_t key_len, const char *value, uint32_t value_len);
IMPORT(delete) void import_delete(const char *key, uint32_t key_len);
IMPORT(scan) int64_t import_scan(const char *prefix, uint32_t prefix_len, const char *after, uint32_t after_len, uint32_t limit);
IMPORT(config) int64_t import_config(void);
IMPORT(content_type) void import_content_type(const char *at, uint32_t len);
IMPORT(fail) void import_fail(const char *at, uint32_t len);
IMPORT(answer) void import_answer(const char *at, uint32_t len);
IMPORT(retry_after) void import_retry_after(int32_t seconds);

/* ---- Memory ---- */

#ifndef TALLY_EVENT_BYTES
#define TALLY_EVENT_BYTES 24576 /* a batch of some eighty events; a single larger one goes where tally_alloc says */
#endif

enum {
	PAGE_BYTES = 65536,
	MEMORY_BYTES = 64 << 20, /* docs/abi.md */
	ALIGNMENT = 8, /* what docs/abi.md promises of tally_alloc */
	EVENT_BYTES = TALLY_EVENT_BYTES,
	VALUE_BYTES = 512, /* most values are smaller; for larger ones the server is asked twice */
};

extern unsigned char __heap_base; /* set by the linker: the first free byte */

static uintptr_t kept; /* where each call starts handing out; 0 before the first */
static uintptr_t top;

uintptr_t tally_bottom(void) {
	return kept ? kept : (uintptr_t)&__heap_base;
}

static __attribute__((noinline)) void grow(uint64_t bytes) {
	if (__builtin_wasm_memory_grow(0, (uintptr_t)((bytes + PAGE_BYTES - 1) / PAGE_BYTES)) == (uintptr_t)-1)
		__builtin_trap();
}

void *tally_room(uint32_t n) {
	uintptr_t at = ((top ? top : tally_bottom()) + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
	uint64_t end = (uint64_t)at + n;
	uint64_t have = (uint64_t)__builtin_wasm_memory_size(0) * PAGE_BYTES;
	if (end > have)
		grow(end - have);
	top = (uintptr_t)end;
	return (void *)at;
}

void *tally_mark(void) {
	return tally_room(0);
}

void tally_release(void *mark) {
	top = (uintptr_t)mark;
}

uint32_t tally_room_left(void) {
	return MEMORY_BYTES - (uint32_t)(top ? top : tally_bottom());
}

void tally_keep(void) {
	kept = top;
}

static void release(void) {
	top = kept;
}

void tally_release_event(void) {
	top = tally_batch.bottom > kept ? tally_batch.bottom : kept;
}

/* ---- Exports ---- */

tally_text tally_lent;

EXPORT(tally_alloc) void *tally_alloc(uint32_t n) {
	if (n <= tally_lent.len)
		return (void *)(uintptr_t)tally_lent.at;
	return tally_room(n);
}

EXPORT(tally_event_room) int64_t tally_event_room(void) {
	static _Alignas(ALIGNMENT) char room[EVENT_BYTES];
	return tally_answer((tally_text){room, sizeof room});
}

EXPORT(tally_fields) int64_t tally_fields(void) {
	int64_t result = view_fields();
	release();
	return result;
}

EXPORT(tally_fold) int32_t tally_fold(const tally_event *event) {
	int32_t result = view_fold(event);
	release();
	return result;
}

/* Exported by TALLY_GUARD, where a view says so. */
int32_t tally_run_guard(const tally_event *event, int32_t (*guard)(const tally_event *event)) {
	int32_t result = guard(event);
	release();
	return result;
}

EXPORT(tally_query) int64_t tally_query(const char *at, uint32_t len) {
	int64_t result = view_query((tally_text){at, len});
	release();
	return result;
}

/* ---- Imports ---- */

static tally_text unpack(int64_t pair) {
	uint64_t bits = (uint64_t)pair;
	return (tally_text){(const char *)(uintptr_t)(bits >> 32), (uint32_t)bits};
}

int64_t tally_answer(tally_text text) {
	return (int64_t)((uint64_t)(uintptr_t)text.at << 32 | text.len);
}

void tally_content_type(tally_text type) {
	import_content_type(type.at, type.len);
}

void tally_guard_answer(tally_text json) {
	import_answer(json.at, json.len);
}

void tally_retry_after(int64_t seconds) {
	enum { MOST_SECONDS = 31622400 }; /* docs/abi.md */
	import_retry_after(seconds < 1 ? 1 : seconds > MOST_SECONDS ? MOST_SECONDS : (int32_t)seconds);
}

int32_t tally_fail(tally_text reason) {
	import_fail(reason.at, reason.len);
	return TALLY_FAILED;
}

int32_t tally_fail_shown(tally_text before, tally_text shown, tally_text after) {
	tally_out out = tally_out_new(256);
	tally_put(&out, before);
	tally_put_shown(&out, shown);
	tally_put(&out, after);
	return tally_fail(tally_out_text(&out));
}

bool tally_read(tally_text key, tally_text *value) {
	uint32_t room = VALUE_BYTES;
	char *at = tally_room(room);
	int32_t len = import_get_into(key.at, key.len, at, room);
	if (len < 0)
		return false;
	if ((uint32_t)len > room) {
		at = tally_room((uint32_t)len);
		import_get_into(key.at, key.len, at, (uint32_t)len);
	}
	*value = (tally_text){at, (uint32_t)len};
	return true;
}

void tally_write(tally_text key, tally_text value) {
	import_set(key.at, key.len, value.at, value.len);
}

bool tally_get(tally_text key, tally_text *value) {
	if (tally_batch.on)
		tally_batch_forget(key);
	return tally_read(key, value);
}

void tally_set(tally_text key, tally_text value) {
	if (tally_batch.on)
		tally_batch_forget(key);
	tally_write(key, value);
}

void tally_delete(tally_text key) {
	if (tally_batch.on)
		tally_batch_forget(key);
	import_delete(key.at, key.len);
}

tally_text tally_config(void) {
	return unpack(import_config());
}

tally_text tally_scan_page(const tally_scan *scan) {
	if (tally_batch.on)
		tally_batch_write();
	return unpack(import_scan(scan->prefix.at, scan->prefix.len, scan->after.at, scan->after.len, scan->page));
}

static tally_text take(tally_text *bytes, uint32_t n) {
	tally_text taken = {bytes->at, n};
	bytes->at += n;
	bytes->len -= n;
	return taken;
}

/* ---- Texts ---- */

bool tally_equal(tally_text a, tally_text b) {
	return tally_equal_inline(a, b);
}

bool tally_less(tally_text a, tally_text b) {
	uint32_t i = 0, len = a.len < b.len ? a.len : b.len;
	for (; i + 8 <= len; i += 8) {
		uint64_t left, right;
		__builtin_memcpy(&left, a.at + i, 8);
		__builtin_memcpy(&right, b.at + i, 8);
		if (left != right)
			break;
	}
	for (; i < len; i++)
		if (a.at[i] != b.at[i])
			return (unsigned char)a.at[i] < (unsigned char)b.at[i];
	return a.len < b.len;
}

/* The bytes of the well-formed UTF-8 sequence that starts text, or 0. */
static uint32_t sequence_bytes(tally_text text) {
	const unsigned char *at = (const unsigned char *)text.at;
	unsigned char lead = at[0], low = 0x80, high = 0xBF;
	uint32_t len;
	if (lead < 0x80)
		return 1;
	if (lead < 0xC2 || lead > 0xF4)
		return 0;
	len = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	if (lead == 0xE0)
		low = 0xA0; /* shorter forms exist below */
	if (lead == 0xED)
		high = 0x9F; /* surrogates above */
	if (lead == 0xF0)
		low = 0x90;
	if (lead == 0xF4)
		high = 0x8F; /* beyond U+10FFFF above */
	if (text.len < len || at[1] < low || at[1] > high)
		return 0;
	for (uint32_t i = 2; i < len; i++)
		if (at[i] < 0x80 || at[i] > 0xBF)
			return 0;
	return len;
}

bool tally_is_utf8(tally_text text) {
	while (text.len > 0) {
		uint32_t n = sequence_bytes(text);
		if (n == 0)
			return false;
		take(&text, n);
	}
	return true;
}

tally_out tally_out_new(uint32_t room) {
	return (tally_out){.at = tally_room(room), .room = room};
}

tally_text tally_out_text(const tally_out *out) {
	return (tally_text){out->at, out->len};
}

/* Copies n bytes, size to 2 * size, as two pieces that may overlap. */
static inline void copy_overlapping(char *to, const char *from, uint32_t n, uint32_t size) {
	uint64_t head[2], tail[2]; /* as much as a piece may have */
	__builtin_memcpy(head, from, size);
	__builtin_memcpy(tail, from + n - size, size);
	__builtin_memcpy(to, head, size);
	__builtin_memcpy(to + n - size, tail, size);
}

/* Texts are short and written in every fold: those up to 32 bytes go piece by
 * piece, for a memory.copy takes longer than that. */
static void copy(char *to, const char *from, uint32_t n) {
	if (n > 32)
		__builtin_memcpy(to, from, n);
	else if (n >= 16)
		copy_overlapping(to, from, n, 16);
	else if (n >= 8)
		copy_overlapping(to, from, n, 8);
	else if (n >= 4)
		copy_overlapping(to, from, n, 4);
	else
		while (n-- > 0)
			*to++ = *from++;
}

static __attribute__((noinline)) void enlarge(tally_out *out, uint32_t n) {
	uint32_t room = out->room * 2 + n;
	char *at = tally_room(room);
	copy(at, out->at, out->len);
	out->at = at;
	out->room = room;
}

static void need(tally_out *out, uint32_t n) {
	if (out->room - out->len < n)
		enlarge(out, n);
}

void tally_put(tally_out *out, tally_text text) {
	need(out, text.len);
	copy(out->at + out->len, text.at, text.len);
	out->len += text.len;
}

void tally_put_char(tally_out *out, char c) {
	need(out, 1);
	out->at[out->len++] = c;
}

/* Writes n backwards from `at`, two digits a step; where it starts. The
 * multiplication is n / 100 for every 32-bit n: a compiler to WebAssembly
 * leaves the division standing, at a dozen times the cost. */
static char *put_small(char *at, uint32_t n) {
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
		"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";
	while (n > 9) {
		uint32_t hundreds = (uint32_t)(((uint64_t)n * 0x51EB851F) >> 37);
		at -= 2;
		__builtin_memcpy(at, pairs + 2 * (n - hundreds * 100), 2);
		n = hundreds;
	}
	if (n > 0)
		*--at = (char)('0' + n);
	return at;
}

void tally_put_padded(tally_out *out, uint64_t n, uint32_t digits) {
	enum { MOST_DIGITS = 20, CHUNK_DIGITS = 9, CHUNK = 1000000000 };
	char buffer[MOST_DIGITS], *end = buffer + MOST_DIGITS, *at = end;
	for (uint32_t chunk_end = MOST_DIGITS; n >= CHUNK; n /= CHUNK) {
		at = put_small(at, (uint32_t)(n % CHUNK));
		chunk_end -= CHUNK_DIGITS;
		while (at > buffer + chunk_end)
			*--at = '0';
	}
	at = put_small(at, (uint32_t)n);
	while (end - at < (int32_t)digits)
		*--at = '0';
	tally_put(out, (tally_text){at, (uint32_t)(end - at)});
}

static void put_string(tally_out *out, tally_text text, tally_text nul) {
	static const char hex[] = "0123456789abcdef";
	tally_put_char(out, '"');
	for (uint32_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		if (c == 0) {
			tally_put(out, nul);
			continue;
		}
		if (c < 0x20) {
			tally_put(out, TALLY_TEXT("\\u00"));
			tally_put_char(out, hex[c >> 4]);
			tally_put_char(out, hex[c & 15]);
			continue;
		}
		if (c == '"' || c == '\\')
			tally_put_char(out, '\\');
		tally_put_char(out, (char)c);
	}
	tally_put_char(out, '"');
}

void tally_put_string(tally_out *out, tally_text text) {
	put_string(out, text, TALLY_TEXT("\xEF\xBF\xBD")); /* U+FFFD */
}

void tally_put_exact_string(tally_out *out, tally_text text) {
	put_string(out, text, TALLY_TEXT("\\u0000"));
}

void tally_put_shown(tally_out *out, tally_text text) {
	enum { SHOWN_BYTES = 60 }; /* enough to recognise what was sent */
	tally_put_char(out, '"');
	for (uint32_t shown = 0; text.len > 0; ) {
		uint32_t n = sequence_bytes(text);
		if (shown + n > SHOWN_BYTES) {
			tally_put(out, TALLY_TEXT("..."));
			break;
		}
		if (n == 0 || (unsigned char)text.at[0] < 0x20) {
			take(&text, 1);
			tally_put_char(out, '?');
			shown++;
			continue;
		}
		tally_put(out, take(&text, n));
		shown += n;
	}
	tally_put_char(out, '"');
}
