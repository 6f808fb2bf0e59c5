#!/bin/sh
# Inside the clean system with both packages installed: the server starts as its service would, the
# agent as a log-in would, and the first screenshot must arrive. Then both packages are removed, and
# nothing but what policy keeps may be left.
set -eu

check=/root/glasshour-package-check
install -m 0755 "$check" /usr/local/bin/glasshour-package-check
data=/var/lib/glasshour/data
as_server() { setpriv --reuid glasshour --regid glasshour --clear-groups -- "$@"; }

password_file=$(mktemp)
echo 'a password for one minute' >"$password_file"
chown glasshour "$password_file"
as_server glasshour-server init --data "$data" --company 'Clean Machines' \
    --owner-email owner@clean.example --owner-password-file "$password_file" --json \
    >/run/init.json

# The service's own command line, from the installed unit and its configuration.
# shellcheck source=../server/default
. /etc/default/glasshour-server
command=$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/glasshour-server.service |
    sed "s|\$OPTIONS|$OPTIONS|")
echo "--- $command"
# Not by the function: a shell between us and it would take the signal that ends it.
# shellcheck disable=SC2086 # words, as systemd splits them
setpriv --reuid glasshour --regid glasshour --clear-groups -- $command >/run/server.out 2>/run/server.err &
server=$!

glasshour-package-check hire --init /run/init.json --server-output /run/server.out \
    --into /etc/glasshour/license.d/jo.license.gz >/run/hired.json

# Jo logs in.
install -d -o jo -g jo /tmp/jo
chmod 0644 /run/hired.json
if ! setpriv --reuid jo --regid jo --init-groups -- env HOME=/home/jo USER=jo \
    glasshour-package-check log-in --hired /run/hired.json --folder /tmp/jo; then
    echo "--- the server's log"
    grep -v 'method=GET.*status=200' /run/server.err | tail -n 40
    exit 1
fi

kill "$server"
wait "$server" || { echo "the server did not end well: $?"; exit 1; }

echo "--- removal"
export DEBIAN_FRONTEND=noninteractive
dpkg --remove glasshour glasshour-server >/dev/null
test -d "$data" || { echo "removal deleted the records"; exit 1; }
test -f /etc/glasshour/license.d/jo.license.gz || { echo "removal deleted the license"; exit 1; }
dpkg --purge glasshour glasshour-server >/dev/null
for left in /var/lib/glasshour /etc/glasshour /etc/default/glasshour-server \
    /etc/xdg/autostart/glasshour.desktop /usr/bin/glasshour /usr/bin/glasshour-server; do
    if [ -e "$left" ]; then echo "left after purge: $left"; exit 1; fi
done
echo "removed and purged: nothing left but what users captured in their own homes"
