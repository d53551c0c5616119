#!/usr/bin/env bash
# Writes the models of the document again, from openapi/openapi.yaml or DOCUMENT, into src/main/java or FOLDER. Needs Java and mvn.
#
#   generate.sh [--check] [DOCUMENT]   --check changes nothing, shows the differences, and fails where there are any
#
# The generator is fetched once, into the user's cache.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
generator=7.25.0

check=false
[ "${1:-}" != --check ] || { check=true && shift; }
document=${1:-../../../openapi.yaml}
models=../src/main/java/io/github/tallystick/client/model
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/java
jar=$cache/openapi-generator-cli-$generator.jar
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -e "$jar" ] || mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
	-Dartifact=org.openapitools:openapi-generator-cli:$generator -DoutputDirectory="$cache"

# Without a schema a value may be any JSON: class Json keeps its text. Values of enumerations are strings, so that one of a newer
# server breaks nothing.
options=(
	--global-property models,modelDocs=false,modelTests=false
	--model-package io.github.tallystick.client.model
	--additional-properties openApiNullable=false,disallowAdditionalPropertiesIfNotPresent=false
	--additional-properties hideGenerationTimestamp=true,booleanGetterPrefix=is
	--type-mappings date-time=Instant,OffsetDateTime=Instant,AnyType=Json,object=Json,UUID=String,URI=String,Float=Double
	--import-mappings Instant=java.time.Instant,Json=io.github.tallystick.client.Json
	--model-name-mappings Module=StoredModule # Java has a Module of its own
	--schema-mappings EventInput=Json
)
java -jar "$jar" generate -g java --library native -i "$document" -t templates -o "$work" "${options[@]}" >"$work/log" 2>&1 ||
	{ cat "$work/log" >&2; exit 1; }

tidy() {
	local file name
	for file; do
		sed -i 's/Map<String, Json>/Json/g' "$file" # an object of any members
		for name in Json Instant List Map JsonProperty; do
			[ "$(grep -cw "$name" "$file")" -gt 1 ] || sed -i "/^import .*\.$name;\$/d" "$file"
		done
	done
}

made=$work/src/main/java/io/github/tallystick/client/model
tidy "$made"/*.java
cp "$models/Model.java" "$models/package-info.java" "$made/"
if $check; then
	diff -ru "$models" "$made" ||
		{ echo 'openapi/clients/java: the models differ from the document: run generator/generate.sh' >&2; exit 1; }
else
	rm "$models"/*.java
	cp "$made"/*.java "$models/"
fi
