#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An ordinary user's own libvirtd: storage and servers work, networks do not exist there and the connection says so.
. "$ROOT/test/libvirt/lab"
as=()
if system; then # another user's session, this one's scripts
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chmod 711 . "$HOME"
    mkdir lab
    chown 65534 lab
fi
labs+=("$PWD/lab")
began=$(date +%s%N)
URI=$("${as[@]}" "$ROOT/test/lab/libvirt-up" "$PWD/lab")
echo "started in $((($(date +%s%N) - began) / 1000000)) ms"
ok 'it is a session' grep -q 'qemu+unix:///session?socket=' <<<"$URI"
ok 'a second call finds it' [ "$("${as[@]}" "$ROOT/test/lab/libvirt-up" "$PWD/lab")" = "$URI" ]
settings "$PWD/lab"
pool_json "h1=$URI"
call ensure "$(server 1 2)" "$(volume 2 50000000000000)"
is 'a server with a volume is made' '[.operations[].answer] == ["done", "done"]'
is 'it says that it has no network, and why' '.operations[0].connection | .network == null and (.note | test("no network"))'
call observe
is 'which is remembered' '.seen[] | select(.kind == "server") | .connection.note | test("no network")'
SETTINGS=$(jq -c '.network_fallback = "user"' <<<"$SETTINGS")
pool_json "h1=$URI"
call ensure "$(server 3)"
is 'or it has a user-mode network, as configured' '.operations[0].connection.note | test("user-mode")'
ok 'truly' grep -q "<interface type='user'>" <(virt dumpxml allot-c1-g1-3)
SETTINGS=$(jq -c '.network_fallback = "refuse"' <<<"$SETTINGS")
pool_json "h1=$URI"
call ensure "$(server 4)"
is 'or is refused' '.operations[0] | .answer == "refused" and (.detail | test("no isolated networks"))'
call remove "$(server 1)" "$(volume 2 1)" "$(server 3)"
is 'all goes again' 'all(.operations[]; .answer == "done")'
