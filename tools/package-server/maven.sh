#!/usr/bin/env bash
# Packs the server's program for Maven: io.github.tallystick:tallystick-server, with a jar for each platform under its classifier.
#
#   maven.sh FOLDER VERSION PLATFORM=FILE...   such as linux/amd64=bin/tally, as GOOS/GOARCH; FOLDER is a repository, or becomes one
#
# With binaries of tools/build-release.sh. The version may be one of Git's tags (v1.2.3). Needs Java and mvn. What it writes is the same
# however often it runs, and can be copied to a repository of a company, or signed and published.
set -euo pipefail
[ $# -ge 3 ] || { echo 'usage: maven.sh FOLDER VERSION PLATFORM=FILE...' >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd) version=${2#v}
version=${version%%+*}
shift 2
programs=()
for program; do programs+=("${program%%=*}=$(realpath "${program#*=}")"); done
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1767225600 # of the jars' entries

# pack FILE FOLDER: a jar of what is in the folder.
pack() {
	jar --create --file "$1" --date="$(date -u -d @$SOURCE_DATE_EPOCH +%Y-%m-%dT%H:%M:%SZ)" -C "$2" .
}

# profile CLASSIFIER SYSTEM ARCH: has Maven take the classifier's jar on that platform, as Java names it.
profile() {
	sed "s/CLASSIFIER/$1/; s|SYSTEM|$2|; s/ARCH/$3/" maven/profile.xml
}

files=() classifiers=() types=()
for program in "${programs[@]}"; do
	platform=${program%%=*}
	classifier=${platform/\//-}
	place=$work/$classifier
	mkdir -p "$place/io/github/tallystick/server/$classifier" "$place/META-INF"
	install -m 755 "${program#*=}" "$place/io/github/tallystick/server/$classifier/tally"
	cp ../../LICENSE "$place/META-INF/LICENSE"
	pack "$work/$classifier.jar" "$place"
	files+=("$work/$classifier.jar") classifiers+=("$classifier") types+=(jar)
	case $platform in
	linux/amd64) profile "$classifier" '<name>Linux</name>' amd64 ;;
	linux/arm64) profile "$classifier" '<name>Linux</name>' aarch64 ;;
	darwin/amd64) profile "$classifier" '<family>mac</family>' x86_64 ;;
	darwin/arm64) profile "$classifier" '<family>mac</family>' aarch64 ;;
	*) echo "$platform: no such platform is packed; linux or darwin, amd64 or arm64" >&2; exit 2 ;;
	esac >>"$work/profiles"
done

# The main jar, and those that repositories ask for: there are no sources in Java, and nothing to document.
mkdir -p "$work/main/META-INF/tallystick-server"
cp ../../LICENSE maven/README.md "$work/main/META-INF/tallystick-server/"
pack "$work/main.jar" "$work/main"
for kind in sources javadoc; do files+=("$work/main.jar") classifiers+=($kind) types+=(jar); done
sed -e "/^PROFILES\$/{r $work/profiles
d}" maven/pom.xml | sed "s/VERSION/$version/" >"$work/pom.xml"

list() {
	local IFS=,
	echo "$*"
}
mvn -q -B org.apache.maven.plugins:maven-deploy-plugin:3.1.4:deploy-file -Durl="file://$folder" -Dfile="$work/main.jar" \
	-DpomFile="$work/pom.xml" -Dfiles="$(list "${files[@]}")" -Dclassifiers="$(list "${classifiers[@]}")" -Dtypes="$(list "${types[@]}")"
