#!/bin/sh
# Builds view.wasm; the same bytes wherever the folder lies.
set -eu
cd "$(dirname "$0")"
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -buildvcs=false -ldflags='-s -w' -o view.wasm .
