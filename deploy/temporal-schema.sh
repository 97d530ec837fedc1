#!/bin/sh
# Brings the two databases of Temporal to the schema of this version of temporal-sql-tool; repeating it changes nothing.
set -eu

SQL_PASSWORD=$(cat "${SECRETS_FOLDER:-/run/secrets}/temporal_password")
export SQL_PASSWORD
schema=${TEMPORAL_SCHEMA:-/etc/temporal/schema}/postgresql/v12

for pair in temporal:temporal temporal_visibility:visibility; do
    SQL_DATABASE=${pair%%:*}
    export SQL_DATABASE
    temporal-sql-tool setup-schema --version 0.0
    temporal-sql-tool update-schema --schema-dir "$schema/${pair##*:}/versioned"
done
