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
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
bin=$("$here/../../../../deploy/dev-image/postgres.sh" "$root" "$@")
install -m 755 "$here/entrypoint.sh" "$root/usr/bin/entrypoint.sh"

printf 'root:x:0:0::/:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\npostgres:x:999:\n' >"$root/etc/group"
mkdir -p "$root/var/lib/postgresql"
chown -R 999:999 "$root/var/lib/postgresql" "$root/run"

tar -c -C "$root" -f "$work/root.tar" .
rm -rf "$root"
cat >"$work/Dockerfile" <<END
FROM scratch
ADD root.tar /
ENV PATH=$bin:/usr/bin PGDATA=/var/lib/postgresql/data
USER postgres
STOPSIGNAL SIGINT
EXPOSE 5432
VOLUME /var/lib/postgresql
ENTRYPOINT ["/usr/bin/entrypoint.sh"]
CMD ["postgres"]
END
# Nothing here needs BuildKit, which not every engine has.
DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} docker build --quiet --tag "$tag" "$work" >/dev/null
echo "built $tag: $("$bin/postgres" --version)"
