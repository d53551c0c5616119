#!/usr/bin/env bash
# Prints the folder of a PostgreSQL that has bin, lib and share in it: the one that `tally dev` would use, downloaded where there is none.
#
#   postgres-tree.sh MAJOR
set -euo pipefail
major=${1:?usage: postgres-tree.sh MAJOR}
cd "$(dirname "${BASH_SOURCE[0]}")/.."
TALLY_POSTGRES_MAJOR=$major go run ./internal/postgres/findpostgres
