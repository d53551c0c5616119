#!/usr/bin/env bash
# Makes a client of the API by each of the usual generators, compiles it, and has it append an event with members that nobody declared:
# what is stored must have each of them. Needs Go, Python 3, Java 17 with mvn, and Node 20; fetches the generators once, into the cache.
#
#   check.sh [DOCUMENT]     openapi/openapi.yaml when absent
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
document=$(realpath "${1:-$root/openapi/openapi.yaml}")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/generators
generator=7.25.0 # OpenAPI Generator
event=$here/event.json
work=$(mktemp -d)
failed=0

main() {
	install
	start_server
	for client in python_openapi_generator python_openapi_python_client typescript java_native java_okhttp_gson java_resttemplate \
		go_clients; do
		set +e
		(set -e && "$client") >"$work/said" 2>&1 # to the left of || it would go on after a failure
		[ $? = 0 ] || { failed=1 && echo "$client:" >&2 && tail -n 30 "$work/said" >&2; }
		set -e
	done
	exit "$failed"
}

install() {
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock 9 # other checkouts use the same folder
	jar=$cache/openapi-generator-cli-$generator.jar
	[ -e "$jar" ] || mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
		-Dartifact=org.openapitools:openapi-generator-cli:$generator -DoutputDirectory="$cache"
	ensure java "$here/programs/java/pom.xml" mvn -q -B -f "$here/programs/java/pom.xml" \
		org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory="$cache/java"
	ensure python "$here/programs/python/requirements.txt" install_python
	ensure typescript "$here/programs/typescript/package-lock.json" install_typescript
}

# ensure NAME FILE COMMAND...: runs the command unless it has run for the same file.
ensure() {
	local name=$1 file=$2
	shift 2
	! cmp -s "$file" "$cache/$name.installed" || return 0
	rm -rf "${cache:?}/$name"
	"$@" && cp "$file" "$cache/$name.installed"
}

install_python() {
	python3 -m venv "$cache/python"
	"$cache/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$here/programs/python/requirements.txt"
}

install_typescript() {
	mkdir -p "$cache/typescript"
	cp "$here/programs/typescript/"package*.json "$cache/typescript"
	npm ci --prefix "$cache/typescript" --silent --no-audit --no-fund
}

start_server() {
	go -C "$root" build -o "$work/tally" ./cmd/tally
	mkfifo "$work/hold"
	"$work/tally" dev --listen 127.0.0.1:0 --temporary --until-stdin-ends --output json <"$work/hold" >"$work/address" &
	exec 8>"$work/hold" # the server ends with this script
	local tries=0
	until [ -s "$work/address" ]; do
		tries=$((tries + 1))
		[ "$tries" -le 1200 ] && kill -0 $! || { echo 'tally dev does not serve' >&2; exit 1; }
		sleep 0.05
	done
	TALLY_URL=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["url"])' <"$work/address")
	export TALLY_URL
}

cleanup() {
	exec 8>&-
	wait
	rm -rf "$work"
}
trap cleanup EXIT

# generate LANGUAGE FOLDER [OPTION...]: runs OpenAPI Generator.
generate() {
	local language=$1 folder=$2
	shift 2
	java -jar "$jar" generate -g "$language" -i "$document" -o "$folder" "$@" \
		--global-property models,apis,supportingFiles,apiDocs=false,modelDocs=false,apiTests=false,modelTests=false
}

# compare LOG [OPTION]: looks at what was stored.
compare() { python3 "$here/compare.py" "$TALLY_URL" "$1" "$event" "${@:2}" >&7; }

new_log() { curl -sSf -X PUT "$TALLY_URL/logs/$1" >/dev/null; }

python_openapi_generator() {
	new_log openapi-generator-python
	generate python "$work/python"
	PYTHONPATH=$work/python "$cache/python/bin/python" "$here/programs/python/openapi_generator.py" "$event" openapi-generator-python
	compare openapi-generator-python
}

python_openapi_python_client() {
	new_log openapi-python-client
	"$cache/python/bin/openapi-python-client" generate --path "$document" --output-path "$work/client/tally_client" --meta none
	PYTHONPATH=$work/client "$cache/python/bin/python" "$here/programs/python/openapi_python_client.py" "$event" openapi-python-client
	compare openapi-python-client
}

typescript() {
	local folder=$work/typescript log
	mkdir "$folder"
	cp "$here/programs/typescript/"* "$folder"
	ln -s "$cache/typescript/node_modules" "$folder/node_modules"
	generate typescript-fetch "$folder/fetch" --additional-properties importFileExtension=.js
	"$folder/node_modules/.bin/openapi-typescript" "$document" --output "$folder/schema.ts"
	"$folder/node_modules/.bin/tsc" --project "$folder"
	for log in openapi-generator openapi-fetch; do
		new_log "$log-typescript"
		node "$folder/out/$log.js" "$event" "$log-typescript"
		compare "$log-typescript" --doubles
	done
}

java_native() { java_client native --no-nulls "" -mapper -nodes; }

java_okhttp_gson() { java_client okhttp-gson --no-nulls "" -mapper; }

java_resttemplate() { java_client resttemplate "" ""; }

# java_client LIBRARY OPTION WAY...: the program of that library appends in as many ways. The first is the client as it is generated, whose
# log is compared with the option.
java_client() {
	local library=$1 option=$2 way logs=()
	shift 2
	for way; do logs+=("java-$library$way") && new_log "java-$library$way"; done
	generate java "$work/$library" --library "$library"
	cp "$here/programs/java/$library/Append.java" "$work/$library/src/main/java/"
	find "$work/$library/src/main/java" -name '*.java' >"$work/sources"
	javac -nowarn -cp "$cache/java/*" -d "$work/$library/classes" "@$work/sources"
	java -cp "$cache/java/*:$work/$library/classes" Append "$event" "${logs[@]}"
	compare "java-$library" ${option:+"$option"}
	for way in "${logs[@]:1}"; do compare "$way"; done
}

go_clients() {
	local client
	cp -r "$here/go" "$work/go"
	cd "$work/go"
	mkdir oapi/client
	go tool oapi-codegen -generate types,client -package client -o oapi/client/client.go "$document"
	go tool ogen --target ogen/client --package client --clean "$document"
	generate go openapi/client --additional-properties packageName=client,withGoMod=false
	for client in oapi ogen openapi; do
		new_log "$client-go"
		go run "./$client" "$event" "$client-go"
		compare "$client-go"
	done
}

exec 7>&1
main
