#!/usr/bin/env bash
# Builds the image for development and tests, `tally dev` with its PostgreSQL inside, from what is on this machine. Nothing is pulled.
#
#   build.sh IMAGE           with the newest PostgreSQL server that is installed as a Debian package
#   build.sh IMAGE TREE      with that of a self-contained tree with bin, lib and share, such as `tally dev` downloads
#
# PROGRAM names a program to take, static and for Linux; by default it is built here. The database is made once, while the image is built:
# that is why its containers are ready so soon. It needs a container engine and docker's command.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
image=${1:?usage: build.sh IMAGE [TREE]}
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
bin=$(PROGRAMS='initdb postgres' "$here/postgres.sh" "$root" "$@")
"$here/../image/root.sh" "$root" ${PROGRAM:+"$PROGRAM"}
install -m 755 "$here/prepare.sh" "$root/usr/bin/prepare.sh"
mkdir -p "$root/var/lib/tallystick"
# Volumes begin as copies of these folders, owners included. Numbers, and not names: here the user need not exist.
tar -c -C "$root" --owner=0 --group=0 --numeric-owner --exclude=./var/lib/tallystick --exclude=./var/cache/tallystick -f "$work/root.tar" .
tar -r -C "$root" --owner=65532 --group=65532 --numeric-owner --mode=755 -f "$work/root.tar" ./var/lib/tallystick ./var/cache/tallystick
program=$root/usr/bin/tally
version=$("$program" version | sed -n '1s/^tally //p')
{
	sed "s,@bin@,$bin,g" "$here/Dockerfile"
	echo "LABEL org.opencontainers.image.version=\"$version\""
} >"$work/Dockerfile"
rm -rf "$root"
# Nothing here needs BuildKit, which not every engine has.
DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} docker build --quiet --tag "$image" "$work" >/dev/null
echo "built $image: tally $version, $("$bin/postgres" --version)"
