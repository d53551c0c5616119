"""Writes meter/zone_data.c: the IANA time zones as tables of C.

Reads the compiled zones of the PyPI package tzdata, which is pinned in
requirements.txt. Run by make; the output depends on that package alone. The
zone data is in the public domain (https://www.iana.org/time-zones).

Transitions before 1970 are left out: before its first one, a zone has the
offset that was in force at the start of 1970. Names of offsets and which of
them are summer time are left out too: nothing is ever written with them.
"""

import re
import struct
import sys
from importlib import resources

import tzdata

NO_RULE = 255
NUMBERS_A_LINE = 12


def read_zone(data):
    """The transitions of a TZif file of version 2 or later as (time, offset), its first offset, and its footer."""
    if data[:4] != b"TZif" or data[4:5] < b"2":
        raise ValueError("not a TZif file of version 2 or later")
    # The 32-bit block comes first and is skipped; the 64-bit one has the same shape with longer times.
    counts = struct.unpack(">6I", data[20:44])
    at = 44 + block_bytes(counts, 4)
    counts = struct.unpack(">6I", data[at + 20 : at + 44])
    _, _, _, transitions, kinds, _ = counts
    at += 44
    end = at + block_bytes(counts, 8)
    times = struct.unpack(f">{transitions}q", data[at : at + 8 * transitions])
    at += 8 * transitions
    kind_of = data[at : at + transitions]
    at += transitions
    offsets = [struct.unpack(">i", data[at + 6 * i : at + 6 * i + 4])[0] for i in range(kinds)]
    return [(t, offsets[k]) for t, k in zip(times, kind_of)], offsets[0], data[end:].strip().decode()


def block_bytes(counts, time_bytes):
    ut, std, leaps, transitions, kinds, abbreviation_bytes = counts
    return transitions * (time_bytes + 1) + kinds * 6 + abbreviation_bytes + leaps * (time_bytes + 4) + std + ut


def since_1970(transitions, first):
    """The offset at the start of 1970, and the later transitions that change it.

    The very last one is kept although it may not: a footer holds from there on.
    """
    kept, offset = [], first
    for i, (time, after) in enumerate(transitions):
        if time <= 0:
            first = offset = after
        elif after != offset or i == len(transitions) - 1:
            kept.append((time, after))
            offset = after
    return first, kept


OFFSET = r"(?:<[^>]+>|[A-Za-z]+)([-+]?[0-9:]+)"
DATE = r"M(\d+)\.(\d+)\.(\d+)(?:/([-+]?[0-9:]+))?"
FOOTER = re.compile(OFFSET + r"(?:(?:<[^>]+>|[A-Za-z]+)([-+]?[0-9:]+)?," + DATE + "," + DATE + ")?$")


def seconds(clock):
    sign = -1 if clock.startswith("-") else 1
    parts = [int(p) for p in clock.lstrip("+-").split(":")] + [0, 0]
    return sign * (parts[0] * 3600 + parts[1] * 60 + parts[2])


def read_footer(footer):
    """The rule for the time after the last transition, as C, or None where the offset stays."""
    match = FOOTER.match(footer)
    if not match:
        raise ValueError(f"a footer of a form that is not known: {footer}")
    std, dst, *dates = match.groups()
    if dates[0] is None:
        return None
    standard = -seconds(std)
    summer = -seconds(dst) if dst else standard + 3600
    starts, ends = dates[:4], dates[4:]
    # A date's time is in the offset that is left.
    return (summer, *change(starts, standard), standard, *change(ends, summer))


def change(date, offset_before):
    month, week, day, clock = date
    return int(month), int(week), int(day), seconds(clock or "2") - offset_before


def numbers(values):
    values = [str(v) for v in values]
    lines = [", ".join(values[i : i + NUMBERS_A_LINE]) for i in range(0, len(values), NUMBERS_A_LINE)]
    return "".join(f"\t{line},\n" for line in lines)


def main():
    root = resources.files("tzdata")
    names = sorted(root.joinpath("zones").read_text().split(), key=lambda name: name.encode())
    zones, zone_of, rules, transitions, offsets, entries = {}, [], [], [], set(), []
    for name in names:
        raw, first, footer = read_zone(root.joinpath("zoneinfo", *name.split("/")).read_bytes())
        first, kept = since_1970(raw, first)
        key = (first, tuple(kept), read_footer(footer))
        offsets |= {first, *(o for _, o in kept)}
        if key[2]:
            offsets |= {key[2][0], key[2][5]}
        zone_of.append(zones.setdefault(key, len(zones)))
    offsets = sorted(offsets)
    for first, kept, rule in zones:
        if rule and rule not in rules:
            rules.append(rule)
        entries.append((len(transitions), len(kept), offsets.index(first), rules.index(rule) if rule else NO_RULE))
        transitions += kept

    print(f"""/* Written by tools/zones.py from the IANA time zone data {tzdata.IANA_VERSION}, which
 * is in the public domain. Do not edit: run make. */

#include "zone_data.h"

const char zone_data_version[] = "{tzdata.IANA_VERSION}";

const uint32_t zone_names_len = {len(names)};
""")
    print("const zone_name zone_names[] = {")
    for name, zone in zip(names, zone_of):
        print(f'\t{{"{name}", {zone}}},')
    print("};\n")
    print("const int32_t zone_offsets[] = {\n" + numbers(offsets) + "};\n")
    print("const uint32_t zone_transitions[] = {\n" + numbers(t for t, _ in transitions) + "};\n")
    print("const uint8_t zone_transition_offsets[] = {\n" + numbers(offsets.index(o) for _, o in transitions) + "};\n")
    print("const zone_rule zone_rules[] = {")
    for summer, m1, w1, d1, s1, standard, m2, w2, d2, s2 in rules:
        print(f"\t{{{{{{{m1}, {w1}, {d1}, {offsets.index(summer)}, {s1}}}, {{{m2}, {w2}, {d2}, {offsets.index(standard)}, {s2}}}}}}},")
    print("};\n")
    print("const zone_entry zone_entries[] = {")
    for entry in entries:
        print("\t{%d, %d, %d, %d}," % entry)
    print("};")


if __name__ == "__main__":
    sys.exit(main())
