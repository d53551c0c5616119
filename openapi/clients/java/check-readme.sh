#!/usr/bin/env bash
# Builds the SDK's artifacts and packs bin/tally, or PROGRAM, into a repository in a folder; and then runs the first block of README.md in a
# clean folder, as somebody does who has only Maven. What it takes from there comes from that repository alone.
#
#   check-readme.sh [PROGRAM]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
program=$(realpath "${1:-../../../bin/tally}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
platform=linux
[ "$(uname -s)" = Linux ] || platform=darwin
case $(uname -m) in x86_64) platform+=/amd64 ;; *) platform+=/arm64 ;; esac

version=$(sed -n 's|^  <version>\(.*\)</version>$|\1|p' pom.xml)
mvn -q -B deploy -DskipTests -DaltDeploymentRepository="check::file://$work/repository"
../../../tools/package-server/maven.sh "$work/repository" "$version" "$platform=$program"
for kind in '' -sources -javadoc; do
	[ -e "$work/repository/io/github/tallystick/tallystick-client/$version/tallystick-client-$version$kind.jar" ]
done

# A home of its own: Maven knows the new repository, and nothing of what was built here before. What others publish is kept.
mkdir -p "$work/home/.m2"
cat >"$work/home/.m2/settings.xml" <<END
<settings>
  <profiles>
    <profile>
      <id>check</id>
      <repositories>
        <repository>
          <id>check</id>
          <url>file://$work/repository</url>
        </repository>
      </repositories>
    </profile>
  </profiles>
  <activeProfiles>
    <activeProfile>check</activeProfile>
  </activeProfiles>
</settings>
END
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/maven
rm -rf "$cache/io/github/tallystick"
export MAVEN_OPTS="-Duser.home=$work/home -Dmaven.repo.local=$cache"
unset TALLY_BINARY TALLY_URL TALLY_KEY

awk '/^```bash$/ { inside = 1; next } /^```$/ { if (inside) exit } inside' README.md >"$work/block.sh"
mkdir "$work/clean"
(cd "$work/clean" && bash -eu -o pipefail "$work/block.sh") | tee "$work/output"
grep -q '"sum":"\{0,1\}12' "$work/output" || { echo 'the block of README.md counted no 12' >&2; exit 1; }
