#!/bin/sh
# Makes a database cluster on the first start and then becomes the given command, as the official PostgreSQL image does.
# Runs as the user postgres. POSTGRES_PASSWORD is required; POSTGRES_USER is postgres and POSTGRES_DB the user's name unless set.
set -eu

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

if [ "$1" = postgres ] && [ ! -e "$PGDATA/PG_VERSION" ]; then
	: "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD: connections over TCP need one}"
	initdb --pgdata="$PGDATA" --username="$user" --auth-local=trust --auth-host=scram-sha-256 --pwfile=/dev/stdin \
		--encoding=UTF8 --locale=C --no-sync <<-END
		$POSTGRES_PASSWORD
	END
	if [ "$database" != postgres ]; then
		echo "CREATE DATABASE \"$database\"" | postgres --single -D "$PGDATA" postgres
	fi
	echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
	printf "listen_addresses = '*'\nunix_socket_directories = '/run'\n" >>"$PGDATA/postgresql.conf"
fi

exec "$@"
