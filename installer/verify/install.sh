#!/bin/sh
# Inside the clean system, as an administrator would roll out: no terminal, no answers.
set -eu

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends /root/glasshour_*.deb /root/glasshour-server_*.deb

echo "--- installed"
dpkg-query -W -f '${Package} ${Version}: ${db:Status-Status}, depends on ${Depends}\n' \
    glasshour glasshour-server
glasshour --version
glasshour-server --version

# What the machine of an employee has anyway, here without a screen.
apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends \
    dbus dunst less openbox util-linux xdotool xfonts-base xterm xvfb >/dev/null
adduser --quiet --disabled-password --gecos '' jo
