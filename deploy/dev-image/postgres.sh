#!/usr/bin/env bash
# Copies a PostgreSQL server of this machine into the root of an image: its programs, the shared libraries that they need, and a shell.
# Prints the folder that holds the programs, the same there as here.
#
#   postgres.sh ROOT         the newest one that is installed as a Debian package
#   postgres.sh ROOT TREE    that of tools/postgres-tree.sh: a package's folder, or a tree with bin, lib and share
#
# PROGRAMS names those to copy, all of them by default.
set -euo pipefail
root=${1:?usage: postgres.sh ROOT [TREE]}

if [ $# -ge 2 ]; then
	home=$(readlink -f "$2")
else
	home=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 2>/dev/null | sort -V | tail -n 1)
fi
trees=("$home")
case $home in
/usr/lib/postgresql/*) trees+=("/usr/share/postgresql/$(basename "$home")" /usr/share/zoneinfo) ;;
esac
for program in initdb postgres; do
	[ -x "$home/bin/$program" ] || { echo "postgres.sh: $home/bin/$program is missing: install postgresql, or name a TREE" >&2; exit 1; }
done

mkdir -p "$root"/{etc,tmp,run,usr/bin,usr/sbin,usr/lib,usr/lib64}
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done

# The server's files at the paths they have here, less what nobody uses there: just-in-time compilation, whose library is larger than all
# the rest, procedural languages that need an interpreter, and what programs in C are built with.
tar -c --exclude='llvmjit*' --exclude='bitcode' --exclude='*.a' --exclude='plperl*' --exclude='plpython*' --exclude='pltcl*' \
	--exclude='libecpg*' --exclude='libpgtypes*' --exclude='pkgconfig' --exclude='pgxs' \
	-P "${trees[@]}" | tar -x -C "$root" --transform='s,^/,,' -P
if [ -n "${PROGRAMS:-}" ]; then
	for file in "$root$home/bin"/*; do
		case " $PROGRAMS " in *" $(basename "$file") "*) ;; *) rm "$file" ;; esac
	done
fi

# Programs and the libraries that they and the server's own modules load.
mapfile -t programs < <(find "$root$home/bin" "$root$home/lib" -type f \( -perm /111 -o -name '*.so*' \) | sed "s,^$root,," &&
	readlink -f /bin/sh)
mapfile -t libraries < <(ldd "${programs[@]}" 2>/dev/null |
	awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/lib/ { print $1 }' | sort -u)
for file in "${libraries[@]}"; do
	case $(readlink -f "$file") in "$home"/*) continue ;; esac # copied with its tree
	[ -e "$root$file" ] || install -D -m 755 "$file" "$root$file"
done
install -m 755 "$(readlink -f /bin/sh)" "$root/usr/bin/sh"
chmod 1777 "$root/tmp"
echo "$home/bin"
