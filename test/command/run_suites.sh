#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The runner of all suites counts what failed as failed: a check that cannot fail is none.
set -eu
export BUILD="$PWD/out" # its logs

script() { # script NAME LINE...
    name=$1
    shift
    { echo '#!/bin/sh'; printf '%s\n' "$@"; } >"$name.sh"
    chmod +x "$name.sh"
}

expect() { # expect STATUS LAST-LINE ITEM...
    status=$1 last=$2
    shift 2
    got=0
    "$ROOT/test/run-suites" "$@" >said 2>&1 || got=$?
    [ "$got" = "$status" ] && [ "$(tail -n 1 said)" = "$last" ] && return
    echo "run-suites $*: status $got, not $status, or not '$last':"
    cat said
    exit 1
}

script good 'test -n "$ALLOT" && test "$PWD" = "$HOME"'
script bad 'echo the cause' 'exit 3'
script many 'echo 7 passed, 0 failed'
script some 'echo 7 passed, 2 failed' 'exit 1'
script mute 'echo 0 passed, 0 failed'
script liar 'echo 7 passed, 0 failed' 'exit 1'
script slow 'sleep 30'
script forks 'sleep 300 >/dev/null 2>&1 &' 'echo $! >pid; cat pid; cp pid '"$PWD/pid"

expect 0 '1 passed, 0 failed' "$PWD/good.sh"
expect 1 '1 passed, 1 failed' "$PWD/bad.sh" "$PWD/good.sh"
grep -q '| the cause' said
grep -q '| exit status 3' said
expect 0 '8 passed, 0 failed' "$PWD/good.sh" "$PWD/many.sh"
script long 'sleep 1' 'echo 7 passed, 1 failed' 'exit 1'
expect 1 '9 passed, 1 failed' "$PWD/long.sh+" "$PWD/good.sh" "$PWD/good.sh"
[ "$(grep -c 'good.sh *ok' said) $(sed -n 3p said | grep -c 'long.sh *FAIL')" = '2 1' ]
expect 1 '7 passed, 2 failed' "$PWD/some.sh"
expect 1 '0 passed, 1 failed' "$PWD/mute.sh"
expect 1 '7 passed, 1 failed' "$PWD/liar.sh"
expect 1 '0 passed, 1 failed' "$PWD/absent.sh"
expect 1 '0 passed, 1 failed' no-such-target
expect 1 '0 passed, 1 failed'
SUITE_SECONDS=1 expect 1 '0 passed, 1 failed' "$PWD/slow.sh"
grep -q '| stopped after 1 s' said
expect 1 '0 passed, 1 failed' "$PWD/forks.sh"
grep -q '| left running: .* sleep 300' said
if tr '\0' ' ' <"/proc/$(cat pid)/cmdline" 2>/dev/null | grep -q sleep; then echo 'run-suites: left it running'; exit 1; fi
