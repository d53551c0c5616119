#!/usr/bin/env bash
# Builds the container image from a program that is built on this machine, where no image can be pulled: the last stage of the Dockerfile.
#
#   build.sh TAG [PROGRAM]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tag=${1:?usage: build.sh TAG [PROGRAM]}
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/root.sh" "$work/image" "$@"
sed -n '/^FROM scratch$/,$p' "$here/../../Dockerfile" | sed 's,--from=build /image/,image/,' >"$work/Dockerfile"
# Nothing here needs BuildKit, which not every engine has.
DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} docker build --quiet --tag "$tag" "$work" >/dev/null
echo "built $tag"
