#!/bin/sh
# Reads docker-compose.yml with Docker Compose itself: the installed one, else one built from deploy/compose-build into the cache.
set -eu

cd "$(dirname "$0")/.."
if docker compose version >/dev/null 2>&1; then
    compose="docker compose"
else
    compose=${SOJOURN_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sojourn}/compose-2.40.3/docker-compose
    if [ ! -x "$compose" ]; then
        echo "Docker Compose is not installed; building it once, which takes some minutes."
        mkdir -p "$(dirname "$compose")"
        (cd deploy/compose-build && go build -o "$compose.draft" github.com/docker/compose/v2/cmd)
        mv "$compose.draft" "$compose"
    fi
fi

empty=$(mktemp)
trap 'rm -f "$empty"' EXIT
unset SOJOURN_PUBLIC_URL
if $compose --env-file "$empty" config --quiet 2>/dev/null; then
    echo "It should not be taken without SOJOURN_PUBLIC_URL." >&2
    exit 1
fi
SOJOURN_PUBLIC_URL=https://mail.example.com
export SOJOURN_PUBLIC_URL
$compose --env-file "$empty" --profile cli config --quiet
echo "docker-compose.yml is taken by Docker Compose; its services:"
$compose --env-file "$empty" --profile cli config --services | sort | sed 's/^/  /'
echo "and their images:"
$compose --env-file "$empty" --profile cli config --images | sort -u | sed 's/^/  /'
