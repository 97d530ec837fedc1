#!/bin/sh
# Makes the secrets of docker-compose.yml, each where there is none yet. `sh deploy/make-secrets.sh [FOLDER]`
#
# The folder is closed to everybody else. The files in it can be read by all, because the processes in containers run under
# users of their own, and a file is mounted into a container with the mode that it has here.
set -eu

folder=${1:-secrets}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"

random() { # so many bytes of the system's randomness, in hexadecimal
    head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

secret() { # NAME TEXT
    if [ -e "$folder/$1" ]; then
        echo "kept $folder/$1"
        return
    fi
    printf '%s\n' "$2" >"$folder/.$1.draft"
    chmod 444 "$folder/.$1.draft"
    mv "$folder/.$1.draft" "$folder/$1"
    echo "made $folder/$1"
}

secret postgres_password "$(random 24)"
secret database_password "$(random 24)"
secret temporal_password "$(random 24)"
secret deployment_key "$(random 32)"
secret admin_token "sa_live_$(random 20)"

# Secrets that definitions name: a file for each, its name is the secret's.
mkdir -p "$folder/named"
chmod 755 "$folder/named"
