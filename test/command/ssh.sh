#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A company's script over SSH: a real sshd on loopback, forced commands made by `allot tenant keys`, two tenants that must
# never hear of each other.
set -eu
fail() { echo "$*"; exit 1; }
dir=$PWD
export ALLOT_STORE="$dir/s.db" ALLOT_CONFIG=/dev/null

# ---- the centre ----
"$ALLOT" init >/dev/null
"$ALLOT" pool add pilot --backend simulated --basis fp32 --host cloud=sim:// --setting "file=$dir/cloud" \
    --setting 'flavors={"v100":{"units_per_host":16}}' --storage '100 TB' \
    --flavor 'name=v100,rating=15.6 TF,units=16,sizes=1/2/4/8,attach=none' >/dev/null
"$ALLOT" pool sync pilot >/dev/null
sed -e '/flavor t4/d' -e 's/units 480/units 16/' -e 's/10\.7 PB/100 TB/' "$ROOT/test/policy/plain/pilot.policy" >pilot.policy
"$ALLOT" policy load pilot.policy >/dev/null 2>&1
a="광주<&'\"AI \\\"x" b=SECRETCO
for n in a b other; do ssh-keygen -q -t ed25519 -N '' -C "$n" -f "$dir/$n"; done
"$ALLOT" tenant add "$a" --organisation '(주)광주' --registration 1234567890 --key a.pub --set kind=sme --set ai=true --set seat=gwangju >/dev/null
"$ALLOT" tenant add "$b" --organisation SECRETORG --registration 1234567891 --language en --key b.pub --set kind=sme --set ai=true --set seat=gwangju >/dev/null
if "$ALLOT" tenant set "$b" --set seat=gwanju >said 2>&1; then fail 'an attribute that no policy takes was taken'; fi
grep -q "did you mean 'gwangju'" said || { cat said; fail 'the nearest value is not named'; }
"$ALLOT" tenant keys >authorized_keys
[ "$(grep -c '^restrict,command=' authorized_keys)" = 2 ] || fail 'tenant keys: not a line for each key'

# ---- sshd ----
umask 077
ssh-keygen -q -t ed25519 -N '' -f hostkey
user=$(id -un) sshd=$(command -v sshd || echo /usr/sbin/sshd) pam=no
if [ "$(id -u)" = 0 ]; then
    [ -d /run/sshd ] || mkdir -m 755 /run/sshd
    case $(sed -n 's/^root:\([^:]*\):.*/\1/p' /etc/shadow) in !*) pam=yes ;; esac # without PAM a locked account is refused
fi
serve_on() { # PORT
    cat >sshd_config <<-END
	ListenAddress 127.0.0.1
	Port $1
	HostKey $dir/hostkey
	PidFile $dir/sshd.pid
	AuthorizedKeysFile $dir/authorized_keys
	StrictModes no
	UsePAM $pam
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	PermitRootLogin forced-commands-only
	END
    "$sshd" -D -e -f "$dir/sshd_config" 2>sshd.log &
    pid=$!
    for _ in $(seq 50); do
        kill -0 "$pid" 2>/dev/null || return 1
        grep -q 'Server listening' sshd.log && return
        sleep 0.1
    done
    return 1
}
pid='' port=$((20000 + $$ % 20000))
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true' EXIT
for _ in 1 2 3 4 5; do
    if serve_on "$port"; then break; fi
    port=$((port + 7)) pid=''
done
[ -n "$pid" ] || { cat sshd.log; fail 'sshd does not start'; }

# How the owner of a key reaches the centre, as words.
way() { echo "ssh -F none -q -p $port -i $dir/$1 -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null $user@127.0.0.1"; }
into() { # KEY WORD...
    words=$(way "$1")
    shift
    # shellcheck disable=SC2086 # they are words
    $words "$@"
}
say() { # KEY LINE...: all lines in one session
    key=$1
    shift
    printf '%s\n' "$@" | into "$key" >said || { cat sshd.log said; fail 'ssh failed'; }
    cat said >>heard
}
got() { # FILTER WANTED: of the last line said
    is=$(tail -n 1 said | jq -r "$1")
    [ "$is" = "$2" ] || { cat said; fail "$1 is '$is', not '$2'"; }
}

# ---- what the keys may do ----
if into other </dev/null >said 2>&1; then fail 'a key that nobody knows was let in'; fi
if echo | into a ls / >said 2>&1; then fail 'a command was run'; fi
grep -q 'requests are lines of JSON' said || { cat said; fail 'a command is not explained'; }
if into a -o ExitOnForwardFailure=yes -R 127.0.0.1:0:127.0.0.1:1 -N </dev/null >/dev/null 2>&1; then fail 'a port was forwarded'; fi

say a '{"id": 1, "do": "show"}'
got '.answer.name' "$a"
say a '{"id": "둘", "do": "submit", "key": "k1", "compute": "62.4 TF", "storage": "10 TB", "for": "30 days", "purpose": "학습 <&\"'"'"'"}'
got '.id' 둘
got '.status' 0
got '.answer.outcome' granted
grant=$(jq -r .answer.grant said)
say a '{"do": "wait", "grant": "'"$grant"'", "seconds": 30}'
got '.answer.settled' true
got '.answer.grant.state' active
got '.answer.grant.things | map(select(.kind == "server")) | length' 1
got '[.. | objects | keys[]] | any(. == "token" or . == "tenant" or . == "host" or . == "slots")' false
got '[.answer.grant.things[] | select(.kind == "server") | .connect | keys] | unique | tojson' '[["domain","state"]]'
# libvirt tells more than the simulated cloud
sqlite3 "$ALLOT_STORE" "UPDATE operation SET connection = json_set(connection, '$.console', 'virsh -c qemu+tls://SECRETH/system console x', '$.uuid', 'SECRETU', '$.addresses', json('[\"10.128.0.2\"]')) WHERE kind = 'server'"
say a '{"do": "show", "grant": "'"$grant"'"}'
got '[.answer.things[] | select(.kind == "server") | .connect | keys] | unique | tojson' '[["addresses","domain","state"]]'
if grep -e SECRET said; then fail 'a host is shown to a tenant'; fi
say a '{"do": "submit", "key": "k1", "compute": "62.4 TF", "storage": "10 TB", "for": "30 days", "purpose": "학습 <&\"'"'"'"}'
got '.answer.grant' "$grant"
say a '{"do": "submit", "key": "k1", "compute": "31.2 TF"}'
got '.error.code' conflict

# ---- denied, wrong, foreign: many lines in one session, each with its own answer ----
long=$(head -c 70000 /dev/zero | tr '\0' x)
say a '{"id": 1, "do": "submit", "compute": "125 TF"}' '{"id": 2, "do": "submit", "compute": "62.4"}' '{"id": 3, "do": "shw"}' \
    '{"id": 4, "do": "show", "requst": "r-1"}' '{bad' '[[[[[[[[[[1]]]]]]]]]]' "{\"id\": 5, \"x\": \"$long\"}" '' \
    '{"id": 6, "do": "list", "do": "show"}' '{"id": 7, "do": "submit", "tenant": "SECRETC0", "compute": "1 TF"}' \
    '{"id": 8, "do": "explain", "request": "r-1"}' '{"id": 9, "do": "usage"}' '{"id": 10, "do": "list"}'
is=$(jq -r '[.id, .status, .error.code] | map(. // "-" | tostring) | join(",")' said | tr '\n' ' ')
want='1,3,denied 2,2,usage 3,2,usage 4,2,usage -,2,usage -,2,usage -,2,usage -,2,usage 7,3,denied 8,0,- 9,0,- 10,0,- '
[ "$is" = "$want" ] || { cat said; fail "answers: $is"; }
[ "$(sed -n 1p said | jq -r '.error.what | contains("한도")')" = true ] || fail 'a Korean tenant is not told in Korean'
[ "$(sed -n 1p said | jq -r '.answer.decision.reasons[0].code')" = EXCEEDS_CEILING ] || fail 'no reasons'
[ "$(sed -n 10p said | jq -r '.answer.confirmed')" = true ] || fail 'explain does not confirm'
[ "$(sed -n 12p said | jq -r '.answer.grants | length')" = 1 ] || fail 'list'

# ---- the other one: its own numbers only, and a word of the first nowhere ----
mv heard heard.a
say b '{"id": 1, "do": "list"}' '{"id": 2, "do": "show", "grant": "'"$grant"'"}' '{"id": 3, "do": "release", "grant": "'"$grant"'"}' \
    '{"id": 4, "do": "show", "request": "r-1"}' '{"id": 5, "do": "explain", "request": "r-1"}' '{"id": 6, "do": "wait", "grant": "'"$grant"'"}' \
    '{"id": 7, "do": "submit", "tenant": "광주", "compute": "15.6 TF"}' '{"id": 8, "do": "usage", "by": "grant"}'
is=$(jq -r '[.id, .status] | map(tostring) | join(",")' said | tr '\n' ' ')
[ "$is" = '1,0 2,4 3,4 4,4 5,4 6,4 7,3 8,0 ' ] || { cat said; fail "the other's answers: $is"; }
[ "$(jq -s '.[0].answer.requests + .[0].answer.grants + .[7].answer.rows | length' said)" = 0 ] || fail 'one sees what the other holds'
say b '{"do": "submit", "compute": "124.8 TF"}' '{"do": "submit", "compute": "125 TF"}' '{"do": "submit", "storage": "49 TB"}' '{"do": "list", "all": true}'
if grep -e 광주 -e '123-45-67890' heard; then fail 'the other reads a foreign name'; fi
if grep -e SECRET heard.a; then fail 'the first reads a foreign name'; fi
"$ALLOT" audit show --json | jq -e 'map(select(.kind == "access.refused" and (.actor | startswith("tenant ")))) | length == 2' >/dev/null || fail 'refused access is not in the chain'

# ---- the example that companies copy ----
ALLOT_SSH=$(way a)
export ALLOT_SSH
company=$ROOT/man/examples/company.sh
"$company" list >said
grep -q "^$grant active" said || { cat said; fail 'company.sh list'; }
"$company" get train '15.6 TF' '1 TB' '7 days' >said
grep -q '^  server ' said || { cat said; fail 'company.sh get'; }
second=$(sed -n '1s/ .*//p' said)
"$company" get train '15.6 TF' '1 TB' '7 days' | grep -q "^$second " || fail 'company.sh asked twice'
"$company" get --pool pilot train '15.6 TF' '1 TB' '7 days' >said 2>&1 && fail 'company.sh: other words under the same name'
status=0
"$company" get --pool nowhere other '15.6 TF' '1 TB' '7 days' >said 2>&1 || status=$?
[ "$status" = 4 ] || { cat said; fail "company.sh: a pool that is not there gives $status"; }
"$company" usage >said
grep -q "^$grant .* TF-hours" said || { cat said; fail 'company.sh usage'; }
status=0
"$company" get more '125 TF' '1 TB' '7 days' >said 2>&1 || status=$?
[ "$status" = 3 ] || { cat said; fail "company.sh: a denial gives $status"; }
"$company" release "$second" >said
grep -q "^$second releasing" said || { cat said; fail 'company.sh release'; }

# ---- a closed door ----
say a '{"do": "release", "grant": "'"$grant"'"}' '{"do": "wait", "grant": "'"$grant"'", "seconds": 30}'
got '.answer.grant.state' kept
got '[.answer.grant.things[] | select(.kind == "server") | [.observed, .connect]] | unique | tojson' '[["absent",null]]'
"$ALLOT" tenant suspend "$b" --reason 'papers are missing' >/dev/null
say b '{"do": "submit", "compute": "15.6 TF"}'
got '.answer.outcome == "granted"' false
"$ALLOT" fsck >/dev/null
