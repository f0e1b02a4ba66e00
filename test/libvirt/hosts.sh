#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hosts that are silent, refuse, or show a wrong certificate are reported one by one; the others work.
. "$ROOT/test/libvirt/lab"
port=$((20000 + $$ % 10000))
if system; then LV_TLS_PORT=$port lab_up lab; else lab_up lab; fi
settings "$PWD/lab"
perl -MSocket -e 'socket S, PF_UNIX, SOCK_STREAM, 0; bind S, sockaddr_un("silent") or die; listen S, 9; sleep 600' &
helpers+=($!)
for _ in $(seq 100); do [ -S silent ] && break; sleep 0.05; done

DEADLINE=2500
pool_json "h1=$URI" "mute=qemu+unix:///system?socket=$PWD/silent" "gone=qemu+unix:///system?socket=$PWD/nowhere"
began=$(date +%s%N)
call observe
took=$((($(date +%s%N) - began) / 1000000))
is 'the host that works is seen' '.hosts[] | select(.host == "h1") | .answered'
is 'the silent one is not, at the deadline' '.hosts[] | select(.host == "mute") | (.answered | not) and (.detail | test("did not answer within 2500 ms"))'
is 'the one that refuses is not, in its words' '.hosts[] | select(.host == "gone") | (.answered | not) and (.detail | test("nowhere"))'
ok 'and all of it took no longer than the deadline' [ $took -ge 2400 ] && ok 'nearly' [ $took -lt 5000 ]

call ensure "$(server 1)" "$(HOST=mute server 2)" "$(HOST=gone server 3)" "$(HOST=h7 server 4)"
is 'nothing happened on the dead ones, the living one did its part' '[.operations[].answer] == ["done", "nothing happened", "nothing happened", "nothing happened"]'
DEADLINE=1000
pool_json "h1=$URI" "mute=qemu+unix:///system?socket=$PWD/silent"
call remove "$(server 1)" "$(HOST=mute server 2)"
is 'the same for a removal: not there is only said by a host that answers' '[.operations[].answer] == ["done", "nothing happened"]'
SETTINGS=$(jq -c '.connect_seconds = 1' <<<"$SETTINGS") DEADLINE=30000
pool_json "h1=$URI" "mute=qemu+unix:///system?socket=$PWD/silent"
began=$(date +%s%N)
call observe
took=$((($(date +%s%N) - began) / 1000000))
is 'a host that does not connect is given up before the deadline' '(.hosts[0].answered) and (.hosts[1].detail | test("did not answer within 1000 ms"))'
ok 'so that the others need not wait' [ $took -lt 3000 ]
pool_json 'h1=no-uri'
call check
ok 'what is no URI is refused' grep -q 'is not a libvirt URI' said

system || exit 0
DEADLINE=20000
tls="qemu+tls://127.0.0.1:$port/system?pkipath=$PWD"
pool_json "h1=$tls/lab/pki"
call ensure "$(server 5)"
is 'over TLS a server is made' '.operations[0].answer == "done"'
call remove "$(server 5)"
is 'and removed' '.operations[0].answer == "done"'
mkdir other
cp lab/pki/client* other
openssl req -x509 -newkey rsa:2048 -nodes -subj '/CN=other' -keyout other/cakey.pem -out other/cacert.pem \
    -addext basicConstraints=critical,CA:TRUE 2>/dev/null
pool_json "h1=$tls/other" "h2=$tls/none" "h3=qemu+tls://127.0.0.1:1/system?pkipath=$PWD/lab/pki"
call observe
is 'another authority is a clear error' '.hosts[] | select(.host == "h1") | (.answered | not) and (.detail | test("certificate"))'
is 'a missing certificate too' '.hosts[] | select(.host == "h2") | (.answered | not) and (.detail | test("cacert.pem"))'
is 'and a closed port' '.hosts[] | select(.host == "h3") | (.answered | not) and (.detail | test("refused"))'
