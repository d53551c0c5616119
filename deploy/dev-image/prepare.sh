#!/bin/sh
# Runs while the image is built, as its user: makes the database, so that containers start with one.
set -eu
tally dev &
server=$!
until tally health >/dev/null 2>&1; do
	kill -0 "$server" # it has said what is wrong
done
kill "$server"
wait "$server"
