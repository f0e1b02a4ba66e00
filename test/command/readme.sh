#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The tour of README.md, typed as it stands: its blocks in order, in one shell that stops at the first failure, in a folder
# that looks like a clone. What is claimed around the blocks is then looked for in what they printed.
set -euo pipefail
passed=0
end() {
    local status=$?
    if [ -d clone/tour/host ]; then "$ROOT/test/lab/libvirt-down" clone/tour/host || true; fi
    if [ $status != 0 ]; then tail -n 40 said || true; fi
    echo "$passed passed, $([ $status = 0 ] && echo 0 || echo 1) failed"
    exit $status
}
trap end EXIT
ok() {
    local what=$1
    shift
    if "$@"; then passed=$((passed + 1)); return; fi
    echo "not so: $what ($*)"
    exit 1
}

mkdir clone
for file in "$ROOT"/*; do case ${file##*/} in tour | demo) ;; *) ln -s "$file" clone/ ;; esac; done
rm -f clone/build
ln -s "$BUILD" clone/build
awk '/^## / { tour = $2 == "Tour" } /^```$/ { block = 0 } block { print } tour && /^```sh$/ { block = 1; print "echo \"== block " ++n "\"" }' \
    "$ROOT/README.md" >tour.sh
ok 'the tour has its blocks' [ "$(grep -c '^echo "== block ' tour.sh)" = 9 ]
began=$(date +%s%N)
(cd clone && unset ALLOT ALLOT_STORE ALLOT_CONFIG && NO_INSTALL=1 bash -eu ../tour.sh) >said 2>&1
echo "the tour took $((($(date +%s%N) - began) / 1000000)) ms"
awk '/^## / { call = $2 == "A" } /^```$/ { block = 0 } block { print } call && /^```sh$/ { block = 1 }' "$ROOT/README.md" >call.sh
(cd clone && rm -rf tour && unset ALLOT ALLOT_STORE ALLOT_CONFIG && bash -eu ../call.sh) >called 2>&1 || { cat called; exit 1; }
ok 'a call leaves out who has the lowest score' grep -Eq '^ +3  r-2 .* reserve ' called
ok 'who is left out moves up' grep -q '^r-2 granted: g-3, v100 x 4' called
ok 'its books close' grep -q '^the books close' called
block() { awk -v n="$1" '/^== block / { on = $3 == n } on' said; }
ok 'a server runs' grep -q ' allot-c0001-g1-.* running' <(block 5)
ok 'the grant says how to connect' grep -q 'virsh -c .* console allot-c0001-g1-s1' <(block 5)
ok 'more is denied with status 3' grep -q '^exit status 3$' <(block 6)
ok 'by the rule, with its place' grep -q 'C1, lab.policy:12' <(block 6)
ok 'with what would do' grep -q '^allot: hint: ask for ' <(block 6)
ok 'use is told' grep -q ' closes$' <(block 7)
ok 'the server went' [ "$(block 8 | grep -c allot-c0001-g1-s1)" = 0 ]
ok 'the books close' grep -q '^the books close' <(block 8)
ok 'nothing is left' [ ! -e clone/tour ]
