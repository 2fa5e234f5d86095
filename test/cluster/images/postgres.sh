#!/bin/sh
# Makes the shop's database when there is none, and becomes the server.
set -e
if [ ! -f "$PGDATA/PG_VERSION" ]; then
  initdb --no-sync --auth=trust --username=shop --encoding=UTF8 --locale=C "$PGDATA" >/dev/null
  echo 'host all all all trust' >>"$PGDATA/pg_hba.conf"
  printf 'CREATE DATABASE shop;\n' | postgres --single -D "$PGDATA" postgres >/dev/null
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp
