#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The scripts of the OpenStack lab refuse what they cannot do in a sentence, before anything starts, and touch nothing else.
set -euo pipefail
PASSED=0
helper=
end() {
    status=$?
    [ -z "$helper" ] || kill "$helper"
    if [ $status = 0 ]; then echo "$PASSED passed, 0 failed"; else echo "$PASSED passed, 1 failed"; fi
}
trap end EXIT
up=$ROOT/test/lab/openstack-up
refused() { # refused WORDS COMMAND... : fails, and says the words
    local words=$1
    shift
    if "$@" >said 2>&1; then echo "not refused: $*"; exit 1; fi
    grep -qE "$words" said || { echo "wanted: $words, said:"; cat said; exit 1; }
    ! grep -q Traceback said || { cat said; exit 1; }
    PASSED=$((PASSED + 1))
}
refused 'required: STATE' "$up"
for bad in '' V100 V100=0 V100=-1 V100=x V100=1,v100=2 'V 100=1' 'V100=1,'; do refused 'is not CLASS=COUNT' "$up" state --gpus "$bad"; done
for bad in 0 -1 101 one; do refused 'no number from 1 to 100|expected one argument' "$up" state --computes "$bad"; done
refused 'no number from 0 to 55000' "$up" state --port-offset 60000
[ ! -e state ]
mkdir state
echo '{"computes": 2, "port_offset": 20000}' >state/settings.json
refused 'was started with computes 2' "$up" state --computes 3
refused 'no service no-such; there are mariadb' "$ROOT/test/lab/openstack-service" state stop no-such
refused 'STATE list' "$ROOT/test/lab/openstack-service" nowhere list
refused 'openstack-down STATE' "$ROOT/test/lab/openstack-down" state --all
# A process that has the number of one that ended is not ours.
sleep 60 &
helper=$!
mkdir state/run
echo "$helper 1" >state/run/mariadb
"$ROOT/test/lab/openstack-service" state kill mariadb
kill -0 "$helper" || { echo 'a process of somebody else was ended'; exit 1; }
"$ROOT/test/lab/openstack-down" nowhere
"$ROOT/test/lab/openstack-down" state
kill -0 "$helper" || { echo 'a process of somebody else was ended'; exit 1; }
PASSED=$((PASSED + 1))
