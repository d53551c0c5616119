/* Credits. An account has its grants, in the order in which they are burnt down,
 * and what is overdrawn. It is
 *
 *     {"sequence":7,"overdrawn":0,"held":0,"uncharged":0,"over":0,"open":1,"holds":1,"lapses":1740824130000000,
 *      "grants":[{"grant":"promo","sequence":1,"priority":100,"effective":1740823530000000,"expires":1743465600000000,
 *                 "amount":10,"left":5,"held":2,"used":3,"lapsed":0,"changes":4}]}
 *
 * with times in microseconds since 1970. Guard, fold and question work on it in
 * memory in the same way; the fold alone writes what has become of it. */

#ifndef QUOTA_ACCOUNT_H
#define QUOTA_ACCOUNT_H

#include "quota.h"

typedef struct {
	tally_text name; /* as it stands in keys */
	int64_t sequence;
	int64_t priority;
	int64_t effective;
	int64_t expires;  /* or NEVER */
	tally_text scope; /* JSON: a list of values as they stand in keys; none: for everything */
	bool recurs;
	span span;        /* of a recurring grant */
	int64_t until;    /* when it ends, or its period does */
	bool started;     /* it has taken effect */
	bool revoked;
	tally_decimal amount; /* of a period, where it recurs; and so are left, used and lapsed */
	tally_decimal left;
	tally_decimal held; /* by reservations */
	tally_decimal used;
	tally_decimal lapsed; /* what was left at the end */
	int64_t changes;
	uint32_t latest; /* of the account's changes in memory, from 1 */
} grant;

/* Something that became of a grant, for its history. */
typedef struct {
	tally_text grant;
	int64_t n; /* the grant's changes before it */
	int64_t at;
	int64_t sequence;
	tally_text what;
	tally_decimal amount;
	tally_decimal left;
} change;

/* What a reservation holds of a grant: in its period that lasts until then. */
typedef struct {
	int64_t grant;
	int64_t until;
	tally_decimal amount;
} hold;

typedef struct {
	tally_text name; /* as it stands in keys */
	int64_t sequence;
	int64_t at;
	int64_t lapses;
	tally_text scope; /* of the event that reserved, as it stands in keys */
	tally_decimal amount;
	hold *holds;
	uint32_t len;
	tally_decimal overdrawn; /* what it holds beyond all grants */
	tally_text key;          /* under lapse/ */
} reservation;

/* One that has run out. */
typedef struct lapse lapse;

struct lapse {
	lapse *next;
	tally_text key;
	tally_text name;
};

typedef struct {
	const configuration *config;
	tally_text place; /* the values of its group, each with / after it */
	tally_text key;
	int64_t now;      /* microseconds */
	int64_t sequence; /* of the event at hand */
	grant *grants[MOST_GRANTS + 1];
	uint32_t len;
	tally_decimal overdrawn; /* used beyond all grants */
	tally_decimal held;      /* reserved beyond all grants */
	tally_decimal uncharged; /* above reservations, where these are a cap */
	int64_t over;            /* events that were admitted although credits had run out */
	int64_t open;            /* reservations */
	int64_t holds;           /* of all of them */
	int64_t lapses;          /* none runs out before */
	int64_t forgets;         /* no name is forgotten before */
	change *changes;
	uint32_t changes_len;
	uint32_t changes_room;
	lapse *lapsed; /* reservations that have run out by now */
} account;

/* ---- State ---- */

/* Reads an account and does all that is due by `now`, in the order of its times.
 * False if tally_fail was called. */
bool load_account(const configuration *config, tally_text place, int64_t now, int64_t sequence, account *read);

/* Writes what has become of it. */
void store_account(account *account);

/* Writes how a reservation of this name has come to its end. */
void store_closed(account *account, tally_text name, tally_text how);

/* Parts of the state's values. */
void put_grant(tally_out *out, const grant *grant);
bool read_grant(tally_text source, grant *read);
void put_change(tally_out *out, const change *change);

/* `holds` has room for what a reservation holds of MOST_GRANTS. */
bool read_reservation(tally_text source, hold *holds, reservation *read);
hold *room_for_holds(void);


/* Keys: family + account + name. */
tally_text account_key(tally_text family, const account *account, tally_text name);
tally_text time_key(tally_text family, const account *account, int64_t time, tally_text name);
tally_text history_key(const account *account, tally_text grant, int64_t place);

/* ---- What becomes of an account ---- */

/* Whether a grant may be used at a time, and by what has a scope. */
bool is_usable(const grant *grant, int64_t now);
bool covers(const grant *grant, tally_text scope);

/* What usage of a scope may take, without the overdraft. */
tally_decimal credits_left(const account *account, tally_text scope);

/* What is left of all grants that are in effect, less what is overdrawn. */
tally_decimal balance(const account *account);

/* Whether an amount goes beyond the grants of its scope and the overdraft. */
bool is_beyond(const account *account, tally_text scope, const tally_decimal *amount);

/* Adds a grant, in its place. */
void add_grant(account *account, const grant *added);

void revoke_grant(account *account, grant *revoked);

/* Takes an amount of the grants, and what is left of it beyond them. */
void burn(account *account, tally_text scope, const tally_decimal *amount, tally_text what);

/* The same for a reservation, whose holds it sets. */
void reserve(account *account, reservation *made);

/* Gives back what a reservation holds. */
void release(account *account, const reservation *reservation);

/* Uses so much of a reservation, which must not be more than it has, and gives
 * back the rest. */
void charge_reservation(account *account, const reservation *reservation, const tally_decimal *amount);

/* Brings the account to `now`, in the order of time: grants take effect, recur
 * and end, reservations run out, and what is overdrawn is paid. Part of load_account. */
void advance(account *account);

/* Whether a grant has come to its end with nothing that may still come back. */
bool is_closed(const grant *grant, int64_t now);

/* Whether a grant is burnt down before another. */
bool comes_before(const grant *a, const grant *b);

grant *find_grant(const account *account, tally_text name);

#endif
