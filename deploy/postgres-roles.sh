#!/bin/sh
# The roles and databases of Sojourn and of Temporal; the postgres image runs this once, when its volume is empty.
# Passwords come from files and reach psql by its standard input: no process list shows them.
set -eu

secrets=${SECRETS_FOLDER:-/run/secrets}

role() { # NAME FILE DATABASE...
    name=$1
    password=$(cat "$secrets/$2")
    shift 2
    case $password in
    '' | *"'"* | *\\*) echo "The password of $name is empty or has a quote or a backslash in it." >&2 && exit 1 ;;
    esac
    {
        echo "CREATE ROLE $name LOGIN PASSWORD '$password';"
        for database in "$@"; do
            echo "CREATE DATABASE $database OWNER $name;"
            echo "REVOKE CONNECT ON DATABASE $database FROM PUBLIC;"
        done
    } | psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname postgres
}

role sojourn database_password sojourn
role temporal temporal_password temporal temporal_visibility
