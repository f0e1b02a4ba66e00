# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests of the program with books of their own: . "$ROOT/test/books.bash"
#   it 'says what holds' function   one case, in a subshell that ends at the first failing command; then fsck and audit
#                                   verify, whatever the case did. `finish` prints the counts and exits
#   at TIME                         the time of the commands that follow (within the case)
#   exits STATUS COMMAND...         the command ends with this status; what it printed is in $out and $err
#   value JSON-FILTER               of $out (jq -r); is WANT GOT; has FILE WORDS; lacks FILE WORDS
#   new_store                       a store with the pool and policy of below and its own simulated cloud
#   cloud_store                     the same with projects instead of hosts, and the tenants a to d
# Needs ROOT and ALLOT; works in a folder of its own.
set -u
# In memory where there is such a place: a disk would wait for each commit. What power loss would do is not tested here.
if [ -w /dev/shm ]; then
    cd "$(mktemp -d /dev/shm/allot-books.XXXXXX)" || exit 1
    trap 'rm -rf "$PWD"' EXIT
fi
export STORE=${STORE:-$PWD/store.db} CLOUD=${CLOUD:-$PWD/cloud.json}
out=$PWD/out err=$PWD/err passed=0 failed=0
export ALLOT_CONFIG=${ALLOT_CONFIG:-$PWD/allot.conf}
[ -e "$ALLOT_CONFIG" ] || printf 'notify: [/bin/true]\n' >"$ALLOT_CONFIG"
NOW=2026-03-02T00:00:00Z

at() { NOW=$1; }
allot() { "$ALLOT" --store "$STORE" --now "$NOW" "$@"; }

exits() { # STATUS COMMAND...
    local want=$1 got=0
    shift
    "$@" >"$out" 2>"$err" || got=$?
    [ "$got" = "$want" ] && return 0
    printf 'exit status %s, not %s: %s\n' "$got" "$want" "$*"
    head -c 2000 "$out" "$err"
    return 1
}

value() { jq -r "$1" "$out"; }
is() { [ "$1" = "$2" ] || { printf 'wanted: %s\ngot:    %s\n' "$1" "$2"; return 1; }; }
has() { grep -qF -- "$2" "$1" || { printf 'no "%s" in:\n' "$2"; head -c 2000 "$1"; return 1; }; }
lacks() { ! grep -F -- "$2" "$1"; }

# The books after a case: nothing of them may be wrong, whatever was refused or stopped before.
sound() {
    [ -e "$STORE" ] || return 0
    env -u ALLOT_FAULT "$ALLOT" --store "$STORE" fsck >"$PWD/fsck" 2>&1 || { cat "$PWD/fsck"; return 1; }
    env -u ALLOT_FAULT "$ALLOT" --store "$STORE" audit verify >"$PWD/verify" 2>&1 || { cat "$PWD/verify"; return 1; }
}

it() { # SENTENCE FUNCTION ARGUMENT...
    local title=$1 status
    shift
    (set -e; "$@") >"$PWD/said" 2>&1
    status=$?
    (set -e; sound) >>"$PWD/said" 2>&1 || status=1
    if [ $status = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n' "$title"
        sed 's/^/    /' "$PWD/said"
    fi
}

finish() {
    printf '%d passed, %d failed\n' $passed $failed
    [ $failed = 0 ]
    exit
}

# Three hosts with eight V100 and four T4 each: 24 x 15.6 TF + 12 x 8.1 TF; 300 TB.
pool_file() { # FURTHER-SETTINGS
    cat <<END
backend: simulated
basis: fp32
storage: 300 TB
granule: 1 GB
volume: {least: 1 GB, most: 16 TB}
hosts: [{name: h1, uri: "sim:1"}, {name: h2, uri: "sim:2"}, {name: h3, uri: "sim:3"}]
flavors:
  - {name: v100, rating: 15.6 TF, units: 24, sizes: [1, 2, 4, 8], attach: none}
  - {name: t4, rating: 8.1 TF, units: 12, sizes: [1, 2, 4], attach: none}
settings:
  file: $CLOUD
  flavors: {v100: {units_per_host: 8}, t4: {units_per_host: 4}}
${1:-}
END
}

policy_text() {
    cat <<'END'
policy "test" version 1;
pool p {
  basis fp32;
  flavor v100 15.6 TF units 24 sizes 1, 2, 4, 8;
  flavor t4 8.1 TF units 12 sizes 1, 2, 4;
  storage 300 TB;
}
attr seat : enum { gwangju, moving, elsewhere };
attr urgent : bool of request;
set eligible {
  E1 deny "only firms in Gwangju or moving there" when seat = elsewhere;
  E2 review "a person looks at firms that are moving" when seat = moving;
  E9 pass "eligible" otherwise;
}
C1 ceiling per tenant compute 125 TF storage 50 TB;
C2 ceiling per organisation compute 200 TF storage 80 TB;
L1 lease term 90 days, renew 2, notice 14 days, grace 7 days, keep-data 30 days;
END
}

# Two tiers, for what is promised and taken back: Gwangju with a guarantee of so many TF, and all others.
tier_policy() { # VERSION GUARANTEE LEASE RULE...
    cat <<END
policy "test" version $1;
$(policy_text | sed -n '/^pool/,/^}/p')
attr seat : enum { gwangju, moving, elsewhere };
set eligible { E9 pass "eligible" otherwise; }
set tier {
  T1 gwangju weight 4 guarantee $2 TF "in Gwangju" when seat = gwangju;
  T9 general "all others" otherwise;
}
L1 lease term $3, renew 2, notice 14 days, grace 7 days, keep-data 30 days;
END
    shift 3
    printf '%s\n' "$@"
}

day() { at "$(date -u -d "2026-03-02T00:00:00Z + $1" +%Y-%m-%dT%H:%M:%SZ)"; } # so long after the store was made: "3 days"

add_tenant() { # NAME NUMBER [SEAT]
    allot tenant add "$1" --organisation "org $2" --registration "$(printf '%03d-%02d-%05d' 100 10 "$2")" \
        --set "seat=${3:-gwangju}" >/dev/null
}

new_store() { # FURTHER-SETTINGS
    rm -f "$STORE"* "$CLOUD"*
    allot init --test-clock >/dev/null &&
        pool_file "${1:-}" >"$PWD/pool.yaml" &&
        allot pool add p --file "$PWD/pool.yaml" >/dev/null &&
        allot pool sync p >/dev/null &&
        policy_text >"$PWD/test.policy" &&
        allot policy load "$PWD/test.policy" >/dev/null 2>&1
}

# A cloud with three projects instead of hosts, and containers. Further settings as members of JSON.
cloud_file() { # FURTHER-SETTINGS
    cat <<END
backend: simulated
basis: fp32
storage: 300 TB
datalake: 100 TB
granule: 1 GB
volume: {least: 1 GB, most: 16 TB}
projects:
  - {name: p1, id: aaa1, object_store_id: bbb1}
  - {name: p2, id: aaa2}
  - {name: p3, id: aaa3, cloud: other}
flavors: [{name: v100, rating: 15.6 TF, units: 24, sizes: [1, 2, 4, 8]}]
settings: {file: $CLOUD, projects: true, containers: true, flavors: {v100: {units_per_host: 8}}${1:+, $1}}
END
}

cloud_store() { # FURTHER-SETTINGS
    rm -f "$STORE"* "$CLOUD"*
    allot init --test-clock >/dev/null
    cloud_file "${1:-}" >cloud.yaml
    allot pool add p --file cloud.yaml >/dev/null
    policy_text | sed '/flavor t4/d; s/storage 300 TB;/storage 300 TB; datalake 100 TB;/' >cloud.policy
    allot policy load cloud.policy >/dev/null 2>&1
    local i=0 tenant
    for tenant in a b c d; do add_tenant "$tenant" $((i += 1)); done
}

things() { # how many things the simulated cloud holds [whose line matches]
    if [ -e "$CLOUD" ]; then grep -c -- "${1:-\"host\"}" "$CLOUD" || true; else echo 0; fi
}
