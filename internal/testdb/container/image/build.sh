#!/usr/bin/env bash
# Builds a PostgreSQL container image from the files of this machine, for tests where no image can be pulled.
#
#   build.sh TAG         from the newest PostgreSQL server installed as a Debian package
#   build.sh TAG TREE    from a self-contained tree with bin, lib and share, such as `tally dev` downloads
#
# The image takes POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB as the official image does; it holds a shell, the server, the shared
# libraries they need, and nothing else. It needs a Docker engine and docker's command, and reaches no network.
set -euo pipefail

tag=${1:?usage: build.sh TAG [TREE]}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

if [ $# -ge 2 ]; then
	home=$(readlink -f "$2")
	trees=("$home")
else
	home=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 2>/dev/null | sort -V | tail -n 1)
	trees=("$home" "/usr/share/postgresql/$(basename "$home")" /usr/share/zoneinfo)
fi
for program in initdb postgres; do
	[ -x "$home/bin/$program" ] || { echo "build.sh: $home/bin/$program is missing: install postgresql, or name a TREE" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{etc,tmp,run,usr/bin,usr/sbin,usr/lib,usr/lib64,var/lib/postgresql}
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done

# The server's files at the paths they have here, less what no test uses: just-in-time compilation, whose library is larger than all the
# rest, and procedural languages that need an interpreter.
tar -c --exclude='llvmjit*' --exclude='bitcode' --exclude='*.a' --exclude='plperl*' --exclude='plpython*' --exclude='pltcl*' \
	-P "${trees[@]}" | tar -x -C "$root" --transform='s,^/,,' -P

# Programs and the libraries that they and the server's own modules load.
mapfile -t programs < <(find "$home/bin" "$home/lib" -type f \( -perm /111 -o -name '*.so*' \) \
	! -name 'llvmjit*' ! -name 'plperl*' ! -name 'plpython*' ! -name 'pltcl*' && readlink -f /bin/sh)
mapfile -t libraries < <(ldd "${programs[@]}" 2>/dev/null |
	awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/lib/ { print $1 }' | sort -u)
for file in "${libraries[@]}"; do
	case $file in "$home"/*) continue ;; esac # copied with its tree
	[ -e "$root$file" ] || install -D -m 755 "$file" "$root$file"
done
install -m 755 "$(readlink -f /bin/sh)" "$root/usr/bin/sh"
install -m 755 "$here/entrypoint.sh" "$root/usr/bin/entrypoint.sh"

printf 'root:x:0:0::/:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\npostgres:x:999:\n' >"$root/etc/group"
chown -R 999:999 "$root/var/lib/postgresql" "$root/run"
chmod 1777 "$root/tmp"

tar -c -C "$root" -f "$work/root.tar" .
rm -rf "$root"
cat >"$work/Dockerfile" <<END
FROM scratch
ADD root.tar /
ENV PATH=$home/bin:/usr/bin PGDATA=/var/lib/postgresql/data
USER postgres
STOPSIGNAL SIGINT
EXPOSE 5432
VOLUME /var/lib/postgresql
ENTRYPOINT ["/usr/bin/entrypoint.sh"]
CMD ["postgres"]
END
# Nothing here needs BuildKit, which not every engine has.
DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} docker build --quiet --tag "$tag" "$work" >/dev/null
echo "built $tag: $("$home/bin/postgres" --version)"
